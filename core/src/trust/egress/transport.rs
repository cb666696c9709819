//! What carries a transfer that the door has allowed; a test brings its own.

use std::io::{self, Read};
use std::path::Path;

use super::stream::{Incoming, Outgoing, Stop, StreamFault};
use super::{Answer, Request};
use crate::api::{ApiError, ErrorCategory};

/// One allowed transfer.
pub struct Transfer<'a> {
    pub url: &'a str,
    pub target: &'a Path,
    pub expected_size: Option<u64>,
    pub sha256: Option<&'a str>,
    /// Asked before every request with its whole address, redirects and continuations included; false refuses it. With
    /// a reason where the transport refuses a redirect itself: then the answer does not matter.
    pub ask: &'a (dyn Fn(&str, Option<&'static str>) -> bool + 'a),
}

pub trait Transport: Send + Sync {
    /// Fetches to the target or leaves no target. Blocks.
    fn download(
        &self,
        transfer: &Transfer<'_>,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &dyn Fn() -> bool,
    ) -> Result<(), ApiError>;

    /// Asks once, follows no redirect. Blocks.
    ///
    /// # Errors
    /// When no whole answer comes; never for a status.
    fn request(&self, request: &Request) -> Result<Answer, ApiError>;

    /// Asks once, follows no redirect, gives the answer's body as it comes. Blocks until the head of the answer is
    /// there; `stop` ends it then and later. Reads fail with a [`StreamFault`] inside.
    ///
    /// # Errors
    /// When no head of an answer comes; never for a status.
    fn stream(&self, request: Outgoing, stop: Stop) -> Result<Incoming, StreamFault>;
}

/// HTTP by `rspa_fetch`.
pub struct FetchTransport;

impl Transport for FetchTransport {
    fn download(
        &self,
        transfer: &Transfer<'_>,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &dyn Fn() -> bool,
    ) -> Result<(), ApiError> {
        let download = rspa_fetch::Download {
            url: transfer.url,
            target: transfer.target,
            expected_size: transfer.expected_size,
            sha256: transfer.sha256,
            ask: transfer.ask,
        };
        rspa_fetch::fetch_with(download, rspa_fetch::Timeouts::default(), progress, cancel)
            .map_err(|error| in_words(&error))
    }

    fn request(&self, request: &Request) -> Result<Answer, ApiError> {
        let headers: Vec<(&str, &str)> = request.headers.iter().map(|(name, value)| (*name, value.reveal())).collect();
        let call = rspa_fetch::Call {
            method: request.method,
            url: &request.url,
            headers: &headers,
            body: &request.body,
            limit: request.limit,
        };
        let rspa_fetch::Answer { status, location, body, complete } =
            rspa_fetch::call(&call).map_err(|error| in_words(&error))?;
        Ok(Answer { status, location, body, complete })
    }

    fn stream(&self, request: Outgoing, stop: Stop) -> Result<Incoming, StreamFault> {
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        let call = rspa_fetch::StreamCall {
            method: request.method,
            url: &request.url,
            headers: &headers,
            body: request.body,
            first_byte: request.limits.first_byte,
            idle: request.limits.idle,
            most_bytes: request.limits.most_bytes,
            stop,
        };
        let mut stream = rspa_fetch::open(call).map_err(|error| fault(&error))?;
        let headers = std::mem::take(&mut stream.headers);
        Ok(Incoming { status: stream.status, headers, body: Box::new(Faulty(stream)) })
    }
}

/// Says what fails in the words of the door.
struct Faulty(rspa_fetch::Stream);

impl Read for Faulty {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(inner) => io::Error::other(fault(inner)),
            None => error,
        })
    }
}

fn fault(error: &rspa_fetch::FetchError) -> StreamFault {
    use rspa_fetch::FetchError as E;
    let words = error.to_string();
    match error {
        E::Cancelled => StreamFault::Cancelled,
        E::NotAllowed { .. } => StreamFault::Unusable(words),
        E::Silent { .. } | E::Stalled { .. } => StreamFault::Timeout(words),
        E::Cut { .. } => StreamFault::Cut(words),
        E::TooLarge { .. } => StreamFault::TooLarge(words),
        _ => StreamFault::Unreachable(words),
    }
}

fn in_words(error: &rspa_fetch::FetchError) -> ApiError {
    use rspa_fetch::FetchError as E;
    let category = match &error {
        E::Cancelled => return ApiError::cancelled(),
        E::NotAllowed { .. } => ErrorCategory::Authorisation,
        E::DiskFull { .. } | E::Io { .. } | E::Busy(_) => ErrorCategory::Storage,
        _ => ErrorCategory::Network,
    };
    ApiError::new(category, error.to_string(), error.advice())
}
