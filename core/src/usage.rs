//! Usage: calls of models and uses of features, counted in memory and written together; reports, prices, exports.

pub mod export;
pub mod prices;
pub mod report;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::model::{ProfileId, Timestamp, UsageCall};
use crate::storage::usage::Feature;
use crate::storage::{Db, StorageError, usage as stored};

/// Usage older than this goes with the daily clean-up.
pub const DAYS_KEPT: i64 = 400;
/// Calls that wait to be written at most; beyond, the oldest are let go (only a disk that takes nothing brings this).
const MOST_WAITING: usize = 10_000;
const LONGEST_FEATURE: usize = 80;

/// What the settings let be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    pub calls: bool,
    pub features: bool,
}

/// What the log works with.
pub struct UsageParts {
    pub main: Db,
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    pub recording: Box<dyn Fn() -> Recording + Send + Sync>,
}

/// The usage of one profile.
pub struct UsageLog {
    parts: UsageParts,
    waiting: Mutex<Waiting>,
    /// Somebody will write what waits.
    planned: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    calls: Vec<(Timestamp, UsageCall)>,
    features: BTreeMap<String, (u64, Timestamp)>,
}

impl UsageLog {
    pub fn new(parts: UsageParts) -> Self {
        Self { parts, waiting: Mutex::default(), planned: AtomicBool::new(false) }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn recording(&self) -> Recording {
        (self.parts.recording)()
    }

    /// Counts a call. True when the caller is to plan a [`Self::flush`].
    #[must_use]
    pub fn call(&self, call: UsageCall) -> bool {
        if !self.recording().calls {
            return false;
        }
        let mut waiting = self.waiting();
        if waiting.calls.len() >= MOST_WAITING {
            waiting.calls.remove(0);
        }
        waiting.calls.push((self.parts.clock.now(), call));
        !self.planned.swap(true, Ordering::AcqRel)
    }

    /// Counts one use of a feature. True when the caller is to plan a [`Self::flush`]; none for what is no name of one.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<bool> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > LONGEST_FEATURE || !name.chars().all(is_name) {
            return None;
        }
        if !self.recording().features {
            return Some(false);
        }
        let now = self.parts.clock.now();
        let mut waiting = self.waiting();
        let known = waiting.features.entry(name.to_owned()).or_insert((0, now));
        *known = (known.0 + 1, now);
        Some(!self.planned.swap(true, Ordering::AcqRel))
    }

    /// Writes what waits, in one change. Blocks.
    ///
    /// # Errors
    /// What the disk says; what was not written waits on.
    pub fn flush(&self) -> Result<(), StorageError> {
        self.planned.store(false, Ordering::Release);
        let Waiting { calls, features } = std::mem::take(&mut *self.waiting());
        if calls.is_empty() && features.is_empty() {
            return Ok(());
        }
        let rows: Vec<Feature> = features.iter().map(|(name, (count, at))| (name.clone(), *count, *at)).collect();
        stored::add(&self.parts.main, self.parts.profile, calls.clone(), rows).inspect_err(|_not_written| {
            let mut waiting = self.waiting();
            let newer = std::mem::replace(&mut waiting.calls, calls);
            waiting.calls.extend(newer);
            for (name, (count, at)) in features {
                let known = waiting.features.entry(name).or_insert((0, at));
                *known = (known.0 + count, known.1.max(at));
            }
        })
    }

    /// Removes what is older, also of what waits; all for none.
    ///
    /// # Errors
    /// What the disk says.
    pub fn delete(&self, before: Option<Timestamp>) -> Result<u64, StorageError> {
        self.flush()?;
        stored::remove_before(&self.parts.main, self.parts.profile, before.unwrap_or(Timestamp(i64::MAX)))
    }
}

#[cfg(test)]
mod tests;
