//! Time and new ids as things that can be given: the system's, or a test's own.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::model::Timestamp;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The computer's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    pub fn advance_ms(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Makes UUIDv7 ids (RFC 9562): later ones sort after earlier ones, also within a millisecond.
pub struct Ids {
    clock: Arc<dyn Clock>,
    state: Mutex<IdState>,
}

struct IdState {
    last_ms: u64,
    counter: u16,
    random: u64,
}

impl Ids {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        // The random half of a fresh UUID is the seed.
        let seed = Uuid::now_v7().as_u64_pair().1;
        Self::seeded(clock, seed)
    }

    /// The same ids every time, for tests.
    pub fn seeded(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self { clock, state: Mutex::new(IdState { last_ms: 0, counter: 0, random: seed }) }
    }

    pub fn next(&self) -> Uuid {
        let now = u64::try_from(self.clock.now().0).unwrap_or(0);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now > state.last_ms {
            (state.last_ms, state.counter) = (now, 0);
        } else if state.counter == 0x0fff {
            (state.last_ms, state.counter) = (state.last_ms + 1, 0);
        } else {
            state.counter += 1;
        }
        // SplitMix64 (Steele, Lea, Flood 2014).
        state.random = state.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let mut tail = [0; 10];
        tail[..2].copy_from_slice(&state.counter.to_be_bytes());
        tail[2..].copy_from_slice(&mixed.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(state.last_ms, &tail).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_even_while_the_clock_stands_still_or_goes_back() {
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let ids = Ids::seeded(clock.clone(), 1);
        let mut last = ids.next();
        for round in 0..10_000 {
            if round == 5_000 {
                clock.advance_ms(-60_000);
            }
            let next = ids.next();
            assert!(next > last, "{next} after {last}");
            last = next;
        }
        assert_eq!(last.get_version_num(), 7);
    }
}
