//! Exact tokenizers from GGUF metadata: byte-level BPE with each pre-tokenizer by name, and SentencePiece.
//!
//! Token ids equal llama.cpp's (`src/llama-vocab.cpp`); what is not known exactly is refused.

mod bpe;
mod detokenize;
mod pretokenize;
mod sentencepiece;
mod vocabulary;

pub use detokenize::Detokenizer;
pub use vocabulary::{TokenKind, Vocabulary};

use crate::weights::gguf::Gguf;
use crate::{Error, Result};

/// Text to token ids and back.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    algorithm: Algorithm,
    add_bos: bool,
    add_eos: bool,
    add_space_prefix: bool,
}

enum Algorithm {
    BytePair(Box<bpe::BytePair>),
    SentencePiece,
}

/// A stretch of text, or a special token that was found in it.
enum Fragment<'a> {
    Text(&'a str),
    Token(u32),
}

impl Tokenizer {
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let kind = gguf.text("tokenizer.ggml.model").unwrap_or_default();
        let pre = gguf.text("tokenizer.ggml.pre").unwrap_or_default();
        let flag = |key: &str| gguf.get(key).and_then(|value| value.as_bool());
        let (pretokenizer, default_bos, default_space) = match kind {
            "gpt2" => {
                let pretokenizer = pretokenize::by_name(pre)?;
                let add_bos = pretokenizer.adds_bos;
                (Some(pretokenizer), add_bos, false)
            }
            "llama" => (None, true, true),
            other => return Err(Error::UnknownTokenizer(other.to_owned())),
        };
        let vocabulary = Vocabulary::from_gguf(gguf, kind == "gpt2")?;
        let add_bos = flag("tokenizer.ggml.add_bos_token").unwrap_or(default_bos);
        let add_eos = flag("tokenizer.ggml.add_eos_token").unwrap_or(false);
        if (add_bos && vocabulary.bos().is_none()) || (add_eos && vocabulary.eos().is_none()) {
            return Err(gguf.malformed("it wants a begin or end token that it does not name"));
        }
        let algorithm = match pretokenizer {
            Some(pretokenizer) => {
                Algorithm::BytePair(Box::new(bpe::BytePair::from_gguf(gguf, &vocabulary, pretokenizer)?))
            }
            None => Algorithm::SentencePiece,
        };
        let add_space_prefix = flag("tokenizer.ggml.add_space_prefix").unwrap_or(default_space);
        Ok(Self { vocabulary, algorithm, add_bos, add_eos, add_space_prefix })
    }

    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// True for byte-level pair encoding, whose tokens of a text are the same wherever it stands.
    pub fn is_byte_level(&self) -> bool {
        matches!(self.algorithm, Algorithm::BytePair(_))
    }

    /// Token ids of `text`. With `add_special`, BOS and EOS are added as the file says. Only with `parse_special` do
    /// the names of control tokens inside the text become those tokens; never set it for text from outside.
    pub fn encode(&self, text: &str, add_special: bool, parse_special: bool) -> Result<Vec<u32>> {
        self.encode_fragments(text, add_special, parse_special, None)
    }

    /// Token ids of a rendered chat template. `guard` is a character that keeps the names of control tokens inside
    /// the turns from being read as such; it is taken out of the text after they were found. BOS is added where the
    /// file asks for it and the template did not write it.
    pub fn encode_rendered(&self, text: &str, guard: char) -> Result<Vec<u32>> {
        let mut ids = self.encode_fragments(text, false, true, Some(guard))?;
        if let Some(bos) = self.vocabulary.bos().filter(|_| self.add_bos)
            && ids.first() != Some(&bos)
        {
            ids.insert(0, bos);
        }
        Ok(ids)
    }

    /// The bytes that a token stands for in text; none for control tokens. Ids outside the vocabulary give nothing.
    pub fn piece(&self, id: u32) -> &[u8] {
        self.vocabulary.piece(id)
    }

    /// The text of these tokens; bytes that are not UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|&id| self.piece(id)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn encode_fragments(
        &self,
        text: &str,
        add_special: bool,
        parse_special: bool,
        guard: Option<char>,
    ) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 3 + 2);
        if add_special && self.add_bos {
            ids.extend(self.vocabulary.bos());
        }
        let mut after_special = true;
        for fragment in self.fragments(text, parse_special) {
            match fragment {
                Fragment::Token(id) => {
                    ids.push(id);
                    after_special = true;
                }
                Fragment::Text(text) => {
                    let unguarded = guard.filter(|&guard| text.contains(guard)).map(|guard| text.replace(guard, ""));
                    let text = unguarded.as_deref().unwrap_or(text);
                    match &self.algorithm {
                        Algorithm::BytePair(bpe) => bpe.encode(text, &self.vocabulary, &mut ids)?,
                        Algorithm::SentencePiece => {
                            let prefix = self.add_space_prefix && after_special;
                            sentencepiece::encode(text, prefix, &self.vocabulary, &mut ids);
                        }
                    }
                    after_special = false;
                }
            }
        }
        if add_special && self.add_eos {
            ids.extend(self.vocabulary.eos());
        }
        Ok(ids)
    }

    /// Cuts special tokens out of the text, the longest names first, as llama.cpp does.
    fn fragments<'a>(&self, text: &'a str, parse_special: bool) -> Vec<Fragment<'a>> {
        if text.is_empty() {
            return Vec::new();
        }
        let mut fragments = vec![Fragment::Text(text)];
        let pairs = BytePairSet::of(text);
        for &id in self.vocabulary.specials() {
            if !parse_special && matches!(self.vocabulary.kind(id), TokenKind::Control | TokenKind::Unknown) {
                continue;
            }
            let name = self.vocabulary.text(id);
            if !pairs.may_contain(name) || !text.contains(name) {
                continue;
            }
            fragments = fragments
                .into_iter()
                .flat_map(|fragment| match fragment {
                    Fragment::Text(text) => split_at_name(text, name, id),
                    token => vec![token],
                })
                .collect();
        }
        fragments
    }
}

fn split_at_name<'a>(text: &'a str, name: &str, id: u32) -> Vec<Fragment<'a>> {
    let mut fragments = Vec::new();
    let mut pieces = text.split(name).peekable();
    while let Some(piece) = pieces.next() {
        if !piece.is_empty() {
            fragments.push(Fragment::Text(piece));
        }
        if pieces.peek().is_some() {
            fragments.push(Fragment::Token(id));
        }
    }
    fragments
}

/// Which pairs of bytes occur in a text: rules out most of a vocabulary's special tokens in one look each.
struct BytePairSet(Vec<u64>);

impl BytePairSet {
    fn of(text: &str) -> Self {
        let mut set = vec![0u64; 1024];
        for pair in text.as_bytes().windows(2) {
            let pair = usize::from(pair[0]) << 8 | usize::from(pair[1]);
            set[pair >> 6] |= 1 << (pair & 63);
        }
        Self(set)
    }

    fn may_contain(&self, name: &str) -> bool {
        name.as_bytes().windows(2).all(|pair| {
            let pair = usize::from(pair[0]) << 8 | usize::from(pair[1]);
            self.0[pair >> 6] & 1 << (pair & 63) != 0
        })
    }
}
