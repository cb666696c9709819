//! Log entries, how they are filtered, and the pages in which they are read.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The number of an entry: rises with every one that is stored, whatever the clock does. 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogId(pub u64);

/// How much an entry matters; later ones matter more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    /// The program, or a whole part of it, cannot go on.
    Critical,
}

impl LogLevel {
    /// From the least to the most important.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical];

    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// By its place in [`Self::ALL`].
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The name of no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no level: use trace, debug, info, warn, error or critical")]
pub struct UnknownLevel(pub String);

impl FromStr for LogLevel {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

/// What the program wrote down of one moment of its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// 0 until it is stored.
    pub id: LogId,
    pub at: Timestamp,
    pub level: LogLevel,
    /// What it concerns, as a path: `rspa_core::engine`.
    pub target: String,
    pub module: String,
    /// The innermost function that is known by a span or by a field of this name; empty for none.
    pub function: String,
    /// Line of the source; 0 where it is not known.
    pub line: u32,
    /// The spans that it happened in, outermost first, `a > b`; empty for none.
    pub span: String,
    pub message: String,
    /// The error that was logged and its causes, outermost first.
    pub errors: Vec<String>,
    pub fields: Vec<(String, String)>,
}

impl LogEntry {
    /// The message, and the outermost error where there is one.
    pub fn headline(&self) -> Cow<'_, str> {
        match self.errors.first() {
            Some(error) if self.message.is_empty() => Cow::Borrowed(error),
            Some(error) => Cow::Owned(format!("{}: {error}", self.message)),
            None => Cow::Borrowed(&self.message),
        }
    }

    /// What a filter's text is looked for in, beside [`Self::push_context`]: what this entry alone says, folded, one part
    /// a line.
    pub(crate) fn push_own_text(&self, into: &mut String) {
        for part in std::iter::once(&self.message).chain(&self.errors) {
            fold_into(part, into);
            into.push('\n');
        }
        for (name, value) in &self.fields {
            fold_into(name, into);
            into.push('=');
            fold_into(value, into);
            into.push('\n');
        }
    }

    /// Where it happened, which many entries have in common: folded, one part a line.
    pub(crate) fn push_context(&self, into: &mut String) {
        for part in [&self.target, &self.module, &self.function, &self.span] {
            fold_into(part, into);
            into.push('\n');
        }
    }
}

/// Which entries are wanted. What is empty or none does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct LogFilter {
    pub levels: Vec<LogLevel>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Each of these targets and those below it: `rspa_core` means `rspa_core::engine` too.
    pub targets: Vec<String>,
    /// Occurs as it is in the message, an error, a field, the target, the span; capitals do not matter.
    pub text: String,
}

impl LogFilter {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn wants_level(&self, level: LogLevel) -> bool {
        self.levels.is_empty() || self.levels.contains(&level)
    }

    pub(crate) fn wants_time(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    pub(crate) fn wants_target(&self, target: &str) -> bool {
        self.targets.is_empty()
            || self.targets.iter().any(|wanted| {
                target.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
    }
}

/// Where in the filtered entries, newest first, a page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogCursor {
    /// Only entries older than this one.
    pub before: Option<LogId>,
    /// Only entries newer than this one.
    pub after: Option<LogId>,
    /// So many of those that match are left out.
    pub skip: u64,
}

/// A page of filtered entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// Newest first.
    pub entries: Vec<LogEntry>,
    /// How many match between the cursor's bounds, skipped ones too.
    pub total: u64,
    /// False when `total` is only what was counted so far.
    pub exact: bool,
    /// Where the next page begins; none when nothing older matches.
    pub next: Option<LogCursor>,
    /// The newest entry of all that were stored when this was read; 0 for none.
    pub newest: LogId,
}

/// What is written when entries are exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line an entry, as in the log file.
    #[default]
    Text,
    /// One JSON object a line.
    Jsonl,
    /// A table with a head line (RFC 4180).
    Csv,
}

/// The text without capitals and control characters, each character for itself: what is searched, and what for.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

pub(crate) fn fold_into(text: &str, into: &mut String) {
    for letter in text.chars() {
        if letter.is_ascii() {
            into.push(if letter.is_ascii_control() { ' ' } else { letter.to_ascii_lowercase() });
        } else if letter.is_control() {
            into.push(' ');
        } else {
            into.extend(letter.to_lowercase());
        }
    }
}

/// The text on one line, with what would steer a terminal or turn the direction of writing as `\u{..}`.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            letter if steers(letter) => {
                write!(shown, "{}", letter.escape_unicode()).expect("writing to a String cannot fail");
            }
            letter => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// As [`one_line`], but line ends and tabs stay.
pub fn harmless(text: &str) -> String {
    text.split('\n')
        .map(|line| line.split('\t').map(one_line).collect::<Vec<_>>().join("\t"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Control characters, marks of direction, and line ends that are no `\n`.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_means_those_below_it_but_not_its_namesakes() {
        let filter = LogFilter { targets: vec!["rspa_core".to_owned()], ..LogFilter::default() };
        assert!(filter.wants_target("rspa_core") && filter.wants_target("rspa_core::engine"));
        assert!(!filter.wants_target("rspa_core_extra") && !filter.wants_target("rspa"));
    }

    #[test]
    fn nothing_that_steers_is_left() {
        assert_eq!(one_line("a\x1b[2J\nb\u{202e}c"), "a\\u{1b}[2J\\nb\\u{202e}c");
        assert_eq!(harmless("a\tb\nc\u{9b}"), "a\tb\nc\\u{9b}");
        assert!(matches!(one_line("Grüße 你好 🦀"), Cow::Borrowed(_)));
    }

    #[test]
    fn levels_have_names_and_an_order() {
        for level in LogLevel::ALL {
            assert_eq!(level.name().to_uppercase().parse(), Ok(level));
            assert_eq!(LogLevel::from_index(level as u8), Some(level));
        }
        assert!(LogLevel::Critical > LogLevel::Error);
        assert!("loud".parse::<LogLevel>().is_err());
    }
}
