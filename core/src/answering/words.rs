//! Text as comparable tokens: stems with synonyms, numbers with units, identifiers, names.

// Tables read better in filled lines.
#[rustfmt::skip]
pub mod lexicon;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Word,
    /// `text` is normalised: no thousands separators, no trailing zeros behind the point, words as digits.
    Number,
    /// A name of code or a file: has `_`, `::`, a dot, digits among letters or capitals inside.
    Identifier,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub kind: TokenKind,
    /// Lower case; a normalised number.
    pub text: String,
    /// What is compared: the stem of a word, otherwise the text.
    pub stem: String,
    /// Begins with a capital letter and is not the first word of a sentence.
    pub name: bool,
    /// Begins with a capital letter as the first word of a sentence: it may be a name or not.
    pub first: bool,
    /// Something that ends a clause stands between this token and the one before.
    pub clause_start: bool,
}

impl Token {
    /// Carries content: no function word.
    pub fn is_content(&self) -> bool {
        self.kind != TokenKind::Word || !FUNCTION.contains(self.text.as_str())
    }

    /// 0 to 1.5: how much sharing this token says, before the retrieved passages are looked at.
    pub fn background_weight(&self) -> f32 {
        match self.kind {
            _ if !self.is_content() => 0.0,
            TokenKind::Number | TokenKind::Identifier => 1.3,
            TokenKind::Word if self.name => 1.3,
            TokenKind::Word if COMMON.contains(self.stem.as_str()) => 0.5,
            TokenKind::Word => 1.0,
        }
    }

    pub fn unit(&self) -> Option<&'static str> {
        unit(&self.stem).or_else(|| unit(&self.text))
    }

    pub fn is_negation(&self) -> bool {
        lexicon::NEGATIONS.contains(&self.text.as_str())
    }
}

static FUNCTION: LazyLock<HashSet<&str>> = LazyLock::new(|| lexicon::FUNCTION_WORDS.iter().copied().collect());
static COMMON: LazyLock<HashSet<String>> = LazyLock::new(|| lexicon::COMMON_WORDS.iter().map(|w| stem(w)).collect());
static UNITS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| lexicon::UNITS.iter().copied().collect());
static IRREGULAR: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| lexicon::IRREGULAR.iter().copied().collect());
static SYNONYMS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| lexicon::SYNONYMS.iter().copied().collect());

/// The one name of a unit word.
pub fn unit(word: &str) -> Option<&'static str> {
    UNITS.get(word).copied()
}

/// The tokens of a text in order.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut raw: Vec<Raw> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut gap = Gap { sentence: true, ..Gap::default() };
    while let Some((start, c)) = chars.next() {
        if is_ideograph(c) {
            raw.push(Raw { text: c.to_string(), gap: std::mem::take(&mut gap), wide: true });
            continue;
        }
        if !c.is_alphanumeric() && c != '_' {
            // The stop after a title does not end a sentence.
            let title = c == '.' && raw.last().is_some_and(|last| TITLES.contains(&last.text.as_str()));
            gap.see(if title { ' ' } else { c });
            continue;
        }
        let mut end = start + c.len_utf8();
        let mut last = c;
        while let Some(&(at, next)) = chars.peek() {
            let inside = if is_ideograph(next) {
                false
            } else if next.is_alphanumeric() || next == '_' {
                true
            } else {
                joins(last, next, &text[at + next.len_utf8()..], &text[start..at])
            };
            if !inside {
                break;
            }
            chars.next();
            last = next;
            end = at + next.len_utf8();
        }
        raw.push(Raw { text: text[start..end].to_owned(), gap: std::mem::take(&mut gap), wide: false });
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut index = 0;
    while index < raw.len() {
        index += normalise(&raw, index, &mut out);
    }
    if gap.percent {
        out.push(word("percent", false, false));
    }
    out
}

const TITLES: &[&str] = &["Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Sir"];

/// What stood between two raw tokens.
#[derive(Default)]
struct Gap {
    sentence: bool,
    clause: bool,
    percent: bool,
    currency: Option<&'static str>,
}

impl Gap {
    fn see(&mut self, c: char) {
        match c {
            '.' | '!' | '?' | '\n' | '。' | '！' | '？' | ':' | '|' | '•' => {
                (self.sentence, self.clause) = (true, true)
            }
            ',' | ';' | '(' | ')' | '—' | '–' | '，' | '；' => self.clause = true,
            '"' | '“' | '\'' | '*' | '`' | '#' | '-' if self.sentence => {}
            '%' => self.percent = true,
            '$' => self.currency = Some("dollar"),
            '€' => self.currency = Some("euro"),
            '£' => self.currency = Some("pound"),
            _ => {}
        }
    }
}

struct Raw {
    text: String,
    gap: Gap,
    wide: bool,
}

/// Han, Hiragana and Katakana are written without spaces.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Whether `mark` between `last` and `rest` belongs to the token: 3.14, 1,000, 12:30, a::b, don't, 2024-03-01.
fn joins(last: char, mark: char, rest: &str, so_far: &str) -> bool {
    let Some(next) = rest.chars().next() else { return false };
    match mark {
        '.' => last.is_alphanumeric() && next.is_alphanumeric(),
        ',' => {
            let group = rest.chars().take_while(char::is_ascii_digit).count();
            last.is_ascii_digit() && group == 3
        }
        ':' => {
            (last.is_ascii_digit() && next.is_ascii_digit()) || (last.is_alphanumeric() && next == ':') || last == ':'
        }
        '\'' | '’' => last.is_alphabetic() && next.is_alphabetic(),
        '-' => {
            let digits = so_far.chars().filter(char::is_ascii_digit).count();
            next.is_ascii_digit() && digits >= 4 && so_far.chars().all(|c| c.is_ascii_digit() || c == '-')
        }
        _ => false,
    }
}

fn word(text: &str, name: bool, clause_start: bool) -> Token {
    Token { kind: TokenKind::Word, text: text.to_owned(), stem: stem(text), name, first: false, clause_start }
}

/// Turns the raw token at `index` (and those that belong to it) into tokens; returns how many were used.
fn normalise(raw: &[Raw], index: usize, out: &mut Vec<Token>) -> usize {
    let Raw { text, gap, wide } = &raw[index];
    if gap.percent {
        out.push(word("percent", false, false));
    }
    if *wide {
        // Pairs of neighbours stand for words; a lonely character stands for itself.
        let pair = raw.get(index + 1).filter(|next| next.wide && !next.gap.clause && !next.gap.sentence);
        let before = index > 0 && raw[index - 1].wide && !gap.clause && !gap.sentence;
        if pair.is_some() || !before {
            let text = format!("{text}{}", pair.map_or("", |next| next.text.as_str()));
            out.push(Token {
                kind: TokenKind::Word,
                stem: text.clone(),
                text,
                name: false,
                first: false,
                clause_start: gap.clause || gap.sentence,
            });
        }
        return 1;
    }
    let clause_start = gap.clause || gap.sentence;
    let lower = text.to_lowercase().replace('’', "'");
    let lower = lower.trim_end_matches("'s").to_owned();
    if let Some((number, unit)) = number(&lower) {
        out.push(Token {
            kind: TokenKind::Number,
            stem: number.clone(),
            text: number,
            name: false,
            first: false,
            clause_start,
        });
        if let Some(unit) = unit {
            out.push(word(&unit, false, false));
        }
        if let Some(currency) = gap.currency {
            out.push(word(currency, false, false));
        }
        return 1;
    }
    if let Some((value, used)) = number_in_words(raw, index) {
        let text = value.to_string();
        out.push(Token { kind: TokenKind::Number, stem: text.clone(), text, name: false, first: false, clause_start });
        return used;
    }
    let letters_and_digits = text.contains(|c: char| c.is_ascii_digit()) && text.contains(char::is_alphabetic);
    let inner_capital = text.chars().skip(1).any(char::is_uppercase) && text.chars().any(char::is_lowercase);
    let joined = text.contains(['_', ':']) || (text.contains('.') && !lower.trim_matches('.').is_empty());
    if letters_and_digits || inner_capital || joined {
        out.push(Token {
            kind: TokenKind::Identifier,
            stem: lower.clone(),
            text: lower,
            name: false,
            first: false,
            clause_start,
        });
    } else {
        let capital = text.starts_with(char::is_uppercase) && text.chars().count() > 1;
        let name = capital && !gap.sentence && !lexicon::CALENDAR.contains(&lower.as_str());
        out.push(Token { first: capital && gap.sentence, ..word(&lower, name, clause_start) });
    }
    1
}

/// A number in digits with what is attached to it: "1,000", "3.50", "16gb", "v2.1", "3rd", "12:30".
fn number(lower: &str) -> Option<(String, Option<String>)> {
    let text = lower.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(lower);
    let length = text.find(|c: char| c.is_alphabetic() || c == '_').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(length);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut digits = digits.replace(',', "");
    if digits.matches('.').count() == 1 && !digits.contains([':', '-']) {
        digits = digits.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    match suffix {
        "" | "st" | "nd" | "rd" | "th" | "x" => Some((digits, None)),
        "k" => Some((scaled(&digits, 1000)?, None)),
        unit if UNITS.contains_key(unit) => Some((digits, Some(unit.to_owned()))),
        _ => None,
    }
}

fn scaled(digits: &str, factor: u64) -> Option<String> {
    digits.parse::<u64>().ok()?.checked_mul(factor).map(|value| value.to_string())
}

/// "thirty", "twenty-five", "two hundred".
fn number_in_words(raw: &[Raw], index: usize) -> Option<(u64, usize)> {
    let value_at = |at: usize| {
        let lower = raw.get(at)?.text.to_lowercase();
        lexicon::NUMBERS.iter().find(|(name, _)| *name == lower).map(|(_, value)| *value)
    };
    let mut value = value_at(index)?;
    let mut used = 1;
    while let Some(next) = value_at(index + used).filter(|_| !raw[index + used].gap.clause) {
        if next >= 100 && value < next {
            value = value.checked_mul(next)?;
        } else if (20..100).contains(&value) && value % 10 == 0 && next < 10 {
            value += next;
        } else {
            break;
        }
        used += 1;
    }
    Some((value, used))
}

/// The words inside an identifier: `self.stack.push`, `fetch_page`, `WorkQueue` (already in lower case: not cut).
pub fn parts(identifier: &str) -> impl Iterator<Item = String> + '_ {
    identifier.split(|c: char| !c.is_alphanumeric()).filter(|part| part.len() > 2).map(stem)
}

/// A light English stemmer: enough to bring inflected forms together, then synonyms to one stem.
pub fn stem(word: &str) -> String {
    if let Some(stem) = IRREGULAR.get(word) {
        return (*stem).to_owned();
    }
    let stem = strip_endings(word);
    match SYNONYMS.get(stem.as_str()) {
        Some(same) => (*same).to_owned(),
        None => stem,
    }
}

fn strip_endings(word: &str) -> String {
    if !word.is_ascii() || word.len() <= 3 {
        return word.to_owned();
    }
    let mut text = word.to_owned();
    if text.ends_with("ies") && text.len() > 4 {
        text.replace_range(text.len() - 3.., "y");
    } else if ["sses", "xes", "zes", "ches", "shes"].iter().any(|end| text.ends_with(end)) {
        text.truncate(text.len() - 2);
    } else if text.ends_with('s') && !["ss", "us", "is"].iter().any(|end| text.ends_with(end)) {
        text.truncate(text.len() - 1);
    }
    let has_vowel = |part: &str| part.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    for end in ["ing", "ed"] {
        if text.len() > end.len() + 2 && text.ends_with(end) && has_vowel(&text[..text.len() - end.len()]) {
            text.truncate(text.len() - end.len());
            let bytes = text.as_bytes();
            let (last, before) = (bytes[bytes.len() - 1], bytes[bytes.len() - 2]);
            if last == before && !matches!(last, b'l' | b's' | b'z' | b'e' | b'o') {
                text.truncate(text.len() - 1);
            }
            break;
        }
    }
    if text.len() > 6 && (text.ends_with("tion") || text.ends_with("sion")) {
        text.truncate(text.len() - 3);
    } else if text.len() > 7 && text.ends_with("ment") {
        text.truncate(text.len() - 4);
    } else if text.len() > 5 && text.ends_with("ly") {
        text.truncate(text.len() - 2);
    }
    if text.len() > 3 && text.ends_with('e') {
        text.truncate(text.len() - 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stems(text: &str) -> Vec<String> {
        tokens(text).into_iter().filter(Token::is_content).map(|t| t.stem).collect()
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        for group in [
            &["keep", "keeps", "kept", "keeping", "retained", "stored"][..],
            &["delete", "deleted", "deletion", "deleting", "removed"],
            &["encrypt", "encrypted", "encryption"],
            &["rotate", "rotation", "rotated"],
            &["copy", "copies"],
            &["day", "days", "daily"],
            &["run", "running", "ran", "runs", "executed"],
        ] {
            let first = stem(group[0]);
            for form in group {
                assert_eq!(stem(form), first, "{form}");
            }
        }
    }

    #[test]
    fn numbers_are_normalised() {
        assert_eq!(
            stems("1,000 thirty 3.50 16GB 12:30 2024-03-01 v1.2.3 45%"),
            ["1000", "30", "3.5", "16", "gb", "12:30", "2024-03-01", "1.2.3", "45", "percent",]
        );
        assert_eq!(stems("twenty-five or two hundred, $20"), ["25", "200", "20", "dollar"]);
    }

    #[test]
    fn identifiers_and_names_are_told_apart() {
        let all = tokens("The WorkQueue calls lease_until in queue.rs. Anna Schmidt wrote it, says Bob.");
        let of = |text: &str| all.iter().find(|t| t.text == text).unwrap_or_else(|| panic!("{text} in {all:?}"));
        for text in ["workqueue", "lease_until", "queue.rs"] {
            assert_eq!(of(text).kind, TokenKind::Identifier);
        }
        assert!(!of("anna").name && of("schmidt").name && of("bob").name);
    }

    #[test]
    fn text_without_spaces_becomes_pairs() {
        assert_eq!(stems("备份保留30天"), ["备份", "份保", "保留", "30", "天"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,120}") {
            for token in tokens(&text) {
                prop_assert!(!token.stem.is_empty());
            }
        }
    }
}
