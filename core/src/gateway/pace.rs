//! Time, chance and waiting as things that can be given; and how long to wait before another try.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;

use crate::clock::{Clock, Ids};
use crate::model::Timestamp;

/// Of the first retry; each further one may take twice as long.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);
/// A server that asks for more patience than this is not waited for.
pub const MOST_PATIENCE: Duration = Duration::from_secs(60);

pub trait Pace: Send + Sync {
    fn now(&self) -> Timestamp;

    /// From 0 up to 1, evenly.
    fn random(&self) -> f64;

    /// Waits; false when it was cancelled meanwhile.
    fn wait(&self, time: Duration, cancel: &Cancel) -> bool;
}

/// Real time.
pub struct SystemPace {
    clock: Arc<dyn Clock>,
    ids: Ids,
}

impl SystemPace {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let ids = Ids::new(clock.clone());
        Self { clock, ids }
    }
}

impl Pace for SystemPace {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn random(&self) -> f64 {
        // The last 48 bits of an id are random.
        (self.ids.next().as_u64_pair().1 & 0xffff_ffff_ffff) as f64 / (1_u64 << 48) as f64
    }

    fn wait(&self, time: Duration, cancel: &Cancel) -> bool {
        // A cancellation wakes nobody, so it is looked at in between.
        const SLICE: Duration = Duration::from_millis(20);
        let end = Instant::now() + time;
        loop {
            if cancel.is_cancelled() {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "a cancellation wakes nobody, so there is nothing to wait on"
            )]
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// How long to wait before the try after `tries` failed ones: exponential backoff with full jitter (Brooker, "Exponential
/// Backoff and Jitter", AWS 2015), never less than the server asks for; none when it asks for too much.
pub fn pause(tries: u32, random: f64, retry_after: Option<Duration>) -> Option<Duration> {
    let most = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    let jittered = most.mul_f64(random.clamp(0.0, 1.0));
    match retry_after {
        Some(asked) if asked > MOST_PATIENCE => None,
        Some(asked) => Some(asked + jittered.min(FIRST)),
        None => Some(jittered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn pauses_grow_are_spread_and_heed_the_server() {
        let second = Duration::from_secs(1);
        assert_eq!(pause(1, 1.0, None), Some(Duration::from_millis(500)));
        assert_eq!(pause(2, 1.0, None), Some(second));
        assert_eq!(pause(3, 0.5, None), Some(second));
        assert_eq!(pause(3, 0.0, None), Some(Duration::ZERO));
        assert_eq!(pause(40, 1.0, None), Some(LONGEST));
        assert_eq!(pause(1, 0.5, Some(7 * second)), Some(7 * second + second / 4));
        assert_eq!(pause(1, 0.5, Some(61 * second)), None);
    }

    #[test]
    fn chance_is_even_and_waiting_ends_when_it_is_cancelled() {
        let pace = SystemPace::new(Arc::new(SystemClock));
        let many: Vec<f64> = (0..1_000).map(|_| pace.random()).collect();
        let mean = many.iter().sum::<f64>() / 1_000.0;
        assert!((0.45..0.55).contains(&mean) && many.iter().all(|value| (0.0..1.0).contains(value)), "{mean}");
        let cancel = Cancel::new();
        assert!(pace.wait(Duration::ZERO, &cancel));
        cancel.cancel();
        assert!(!pace.wait(Duration::from_secs(3_600), &cancel));
    }
}
