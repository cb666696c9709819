//! How long a failed task pauses before its next try.

/// The longest pause, before it is spread.
const LONGEST_MS: i64 = 3_600_000;

/// Milliseconds before this retry, from 1: `base_s`, each further one twice as long, an hour at most, and up to a tenth
/// more as `random` says, so that what failed together is not tried together.
pub fn pause_ms(base_s: u32, retry: u32, random: u64) -> i64 {
    let doublings = retry.saturating_sub(1).min(32);
    let pause = (i64::from(base_s) * 1_000).saturating_mul(1 << doublings).min(LONGEST_MS);
    let spread = i64::try_from(random % 1_001).unwrap_or(0);
    pause + pause * spread / 10_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let plain: Vec<i64> = (1..=12).map(|retry| pause_ms(5, retry, 0) / 1_000).collect();
        assert_eq!(plain, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]);
        assert_eq!(pause_ms(3_600, u32::MAX, 0), LONGEST_MS);
    }

    proptest::proptest! {
        #[test]
        fn a_pause_is_spread_by_a_tenth_at_most(base in 1_u32..=3_600, retry in 1_u32.., random: u64) {
            let (plain, spread) = (pause_ms(base, retry, 0), pause_ms(base, retry, random));
            proptest::prop_assert!(plain <= spread && spread <= plain + plain / 10);
        }
    }
}
