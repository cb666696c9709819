//! OpenAI's chat completions, as OpenAI itself and vLLM, llama.cpp server and LM Studio speak them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rspa_ml::Cancel;
use rspa_ml::generate::FinishReason;
use serde_json::{Value, json};

use super::json;
use super::telling::{Pending, Telling, bad_answer, room_for_call, withheld};
use super::wire::{Wire, stream_error, vectors};
use crate::inference::ToolOffer;
use crate::inference::provider::{
    ChatCall, ChatEnd, ChatPiece, Embeddings, FaultKind, Provider, ProviderFault, ToolChoice, ToolUse, Turn,
};
use crate::model::{ProviderKind, ProviderModel};

/// Fields that some of these servers or models do not take; the others are always understood.
const OPTIONAL: &[&str] =
    &["stream_options", "json_schema", "response_format", "tool_choice", "max_tokens", "temperature", "top_p", "seed"];

pub struct OpenAi {
    wire: Wire,
}

impl OpenAi {
    pub fn new(wire: Wire) -> Self {
        let wire = if wire.has_path() { wire } else { wire.with_prefix("/v1") };
        Self { wire }
    }

    fn body(&self, call: &ChatCall) -> Value {
        let messages: Vec<Value> = call.turns.iter().map(message).collect();
        let mut body = json!({"model": call.model, "messages": messages, "stream": true});
        let refuses = |field| self.wire.refuses(&call.model, field);
        let mut optional = |field: &'static str, value: Option<Value>| {
            if let Some(value) = value.filter(|_| !refuses(field)) {
                body[field] = value;
            }
        };
        optional("stream_options", Some(json!({"include_usage": true})));
        optional("temperature", call.sampling.temperature.map(Value::from));
        optional("top_p", call.sampling.top_p.map(Value::from));
        // Some of them take signed 32 bits.
        optional("seed", call.sampling.seed.map(|seed| Value::from(seed & 0x7fff_ffff)));
        optional("stop", (!call.stop.is_empty()).then(|| Value::from(call.stop.clone())));
        optional("max_tokens", call.max_tokens.map(Value::from));
        if !call.tools.is_empty() {
            optional("tools", Some(call.tools.iter().map(tool).collect()));
            let choice = match call.tool_choice {
                ToolChoice::Auto => None,
                ToolChoice::Required => Some("required".into()),
                ToolChoice::None => Some("none".into()),
            };
            optional("tool_choice", choice);
        }
        // Newer models of OpenAI count what they think as well, and say so by another name.
        if let Some(most) = call.max_tokens.filter(|_| refuses("max_tokens")) {
            body["max_completion_tokens"] = most.into();
        }
        if let Some(schema) = call.schema.as_ref().filter(|_| !refuses("response_format")) {
            body["response_format"] = match refuses("json_schema") {
                // As llama-cpp-python wants it.
                true => json!({"type": "json_object", "schema": schema}),
                false => {
                    let strict = is_strict(schema, 0);
                    json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": strict}})
                }
            };
        }
        body
    }

    fn described(&self, value: &Value) -> Option<ProviderModel> {
        let mut model = self.wire.model(json::text(value, "/id")?)?;
        // vLLM, llama.cpp server and OpenRouter each have their own word for it.
        let places =
            ["/max_model_len", "/meta/n_ctx_train", "/context_length", "/max_context_length", "/context_window"];
        model.context_length = places.iter().find_map(|place| json::small(value, place));
        model.parameters = json::number(value, "/meta/n_params");
        model.size_bytes = json::number(value, "/meta/size");
        model.quantisation =
            json::text(value, "/quantization").map(|text| self.wire.words(text, 100)).unwrap_or_default();
        Some(model)
    }

    fn take(
        &self,
        value: &Value,
        pending: &mut BTreeMap<u64, Pending>,
        telling: &mut Telling<'_>,
    ) -> Result<(), ProviderFault> {
        if value.get("error").is_some_and(|error| !error.is_null()) {
            return Err(stream_error(&self.wire, value));
        }
        if let Some(usage) = value.get("usage").filter(|usage| usage.is_object()) {
            telling.prompt_tokens = json::number(usage, "/prompt_tokens").or(telling.prompt_tokens);
            telling.answer_tokens = json::number(usage, "/completion_tokens").or(telling.answer_tokens);
        }
        let Some(choice) = json::list(value, "/choices").first() else { return Ok(()) };
        // A server that does not stream sends the whole message at once.
        let delta = choice.get("delta").or_else(|| choice.get("message")).unwrap_or(&Value::Null);
        for place in ["/content", "/refusal"] {
            if let Some(text) = json::text(delta, place) {
                telling.text(text)?;
            }
        }
        for (position, call) in json::list(delta, "/tool_calls").iter().enumerate() {
            let index = json::number(call, "/index").unwrap_or(position as u64);
            if !pending.contains_key(&index) {
                room_for_call(pending.len())?;
            }
            let entry = pending.entry(index).or_default();
            if let Some(id) = json::text(call, "/id").filter(|id| !id.is_empty() && entry.id.is_none()) {
                entry.id = Some(id.chars().take(300).collect());
            }
            // Some servers repeat the name with every piece.
            if let Some(name) = json::text(call, "/function/name").filter(|_| entry.name.is_empty()) {
                entry.name = name.chars().take(300).collect();
            }
            match call.pointer("/function/arguments") {
                Some(Value::String(piece)) => entry.extend(piece)?,
                Some(whole @ Value::Object(_)) => entry.extend(&whole.to_string())?,
                _ => {}
            }
        }
        if let Some(reason) = json::text(choice, "/finish_reason") {
            telling.finish = Some(match reason {
                "length" => FinishReason::MaxTokens,
                "content_filter" => return Err(withheld("content_filter")),
                _ => FinishReason::EndOfText,
            });
        }
        Ok(())
    }

    fn tell(&self, incoming: crate::trust::egress::Incoming, telling: &mut Telling<'_>) -> Result<(), ProviderFault> {
        let mut pending = BTreeMap::new();
        let whole = incoming.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        if whole {
            let value = self.wire.whole(incoming)?;
            self.take(&value, &mut pending, telling)?;
        } else {
            self.wire.events(incoming, &mut |event| {
                if event.data.trim() == "[DONE]" {
                    return Ok(ControlFlow::Break(()));
                }
                let value: Result<Value, _> = serde_json::from_str(&event.data);
                let value = value.map_err(|_broken| bad_answer("an event of the server's answer is no JSON"))?;
                self.take(&value, &mut pending, telling)?;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        // Calls of an answer that was cut are not whole.
        if telling.finish.is_some() {
            pending.into_values().try_for_each(|call| call.tell(telling))?;
        }
        Ok(())
    }
}

/// As OpenAI and Ollama take it.
pub fn tool(offer: &ToolOffer) -> Value {
    json!({
        "type": "function",
        "function": {"name": offer.name, "description": offer.description, "parameters": offer.parameters},
    })
}

fn message(turn: &Turn) -> Value {
    match turn {
        Turn::System(text) => json!({"role": "system", "content": text}),
        Turn::User(text) => json!({"role": "user", "content": text}),
        Turn::Assistant { text, calls } if calls.is_empty() => json!({"role": "assistant", "content": text}),
        Turn::Assistant { text, calls } => {
            let call = |call: &ToolUse| {
                json!({
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments.to_string()},
                })
            };
            let text = if text.is_empty() { Value::Null } else { text.as_str().into() };
            json!({"role": "assistant", "content": text, "tool_calls": calls.iter().map(call).collect::<Vec<_>>()})
        }
        Turn::ToolResult { id, text, .. } => json!({"role": "tool", "tool_call_id": id, "content": text}),
    }
}

/// Whether a schema is of the kind that OpenAI enforces: every object closed, every property required.
fn is_strict(schema: &Value, depth: usize) -> bool {
    if depth > 16 {
        return false;
    }
    match schema {
        Value::Object(fields) => {
            let closed = match fields.get("properties").and_then(Value::as_object) {
                Some(properties) => {
                    let required = json::list(schema, "/required");
                    fields.get("additionalProperties") == Some(&Value::Bool(false))
                        && properties.keys().all(|name| required.iter().any(|known| known.as_str() == Some(name)))
                }
                None => fields.get("type").and_then(Value::as_str) != Some("object"),
            };
            // Names of properties are no schemas themselves.
            closed
                && fields.iter().all(|(name, value)| match (name.as_str(), value) {
                    ("properties" | "$defs" | "definitions", Value::Object(inner)) => {
                        inner.values().all(|value| is_strict(value, depth + 1))
                    }
                    ("enum" | "const" | "default" | "examples", _) => true,
                    _ => is_strict(value, depth + 1),
                })
        }
        Value::Array(items) => items.iter().all(|item| is_strict(item, depth + 1)),
        _ => true,
    }
}

impl Provider for OpenAi {
    fn kind(&self) -> ProviderKind {
        ProviderKind::OpenAi
    }

    fn list_models(&self, cancel: &Cancel) -> Result<Vec<ProviderModel>, ProviderFault> {
        let answer = self.wire.get("/models", self.wire.listing(), cancel)?;
        let Some(listed) = answer.get("data").and_then(Value::as_array) else {
            return Err(bad_answer("the server's answer holds no list of models"));
        };
        Ok(self.wire.with_extra(listed.iter().filter_map(|value| self.described(value)).collect()))
    }

    /// Out of the list: not all of these servers describe single models.
    fn model_info(&self, name: &str, cancel: &Cancel) -> Result<ProviderModel, ProviderFault> {
        let found = self.list_models(cancel)?.into_iter().find(|model| model.name == name);
        found.ok_or_else(|| ProviderFault::new(FaultKind::NotFound, "the server lists no model of this name"))
    }

    fn chat(
        &self,
        call: &ChatCall,
        cancel: &Cancel,
        tell: &mut dyn FnMut(ChatPiece),
    ) -> Result<ChatEnd, ProviderFault> {
        let body = || self.body(call);
        let incoming = self.wire.send_adapting("/chat/completions", &call.model, OPTIONAL, &body, cancel)?;
        let mut telling = Telling::new(tell);
        let told = self.tell(incoming, &mut telling);
        told.map_err(|fault| fault.after_start(telling.started()))?;
        telling.end()
    }

    fn embed(&self, model: &str, texts: &[String], cancel: &Cancel) -> Result<Embeddings, ProviderFault> {
        let body = json!({"model": model, "input": texts, "encoding_format": "float"});
        let answer = self.wire.post("/embeddings", &body, self.wire.purpose(model), cancel)?;
        let mut found = vec![None; texts.len()];
        for (position, item) in json::list(&answer, "/data").iter().enumerate().take(texts.len()) {
            let index =
                json::number(item, "/index").map_or(position, |index| usize::try_from(index).unwrap_or(usize::MAX));
            if let Some(place) = found.get_mut(index) {
                *place = item.get("embedding").and_then(json::vector);
            }
        }
        let prompt_tokens = json::number(&answer, "/usage/prompt_tokens");
        Ok(Embeddings { vectors: vectors(found, texts.len())?, prompt_tokens })
    }

    fn health(&self, cancel: &Cancel) -> Result<(), ProviderFault> {
        self.list_models(cancel).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_closed_schemas_are_strict() {
        let closed = json!({"type": "object", "properties": {"type": {"type": "string", "enum": ["object"]}},
            "required": ["type"], "additionalProperties": false});
        assert!(is_strict(&closed, 0));
        assert!(is_strict(&json!({"type": "array", "items": closed}), 0));
        for open in [
            json!({"type": "object"}),
            json!({"type": "object", "properties": {"a": {}}, "required": ["a"]}),
            json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false}),
            json!({"anyOf": [{"type": "object"}]}),
        ] {
            assert!(!is_strict(&open, 0), "{open}");
        }
    }
}
