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
    visit(text, |from, to, position, text| found.push(Word { from, to, text: text.to_owned(), position }));
    found
}

/// Hears the words of a text in order, as [`Word`] has them: from, to, position, text.
pub fn visit(text: &str, heard: impl FnMut(usize, usize, usize, &str)) {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut scanner = Scanner { text, at: 0, position: 0, scratch, heard };
        while scanner.next() {}
    });
}

struct Scanner<'a, F> {
    text: &'a str,
    at: usize,
    position: usize,
    scratch: &'a mut Scratch,
    heard: F,
}

/// What one thread needs for each word.
struct Scratch {
    word: String,
    parts: Vec<(usize, usize)>,
    stems: Stems,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Scripts written without spaces between words.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}

impl<F: FnMut(usize, usize, usize, &str)> Scanner<'_, F> {
    /// Tells the words of the next identifier; false at the end.
    fn next(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some((offset, first)) = rest.char_indices().find(|(_, c)| is_word(*c)) else { return false };
        let from = self.at + offset;
        if stands_alone(first) {
            self.at = from + first.len_utf8();
            self.tell(from, self.at, self.position, false);
            self.position += 1;
            return true;
        }
        let tail = &self.text[from..];
        let length =
            tail.char_indices().find(|(_, c)| !is_word(*c) || stands_alone(*c)).map_or(tail.len(), |(at, _)| at);
        self.at = from + length;
        let (from, to) = trimmed(self.text, from, self.at);
        if from < to {
            self.identifier(from, to);
        }
        true
    }

    fn identifier(&mut self, from: usize, to: usize) {
        self.scratch.parts.clear();
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
                self.part(start, at);
                start = at;
            }
            last = Some(c);
        }
        self.part(start, to);
        let parts = self.scratch.parts.len();
        // Without parts of its own the word is there once.
        self.tell(from, to, self.position, parts <= 1);
        if parts > 1 {
            for part in 0..parts {
                let (from, to) = self.scratch.parts[part];
                self.tell(from, to, self.position + part, true);
            }
        }
        self.position += parts.max(1);
    }

    fn part(&mut self, from: usize, to: usize) {
        let (from, to) = trimmed(self.text, from, to);
        if from < to {
            self.scratch.parts.push((from, to));
        }
    }

    fn tell(&mut self, from: usize, to: usize, position: usize, stemmed: bool) {
        let end = self.text.floor_char_boundary(to.min(from + MOST_BYTES));
        let slice = &self.text[from..end];
        let Scratch { word, stems, .. } = &mut *self.scratch;
        word.clear();
        if slice.is_ascii() {
            word.push_str(slice);
            word.make_ascii_lowercase();
        } else {
            word.push_str(&slice.to_lowercase());
        }
        if stemmed {
            stems.stem(word);
        }
        (self.heard)(from, to, position, word);
    }
}

/// Words whose stems are remembered by each thread.
const REMEMBERED: usize = 1 << 15;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        word: String::new(),
        parts: Vec::new(),
        stems: Stems { stemmer: Stemmer::create(Algorithm::English), known: HashMap::new() },
    });
}

/// English stems (Porter's second stemmer, Snowball). Question and text are treated alike, so that words of other
/// languages still find themselves.
struct Stems {
    stemmer: Stemmer,
    /// None where a word is its own stem.
    known: HashMap<String, Option<String>>,
}

impl Stems {
    fn stem(&mut self, word: &mut String) {
        if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return;
        }
        if let Some(stem) = self.known.get(word.as_str()) {
            if let Some(stem) = stem {
                word.clone_from(stem);
            }
            return;
        }
        let stem = self.stemmer.stem(word).into_owned();
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(word.clone(), (stem != *word).then(|| stem.clone()));
        *word = stem;
    }
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
        let words = &mut self.words;
        visit(text, |from, to, position, text| words.push(Word { from, to, text: text.to_owned(), position }));
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
