//! A request through the door whose answer is read as it comes: judged first, in the ledger before it goes out, its row
//! completed when the answer ends or is dropped.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rspa_ml::Cancel;

use super::host::is_loopback;
use super::{Destination, Egress, Method, ledger};
use crate::api::ApiError;
use crate::model::{LedgerEntry, SecretText};

/// What is asked, for what, and how patiently.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Which part of the program asks, such as `providers`.
    pub who: String,
    /// For people: "Ask claude-sonnet of Anthropic".
    pub purpose: String,
    pub method: Method,
    /// https, or http to this computer itself. Not in the ledger but for its origin.
    pub url: String,
    /// Names in small letters; the values stand nowhere.
    pub headers: Vec<(String, SecretText)>,
    /// Goes out with the methods that have one, and with DELETE where it is not empty; stands nowhere.
    pub body: Vec<u8>,
    pub limits: StreamLimits,
    /// A person set this address up, in a provider or a tool server: where it is this computer itself, no policy stands
    /// in the way. Nothing that a model says may ever set it.
    pub set_up_by_person: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Until the head of the answer, and from there until the first piece of its body.
    pub first_byte: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// Of the body, in bytes.
    pub most_bytes: u64,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(30), idle: Duration::from_secs(60), most_bytes: 64 << 20 }
    }
}

/// An answer, whatever its status; no redirect was followed. Reads of the body block, and fail with an
/// [`io::Error`] that [`StreamFault::of`] takes apart.
pub struct Incoming {
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Box<dyn Read + Send>,
}

impl Incoming {
    /// The first header of this name, given in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Services repeat keys in what they say.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why no answer came, or why it ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamFault {
    /// By our own policy; nothing left the computer, or no more of it after the policy changed.
    #[error("{0}")]
    Refused(ApiError),
    #[error("{0}")]
    Unreachable(String),
    #[error("{0}")]
    Timeout(String),
    #[error("{0}")]
    Cut(String),
    #[error("{0}")]
    TooLarge(String),
    /// The address or a header cannot be sent.
    #[error("{0}")]
    Unusable(String),
    #[error("stopped")]
    Cancelled,
    /// The ledger could not be written.
    #[error("{0}")]
    Own(ApiError),
}

impl StreamFault {
    /// What a failed read of a body means.
    pub fn of(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            Some(fault) => fault.clone(),
            None => Self::Cut(format!("the connection was cut ({error})")),
        }
    }
}

impl From<StreamFault> for ApiError {
    fn from(fault: StreamFault) -> Self {
        use crate::api::ErrorCategory::{Network, Validation};
        match fault {
            StreamFault::Refused(error) | StreamFault::Own(error) => error,
            StreamFault::Cancelled => Self::cancelled(),
            StreamFault::Unusable(message) => Self::new(Validation, message, "Check the address."),
            other => Self::new(Network, other.to_string(), "Check that the server runs, and try again."),
        }
    }
}

/// Asked about 40 times a second while something is waited for; true ends the request.
pub type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

impl Egress {
    /// Sends one request if the policy allows it, and waits for the head of its answer; follows no redirect. Blocks: for
    /// background threads. A cancellation is answered within 50 ms, here and in every read; a policy that changes
    /// meanwhile ends it as well.
    ///
    /// # Errors
    /// Never for a status.
    pub fn stream(self: &Arc<Self>, request: Outgoing, cancel: &Cancel) -> Result<Incoming, StreamFault> {
        let destination = Destination::parse(&request.url)
            .ok_or_else(|| StreamFault::Unusable("this is not an address on the network".to_owned()))?;
        let own = request.set_up_by_person;
        let verdict = self.judge_stream(&destination.host, own);
        let entry = LedgerEntry {
            at: self.clock.now(),
            who: request.who.clone(),
            destination: destination.origin.clone(),
            purpose: request.purpose.clone(),
            allowed: verdict.is_ok(),
            reason: verdict.clone().unwrap_or_else(|reason| reason),
            bytes_sent: 0,
            bytes_received: 0,
            profile: Some(self.profile),
            profile_name: self.own().name,
        };
        let reason = match verdict {
            Err(reason) => {
                let mut refusal = self.refuse(entry, &reason);
                if self.forbidden(&destination.host).is_none() {
                    "Change the network policy under Profiles & network.".clone_into(&mut refusal.advice);
                }
                return Err(StreamFault::Refused(refusal));
            }
            Ok(reason) => reason,
        };
        let row = self.main.write(move |txn| ledger::insert(txn, &entry));
        let row = row.map_err(|error| StreamFault::Own(error.into()))?;
        self.active.fetch_add(1, Ordering::SeqCst);
        self.publish_status();
        let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.reveal().len()).sum();
        let has_body = request.method.has_body() || request.method == Method::Delete;
        let body = if has_body { request.body.len() } else { 0 };
        let mut open = OpenStream {
            egress: self.clone(),
            row,
            reason,
            sent: (request.url.len() + headers + body) as u64,
            received: 0,
            host: destination.host.clone(),
            origin: destination.origin,
            own,
            cancel: cancel.clone(),
            complete: false,
        };
        let stop: Stop = {
            let (egress, cancel, host) = (self.clone(), cancel.clone(), destination.host);
            Arc::new(move || cancel.is_cancelled() || egress.judge_stream(&host, own).is_err())
        };
        match self.transport.stream(request, stop) {
            Ok(Incoming { status, headers, body }) => {
                open.reason = format!("{}; status {status}", open.reason);
                Ok(Incoming { status, headers, body: Box::new(Counted { open, body }) })
            }
            Err(fault) => Err(open.failed(fault)),
        }
    }

    /// As every request is judged, but for this computer itself where a person set it up.
    fn judge_stream(&self, host: &str, set_up_by_person: bool) -> Result<String, String> {
        match set_up_by_person && is_loopback(host) {
            true => Ok("this computer, set up by the person".to_owned()),
            false => self.judge(host, None),
        }
    }
}

/// A request that is under way; its row is completed when it is dropped.
struct OpenStream {
    egress: Arc<Egress>,
    row: ledger::LedgerRow,
    reason: String,
    sent: u64,
    received: u64,
    host: String,
    origin: String,
    own: bool,
    cancel: Cancel,
    /// The end of the answer was read, or its fault is in the reason.
    complete: bool,
}

impl OpenStream {
    /// What ended it: the policy where that changed meanwhile.
    fn failed(&mut self, fault: StreamFault) -> StreamFault {
        let fault = match (fault, self.egress.judge_stream(&self.host, self.own)) {
            (StreamFault::Cancelled, Err(reason)) if !self.cancel.is_cancelled() => {
                StreamFault::Refused(ApiError::new(
                    crate::api::ErrorCategory::Authorisation,
                    format!("the connection to {} was ended ({reason})", self.origin),
                    "Change the network policy under Profiles & network.",
                ))
            }
            (fault, _) => fault,
        };
        if !self.complete {
            self.reason = format!("{}; failed: {fault}", self.reason);
            self.complete = true;
        }
        fault
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        if !self.complete && self.cancel.is_cancelled() {
            self.reason.push_str("; stopped");
        }
        let reason = std::mem::take(&mut self.reason);
        if let Err(error) = ledger::complete(&self.egress.main, self.row, self.sent, self.received, reason) {
            tracing::warn!(%error, "a row of the network ledger could not be completed");
        }
        self.egress.active.fetch_sub(1, Ordering::SeqCst);
        self.egress.publish_status();
    }
}

/// Counts what is read.
struct Counted {
    open: OpenStream,
    body: Box<dyn Read + Send>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.body.read(buffer) {
            Ok(count) => {
                self.open.received += count as u64;
                self.open.complete |= count == 0 && !buffer.is_empty();
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(io::Error::other(self.open.failed(StreamFault::of(&error)))),
        }
    }
}
