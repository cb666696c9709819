//! The vocabulary of a GGUF file: names, kinds and scores of tokens, and what each stands for in text.

use std::collections::HashMap;

use crate::Result;
use crate::weights::gguf::{Gguf, Value};

/// `tokenizer.ggml.token_type` of the GGUF specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Normal,
    Unknown,
    /// Steers the model and is not part of any text.
    Control,
    /// Added to the vocabulary as a whole; found in text before anything else is.
    UserDefined,
    Unused,
    Byte,
}

/// Tokens that end an answer, found by name because files do not list them (llama.cpp does the same).
const END_NAMES: [&str; 14] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<｜end▁of▁sentence｜>",
];
const MAX_TOKENS: usize = 1 << 21;

pub struct Vocabulary {
    texts: Vec<String>,
    kinds: Vec<TokenKind>,
    scores: Vec<f32>,
    ids: HashMap<String, u32>,
    /// Control, unknown and user-defined tokens, longest name first.
    specials: Vec<u32>,
    ends: Vec<u32>,
    bos: Option<u32>,
    eos: Option<u32>,
    unknown: Option<u32>,
    byte_tokens: [Option<u32>; 256],
    longest_text: usize,
    pieces: Vec<u8>,
    piece_ends: Vec<u32>,
}

impl Vocabulary {
    pub(super) fn from_gguf(gguf: &Gguf, byte_level: bool) -> Result<Self> {
        let tokens = gguf.get("tokenizer.ggml.tokens").and_then(Value::as_array);
        let tokens = tokens.filter(|tokens| !tokens.is_empty() && tokens.len() <= MAX_TOKENS);
        let tokens = tokens.ok_or_else(|| gguf.malformed("its vocabulary is missing"))?;
        let list = |key: &str| -> Result<Option<&[Value]>> {
            let Some(values) = gguf.get(key).and_then(Value::as_array) else { return Ok(None) };
            if values.len() < tokens.len() {
                return Err(gguf.malformed(format!("'{key}' is shorter than the vocabulary")));
            }
            Ok(Some(values))
        };
        let kinds = list("tokenizer.ggml.token_type")?;
        let scores = list("tokenizer.ggml.scores")?;

        let mut vocabulary = Self {
            texts: Vec::with_capacity(tokens.len()),
            kinds: Vec::with_capacity(tokens.len()),
            scores: Vec::with_capacity(tokens.len()),
            ids: HashMap::with_capacity(tokens.len()),
            specials: Vec::new(),
            ends: Vec::new(),
            bos: None,
            eos: None,
            unknown: None,
            byte_tokens: [None; 256],
            longest_text: 0,
            pieces: Vec::new(),
            piece_ends: Vec::with_capacity(tokens.len()),
        };
        for (id, token) in tokens.iter().enumerate() {
            let text = match token.as_str() {
                Some("") => format!("[EMPTY_{id}]"),
                Some(text) => text.to_owned(),
                None => return Err(gguf.malformed("its vocabulary holds something else than text")),
            };
            let kind = match kinds.map(|kinds| kinds[id].as_i64()) {
                None | Some(Some(1)) => TokenKind::Normal,
                Some(Some(2)) => TokenKind::Unknown,
                Some(Some(3)) => TokenKind::Control,
                Some(Some(4)) => TokenKind::UserDefined,
                Some(Some(6)) => TokenKind::Byte,
                Some(_) => TokenKind::Unused,
            };
            let score = scores.and_then(|scores| scores[id].as_f64()).unwrap_or(0.0) as f32;
            vocabulary.longest_text = vocabulary.longest_text.max(text.len());
            vocabulary.ids.insert(text.clone(), id as u32);
            vocabulary.texts.push(text);
            vocabulary.kinds.push(kind);
            vocabulary.scores.push(if score.is_nan() { f32::NEG_INFINITY } else { score });
        }
        vocabulary.name_specials(gguf);
        vocabulary.make_pieces(byte_level);
        Ok(vocabulary)
    }

    fn name_specials(&mut self, gguf: &Gguf) {
        let named = |key: &str, default: Option<u32>| {
            let id = gguf.get(key).and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
            id.or(default).filter(|&id| (id as usize) < self.texts.len())
        };
        let sentencepiece = gguf.text("tokenizer.ggml.model") == Some("llama");
        let default = |id| sentencepiece.then_some(id);
        self.bos = named("tokenizer.ggml.bos_token_id", default(1));
        self.eos = named("tokenizer.ggml.eos_token_id", default(2));
        self.unknown = named("tokenizer.ggml.unknown_token_id", default(0));
        self.ends = ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"]
            .iter()
            .filter_map(|key| named(key, None))
            .chain(self.eos)
            .collect();
        // Whatever the file calls these, they are control tokens: text must never be able to write one.
        for name in END_NAMES {
            if let Some(&id) = self.ids.get(name) {
                self.ends.push(id);
                self.kinds[id as usize] = TokenKind::Control;
            }
        }
        self.ends.sort_unstable();
        self.ends.dedup();

        let mut specials: Vec<u32> = (0..self.texts.len() as u32)
            .filter(|&id| matches!(self.kind(id), TokenKind::Control | TokenKind::Unknown | TokenKind::UserDefined))
            .collect();
        specials.sort_by_key(|&id| std::cmp::Reverse(self.text(id).len()));
        self.specials = specials;
        for byte in 0..=255u8 {
            let single = std::str::from_utf8(&[byte]).ok().and_then(|text| self.ids.get(text)).copied();
            self.byte_tokens[usize::from(byte)] = self.ids.get(&format!("<0x{byte:02X}>")).copied().or(single);
        }
    }

    fn make_pieces(&mut self, byte_level: bool) {
        let bytes_of = super::bpe::char_to_byte();
        for (text, kind) in self.texts.iter().zip(&self.kinds) {
            match kind {
                TokenKind::Control | TokenKind::Unknown | TokenKind::Unused => {}
                TokenKind::UserDefined => self.pieces.extend(text.bytes()),
                TokenKind::Byte => {
                    let byte = text.get(3..5).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                    self.pieces.extend(byte);
                }
                TokenKind::Normal if byte_level => {
                    for character in text.chars() {
                        match bytes_of.get(&character) {
                            Some(&byte) => self.pieces.push(byte),
                            None => self.pieces.extend(character.encode_utf8(&mut [0; 4]).bytes()),
                        }
                    }
                }
                TokenKind::Normal => self.pieces.extend(text.replace('▁', " ").bytes()),
            }
            self.piece_ends.push(self.pieces.len() as u32);
        }
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The id of the token with this name.
    pub fn id(&self, text: &str) -> Option<u32> {
        if text.len() > self.longest_text {
            return None;
        }
        self.ids.get(text).copied()
    }

    /// The token's name in the vocabulary, which is not what it stands for in text.
    pub fn text(&self, id: u32) -> &str {
        self.texts.get(id as usize).map_or("", String::as_str)
    }

    pub fn kind(&self, id: u32) -> TokenKind {
        self.kinds.get(id as usize).copied().unwrap_or(TokenKind::Unused)
    }

    pub(super) fn score(&self, id: u32) -> f32 {
        self.scores.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY)
    }

    pub(super) fn byte_token(&self, byte: u8) -> Option<u32> {
        self.byte_tokens[usize::from(byte)].or(self.unknown)
    }

    pub fn specials(&self) -> &[u32] {
        &self.specials
    }

    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// True for tokens that end an answer.
    pub fn is_end(&self, id: u32) -> bool {
        self.ends.binary_search(&id).is_ok()
    }

    pub(super) fn piece(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let Some(&end) = self.piece_ends.get(id) else { return &[] };
        let start = if id == 0 { 0 } else { self.piece_ends[id - 1] };
        &self.pieces[start as usize..end as usize]
    }
}
