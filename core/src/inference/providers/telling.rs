//! What a stream has told so far: bounded, cleaned, and remembered for how the answer ended.

use rspa_ml::generate::FinishReason;
use serde_json::Value;

use crate::inference::provider::{ChatEnd, ChatPiece, FaultKind, ProviderFault, ToolUse};

/// Text of one answer, in bytes.
const MOST_TEXT: usize = 16 << 20;
/// Arguments of one call, in bytes.
const MOST_ARGUMENTS: usize = 1 << 20;
const MOST_CALLS: usize = 128;
const LONGEST_NAME: usize = 256;

pub struct Telling<'a> {
    tell: &'a mut dyn FnMut(ChatPiece),
    bytes: usize,
    started: bool,
    calls: Vec<ToolUse>,
    pub prompt_tokens: Option<u64>,
    pub answer_tokens: Option<u64>,
    pub finish: Option<FinishReason>,
}

impl<'a> Telling<'a> {
    pub fn new(tell: &'a mut dyn FnMut(ChatPiece)) -> Self {
        Self {
            tell,
            bytes: 0,
            started: false,
            calls: Vec::new(),
            prompt_tokens: None,
            answer_tokens: None,
            finish: None,
        }
    }

    pub fn text(&mut self, text: &str) -> Result<(), ProviderFault> {
        let text = readable(text);
        if text.is_empty() {
            return Ok(());
        }
        self.bytes += text.len();
        if self.bytes > MOST_TEXT {
            return Err(ProviderFault::new(FaultKind::TooLong, "the answer is longer than 16 MB"));
        }
        self.started = true;
        (self.tell)(ChatPiece::Text(text.into_owned()));
        Ok(())
    }

    /// A whole call; its arguments as a JSON object, or as text that holds one.
    pub fn call(&mut self, id: Option<&str>, name: &str, arguments: &Value) -> Result<(), ProviderFault> {
        let bad = |what: &str| ProviderFault::new(FaultKind::BadAnswer, format!("the model called a tool {what}"));
        if self.calls.len() >= MOST_CALLS {
            return Err(bad("too many times in one answer"));
        }
        let name = name.trim();
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(bad("whose name cannot be used"));
        }
        let arguments = match arguments {
            Value::Object(_) => arguments.clone(),
            Value::Null => Value::Object(serde_json::Map::new()),
            Value::String(text) if text.trim().is_empty() => Value::Object(serde_json::Map::new()),
            Value::String(text) if text.len() <= MOST_ARGUMENTS => serde_json::from_str(text)
                .ok()
                .filter(Value::is_object)
                .ok_or_else(|| bad("with arguments that are no JSON object"))?,
            _ => return Err(bad("with arguments that are no JSON object")),
        };
        let id = id.map(str::trim).filter(|id| !id.is_empty() && id.len() <= LONGEST_NAME);
        let id = id.filter(|id| !id.chars().any(char::is_control) && self.calls.iter().all(|call| call.id != **id));
        let id = id.map_or_else(|| format!("call_{}", self.calls.len() + 1), str::to_owned);
        let call = ToolUse { id, name: name.to_owned(), arguments };
        self.calls.push(call.clone());
        self.started = true;
        (self.tell)(ChatPiece::ToolCall(call));
        Ok(())
    }

    pub fn started(&self) -> bool {
        self.started
    }

    /// How it ended; a stream that did not say so was cut.
    pub fn end(self) -> Result<ChatEnd, ProviderFault> {
        let finish = self.finish.ok_or_else(|| {
            ProviderFault::new(FaultKind::Unreachable, "the answer broke off before its end").after_start(self.started)
        })?;
        Ok(ChatEnd {
            prompt_tokens: self.prompt_tokens,
            answer_tokens: self.answer_tokens,
            finish,
            tool_calls: self.calls,
        })
    }
}

/// Collects the pieces of a call's arguments.
#[derive(Debug, Default)]
pub struct Pending {
    pub id: Option<String>,
    pub name: String,
    pub arguments: String,
}

impl Pending {
    pub fn extend(&mut self, piece: &str) -> Result<(), ProviderFault> {
        if self.arguments.len() + piece.len() > MOST_ARGUMENTS {
            return Err(ProviderFault::new(FaultKind::TooLong, "the arguments of a call are longer than 1 MB"));
        }
        self.arguments.push_str(piece);
        Ok(())
    }

    pub fn tell(self, telling: &mut Telling<'_>) -> Result<(), ProviderFault> {
        telling.call(self.id.as_deref(), &self.name, &Value::String(self.arguments))
    }
}

/// How many calls may be collected at the same time.
pub fn room_for_call(pending: usize) -> Result<(), ProviderFault> {
    match pending < MOST_CALLS {
        true => Ok(()),
        false => Err(ProviderFault::new(FaultKind::BadAnswer, "the model called too many tools in one answer")),
    }
}

/// Without the control characters that no text needs.
fn readable(text: &str) -> std::borrow::Cow<'_, str> {
    let odd = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t');
    match text.contains(odd) {
        true => text.replace(odd, "").into(),
        false => text.into(),
    }
}

/// The server withheld or broke off an answer for reasons of its own.
pub fn withheld(why: &str) -> ProviderFault {
    ProviderFault::new(FaultKind::Refused, format!("the server withheld the answer ({why})"))
}

pub fn bad_answer(what: &str) -> ProviderFault {
    ProviderFault::new(FaultKind::BadAnswer, what)
}
