//! Pre-tokenizers by name: how text is cut into words before byte pairs are merged.
//!
//! Names, order of the patterns and flags follow llama.cpp (`llm_tokenizer_bpe` in `src/llama-vocab.cpp`); the
//! patterns are those of the models' own tokenizer files. Each pattern cuts the pieces that the one before left.

use fancy_regex::Regex;

use crate::{Error, Result};

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)";
const ONE_DIGIT: &str = r"\p{N}";
const UP_TO_THREE_DIGITS: &str = r"\p{N}{1,3}";
/// Contractions in any case, words with one leading sign, then the rest; digits between are up to the family.
macro_rules! llama3_style {
    ($word:literal, $digits:literal, $signs:literal) => {
        concat!(
            r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?",
            $word,
            "|",
            $digits,
            "| ?",
            $signs,
            r"+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
    };
}
const LLAMA3: &str = llama3_style!(r"\p{L}+", r"\p{N}{1,3}", r"[^\s\p{L}\p{N}]");
const QWEN2: &str = llama3_style!(r"\p{L}+", r"\p{N}", r"[^\s\p{L}\p{N}]");
const QWEN35: &str = llama3_style!(r"[\p{L}\p{M}]+", r"\p{N}", r"[^\s\p{L}\p{M}\p{N}]");
const MINICPM5: &str = llama3_style!(r"\p{L}+", r"\p{N}+", r"[^\s\p{L}\p{N}]");
/// Words split where lower case turns into upper case; non-ASCII letters count as both, as in llama.cpp.
const TEKKEN: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{L}--a-z]*[\p{L}--A-Z]+|[^\r\n\p{L}\p{N}]?[\p{L}--a-z]+[\p{L}--A-Z]*|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const GPT4O: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{L}--a-z]*[\p{L}--A-Z]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?",
    r"|[^\r\n\p{L}\p{N}]?[\p{L}--a-z]+[\p{L}--A-Z]*(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const DEEPSEEK3: &str = concat!(
    r"[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*",
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const CJK_RUN: &str = r"[\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+";
/// DeepSeek-LLM names every cased letter of its Unicode version.
const CASED_LETTER_RUN: &str = concat!(
    r"\s?[",
    r"A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af}",
    r"\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}",
    r"\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}",
    r"\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}",
    r"\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}",
    r"\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}",
    r"\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}",
    r"\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}",
    r"\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}",
    r"\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4}\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}",
    r"\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}",
    r"\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}",
    r"\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}",
    r"\x{1e900}-\x{1e943}",
    r"]+"
);

/// Cuts text into words.
pub(super) struct PreTokenizer {
    patterns: Vec<Regex>,
    /// A word that is a token as a whole is not merged.
    pub whole_words_first: bool,
    /// BOS is added where the file does not say otherwise.
    pub adds_bos: bool,
}

/// The pre-tokenizer that `tokenizer.ggml.pre` names; a file without a name means `default`, as in llama.cpp.
pub(super) fn by_name(name: &str) -> Result<PreTokenizer> {
    let mut whole_words_first = false;
    let mut adds_bos = false;
    let patterns: &[&str] = match name {
        "" | "default" => &[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
        "llama3" | "llama-v3" | "llama-bpe" | "falcon3" | "falcon-h1" | "pixtral" | "midm-2.0" | "lfm2" => {
            whole_words_first = true;
            adds_bos = true;
            &[LLAMA3]
        }
        "dbrx" | "smaug-bpe" => &[LLAMA3],
        "glm4" => {
            whole_words_first = true;
            &[LLAMA3]
        }
        "minicpm5" => {
            whole_words_first = true;
            &[UP_TO_THREE_DIGITS, MINICPM5]
        }
        "qwen2" | "deepseek-r1-qwen" | "kormo" | "megrez" | "stablelm2" | "hunyuan" | "solar-open" | "grok-2" => {
            &[QWEN2]
        }
        "qwen35" => &[QWEN35],
        "tekken" => {
            whole_words_first = true;
            adds_bos = true;
            &[TEKKEN]
        }
        "gpt-4o" | "llama4" | "kanana2" => &[GPT4O],
        "deepseek-llm" => &[
            r"[\r\n]",
            CASED_LETTER_RUN,
            r"\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+",
            r"\s+$",
            CJK_RUN,
            r"\p{N}+",
        ],
        "deepseek-coder" => &[r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK_RUN, ONE_DIGIT],
        "deepseek-v3" | "hunyuan-dense" | "joyai-llm" => {
            &[UP_TO_THREE_DIGITS, r"[\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+", DEEPSEEK3]
        }
        "falcon" => &[r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
        "starcoder" | "refact" | "command-r" | "smollm" | "codeshell" | "exaone" | "minerva-7b" | "mellum2" => {
            &[ONE_DIGIT, GPT2]
        }
        "gpt-2" | "phi-2" | "gigachat" | "a.x-4.0" | "mellum" | "mpt" | "olmo" | "jais" | "trillion" | "exaone4"
        | "granite-docling" => &[GPT2],
        other => return Err(Error::UnknownPreTokenizer(other.to_owned())),
    };
    let patterns = patterns.iter().map(|pattern| Regex::new(pattern)).collect::<Result<Vec<_>, _>>();
    let patterns = patterns.map_err(|error| Error::Tokenizer(error.to_string()))?;
    Ok(PreTokenizer { patterns, whole_words_first, adds_bos })
}

impl PreTokenizer {
    /// The words of `text` in order; together they are the whole text.
    pub fn split<'a>(&self, text: &'a str) -> Result<Vec<&'a str>> {
        let mut pieces = vec![text];
        for pattern in &self.patterns {
            let mut finer = Vec::with_capacity(pieces.len() * 2);
            for piece in pieces {
                let mut rest = 0;
                for found in pattern.find_iter(piece) {
                    let found = found.map_err(|error| Error::Tokenizer(error.to_string()))?;
                    if found.start() > rest {
                        finer.push(&piece[rest..found.start()]);
                    }
                    if found.end() > found.start() {
                        finer.push(found.as_str());
                    }
                    rest = found.end();
                }
                if rest < piece.len() {
                    finer.push(&piece[rest..]);
                }
            }
            pieces = finer;
        }
        Ok(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, expected: &[&str]) {
        assert_eq!(by_name(name).unwrap().split(text).unwrap(), expected, "{name}: {text:?}");
    }

    #[test]
    fn families_cut_differently() {
        check("smollm", "It's 123  ok", &["It", "'s", " ", "1", "2", "3", " ", " ok"]);
        check("gpt-2", "It's 123  ok", &["It", "'s", " 123", " ", " ok"]);
        check("llama-bpe", "It'S 12345\n\nok", &["It", "'S", " ", "123", "45", "\n\n", "ok"]);
        check("qwen2", "a 12!\n", &["a", " ", "1", "2", "!\n"]);
        check("tekken", "camelCase HTTPServer", &["camel", "Case", " HTTPServer"]);
        check("deepseek-llm", "ab 12，好", &["ab", " ", "12", "，", "好"]);
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(matches!(by_name("no-such-thing"), Err(Error::UnknownPreTokenizer(name)) if name == "no-such-thing"));
    }

    #[test]
    fn every_known_pattern_keeps_the_whole_text() {
        let text = " a\u{3000}B'll 1२3 \r\n\n  é́漢字かな한국 🇩🇪 <|x|>\t\u{200b}\u{e000}.";
        for name in [
            "default",
            "llama-bpe",
            "glm4",
            "minicpm5",
            "qwen2",
            "qwen35",
            "tekken",
            "gpt-4o",
            "deepseek-llm",
            "deepseek-coder",
            "deepseek-v3",
            "falcon",
            "smollm",
            "gpt-2",
        ] {
            assert_eq!(by_name(name).unwrap().split(text).unwrap().concat(), text, "{name}");
        }
    }
}
