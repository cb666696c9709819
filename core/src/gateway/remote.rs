//! A model of a server as a chat model like any other: prompts become turns, native calls of tools become the JSON that
//! agents read.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use rspa_ml::Cancel;
use rspa_ml::generate::{Constraint, FinishReason, GenerateRequest, GenerateStats, Prompt};
use serde_json::{Value, json};

use super::server::Server;
use crate::api::{ApiError, ErrorCategory};
use crate::inference::provider::{
    ChatCall, ChatEnd, ChatPiece, FaultKind, ProviderFault, Sampling, ToolChoice, ToolUse, Turn,
};
use crate::inference::{ChatModel, ModelEvent, ToolOffer};
use crate::model::{ModelId, ProviderModel};

/// Where a server does not say how much its model holds.
const USUAL_CONTEXT: u32 = 8_192;
/// About so many bytes of text are a token, where no tokenizer is known.
const TOKEN_BYTES: usize = 4;
/// Bytes of one answer.
const LONGEST: usize = 4 << 20;
/// Characters of what a model says beside a call.
const LONGEST_THOUGHT: usize = 2_000;

pub struct RemoteModel {
    server: Arc<Server>,
    /// `provider/model`.
    id: String,
    /// As the server calls it.
    name: String,
    info: Option<ProviderModel>,
}

pub fn estimate(text: &str) -> usize {
    text.len().div_ceil(TOKEN_BYTES)
}

impl RemoteModel {
    pub fn new(server: Arc<Server>, name: &str, info: Option<ProviderModel>) -> Self {
        let id = ModelId::of(&server.id(), name).0;
        Self { server, id, name: name.to_owned(), info }
    }

    fn call_of(&self, request: &GenerateRequest, tools: &[ToolOffer]) -> Result<ChatCall, ApiError> {
        let turns: Vec<Turn> = match &request.prompt {
            Prompt::Chat(turns) => turns.iter().map(Turn::from).collect(),
            Prompt::Raw(text) => vec![Turn::User(text.clone())],
            Prompt::Tokens(_) => return Err(refused("a server takes text, not tokens")),
        };
        let schema = match &request.constraint {
            // Its own calls say what fits.
            _ if !tools.is_empty() => None,
            None => None,
            Some(Constraint::JsonSchema(schema)) => Some(schema.clone()),
            Some(Constraint::Regex(_) | Constraint::Grammar(_)) => {
                return Err(refused("a server cannot be held to a pattern or a grammar"));
            }
        };
        Ok(ChatCall {
            model: self.name.clone(),
            turns,
            sampling: Sampling::from(&request.sampling),
            max_tokens: Some(u32::try_from(request.sampling.max_tokens).unwrap_or(u32::MAX)),
            stop: if request.constraint.is_some() { Vec::new() } else { request.sampling.stop.clone() },
            tools: tools.to_vec(),
            tool_choice: ToolChoice::Auto,
            schema,
        })
    }

    fn start(&self, call: ChatCall, cancel: Cancel) -> Result<Receiver<ModelEvent>, ApiError> {
        let (tell, told) = mpsc::channel();
        let server = self.server.clone();
        let thread = std::thread::Builder::new().name("remote generation".to_owned());
        let spawned = thread.spawn(move || Asking { server: &server, call: &call, tell, cancel }.run());
        spawned.map_err(|error| {
            ApiError::new(ErrorCategory::System, format!("no thread for the model: {error}"), "Close other programs.")
        })?;
        Ok(told)
    }
}

fn refused(why: &str) -> ApiError {
    ApiError::validation(why, "Choose a model inside this program.")
}

impl ChatModel for RemoteModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn context_length(&self) -> usize {
        let known = self.info.as_ref().and_then(|info| info.context_length).filter(|tokens| *tokens > 0);
        known.unwrap_or(USUAL_CONTEXT) as usize
    }

    fn parameters(&self) -> Option<u64> {
        self.info.as_ref().and_then(|info| info.parameters).filter(|count| *count > 0)
    }

    fn count_tokens(&self, text: &str) -> Result<usize, ApiError> {
        Ok(estimate(text))
    }

    fn generate(&self, request: GenerateRequest, cancel: Cancel) -> Result<Receiver<ModelEvent>, ApiError> {
        let call = self.call_of(&request, &[])?;
        self.start(call, cancel)
    }

    fn generate_call(
        &self,
        request: GenerateRequest,
        tools: &[ToolOffer],
        cancel: Cancel,
    ) -> Result<Receiver<ModelEvent>, ApiError> {
        // A server that is known to call no tools is held to the form by its schema.
        let native = !tools.is_empty() && self.info.as_ref().and_then(|info| info.tools) != Some(false);
        let call = self.call_of(&request, if native { tools } else { &[] })?;
        self.start(call, cancel)
    }
}

/// One answer that is being made, on a thread of its own.
struct Asking<'a> {
    server: &'a Server,
    call: &'a ChatCall,
    tell: Sender<ModelEvent>,
    cancel: Cancel,
}

impl Asking<'_> {
    fn run(self) {
        let begun = Instant::now();
        let native = !self.call.tools.is_empty();
        let prompt = estimate_turns(&self.call.turns);
        let reserved = (prompt + self.call.max_tokens.unwrap_or(0) as usize) as u64;
        let (mut text, mut first, mut too_long) = (String::new(), None::<Duration>, false);
        let retries = self.server.draft().limits.retries;
        let result = self.server.call(reserved, retries, &self.cancel, &mut |provider| {
            // Where nothing was told, an earlier try may have left half an answer.
            if native {
                text.clear();
            }
            provider.chat(self.call, &self.cancel, &mut |piece| {
                first.get_or_insert_with(|| begun.elapsed());
                let ChatPiece::Text(piece) = piece else { return };
                if text.len() + piece.len() > LONGEST {
                    too_long = true;
                    self.cancel.cancel();
                    return;
                }
                text.push_str(&piece);
                // Nobody listens any more: the answer is not wanted.
                if !native && self.tell.send(ModelEvent::Text(piece)).is_err() {
                    self.cancel.cancel();
                }
            })
        });
        let took = begun.elapsed();
        let first = first.unwrap_or(took);
        let end = match result {
            Ok(end) => end,
            Err(_stopped) if too_long => {
                let words = format!("the answer is longer than {} MB", LONGEST >> 20);
                return self.failed(&ProviderFault::new(FaultKind::TooLong, words), text, false);
            }
            Err(fault) if fault.kind == FaultKind::Cancelled => ChatEnd {
                prompt_tokens: None,
                answer_tokens: None,
                finish: FinishReason::Cancelled,
                tool_calls: vec![],
            },
            Err(fault) => return self.failed(&fault, text, false),
        };
        let count = |tokens: Option<u64>, otherwise: usize| {
            tokens.and_then(|tokens| usize::try_from(tokens).ok()).unwrap_or(otherwise)
        };
        let stats = GenerateStats {
            prompt_tokens: count(end.prompt_tokens, prompt),
            answer_tokens: count(end.answer_tokens, estimate(&text)),
            prefill_seconds: first.as_secs_f64(),
            decode_seconds: took.saturating_sub(first).as_secs_f64(),
            time_to_first_token_seconds: first.as_secs_f64(),
            finish: end.finish,
        };
        self.server.settle(reserved, (stats.prompt_tokens + stats.answer_tokens) as u64);
        if native && end.finish != FinishReason::Cancelled {
            let said = in_protocol(&text, &end.tool_calls);
            if !said.is_empty() {
                self.tell.send(ModelEvent::Text(said)).ok();
            }
        }
        let cut = matches!(end.finish, FinishReason::MaxTokens | FinishReason::ContextFull);
        if self.call.schema.is_some() && cut && serde_json::from_str::<Value>(text.trim()).is_err() {
            let fault = ProviderFault::new(FaultKind::TooLong, rspa_ml::Error::Unfinished.to_string());
            return self.failed(&fault, text, true);
        }
        self.tell.send(ModelEvent::Finished(stats)).ok();
    }

    fn failed(&self, fault: &ProviderFault, partial: String, unfinished: bool) {
        let error = ApiError::from(fault.clone());
        self.tell.send(ModelEvent::Failed { error, unfinished, partial }).ok();
    }
}

fn estimate_turns(turns: &[Turn]) -> usize {
    turns
        .iter()
        .map(|turn| match turn {
            Turn::System(text) | Turn::User(text) | Turn::Assistant { text, .. } => estimate(text),
            Turn::ToolResult { text, .. } => estimate(text),
        })
        .sum()
}

/// What a model that calls tools in its own way said, in the form that the constraint of agents asks for. The first call
/// counts: steps are taken one by one.
fn in_protocol(text: &str, calls: &[ToolUse]) -> String {
    let text = text.trim();
    match calls.first() {
        Some(call) => {
            let mut thought = text.to_owned();
            thought.truncate(thought.floor_char_boundary(LONGEST_THOUGHT));
            json!({ "thought": thought, "tool": call.name, "arguments": call.arguments }).to_string()
        }
        None if text.is_empty() => String::new(),
        // The prompt tells of that form, and some models keep to it.
        None if crate::agents::protocol::parse(text).is_ok() => text.to_owned(),
        None => json!({ "thought": "", "answer": text }).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_answers_get_the_form_that_agents_read() {
        let call =
            |name: &str| ToolUse { id: "1".to_owned(), name: name.to_owned(), arguments: json!({ "path": "/a" }) };
        assert_eq!(
            in_protocol(" I look. ", &[call("read_file"), call("other")]),
            r#"{"thought":"I look.","tool":"read_file","arguments":{"path":"/a"}}"#
        );
        assert_eq!(in_protocol("It is four.\n", &[]), r#"{"thought":"","answer":"It is four."}"#);
        let own = r#"{"thought":"x","answer":"y"}"#;
        assert_eq!(in_protocol(own, &[]), own);
        assert_eq!(in_protocol("{\"a\": 1}", &[]), r#"{"thought":"","answer":"{\"a\": 1}"}"#, "JSON of another kind");
        assert_eq!(in_protocol("  ", &[]), "");
    }
}
