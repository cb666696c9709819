//! One small request with headers that may be secret: bounded, never redirected, and overwritten in memory after it.

use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;
use ureq::http::{HeaderName, HeaderValue, Request, header};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport};
use ureq::{Agent, Error};
use zeroize::{Zeroize, Zeroizing};

use crate::FetchError;
use crate::address::Address;

/// More of an answer is not read, in bytes.
pub const LARGEST_ANSWER: usize = 1 << 20;

/// What a request wants done (RFC 9110, section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// It changes nothing at the other end.
    pub fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }

    /// Whether a body goes along.
    pub fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

/// What is asked.
pub struct Call<'a> {
    pub method: Method,
    /// `https`, or `http` to this computer itself.
    pub url: &'a str,
    /// Names in small letters, and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// Sent where the method has one.
    pub body: &'a [u8],
    /// For all of it, from the connection to the last byte.
    pub limit: Duration,
}

/// What came back, whatever the status.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Where a redirect would lead; it was not followed.
    pub location: Option<String>,
    pub body: Vec<u8>,
    /// False when there was more than [`LARGEST_ANSWER`].
    pub complete: bool,
}

/// Services repeat keys in what they say.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// Asks once. Blocks.
///
/// # Errors
/// When the address is not allowed, or no whole answer comes in time; never for a status.
pub fn call(call: &Call<'_>) -> Result<Answer, FetchError> {
    let address = Address::parse(call.url)?;
    #[expect(clippy::disallowed_methods, reason = "one of the places that build a client")]
    let mut config = Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent("rspa")
        .timeout_global(Some(call.limit));
    if address.is_loopback() {
        config = config.proxy(None);
    }
    let connector = DefaultConnector::default().chain(Wiping);
    let agent = Agent::with_parts(config.build(), connector, DefaultResolver::default());
    let mut request = Request::builder().method(call.method.name()).uri(address.as_uri());
    for (name, value) in call.headers {
        request = request.header(header_name(&address, name)?, header_value(&address, value)?);
    }
    let answered = match call.method.has_body() {
        true => request.body(call.body).map(|request| agent.run(request)),
        false => request.body(()).map(|request| agent.run(request)),
    };
    let answered = answered.map_err(|_odd: ureq::http::Error| not_sendable(&address))?;
    let response = answered.map_err(|error| unreachable(&address, &error, call.limit))?;
    let status = response.status().as_u16();
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    let most = LARGEST_ANSWER as u64 + 1;
    let read = response.into_body().into_reader().take(most).read_to_end(&mut body);
    read.map_err(|error| cut(&address, &error, body.len(), call.limit))?;
    let complete = body.len() <= LARGEST_ANSWER;
    body.truncate(LARGEST_ANSWER);
    Ok(Answer { status, location, body, complete })
}

pub(crate) fn header_name(address: &Address, name: &str) -> Result<HeaderName, FetchError> {
    let refused = |_: header::InvalidHeaderName| not_sendable(address);
    HeaderName::from_bytes(name.as_bytes()).map_err(refused)
}

/// In memory that is overwritten when the last copy of the header is dropped.
pub(crate) fn header_value(address: &Address, value: &str) -> Result<HeaderValue, FetchError> {
    let bytes = Bytes::from_owner(Zeroizing::new(value.as_bytes().to_vec()));
    let mut value = HeaderValue::from_maybe_shared(bytes).map_err(|_refused| not_sendable(address))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(crate) fn not_sendable(address: &Address) -> FetchError {
    FetchError::NotAllowed { origin: address.origin(), reason: "a header holds what cannot be sent" }
}

fn unreachable(address: &Address, error: &Error, limit: Duration) -> FetchError {
    let reason = match error {
        Error::HostNotFound => "there is no such host, or no network".to_owned(),
        Error::Timeout(_) => format!("no answer within {} seconds", limit.as_secs_f32()),
        Error::Io(error) => error.to_string(),
        // The others may hold what the server said.
        _ => "it did not answer as a web server does".to_owned(),
    };
    FetchError::Unreachable { host: address.host().to_owned(), reason }
}

fn cut(address: &Address, error: &io::Error, received: usize, limit: Duration) -> FetchError {
    let late = error.kind() == io::ErrorKind::TimedOut
        || matches!(error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()), Some(Error::Timeout(_)));
    match late {
        true => FetchError::Unreachable {
            host: address.host().to_owned(),
            reason: format!("no whole answer within {} seconds", limit.as_secs_f32()),
        },
        false => FetchError::Cut { received: received as u64, expected: None },
    }
}

/// Overwrites what was sent, in the buffer that the connection keeps.
#[derive(Debug)]
struct Wiping;

impl<In: Transport> Connector<In> for Wiping {
    type Out = Wiped<In>;

    fn connect(&self, _details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(Wiped))
    }
}

struct Wiped<T>(T);

impl<T> fmt::Debug for Wiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wiped")
    }
}

impl<T: Transport> Transport for Wiped<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let sent = self.0.transmit_output(amount, timeout);
        self.0.buffers().output().zeroize();
        sent
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
