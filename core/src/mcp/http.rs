//! Servers over streamable HTTP: every request goes out through the egress door, answers are read as they come.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http::{HeaderName, HeaderValue};
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::http_header::{HEADER_LAST_EVENT_ID, HEADER_SESSION_ID};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse,
};
use rspa_ml::Cancel;
use sse_stream::{Sse, SseStream};
use tokio::sync::mpsc;

use super::wire::{LARGEST_MESSAGE, Wire};
use super::words::line;
use super::{Life, Line};
use crate::api::ApiError;
use crate::model::SecretText;
use crate::trust::egress::{Egress, Incoming, Method, Outgoing, StreamFault, StreamLimits};

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";
/// Pieces of an answer that wait to be taken.
const WAITING: usize = 16;
/// Of an answer that is no answer, in bytes: for words about it.
const PREVIEW: u64 = 4 << 10;
/// A stream that tells nothing for so long is opened again.
const SILENCE: Duration = Duration::from_secs(600);
/// Bytes of one stream of events.
const LONGEST_STREAM: u64 = 1 << 30;

/// What a server is reached with.
pub struct Reach {
    pub name: String,
    pub url: String,
    /// With the secrets filled in: stands nowhere else.
    pub headers: Vec<(String, SecretText)>,
    pub call: Duration,
    pub egress: Arc<Egress>,
}

/// A line to the server; nothing goes out before the first message. Within the runtime.
pub fn open(reach: Reach) -> Line {
    let mut config = StreamableHttpClientTransportConfig::with_uri(reach.url.as_str());
    config.max_sse_event_size = LARGEST_MESSAGE;
    config.allow_stateless = true;
    let cancel = Cancel::new();
    let door = Door { reach: Arc::new(reach), cancel: cancel.clone() };
    let transport = StreamableHttpClientTransport::with_client(door, config);
    Line {
        wire: Wire::http(transport),
        confinement: String::new(),
        life: Arc::new(Requests(cancel)),
        hint: String::new(),
    }
}

/// All requests to one server: they end with the connection.
struct Requests(Cancel);

impl Life for Requests {
    fn end(&self) {
        self.0.cancel();
    }

    fn fate(&self) -> String {
        String::new()
    }
}

/// Sends what the protocol says through the egress door.
#[derive(Clone)]
pub struct Door {
    reach: Arc<Reach>,
    cancel: Cancel,
}

type Failure = StreamableHttpError<DoorError>;

/// Why a request did not come through, in the door's words.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct DoorError(ApiError);

impl From<StreamFault> for DoorError {
    fn from(fault: StreamFault) -> Self {
        Self(fault.into())
    }
}

/// Ends a request when nobody waits for it any more.
struct Ends(Cancel);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What a request says beside its address.
#[derive(Default)]
struct Said {
    session: Option<Arc<str>>,
    last_event: Option<String>,
    custom: HashMap<HeaderName, HeaderValue>,
    body: Vec<u8>,
    events: bool,
}

impl Door {
    /// The head of the answer, and what ends the rest of it.
    async fn send(&self, method: Method, purpose: &str, said: Said) -> Result<(Incoming, Ends), Failure> {
        let reach = self.reach.clone();
        let mut headers = vec![("accept".to_owned(), SecretText::new(format!("{EVENTS}, {JSON}")))];
        if method == Method::Post {
            headers.push(("content-type".to_owned(), SecretText::new(JSON.to_owned())));
        }
        if let Some(session) = said.session {
            headers.push((HEADER_SESSION_ID.to_ascii_lowercase(), SecretText::new(session.to_string())));
        }
        if let Some(event) = said.last_event {
            headers.push((HEADER_LAST_EVENT_ID.to_ascii_lowercase(), SecretText::new(event)));
        }
        for (name, value) in said.custom {
            let Ok(value) = value.to_str() else { continue };
            headers.push((name.as_str().to_owned(), SecretText::new(value.to_owned())));
        }
        headers.extend(reach.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
        let patience = if said.events { SILENCE } else { reach.call + Duration::from_secs(5) };
        let request = Outgoing {
            who: "mcp".to_owned(),
            purpose: format!("{purpose} the tool server \"{}\"", reach.name),
            method,
            url: reach.url.clone(),
            headers,
            body: said.body,
            limits: StreamLimits { first_byte: patience, idle: patience, most_bytes: LONGEST_STREAM },
            set_up_by_person: true,
        };
        // This one request, or all of them.
        let own = Cancel::new();
        let (ends, all) = (Ends(own.clone()), self.cancel.clone());
        let asked = tokio::task::spawn_blocking(move || reach.egress.stream(request, &own));
        let watched = async {
            let mut asked = asked;
            loop {
                tokio::select! {
                    answer = &mut asked => return answer,
                    () = tokio::time::sleep(Duration::from_millis(50)), if all.is_cancelled() => ends.0.cancel(),
                    () = tokio::time::sleep(Duration::from_millis(200)) => {}
                }
            }
        };
        let answer = watched.await.map_err(StreamableHttpError::TokioJoinError)?;
        let incoming = answer.map_err(|fault| StreamableHttpError::Client(fault.into()))?;
        Ok((incoming, ends))
    }

    /// The body, as far as it is wanted.
    async fn whole(incoming: Incoming, ends: Ends, most: u64) -> Result<Vec<u8>, Failure> {
        let read = tokio::task::spawn_blocking(move || {
            let _ends = ends;
            let mut body = Vec::new();
            incoming.body.take(most + 1).read_to_end(&mut body).map(|_count| body)
        });
        let body = read.await.map_err(StreamableHttpError::TokioJoinError)?;
        body.map_err(|error| StreamableHttpError::Client(StreamFault::of(&error).into()))
    }

    fn events(&self, incoming: Incoming, ends: Ends) -> BoxStream<'static, Result<Sse, SseError>> {
        let (sender, receiver) = mpsc::channel::<Result<Cursor<Vec<u8>>, std::io::Error>>(WAITING);
        let (own, all, mut body) = (ends.0.clone(), self.cancel.clone(), incoming.body);
        let started = thread::Builder::new().name("tools-events".to_owned()).spawn(move || {
            let mut buffer = vec![0; 16 << 10];
            let mut event = Event::default();
            loop {
                let read = match body.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) if event.holds(&buffer[..count]) => Ok(Cursor::new(buffer[..count].to_vec())),
                    Ok(_) => Err(std::io::Error::other(format!(
                        "the server sent a message of more than {} MB",
                        LARGEST_MESSAGE >> 20
                    ))),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let last = read.is_err();
                if sender.blocking_send(read).is_err() || last || all.is_cancelled() || own.is_cancelled() {
                    return;
                }
            }
        });
        if let Err(error) = started {
            tracing::warn!(%error, "a thread for a stream of events could not be started");
        }
        let pieces = stream::unfold((receiver, ends), |(mut receiver, ends)| async move {
            receiver.recv().await.map(|piece| (piece, (receiver, ends)))
        });
        SseStream::from_bytes_stream(pieces.boxed()).boxed()
    }
}

/// Of the event that is under way, in bytes: a blank line ends it.
#[derive(Default)]
struct Event {
    bytes: usize,
    newlines: usize,
}

impl Event {
    fn holds(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\r' => {}
                b'\n' if self.newlines == 1 => (self.bytes, self.newlines) = (0, 0),
                b'\n' => self.newlines = 1,
                _ => self.newlines = 0,
            }
            self.bytes += 1;
            if self.bytes > LARGEST_MESSAGE {
                return false;
            }
        }
        true
    }
}

fn is_kind(incoming: &Incoming, kind: &str) -> bool {
    incoming.header("content-type").is_some_and(|found| found.to_ascii_lowercase().starts_with(kind))
}

/// A status that is no success, in words.
fn refused(status: u16, body: &[u8]) -> Failure {
    let said = line(&String::from_utf8_lossy(body), 200);
    let why = match status {
        401 => "it wants a key (401): add a header with a credential".to_owned(),
        403 => "it refuses this key (403)".to_owned(),
        404 => "there is no such address on it (404)".to_owned(),
        429 => "it has too much to do (429)".to_owned(),
        status => format!("it answered with status {status}"),
    };
    let words = if said.is_empty() { why } else { format!("{why}: {said}") };
    StreamableHttpError::UnexpectedServerResponse(words.into())
}

impl StreamableHttpClient for Door {
    type Error = DoorError;

    async fn post_message(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _auth: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let waits = matches!(message, JsonRpcMessage::Request(_));
        let had_session = session.is_some();
        let said = Said { session, custom, body: serde_json::to_vec(&message)?, ..Said::default() };
        let (incoming, ends) = self.send(Method::Post, "Ask", said).await?;
        let status = incoming.status;
        if matches!(status, 202 | 204) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if status == 404 && had_session {
            return Err(StreamableHttpError::SessionExpired);
        }
        let session = incoming.header("mcp-session-id").map(str::to_owned);
        if !(200..300).contains(&status) {
            let json = is_kind(&incoming, JSON);
            let body = Self::whole(incoming, ends, PREVIEW).await.unwrap_or_default();
            // What the server says in the protocol's own words says more than the status.
            if json
                && waits
                && !matches!(status, 401 | 403 | 429)
                && let Ok(error @ JsonRpcMessage::Error(_)) = serde_json::from_slice::<ServerJsonRpcMessage>(&body)
            {
                return Ok(StreamableHttpPostResponse::Json(error, session));
            }
            return Err(refused(status, &body));
        }
        if is_kind(&incoming, EVENTS) {
            return Ok(StreamableHttpPostResponse::Sse(self.events(incoming, ends), session));
        }
        if !waits {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if !is_kind(&incoming, JSON) {
            let kind = incoming.header("content-type").map(|kind| line(kind, 100));
            return Err(StreamableHttpError::UnexpectedContentType(kind));
        }
        let body = Self::whole(incoming, ends, LARGEST_MESSAGE as u64).await?;
        if body.len() > LARGEST_MESSAGE {
            return Err(StreamableHttpError::ResponseBodyTooLarge { max_size: LARGEST_MESSAGE });
        }
        Ok(StreamableHttpPostResponse::Json(serde_json::from_slice(&body)?, session))
    }

    async fn delete_session(
        &self,
        _uri: Arc<str>,
        session: Arc<str>,
        _auth: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        let said = Said { session: Some(session), custom, ..Said::default() };
        let (incoming, _ends) = self.send(Method::Delete, "Leave", said).await?;
        match incoming.status {
            // It keeps sessions for as long as it likes.
            405 | 200..300 => Ok(()),
            status => Err(refused(status, &[])),
        }
    }

    async fn get_stream(
        &self,
        _uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _auth: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let said = Said { session, last_event, custom, events: true, ..Said::default() };
        let (incoming, ends) = self.send(Method::Get, "Listen to", said).await?;
        match incoming.status {
            405 => Err(StreamableHttpError::ServerDoesNotSupportSse),
            200..300 if is_kind(&incoming, EVENTS) => Ok(self.events(incoming, ends)),
            200..300 => Err(StreamableHttpError::UnexpectedContentType(None)),
            status => Err(refused(status, &[])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_has_its_limit_and_many_have_none() {
        let mut event = Event::default();
        for _ in 0..100 {
            assert!(event.holds(&vec![b'x'; LARGEST_MESSAGE / 50]));
            assert!(event.holds(b"\r\n\r\n"));
        }
        assert!(!event.holds(&vec![b'x'; LARGEST_MESSAGE + 1]));
    }
}
