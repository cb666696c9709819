//! Puts the candidates of all stages into their last order: each gets features (how its words, names and meaning fit the
//! question), and learned weights turn them into one score.
//!
//! Stages find candidates fast over everything; here a few hundred are looked at closely, as they are stored.

pub mod weights;

use std::collections::HashMap;

use super::keyword::query::{Question, spaced};
use super::keyword::signatures;
use super::words;
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
    /// Each word of the question and of its translations, with its place in a [`Bag`].
    slots: HashMap<&'a str, usize>,
    /// Words of the question with their weights.
    asked: Vec<(usize, f32)>,
    /// Words of code that may stand for them, with their weights.
    translated: Vec<(usize, f32)>,
    /// For each slot, the greatest share of a translation.
    shares: Vec<f32>,
    total: f32,
}

impl<'a> Judge<'a> {
    pub fn new(question: &'a Question, frequencies: &Frequencies) -> Self {
        let mut slots: HashMap<&'a str, usize> = HashMap::new();
        let mut slot = |word: &'a str| {
            let next = slots.len();
            *slots.entry(word).or_insert(next)
        };
        let asked: Vec<_> = question.words.iter().map(|word| (slot(word), frequencies.weight(word))).collect();
        let shared: Vec<_> = question.translations().map(|(word, share)| (slot(word), word, share)).collect();
        let mut shares = vec![0.0_f32; slots.len()];
        shared.iter().for_each(|(slot, _, share)| shares[*slot] = shares[*slot].max(*share));
        let translated = shared.iter().map(|(slot, word, share)| (*slot, share * frequencies.weight(word))).collect();
        let total = asked.iter().map(|(_, weight)| weight).sum::<f32>().max(f32::MIN_POSITIVE);
        Self { question, slots, asked, translated, shares, total }
    }

    pub fn features(&self, candidate: &Candidate<'_>) -> [f32; FEATURES] {
        let passage = candidate.passage;
        let text = self.bag([passage.text.as_str()]);
        let symbols = self.bag(passage.symbols.iter().map(String::as_str));
        let signature = self.bag(signatures(&passage.text, &passage.symbols));
        let heading = self.bag(passage.heading.as_deref().into_iter().chain(passage.title.as_deref()));
        let path = self.bag([candidate.path]);
        let everywhere = [&text, &symbols, &signature, &heading, &path];
        let covered: f32 = self
            .asked
            .iter()
            .filter(|(slot, _)| everywhere.iter().any(|bag| bag.counts[*slot] > 0))
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

    fn bag<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Bag {
        let mut bag = Bag { counts: vec![0; self.slots.len()], length: 0 };
        for text in texts {
            words::visit(text, |_, _, _, word| {
                bag.length += 1;
                if let Some(slot) = self.slots.get(word) {
                    bag.counts[*slot] += 1;
                }
            });
        }
        bag
    }

    /// For the declared name that fits best: the share of its parts that were asked for, and the share of the question
    /// (by weight) that it holds.
    fn names(&self, passage: &Passage) -> (f32, f32) {
        let mut best = (0.0_f32, 0.0_f32);
        for symbol in &passage.symbols {
            let mut parts: Vec<(String, Option<usize>)> = Vec::new();
            words::visit(symbol, |_, _, position, word| {
                // A second word at the first place follows the whole of a compound, which is no part of it.
                if position == 0 {
                    parts.clear();
                }
                if !parts.iter().any(|(known, _)| known == word) {
                    parts.push((word.to_owned(), self.slots.get(word).copied()));
                }
            });
            if parts.is_empty() {
                continue;
            }
            let mut hits = 0.0;
            for slot in parts.iter().filter_map(|(_, slot)| *slot) {
                let asked = self.asked.iter().any(|(asked, _)| *asked == slot);
                hits += if asked { 1.0 } else { (2.0 * self.shares[slot]).min(1.0) };
            }
            let held = |slot: usize| parts.iter().any(|(_, part)| *part == Some(slot));
            let covered: f32 = self.asked.iter().filter(|(slot, _)| held(*slot)).map(|(_, weight)| weight).sum();
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

/// How often the words that matter stand in a field.
struct Bag {
    /// By slot of the judge.
    counts: Vec<u32>,
    /// Words of the field, whichever they are.
    length: u32,
}

impl Bag {
    fn score(&self, asked: &[(usize, f32)], usual: f32, normalised: f32) -> f32 {
        let norm = K1 * (1.0 - normalised + normalised * self.length as f32 / usual);
        asked
            .iter()
            .map(|(slot, weight)| {
                let count = self.counts[*slot] as f32;
                weight * count * (K1 + 1.0) / (count + norm)
            })
            .sum()
    }
}
