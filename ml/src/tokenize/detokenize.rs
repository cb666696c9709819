//! Token bytes to text as they come: whole UTF-8 characters only, the rest waits for the next token.

/// Collects the bytes of tokens and gives out whole characters.
#[derive(Default)]
pub struct Detokenizer {
    pending: Vec<u8>,
}

impl Detokenizer {
    /// Takes the bytes of one token; returns the text that is complete now. Bytes that can never become UTF-8 turn
    /// into U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        let mut consumed = 0;
        for chunk in self.pending.utf8_chunks() {
            text.push_str(chunk.valid());
            consumed += chunk.valid().len();
            let broken = chunk.invalid();
            let at_end = consumed + broken.len() == self.pending.len();
            if broken.is_empty() || (at_end && may_continue(broken)) {
                continue;
            }
            text.push(char::REPLACEMENT_CHARACTER);
            consumed += broken.len();
        }
        self.pending.drain(..consumed);
        text
    }

    /// What is left when no more tokens come: U+FFFD for a character that was never finished.
    pub fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        text
    }
}

/// True when more bytes could make a character of these, which `str::from_utf8` did not call wrong yet.
fn may_continue(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokens: &[&[u8]], expected: &[&str]) {
        let mut detokenizer = Detokenizer::default();
        let mut texts: Vec<String> = tokens.iter().map(|bytes| detokenizer.push(bytes)).collect();
        texts.push(detokenizer.finish());
        assert_eq!(texts, expected);
    }

    #[test]
    fn characters_are_never_cut() {
        check(&[b"a\xf0\x9f", b"\x98", b"\x80b"], &["a", "", "\u{1f600}b", ""]);
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced_at_once() {
        check(&[b"\xff", b"a\xc3", b"a"], &["\u{fffd}", "a", "\u{fffd}a", ""]);
    }

    #[test]
    fn an_unfinished_character_is_replaced_at_the_end() {
        check(&[b"ok\xe4\xbd"], &["ok", "\u{fffd}"]);
    }
}
