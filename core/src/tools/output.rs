//! What the model reads of a result: compact, bounded, and honest about what was left out.

use serde_json::Value;

use crate::model::ToolOutput;

/// Bytes of a result's text.
pub const MOST_BYTES: usize = 8 << 10;

/// A text that says when something is left out at its end, and how much.
pub fn bounded(text: &str) -> String {
    bounded_to(text, MOST_BYTES)
}

pub fn bounded_to(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(80);
    let kept = &text[..text.floor_char_boundary(room)];
    // Whole lines where there are some.
    let kept = match kept.rfind('\n') {
        Some(end) if end > room / 2 => &kept[..end],
        _ => kept,
    };
    format!("{kept}\n[{} more characters were left out]", text[kept.len()..].chars().count())
}

/// A result that is text alone.
pub fn text(text: impl AsRef<str>) -> ToolOutput {
    ToolOutput { text: bounded(text.as_ref()), ..ToolOutput::default() }
}

/// A result with the same as data.
pub fn with_data(words: impl AsRef<str>, data: Value) -> ToolOutput {
    ToolOutput { data: Some(data), ..text(words) }
}

/// Lines up to a budget of bytes; what did not fit is counted.
pub struct Page {
    text: String,
    most: usize,
    left_out: usize,
}

impl Page {
    pub fn new() -> Self {
        Self { text: String::new(), most: MOST_BYTES - 120, left_out: 0 }
    }

    /// False when it did not fit.
    pub fn line(&mut self, line: &str) -> bool {
        if self.left_out > 0 || self.text.len() + line.len() + 1 > self.most {
            self.left_out += 1;
            return false;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        true
    }

    /// The text, with a last line on what was left out; `what` such as "entries".
    pub fn finish(mut self, what: &str) -> String {
        if self.left_out > 0 {
            self.text.push_str(&format!("\n[{} more {what} were left out]", self.left_out));
        }
        self.text
    }
}

/// A text without control characters, so that a file's name or line cannot forge lines of the result.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\t' { ' ' } else { letter }).collect()
}
