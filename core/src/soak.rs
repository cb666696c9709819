//! What the long tests of this crate share: whether they are wanted, from which seed, and the line that is counted.

/// The long counts are wanted (`cargo xtask soak`).
pub fn wanted() -> bool {
    std::env::var_os("RSPA_SOAK").is_some_and(|value| value == "1")
}

/// `long` when the long counts are wanted, else `short`.
pub fn count(short: usize, long: usize) -> usize {
    if wanted() { long } else { short }
}

/// `RSPA_SEED`, else the usual one, so that each everyday run is the same.
pub fn seed(usual: u64) -> u64 {
    std::env::var("RSPA_SEED").map_or(usual, |text| text.parse().expect("RSPA_SEED is a whole number"))
}

/// Says what was done; `cargo xtask soak` adds these lines up.
pub fn report(what: &str, count: usize, seed: u64) {
    println!("soak: {what} {count} seed {seed}");
}

/// Numbers that follow from a seed (`SplitMix64`; Steele, Lea, Flood 2014).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    /// Bytes of any kind, fewer than `end`.
    pub fn bytes(&mut self, end: usize) -> Vec<u8> {
        (0..self.below(end)).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// Changes a few bytes: turned over, put in, taken out, cut off, repeated.
    pub fn harm(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 => bytes.insert(at, self.next().to_le_bytes()[0]),
                1 => bytes.truncate(at),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => {
                    let piece: Vec<u8> = bytes[at..].iter().copied().take(self.below(32)).collect();
                    bytes.splice(at..at, piece);
                }
                // Lengths and kinds of values are often these.
                4 if at < bytes.len() => bytes[at] = [0, 0x7f, 0x80, 0xc4, 0xdb, 0xdd, 0xdf, 0xff][self.below(8)],
                _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => {}
            }
        }
    }
}
