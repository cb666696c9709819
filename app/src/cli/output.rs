//! Writing to the terminal or a pipe: nothing that a document or a model contains can steer the terminal.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter};

use super::failure::Failure;

#[derive(Clone, Copy)]
pub struct Output {
    pub json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Somebody watches standard error: progress and passages are worth showing.
    pub fn watched(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// One line, or several, on standard output.
    pub fn line(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", harmless(text))?;
        Ok(stdout.flush()?)
    }

    /// One line on standard output, each piece in the style of these codes (ECMA-48) where a terminal shows it.
    pub fn styled_line(self, pieces: &[(Option<&str>, &str)]) -> Result<(), Failure> {
        let plain = !io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some();
        let mut line = String::new();
        for (style, text) in pieces {
            match style {
                Some(style) if !plain => {
                    write!(line, "\x1b[{style}m{}\x1b[0m", one_line(text)).expect("writing to a String cannot fail");
                }
                _ => line.push_str(&one_line(text)),
            }
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{line}")?;
        Ok(stdout.flush()?)
    }

    /// Text on standard output as it comes, without a line end.
    pub fn text(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(harmless(text).as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// One JSON value on one line of standard output.
    pub fn json_line(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = json_text(value)?;
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        Ok(stdout.flush()?)
    }

    /// One line on standard error. Who closed it does not want to hear: that is no failure.
    pub fn note(self, text: &str) {
        writeln!(io::stderr().lock(), "{}", harmless(text)).ok();
    }

    /// Replaces the last line of standard error, where somebody watches it.
    pub fn progress(self, text: &str) {
        if self.watched() {
            let mut stderr = io::stderr().lock();
            write!(stderr, "\r\x1b[2K{}", one_line(text)).ok();
            stderr.flush().ok();
        }
    }

    /// Takes the progress line away.
    pub fn progress_done(self) {
        if self.watched() {
            write!(io::stderr().lock(), "\r\x1b[2K").ok();
        }
    }

    pub fn error_json(self, value: &Value) {
        if let Ok(text) = json_text(value) {
            writeln!(io::stderr().lock(), "{text}").ok();
        }
    }
}

/// Control characters and invisible direction marks as `\u{..}`; line ends and tabs stay.
pub fn harmless(text: &str) -> String {
    escape(text, |c| c == '\n' || c == '\t')
}

/// As [`harmless`], and all on one line.
pub fn one_line(text: &str) -> String {
    escape(text, |_| false)
}

/// A path for showing: bytes that are no valid text as `\xNN`.
pub fn path_text(path: &Path) -> String {
    let mut shown = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown.push_str(&one_line(chunk.valid()));
        for byte in chunk.invalid() {
            write!(shown, "\\x{byte:02x}").expect("writing to a String cannot fail");
        }
    }
    shown
}

/// The object with the path in it: as `path`, and as `path_bytes` too where it is no valid text.
pub fn with_path(path: &Path, mut object: Value) -> Value {
    let fields = object.as_object_mut().expect("paths belong into objects");
    fields.insert("path".to_owned(), path.to_string_lossy().into());
    if path.to_str().is_none() {
        fields.insert("path_bytes".to_owned(), path.as_os_str().as_encoded_bytes().into());
    }
    object
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) && !keep(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that a terminal obeys instead of showing: controls, and marks that turn the direction of text.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn json_text(value: &impl Serialize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, TerminalSafe(CompactFormatter));
    value
        .serialize(&mut serializer)
        .map_err(|error| Failure::system(format!("cannot write JSON: {error}"), "Report this."))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// JSON whose strings escape what a terminal would obey; serde_json escapes only the first 32 characters.
struct TerminalSafe(CompactFormatter);

impl Formatter for TerminalSafe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if !fragment.chars().any(steers) {
            return self.0.write_string_fragment(writer, fragment);
        }
        let mut units = [0_u16; 2];
        for c in fragment.chars() {
            if steers(c) {
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                write!(writer, "{c}")?;
            }
        }
        Ok(())
    }
}

/// `1.4 GB`, as people say it.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        assert_eq!(harmless("a\x1b[2Jb\n\tc"), "a\\u{1b}[2Jb\n\tc");
        assert_eq!(one_line("a\r\nb"), "a\\u{d}\\u{a}b");
        assert_eq!(harmless("x\u{202e}gpj.exe\u{9b}"), "x\\u{202e}gpj.exe\\u{9b}");
        assert_eq!(harmless("Grüße 你好 🦀"), "Grüße 你好 🦀");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_is_shown_with_its_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(OsStr::from_bytes(b"/a/\xff\n.md"));
        assert_eq!(path_text(path), "/a/\\xff\\u{a}.md");
        let object = with_path(path, serde_json::json!({}));
        assert_eq!(object["path_bytes"], serde_json::json!([47, 97, 47, 255, 10, 46, 109, 100]));
    }

    #[test]
    fn json_escapes_controls_beyond_ascii_and_stays_json() {
        let text = json_text(&serde_json::json!({ "k": "a\u{9b}31m\u{202e}\x1b\"" })).ok().expect("is written");
        assert_eq!(text, r#"{"k":"a\u009b31m\u202e\u001b\""}"#);
        let back: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        assert_eq!(back["k"], "a\u{9b}31m\u{202e}\x1b\"");
    }

    #[test]
    fn sizes_are_said_in_fitting_units() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(98_362_432), "98.4 MB");
    }
}
