//! The best candidates of a search, in order: a sorted array, since there are few hundred at most.

/// Marks a candidate whose neighbours were looked at.
const DONE: u64 = 1 << 31;
const NUMBER: u64 = DONE - 1;

/// Scores become numbers of the same order; those that are no numbers lie at the ends.
fn ordered(score: f32) -> u64 {
    let bits = score.to_bits();
    u64::from(if bits >> 31 == 1 { !bits } else { bits | 1 << 31 })
}

fn score_of(ordered: u64) -> f32 {
    let bits = ordered as u32;
    f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits })
}

/// Candidates are numbers below 2³¹ with a score; the best come first.
#[derive(Default)]
pub(crate) struct Pool {
    entries: Vec<u64>,
    width: usize,
    /// All before it are done.
    cursor: usize,
    /// What a new one must exceed.
    least: f32,
}

impl Pool {
    pub fn start(&mut self, width: usize) {
        self.entries.clear();
        self.width = width.max(1);
        self.entries.reserve(self.width + 1);
        self.cursor = 0;
        self.least = f32::NEG_INFINITY;
    }

    /// What a new candidate must exceed.
    #[inline]
    pub fn least(&self) -> f32 {
        self.least
    }

    #[inline]
    pub fn push(&mut self, number: u32, score: f32) {
        if score <= self.least && self.entries.len() >= self.width {
            return;
        }
        let entry = ordered(score) << 32 | u64::from(number) & NUMBER;
        let at = self.entries.partition_point(|other| other >> 32 >= entry >> 32);
        if self.entries.len() >= self.width {
            if at >= self.width {
                return;
            }
            self.entries.pop();
        }
        self.entries.insert(at, entry);
        self.cursor = self.cursor.min(at);
        if self.entries.len() >= self.width
            && let Some(last) = self.entries.last()
        {
            self.least = score_of(last >> 32);
        }
    }

    /// The best candidate whose neighbours were not looked at yet, and the one after it.
    #[inline]
    pub fn next(&mut self) -> Option<(u32, Option<u32>)> {
        while self.entries.get(self.cursor).is_some_and(|entry| entry & DONE != 0) {
            self.cursor += 1;
        }
        let entry = self.entries.get_mut(self.cursor)?;
        let number = (*entry & NUMBER) as u32;
        *entry |= DONE;
        self.cursor += 1;
        let after = self.entries.get(self.cursor).filter(|entry| **entry & DONE == 0);
        Some((number, after.map(|entry| (entry & NUMBER) as u32)))
    }

    /// All candidates with their scores, best first.
    pub fn iter(&self) -> impl Iterator<Item = (u32, f32)> {
        self.entries.iter().map(|entry| ((entry & NUMBER) as u32, score_of(entry >> 32)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_keeps_the_best(scores in proptest::collection::vec(-10.0_f32..10.0, 0..200), width in 1_usize..40) {
            let mut pool = Pool::default();
            pool.start(width);
            let mut seen = Vec::new();
            for (number, score) in scores.iter().enumerate() {
                pool.push(number as u32, *score);
                if number % 3 == 0 {
                    seen.extend(pool.next().map(|(number, _)| number));
                }
            }
            let mut wanted = scores.clone();
            wanted.sort_by(|a, b| b.total_cmp(a));
            wanted.truncate(width);
            prop_assert_eq!(pool.iter().map(|(_, score)| score).collect::<Vec<_>>(), wanted);
            prop_assert!(pool.iter().all(|(number, score)| scores[number as usize] == score));
            while let Some((number, _)) = pool.next() {
                seen.push(number);
            }
            // Nothing is looked at twice, and nothing that stayed is forgotten.
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(all, seen.len());
            prop_assert!(pool.iter().all(|(number, _)| seen.contains(&number)));
        }
    }

    #[test]
    fn odd_scores_do_no_harm() {
        let mut pool = Pool::default();
        pool.start(3);
        for (number, score) in [f32::NAN, f32::NEG_INFINITY, -0.0, f32::INFINITY, -f32::NAN].into_iter().enumerate() {
            pool.push(number as u32, score);
        }
        assert_eq!(pool.iter().count(), 3);
    }
}
