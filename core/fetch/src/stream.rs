//! One request whose answer is read as it comes: bounded in silence and in size, never redirected, stopped at once.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use ureq::http::{Request, Response};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport};
use ureq::{Agent, Body, BodyReader, Error};
use zeroize::{Zeroize, Zeroizing};

use crate::address::Address;
use crate::ask::{header_name, header_value};
use crate::{FetchError, Method};

/// How long a wait lasts before the stop flag is looked at again.
const SLICE: Duration = Duration::from_millis(25);
/// More of the answer's headers are not kept.
const MOST_HEADERS: usize = 64;

/// Asked about 40 times a second while something is waited for; true ends the request.
pub type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

/// What is asked.
pub struct StreamCall<'a> {
    pub method: Method,
    /// `https`, or `http` to this computer itself.
    pub url: &'a str,
    /// Names in small letters, and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// Sent where the method has one, and with DELETE where it is not empty.
    pub body: Vec<u8>,
    /// Until the head of the answer, and from there until the first piece of its body.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// Of the body, in bytes.
    pub most_bytes: u64,
    pub stop: Stop,
}

/// An answer whose body is read as it comes. A read fails with an [`io::Error`] that holds a [`FetchError`].
pub struct Stream {
    pub status: u16,
    /// Names in small letters; values that are no text are left out.
    pub headers: Vec<(String, String)>,
    reader: BodyReader<'static>,
    received: u64,
    most_bytes: u64,
    host: String,
    limits: Arc<Limits>,
}

/// Services repeat keys in what they say.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("status", &self.status).field("received", &self.received).finish_non_exhaustive()
    }
}

/// What connection and reader both look at.
struct Limits {
    stop: Stop,
    /// Longest silence of the body in milliseconds: the first piece has another limit than those after it.
    silence: AtomicU64,
    idle: u64,
}

/// Sends the request and waits for the head of its answer. Blocks, but for a stop, which is answered within 50 ms.
///
/// # Errors
/// When the address is not allowed, or no head of an answer comes in time; never for a status.
pub fn open(call: StreamCall<'_>) -> Result<Stream, FetchError> {
    let address = Address::parse(call.url)?;
    let headers =
        call.headers.iter().map(|(name, value)| Ok((header_name(&address, name)?, header_value(&address, value)?)));
    let headers = headers.collect::<Result<Vec<_>, FetchError>>()?;
    let limits = Arc::new(Limits {
        stop: call.stop.clone(),
        silence: AtomicU64::new(milliseconds(call.first_byte)),
        idle: milliseconds(call.idle),
    });
    let agent = agent(&address, call.first_byte, limits.clone());
    let (method, body, uri) = (call.method, Zeroizing::new(call.body), address.as_uri().clone());
    let response = in_slices(&call.stop, move || {
        // The one method whose body is unusual and not forbidden (RFC 9110, section 9.3.5).
        if method == Method::Delete && !body.is_empty() {
            let request =
                headers.into_iter().fold(agent.delete(uri), |request, (name, value)| request.header(name, value));
            return request.force_send_body().send(body.as_slice());
        }
        let mut request = Request::builder().method(method.name()).uri(uri);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        // Given as a slice: without a length it would go out in chunks, which small servers do not take.
        match method.has_body() {
            true => agent.run(request.body(body.as_slice())?),
            false => agent.run(request.body(())?),
        }
    });
    let response = match response? {
        Ok(response) => response,
        Err(_) if (call.stop)() => return Err(FetchError::Cancelled),
        Err(error) => return Err(unreachable(&address, &error, call.first_byte)),
    };
    Ok(Stream {
        status: response.status().as_u16(),
        headers: kept_headers(&response),
        reader: response.into_body().into_with_config().limit(u64::MAX).reader(),
        received: 0,
        most_bytes: call.most_bytes,
        host: address.host().to_owned(),
        limits,
    })
}

fn agent(address: &Address, first_byte: Duration, limits: Arc<Limits>) -> Agent {
    #[expect(clippy::disallowed_methods, reason = "one of the places that build a client")]
    let mut config = Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent("rspa")
        .timeout_resolve(Some(first_byte))
        .timeout_connect(Some(first_byte))
        .timeout_send_request(Some(first_byte))
        .timeout_send_body(Some(first_byte))
        .timeout_recv_response(Some(first_byte));
    if address.is_loopback() {
        config = config.proxy(None);
    }
    let connector = DefaultConnector::default().chain(Watching(limits));
    Agent::with_parts(config.build(), connector, DefaultResolver::default())
}

/// Names are resolved and connections are made where nothing can be interrupted: that happens on a thread of its own,
/// which ends by itself, and sends nothing once it was stopped.
fn in_slices<T: Send + 'static>(stop: &Stop, work: impl FnOnce() -> T + Send + 'static) -> Result<T, FetchError> {
    let (done, result) = mpsc::sync_channel(1);
    let started = std::thread::Builder::new().name("request".to_owned()).spawn(move || {
        // Nobody waits any more after a stop.
        drop(done.send(work()));
    });
    started.map_err(|error| FetchError::Unreachable { host: "it".to_owned(), reason: error.to_string() })?;
    loop {
        if stop() {
            return Err(FetchError::Cancelled);
        }
        match result.recv_timeout(SLICE) {
            Ok(value) => return Ok(value),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let reason = "the request broke off inside this program".to_owned();
                return Err(FetchError::Unreachable { host: "it".to_owned(), reason });
            }
        }
    }
}

fn kept_headers(response: &Response<Body>) -> Vec<(String, String)> {
    let text = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    response.headers().iter().filter_map(text).take(MOST_HEADERS).collect()
}

fn unreachable(address: &Address, error: &Error, first_byte: Duration) -> FetchError {
    let host = address.host().to_owned();
    let reason = match error {
        Error::Timeout(_) => return FetchError::Silent { host, seconds: first_byte.as_secs_f32() },
        Error::HostNotFound => "there is no such host, or no network".to_owned(),
        Error::Io(error) => error.to_string(),
        // The others may hold what the server said.
        _ => "it did not answer as a web server does".to_owned(),
    };
    FetchError::Unreachable { host, reason }
}

impl Stream {
    fn fault(&self, error: &io::Error) -> FetchError {
        if (self.limits.stop)() {
            return FetchError::Cancelled;
        }
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::Timeout(_)) if self.received == 0 => {
                let seconds = self.limits.silence.load(Ordering::Relaxed) as f32 / 1e3;
                FetchError::Silent { host: self.host.clone(), seconds }
            }
            Some(Error::Timeout(_)) => {
                FetchError::Stalled { received: self.received, seconds: self.limits.idle.div_ceil(1_000) }
            }
            _ => FetchError::Cut { received: self.received, expected: None },
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.limits.stop)() {
            return Err(io::Error::other(FetchError::Cancelled));
        }
        let count = self.reader.read(buffer).map_err(|error| io::Error::other(self.fault(&error)))?;
        self.received += count as u64;
        if self.received > self.most_bytes {
            return Err(io::Error::other(FetchError::TooLarge { most: self.most_bytes }));
        }
        self.limits.silence.store(self.limits.idle, Ordering::Relaxed);
        Ok(count)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Overwrites what was sent in the buffer that the connection keeps, and waits in slices.
struct Watching(Arc<Limits>);

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watching")
    }
}

impl<In: Transport> Connector<In> for Watching {
    type Out = Watched<In>;

    fn connect(&self, _details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|transport| Watched { transport, limits: self.0.clone() }))
    }
}

struct Watched<T> {
    transport: T,
    limits: Arc<Limits>,
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl<T> Watched<T> {
    fn stopped(&self) -> Result<(), Error> {
        match (self.limits.stop)() {
            true => Err(Error::Io(io::Error::other("stopped"))),
            false => Ok(()),
        }
    }
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        // A connection that came about too late carries nothing.
        let sent = self.stopped().and_then(|()| self.transport.transmit_output(amount, timeout));
        self.transport.buffers().output().zeroize();
        sent
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        // The head has its own limit; the body has none there, and gets that of its silence.
        let mut left = match timeout.not_zero() {
            Some(left) => *left,
            None if timeout.after.is_zero() => return Err(Error::Timeout(timeout.reason)),
            None => Duration::from_millis(self.limits.silence.load(Ordering::Relaxed)),
        };
        loop {
            self.stopped()?;
            let slice = left.min(SLICE);
            let mut waiting = timeout;
            waiting.after = slice.into();
            match self.transport.await_input(waiting) {
                Err(Error::Timeout(_)) if left > slice => left -= slice,
                other => return other,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}
