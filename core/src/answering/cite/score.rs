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
/// What a word counts that stands in the window, but not in its main unit: facts of two sentences must not be mixed up.
const BESIDE: f32 = 0.8;
/// Factors for what must agree and does not.
const NUMBER_MISSING: f32 = 0.3;
const NUMBER_ELSEWHERE: f32 = 0.75;
const UNIT_DIFFERS: f32 = 0.4;
const QUOTE_MISSING: f32 = 0.5;
const IDENTIFIER_MISSING: f32 = 0.5;
const NAME_MISSING: f32 = 0.5;
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
        let mut stems: HashSet<String> = units.iter().flat_map(|u| u.stems.iter().cloned()).collect();
        let around =
            [passage.heading.as_deref().unwrap_or(""), &passage.path.file_name().unwrap_or_default().to_string_lossy()]
                .join(". ");
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
    denied: Denied,
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
        let denied = Denied::of(tokens.iter());
        Self { quotes: quotes(sentence), denied, tokens, weighted }
    }

    /// The window of the passage that has most of the sentence's words. It is chosen by words alone, so that a
    /// sentence is held against the very words that contradict it.
    pub fn best(&self, passage: &Prepared) -> Option<Support> {
        let (lexical, window) = units::windows(&passage.units)
            .map(|window| (self.lexical(passage, window.clone()), window))
            // Of equals the shorter, earlier window: it makes the better quote.
            .fold(None, |best: Option<(f32, Range<usize>)>, next| match best {
                Some(best) if next.0 <= best.0 + 0.02 => Some(best),
                _ => Some(next),
            })?;
        let factor = self.agreement(passage, window.clone());
        Some(Support { window, lexical, factor })
    }

    /// Stems of the window's unit that shares most with the sentence, and of the whole window.
    fn stems<'p>(&self, units: &'p [Unit]) -> (HashSet<&'p str>, HashSet<&'p str>) {
        let of = |unit: &'p Unit| -> HashSet<&'p str> { unit.stems.iter().map(String::as_str).collect() };
        let shared = |stems: &HashSet<&str>| -> f32 {
            self.weighted.iter().map(|(token, weight)| weight * likeness(&token.stem, stems)).sum()
        };
        let main = units.iter().map(of).max_by(|a, b| shared(a).total_cmp(&shared(b))).unwrap_or_default();
        (main, units.iter().flat_map(of).collect())
    }

    fn lexical(&self, passage: &Prepared, window: Range<usize>) -> f32 {
        let units = &passage.units[window];
        let (main, stems) = self.stems(units);
        let mut found = 0.0;
        let mut all = 0.0;
        for (token, weight) in &self.weighted {
            let here = likeness(&token.stem, &main).max(BESIDE * likeness(&token.stem, &stems));
            let near = if passage.stems.contains(&token.stem) { ELSEWHERE } else { 0.0 };
            found += weight * here.max(near);
            all += weight;
        }
        let coverage = if all > 0.0 { found / all } else { 0.0 };
        let tokens: Vec<&Token> = units.iter().flat_map(|u| &u.tokens).collect();
        COVERAGE * coverage + RUN * self.longest_run(&tokens)
    }

    /// The product of the factors for what must agree and does not.
    fn agreement(&self, passage: &Prepared, window: Range<usize>) -> f32 {
        let units = &passage.units[window];
        let (main, stems) = self.stems(units);
        let tokens: Vec<&Token> = units.iter().flat_map(|u| &u.tokens).collect();
        let own = |stem: &str| self.tokens.iter().any(|t| t.stem == stem);
        let names_there = |stem: &str| tokens.iter().any(|t| t.name && t.stem == stem);
        let own_name = self.tokens.iter().any(|t| t.name && main.contains(t.stem.as_str()));
        let other_name = !own_name && main.iter().any(|stem| names_there(stem) && !own(stem));
        let mut factor = 1.0;
        for (token, _) in self.weighted.iter().filter(|(token, _)| own(&token.stem)) {
            if likeness(&token.stem, &main) > 0.0 {
                continue;
            }
            let beside = likeness(&token.stem, &stems) > 0.0;
            let near = passage.stems.contains(&token.stem);
            factor *= match token.kind {
                TokenKind::Number if beside || near => NUMBER_ELSEWHERE,
                TokenKind::Number => NUMBER_MISSING,
                TokenKind::Identifier if !beside && !near => IDENTIFIER_MISSING,
                // Somebody else did it.
                TokenKind::Word if token.name && (other_name || !(beside || near)) => NAME_MISSING,
                TokenKind::Word if token.first && other_name && !(beside || near) => NAME_MISSING,
                _ => 1.0,
            };
        }
        let focus = self.focus(units);
        let focused: HashSet<&str> = focus.iter().map(|t| t.stem.as_str()).collect();
        if self.unit_differs(&focus) || self.excluded(&focused) {
            factor *= UNIT_DIFFERS;
        }
        if self.quotes.iter().any(|quote| !passage.text.contains(quote)) {
            factor *= QUOTE_MISSING;
        }
        if self.polarity_differs(&focus, &focused) {
            factor *= POLARITY_DIFFERS;
        }
        factor
    }

    /// The part of the window that must not contradict the sentence: of its main unit the clauses that hold the
    /// sentence's numbers ("at 9:30 on weekdays | and at 11:00 on Sundays"), or all of it.
    fn focus<'p>(&self, units: &'p [Unit]) -> Vec<&'p Token> {
        let shared = |unit: &&Unit| -> f32 {
            let stems: HashSet<&str> = unit.stems.iter().map(String::as_str).collect();
            self.weighted.iter().map(|(token, weight)| weight * likeness(&token.stem, &stems)).sum()
        };
        let Some(main) = units.iter().max_by(|a, b| shared(a).total_cmp(&shared(b))) else { return Vec::new() };
        let own = |token: &Token| {
            token.kind == TokenKind::Number && self.tokens.iter().any(|t| t.kind == token.kind && t.stem == token.stem)
        };
        let mut clauses: Vec<Vec<&Token>> = vec![Vec::new()];
        for token in &main.tokens {
            if token.clause_start || ["and", "but", "then", "while", "whereas", "und"].contains(&token.text.as_str()) {
                clauses.push(Vec::new());
            }
            if let Some(clause) = clauses.last_mut() {
                clause.push(token);
            }
        }
        let holding: Vec<&Token> =
            clauses.iter().filter(|clause| clause.iter().any(|token| own(token))).flatten().copied().collect();
        if holding.is_empty() { main.tokens.iter().collect() } else { holding }
    }

    /// A number of the sentence stands in the window only with another unit.
    fn unit_differs(&self, window: &[&Token]) -> bool {
        with_units(self.tokens.iter()).into_iter().any(|(number, unit)| {
            let units: Vec<&str> =
                with_units(window.iter().copied()).into_iter().filter(|(n, _)| *n == number).map(|(_, u)| u).collect();
            !units.is_empty() && !units.contains(&unit)
        })
    }

    /// The main unit names another member of a closed group: Monday for Friday, seconds for minutes.
    fn excluded(&self, main: &HashSet<&str>) -> bool {
        let own: HashSet<&str> = self.tokens.iter().map(|t| t.stem.as_str()).collect();
        let swapped = |group: &dyn Fn(&str) -> Option<&'static str>| {
            let of =
                |stems: &HashSet<&str>| -> HashSet<&'static str> { stems.iter().filter_map(|s| group(s)).collect() };
            let (ours, theirs) = (of(&own), of(main));
            !ours.is_subset(&theirs) && !theirs.is_subset(&ours)
        };
        lexicon::EXCLUSIVE.iter().any(|members| swapped(&|stem| members.iter().find(|m| **m == stem).copied()))
            || swapped(&|stem| words::unit(stem).filter(|unit| lexicon::TIME_UNITS.contains(unit)))
    }

    /// The window denies what the sentence says, or says its opposite.
    fn polarity_differs(&self, window: &[&Token], stems: &HashSet<&str>) -> bool {
        let there = Denied::of(window.iter().copied());
        for (own, theirs) in [(&self.denied.verbs, &there.verbs), (&self.denied.nouns, &there.nouns)] {
            let mut agree = 0.0;
            let mut differ = 0.0;
            for (token, weight) in &self.weighted {
                let (a, b) = (own.contains(&token.stem), theirs.contains(&token.stem));
                if stems.contains(token.stem.as_str()) && (a || b) {
                    // Said both ways in one of them, as in "first with steam, then without": that agrees with either.
                    let both = (a && self.denied.affirmed.contains(&token.stem))
                        || (b && there.affirmed.contains(&token.stem));
                    *(if a == b || both { &mut agree } else { &mut differ }) += weight;
                }
            }
            if differ > agree {
                return true;
            }
        }
        let own: HashSet<&str> = self.tokens.iter().map(|t| t.stem.as_str()).collect();
        let decides = |stem: &str| own.contains(stem) && !stems.contains(stem);
        let opposite = |a: &str, b: &str| decides(a) && stems.contains(b) && !own.contains(b);
        let flipped = lexicon::OPPOSITES.iter().any(|(a, b)| {
            // "Allowed" and "not forbidden" agree.
            let denied = [a, b].into_iter().any(|stem| self.denied.has(stem) || there.has(stem));
            !denied && (opposite(a, b) || opposite(b, a))
        });
        flipped
            || own.iter().any(|stem| {
                ["un", "in", "non", "dis", "de"].iter().any(|prefix| {
                    let negated = format!("{prefix}{stem}");
                    let plain = stem.strip_prefix(prefix).filter(|plain| plain.len() > 3);
                    stem.len() > 3
                        && decides(stem)
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
    if stem.contains(['.', ':']) {
        // `queue.push` and `self.queue.push` name the same thing.
        let part = |other: &&str| {
            let (long, short) = if other.len() > stem.len() { (*other, stem) } else { (stem, *other) };
            long.strip_suffix(short).is_some_and(|rest| short.contains(['.', ':']) && rest.ends_with(['.', ':']))
        };
        return if stems.iter().any(part) { 1.0 } else { 0.0 };
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

/// Stems in the reach of a negation: "not", "never" deny what is done; "no", "without" deny a thing.
#[derive(Default)]
struct Denied {
    verbs: HashSet<String>,
    nouns: HashSet<String>,
    /// Content out of the reach of any negation.
    affirmed: HashSet<String>,
}

impl Denied {
    fn of<'a>(tokens: impl Iterator<Item = &'a Token>) -> Self {
        let mut out = Self::default();
        let (mut verbs, mut nouns) = (0, 0);
        for token in tokens {
            if token.clause_start || token.text == "but" {
                (verbs, nouns) = (0, 0);
            }
            match token.text.as_str() {
                "without" | "no" | "none" | "kein" | "keine" | "keinen" => nouns = NEGATION_REACH,
                _ if token.is_negation() => verbs = NEGATION_REACH,
                _ if token.is_content() => {
                    if verbs == 0 && nouns == 0 {
                        out.affirmed.insert(token.stem.clone());
                    }
                    if verbs > 0 {
                        out.verbs.insert(token.stem.clone());
                        verbs -= 1;
                    }
                    if nouns > 0 {
                        out.nouns.insert(token.stem.clone());
                        nouns -= 1;
                    }
                }
                _ => {}
            }
        }
        out
    }

    fn has(&self, stem: &str) -> bool {
        self.verbs.contains(stem) || self.nouns.contains(stem)
    }
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
