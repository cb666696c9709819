//! Byte-level byte-pair encoding (Sennrich et al. 2016, as in GPT-2): merges by rank inside each word.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Mutex, PoisonError};

use super::Vocabulary;
use super::pretokenize::PreTokenizer;
use crate::Result;
use crate::weights::gguf::{Gguf, Value};

const CACHED_WORDS: usize = 32_768;
const LONGEST_CACHED_WORD: usize = 48;

/// Index of a text: a token id, or beyond the vocabulary an intermediate text that is no token.
type Symbol = u32;

pub(super) struct BytePair {
    pretokenizer: PreTokenizer,
    /// Two neighbours to rank and merged symbol.
    merges: HashMap<(Symbol, Symbol), (u32, Symbol)>,
    byte_symbols: [Symbol; 256],
    byte_chars: [char; 256],
    /// Texts of the symbols beyond the vocabulary.
    extra_texts: Vec<String>,
    words: Mutex<HashMap<Box<str>, Box<[u32]>>>,
}

impl BytePair {
    pub(super) fn from_gguf(gguf: &Gguf, vocabulary: &Vocabulary, pretokenizer: PreTokenizer) -> Result<Self> {
        let lines = gguf.get("tokenizer.ggml.merges").and_then(Value::as_array);
        let lines = lines.ok_or_else(|| gguf.malformed("its tokenizer merges are missing"))?;
        let mut extra = Extra { first: vocabulary.len() as u32, ids: HashMap::new(), texts: Vec::new() };
        let mut merges = HashMap::with_capacity(lines.len());
        for (rank, line) in lines.iter().enumerate() {
            let line = line.as_str().ok_or_else(|| gguf.malformed("its tokenizer merges are not texts"))?;
            let after_first = line.chars().next().map_or(0, char::len_utf8);
            let Some(space) = line[after_first..].find(' ').map(|at| at + after_first) else { continue };
            let (left, right) = (&line[..space], &line[space + 1..]);
            let pair = (extra.symbol(left, vocabulary), extra.symbol(right, vocabulary));
            let merged = extra.symbol(&format!("{left}{right}"), vocabulary);
            merges.entry(pair).or_insert((rank as u32, merged));
        }
        let byte_chars = byte_to_char();
        let byte_symbols = byte_chars.map(|character| extra.symbol(character.encode_utf8(&mut [0; 4]), vocabulary));
        Ok(Self {
            pretokenizer,
            merges,
            byte_symbols,
            byte_chars,
            extra_texts: extra.texts,
            words: Mutex::new(HashMap::new()),
        })
    }

    pub(super) fn encode(&self, text: &str, vocabulary: &Vocabulary, ids: &mut Vec<u32>) -> Result<()> {
        let words = self.pretokenizer.split(text)?;
        // A panic cannot leave the cache half changed, so a poisoned one is still good.
        let mut cache = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        for word in words {
            if let Some(known) = cache.get(word) {
                ids.extend_from_slice(known);
                continue;
            }
            let start = ids.len();
            self.encode_word(word, vocabulary, ids);
            if word.len() <= LONGEST_CACHED_WORD {
                if cache.len() >= CACHED_WORDS {
                    cache.clear();
                }
                cache.insert(word.into(), ids[start..].into());
            }
        }
        Ok(())
    }

    fn encode_word(&self, word: &str, vocabulary: &Vocabulary, ids: &mut Vec<u32>) {
        if self.pretokenizer.whole_words_first {
            let encoded: String = word.bytes().map(|byte| self.byte_chars[usize::from(byte)]).collect();
            if let Some(id) = vocabulary.id(&encoded) {
                ids.push(id);
                return;
            }
        }
        let symbols = self.merge(word.bytes().map(|byte| self.byte_symbols[usize::from(byte)]));
        for symbol in symbols {
            if (symbol as usize) < vocabulary.len() {
                ids.push(symbol);
            } else {
                // No token: the bytes of its name that are tokens, as llama.cpp does.
                let name = &self.extra_texts[symbol as usize - vocabulary.len()];
                let single = |byte: u8| vocabulary.id(std::str::from_utf8(&[byte]).ok()?);
                ids.extend(name.bytes().filter_map(single));
            }
        }
    }

    /// Merges the neighbours of the lowest rank, leftmost first, until none is left. O(n log n).
    fn merge(&self, bytes: impl Iterator<Item = Symbol>) -> impl Iterator<Item = Symbol> {
        const NONE: usize = usize::MAX;
        struct Node {
            symbol: Symbol,
            previous: usize,
            next: usize,
            alive: bool,
        }
        let mut nodes: Vec<Node> = bytes
            .enumerate()
            .map(|(at, symbol)| Node { symbol, previous: at.wrapping_sub(1), next: at + 1, alive: true })
            .collect();
        if let Some(last) = nodes.last_mut() {
            last.next = NONE;
        }
        let mut queue = BinaryHeap::new();
        let offer = |nodes: &[Node], queue: &mut BinaryHeap<_>, left: usize, right: usize| {
            if left == NONE || right == NONE {
                return;
            }
            let pair = (nodes[left].symbol, nodes[right].symbol);
            if let Some(&(rank, merged)) = self.merges.get(&pair) {
                queue.push(Reverse((rank, left, right, pair, merged)));
            }
        };
        for right in 1..nodes.len() {
            offer(&nodes, &mut queue, right - 1, right);
        }
        while let Some(Reverse((_, left, right, pair, merged))) = queue.pop() {
            let current = nodes[left].alive && nodes[right].alive && (nodes[left].symbol, nodes[right].symbol) == pair;
            if !current {
                continue;
            }
            let next = nodes[right].next;
            nodes[right].alive = false;
            nodes[left].symbol = merged;
            nodes[left].next = next;
            if next != NONE {
                nodes[next].previous = left;
            }
            offer(&nodes, &mut queue, nodes[left].previous, left);
            offer(&nodes, &mut queue, left, next);
        }
        nodes.into_iter().filter(|node| node.alive).map(|node| node.symbol)
    }
}

/// Gives symbols to texts that are parts of merges but no tokens.
struct Extra {
    first: u32,
    ids: HashMap<String, Symbol>,
    texts: Vec<String>,
}

impl Extra {
    fn symbol(&mut self, text: &str, vocabulary: &Vocabulary) -> Symbol {
        if let Some(id) = vocabulary.id(text) {
            return id;
        }
        if let Some(&symbol) = self.ids.get(text) {
            return symbol;
        }
        let symbol = self.first + self.texts.len() as u32;
        self.ids.insert(text.to_owned(), symbol);
        self.texts.push(text.to_owned());
        symbol
    }
}

/// GPT-2's printable stand-in for each byte: itself where printable, else the next free one from U+0100.
fn byte_to_char() -> [char; 256] {
    let mut chars = ['\0'; 256];
    let mut next = 0x100;
    for byte in 0..=255u8 {
        let printable = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        chars[usize::from(byte)] = if printable {
            char::from(byte)
        } else {
            next += 1;
            char::from_u32(next - 1).expect("U+0100 to U+0143 are characters")
        };
    }
    chars
}

pub(super) fn char_to_byte() -> HashMap<char, u8> {
    byte_to_char().into_iter().zip(0..=255).collect()
}
