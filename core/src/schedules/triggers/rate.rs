//! How often one trigger may make a task: what comes sooner is joined to the next one.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Timestamp;

const BETWEEN_MS: i64 = 1_000;
const HOUR_MS: i64 = 3_600_000;
const AN_HOUR: usize = 60;

#[derive(Default)]
pub(super) struct Rate {
    fired: VecDeque<i64>,
}

impl Rate {
    /// How long to wait; none when it may fire now.
    pub fn wait(&mut self, now: Timestamp) -> Option<Duration> {
        // What lies in the future was counted by a clock that went back since.
        self.fired.retain(|at| *at > now.0 - HOUR_MS && *at <= now.0);
        let last = self.fired.back()? + BETWEEN_MS - now.0;
        let hour = match self.fired.len() >= AN_HOUR {
            true => self.fired.front()? + HOUR_MS - now.0,
            false => 0,
        };
        let wait = u64::try_from(last.max(hour)).ok().filter(|wait| *wait > 0)?;
        Some(Duration::from_millis(wait))
    }

    pub fn fired(&mut self, now: Timestamp) {
        self.fired.push_back(now.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_second_and_sixty_times_an_hour() {
        let mut rate = Rate::default();
        let mut now = 1_000_000;
        for _ in 0..AN_HOUR {
            assert_eq!(rate.wait(Timestamp(now)), None);
            rate.fired(Timestamp(now));
            if rate.fired.len() < AN_HOUR {
                assert_eq!(rate.wait(Timestamp(now + 400)), Some(Duration::from_millis(600)));
            }
            now += 1_000;
        }
        assert_eq!(rate.wait(Timestamp(now)), Some(Duration::from_secs(3_540)));
        assert_eq!(rate.wait(Timestamp(now + 3_540_000)), None);
        // The clock went back: nobody waits for what has not been.
        assert_eq!(rate.wait(Timestamp(0)), None);
    }
}
