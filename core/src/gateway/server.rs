//! One server: asked with patience, within its limits, left alone when it fails too often; and how it is doing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rspa_ml::Cancel;

use super::breaker::{Breaker, Turned};
use super::limiter::Bucket;
use super::pace::{Pace, pause};
use crate::api::{ApiError, ErrorCategory};
use crate::inference::provider::{FaultKind, Provider, ProviderFault};
use crate::model::{Happening, ProviderDraft, ProviderId, ProviderModel, ProviderState, ProviderStatus, Timestamp};

/// Longer than this no call waits for our own limits.
const OUR_PATIENCE: Duration = Duration::from_secs(10);
/// A list of models counts for so long.
const LIST_MS: i64 = 5 * 60_000;
/// What a server says of a model counts for so long, where it is well.
const INFO_MS: i64 = 60 * 60_000;
/// Models that are remembered with what was said of them.
const MOST_INFOS: usize = 1_000;
/// A server that says no time is left alone for so long after it said that there were too many requests.
const LIMITED: Duration = Duration::from_secs(10);

/// What a server is worked with; all of a profile share it.
pub struct ServerParts {
    pub pace: Arc<dyn Pace>,
    /// With its key, read at each use.
    #[expect(clippy::type_complexity, reason = "one closure")]
    pub open: Box<dyn Fn(&ProviderDraft) -> Result<Box<dyn Provider>, ApiError> + Send + Sync>,
    pub has_key: Box<dyn Fn(&ProviderDraft) -> bool + Send + Sync>,
    /// A server is in another state.
    pub changed: Box<dyn Fn() + Send + Sync>,
    pub happened: Box<dyn Fn(Happening) + Send + Sync>,
}

pub struct Server {
    draft: ProviderDraft,
    parts: Arc<ServerParts>,
    condition: Mutex<Condition>,
}

struct Condition {
    breaker: Breaker,
    requests: Bucket,
    tokens: Bucket,
    limited: Option<(Timestamp, String)>,
    /// As the last call or check found it.
    health: ProviderState,
    checked: Option<Timestamp>,
    latency_ms: Option<f64>,
    last_fault: String,
    list: Option<(Timestamp, Vec<ProviderModel>)>,
    infos: BTreeMap<String, (Timestamp, ProviderModel)>,
    asked: u64,
    failures: u64,
    retries: u64,
}

/// A call that was let through; dropped without an end, it says nothing of the server.
struct Permit<'a>(Option<&'a Server>);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(server) = self.0 {
            let now = server.parts.pace.now();
            server.condition().breaker.abandoned(now);
        }
    }
}

impl Server {
    pub fn new(draft: ProviderDraft, parts: Arc<ServerParts>) -> Self {
        let now = parts.pace.now();
        let limits = draft.limits;
        let condition = Condition {
            breaker: Breaker::closed(),
            requests: Bucket::new(limits.requests_per_minute, now),
            tokens: Bucket::new(limits.tokens_per_minute, now),
            limited: None,
            health: ProviderState::Unknown,
            checked: None,
            latency_ms: None,
            last_fault: String::new(),
            list: None,
            infos: BTreeMap::new(),
            asked: 0,
            failures: 0,
            retries: 0,
        };
        Self { draft, parts, condition: Mutex::new(condition) }
    }

    fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn id(&self) -> ProviderId {
        ProviderId(self.draft.id.clone())
    }

    pub fn draft(&self) -> &ProviderDraft {
        &self.draft
    }

    pub fn state(&self) -> ProviderState {
        self.state_of(&self.condition(), self.parts.pace.now())
    }

    fn state_of(&self, condition: &Condition, now: Timestamp) -> ProviderState {
        if !self.draft.enabled {
            return ProviderState::Disabled;
        }
        if let Some(until) = condition.breaker.resting(now) {
            return ProviderState::Resting { until, why: condition.last_fault.clone() };
        }
        match &condition.limited {
            Some((until, why)) if now < *until => ProviderState::Limited { until: *until, why: why.clone() },
            _ => condition.health.clone(),
        }
    }

    pub fn status(&self) -> ProviderStatus {
        let has_key = (self.parts.has_key)(&self.draft);
        let condition = self.condition();
        ProviderStatus {
            id: self.id(),
            settings: self.draft.clone(),
            state: self.state_of(&condition, self.parts.pace.now()),
            checked: condition.checked,
            latency_ms: condition.latency_ms,
            has_key,
            models: condition.list.as_ref().map_or(0, |(_, list)| u32::try_from(list.len()).unwrap_or(u32::MAX)),
            requests: condition.asked,
            failures: condition.failures,
            retries: condition.retries,
        }
    }

    /// Why a rule passes it over now, if it does. What a check found counts for its time; then it is worth a try again.
    pub fn unusable(&self) -> Option<String> {
        let now = self.parts.pace.now();
        let condition = self.condition();
        let state = self.state_of(&condition, now);
        let lasting =
            matches!(state, ProviderState::Disabled | ProviderState::Resting { .. } | ProviderState::Limited { .. });
        let fresh = self.is_fresh(&condition, now);
        // What our own policy forbids costs nothing to ask again, and may be allowed by now.
        let ours = matches!(state, ProviderState::Forbidden { .. });
        (!state.usable() && !ours && (lasting || fresh)).then(|| words(&self.draft.name, &state, now))
    }

    fn is_fresh(&self, condition: &Condition, now: Timestamp) -> bool {
        let counts = i64::from(self.draft.limits.health_seconds) * 1_000;
        condition.checked.is_some_and(|checked| (0..counts).contains(&(now.0 - checked.0)))
    }

    /// Changes the condition, and tells when the state is another one then.
    fn change<T>(&self, change: impl FnOnce(&mut Condition, Timestamp) -> T) -> T {
        let now = self.parts.pace.now();
        let mut condition = self.condition();
        let before = std::mem::discriminant(&self.state_of(&condition, now));
        let result = change(&mut condition, now);
        let after = std::mem::discriminant(&self.state_of(&condition, now));
        drop(condition);
        if before != after {
            (self.parts.changed)();
        }
        result
    }

    /// Opens it with its key.
    fn open(&self) -> Result<Box<dyn Provider>, ProviderFault> {
        (self.parts.open)(&self.draft).map_err(|error| {
            let kind = match error.category {
                ErrorCategory::Validation => FaultKind::Refused,
                _ => FaultKind::Unauthorised,
            };
            ProviderFault::new(kind, error.message)
        })
    }

    /// Lets a call through, after a little waiting where our own limits ask for it.
    fn admit(&self, tokens: u64, cancel: &Cancel) -> Result<Permit<'_>, ProviderFault> {
        let mut waited = Duration::ZERO;
        loop {
            let refused = self.change(|condition, now| {
                let state = self.state_of(condition, now);
                match &state {
                    ProviderState::Disabled => {
                        return Err(Err(ProviderFault::new(FaultKind::Refused, words(&self.draft.name, &state, now))));
                    }
                    ProviderState::Resting { .. } => {
                        let words = words(&self.draft.name, &state, now);
                        return Err(Err(ProviderFault::new(FaultKind::Unreachable, words)));
                    }
                    ProviderState::Limited { until, .. } => {
                        let left = Duration::from_millis(u64::try_from(until.0 - now.0).unwrap_or(0));
                        return Err(Ok((left, words(&self.draft.name, &state, now))));
                    }
                    _ => {}
                }
                let ours = "our limit for it is reached";
                let limit = |ms: u64| Err(Ok((Duration::from_millis(ms), format!("{}: {ours}", self.draft.name))));
                if let Err(ms) = condition.requests.take(1, now) {
                    return limit(ms);
                }
                if let Err(ms) = condition.tokens.take(tokens, now) {
                    condition.requests.settle(1, 0, now);
                    return limit(ms);
                }
                if condition.breaker.admit(now).is_err() {
                    condition.requests.settle(1, 0, now);
                    condition.tokens.settle(tokens, 0, now);
                    let words = format!("{} is just being tried by another call", self.draft.name);
                    return Err(Err(ProviderFault::new(FaultKind::Unreachable, words)));
                }
                condition.asked += 1;
                Ok(())
            });
            let (left, words) = match refused {
                Ok(()) => return Ok(Permit(Some(self))),
                Err(Err(fault)) => return Err(fault),
                Err(Ok(wait)) => wait,
            };
            if waited + left > OUR_PATIENCE {
                let until = Timestamp(self.parts.pace.now().0 + i64::try_from(left.as_millis()).unwrap_or(0));
                self.change(|condition, _now| condition.limited = Some((until, words.clone())));
                let message = format!("{words}: {} seconds are left", left.as_secs().max(1));
                return Err(ProviderFault::new(FaultKind::Limited { retry_after: Some(left) }, message));
            }
            waited += left.max(Duration::from_millis(1));
            if !self.parts.pace.wait(left, cancel) {
                return Err(ProviderFault::new(FaultKind::Cancelled, "stopped"));
            }
        }
    }

    /// Asks it, again where that is worth it and nothing was told yet. `tokens` is what the call may use.
    ///
    /// # Errors
    /// The last fault.
    pub fn call<T>(
        &self,
        tokens: u64,
        retries: u32,
        cancel: &Cancel,
        ask: &mut dyn FnMut(&dyn Provider) -> Result<T, ProviderFault>,
    ) -> Result<T, ProviderFault> {
        let (mut tries, mut last) = (0, None::<ProviderFault>);
        loop {
            let permit = match (self.admit(tokens, cancel), last.take()) {
                (Ok(permit), _) => permit,
                // What went wrong says more than that it is left alone for that now.
                (Err(refused), Some(fault)) if refused.kind != FaultKind::Cancelled => return Err(fault),
                (Err(refused), _) => return Err(refused),
            };
            let begun = Instant::now();
            let result = self.open().and_then(|provider| ask(provider.as_ref()));
            self.ended(permit, result.as_ref().err(), begun.elapsed());
            let fault = match result {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            if fault.kind != FaultKind::Cancelled {
                // Nothing was used.
                self.settle(tokens, 0);
            }
            tries += 1;
            if tries > retries || !fault.worth_retrying() {
                return Err(fault);
            }
            let Some(wait) = pause(tries, self.parts.pace.random(), fault.retry_after()) else { return Err(fault) };
            if !self.parts.pace.wait(wait, cancel) {
                return Err(ProviderFault::new(FaultKind::Cancelled, "stopped"));
            }
            self.condition().retries += 1;
            last = Some(fault);
        }
    }

    /// Puts right how many tokens a call used.
    pub fn settle(&self, taken: u64, used: u64) {
        let now = self.parts.pace.now();
        self.condition().tokens.settle(taken, used, now);
    }

    /// Notes how a call ended.
    fn ended(&self, mut permit: Permit<'_>, fault: Option<&ProviderFault>, took: Duration) {
        if fault.is_some_and(|fault| fault.kind == FaultKind::Cancelled) {
            // The permit gives a trial back.
            return;
        }
        permit.0 = None;
        let limits = self.draft.limits;
        let turned = self.change(|condition, now| {
            condition.checked = Some(now);
            let Some(fault) = fault else {
                condition.health = ProviderState::Ready;
                condition.limited = None;
                return condition.breaker.answered();
            };
            condition.failures += 1;
            let why = fault.message.clone();
            let works = match &fault.kind {
                FaultKind::Unreachable | FaultKind::Timeout | FaultKind::BadAnswer => Some(false),
                FaultKind::Server(status) => Some(*status < 500),
                FaultKind::Forbidden | FaultKind::Cancelled => None,
                FaultKind::Unauthorised
                | FaultKind::Limited { .. }
                | FaultKind::NotFound
                | FaultKind::TooLong
                | FaultKind::Refused => Some(true),
            };
            match &fault.kind {
                FaultKind::Unauthorised => condition.health = ProviderState::Unauthorised { why: why.clone() },
                FaultKind::Forbidden => condition.health = ProviderState::Forbidden { why: why.clone() },
                FaultKind::Limited { retry_after } => {
                    let wait = retry_after.unwrap_or(LIMITED);
                    let until = now.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                    condition.health = ProviderState::Ready;
                    // The retries of this call wait by themselves.
                    if !fault.worth_retrying() || wait > OUR_PATIENCE {
                        condition.limited = Some((Timestamp(until), why.clone()));
                    }
                }
                _ if works == Some(false) => condition.health = ProviderState::Unreachable { why: why.clone() },
                _ => {}
            }
            condition.last_fault = why;
            match works {
                Some(true) => condition.breaker.answered(),
                Some(false) => condition.breaker.failed(now, &limits),
                None => {
                    condition.breaker.abandoned(now);
                    None
                }
            }
        });
        let name = &self.draft.name;
        tracing::debug!(provider = self.draft.id, ms = took.as_millis(), ok = fault.is_none(), "a provider was asked");
        match turned {
            Some(Turned::Opened) => {
                let seconds = limits.breaker_seconds;
                let happening = Happening::new("provider.resting", format!("{name} is left alone for {seconds} s"));
                let why = fault.map(|fault| fault.message.clone()).unwrap_or_default();
                (self.parts.happened)(happening.describe(why).with("provider", &self.draft.id));
            }
            Some(Turned::Closed) => {
                let happening = Happening::new("provider.recovered", format!("{name} answers again"));
                (self.parts.happened)(happening.with("provider", &self.draft.id));
            }
            None => {}
        }
    }

    /// Asks it how it is, now, whatever is cached and even while it is left alone; a switched off one is not asked.
    pub fn check(&self, cancel: &Cancel) -> ProviderStatus {
        if self.draft.enabled {
            let begun = Instant::now();
            self.condition().asked += 1;
            let result = self.open().and_then(|provider| provider.health(cancel));
            let took = begun.elapsed();
            if result.is_ok() {
                self.condition().latency_ms = Some(took.as_secs_f64() * 1_000.0);
            }
            // It is its own trial: nobody gave it a permit.
            self.ended(Permit(None), result.as_ref().err(), took);
        }
        self.status()
    }

    /// As it lists them; from memory while that is fresh enough.
    ///
    /// # Errors
    /// The fault of asking.
    pub fn models(&self, fresh: bool, cancel: &Cancel) -> Result<Vec<ProviderModel>, ProviderFault> {
        let now = self.parts.pace.now();
        if !fresh
            && let Some((at, list)) = &self.condition().list
            && (0..LIST_MS).contains(&(now.0 - at.0))
        {
            return Ok(list.clone());
        }
        let list = self.call(0, 1, cancel, &mut |provider| provider.list_models(cancel))?;
        let mut condition = self.condition();
        condition.list = Some((self.parts.pace.now(), list.clone()));
        drop(condition);
        Ok(list)
    }

    /// Its lists are out of date.
    pub fn forget_models(&self) {
        let mut condition = self.condition();
        condition.list = None;
        condition.infos.clear();
    }

    /// What it says about one model; from memory while the server was lately well.
    ///
    /// # Errors
    /// The fault of asking.
    pub fn info(&self, name: &str, fresh: bool, cancel: &Cancel) -> Result<ProviderModel, ProviderFault> {
        let now = self.parts.pace.now();
        {
            let condition = self.condition();
            let well = condition.health == ProviderState::Ready && self.is_fresh(&condition, now);
            let known = condition.infos.get(name).filter(|(at, _)| (0..INFO_MS).contains(&(now.0 - at.0)));
            if let Some((_, info)) = known.filter(|_| well && !fresh) {
                return Ok(info.clone());
            }
        }
        let info = self.call(0, 1, cancel, &mut |provider| provider.model_info(name, cancel))?;
        let mut condition = self.condition();
        if condition.infos.len() >= MOST_INFOS {
            condition.infos.clear();
        }
        condition.infos.insert(name.to_owned(), (self.parts.pace.now(), info.clone()));
        Ok(info)
    }
}

/// A state that stands in the way, in words.
fn words(name: &str, state: &ProviderState, now: Timestamp) -> String {
    let left = |until: &Timestamp| (until.0 - now.0).max(0).div_euclid(1_000) + 1;
    match state {
        ProviderState::Unknown | ProviderState::Ready => format!("{name} is ready"),
        ProviderState::Disabled => format!("{name} is switched off"),
        ProviderState::Forbidden { why } | ProviderState::Unreachable { why } | ProviderState::Unauthorised { why } => {
            format!("{name}: {why}")
        }
        ProviderState::Limited { until, why } => format!("{why} (for {} s)", left(until)),
        ProviderState::Resting { until, why } => {
            format!("{name} failed too often and is left alone for {} s: {why}", left(until))
        }
    }
}

#[cfg(test)]
mod tests;
