//! The response cache: answers by the SHA-256 of what was asked, at hand in memory over a compressed file.

pub mod bench;
mod key;
mod memory;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use key::{Asked, key};
use memory::Memory;

use crate::clock::Clock;
use crate::model::{CacheStats, ProfileId, Timestamp};
use crate::storage::responses::{self, Kept, Key};
use crate::storage::{Db, StorageError};

/// Answers whose uses are written down together.
const USES_AT_ONCE: usize = 256;
/// Hits whose time is remembered.
const TIMES: usize = 1_000;
/// Answers that are brought into memory at the start.
const WARMED: usize = 512;

/// What the settings say of it; read at each question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    pub enabled: bool,
    pub hours: u32,
    /// On disk.
    pub most_bytes: u64,
    pub memory_bytes: u64,
}

/// What the cache works with.
pub struct CacheParts {
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    /// Opens the file at the first use; a damaged one was made anew then.
    pub file: Box<dyn Fn() -> Result<Db, StorageError> + Send + Sync>,
    pub settings: Box<dyn Fn() -> CacheSettings + Send + Sync>,
}

/// Which tier a hit came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    Memory,
    File,
}

/// The cache of one profile.
pub struct ResponseCache {
    parts: CacheParts,
    memory: Mutex<Memory>,
    tally: Mutex<Tally>,
}

/// When answers were last used, and how often since it was last written down.
type Uses = HashMap<Key, (Timestamp, u64)>;

#[derive(Default)]
struct Tally {
    hits: u64,
    misses: u64,
    /// Microseconds of the last hits, the oldest replaced first.
    times: Vec<f64>,
    next: usize,
    /// Uses that are not written down yet.
    uses: Uses,
}

impl Tally {
    fn hit(&mut self, key: Key, at: Timestamp, microseconds: f64) {
        self.hits += 1;
        if self.times.len() < TIMES {
            self.times.push(microseconds);
        } else {
            self.times[self.next] = microseconds;
        }
        self.next = (self.next + 1) % TIMES;
        let known = self.uses.entry(key).or_insert((at, 0));
        *known = (at, known.1 + 1);
    }
}

impl ResponseCache {
    pub fn new(parts: CacheParts) -> Self {
        Self { parts, memory: Mutex::default(), tally: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn profile(&self) -> ProfileId {
        self.parts.profile
    }

    pub fn enabled(&self) -> bool {
        (self.parts.settings)().enabled
    }

    /// The answer that counts still; none also when the file cannot be read: then the model is asked.
    pub fn get(&self, key: &Key) -> Option<(Arc<Kept>, Tier)> {
        let settings = (self.parts.settings)();
        if !settings.enabled {
            return None;
        }
        let begun = Instant::now();
        let now = self.parts.clock.now();
        let found = self.find(key, now, settings);
        let (uses, found) = {
            let mut tally = self.tally();
            match found {
                Some(found) => {
                    tally.hit(*key, now, begun.elapsed().as_secs_f64() * 1e6);
                    let uses = (tally.uses.len() >= USES_AT_ONCE).then(|| std::mem::take(&mut tally.uses));
                    (uses, Some(found))
                }
                None => {
                    tally.misses += 1;
                    (None, None)
                }
            }
        };
        if let Some(uses) = uses {
            self.write_beside(uses);
        }
        found
    }

    /// Writes down uses on a thread of its own: whoever asks waits for no disk.
    fn write_beside(&self, uses: Uses) {
        let Some(db) = self.db() else { return };
        let profile = self.parts.profile;
        let thread = std::thread::Builder::new().name("uses of answers".to_owned());
        if let Err(error) = thread.spawn(move || write_uses(&db, profile, uses)) {
            tracing::warn!(%error, "the last use of stored answers was not written down");
        }
    }

    fn find(&self, key: &Key, now: Timestamp, settings: CacheSettings) -> Option<(Arc<Kept>, Tier)> {
        let lifetime = i64::from(settings.hours).saturating_mul(3_600_000);
        // An answer from the future was stored before the clock was put right: it does not count for ever.
        let counts = |kept: &Kept| (0..lifetime).contains(&(now.0 - kept.stored.0));
        // Of its own, so that the lock is free again below.
        let at_hand = self.memory().get(key);
        if let Some(kept) = at_hand {
            if counts(&kept) {
                return Some((kept, Tier::Memory));
            }
            self.memory().remove(key);
        }
        let db = self.db()?;
        let kept = match responses::get(&db, self.parts.profile, key) {
            Ok(None) => return None,
            Ok(Some(kept)) if counts(&kept) => Arc::new(kept),
            Ok(Some(_too_old)) => {
                self.forget(&db, *key);
                return None;
            }
            Err(error) => {
                tracing::warn!(%error, "a stored answer cannot be read and is removed");
                self.forget(&db, *key);
                return None;
            }
        };
        self.memory().put(*key, kept.clone(), settings.memory_bytes);
        Some((kept, Tier::File))
    }

    fn db(&self) -> Option<Db> {
        (self.parts.file)()
            .inspect_err(|error| tracing::warn!(%error, "the file of stored answers cannot be opened"))
            .ok()
    }

    fn forget(&self, db: &Db, key: Key) {
        if let Err(error) = responses::remove(db, self.parts.profile, vec![key]) {
            tracing::warn!(%error, "a stored answer was not removed");
        }
    }

    /// Has the answer at hand from now on; the file gets it with [`Self::store`].
    pub fn remember(&self, key: Key, kept: &Arc<Kept>) {
        let settings = (self.parts.settings)();
        if settings.enabled && kept.text.len() <= responses::LARGEST {
            self.memory().put(key, kept.clone(), settings.memory_bytes);
        }
    }

    /// Writes the answer to the file. Blocks for a commit.
    pub fn store(&self, key: Key, kept: &Kept) {
        let settings = (self.parts.settings)();
        if !settings.enabled || kept.text.len() > responses::LARGEST {
            return;
        }
        let Some(db) = self.db() else { return };
        match responses::put(&db, self.parts.profile, key, kept, settings.most_bytes) {
            Ok(0) => {}
            Ok(gone) => tracing::debug!(gone, "stored answers had to go for a new one"),
            Err(error) => tracing::warn!(%error, "an answer was not stored"),
        }
    }

    /// Writes down which answers were used. Blocks.
    pub fn flush(&self) {
        let uses = std::mem::take(&mut self.tally().uses);
        if !uses.is_empty()
            && let Some(db) = self.db()
        {
            write_uses(&db, self.parts.profile, uses);
        }
    }

    /// Brings the answers that are used most into memory, and lets go of those that count no longer. Blocks.
    pub fn warm(&self) {
        let settings = (self.parts.settings)();
        if !settings.enabled {
            return;
        }
        let Some(db) = self.db() else { return };
        let now = self.parts.clock.now();
        let before = Timestamp(now.0.saturating_sub(i64::from(settings.hours).saturating_mul(3_600_000)));
        let warmed = responses::prune(&db, before, settings.most_bytes)
            .and_then(|_gone| responses::most_used(&db, self.parts.profile, WARMED));
        let keys = warmed.unwrap_or_else(|error| {
            tracing::warn!(%error, "stored answers were not brought into memory");
            Vec::new()
        });
        // The most used one last: it is the last to go.
        for key in keys.iter().rev() {
            if let Ok(Some(kept)) = responses::get(&db, self.parts.profile, key) {
                self.memory().put(*key, Arc::new(kept), settings.memory_bytes);
            }
        }
    }

    /// Forgets all answers of the profile. Blocks.
    ///
    /// # Errors
    /// What the file says.
    pub fn clear(&self) -> Result<u64, StorageError> {
        self.memory().clear();
        self.tally().uses.clear();
        responses::clear(&(self.parts.file)()?, self.parts.profile)
    }

    /// # Errors
    /// What the file says.
    pub fn stats(&self) -> Result<CacheStats, StorageError> {
        let settings = (self.parts.settings)();
        let totals = responses::totals(&(self.parts.file)()?)?;
        let (memory_entries, memory_bytes) = self.memory().size();
        let tally = self.tally();
        let mut times = tally.times.clone();
        let (hits, misses) = (tally.hits, tally.misses);
        drop(tally);
        times.sort_by(f64::total_cmp);
        Ok(CacheStats {
            enabled: settings.enabled,
            entries: totals.entries,
            bytes: totals.bytes,
            most_bytes: settings.most_bytes,
            memory_entries,
            memory_bytes,
            hits,
            misses,
            hit_p50_us: share(&times, 0.50),
            hit_p99_us: share(&times, 0.99),
            hours: settings.hours,
        })
    }
}

fn write_uses(db: &Db, profile: ProfileId, uses: Uses) {
    let uses = uses.into_iter().map(|(key, (at, count))| (key, at, count)).collect();
    if let Err(error) = responses::used(db, profile, uses) {
        tracing::warn!(%error, "the last use of stored answers was not written down");
    }
}

/// The value below which this share of the sorted measurements lies; 0 without any.
fn share(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of a short list")]
    let place = (last as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
