//! SentencePiece BPE (the `llama` tokenizer): merges by score over the whole text, unknown characters as bytes.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Vocabulary;

const NONE: usize = usize::MAX;

struct Symbol {
    start: usize,
    /// 0 once merged into its left neighbour.
    length: usize,
    previous: usize,
    next: usize,
}

struct Candidate {
    score: f32,
    left: usize,
    right: usize,
    length: usize,
}

impl Ord for Candidate {
    /// The highest score first, then the leftmost.
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.left.cmp(&self.left))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// Appends the ids of `text`, as llama.cpp's `llm_tokenizer_spm` finds them.
pub(super) fn encode(text: &str, space_prefix: bool, vocabulary: &Vocabulary, ids: &mut Vec<u32>) {
    let mut escaped = String::with_capacity(text.len() + 16);
    if space_prefix {
        escaped.push('▁');
    }
    for character in text.chars() {
        escaped.push(if character == ' ' { '▁' } else { character });
    }

    let mut symbols: Vec<Symbol> = escaped
        .char_indices()
        .enumerate()
        .map(|(at, (start, character))| Symbol {
            start,
            length: character.len_utf8(),
            previous: at.wrapping_sub(1),
            next: at + 1,
        })
        .collect();
    let Some(last) = symbols.last_mut() else { return };
    last.next = NONE;

    let mut queue = BinaryHeap::new();
    let offer = |symbols: &[Symbol], queue: &mut BinaryHeap<Candidate>, left: usize, right: usize| {
        if left == NONE || right == NONE {
            return;
        }
        let length = symbols[left].length + symbols[right].length;
        let start = symbols[left].start;
        if let Some(id) = vocabulary.id(&escaped[start..start + length]) {
            queue.push(Candidate { score: vocabulary.score(id), left, right, length });
        }
    };
    for right in 1..symbols.len() {
        offer(&symbols, &mut queue, right - 1, right);
    }
    while let Some(Candidate { left, right, length, .. }) = queue.pop() {
        let alive = symbols[left].length != 0 && symbols[right].length != 0;
        if !alive || symbols[left].length + symbols[right].length != length {
            continue;
        }
        let next = symbols[right].next;
        symbols[right].length = 0;
        symbols[left].length = length;
        symbols[left].next = next;
        if next != NONE {
            symbols[next].previous = left;
        }
        offer(&symbols, &mut queue, symbols[left].previous, left);
        offer(&symbols, &mut queue, left, next);
    }

    for symbol in symbols.iter().filter(|symbol| symbol.length != 0) {
        let text = &escaped[symbol.start..symbol.start + symbol.length];
        match vocabulary.id(text) {
            Some(id) => ids.push(id),
            None => ids.extend(text.bytes().filter_map(|byte| vocabulary.byte_token(byte))),
        }
    }
}
