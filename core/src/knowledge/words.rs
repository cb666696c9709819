//! Words of prose and code: the tokenizer of the keyword index, also used to mark what matched.
//!
//! An identifier gives its parts and itself: `parseHttpRequest_v2` gives `parse`, `http`, `request`, `v2` and the
//! whole, so that any of them finds it. Everything is lower-cased and, where it is no compound, reduced to its English
//! stem; Chinese, Japanese and Korean text gives single characters, since it has no spaces.

use std::cell::RefCell;
use std::collections::HashMap;

use rust_stemmers::{Algorithm, Stemmer};

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Longer words say nothing; they are cut here (bytes).
const MOST_BYTES: usize = 64;

/// One word with its place in the text (bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub from: usize,
    pub to: usize,
    pub text: String,
    /// Counts identifiers, not parts: a whole and its first part share a position.
    pub position: usize,
}

/// The words of a text in order; the whole identifier comes before its parts.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::with_capacity(text.len() / 5);
    let mut scanner = Scanner { text, at: 0, position: 0 };
    while scanner.next(&mut found) {}
    found
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    position: usize,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Scripts written without spaces between words.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}

impl Scanner<'_> {
    /// Adds the words of the next identifier; false at the end.
    fn next(&mut self, found: &mut Vec<Word>) -> bool {
        let rest = &self.text[self.at..];
        let Some((offset, first)) = rest.char_indices().find(|(_, c)| is_word(*c)) else { return false };
        let from = self.at + offset;
        if stands_alone(first) {
            self.at = from + first.len_utf8();
            self.push(found, from, self.at, self.position);
            self.position += 1;
            return true;
        }
        let tail = &self.text[from..];
        let length =
            tail.char_indices().find(|(_, c)| !is_word(*c) || stands_alone(*c)).map_or(tail.len(), |(at, _)| at);
        self.at = from + length;
        let (from, to) = trimmed(self.text, from, self.at);
        if from < to {
            self.identifier(found, from, to);
        }
        true
    }

    fn identifier(&mut self, found: &mut Vec<Word>, from: usize, to: usize) {
        let before = found.len();
        self.push(found, from, to, self.position);
        let mut position = self.position;
        let mut parts = 0;
        let mut start = from;
        let mut last: Option<char> = None;
        let mut chars = self.text[from..to].char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            let at = from + offset;
            let next = chars.peek().map(|(_, c)| *c);
            let boundary = match last {
                None => false,
                Some(_) if c == '_' => true,
                Some('_') => true,
                // aB, and the B of ABc.
                Some(l) if c.is_uppercase() => {
                    l.is_lowercase() || l.is_numeric() || next.is_some_and(char::is_lowercase)
                }
                Some(l) => l.is_numeric() && c.is_alphabetic() && at - start > 2,
            };
            if boundary {
                parts += self.part(found, start, at, &mut position);
                start = at;
            }
            last = Some(c);
        }
        parts += self.part(found, start, to, &mut position);
        if parts <= 1 {
            // Without parts of its own the word is there once.
            found.truncate(before + 1);
            position = self.position + 1;
            stem(&mut found[before].text);
        } else {
            found[before + 1..].iter_mut().for_each(|part| stem(&mut part.text));
        }
        self.position = position;
    }

    fn part(&self, found: &mut Vec<Word>, from: usize, to: usize, position: &mut usize) -> usize {
        let (from, to) = trimmed(self.text, from, to);
        if from >= to {
            return 0;
        }
        self.push(found, from, to, *position);
        *position += 1;
        1
    }

    fn push(&self, found: &mut Vec<Word>, from: usize, to: usize, position: usize) {
        let mut end = to.min(from + MOST_BYTES);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let slice = &self.text[from..end];
        let text = if slice.is_ascii() { slice.to_ascii_lowercase() } else { slice.to_lowercase() };
        found.push(Word { from, to, text, position });
    }
}

/// Words whose stems are remembered by each thread.
const REMEMBERED: usize = 1 << 15;

thread_local! {
    static STEMS: RefCell<(Stemmer, HashMap<String, Option<String>>)> =
        RefCell::new((Stemmer::create(Algorithm::English), HashMap::new()));
}

/// English stems (Porter's second stemmer, Snowball). Question and text are treated alike, so that words of other
/// languages still find themselves.
fn stem(word: &mut String) {
    if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return;
    }
    STEMS.with_borrow_mut(|(stemmer, known)| {
        if let Some(stem) = known.get(word.as_str()) {
            if let Some(stem) = stem {
                word.clone_from(stem);
            }
            return;
        }
        let stem = stemmer.stem(word).into_owned();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(word.clone(), (stem != *word).then(|| stem.clone()));
        *word = stem;
    });
}

/// Without underscores at either end.
fn trimmed(text: &str, from: usize, to: usize) -> (usize, usize) {
    let slice = &text[from..to];
    let left = slice.len() - slice.trim_start_matches('_').len();
    let right = slice.trim_end_matches('_').len();
    (from + left, from + right.max(left))
}

/// The tokenizer of the keyword index.
#[derive(Clone, Default)]
pub struct WordTokenizer {
    words: Vec<Word>,
    token: Token,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.words.clear();
        let mut scanner = Scanner { text, at: 0, position: 0 };
        while scanner.next(&mut self.words) {}
        self.token.reset();
        WordStream { words: &self.words, token: &mut self.token, next: 0 }
    }
}

pub struct WordStream<'a> {
    words: &'a [Word],
    token: &'a mut Token,
    next: usize,
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.get(self.next) else { return false };
        self.next += 1;
        self.token.offset_from = word.from;
        self.token.offset_to = word.to;
        self.token.position = word.position;
        self.token.text.clear();
        self.token.text.push_str(&word.text);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = words(text).into_iter().map(|word| word.text).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn identifiers_give_parts_and_the_whole() {
        check("parseHttpRequest", &["parsehttprequest", "pars", "http", "request"]);
        check("snake_case_name", &["snake_case_name", "snake", "case", "name"]);
        check("HTTPServer2", &["httpserver2", "http", "server2"]);
        check("leases parsedRequests", &["leas", "parsedrequests", "pars", "request"]);
        check("core::api::Pending", &["core", "api", "pend"]);
        check("src/main.rs", &["src", "main", "rs"]);
        check("__init__", &["init"]);
        check("x1 256", &["x1", "256"]);
    }

    #[test]
    fn forms_of_a_word_find_each_other() {
        check("Backups of files, policies, class status", &["backup", "of", "file", "polici", "class", "status"]);
        check("expire expires expiring", &["expir", "expir", "expir"]);
    }

    #[test]
    fn prose_of_any_script() {
        check("Größe, naïve!", &["größe", "naïve"]);
        check("東京へ go", &["東", "京", "へ", "go"]);
        check("  ", &[]);
        check("___", &[]);
    }

    proptest::proptest! {
        #[test]
        fn places_are_valid(text in "\\PC{0,60}") {
            for word in words(&text) {
                proptest::prop_assert!(word.from < word.to);
                proptest::prop_assert!(text.get(word.from..word.to).is_some());
            }
        }
    }
}
