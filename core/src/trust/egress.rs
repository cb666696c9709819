//! The door: every outgoing request passes here, is allowed or refused by the policy, and stands in the ledger first.

mod host;
mod request;
mod stream;
mod transport;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

pub use host::Destination;
pub use request::{Answer, Method, Request};
pub use stream::{Incoming, Outgoing, Stop, StreamFault, StreamLimits};
pub use transport::{FetchTransport, Transfer, Transport};

use crate::api::{ApiError, ErrorCategory, Event};
use crate::clock::{Clock, Ids};
use crate::engine::Events;
use crate::model::{
    Activity, ActivityId, Happening, LedgerEntry, NetworkPolicy, NetworkStatus, Page, PageRequest, Profile, ProfileId,
    ProfileNetwork,
};
use crate::settings::Settings;
use crate::storage::{Db, activities, ledger};

/// A file to fetch, and for what.
#[derive(Clone, Debug)]
pub struct Download {
    /// Which part of the program asks, such as `models`.
    pub who: String,
    /// For people: "Download SmolLM2 135M".
    pub purpose: String,
    /// https, or http to this computer itself.
    pub url: String,
    pub target: PathBuf,
    /// In bytes, where it is known.
    pub expected_size: Option<u64>,
    /// Hex, where it is known.
    pub sha256: Option<String>,
}

/// A person's word for one download from just these hosts. Made where a person confirmed, never from stored data.
#[derive(Clone, Debug)]
pub struct Consent {
    hosts: Vec<String>,
}

impl Consent {
    /// `host` is what the person was shown.
    pub fn once(host: &str) -> Self {
        Self { hosts: vec![host.to_ascii_lowercase()] }
    }

    /// Also the hosts that this one is known to hand its files out from; they too must have been shown.
    #[must_use]
    pub fn and(mut self, hosts: impl IntoIterator<Item = String>) -> Self {
        self.hosts.extend(hosts.into_iter().map(|host| host.to_ascii_lowercase()));
        self
    }
}

/// The one door of this process.
pub struct Egress {
    main: Db,
    settings: Arc<Settings>,
    events: Events,
    clock: Arc<dyn Clock>,
    ids: Ids,
    profile: ProfileId,
    own: RwLock<Own>,
    transport: Box<dyn Transport>,
    active: AtomicUsize,
}

/// What the profile is called and what it says of the network.
#[derive(Clone)]
struct Own {
    name: String,
    network: ProfileNetwork,
}

impl Egress {
    pub fn new(
        main: Db,
        settings: Arc<Settings>,
        events: Events,
        clock: Arc<dyn Clock>,
        profile: &Profile,
        transport: Box<dyn Transport>,
    ) -> Self {
        let own = RwLock::new(Own { name: profile.name.clone(), network: profile.network.clone() });
        let ids = Ids::new(clock.clone());
        Self { main, settings, events, clock, ids, profile: profile.id, own, transport, active: AtomicUsize::new(0) }
    }

    /// The profile has another name or policy now: the next request is judged by it.
    pub fn set_profile(&self, profile: &Profile) {
        let own = Own { name: profile.name.clone(), network: profile.network.clone() };
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = own;
        self.publish_status();
    }

    fn own(&self) -> Own {
        self.own.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches one file if the policy or the person's consent allows it. Blocks: for background threads.
    /// `progress(received, total)` is in bytes.
    ///
    /// # Errors
    /// Category authorisation when it is refused (nothing left the computer); network or storage when the transfer fails.
    pub fn download(
        &self,
        download: &Download,
        consent: Option<&Consent>,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &dyn Fn() -> bool,
    ) -> Result<(), ApiError> {
        let destination = Destination::parse(&download.url).ok_or_else(|| {
            ApiError::validation("this is not an address of a file on the network", "Give an https address.")
        })?;
        let verdict = self.judge(&destination.host, consent);
        let entry = self.entry(download, &destination, &verdict);
        let reason = match verdict {
            Err(reason) => return Err(self.refuse(entry, &reason)),
            Ok(reason) => reason,
        };
        let row = self.allow(entry)?;
        let open = RefCell::new(OpenRow { row, reason, sent: 0, received: 0, refusal: None });
        let _running = self.running();
        // A part that is already there was received by an earlier request.
        let mut last = part_length(&download.target);
        let mut result = {
            let ask = |address: &str, refused: Option<&'static str>| {
                let mut open = open.borrow_mut();
                // The first request has its row already.
                if open.sent == 0 && refused.is_none() {
                    open.sent = address.len() as u64;
                    return true;
                }
                let asked = self.next_request(download, consent, address, refused, &mut open);
                // Where the transport refuses, its own error says more.
                asked.map_err(|error| open.refusal = refused.is_none().then_some(error)).is_ok()
            };
            let transfer = Transfer {
                url: &download.url,
                target: &download.target,
                expected_size: download.expected_size,
                sha256: download.sha256.as_deref(),
                ask: &ask,
            };
            let mut count = |now: u64, total: Option<u64>| {
                // Less than before: it began anew.
                open.borrow_mut().received += if now < last { now } else { now - last };
                last = now;
                progress(now, total);
            };
            // Also when the profile forbids it while it runs.
            let stop = || cancel() || self.forbidden(&destination.host).is_some();
            self.transport.download(&transfer, &mut count, &stop)
        };
        let mut open = open.into_inner();
        if let (Err(error), Some(refusal)) = (&mut result, open.refusal.take()) {
            *error = refusal;
        }
        if let Err(error) = &result {
            open.reason = format!("{}; failed: {error}", open.reason);
        }
        open.complete(&self.main)?;
        result
    }

    /// Judges a redirect or a continuation as a request of its own, and writes its row before it goes out.
    fn next_request(
        &self,
        download: &Download,
        consent: Option<&Consent>,
        address: &str,
        refused: Option<&'static str>,
        open: &mut OpenRow,
    ) -> Result<(), ApiError> {
        let unusable = || Destination { host: String::new(), origin: "an address that is not supported".to_owned() };
        let destination = Destination::parse(address).unwrap_or_else(unusable);
        let how = if address == download.url { "continued" } else { "redirected" };
        let verdict = match refused {
            Some(reason) => Err(reason.to_owned()),
            None => self.judge(&destination.host, consent),
        };
        let verdict = verdict.map(|reason| format!("{reason}; {how}")).map_err(|reason| format!("{reason}; {how}"));
        let entry = self.entry(download, &destination, &verdict);
        let reason = match verdict {
            Err(reason) => return Err(self.refuse(entry, &reason)),
            Ok(reason) => reason,
        };
        open.complete(&self.main)?;
        open.row = self.main.write(move |txn| ledger::insert(txn, &entry))?;
        (open.reason, open.sent, open.received) = (reason, address.len() as u64, 0);
        Ok(())
    }

    /// Why it is allowed, or why not.
    fn judge(&self, host: &str, consent: Option<&Consent>) -> Result<String, String> {
        // Before everything else, also before what a person confirmed.
        if let Some(why) = self.forbidden(host) {
            return Err(why);
        }
        if consent.is_some_and(|consent| consent.hosts.iter().any(|allowed| allowed == host)) {
            return Ok("confirmed once by the person".to_owned());
        }
        let local = if host::is_loopback(host) { " (loopback)" } else { "" };
        let policy = self.policy();
        let whose = if policy == self.settings_policy() { "policy" } else { "policy of the profile" };
        match policy {
            NetworkPolicy::All => Ok(format!("{whose}: all{local}")),
            NetworkPolicy::Listed if self.listed_hosts().iter().any(|listed| listed.eq_ignore_ascii_case(host)) => {
                Ok(format!("{whose}: listed{local}"))
            }
            NetworkPolicy::Listed => Err(format!("{whose}: listed, and {host} is not on the list{local}")),
            NetworkPolicy::Nothing if consent.is_some() => {
                Err(format!("{whose}: nothing, and the person confirmed another host{local}"))
            }
            NetworkPolicy::Nothing => Err(format!("{whose}: nothing{local}")),
        }
    }

    /// Why this host is never contacted from here, if it is not.
    fn forbidden(&self, host: &str) -> Option<String> {
        let own = self.own();
        (own.network.forbid_cloud && !host::is_loopback(host))
            .then(|| format!("the profile \"{}\" forbids every call to the cloud", own.name))
    }

    /// The stricter of the settings and the profile.
    fn policy(&self) -> NetworkPolicy {
        let settings = self.settings_policy();
        match self.own().network.policy {
            Some(own) if freedom(own) < freedom(settings) => own,
            _ => settings,
        }
    }

    fn settings_policy(&self) -> NetworkPolicy {
        match self.settings.current().network.policy.as_str() {
            "all" => NetworkPolicy::All,
            "listed" => NetworkPolicy::Listed,
            _ => NetworkPolicy::Nothing,
        }
    }

    /// The hosts that the policy "listed" allows: on the profile's list, or without one on that of the settings; and on
    /// that of the settings too where these say "listed" themselves.
    fn listed_hosts(&self) -> Vec<String> {
        let settings = self.settings.current().network.hosts.clone();
        let own = self.own().network.hosts;
        if own.is_empty() {
            settings
        } else if self.settings_policy() == NetworkPolicy::Listed {
            own.into_iter().filter(|host| settings.iter().any(|listed| listed.eq_ignore_ascii_case(host))).collect()
        } else {
            own
        }
    }

    fn entry(&self, download: &Download, destination: &Destination, verdict: &Result<String, String>) -> LedgerEntry {
        LedgerEntry {
            at: self.clock.now(),
            who: download.who.clone(),
            destination: destination.origin.clone(),
            purpose: download.purpose.clone(),
            allowed: verdict.is_ok(),
            reason: verdict.clone().unwrap_or_else(|reason| reason),
            bytes_sent: 0,
            bytes_received: 0,
            profile: Some(self.profile),
            profile_name: self.own().name,
        }
    }

    /// Writes down that a request goes out, and tells it.
    fn allow(&self, entry: LedgerEntry) -> Result<ledger::LedgerRow, ApiError> {
        let activity = self.activity("network.allowed", &entry);
        let (profile, stored) = (self.profile, activity.clone());
        let row = self.main.write(move |txn| {
            activities::insert(txn, profile, &stored)?;
            ledger::insert(txn, &entry)
        })?;
        self.events.publish(Some(self.profile), Event::ActivityCreated { activity });
        Ok(row)
    }

    fn activity(&self, kind: &str, entry: &LedgerEntry) -> Activity {
        Happening::new(kind, format!("{}: {}", entry.destination, entry.purpose))
            .describe(&entry.reason)
            .with("destination", &entry.destination)
            .with("who", &entry.who)
            .kept(ActivityId(self.ids.next()), entry.at)
    }

    /// Writes the refusal down, tells it, and makes the error of it.
    fn refuse(&self, entry: LedgerEntry, reason: &str) -> ApiError {
        let refusal = ApiError::new(
            ErrorCategory::Authorisation,
            format!("{} was not contacted ({reason})", entry.destination),
            if self.own().network.forbid_cloud {
                "Switch to another profile, or change this one's word on the network."
            } else {
                "Confirm this download, or change the network policy in the settings."
            },
        );
        let activity = self.activity("network.blocked", &entry);
        tracing::warn!(destination = entry.destination, who = entry.who, reason, "a request was refused");
        let (profile, row, stored) = (self.profile, entry, activity.clone());
        let written = self.main.write(move |txn| {
            ledger::insert(txn, &row)?;
            activities::insert(txn, profile, &stored)
        });
        self.publish_status();
        self.events.publish(Some(self.profile), Event::ActivityCreated { activity });
        match written {
            Ok(()) => refusal,
            Err(error) => error.into(),
        }
    }

    pub fn status(&self) -> Result<NetworkStatus, ApiError> {
        let totals = ledger::totals(&self.main)?;
        Ok(NetworkStatus {
            policy: self.policy(),
            forbid_cloud: self.own().network.forbid_cloud,
            hosts: self.listed_hosts(),
            requests_allowed: totals.allowed,
            requests_blocked: totals.blocked,
            bytes_sent: totals.bytes_sent,
            bytes_received: totals.bytes_received,
            active: self.active.load(Ordering::SeqCst) > 0,
        })
    }

    /// Newest first.
    pub fn ledger(&self, page: PageRequest) -> Result<Page<LedgerEntry>, ApiError> {
        Ok(ledger::page(&self.main, page)?)
    }

    /// Tells everybody the policy and the totals.
    pub fn publish_status(&self) {
        match self.status() {
            Ok(status) => self.events.publish(Some(self.profile), Event::NetworkChanged { status }),
            Err(error) => tracing::warn!(%error, "the network totals could not be read"),
        }
    }

    /// Counts as an active transfer until it is dropped.
    fn running(&self) -> Running<'_> {
        self.active.fetch_add(1, Ordering::SeqCst);
        self.publish_status();
        Running(self)
    }
}

fn freedom(policy: NetworkPolicy) -> u8 {
    match policy {
        NetworkPolicy::Nothing => 0,
        NetworkPolicy::Listed => 1,
        NetworkPolicy::All => 2,
    }
}

/// The row of the request that is under way.
struct OpenRow {
    row: ledger::LedgerRow,
    reason: String,
    /// In bytes; 0 before the first request.
    sent: u64,
    received: u64,
    /// Why a later request was refused.
    refusal: Option<ApiError>,
}

impl OpenRow {
    fn complete(&self, main: &Db) -> Result<(), ApiError> {
        Ok(ledger::complete(main, self.row, self.sent, self.received, self.reason.clone())?)
    }
}

struct Running<'a>(&'a Egress);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::SeqCst);
        self.0.publish_status();
    }
}

fn part_length(target: &std::path::Path) -> u64 {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    std::fs::metadata(target.with_file_name(name)).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests;
