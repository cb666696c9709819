//! Google's Gemini API (v1beta): the key in a header, never in an address.

use std::ops::ControlFlow;

use rspa_ml::Cancel;
use rspa_ml::generate::FinishReason;
use serde_json::{Map, Value, json};

use super::json;
use super::telling::{Telling, bad_answer, withheld};
use super::wire::{MOST_LARGE, MOST_MODELS, Wire, stream_error, vectors};
use crate::inference::provider::{ChatCall, ChatEnd, ChatPiece, Embeddings, Provider, ProviderFault, ToolChoice, Turn};
use crate::model::{ProviderKind, ProviderModel, SecretText};
use crate::trust::egress::Method;

/// Texts in one request for vectors.
const BATCH: usize = 100;
const PAGES: usize = 20;
/// What its documentation gives to calls whose signature is not kept, as those of another model.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

pub fn key_header(key: &SecretText) -> (&'static str, SecretText) {
    ("x-goog-api-key", key.clone())
}

pub struct Gemini {
    wire: Wire,
}

impl Gemini {
    pub fn new(wire: Wire) -> Self {
        Self { wire: wire.with_prefix("/v1beta") }
    }

    fn body(call: &ChatCall) -> Value {
        let mut config = Map::new();
        let mut set = |name: &str, value: Option<Value>| value.map(|value| config.insert(name.to_owned(), value));
        set("temperature", call.sampling.temperature.map(Value::from));
        set("topP", call.sampling.top_p.map(Value::from));
        set("topK", call.sampling.top_k.map(Value::from));
        // Signed 32 bits there.
        set("seed", call.sampling.seed.map(|seed| Value::from(seed & 0x7fff_ffff)));
        set("maxOutputTokens", call.max_tokens.map(Value::from));
        set("stopSequences", (!call.stop.is_empty()).then(|| Value::from(call.stop.clone())));
        if let Some(schema) = &call.schema {
            set("responseMimeType", Some("application/json".into()));
            set("responseJsonSchema", Some(schema.clone()));
        }
        let (system, contents) = contents(&call.turns);
        let mut body = json!({"contents": contents, "generationConfig": config});
        if !system.is_empty() {
            body["systemInstruction"] = json!({"parts": [{"text": system}]});
        }
        if !call.tools.is_empty() {
            let declared: Vec<Value> = call
                .tools
                .iter()
                .map(|offer| {
                    json!({"name": offer.name, "description": offer.description, "parametersJsonSchema": offer.parameters})
                })
                .collect();
            body["tools"] = json!([{"functionDeclarations": declared}]);
            let mode = match call.tool_choice {
                ToolChoice::Auto => "AUTO",
                ToolChoice::Required => "ANY",
                ToolChoice::None => "NONE",
            };
            body["toolConfig"] = json!({"functionCallingConfig": {"mode": mode}});
        }
        body
    }

    fn described(&self, value: &Value) -> Option<ProviderModel> {
        let name = json::text(value, "/name")?;
        let mut model = self.wire.model(name.strip_prefix("models/").unwrap_or(name))?;
        model.context_length = json::small(value, "/inputTokenLimit");
        model.max_answer_tokens = json::small(value, "/outputTokenLimit");
        if let Some(methods) = value.get("supportedGenerationMethods").and_then(Value::as_array) {
            let can = |what: &str| methods.iter().any(|method| method.as_str() == Some(what));
            model.embeds = Some(can("embedContent") || can("batchEmbedContents"));
            if !can("generateContent") {
                model.tools = Some(false);
            }
        }
        Some(model)
    }

    fn take(&self, value: &Value, telling: &mut Telling<'_>) -> Result<(), ProviderFault> {
        if value.get("error").is_some() {
            return Err(stream_error(&self.wire, value));
        }
        if let Some(reason) = json::text(value, "/promptFeedback/blockReason") {
            return Err(withheld(&self.wire.words(reason, 60)));
        }
        if let Some(usage) = value.get("usageMetadata") {
            telling.prompt_tokens = json::number(usage, "/promptTokenCount").or(telling.prompt_tokens);
            // What it thinks is counted and paid as part of the answer.
            if let Some(answer) = json::number(usage, "/candidatesTokenCount") {
                let thought = json::number(usage, "/thoughtsTokenCount").unwrap_or(0);
                telling.answer_tokens = Some(answer.saturating_add(thought));
            }
        }
        let Some(candidate) = json::list(value, "/candidates").first() else { return Ok(()) };
        for part in json::list(candidate, "/content/parts") {
            if part.get("thought") == Some(&Value::Bool(true)) {
                continue;
            }
            if let Some(text) = json::text(part, "/text") {
                telling.text(text)?;
            }
            if let Some(call) = part.get("functionCall") {
                let name = json::text(call, "/name").unwrap_or_default();
                telling.call(json::text(call, "/id"), name, call.get("args").unwrap_or(&Value::Null))?;
            }
        }
        if let Some(reason) = json::text(candidate, "/finishReason") {
            telling.finish = Some(match reason {
                "STOP" | "FINISH_REASON_UNSPECIFIED" => FinishReason::EndOfText,
                "MAX_TOKENS" => FinishReason::MaxTokens,
                "MALFORMED_FUNCTION_CALL" | "MALFORMED_RESPONSE" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" => {
                    return Err(bad_answer(&format!("the model made a call that cannot be read ({reason})")));
                }
                reason => return Err(withheld(&self.wire.words(reason, 60))),
            });
        }
        Ok(())
    }
}

/// `models/x`, or `tunedModels/x` as it stands; none for what would lead elsewhere.
fn place(model: &str) -> Result<String, ProviderFault> {
    let (folder, name) = match model.split_once('/') {
        Some((folder @ ("models" | "tunedModels"), name)) => (folder, name),
        _ => ("models", model),
    };
    match name {
        "" | "." | ".." => Err(bad_answer("this name of a model cannot be used")),
        name => Ok(format!("{folder}/{}", json::escaped(name))),
    }
}

/// The system's words, and the rest in turns of one role each.
fn contents(turns: &[Turn]) -> (String, Vec<Value>) {
    let (mut system, mut contents): (Vec<&str>, Vec<(&str, Vec<Value>)>) = (Vec::new(), Vec::new());
    for turn in turns {
        let (role, parts) = match turn {
            Turn::System(text) => {
                system.push(text);
                continue;
            }
            Turn::User(text) => ("user", vec![json!({"text": text})]),
            Turn::Assistant { text, calls } => {
                let mut parts = Vec::new();
                if !text.is_empty() {
                    parts.push(json!({"text": text}));
                }
                parts.extend(calls.iter().map(|call| {
                    let called = json!({"name": call.name, "args": call.arguments, "id": call.id});
                    json!({"functionCall": called, "thoughtSignature": NO_SIGNATURE})
                }));
                ("model", parts)
            }
            Turn::ToolResult { id, name, text, failed } => {
                let key = if *failed { "error" } else { "output" };
                ("user", vec![json!({"functionResponse": {"id": id, "name": name, "response": {key: text}}})])
            }
        };
        match contents.last_mut() {
            Some((last, known)) if *last == role => known.extend(parts),
            _ => contents.push((role, parts)),
        }
    }
    let contents = contents.into_iter().filter(|(_, parts)| !parts.is_empty());
    (system.join("\n\n"), contents.map(|(role, parts)| json!({"role": role, "parts": parts})).collect())
}

impl Provider for Gemini {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Gemini
    }

    fn list_models(&self, cancel: &Cancel) -> Result<Vec<ProviderModel>, ProviderFault> {
        let mut models = Vec::new();
        let mut path = "/models?pageSize=1000".to_owned();
        for _page in 0..PAGES {
            let answer = self.wire.get(&path, self.wire.listing(), cancel)?;
            let Some(listed) = answer.get("models").and_then(Value::as_array) else {
                return Err(bad_answer("the server's answer holds no list of models"));
            };
            models.extend(listed.iter().filter_map(|value| self.described(value)));
            let next = json::text(&answer, "/nextPageToken").filter(|token| !token.is_empty());
            match next.filter(|_| models.len() < MOST_MODELS && !listed.is_empty()) {
                Some(token) => path = format!("/models?pageSize=1000&pageToken={}", json::escaped(token)),
                None => break,
            }
        }
        Ok(self.wire.with_extra(models))
    }

    fn model_info(&self, name: &str, cancel: &Cancel) -> Result<ProviderModel, ProviderFault> {
        let answer = self.wire.get(&format!("/{}", place(name)?), self.wire.listing(), cancel)?;
        self.described(&answer).ok_or_else(|| bad_answer("the server's answer describes no model"))
    }

    fn chat(
        &self,
        call: &ChatCall,
        cancel: &Cancel,
        tell: &mut dyn FnMut(ChatPiece),
    ) -> Result<ChatEnd, ProviderFault> {
        let path = format!("/{}:streamGenerateContent?alt=sse", place(&call.model)?);
        let purpose = self.wire.purpose(&call.model);
        let incoming = self.wire.send(Method::Post, &path, Some(&Self::body(call)), purpose, MOST_LARGE, cancel)?;
        let mut telling = Telling::new(tell);
        let told = self.wire.events(incoming, &mut |event| {
            let value: Result<Value, _> = serde_json::from_str(&event.data);
            let value = value.map_err(|_broken| bad_answer("an event of the server's answer is no JSON"))?;
            self.take(&value, &mut telling)?;
            Ok(ControlFlow::Continue(()))
        });
        told.map_err(|fault| fault.after_start(telling.started()))?;
        telling.end()
    }

    fn embed(&self, model: &str, texts: &[String], cancel: &Cancel) -> Result<Embeddings, ProviderFault> {
        let place = place(model)?;
        let mut found = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let requests: Vec<Value> =
                batch.iter().map(|text| json!({"model": place, "content": {"parts": [{"text": text}]}})).collect();
            let path = format!("/{place}:batchEmbedContents");
            let answer = self.wire.post(&path, &json!({"requests": requests}), self.wire.purpose(model), cancel)?;
            let listed = json::list(&answer, "/embeddings");
            if listed.len() != batch.len() {
                return Err(bad_answer("the server's vectors do not belong to what was asked"));
            }
            found.extend(listed.iter().map(|item| item.get("values").and_then(json::vector)));
        }
        Ok(Embeddings { vectors: vectors(found, texts.len())?, prompt_tokens: None })
    }

    fn health(&self, cancel: &Cancel) -> Result<(), ProviderFault> {
        let answer = self.wire.get("/models?pageSize=1", self.wire.listing(), cancel)?;
        match answer.get("models").is_some_and(Value::is_array) {
            true => Ok(()),
            false => Err(bad_answer("the server's answer holds no list of models")),
        }
    }
}
