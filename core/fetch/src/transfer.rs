//! One request and its answer: asks for what the part lacks and appends what comes.

use std::io::{self, Read};
use std::time::Duration;

use ureq::http::{Response, header};
use ureq::{Agent, Body};

use crate::address::Address;
use crate::part::Part;
use crate::{Download, FetchError, Timeouts};

const MAX_REDIRECTS: usize = 5;
const BLOCK_BYTES: usize = 128 << 10;
/// Where neither caller nor server names a size.
const MAX_UNKNOWN_BYTES: u64 = 256 << 30;

pub(crate) struct Client {
    agent: Agent,
    idle: Duration,
}

/// How one try ended, when it was not hopeless.
pub(crate) enum Outcome {
    Complete,
    /// The answer ended early; the part holds what came.
    Cut {
        error: FetchError,
    },
    RangeRefused,
}

impl Client {
    pub(crate) fn new(timeouts: Timeouts, loopback: bool) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let mut config = Agent::config_builder()
            // Redirects are followed here, so that each step passes the address rules.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent("rspa")
            .timeout_connect(Some(timeouts.connect))
            .timeout_recv_response(Some(timeouts.idle))
            .timeout_per_read(Some(timeouts.idle));
        if loopback {
            config = config.proxy(None);
        }
        Self { agent: config.build().into(), idle: timeouts.idle }
    }

    /// Asks for the rest of the part and appends it.
    pub(crate) fn transfer(
        &self,
        address: &Address,
        download: &Download,
        part: &mut Part,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Outcome, FetchError> {
        // Without a checksum, and without the server's word that the file is the same, halves could be mixed.
        if part.len() > 0 && download.sha256.is_none() && part.etag().is_none() {
            part.restart(None)?;
        }
        if cancel() {
            return Err(FetchError::Cancelled);
        }
        let response = match self.request(address, download, part) {
            Ok(response) => response,
            // The first try's error is final; a later one is a cut of the whole.
            Err(error) => return Ok(Outcome::Cut { error }),
        };
        let total = match response.status().as_u16() {
            200 => {
                let total = header(&response, header::CONTENT_LENGTH).and_then(|value| value.parse().ok());
                check_size(download, part, total)?;
                part.restart(strong_etag(&response))?;
                total
            }
            206 => {
                let (start, total) = content_range(&response).unwrap_or((u64::MAX, None));
                if start != part.len() {
                    return Ok(Outcome::RangeRefused);
                }
                check_size(download, part, total)?;
                total
            }
            416 => return Ok(Outcome::RangeRefused),
            status => return Err(FetchError::Status { origin: address.origin(), status }),
        };
        self.append(response, part, total.or(download.expected_size), progress, cancel)
    }

    fn request(&self, address: &Address, download: &Download, part: &Part) -> Result<Response<Body>, FetchError> {
        let mut address = address.clone();
        for _ in 0..=MAX_REDIRECTS {
            if !(download.ask)(&address.as_uri().to_string(), None) {
                return Err(FetchError::NotAllowed { origin: address.origin(), reason: "this host was not allowed" });
            }
            let mut request = self.agent.get(address.as_uri());
            if part.len() > 0 {
                request = request.header(header::RANGE, format!("bytes={}-", part.len()));
                if let Some(etag) = part.etag() {
                    request = request.header(header::IF_RANGE, etag);
                }
            }
            let response = request.call().map_err(|error| self.unreachable(&address, error))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let next = address.redirected(header(&response, header::LOCATION).unwrap_or_default());
            address = next.inspect_err(|error| {
                if let FetchError::NotAllowed { origin, reason } = error {
                    (download.ask)(origin, Some(reason));
                }
            })?;
        }
        let reason = "it redirects too many times";
        (download.ask)(&address.origin(), Some(reason));
        Err(FetchError::NotAllowed { origin: address.origin(), reason })
    }

    fn append(
        &self,
        response: Response<Body>,
        part: &mut Part,
        total: Option<u64>,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Outcome, FetchError> {
        let mut body = response.into_body().into_reader();
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            if cancel() {
                part.keep()?;
                return Err(FetchError::Cancelled);
            }
            let count = match body.read(&mut block) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Outcome::Cut { error: self.cut(part, total, &error) }),
            };
            if count == 0 {
                break;
            }
            let most = total.unwrap_or(MAX_UNKNOWN_BYTES);
            if part.len() + count as u64 > most {
                part.discard()?;
                return Err(FetchError::WrongSize { expected: most, found: "more".to_owned() });
            }
            part.append(&block[..count])?;
            progress(part.len(), total);
        }
        if total.is_some_and(|total| part.len() < total) {
            return Ok(Outcome::Cut { error: FetchError::Cut { received: part.len(), expected: total } });
        }
        Ok(Outcome::Complete)
    }

    fn cut(&self, part: &Part, total: Option<u64>, error: &io::Error) -> FetchError {
        if error.kind() == io::ErrorKind::TimedOut || error.kind() == io::ErrorKind::WouldBlock {
            return FetchError::Stalled { received: part.len(), seconds: self.idle.as_secs() };
        }
        FetchError::Cut { received: part.len(), expected: total }
    }

    fn unreachable(&self, address: &Address, error: ureq::Error) -> FetchError {
        let reason = match error {
            ureq::Error::HostNotFound => "there is no such host, or no network".to_owned(),
            ureq::Error::Timeout(_) => format!("no answer within {} seconds", self.idle.as_secs()),
            ureq::Error::BadUri(_) => "its address is not usable".to_owned(),
            error => error.to_string(),
        };
        FetchError::Unreachable { host: address.host().to_owned(), reason }
    }
}

/// A server that names another size than the catalogue has another file.
fn check_size(download: &Download, part: &Part, total: Option<u64>) -> Result<(), FetchError> {
    match (download.expected_size, total) {
        (Some(expected), Some(found)) if expected != found => {
            part.discard()?;
            Err(FetchError::WrongSize { expected, found: found.to_string() })
        }
        _ => Ok(()),
    }
}

fn header(response: &Response<Body>, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// Weak ETags do not promise equal bytes (RFC 9110, section 8.8.1).
fn strong_etag(response: &Response<Body>) -> Option<String> {
    header(response, header::ETAG).filter(|etag| etag.starts_with('"') && etag.len() < 512).map(str::to_owned)
}

/// Start and total of `bytes 5-9/10`; the total may be `*`.
fn content_range(response: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let (range, total) = header(response, header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}
