//! One log entry as a line of text, for the file, and with colours for the console.

use std::fmt::Write;

use crate::model::{LogEntry, LogLevel, one_line};

/// `2026-11-20T04:50:36.123Z WARN  rspa_core::engine:12 a > b: message: error: cause key=value`.
pub(super) fn line(entry: &LogEntry) -> String {
    let level = entry.level.name().to_ascii_uppercase();
    format!("{} {level:<5} {}\n", time(entry.at.0), tail(entry, true))
}

pub(super) fn coloured(entry: &LogEntry) -> String {
    let colour = match entry.level {
        LogLevel::Critical => "1;31",
        LogLevel::Error => "31",
        LogLevel::Warn => "33",
        LogLevel::Info => "32",
        LogLevel::Debug => "34",
        LogLevel::Trace => "35",
    };
    format!("\u{1b}[{colour}m{}\u{1b}[0m {}\n", entry.level, tail(entry, false))
}

/// Without colours, for a console that is no terminal.
pub(super) fn plain(entry: &LogEntry) -> String {
    format!("{} {}\n", entry.level, tail(entry, false))
}

/// A text from outside must not forge further lines or move the terminal's cursor.
fn tail(entry: &LogEntry, place: bool) -> String {
    let mut text = String::new();
    if place {
        text.push_str(&one_line(&entry.target));
        if entry.line > 0 {
            write!(text, ":{}", entry.line).expect("writing to a String cannot fail");
        }
        if !entry.span.is_empty() {
            text.push(' ');
            text.push_str(&one_line(&entry.span));
        }
        text.push_str(": ");
    }
    text.push_str(&one_line(&entry.message));
    for error in &entry.errors {
        text.push_str(": ");
        text.push_str(&one_line(error));
    }
    for (name, value) in &entry.fields {
        write!(text, " {}={}", one_line(name), one_line(value)).expect("writing to a String cannot fail");
    }
    text
}

/// In UTC, to the millisecond (RFC 3339).
pub(super) fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_out_of_range| at.to_string(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogId, Timestamp};

    #[test]
    fn an_entry_is_one_line() {
        let mut entry = LogEntry {
            id: LogId(1),
            at: Timestamp(1_760_000_000_123),
            level: LogLevel::Warn,
            target: "rspa_core::engine".to_owned(),
            module: "rspa_core::engine".to_owned(),
            function: String::new(),
            line: 12,
            span: "index > read".to_owned(),
            message: "bad\nname\u{1b}[2J".to_owned(),
            errors: vec![],
            fields: vec![("path".to_owned(), "/tmp/x".to_owned())],
        };
        assert_eq!(
            line(&entry),
            "2025-10-09T08:53:20.123Z WARN  rspa_core::engine:12 index > read: bad\\nname\\u{1b}[2J path=/tmp/x\n"
        );
        assert_eq!(plain(&entry), "warn bad\\nname\\u{1b}[2J path=/tmp/x\n");
        entry.errors = vec!["cannot open".to_owned(), "denied\u{202e}".to_owned()];
        assert!(plain(&entry).contains(": cannot open: denied\\u{202e} path="));
    }
}
