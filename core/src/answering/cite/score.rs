//! How well a window of a passage supports a sentence: shared words by rarity, facts that must agree, polarity.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::units::{self, Unit};
use crate::answering::words::{self, Token, TokenKind, lexicon};
use crate::model::Passage;

/// The weights of the score; chosen on tests/fixtures/citations.json.
const COVERAGE: f32 = 0.70;
const RUN: f32 = 0.10;
const COSINE: f32 = 0.20;
/// What a word counts that stands in the passage or its heading, but not in the window.
const ELSEWHERE: f32 = 0.5;
/// Factors for what must agree and does not.
const NUMBER_MISSING: f32 = 0.3;
const NUMBER_ELSEWHERE: f32 = 0.75;
const UNIT_DIFFERS: f32 = 0.4;
const QUOTE_MISSING: f32 = 0.5;
const IDENTIFIER_MISSING: f32 = 0.5;
const NAME_MISSING: f32 = 0.6;
const POLARITY_DIFFERS: f32 = 0.45;
/// A question lends its words, at this weight, to an answer of few words ("30 days.").
const QUESTION_WEIGHT: f32 = 0.4;
const FEW_WORDS: usize = 4;
/// A negation reaches over so many content words.
const NEGATION_REACH: usize = 3;

/// A passage read once for all sentences.
pub struct Prepared {
    pub units: Vec<Unit>,
    stems: HashSet<String>,
    text: String,
}

impl Prepared {
    pub fn new(passage: &Passage) -> Self {
        let units = units::units(passage);
        let mut stems: HashSet<String> = units.iter().flat_map(|u| u.tokens.iter().map(|t| t.stem.clone())).collect();
        let around = [passage.heading.as_deref().unwrap_or(""), &passage.path.file_name().unwrap_or_default().to_string_lossy()].join(". ");
        stems.extend(words::tokens(&around).into_iter().map(|t| t.stem));
        Self { units, stems, text: plain(&passage.text) }
    }
}

/// The best window of one passage for one sentence.
#[derive(Clone, Debug)]
pub struct Support {
    /// Units of the passage.
    pub window: Range<usize>,
    /// Without the cosine part.
    pub lexical: f32,
    /// Product of the factors for facts that do not agree; 1 when all do.
    pub factor: f32,
}

impl Support {
    /// 0 to 1. `cosine` is that of the sentence and the window in an embedder's space, if there is one.
    pub fn score(&self, cosine: Option<f32>) -> f32 {
        let base = match cosine {
            // Cosines of unrelated sentences lie around 0.2; 0.9 and above is the same sentence.
            Some(cosine) => self.lexical + COSINE * ((cosine - 0.2) / 0.7).clamp(0.0, 1.0),
            None => self.lexical / (COVERAGE + RUN),
        };
        (base * self.factor).clamp(0.0, 1.0)
    }
}

/// How rare each stem is among the passages that were retrieved.
pub struct Rarity {
    passages: usize,
    counts: HashMap<String, usize>,
}

impl Rarity {
    pub fn new(passages: &[Prepared]) -> Self {
        let mut counts = HashMap::new();
        for stem in passages.iter().flat_map(|p| &p.stems) {
            *counts.entry(stem.clone()).or_insert(0) += 1;
        }
        Self { passages: passages.len(), counts }
    }

    /// 0.7 for a word that all passages have, up to 1.3 for one that none has; 1 where too few were retrieved to tell.
    fn factor(&self, stem: &str) -> f32 {
        match (self.passages, self.counts.get(stem)) {
            (_, None) => 1.3,
            (0..=2, Some(_)) => 1.0,
            (all, Some(count)) => 1.3 - 0.6 * *count as f32 / all as f32,
        }
    }
}

/// A sentence of the answer, read once for all passages.
pub struct Claim {
    tokens: Vec<Token>,
    /// (token, weight): content of the sentence, and of the question where the sentence is short.
    weighted: Vec<(Token, f32)>,
    quotes: Vec<String>,
    denied: HashSet<String>,
}

impl Claim {
    pub fn new(sentence: &str, question: &str, rarity: &Rarity) -> Self {
        let tokens = words::tokens(sentence);
        let content: Vec<Token> = tokens.iter().filter(|t| t.is_content()).cloned().collect();
        let mut weighted: Vec<(Token, f32)> = Vec::new();
        for token in &content {
            if !weighted.iter().any(|(seen, _)| seen.stem == token.stem) {
                weighted.push((token.clone(), token.background_weight() * rarity.factor(&token.stem)));
            }
        }
        if weighted.len() < FEW_WORDS {
            for token in words::tokens(question).into_iter().filter(Token::is_content) {
                if !weighted.iter().any(|(seen, _)| seen.stem == token.stem) {
                    let weight = QUESTION_WEIGHT * token.background_weight() * rarity.factor(&token.stem);
                    weighted.push((token, weight));
                }
            }
        }
        let denied = denied(tokens.iter());
        Self { quotes: quotes(sentence), denied, tokens, weighted }
    }

    /// The window of the passage that supports the sentence best.
    pub fn best(&self, passage: &Prepared) -> Option<Support> {
        units::windows(&passage.units)
            .map(|window| self.against(passage, window))
            // Of equals the shorter, earlier window: it makes the better quote.
            .fold(None, |best: Option<Support>, next| match best {
                Some(best) if next.lexical * next.factor <= best.lexical * best.factor + 0.02 => Some(best),
                _ => Some(next),
            })
    }

    fn against(&self, passage: &Prepared, window: Range<usize>) -> Support {
        let units = &passage.units[window.clone()];
        let tokens: Vec<&Token> = units.iter().flat_map(|u| &u.tokens).collect();
        let stems: HashSet<&str> = tokens.iter().map(|t| t.stem.as_str()).collect();
        let mut found = 0.0;
        let mut all = 0.0;
        let mut factor = 1.0;
        for (index, (token, weight)) in self.weighted.iter().enumerate() {
            let here = likeness(&token.stem, &stems);
            let near = passage.stems.contains(&token.stem);
            found += weight * if here > 0.0 { here } else if near { ELSEWHERE } else { 0.0 };
            all += weight;
            let own = index < self.weighted.len() && self.tokens.iter().any(|t| t.stem == token.stem);
            if here > 0.0 || !own {
                continue;
            }
            factor *= match (token.kind, near) {
                (TokenKind::Number, true) => NUMBER_ELSEWHERE,
                (TokenKind::Number, false) => NUMBER_MISSING,
                (TokenKind::Identifier, false) => IDENTIFIER_MISSING,
                (TokenKind::Word, false) if token.name => NAME_MISSING,
                _ => 1.0,
            };
        }
        if self.unit_differs(&tokens) {
            factor *= UNIT_DIFFERS;
        }
        if self.quotes.iter().any(|quote| !passage.text.contains(quote)) {
            factor *= QUOTE_MISSING;
        }
        if self.polarity_differs(&tokens, &stems) {
            factor *= POLARITY_DIFFERS;
        }
        let coverage = if all > 0.0 { found / all } else { 0.0 };
        Support { window, lexical: COVERAGE * coverage + RUN * self.longest_run(&tokens), factor }
    }

    /// A number of the sentence stands in the window only with another unit.
    fn unit_differs(&self, window: &[&Token]) -> bool {
        with_units(self.tokens.iter()).into_iter().any(|(number, unit)| {
            let units: Vec<&str> =
                with_units(window.iter().copied()).into_iter().filter(|(n, _)| *n == number).map(|(_, u)| u).collect();
            !units.is_empty() && !units.contains(&unit)
        })
    }

    /// The window denies what the sentence says, or says its opposite.
    fn polarity_differs(&self, window: &[&Token], stems: &HashSet<&str>) -> bool {
        let denied_there = denied(window.iter().copied());
        let mut agree = 0.0;
        let mut differ = 0.0;
        for (token, weight) in &self.weighted {
            let here = self.denied.contains(&token.stem);
            let there = denied_there.contains(&token.stem);
            if stems.contains(token.stem.as_str()) && (here || there) {
                *(if here == there { &mut agree } else { &mut differ }) += weight;
            }
        }
        if differ > agree {
            return true;
        }
        let own: HashSet<&str> = self.tokens.iter().map(|t| t.stem.as_str()).collect();
        let decides = |stem: &str| own.contains(stem) && !stems.contains(stem);
        let opposite = |a: &str, b: &str| decides(a) && stems.contains(b) && !own.contains(b);
        let flipped = lexicon::OPPOSITES.iter().any(|(a, b)| {
            // "Allowed" and "not forbidden" agree.
            let denied = self.denied.contains(*a) || self.denied.contains(*b)
                || denied_there.contains(*a) || denied_there.contains(*b);
            !denied && (opposite(a, b) || opposite(b, a))
        });
        flipped
            || own.iter().any(|stem| {
                ["un", "in", "non", "dis", "de"].iter().any(|prefix| {
                    let negated = format!("{prefix}{stem}");
                    let plain = stem.strip_prefix(prefix).filter(|plain| plain.len() > 3);
                    stem.len() > 3 && decides(stem)
                        && (stems.contains(negated.as_str()) || plain.is_some_and(|plain| stems.contains(plain)))
                })
            })
    }

    /// Share of the sentence's content that stands in the window as one run of words.
    fn longest_run(&self, window: &[&Token]) -> f32 {
        let own: Vec<&str> = self.tokens.iter().filter(|t| t.is_content()).map(|t| t.stem.as_str()).collect();
        let there: Vec<&str> = window.iter().filter(|t| t.is_content()).map(|t| t.stem.as_str()).collect();
        if own.is_empty() {
            return 0.0;
        }
        let mut longest = 0;
        let mut row = vec![0usize; there.len() + 1];
        for stem in &own {
            for at in (1..=there.len()).rev() {
                row[at] = if *stem == there[at - 1] { row[at - 1] + 1 } else { 0 };
                longest = longest.max(row[at]);
            }
        }
        longest as f32 / own.len() as f32
    }
}

/// 1 for the same stem, less for one that begins alike ("configur", "configurat"), 0 otherwise.
fn likeness(stem: &str, stems: &HashSet<&str>) -> f32 {
    if stems.contains(stem) {
        return 1.0;
    }
    let letters = stem.chars().count();
    if letters < 5 || stem.contains(|c: char| !c.is_alphabetic()) {
        return 0.0;
    }
    let alike = |other: &&str| {
        let shared = stem.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
        let longer = letters.max(other.chars().count());
        shared >= 5 && longer - shared <= 3
    };
    if stems.iter().any(alike) { 0.8 } else { 0.0 }
}

/// Each number with the unit word that follows it.
fn with_units<'a>(tokens: impl Iterator<Item = &'a Token>) -> Vec<(&'a str, &'static str)> {
    let tokens: Vec<&Token> = tokens.collect();
    tokens
        .windows(2)
        .filter(|pair| pair[0].kind == TokenKind::Number)
        .filter_map(|pair| Some((pair[0].stem.as_str(), pair[1].unit()?)))
        .collect()
}

/// Stems in the reach of a negation.
fn denied<'a>(tokens: impl Iterator<Item = &'a Token>) -> HashSet<String> {
    let mut out = HashSet::new();
    let mut left = 0;
    for token in tokens {
        if token.clause_start || token.text == "but" {
            left = 0;
        }
        if token.is_negation() {
            left = NEGATION_REACH;
        } else if left > 0 && token.is_content() {
            out.insert(token.stem.clone());
            left -= 1;
        }
    }
    out
}

/// What stands in quotation marks or back-ticks, longer than one character, made plain.
fn quotes(sentence: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (open, close) in [('"', '"'), ('“', '”'), ('`', '`'), ('«', '»'), ('„', '“')] {
        let mut rest = sentence;
        while let Some(start) = rest.find(open) {
            rest = &rest[start + open.len_utf8()..];
            let Some(end) = rest.find(close) else { break };
            let quote = plain(rest[..end].trim_end_matches(['.', ',', '!', '?', ';']));
            if quote.chars().count() > 1 {
                out.push(quote);
            }
            rest = &rest[end + close.len_utf8()..];
        }
    }
    out
}

/// Lower case, one space between words, without Markdown marks.
fn plain(text: &str) -> String {
    let text: String = text.chars().filter(|c| !matches!(c, '*' | '`')).collect();
    text.to_lowercase().replace('’', "'").split_whitespace().collect::<Vec<_>>().join(" ")
}
