//! Wrong passphrases: counted where a restart does not forget them, and a time during which none is tried.

use crate::storage::credentials::Attempts;

/// Counts down what is left of a lockout. `now` is the computer's clock in milliseconds; `steady` is how long ago this
/// process looked last by a clock that cannot be set, none when it has not looked yet.
///
/// A clock that was set back counts nothing but what the steady clock saw; one that was set forward while the program
/// runs counts no more than that either.
pub(super) fn settle(attempts: Attempts, now: i64, steady: Option<i64>) -> Attempts {
    let by_clock = now.saturating_sub(attempts.seen);
    let passed = match (by_clock < 0, steady) {
        (true, steady) => steady.unwrap_or(0),
        (false, Some(steady)) => by_clock.min(steady),
        (false, None) => by_clock,
    };
    Attempts { left_ms: attempts.left_ms.saturating_sub(passed).max(0), seen: now, ..attempts }
}

/// Counts one more wrong passphrase; the last one that is allowed begins a lockout.
pub(super) fn fail(attempts: Attempts, now: i64, allowed: u32, lockout_ms: i64) -> Attempts {
    let failures = attempts.failures.saturating_add(1);
    if failures >= allowed {
        Attempts { failures: 0, left_ms: lockout_ms, seen: now }
    } else {
        Attempts { failures, left_ms: 0, seen: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKED: Attempts = Attempts { failures: 0, left_ms: 60_000, seen: 1_000_000 };

    #[test]
    fn time_that_passes_shortens_a_lockout_and_a_changed_clock_does_not() {
        assert_eq!(settle(LOCKED, 1_020_000, None).left_ms, 40_000);
        assert_eq!(settle(LOCKED, 1_020_000, Some(20_000)).left_ms, 40_000);
        // Set back by an hour: after a restart nothing counts, in the same process the steady clock does.
        let back = settle(LOCKED, 1_000_000 - 3_600_000, None);
        assert_eq!(back.left_ms, 60_000);
        assert_eq!(settle(back, back.seen + 10_000, None).left_ms, 50_000);
        assert_eq!(settle(LOCKED, 1_000_000 - 3_600_000, Some(5_000)).left_ms, 55_000);
        // Set forward by a day while the program runs.
        assert_eq!(settle(LOCKED, 1_000_000 + 86_400_000, Some(5_000)).left_ms, 55_000);
        assert_eq!(settle(LOCKED, i64::MAX, None).left_ms, 0);
        assert_eq!(settle(LOCKED, i64::MIN, None).left_ms, 60_000);
    }

    #[test]
    fn the_last_wrong_one_locks() {
        let mut attempts = Attempts::default();
        for expected in [1, 2] {
            attempts = fail(attempts, 5, 3, 900);
            assert_eq!((attempts.failures, attempts.left_ms), (expected, 0));
        }
        attempts = fail(attempts, 5, 3, 900);
        assert_eq!((attempts.failures, attempts.left_ms), (0, 900));
    }
}
