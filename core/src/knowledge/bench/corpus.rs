//! Generated text with the word frequencies of natural language (Zipf's law), the same every time.

use crate::storage::knowledge::NewPassage;

const WORDS: usize = 30_000;

pub struct Corpus {
    state: u64,
    words: Vec<String>,
    line: u32,
}

impl Corpus {
    pub fn new(seed: u64) -> Self {
        let mut corpus = Self { state: seed, words: Vec::new(), line: 1 };
        const SYLLABLES: [&str; 24] = [
            "ka", "ren", "mo", "ti", "sul", "ver", "lan", "do", "pi", "cor", "na", "est", "ri", "bel", "un", "gra",
            "fo", "met", "al", "jo", "qui", "zen", "wa", "hy",
        ];
        while corpus.words.len() < WORDS {
            let parts = 2 + corpus.below(3);
            let word: String = (0..parts).map(|_| SYLLABLES[corpus.below(SYLLABLES.len())]).collect();
            corpus.words.push(word);
        }
        corpus
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// The rank falls with 1/rank: the inverse of the logarithm of a uniform number.
    fn word(&mut self) -> &str {
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = ((WORDS as f64).powf(uniform) - 1.0) as usize;
        &self.words[rank.min(WORDS - 1)]
    }

    /// Passages of about 100 words.
    pub fn passages(&mut self, count: u64) -> Vec<NewPassage> {
        (0..count)
            .map(|_| {
                let mut text = String::new();
                for number in 0..100 {
                    if number > 0 {
                        text.push(if number % 14 == 0 { '\n' } else { ' ' });
                    }
                    let word = self.word().to_owned();
                    text.push_str(&word);
                }
                let start_line = self.line;
                self.line += 8;
                NewPassage {
                    symbols: Vec::new(),
                    start_line,
                    end_line: start_line + 7,
                    page: None,
                    heading: Some(self.word().to_owned()),
                    text,
                }
            })
            .collect()
    }

    /// Two to five words, common and rare ones mixed.
    pub fn question(&mut self, number: u64) -> String {
        let words: Vec<String> = (0..2 + number % 4)
            .map(|at| match at % 2 {
                0 => self.word().to_owned(),
                _ => {
                    let at = self.below(WORDS / 4);
                    self.words[at].clone()
                }
            })
            .collect();
        words.join(" ")
    }
}
