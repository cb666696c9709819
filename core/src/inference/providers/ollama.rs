//! Ollama's own API: chat in lines of JSON, models fetched and deleted.

use std::ops::ControlFlow;

use rspa_ml::Cancel;
use rspa_ml::generate::FinishReason;
use serde_json::{Map, Value, json};

use super::json;
use super::telling::{Telling, bad_answer};
use super::wire::{MOST_LARGE, Wire, message_in, stream_error, vectors};
use crate::inference::provider::{
    ChatCall, ChatEnd, ChatPiece, Embeddings, Provider, ProviderFault, PullProgress, ToolChoice, Turn,
};
use crate::model::{ProviderKind, ProviderModel};
use crate::trust::egress::Method;

pub struct Ollama {
    wire: Wire,
}

impl Ollama {
    pub fn new(wire: Wire) -> Self {
        Self { wire: wire.with_prefix("/api") }
    }

    /// What `/api/tags` says about a model, or `/api/show`.
    fn described(&self, name: &str, value: &Value) -> Option<ProviderModel> {
        let mut model = self.wire.model(name)?;
        let words = |path: &str| json::text(value, path).map(|text| self.wire.words(text, 100)).unwrap_or_default();
        model.family = words("/details/family");
        model.quantisation = words("/details/quantization_level");
        model.parameters = json::text(value, "/details/parameter_size").and_then(json::weights);
        model.size_bytes = json::number(value, "/size");
        if let Some(offered) = value.get("capabilities").and_then(Value::as_array) {
            let can = |what: &str| Some(offered.iter().any(|capability| capability.as_str() == Some(what)));
            model.tools = can("tools");
            model.embeds = can("embedding");
        }
        if let Some(info) = value.get("model_info").and_then(Value::as_object) {
            let family = info.get("general.architecture").and_then(Value::as_str).unwrap_or_default();
            let context = info.get(&format!("{family}.context_length")).and_then(Value::as_u64);
            model.context_length = context.and_then(|context| u32::try_from(context).ok());
            model.parameters = info.get("general.parameter_count").and_then(Value::as_u64).or(model.parameters);
        }
        Some(model)
    }

    fn body(&self, call: &ChatCall) -> Value {
        let mut options = Map::new();
        let mut option = |name: &str, value: Option<Value>| value.map(|value| options.insert(name.to_owned(), value));
        option("temperature", call.sampling.temperature.map(Value::from));
        option("top_p", call.sampling.top_p.map(Value::from));
        option("top_k", call.sampling.top_k.map(Value::from));
        // Signed 32 bits there.
        option("seed", call.sampling.seed.map(|seed| Value::from(seed & 0x7fff_ffff)));
        option("num_predict", call.max_tokens.map(Value::from));
        option("stop", (!call.stop.is_empty()).then(|| Value::from(call.stop.clone())));
        let messages: Vec<Value> = call.turns.iter().map(message).collect();
        let mut body = json!({"model": call.model, "messages": messages, "stream": true, "options": options});
        // It has no word for calls that must or must not be made: without tools there are none.
        if !call.tools.is_empty() && call.tool_choice != ToolChoice::None {
            body["tools"] = call.tools.iter().map(super::openai::tool).collect();
        }
        if let Some(schema) = &call.schema {
            body["format"] = schema.clone();
        }
        body
    }

    fn take(&self, value: &Value, telling: &mut Telling<'_>) -> Result<ControlFlow<()>, ProviderFault> {
        if value.get("error").is_some() {
            return Err(stream_error(&self.wire, value));
        }
        if let Some(text) = json::text(value, "/message/content") {
            telling.text(text)?;
        }
        for call in json::list(value, "/message/tool_calls") {
            let name = json::text(call, "/function/name").unwrap_or_default();
            let arguments = call.pointer("/function/arguments").unwrap_or(&Value::Null);
            telling.call(json::text(call, "/id"), name, arguments)?;
        }
        if value.get("done") != Some(&Value::Bool(true)) {
            return Ok(ControlFlow::Continue(()));
        }
        telling.prompt_tokens = json::number(value, "/prompt_eval_count");
        telling.answer_tokens = json::number(value, "/eval_count");
        telling.finish = Some(match json::text(value, "/done_reason") {
            Some("length") => FinishReason::MaxTokens,
            _ => FinishReason::EndOfText,
        });
        Ok(ControlFlow::Break(()))
    }
}

fn message(turn: &Turn) -> Value {
    match turn {
        Turn::System(text) => json!({"role": "system", "content": text}),
        Turn::User(text) => json!({"role": "user", "content": text}),
        Turn::Assistant { text, calls } => {
            let mut message = json!({"role": "assistant", "content": text});
            if !calls.is_empty() {
                let call = |call: &crate::inference::provider::ToolUse| json!({"function": {"name": call.name, "arguments": call.arguments}});
                message["tool_calls"] = calls.iter().map(call).collect();
            }
            message
        }
        Turn::ToolResult { name, text, .. } => json!({"role": "tool", "tool_name": name, "content": text}),
    }
}

impl Provider for Ollama {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Ollama
    }

    fn list_models(&self, cancel: &Cancel) -> Result<Vec<ProviderModel>, ProviderFault> {
        let answer = self.wire.get("/tags", self.wire.listing(), cancel)?;
        let Some(listed) = answer.get("models").and_then(Value::as_array) else {
            return Err(bad_answer("the server's answer holds no list of models"));
        };
        let described = |value: &Value| {
            let name = json::text(value, "/model").or_else(|| json::text(value, "/name"))?;
            self.described(name, value)
        };
        Ok(self.wire.with_extra(listed.iter().filter_map(described).collect()))
    }

    fn model_info(&self, name: &str, cancel: &Cancel) -> Result<ProviderModel, ProviderFault> {
        let answer = self.wire.post("/show", &json!({"model": name}), self.wire.listing(), cancel)?;
        self.described(name, &answer).ok_or_else(|| bad_answer("this name of a model cannot be used"))
    }

    fn chat(
        &self,
        call: &ChatCall,
        cancel: &Cancel,
        tell: &mut dyn FnMut(ChatPiece),
    ) -> Result<ChatEnd, ProviderFault> {
        let purpose = self.wire.purpose(&call.model);
        let incoming = self.wire.send(Method::Post, "/chat", Some(&self.body(call)), purpose, MOST_LARGE, cancel)?;
        let mut telling = Telling::new(tell);
        let told = self.wire.lines(incoming, &mut |value| self.take(&value, &mut telling));
        told.map_err(|fault| fault.after_start(telling.started()))?;
        telling.end()
    }

    fn embed(&self, model: &str, texts: &[String], cancel: &Cancel) -> Result<Embeddings, ProviderFault> {
        let body = json!({"model": model, "input": texts});
        let answer = self.wire.post("/embed", &body, self.wire.purpose(model), cancel)?;
        let found = json::list(&answer, "/embeddings").iter().map(json::vector).collect();
        let prompt_tokens = json::number(&answer, "/prompt_eval_count");
        Ok(Embeddings { vectors: vectors(found, texts.len())?, prompt_tokens })
    }

    fn health(&self, cancel: &Cancel) -> Result<(), ProviderFault> {
        let answer =
            self.wire.get("/version", format!("See how {} is doing", self.wire.words(&self.wire.name, 100)), cancel)?;
        match json::text(&answer, "/version") {
            Some(_) => Ok(()),
            None => Err(bad_answer("the server names no version of Ollama")),
        }
    }

    fn pull(&self, name: &str, cancel: &Cancel, progress: &mut dyn FnMut(PullProgress)) -> Result<(), ProviderFault> {
        let purpose = format!("Have {} fetch {}", self.wire.words(&self.wire.name, 100), self.wire.words(name, 100));
        let body = json!({"model": name, "stream": true});
        let incoming = self.wire.send(Method::Post, "/pull", Some(&body), purpose, MOST_LARGE, cancel)?;
        let mut done = false;
        self.wire.lines(incoming, &mut |value| {
            if value.get("error").is_some() {
                let said = message_in(&value);
                // "pull model manifest: file does not exist" is how it says that it knows no such model.
                let status = if said.contains("does not exist") { 404 } else { 500 };
                return Err(self.wire.status_fault(status, None, &said));
            }
            let status = json::text(&value, "/status").unwrap_or_default();
            done = status == "success";
            progress(PullProgress {
                status: self.wire.words(status, 200),
                done: json::number(&value, "/completed"),
                total: json::number(&value, "/total"),
            });
            Ok(if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        match done {
            true => Ok(()),
            false => Err(ProviderFault::new(
                crate::inference::provider::FaultKind::Unreachable,
                "the server stopped before it had the whole model",
            )),
        }
    }

    fn delete(&self, name: &str, cancel: &Cancel) -> Result<(), ProviderFault> {
        let purpose = format!("Have {} delete {}", self.wire.words(&self.wire.name, 100), self.wire.words(name, 100));
        let body = json!({"model": name});
        self.wire.send(Method::Delete, "/delete", Some(&body), purpose, MOST_LARGE, cancel).map(drop)
    }
}
