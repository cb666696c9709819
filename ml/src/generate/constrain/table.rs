//! The vocabulary as constraints see it: bytes of text tokens, ends, and sets of tokens by how they begin.

use std::sync::Arc;

use llguidance::toktrie::{SimpleVob, TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use crate::tokenize::Tokenizer;

/// Digits in one token that are too many at once.
const LONG_NUMBER: usize = 4;

/// Sets of tokens; bit n stands for token n.
pub(super) struct TokenTable {
    tokenizer: Arc<Tokenizer>,
    /// Token ids of the model, and one more where the vocabulary names no end.
    size: usize,
    ends: Vec<TokenId>,
    special: SimpleVob,
    /// End a text, and nothing but what is open around it.
    pub quote: SimpleVob,
    /// Close lists or objects and nothing else.
    pub close_list: SimpleVob,
    pub close_object: SimpleVob,
    /// Begin with `[` or `{`, after spaces.
    pub open: SimpleVob,
    /// Begin with what may stand in a number.
    pub number: SimpleVob,
    /// Hold the `e` of `1e9`, of which nobody knows how large the number becomes.
    pub exponent: SimpleVob,
    /// Hold so many digits in a row that a number of them would be longer than wanted.
    pub long_number: SimpleVob,
    /// Begin with the digit 0.
    pub zero: SimpleVob,
    /// As `exponent`, and those that begin with such an `e`.
    pub exponent_in_number: SimpleVob,
}

impl TokenTable {
    pub fn new(tokenizer: &Arc<Tokenizer>) -> Self {
        let vocabulary = tokenizer.vocabulary();
        let count = vocabulary.len();
        let mut ends: Vec<TokenId> = (0..count as u32).filter(|&id| vocabulary.is_end(id)).collect();
        if ends.is_empty() {
            ends.push(count as u32);
        }
        let size = count.max(ends.iter().max().map_or(0, |&id| id as usize + 1));
        let set = |holds: &dyn Fn(&[u8]) -> bool| {
            let mut set = SimpleVob::alloc(size);
            (0..count as u32).filter(|&id| holds(tokenizer.piece(id))).for_each(|id| set.allow_token(id));
            set
        };
        let begins = |characters: &'static [u8]| {
            move |bytes: &[u8]| bytes.iter().find(|&&byte| byte != b' ').is_some_and(|first| characters.contains(first))
        };
        let closes = |closer: u8| {
            move |bytes: &[u8]| {
                // What opens something again, or only a comma after which something must come, brings no end nearer.
                bytes.first() == Some(&closer) && bytes[1..].iter().all(|byte| matches!(byte, b']' | b'}'))
            }
        };
        let mut special = set(&|bytes| bytes.is_empty() || bytes[0] == TokTrie::SPECIAL_TOKEN_MARKER);
        ends.iter().for_each(|&end| special.allow_token(end));
        Self {
            special,
            quote: set(&closes(b'"')),
            close_list: set(&closes(b']')),
            close_object: set(&closes(b'}')),
            open: set(&begins(b"[{")),
            number: set(&|bytes| bytes.first().is_some_and(|&first| is_number(first))),
            long_number: set(&|bytes| {
                bytes.windows(LONG_NUMBER).any(|run| run.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
            }),
            zero: set(&|bytes| bytes.first() == Some(&b'0')),
            exponent: set(&has_exponent),
            exponent_in_number: set(&|bytes| matches!(bytes.first(), Some(b'e' | b'E')) || has_exponent(bytes)),
            tokenizer: Arc::clone(tokenizer),
            size,
            ends,
        }
    }

    /// Tokens that stand for no text: never part of a constrained answer, whatever a grammar asks for.
    pub fn special(&self) -> &SimpleVob {
        &self.special
    }

    /// Any of these may end an answer.
    pub fn ends(&self) -> &[TokenId] {
        &self.ends
    }

    pub fn bytes(&self, token: TokenId) -> &[u8] {
        self.tokenizer.piece(token)
    }

    fn trie(&self) -> TokTrie {
        let words: Vec<Vec<u8>> = (0..self.size as u32)
            .map(|id| if self.special.is_allowed(id) { Vec::new() } else { self.bytes(id).to_vec() })
            .collect();
        TokTrie::from(&TokRxInfo::new(self.size as u32, self.ends[0]), &words).with_eos_tokens(&self.ends)
    }
}

fn has_exponent(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair[0].is_ascii_digit() && matches!(pair[1], b'e' | b'E'))
}

/// True for bytes of JSON numbers.
pub(super) fn is_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')
}

/// Our tokenizer as llguidance wants it.
struct Environment {
    tokenizer: Arc<Tokenizer>,
    trie: TokTrie,
}

impl TokenizerEnv for Environment {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            self.tokenizer.encode(text, false, false).unwrap_or_else(|_| self.trie.greedy_tokenize(text.as_bytes()))
        })
    }

    /// `SentencePiece` puts a space before each stretch of text, which forced text does not have.
    fn tokenize_is_canonical(&self) -> bool {
        self.tokenizer.is_byte_level()
    }
}

pub(super) fn environment(tokenizer: &Arc<Tokenizer>, table: &TokenTable) -> TokEnv {
    Arc::new(Environment { tokenizer: Arc::clone(tokenizer), trie: table.trie() })
}
