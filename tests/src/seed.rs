//! Chance that can be repeated: a seed that is printed, `RSPA_SEED` to take it again, `RSPA_SOAK=1` for the long counts.

/// Numbers that follow from a seed (`SplitMix64`; Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From nothing up to, but not including, `limit`; nothing when the limit is nothing.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).expect("a size fits");
        usize::try_from(self.number() % limit).expect("less than a size is a size")
    }

    /// One of these.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// The long counts are wanted.
pub fn soaking() -> bool {
    std::env::var_os("RSPA_SOAK").is_some_and(|value| value == "1")
}

/// `long` under `cargo xtask soak`, else `short`.
pub fn count(short: usize, long: usize) -> usize {
    if soaking() { long } else { short }
}

/// `RSPA_SEED`, or a fixed number, so that each run of the everyday tests is the same.
///
/// # Panics
/// When `RSPA_SEED` is no number.
pub fn seed() -> u64 {
    const USUAL: u64 = 20_261_120;
    std::env::var("RSPA_SEED").map_or(USUAL, |text| text.parse().expect("RSPA_SEED is a whole number"))
}

/// Tells `cargo xtask soak` what was done; it adds these lines up.
pub fn report(what: &str, count: usize, seed: u64) {
    println!("soak: {what} {count} seed {seed}");
}
