//! Token buckets: so many requests, or tokens, a minute, and no more than that at once.

use crate::model::Timestamp;

const MINUTE: f64 = 60_000.0;

/// One limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// 0 is no limit.
    per_minute: u32,
    /// What may be taken now; below nothing where more was used than was asked for.
    level: f64,
    at: Timestamp,
}

impl Bucket {
    /// Full.
    pub fn new(per_minute: u32, now: Timestamp) -> Self {
        Self { per_minute, level: f64::from(per_minute), at: now }
    }

    fn refill(&mut self, now: Timestamp) {
        let most = f64::from(self.per_minute);
        // A clock that goes back fills nothing, and is followed.
        let passed = (now.0 - self.at.0).max(0) as f64;
        self.level = (self.level + passed * most / MINUTE).min(most);
        self.at = now;
    }

    /// Takes so much, or says in how many milliseconds it can be had. More than a minute's worth is taken as a minute's.
    ///
    /// # Errors
    /// The time to wait; nothing was taken.
    pub fn take(&mut self, amount: u64, now: Timestamp) -> Result<(), u64> {
        if self.per_minute == 0 {
            return Ok(());
        }
        self.refill(now);
        let amount = (amount as f64).min(f64::from(self.per_minute));
        // What was filled in parts may lack the last bit.
        if self.level + 1e-6 >= amount {
            self.level -= amount;
            return Ok(());
        }
        let lacks = amount - self.level;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some minutes at most")]
        Err(((lacks * MINUTE / f64::from(self.per_minute)).ceil() as u64).max(1))
    }

    /// Puts right what was taken before it was known how much it would be.
    pub fn settle(&mut self, taken: u64, used: u64, now: Timestamp) {
        if self.per_minute == 0 {
            return;
        }
        self.refill(now);
        let most = f64::from(self.per_minute);
        let taken = (taken as f64).min(most);
        self.level = (self.level + taken - used as f64).clamp(-most, most);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_minute_has_its_number_and_then_they_come_one_by_one() {
        let mut bucket = Bucket::new(3, Timestamp(0));
        for _ in 0..3 {
            bucket.take(1, Timestamp(0)).unwrap();
        }
        assert_eq!(bucket.take(1, Timestamp(0)), Err(20_000));
        assert_eq!(bucket.take(1, Timestamp(15_000)), Err(5_000));
        bucket.take(1, Timestamp(20_000)).unwrap();
        assert_eq!(Bucket::new(0, Timestamp(0)).take(u64::MAX, Timestamp(0)), Ok(()), "no limit");
    }

    #[test]
    fn what_was_not_used_is_given_back_and_what_was_used_beyond_is_owed() {
        let mut bucket = Bucket::new(600, Timestamp(0));
        bucket.take(600, Timestamp(0)).unwrap();
        bucket.settle(600, 100, Timestamp(0));
        bucket.take(500, Timestamp(0)).unwrap();
        bucket.settle(500, 800, Timestamp(0));
        assert_eq!(bucket.take(1, Timestamp(0)), Err(30_100));
        bucket.take(5_000, Timestamp(90_100)).unwrap();
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_a_full_bucket_and_its_filling(
            per_minute in 1_u32..200,
            steps in proptest::collection::vec((0_u16..5_000, 1_u8..20), 1..200),
        ) {
            let (mut bucket, mut now) = (Bucket::new(per_minute, Timestamp(0)), 0_i64);
            let mut taken: Vec<(i64, u64)> = Vec::new();
            for (wait, amount) in steps {
                now += i64::from(wait);
                let amount = u64::from(amount).min(u64::from(per_minute));
                match bucket.take(amount, Timestamp(now)) {
                    Ok(()) => taken.push((now, amount)),
                    Err(ms) => {
                        prop_assert!(ms > 0 && ms <= 60_001);
                        // It can be had then, when nobody else takes.
                        prop_assert!(bucket.clone().take(amount, Timestamp(now + i64::try_from(ms).unwrap())).is_ok());
                    }
                }
            }
            for (start, _) in &taken {
                let sum: u64 = taken.iter().filter(|(at, _)| (*start..start + 60_000).contains(at)).map(|(_, n)| n).sum();
                prop_assert!(sum <= 2 * u64::from(per_minute), "{sum} in a minute");
            }
        }
    }
}
