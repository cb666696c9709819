//! One log entry as a line of text, for the file, and with colours for the console.

use std::fmt::Write;

use tracing::Level;

use crate::storage::logs::LogRow;

/// `2026-11-20T04:50:36.123Z WARN rspa_core::engine a > b: message key=value`.
pub(super) fn line(row: &LogRow) -> String {
    format!("{} {:<5} {}\n", time(row.at), row.level, tail(row, true))
}

pub(super) fn coloured(level: Level, row: &LogRow) -> String {
    let colour = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    };
    format!("\u{1b}[{colour}m{}\u{1b}[0m {}\n", row.level.to_ascii_lowercase(), tail(row, false))
}

/// Without colours, for a console that is no terminal.
pub(super) fn plain(row: &LogRow) -> String {
    format!("{} {}\n", row.level.to_ascii_lowercase(), tail(row, false))
}

fn tail(row: &LogRow, place: bool) -> String {
    let mut text = String::new();
    if place {
        text.push_str(&row.target);
        if row.line > 0 {
            // Writing to a String does not fail.
            write!(text, ":{}", row.line).ok();
        }
        if !row.span.is_empty() {
            write!(text, " {}", row.span).ok();
        }
        text.push_str(": ");
    }
    push_on_one_line(&mut text, &row.message);
    for (name, value) in &row.fields {
        write!(text, " {name}=").ok();
        push_on_one_line(&mut text, value);
    }
    text
}

/// A text from outside must not forge further lines or move the terminal's cursor.
fn push_on_one_line(text: &mut String, part: &str) {
    for letter in part.chars() {
        if letter.is_control() {
            text.extend(letter.escape_default());
        } else {
            text.push(letter);
        }
    }
}

fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_out_of_range| at.to_string(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line() {
        let row = LogRow {
            at: 1_760_000_000_123,
            level: "WARN".to_owned(),
            target: "rspa_core::engine".to_owned(),
            module: "rspa_core::engine".to_owned(),
            line: 12,
            span: "index > read".to_owned(),
            message: "bad\nname\u{1b}[2J".to_owned(),
            fields: vec![("path".to_owned(), "/tmp/x".to_owned())],
        };
        assert_eq!(
            line(&row),
            "2025-10-09T08:53:20.123Z WARN  rspa_core::engine:12 index > read: bad\\nname\\u{1b}[2J path=/tmp/x\n"
        );
        assert_eq!(plain(&row), "warn bad\\nname\\u{1b}[2J path=/tmp/x\n");
    }
}
