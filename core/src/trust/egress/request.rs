//! One small request through the door: judged, written into the ledger before it goes out, its secret nowhere else.

use std::fmt;
use std::time::Duration;

pub use rspa_fetch::Method;

use super::{Consent, Destination, Egress, ledger};
use crate::api::ApiError;
use crate::model::{LedgerEntry, SecretText};

/// What is asked, and for what.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which part of the program asks, such as `credentials`.
    pub who: String,
    /// For people: "Test the connection to openai".
    pub purpose: String,
    pub method: Method,
    /// https, or http to this computer itself. Not in the ledger but for its origin.
    pub url: String,
    /// Names in small letters; the values stand nowhere.
    pub headers: Vec<(&'static str, SecretText)>,
    /// Goes out with the methods that have one; stands nowhere.
    pub body: Vec<u8>,
    /// For all of it.
    pub limit: Duration,
}

/// What came back, whatever the status.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    /// Where a redirect would lead; it was not followed.
    pub location: Option<String>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
    /// False when there was more.
    pub complete: bool,
}

/// Services repeat keys in what they say.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Egress {
    /// Asks once if the policy or the person's consent allows it; follows no redirect. Blocks: for background threads.
    ///
    /// # Errors
    /// Category authorisation when it is refused (nothing left the computer); network when no whole answer came.
    pub fn request(&self, request: &Request, consent: Option<&Consent>) -> Result<Answer, ApiError> {
        let destination = Destination::parse(&request.url)
            .ok_or_else(|| ApiError::validation("this is not an address on the network", "Give an https address."))?;
        let verdict = self.judge(&destination.host, consent);
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
                    refusal.advice = format!(
                        "Confirm this one request to {}, or change the network policy under Profiles & network.",
                        destination.host
                    );
                }
                return Err(refusal);
            }
            Ok(reason) => reason,
        };
        let row = self.main.write(move |txn| ledger::insert(txn, &entry))?;
        let _running = self.running();
        let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.reveal().len()).sum();
        let sent =
            (request.url.len() + headers + if request.method.has_body() { request.body.len() } else { 0 }) as u64;
        let result = self.transport.request(request);
        let (received, reason) = match &result {
            Ok(answer) => (answer.body.len() as u64, format!("{reason}; status {}", answer.status)),
            Err(error) => (0, format!("{reason}; failed: {error}")),
        };
        ledger::complete(&self.main, row, sent, received, reason)?;
        result
    }
}
