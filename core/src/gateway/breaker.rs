//! A circuit breaker (Nygard, Release It!, 2007): a server that failed too often in a row is left alone for a while, then
//! tried once.

use crate::model::{ProviderLimits, Timestamp};

/// Whether a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    /// It is, and failed so many times in a row.
    Closed { failures: u32 },
    /// It is not, until then.
    Open { until: Timestamp, failures: u32 },
    /// One call is under way that decides.
    HalfOpen,
}

/// What a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    Opened,
    Closed,
}

impl Breaker {
    pub fn closed() -> Self {
        Self::Closed { failures: 0 }
    }

    /// Until when it is left alone, if it is.
    pub fn resting(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Open { until, .. } if now < *until => Some(*until),
            _ => None,
        }
    }

    /// Lets a call through, or says until when none is. The call that comes first after the pause is the trial: whoever
    /// is let through tells how it went, or that it was given up.
    ///
    /// # Errors
    /// Until when it is left alone; now, while a trial is under way.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        match *self {
            Self::Closed { .. } => Ok(()),
            Self::Open { until, .. } if now < until => Err(until),
            Self::Open { .. } => {
                *self = Self::HalfOpen;
                Ok(())
            }
            Self::HalfOpen => Err(now),
        }
    }

    /// It answered.
    pub fn answered(&mut self) -> Option<Turned> {
        let before = std::mem::replace(self, Self::closed());
        (!matches!(before, Self::Closed { .. })).then_some(Turned::Closed)
    }

    /// It failed in a way that says that it does not work.
    pub fn failed(&mut self, now: Timestamp, limits: &ProviderLimits) -> Option<Turned> {
        let failures = match *self {
            Self::Closed { failures } => failures.saturating_add(1),
            // Calls that began before it opened end after it.
            Self::Open { .. } => return None,
            Self::HalfOpen => limits.breaker_failures.max(1),
        };
        if failures < limits.breaker_failures.max(1) {
            *self = Self::Closed { failures };
            return None;
        }
        let until = Timestamp(now.0.saturating_add(i64::from(limits.breaker_seconds) * 1_000));
        *self = Self::Open { until, failures };
        Some(Turned::Opened)
    }

    /// The call was given up and says nothing: a trial is given back, to whoever comes next.
    pub fn abandoned(&mut self, now: Timestamp) {
        if *self == Self::HalfOpen {
            *self = Self::Open { until: now, failures: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: ProviderLimits = ProviderLimits {
        requests_per_minute: 0,
        tokens_per_minute: 0,
        first_byte_seconds: 30,
        idle_seconds: 60,
        retries: 3,
        health_seconds: 60,
        breaker_failures: 3,
        breaker_seconds: 30,
    };

    #[test]
    fn it_opens_rests_tries_once_and_closes() {
        let mut breaker = Breaker::closed();
        let at = |seconds: i64| Timestamp(seconds * 1_000);
        assert_eq!(breaker.failed(at(0), &LIMITS), None);
        assert_eq!(breaker.failed(at(0), &LIMITS), None);
        assert_eq!(breaker.answered(), None, "an answer in between counts");
        for _ in 0..2 {
            breaker.admit(at(1)).unwrap();
            assert_eq!(breaker.failed(at(1), &LIMITS), None);
        }
        assert_eq!(breaker.failed(at(1), &LIMITS), Some(Turned::Opened));
        assert_eq!(breaker.failed(at(2), &LIMITS), None, "a call that began before");
        assert_eq!(breaker.admit(at(30)), Err(at(31)));
        assert_eq!(breaker.resting(at(30)), Some(at(31)));
        breaker.admit(at(31)).unwrap();
        assert!(breaker.admit(at(31)).is_err(), "one trial at a time");
        assert_eq!(breaker.failed(at(32), &LIMITS), Some(Turned::Opened), "one failure is enough now");
        breaker.admit(at(62)).unwrap();
        breaker.abandoned(at(63));
        breaker.admit(at(63)).unwrap();
        assert_eq!(breaker.answered(), Some(Turned::Closed));
        breaker.admit(at(63)).unwrap();
        breaker.admit(at(63)).unwrap();
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask,
        Answer,
        Fail,
        GiveUp,
        Wait(u16),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Ask),
            2 => Just(Step::Answer),
            4 => Just(Step::Fail),
            1 => Just(Step::GiveUp),
            2 => (0_u16..40_000).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #[test]
        fn never_two_trials_and_never_shut_for_ever(steps in proptest::collection::vec(step(), 0..200)) {
            let (mut breaker, mut now, mut under_way) = (Breaker::closed(), Timestamp(0), 0_u32);
            let mut in_a_row = 0;
            for step in steps {
                match step {
                    Step::Ask => {
                        let was_closed = matches!(breaker, Breaker::Closed { .. });
                        if breaker.admit(now).is_ok() {
                            // A trial is alone: calls from before it opened are not counted here.
                            if !was_closed {
                                under_way = 0;
                            }
                            under_way += 1;
                        }
                        if breaker == Breaker::HalfOpen {
                            prop_assert!(under_way >= 1);
                            let mut copy = breaker;
                            prop_assert!(copy.admit(now).is_err());
                        }
                    }
                    Step::Answer if under_way > 0 => {
                        under_way -= 1;
                        in_a_row = 0;
                        breaker.answered();
                        prop_assert_eq!(breaker, Breaker::closed());
                    }
                    Step::Fail if under_way > 0 => {
                        under_way -= 1;
                        in_a_row += 1;
                        let turned = breaker.failed(now, &LIMITS);
                        prop_assert!(turned != Some(Turned::Closed));
                        if let Breaker::Closed { failures } = breaker {
                            prop_assert!(failures < LIMITS.breaker_failures && failures <= in_a_row);
                        }
                    }
                    Step::GiveUp if under_way > 0 => {
                        under_way -= 1;
                        breaker.abandoned(now);
                    }
                    Step::Wait(ms) => now = Timestamp(now.0 + i64::from(ms)),
                    Step::Answer | Step::Fail | Step::GiveUp => {}
                }
                // After its time, a call is let through: unless one is under way that decides.
                let later = Timestamp(now.0 + 30_000);
                let mut copy = breaker;
                prop_assert!(breaker == Breaker::HalfOpen || copy.admit(later).is_ok());
            }
        }
    }
}
