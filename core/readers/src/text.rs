//! Plain text, and the decoding of bytes to text that the other text formats share.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use rspa_ml::Cancel;

use super::{Extracted, Limits, Lines, ReadError, Reader, detect};
use crate::DocumentKind;

pub struct PlainText;

impl Reader for PlainText {
    fn read(&self, bytes: &[u8], limits: &Limits, _cancel: &Cancel) -> Result<Extracted, ReadError> {
        decode_as(DocumentKind::Text, bytes, limits)
    }
}

/// Text of a file and how sure its encoding is.
pub struct Decoded {
    pub text: String,
    pub confidence: f32,
    pub note: Option<&'static str>,
}

/// Decodes UTF-8, UTF-16 (by its mark, or when every other byte is zero), else Windows-1252 with less confidence.
///
/// # Errors
/// `Binary` for bytes that cannot be text.
pub fn decode(bytes: &[u8]) -> Result<Decoded, ReadError> {
    if detect::is_binary(bytes) {
        return Err(ReadError::Binary);
    }
    let sure = |text: String| Decoded { text, confidence: 1.0, note: None };
    let body = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Some(encoding) = utf16_by_mark(bytes).or_else(|| utf16_without_mark(bytes)) {
        let (text, _, broken) = encoding.decode(bytes);
        let (confidence, note) = if broken { (0.7, Some("Parts of it are not valid UTF-16.")) } else { (1.0, None) };
        return Ok(Decoded { text: text.into_owned(), confidence, note });
    }
    match std::str::from_utf8(body) {
        Ok(text) => Ok(sure(text.to_owned())),
        Err(error) => {
            // A file that is UTF-8 but for a few bytes stays UTF-8.
            if error.valid_up_to() > 0 && mostly_utf8(body) {
                let text = String::from_utf8_lossy(body).into_owned();
                return Ok(Decoded { text, confidence: 0.8, note: Some("Some characters in it are not valid UTF-8.") });
            }
            let (text, _, _) = WINDOWS_1252.decode(body);
            Ok(Decoded {
                text: text.into_owned(),
                confidence: 0.7,
                note: Some("Its character encoding is not stated; it was read as Windows-1252."),
            })
        }
    }
}

/// Decodes as the text itself says within its first bytes (`charset=` of HTML, `encoding=` of XML), else by its looks.
///
/// # Errors
/// `Binary` for bytes that cannot be text.
pub fn decode_declared(bytes: &[u8]) -> Result<Decoded, ReadError> {
    let head: String = bytes.iter().take(2_048).map(|byte| char::from(*byte)).collect::<String>().to_ascii_lowercase();
    let declared = ["charset=", "encoding="].iter().find_map(|sign| {
        let label = head[head.find(sign)? + sign.len()..].trim_start_matches(['"', '\'', ' ']);
        let end = label.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_:.".contains(letter)))?;
        encoding_rs::Encoding::for_label(&label.as_bytes()[..end])
    });
    match declared {
        Some(encoding)
            if encoding.is_ascii_compatible()
                && encoding != encoding_rs::UTF_8
                && !detect::is_binary(bytes)
                && std::str::from_utf8(bytes).is_err() =>
        {
            let (text, _, broken) = encoding.decode(bytes);
            let (confidence, note) =
                if broken { (0.8, Some("Some characters in it are not valid in its encoding.")) } else { (1.0, None) };
            Ok(Decoded { text: text.into_owned(), confidence, note })
        }
        _ => decode(bytes),
    }
}

/// Text of a kind, without structure.
pub fn decode_as(kind: DocumentKind, bytes: &[u8], limits: &Limits) -> Result<Extracted, ReadError> {
    let decoded = decode(bytes)?;
    let (text, cut) = clip(decoded.text, limits.text_bytes);
    let mut extracted = Extracted::plain(kind, Lines::new(text));
    if let Some(note) = decoded.note {
        extracted.doubt(decoded.confidence, note);
    }
    if cut {
        extracted.doubt(0.5, "Only its first part was read, because it is very long.");
    }
    Ok(extracted)
}

/// The text up to a number of bytes, and whether something was cut off.
pub fn clip(mut text: String, bytes: usize) -> (String, bool) {
    if text.len() <= bytes {
        return (text, false);
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    (text, true)
}

fn utf16_by_mark(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match bytes {
        [0xFF, 0xFE, ..] => Some(UTF_16LE),
        [0xFE, 0xFF, ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// UTF-16 without a mark: nearly all zeros stand on one side of the pairs, and most other bytes are printable.
pub fn utf16_without_mark(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let head = &bytes[..bytes.len().min(4096) & !1];
    if head.len() < 8 {
        return None;
    }
    let (mut low, mut high, mut printable) = (0_usize, 0_usize, 0_usize);
    for pair in head.chunks_exact(2) {
        low += usize::from(pair[0] == 0);
        high += usize::from(pair[1] == 0);
        printable +=
            pair.iter().filter(|byte| (32..127).contains(*byte) || matches!(byte, b'\n' | b'\r' | b'\t')).count();
    }
    let pairs = head.len() / 2;
    if printable * 10 < pairs * 7 {
        return None;
    }
    if high * 10 >= pairs * 7 && low * 20 <= pairs {
        Some(UTF_16LE)
    } else if low * 10 >= pairs * 7 && high * 20 <= pairs {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut valid_wide, mut invalid) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        valid_wide += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    invalid == 0 || valid_wide >= invalid * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], text: &str, confidence: f32) {
        let decoded = decode(bytes).unwrap();
        assert_eq!((decoded.text.as_str(), decoded.confidence), (text, confidence));
    }

    #[test]
    fn encodings_are_found() {
        check("Grüße".as_bytes(), "Grüße", 1.0);
        check(b"\xEF\xBB\xBFmarked", "marked", 1.0);
        check(b"caf\xE9 au lait", "café au lait", 0.7);
        let little: Vec<u8> = "\u{feff}Grüße, Welt".encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(&little, "Grüße, Welt", 1.0);
        let big: Vec<u8> = "plain text here".encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&big, "plain text here", 1.0);
    }

    #[test]
    fn a_binary_file_is_refused_in_words() {
        let error = decode(&[0, 1, 2, 3, 0, 0, 9, 9, 0, 200]).err().unwrap();
        assert!(error.to_string().contains("binary data"));
    }
}
