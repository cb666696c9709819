//! A chat model that says what a script tells it: exact flows for tests of core and of the window.
//!
//! It is not reachable from the product: only `CoreOptions::chat_model` puts it in place.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rspa_ml::Cancel;
use rspa_ml::generate::{Constraint, FinishReason, GenerateRequest, GenerateStats, Prompt};

use super::{ChatModel, ModelEvent};
use crate::api::ApiError;

/// What happens when a prompt holds `when`; the first rule that matches is taken.
#[derive(Clone, Debug)]
struct Rule {
    when: String,
    reply: Reply,
}

#[derive(Clone, Debug)]
enum Reply {
    /// Streamed word by word.
    Text(String),
    /// Says the text, then fails with this message.
    Fails { after: String, message: String },
}

/// Build it with rules, hand it to the core, and let tokens through a [`Gate`] if the test must stop in between.
pub struct ScriptedModel {
    id: String,
    context: usize,
    rules: Vec<Rule>,
    sequences: Mutex<Vec<Sequence>>,
    gate: Option<Gate>,
    prompts: Arc<Mutex<Vec<String>>>,
}

/// Replies that are given one after the other to prompts that hold `when` anywhere.
struct Sequence {
    when: String,
    replies: VecDeque<Reply>,
}

impl Default for ScriptedModel {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedModel {
    /// Without a matching rule it answers "I do not know."
    pub fn new() -> Self {
        Self {
            id: "scripted".to_owned(),
            context: 4096,
            rules: Vec::new(),
            sequences: Mutex::default(),
            gate: None,
            prompts: Arc::default(),
        }
    }

    pub fn with_context(mut self, tokens: usize) -> Self {
        self.context = tokens;
        self
    }

    /// Answers `text` when the last turn contains `when`.
    pub fn reply(mut self, when: &str, text: &str) -> Self {
        self.rules.push(Rule { when: when.to_owned(), reply: Reply::Text(text.to_owned()) });
        self
    }

    /// The first prompt that contains `when` in any of its turns gets the first of `texts`, the second one the second,
    /// and so on: the steps of an agent at one task. What comes after the last is left to the rules.
    pub fn sequence<'a>(self, when: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let replies = texts.into_iter().map(|text| Reply::Text(text.to_owned())).collect();
        let sequence = Sequence { when: when.to_owned(), replies };
        self.sequences.lock().unwrap_or_else(PoisonError::into_inner).push(sequence);
        self
    }

    /// Says `after`, then fails, when the last turn contains `when`.
    pub fn fail(mut self, when: &str, after: &str, message: &str) -> Self {
        let reply = Reply::Fails { after: after.to_owned(), message: message.to_owned() };
        self.rules.push(Rule { when: when.to_owned(), reply });
        self
    }

    /// From now on no piece of text passes before the gate lets it.
    pub fn gated(mut self) -> (Self, Gate) {
        let gate = Gate::default();
        self.gate = Some(gate.clone());
        (self, gate)
    }

    /// All prompts so far, each as the text of its turns.
    pub fn prompts(&self) -> Arc<Mutex<Vec<String>>> {
        self.prompts.clone()
    }

    fn reply_to(&self, prompt: &Prompt) -> Reply {
        let (all, last) = match prompt {
            Prompt::Chat(turns) => (
                turns.iter().map(|turn| turn.content.as_str()).collect::<Vec<_>>().join("\n---\n"),
                turns.last().map(|turn| turn.content.clone()).unwrap_or_default(),
            ),
            Prompt::Raw(text) => (text.clone(), text.clone()),
            Prompt::Tokens(_) => (String::new(), String::new()),
        };
        let mut sequences = self.sequences.lock().unwrap_or_else(PoisonError::into_inner);
        let sequence = sequences.iter_mut().find(|sequence| all.contains(&sequence.when));
        let next = sequence.and_then(|sequence| sequence.replies.pop_front());
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).push(all);
        if let Some(reply) = next {
            return reply;
        }
        let rule = self.rules.iter().find(|rule| last.contains(&rule.when));
        rule.map_or_else(|| Reply::Text("I do not know.".to_owned()), |rule| rule.reply.clone())
    }
}

/// Lets pieces of text through, one per permit; opened, it lets everything through.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<Permits>, Condvar)>);

#[derive(Debug, Default)]
struct Permits {
    left: usize,
    open: bool,
}

impl Gate {
    pub fn allow(&self, pieces: usize) {
        self.change(|permits| permits.left += pieces);
    }

    pub fn open(&self) {
        self.change(|permits| permits.open = true);
    }

    fn change(&self, change: impl FnOnce(&mut Permits)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    /// Waits for a permit; false when the work was cancelled meanwhile.
    fn pass(&self, cancel: &Cancel) -> bool {
        let mut permits = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if cancel.is_cancelled() {
                return false;
            }
            if permits.open || permits.left > 0 {
                permits.left = permits.left.saturating_sub(1);
                return true;
            }
            // A cancel flag wakes nobody, so it is looked at in between.
            let wait = std::time::Duration::from_millis(5);
            permits = self.0.1.wait_timeout(permits, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl ChatModel for ScriptedModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn context_length(&self) -> usize {
        self.context
    }

    /// One token per word.
    fn count_tokens(&self, text: &str) -> Result<usize, ApiError> {
        Ok(text.split_whitespace().count())
    }

    fn generate(&self, request: GenerateRequest, cancel: Cancel) -> Result<Receiver<ModelEvent>, ApiError> {
        let reply = match (self.reply_to(&request.prompt), &request.constraint) {
            // A constrained model cannot say what does not parse, so that a script which does is a mistake.
            (Reply::Text(text), Some(Constraint::JsonSchema(_))) => {
                match serde_json::from_str::<serde_json::Value>(&text) {
                    Ok(_) => Reply::Text(text),
                    Err(error) => Reply::Fails {
                        after: String::new(),
                        message: format!("the script is no JSON: {error}: {text}"),
                    },
                }
            }
            (reply, _) => reply,
        };
        let (sender, receiver) = mpsc::channel();
        let gate = self.gate.clone();
        let limit = request.sampling.max_tokens;
        std::thread::Builder::new()
            .name("scripted model".to_owned())
            .spawn(move || speak(reply, gate, limit, &cancel, &sender))
            .map_err(|error| ApiError::new(crate::api::ErrorCategory::System, error.to_string(), "Try again."))?;
        Ok(receiver)
    }
}

fn speak(reply: Reply, gate: Option<Gate>, limit: usize, cancel: &Cancel, events: &Sender<ModelEvent>) {
    let (text, failure) = match reply {
        Reply::Text(text) => (text, None),
        Reply::Fails { after, message } => (after, Some(message)),
    };
    // A listener that has gone ends the speech.
    let mut listening = events.send(ModelEvent::Prefill { done: 10, total: 10 }).is_ok();
    let mut pieces: VecDeque<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    let mut said = String::new();
    let mut count = 0;
    let mut finish = FinishReason::EndOfText;
    while let Some(piece) = pieces.pop_front().filter(|_| listening) {
        if count == limit {
            finish = FinishReason::MaxTokens;
            break;
        }
        if gate.as_ref().is_some_and(|gate| !gate.pass(cancel)) || cancel.is_cancelled() {
            finish = FinishReason::Cancelled;
            break;
        }
        said.push_str(&piece);
        count += 1;
        listening = events.send(ModelEvent::Text(piece)).is_ok();
    }
    let last = match failure.filter(|_| finish == FinishReason::EndOfText) {
        Some(message) => {
            ModelEvent::Failed { error: rspa_ml::Error::Tokenizer(message).into(), unfinished: false, partial: said }
        }
        None => ModelEvent::Finished(GenerateStats {
            prompt_tokens: 10,
            answer_tokens: count,
            prefill_seconds: 0.01,
            decode_seconds: 0.01 * count as f64,
            time_to_first_token_seconds: 0.01,
            finish,
        }),
    };
    drop(events.send(last));
}

#[cfg(test)]
mod tests {
    use rspa_ml::generate::SamplingParams;

    use super::*;

    fn ask(model: &ScriptedModel, text: &str, cancel: Cancel) -> Receiver<ModelEvent> {
        let request = GenerateRequest {
            prompt: Prompt::Raw(text.to_owned()),
            sampling: SamplingParams::default(),
            constraint: None,
        };
        model.generate(request, cancel).unwrap()
    }

    fn text(events: Receiver<ModelEvent>) -> (String, ModelEvent) {
        let mut said = String::new();
        for event in events {
            match event {
                ModelEvent::Text(piece) => said += &piece,
                ModelEvent::Prefill { .. } => {}
                last => return (said, last),
            }
        }
        panic!("the stream ended without a last event");
    }

    #[test]
    fn rules_decide_what_is_said_and_what_fails() {
        let model = ScriptedModel::new().reply("backups", "Thirty days.").fail("break", "Half a", "out of order");
        assert_eq!(text(ask(&model, "how long are backups kept", Cancel::new())).0, "Thirty days.");
        let (said, last) = text(ask(&model, "break now", Cancel::new()));
        assert_eq!(said, "Half a");
        assert!(matches!(last, ModelEvent::Failed { partial, .. } if partial == "Half a"));
        assert_eq!(model.prompts().lock().unwrap().len(), 2);
    }

    #[test]
    fn a_sequence_gives_its_replies_in_order_and_a_constraint_wants_json() {
        let model = ScriptedModel::new().sequence("sums", ["{\"a\":1}", "no json"]);
        let constrained = |text: &str| GenerateRequest {
            prompt: Prompt::Raw(text.to_owned()),
            sampling: SamplingParams::default(),
            constraint: Some(Constraint::JsonSchema(serde_json::json!({}))),
        };
        let say = |text_of| text(model.generate(constrained(text_of), Cancel::new()).unwrap());
        assert_eq!(say("the sums").0, "{\"a\":1}");
        assert!(matches!(say("the sums").1, ModelEvent::Failed { .. }));
        assert_eq!(text(ask(&model, "the sums", Cancel::new())).0, "I do not know.");
    }

    #[test]
    fn a_gate_holds_the_text_until_cancelled() {
        let (model, gate) = ScriptedModel::new().reply("", "one two three").gated();
        let cancel = Cancel::new();
        let events = ask(&model, "x", cancel.clone());
        gate.allow(1);
        let first = events.iter().find_map(|event| match event {
            ModelEvent::Text(piece) => Some(piece),
            _ => None,
        });
        assert_eq!(first.as_deref(), Some("one "));
        cancel.cancel();
        let (rest, last) = text(events);
        assert_eq!(rest, "");
        assert!(matches!(last, ModelEvent::Finished(stats) if stats.finish == FinishReason::Cancelled));
    }
}
