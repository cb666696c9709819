//! Verified, resumable download of one file, small requests with secret headers, and answers read as they come. The only crate that builds an HTTP client.
//!
//! A download grows as `TARGET.part` beside its target and becomes the target only when its size and checksum are
//! right. What is cut off stays as `.part` and is continued with a range request (RFC 9110, section 14).

mod address;
mod ask;
mod error;
mod part;
mod stream;
mod transfer;

use std::path::Path;
use std::time::Duration;

pub use ask::{Answer, Call, LARGEST_ANSWER, Method, call};
pub use error::FetchError;
pub use stream::{Stop, Stream, StreamCall, open};

use part::Part;
use transfer::{Client, Outcome};

/// Continuations after cut connections, as long as each brings something.
const MAX_ATTEMPTS: usize = 20;

/// How long a server may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// Between two pieces of data.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(20), idle: Duration::from_secs(30) }
    }
}

/// Takes the whole address of a request that is about to go out, and says whether it may. Where the rules of this crate
/// refuse a redirect already, it gets the origin of that address and the reason, and its answer does not matter.
pub type Ask<'a> = dyn Fn(&str, Option<&'static str>) -> bool + 'a;

/// What is to be fetched.
#[derive(Clone, Copy)]
pub struct Download<'a> {
    /// `https`, or `http` to this computer itself.
    pub url: &'a str,
    pub target: &'a Path,
    /// In bytes, where it is known.
    pub expected_size: Option<u64>,
    /// Hex, where it is known.
    pub sha256: Option<&'a str>,
    /// Called before every request, also those of redirects and continuations.
    pub ask: &'a Ask<'a>,
}

/// Downloads `url` to `target`, continuing an earlier `target.part`. `progress(received, total)` is in bytes.
///
/// Errors leave no target. A cut connection, a silent server and a cancellation keep the part for the next try;
/// a wrong checksum or size deletes it.
pub fn fetch(
    url: &str,
    target: &Path,
    expected_size: Option<u64>,
    sha256: Option<&str>,
    progress: &mut dyn FnMut(u64, Option<u64>),
    cancel: &dyn Fn() -> bool,
) -> Result<(), FetchError> {
    let download = Download { url, target, expected_size, sha256, ask: &|_, _| true };
    fetch_with(download, Timeouts::default(), progress, cancel)
}

/// As [`fetch`], with other timeouts.
pub fn fetch_with(
    download: Download,
    timeouts: Timeouts,
    progress: &mut dyn FnMut(u64, Option<u64>),
    cancel: &dyn Fn() -> bool,
) -> Result<(), FetchError> {
    let address = address::Address::parse(download.url)?;
    let mut part = Part::open(download.target, download.url)?;
    if download.expected_size.is_some_and(|size| part.len() > size) {
        part.restart(None)?;
    }
    if download.expected_size.is_none_or(|size| part.len() < size) {
        let client = Client::new(timeouts, address.is_loopback());
        receive(&client, &address, &download, &mut part, progress, cancel)?;
    }
    part.finish(download.target, download.sha256, cancel)
}

/// Fills the part, going on after cuts as long as each try brings at least one byte.
fn receive(
    client: &Client,
    address: &address::Address,
    download: &Download,
    part: &mut Part,
    progress: &mut dyn FnMut(u64, Option<u64>),
    cancel: &dyn Fn() -> bool,
) -> Result<(), FetchError> {
    for attempt in 1.. {
        let before = part.len();
        match client.transfer(address, download, part, progress, cancel)? {
            Outcome::Complete => break,
            // The server does not know this range: its file is another one than that of the part.
            Outcome::RangeRefused if before > 0 => part.restart(None)?,
            Outcome::RangeRefused => return Err(FetchError::Status { origin: address.origin(), status: 416 }),
            Outcome::Cut { error } if part.len() == before || attempt >= MAX_ATTEMPTS => {
                part.keep()?;
                return Err(error);
            }
            Outcome::Cut { .. } => part.keep()?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod ask_tests;

#[cfg(test)]
mod stream_tests;
