//! How requests of every wire format go out, and what a status, a body or an error of a server means.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rspa_ml::Cancel;
use serde_json::Value;

use super::json;
use super::ndjson::Lines;
use super::sse::{SseEvent, SseParser};
use super::telling::bad_answer;
use crate::api::ApiError;
use crate::inference::provider::{Door, FaultKind, ProviderFault};
use crate::model::{ModelId, ProviderDraft, ProviderId, ProviderModel, SecretText};
use crate::trust::egress::{Destination, Incoming, Method, Outgoing, StreamFault, StreamLimits};

/// Of a list of models or another small answer, in bytes.
pub const MOST_SMALL: u64 = 16 << 20;
/// Of a stream or of vectors.
pub const MOST_LARGE: u64 = 64 << 20;
/// Of what a server says about an error.
const MOST_ERROR: u64 = 64 << 10;
pub const MOST_MODELS: usize = 10_000;
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

pub type KeyHeader = fn(&SecretText) -> (&'static str, SecretText);

/// Where a server is, how it is asked, and what it must not say again.
pub struct Wire {
    pub id: ProviderId,
    pub name: String,
    /// Without a slash at its end.
    pub base: String,
    key: Option<SecretText>,
    key_header: KeyHeader,
    /// Sent with every request.
    pub headers: Vec<(&'static str, &'static str)>,
    door: Arc<dyn Door>,
    limits: StreamLimits,
    extra_models: Vec<String>,
    /// Fields that a model did not take, so that they are not sent to it again.
    refused: Mutex<BTreeSet<(String, &'static str)>>,
}

/// `Authorization: Bearer`.
pub fn bearer(key: &SecretText) -> (&'static str, SecretText) {
    ("authorization", SecretText::new(format!("Bearer {}", key.reveal())))
}

impl Wire {
    pub fn new(
        draft: &ProviderDraft,
        key: Option<SecretText>,
        key_header: KeyHeader,
        door: Arc<dyn Door>,
    ) -> Result<Self, ApiError> {
        let base = draft.base_url.trim().trim_end_matches('/').to_owned();
        if Destination::parse(&base).is_none() || base.contains(['?', '#']) {
            return Err(ApiError::validation(
                "this is not the address of a server",
                "Give an https address, or an http address of this computer, without a question mark.",
            ));
        }
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds.max(1)));
        Ok(Self {
            id: ProviderId(draft.id.clone()),
            name: draft.name.clone(),
            base,
            key: key.filter(|key| !key.is_empty()),
            key_header,
            headers: Vec::new(),
            door,
            limits: StreamLimits {
                first_byte: seconds(draft.limits.first_byte_seconds),
                idle: seconds(draft.limits.idle_seconds),
                most_bytes: MOST_LARGE,
            },
            extra_models: draft.extra_models.clone(),
            refused: Mutex::default(),
        })
    }

    /// What comes after the host is what the vendor's own addresses begin with, unless it stands there already.
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        if !self.base.ends_with(prefix) {
            self.base.push_str(prefix);
        }
        self
    }

    /// Whether the address has a path.
    pub fn has_path(&self) -> bool {
        self.base.split_once("://").is_some_and(|(_, rest)| rest.contains('/'))
    }

    pub fn get(&self, path: &str, purpose: String, cancel: &Cancel) -> Result<Value, ProviderFault> {
        let incoming = self.send(Method::Get, path, None, purpose, MOST_SMALL, cancel)?;
        self.whole(incoming)
    }

    pub fn post(&self, path: &str, body: &Value, purpose: String, cancel: &Cancel) -> Result<Value, ProviderFault> {
        let incoming = self.send(Method::Post, path, Some(body), purpose, MOST_LARGE, cancel)?;
        self.whole(incoming)
    }

    /// Sends one request; any status but success is a fault.
    pub fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        purpose: String,
        most_bytes: u64,
        cancel: &Cancel,
    ) -> Result<Incoming, ProviderFault> {
        let mut headers: Vec<(String, SecretText)> = Vec::new();
        let plain = |text: &str| SecretText::new(text.to_owned());
        if let Some((name, value)) = self.key.as_ref().map(self.key_header) {
            headers.push((name.to_owned(), value));
        }
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), plain(value))));
        let body = match body {
            Some(body) => {
                headers.push(("content-type".to_owned(), plain("application/json")));
                serde_json::to_vec(body)
                    .map_err(|error| bad_answer(&format!("the request cannot be written ({error})")))?
            }
            None => Vec::new(),
        };
        let request = Outgoing {
            who: "providers".to_owned(),
            purpose,
            method,
            url: format!("{}{path}", self.base),
            headers,
            body,
            limits: StreamLimits { most_bytes, ..self.limits },
            set_up_by_person: true,
        };
        let incoming = self.door.open(request, cancel).map_err(|fault| self.failed(fault))?;
        match incoming.status {
            200..=299 => Ok(incoming),
            _ => Err(self.refusal(incoming)),
        }
    }

    /// Reads an answer to its end.
    pub fn whole(&self, mut incoming: Incoming) -> Result<Value, ProviderFault> {
        let mut body = Vec::new();
        incoming.body.read_to_end(&mut body).map_err(|error| self.failed(StreamFault::of(&error)))?;
        serde_json::from_slice(&body).map_err(|_broken| bad_answer("the server's answer is no JSON"))
    }

    /// Calls `each` for every event until it breaks or the stream ends.
    pub fn events(
        &self,
        mut incoming: Incoming,
        each: &mut dyn FnMut(&SseEvent) -> Result<ControlFlow<()>, ProviderFault>,
    ) -> Result<(), ProviderFault> {
        let (mut parser, mut events) = (SseParser::default(), Vec::new());
        let mut block = vec![0; 16 << 10];
        loop {
            let count = self.read(&mut incoming, &mut block)?;
            if count == 0 {
                return Ok(());
            }
            let parsed = parser.push(&block[..count], &mut events);
            for event in events.drain(..) {
                if each(&event)?.is_break() {
                    return Ok(());
                }
            }
            parsed.map_err(|_long| too_long_line())?;
        }
    }

    /// Calls `each` for every line of JSON until it breaks or the stream ends.
    pub fn lines(
        &self,
        mut incoming: Incoming,
        each: &mut dyn FnMut(Value) -> Result<ControlFlow<()>, ProviderFault>,
    ) -> Result<(), ProviderFault> {
        let (mut parser, mut lines) = (Lines::default(), Vec::new());
        let mut block = vec![0; 16 << 10];
        loop {
            let count = self.read(&mut incoming, &mut block)?;
            let mut parsed = Ok(());
            match count {
                0 => parser.end(&mut lines),
                _ => parsed = parser.push(&block[..count], &mut lines),
            }
            for line in lines.drain(..) {
                let value = serde_json::from_slice(&line).map_err(|_broken| match count {
                    // The last line was cut.
                    0 => ProviderFault::new(FaultKind::Unreachable, "the answer broke off before its end"),
                    _ => bad_answer("a line of the server's answer is no JSON"),
                });
                if each(value?)?.is_break() {
                    return Ok(());
                }
            }
            parsed.map_err(|_long| too_long_line())?;
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn read(&self, incoming: &mut Incoming, block: &mut [u8]) -> Result<usize, ProviderFault> {
        loop {
            match incoming.body.read(block) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(StreamFault::of(&error))),
            }
        }
    }

    fn failed(&self, fault: StreamFault) -> ProviderFault {
        let mut fault = ProviderFault::from(fault);
        fault.message = self.words(&fault.message, 400);
        fault
    }

    /// What a status other than success means.
    fn refusal(&self, mut incoming: Incoming) -> ProviderFault {
        let status = incoming.status;
        let retry_after = retry_after(&incoming);
        let mut body = Vec::new();
        // What cannot be read is not told; the status is.
        let read = incoming.body.by_ref().take(MOST_ERROR).read_to_end(&mut body);
        if let Err(error) = read
            && StreamFault::of(&error) == StreamFault::Cancelled
        {
            return ProviderFault::new(FaultKind::Cancelled, "stopped");
        }
        let said = match serde_json::from_slice::<Value>(&body) {
            Ok(value) => message_in(&value),
            Err(_) => String::from_utf8_lossy(&body).into_owned(),
        };
        self.status_fault(status, retry_after, &said)
    }

    /// What an error means that has a status, in a head or in the middle of a stream.
    pub fn status_fault(&self, status: u16, retry_after: Option<Duration>, said: &str) -> ProviderFault {
        let lower = said.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| lower.contains(words));
        let kind = match status {
            300..=399 => FaultKind::BadAnswer,
            401 | 403 => FaultKind::Unauthorised,
            400 if says(&["api key not valid", "api_key_invalid", "invalid api key"]) => FaultKind::Unauthorised,
            404 | 410 => FaultKind::NotFound,
            413 => FaultKind::TooLong,
            429 => FaultKind::Limited { retry_after },
            503 | 529 if retry_after.is_some() => FaultKind::Limited { retry_after },
            400 | 422 if says(TOO_LONG) => FaultKind::TooLong,
            // llama-cpp-python calls what it does not understand an error of its own.
            500 if says(&["validation error"]) => FaultKind::Refused,
            408 | 425 | 500.. => FaultKind::Server(status),
            _ => FaultKind::Refused,
        };
        let what = match kind {
            FaultKind::Unauthorised if self.key.is_none() => "wants a key, and there is none",
            FaultKind::Unauthorised => "does not take the key",
            FaultKind::NotFound => "does not know this model or address",
            FaultKind::TooLong => "says that this is too long",
            FaultKind::Limited { .. } => "says to wait",
            FaultKind::BadAnswer => "redirects to another address, which is not followed",
            FaultKind::Server(_) => "failed",
            _ => "refused the request",
        };
        let said = self.words(said, 500);
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        ProviderFault::new(kind, format!("{} {what} (status {status}){said}", self.words(&self.name, 100)))
    }

    /// What a server said: one line, clipped, without the key.
    pub fn words(&self, text: &str, most: usize) -> String {
        let mut line: String = text.chars().filter(|letter| !letter.is_control() || letter.is_whitespace()).collect();
        if let Some(key) = &self.key {
            line = line.replace(key.reveal(), "[key]");
        }
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(most) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }

    /// A model as this server names it; none for a name that cannot be used.
    pub fn model(&self, name: &str) -> Option<ProviderModel> {
        let usable =
            !name.is_empty() && name.len() <= 256 && !name.chars().any(|c| c.is_control() || c.is_whitespace());
        let clean = usable && self.key.as_ref().is_none_or(|key| !name.contains(key.reveal()));
        clean.then(|| ProviderModel {
            id: ModelId::of(&self.id, name),
            name: name.to_owned(),
            context_length: None,
            max_answer_tokens: None,
            tools: None,
            embeds: None,
            family: String::new(),
            quantisation: String::new(),
            parameters: None,
            size_bytes: None,
        })
    }

    /// With those that the person named besides; each once.
    pub fn with_extra(&self, mut models: Vec<ProviderModel>) -> Vec<ProviderModel> {
        models.extend(self.extra_models.iter().filter_map(|name| self.model(name.trim())));
        let mut seen = BTreeSet::new();
        models.retain(|model| seen.insert(model.name.clone()));
        models.truncate(MOST_MODELS);
        models
    }

    /// A model that the person named and the server does not know by itself.
    pub fn extra(&self, name: &str) -> Option<ProviderModel> {
        self.extra_models.iter().any(|extra| extra.trim() == name).then(|| self.model(name)).flatten()
    }

    pub fn purpose(&self, model: &str) -> String {
        format!("Ask {} of {}", self.words(model, 100), self.words(&self.name, 100))
    }

    pub fn listing(&self) -> String {
        format!("List the models of {}", self.words(&self.name, 100))
    }

    /// Whether this model did not take this field before.
    pub fn refuses(&self, model: &str, field: &'static str) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(&(model.to_owned(), field))
    }

    /// Sends `body(wire)`; where the server says that it does not know one of the `optional` fields, sends it again
    /// without that field and remembers it for this model.
    pub fn send_adapting(
        &self,
        path: &str,
        model: &str,
        optional: &[&'static str],
        body: &dyn Fn() -> Value,
        cancel: &Cancel,
    ) -> Result<Incoming, ProviderFault> {
        loop {
            let body = body();
            let sent = self.send(Method::Post, path, Some(&body), self.purpose(model), MOST_LARGE, cancel);
            let fault = match sent {
                Err(fault) if fault.kind == FaultKind::Refused => fault,
                other => return other,
            };
            let lower = fault.message.to_lowercase();
            let not_known = NOT_KNOWN.iter().any(|words| lower.contains(words));
            let field = optional.iter().find(|field| lower.contains(**field) && !self.refuses(model, field));
            match field.filter(|_| not_known) {
                Some(field) => {
                    let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                    refused.insert((model.to_owned(), field));
                }
                None => return Err(fault),
            }
        }
    }
}

const TOO_LONG: &[&str] = &[
    "context_length_exceeded",
    "context length",
    "context window",
    "maximum context",
    "prompt is too long",
    "exceeds the maximum number of tokens",
    "exceed context",
];

/// How servers say that they do not know a field.
const NOT_KNOWN: &[&str] = &[
    "not supported",
    "unsupported",
    "not support",
    "unknown",
    "unrecognized",
    "not permitted",
    "extra inputs",
    "literal_error",
    "deprecated",
    "not allowed",
    "invalid_type",
    "input should be",
];

fn too_long_line() -> ProviderFault {
    ProviderFault::new(FaultKind::TooLong, "a line of the server's answer is longer than 1 MB")
}

/// What vendors call the words of an error.
pub fn message_in(value: &Value) -> String {
    let found = ["/error/message", "/message", "/error", "/detail"].iter().find_map(|path| value.pointer(path));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None if value.is_array() => value.get(0).map(message_in).unwrap_or_default(),
        None => String::new(),
    }
}

/// In seconds, in milliseconds, or as a date, which is taken against the server's own clock.
fn retry_after(incoming: &Incoming) -> Option<Duration> {
    let milliseconds = incoming.header("retry-after-ms").and_then(|value| value.trim().parse::<f64>().ok());
    if let Some(milliseconds) = milliseconds.filter(|value| (0.0..1e9).contains(value)) {
        return Some(Duration::from_secs_f64(milliseconds / 1e3).min(LONGEST_WAIT));
    }
    let value = incoming.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return (0.0..1e9).contains(&seconds).then(|| Duration::from_secs_f64(seconds).min(LONGEST_WAIT));
    }
    let date = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp().as_second());
    let wait = date(value)? - date(incoming.header("date")?)?;
    Some(Duration::from_secs(u64::try_from(wait.max(0)).ok()?).min(LONGEST_WAIT))
}

/// Vectors in the order of what was asked, all of one length.
pub fn vectors(found: Vec<Option<Vec<f32>>>, expected: usize) -> Result<Vec<Vec<f32>>, ProviderFault> {
    let bad = || bad_answer("the server's vectors do not belong to what was asked");
    let vectors: Vec<Vec<f32>> = found.into_iter().collect::<Option<_>>().ok_or_else(bad)?;
    let dimensions = vectors.first().map_or(0, Vec::len);
    let fit = vectors.len() == expected && vectors.iter().all(|vector| vector.len() == dimensions);
    if fit { Ok(vectors) } else { Err(bad()) }
}

/// An error in the middle of a stream, by its words alone.
pub fn stream_error(wire: &Wire, value: &Value) -> ProviderFault {
    let said = message_in(value);
    let kind = ["/error/type", "/error/status", "/type", "/error/code"].iter().find_map(|path| json::text(value, path));
    let numbered = ["/error/code", "/code"].iter().find_map(|path| json::number(value, path));
    let status = match kind.unwrap_or_default().to_lowercase().as_str() {
        "overloaded_error" | "overloaded" => 529,
        "rate_limit_error" | "rate_limit_exceeded" | "resource_exhausted" | "insufficient_quota" => 429,
        "authentication_error" | "permission_error" | "unauthenticated" | "permission_denied" => 401,
        "not_found_error" | "not_found" => 404,
        "invalid_request_error" | "invalid_argument" | "failed_precondition" => 400,
        "request_too_large" => 413,
        "unavailable" => 503,
        _ => numbered.and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code)).unwrap_or(500),
    };
    wire.status_fault(status, None, &said)
}
