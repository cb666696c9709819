//! Anthropic's Messages API, version 2023-06-01, streamed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rspa_ml::Cancel;
use rspa_ml::generate::FinishReason;
use serde_json::{Value, json};

use super::json;
use super::sse::SseEvent;
use super::telling::{Pending, Telling, bad_answer, room_for_call, withheld};
use super::wire::{MOST_MODELS, Wire, stream_error};
use crate::inference::provider::{ChatCall, ChatEnd, ChatPiece, Embeddings, Provider, ProviderFault, ToolChoice, Turn};
use crate::model::{ProviderKind, ProviderModel, SecretText};

/// It wants a number where nobody names one.
const USUAL_TOKENS: u32 = 4_096;
/// The tool whose input is the answer, where a schema is asked for.
const ANSWER: &str = "answer";
/// Newer models choose tokens their own way and take none of these.
const OPTIONAL: &[&str] = &["temperature", "top_p", "top_k", "tool_choice"];
const PAGES: usize = 20;

pub fn key_header(key: &SecretText) -> (&'static str, SecretText) {
    ("x-api-key", key.clone())
}

pub struct Anthropic {
    wire: Wire,
}

impl Anthropic {
    pub fn new(wire: Wire) -> Self {
        let mut wire = wire.with_prefix("/v1");
        wire.headers = vec![("anthropic-version", "2023-06-01")];
        Self { wire }
    }

    fn body(&self, call: &ChatCall) -> Value {
        let (system, messages) = messages(&call.turns);
        let most = call.max_tokens.unwrap_or(USUAL_TOKENS).max(1);
        let mut body = json!({"model": call.model, "max_tokens": most, "messages": messages, "stream": true});
        if !system.is_empty() {
            body["system"] = system.into();
        }
        // Only what is neither empty nor white space alone is taken.
        let stop: Vec<&String> = call.stop.iter().filter(|text| !text.trim().is_empty()).collect();
        if !stop.is_empty() {
            body["stop_sequences"] = json!(stop);
        }
        let refuses = |field| self.wire.refuses(&call.model, field);
        // One way to choose tokens, not several: it advises against two, and some models refuse them.
        if let Some(temperature) = call.sampling.temperature.filter(|_| !refuses("temperature")) {
            body["temperature"] = temperature.clamp(0.0, 1.0).into();
        }
        let mut tools: Vec<Value> = Vec::new();
        if call.tool_choice != ToolChoice::None || call.schema.is_none() {
            let tool = |offer: &crate::inference::ToolOffer| json!({"name": offer.name, "description": offer.description, "input_schema": offer.parameters});
            tools.extend(call.tools.iter().map(tool));
        }
        let mut choice = match call.tool_choice {
            ToolChoice::Auto => None,
            ToolChoice::Required => Some(json!({"type": "any"})),
            ToolChoice::None => Some(json!({"type": "none"})),
        };
        if let Some(schema) = &call.schema {
            choice = Some(match tools.is_empty() {
                true => json!({"type": "tool", "name": ANSWER}),
                false => json!({"type": "any"}),
            });
            tools.push(json!({"name": ANSWER, "description": "The answer, in the form that is asked for.", "input_schema": wrapped(schema)}));
        }
        if !tools.is_empty() {
            body["tools"] = tools.into();
            if let Some(choice) = choice.filter(|_| !refuses("tool_choice")) {
                body["tool_choice"] = choice;
            }
        }
        body
    }

    fn described(&self, value: &Value) -> Option<ProviderModel> {
        let mut model = self.wire.model(json::text(value, "/id")?)?;
        model.context_length = json::small(value, "/max_input_tokens");
        model.max_answer_tokens = json::small(value, "/max_tokens");
        model.embeds = Some(false);
        // All of them do, but for what the server says otherwise.
        model.tools = value.pointer("/capabilities/tool_use/supported").and_then(Value::as_bool).or(Some(true));
        Some(model)
    }
}

/// Input of a tool is an object: another schema stands in one.
fn wrapped(schema: &Value) -> Value {
    match is_object(schema) {
        true => schema.clone(),
        false => {
            json!({"type": "object", "properties": {"answer": schema}, "required": ["answer"], "additionalProperties": false})
        }
    }
}

fn is_object(schema: &Value) -> bool {
    json::text(schema, "/type") == Some("object")
}

/// The system's words, and the rest in turns of one role each, as this API wants them.
fn messages(turns: &[Turn]) -> (String, Vec<Value>) {
    let (mut system, mut messages): (Vec<&str>, Vec<(&str, Vec<Value>)>) = (Vec::new(), Vec::new());
    for turn in turns {
        let (role, blocks) = match turn {
            Turn::System(text) => {
                system.push(text);
                continue;
            }
            Turn::User(text) => ("user", vec![json!({"type": "text", "text": text})]),
            Turn::Assistant { text, calls } => {
                let mut blocks = vec![json!({"type": "text", "text": text})];
                blocks.extend(calls.iter().map(
                    |call| json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}),
                ));
                ("assistant", blocks)
            }
            Turn::ToolResult { id, text, failed, .. } => {
                ("user", vec![json!({"type": "tool_result", "tool_use_id": id, "content": text, "is_error": failed})])
            }
        };
        // It takes no empty text.
        let blocks = blocks.into_iter().filter(|block| {
            json::text(block, "/type") != Some("text")
                || json::text(block, "/text").is_some_and(|text| !text.trim().is_empty())
        });
        match messages.last_mut() {
            Some((last, known)) if *last == role => known.extend(blocks),
            _ => messages.push((role, blocks.collect())),
        }
    }
    let messages = messages.into_iter().filter(|(_, blocks)| !blocks.is_empty());
    (system.join("\n\n"), messages.map(|(role, blocks)| json!({"role": role, "content": blocks})).collect())
}

/// What comes in, block by block.
struct Reading<'a, 'b> {
    wire: &'a Wire,
    telling: &'a mut Telling<'b>,
    /// Tool calls whose input is not whole yet.
    pending: BTreeMap<u64, Pending>,
    /// The schema that was asked for, if it was.
    schema: Option<&'a Value>,
    /// The block whose input is the answer itself.
    answer: Option<u64>,
    /// The answer's JSON where it stands in an object that nobody asked for.
    collected: String,
    done: bool,
}

impl Reading<'_, '_> {
    fn take(&mut self, event: &SseEvent) -> Result<ControlFlow<()>, ProviderFault> {
        let value: Result<Value, _> = serde_json::from_str(&event.data);
        let value = value.map_err(|_broken| bad_answer("an event of the server's answer is no JSON"))?;
        let index = json::number(&value, "/index").unwrap_or(0);
        match json::text(&value, "/type").unwrap_or(&event.event) {
            "message_start" => self.usage(value.pointer("/message/usage")),
            "content_block_start" => match json::text(&value, "/content_block/type") {
                Some("tool_use") => self.start_call(index, &value)?,
                Some("text") => self.telling.text(json::text(&value, "/content_block/text").unwrap_or_default())?,
                // Thinking and whatever comes later is not the answer.
                _ => {}
            },
            "content_block_delta" => match json::text(&value, "/delta/type") {
                Some("text_delta") => self.telling.text(json::text(&value, "/delta/text").unwrap_or_default())?,
                Some("input_json_delta") => {
                    self.extend(index, json::text(&value, "/delta/partial_json").unwrap_or_default())?;
                }
                _ => {}
            },
            "content_block_stop" => {
                if let Some(call) = self.pending.remove(&index) {
                    call.tell(self.telling)?;
                }
            }
            "message_delta" => {
                self.usage(value.get("usage"));
                if let Some(reason) = json::text(&value, "/delta/stop_reason") {
                    self.telling.finish = Some(match reason {
                        "max_tokens" => FinishReason::MaxTokens,
                        "stop_sequence" => FinishReason::StopText,
                        "model_context_window_exceeded" => FinishReason::ContextFull,
                        "refusal" => return Err(withheld("refusal")),
                        _ => FinishReason::EndOfText,
                    });
                }
            }
            "message_stop" => {
                self.done = true;
                return Ok(ControlFlow::Break(()));
            }
            "error" => return Err(stream_error(self.wire, &value)),
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    /// What was read from and written to its cache was part of the prompt.
    fn usage(&mut self, usage: Option<&Value>) {
        let Some(usage) = usage else { return };
        let places = ["/input_tokens", "/cache_creation_input_tokens", "/cache_read_input_tokens"];
        if json::number(usage, "/input_tokens").is_some() {
            let sum = places.iter().filter_map(|place| json::number(usage, place)).fold(0, u64::saturating_add);
            self.telling.prompt_tokens = Some(sum);
        }
        self.telling.answer_tokens = json::number(usage, "/output_tokens").or(self.telling.answer_tokens);
    }

    fn start_call(&mut self, index: u64, value: &Value) -> Result<(), ProviderFault> {
        let name = json::text(value, "/content_block/name").unwrap_or_default();
        if self.schema.is_some() && name == ANSWER {
            self.answer = Some(index);
            return Ok(());
        }
        room_for_call(self.pending.len())?;
        let mut call = Pending {
            id: json::text(value, "/content_block/id").map(|id| id.chars().take(300).collect()),
            name: name.chars().take(300).collect(),
            ..Pending::default()
        };
        // Whole here only where nothing follows.
        if let Some(input) = value
            .pointer("/content_block/input")
            .filter(|input| input.as_object().is_some_and(|input| !input.is_empty()))
        {
            call.extend(&input.to_string())?;
        }
        self.pending.insert(index, call);
        Ok(())
    }

    fn extend(&mut self, index: u64, piece: &str) -> Result<(), ProviderFault> {
        match (self.schema, self.pending.get_mut(&index)) {
            (Some(schema), _) if self.answer == Some(index) => match is_object(schema) {
                true => self.telling.text(piece),
                false if self.collected.len() + piece.len() <= 1 << 20 => {
                    self.collected.push_str(piece);
                    Ok(())
                }
                false => Err(bad_answer("the answer is longer than 1 MB")),
            },
            (_, Some(call)) => call.extend(piece),
            _ => Ok(()),
        }
    }

    /// Tells an answer that stood in an object of ours.
    fn finish(&mut self) -> Result<(), ProviderFault> {
        if !self.done && self.telling.finish.is_some() {
            // Everything was said but that it is the end.
            self.done = true;
        }
        if !self.done {
            self.telling.finish = None;
        }
        if self.collected.is_empty() || !self.done {
            return Ok(());
        }
        let value: Option<Value> = serde_json::from_str(&self.collected).ok();
        let answer = value.as_ref().and_then(|value| value.get("answer"));
        let answer = answer.ok_or_else(|| bad_answer("the answer has not the form that was asked for"))?;
        self.telling.text(&answer.to_string())
    }
}

impl Provider for Anthropic {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Anthropic
    }

    fn list_models(&self, cancel: &Cancel) -> Result<Vec<ProviderModel>, ProviderFault> {
        let mut models = Vec::new();
        let mut path = "/models?limit=1000".to_owned();
        for _page in 0..PAGES {
            let answer = self.wire.get(&path, self.wire.listing(), cancel)?;
            let Some(listed) = answer.get("data").and_then(Value::as_array) else {
                return Err(bad_answer("the server's answer holds no list of models"));
            };
            models.extend(listed.iter().filter_map(|value| self.described(value)));
            let more = answer.get("has_more") == Some(&Value::Bool(true)) && models.len() < MOST_MODELS;
            match json::text(&answer, "/last_id").filter(|_| more && !listed.is_empty()) {
                Some(last) => path = format!("/models?limit=1000&after_id={}", json::escaped(last)),
                None => break,
            }
        }
        Ok(self.wire.with_extra(models))
    }

    fn model_info(&self, name: &str, cancel: &Cancel) -> Result<ProviderModel, ProviderFault> {
        if let Some(model) = self.wire.extra(name) {
            return Ok(model);
        }
        let usable = self.wire.model(name).is_some() && !matches!(name, "." | "..");
        let odd = || bad_answer("this name of a model cannot be used");
        if !usable {
            return Err(odd());
        }
        let answer = self.wire.get(&format!("/models/{}", json::escaped(name)), self.wire.listing(), cancel)?;
        self.described(&answer).ok_or_else(|| bad_answer("the server's answer describes no model"))
    }

    fn chat(
        &self,
        call: &ChatCall,
        cancel: &Cancel,
        tell: &mut dyn FnMut(ChatPiece),
    ) -> Result<ChatEnd, ProviderFault> {
        let body = || self.body(call);
        let incoming = self.wire.send_adapting("/messages", &call.model, OPTIONAL, &body, cancel)?;
        let mut telling = Telling::new(tell);
        let mut reading = Reading {
            wire: &self.wire,
            telling: &mut telling,
            pending: BTreeMap::new(),
            schema: call.schema.as_ref(),
            answer: None,
            collected: String::new(),
            done: false,
        };
        let told = self.wire.events(incoming, &mut |event| reading.take(event)).and_then(|()| reading.finish());
        told.map_err(|fault| fault.after_start(telling.started()))?;
        telling.end()
    }

    fn embed(&self, _model: &str, _texts: &[String], _cancel: &Cancel) -> Result<Embeddings, ProviderFault> {
        Err(ProviderFault::unsupported(ProviderKind::Anthropic, "embed texts"))
    }

    fn health(&self, cancel: &Cancel) -> Result<(), ProviderFault> {
        let answer = self.wire.get("/models?limit=1", self.wire.listing(), cancel)?;
        match answer.get("data").is_some_and(Value::is_array) {
            true => Ok(()),
            false => Err(bad_answer("the server's answer holds no list of models")),
        }
    }
}
