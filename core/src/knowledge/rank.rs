//! Puts the candidates of all stages into their last order: each gets features (how its words, names and meaning fit the
//! question), and learned weights turn them into one score.
//!
//! Stages find candidates fast over everything; here a few hundred are looked at closely, as they are stored.

pub mod weights;

use std::collections::{HashMap, HashSet};

use super::keyword::query::{Question, spaced};
use super::keyword::signatures;
use super::words::words;
use crate::model::{DocumentKind, Passage};

/// What a passage is judged by.
pub const FEATURES: usize = 18;
/// Place of the late interaction among the features: known of those that were compared closely, else 0.
pub const LATE: usize = 17;
/// Names of the features, in their order: what `rspa bench retrieval --features` writes and the learner reads.
pub const NAMES: [&str; FEATURES] = [
    "text",
    "symbols",
    "signature",
    "heading",
    "path",
    "lexicon_symbols",
    "lexicon_signature",
    "coverage",
    "name_precision",
    "name_coverage",
    "identifier",
    "test",
    "length",
    "fused",
    "static",
    "encoder",
    "code",
    "late",
];

/// One passage as a candidate.
pub struct Candidate<'a> {
    pub passage: &'a Passage,
    /// Within its source.
    pub path: &'a str,
    /// Fused score of the stages, 0 to 1.
    pub fused: f32,
    pub static_cosine: Option<f32>,
    pub encoder_cosine: Option<f32>,
}

/// How frequent words are: what makes one tell more than another.
pub struct Frequencies {
    /// Passages of the whole index.
    pub passages: u64,
    /// Passages that hold the word, for each word of the question and of its translations.
    pub of: HashMap<String, u64>,
}

impl Frequencies {
    /// Inverse document frequency as in BM25.
    fn weight(&self, word: &str) -> f32 {
        let (all, with) = (self.passages as f32, self.of.get(word).copied().unwrap_or(0) as f32);
        (1.0 + (all - with + 0.5).max(0.5) / (with + 0.5)).ln()
    }
}

/// Saturation and length normalisation of BM25, as in each field of the keyword index.
const K1: f32 = 1.2;
/// Usual words of a passage, of its heading and the like. Constants, so that a passage's features do not depend on others.
const TEXT_WORDS: f32 = 110.0;
const SYMBOL_WORDS: f32 = 3.0;
const SIGNATURE_WORDS: f32 = 14.0;
const HEADING_WORDS: f32 = 6.0;
const PATH_WORDS: f32 = 5.0;

/// Looks at candidates of one question.
pub struct Judge<'a> {
    question: &'a Question,
    /// Words of the question with their weights.
    asked: Vec<(&'a str, f32)>,
    translated: Vec<(&'static str, f32)>,
    total: f32,
}

impl<'a> Judge<'a> {
    pub fn new(question: &'a Question, frequencies: &Frequencies) -> Self {
        let asked: Vec<_> = question.words.iter().map(|word| (word.as_str(), frequencies.weight(word))).collect();
        let translated =
            question.translations().map(|(word, share)| (word, share * frequencies.weight(word))).collect();
        let total = asked.iter().map(|(_, weight)| weight).sum::<f32>().max(f32::MIN_POSITIVE);
        Self { question, asked, translated, total }
    }

    pub fn features(&self, candidate: &Candidate<'_>) -> [f32; FEATURES] {
        let passage = candidate.passage;
        let text = Bag::of([passage.text.as_str()]);
        let symbols = Bag::of(passage.symbols.iter().map(String::as_str));
        let signature = Bag::of(signatures(&passage.text, &passage.symbols));
        let heading = Bag::of(passage.heading.as_deref().into_iter().chain(passage.title.as_deref()));
        let path = Bag::of([candidate.path]);
        let everywhere = [&text, &symbols, &signature, &heading, &path];
        let covered: f32 = self
            .asked
            .iter()
            .filter(|(word, _)| everywhere.iter().any(|bag| bag.counts.contains_key(*word)))
            .map(|(_, weight)| weight)
            .sum();
        let (precision, name_coverage) = self.names(passage);
        let identifier = self
            .question
            .identifiers
            .iter()
            .any(|identifier| passage.symbols.iter().any(|symbol| symbol.eq_ignore_ascii_case(identifier)));
        let code = passage.kind == DocumentKind::Code;
        [
            text.score(&self.asked, TEXT_WORDS, 0.75),
            symbols.score(&self.asked, SYMBOL_WORDS, 0.3),
            signature.score(&self.asked, SIGNATURE_WORDS, 0.5),
            heading.score(&self.asked, HEADING_WORDS, 0.3),
            path.score(&self.asked, PATH_WORDS, 0.3),
            symbols.score(&self.translated, SYMBOL_WORDS, 0.3),
            signature.score(&self.translated, SIGNATURE_WORDS, 0.5),
            covered / self.total,
            precision,
            name_coverage,
            f32::from(u8::from(identifier)),
            f32::from(u8::from(code && is_test(candidate.path, passage.heading.as_deref()))),
            (passage.text.len() as f32 + 1.0).ln(),
            candidate.fused,
            candidate.static_cosine.unwrap_or(0.0),
            candidate.encoder_cosine.unwrap_or(0.0),
            f32::from(u8::from(code)),
            0.0,
        ]
    }

    /// For the declared name that fits best: the share of its parts that were asked for, and the share of the question
    /// (by weight) that it holds.
    fn names(&self, passage: &Passage) -> (f32, f32) {
        let mut best = (0.0_f32, 0.0_f32);
        for symbol in &passage.symbols {
            let found = words(symbol);
            // The whole of a compound is no part of it.
            let skip = usize::from(found.len() > 1 && found[0].position == found[1].position);
            let parts: HashSet<&str> = found[skip..].iter().map(|word| word.text.as_str()).collect();
            if parts.is_empty() {
                continue;
            }
            let mut hits = 0.0;
            for part in &parts {
                if self.asked.iter().any(|(word, _)| word == part) {
                    hits += 1.0;
                } else {
                    let share = self.question.translations().filter(|(word, _)| word == part).map(|(_, share)| share);
                    hits += (2.0 * share.fold(0.0, f32::max)).min(1.0);
                }
            }
            let covered: f32 =
                self.asked.iter().filter(|(word, _)| parts.contains(word)).map(|(_, weight)| weight).sum();
            let this = (hits / parts.len() as f32, covered / self.total);
            if this.0 + this.1 > best.0 + best.1 {
                best = this;
            }
        }
        best
    }
}

/// Whether the passage holds each phrase of the question.
pub fn holds_phrases(question: &Question, passage: &Passage) -> bool {
    let text = spaced(&passage.text);
    question.phrases.iter().all(|phrase| text.contains(phrase))
}

/// Whether code lies among tests, as its path or heading says.
fn is_test(path: &str, heading: Option<&str>) -> bool {
    let named = |part: &str| {
        let part = part.rsplit(' ').next().unwrap_or(part);
        let stem = part.split('.').next().unwrap_or(part);
        matches!(stem, "test" | "tests" | "testing" | "benches") || stem.starts_with("test_") || stem.ends_with("_test")
    };
    path.split(['/', '\\']).any(named) || heading.is_some_and(|heading| heading.split(" › ").any(named))
}

/// Words of a field with their counts.
struct Bag {
    counts: HashMap<String, u32>,
    length: u32,
}

impl Bag {
    fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut bag = Self { counts: HashMap::new(), length: 0 };
        for text in texts {
            for word in words(text) {
                bag.length += 1;
                *bag.counts.entry(word.text).or_default() += 1;
            }
        }
        bag
    }

    fn score(&self, asked: &[(&str, f32)], usual: f32, normalised: f32) -> f32 {
        let norm = K1 * (1.0 - normalised + normalised * self.length as f32 / usual);
        asked
            .iter()
            .filter_map(|(word, weight)| {
                let count = *self.counts.get(*word)? as f32;
                Some(weight * count * (K1 + 1.0) / (count + norm))
            })
            .sum()
    }
}
