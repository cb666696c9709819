//! The words of the interface, from one catalogue per language (`assets/text`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

type Catalogue = HashMap<String, String>;

/// The catalogue lies in several files: the frame's words, and one file per page.
const PARTS: &[&str] = &[
    include_str!("../../assets/text/en.toml"),
    include_str!("../../assets/text/en/activity.toml"),
    include_str!("../../assets/text/en/agents.toml"),
    include_str!("../../assets/text/en/approvals.toml"),
    include_str!("../../assets/text/en/backups.toml"),
    include_str!("../../assets/text/en/chat.toml"),
    include_str!("../../assets/text/en/consents.toml"),
    include_str!("../../assets/text/en/credentials.toml"),
    include_str!("../../assets/text/en/dashboard.toml"),
    include_str!("../../assets/text/en/logs.toml"),
    include_str!("../../assets/text/en/notifications.toml"),
    include_str!("../../assets/text/en/profiles.toml"),
    include_str!("../../assets/text/en/recovery.toml"),
    include_str!("../../assets/text/en/retrieval.toml"),
    include_str!("../../assets/text/en/schedules.toml"),
    include_str!("../../assets/text/en/usage.toml"),
    include_str!("../../assets/text/en/servers.toml"),
    include_str!("../../assets/text/en/providers.toml"),
    include_str!("../../assets/text/en/crews.toml"),
    include_str!("../../assets/text/en/tasks.toml"),
    include_str!("../../assets/text/en/trash.toml"),
    include_str!("../../assets/text/en/documents.toml"),
];

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut texts = Catalogue::new();
    for part in PARTS {
        flatten("", toml::from_str(part).expect("the embedded texts are well formed"), &mut texts);
    }
    texts
});

fn flatten(prefix: &str, table: toml::Table, into: &mut Catalogue) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&path, inner, into),
            toml::Value::String(text) => {
                into.insert(path, text);
            }
            other => panic!("{path} is no text: {other}"),
        }
    }
}

/// The text of a key such as `chat.empty.title`; the key itself where it is missing (a test finds those).
pub fn tr(key: &str) -> &'static str {
    match ENGLISH.get(key) {
        Some(text) => text,
        None => {
            tracing::error!(key, "a text is missing in the catalogue");
            "…"
        }
    }
}

/// As [`tr`], for a key that need not be there.
pub fn tr_known(key: &str) -> Option<&'static str> {
    ENGLISH.get(key).map(String::as_str)
}

/// The text of a key with `{name}` places filled in.
pub fn tr_with(key: &str, values: &[(&str, &dyn Display)]) -> String {
    values
        .iter()
        .fold(tr(key).to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &value.to_string()))
}

/// `key.one` for 1, `key.other` else, with `{n}` filled in.
pub fn tr_count(key: &str, n: u64) -> String {
    let form = if n == 1 { "one" } else { "other" };
    tr_with(&format!("{key}.{form}"), &[("n", &number(n))])
}

/// A whole number with its thousands set apart: 48,210.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size for people: 98 MB, 1.4 GB. Decimal units.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    match unit {
        0 if n == 1 => "1 byte".to_owned(),
        0 => format!("{n} bytes"),
        _ if value < 9.95 => format!("{value:.1} {}", UNITS[unit]),
        _ => format!("{value:.0} {}", UNITS[unit]),
    }
}

/// A length of time for people: 0.21 s, 41 s, 1 m 42 s, 2 h 05 m.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        0..=9 if seconds < 9.5 => format!("{seconds:.1} s"),
        0..=59 => format!("{whole} s"),
        60..=3599 => format!("{} m {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} m", whole / 3600, whole % 3600 / 60),
    }
}

/// How long ago, as a list shows it: now, 2 min, 3 h, yesterday, Tue, 4 Mar.
pub fn ago(at: rspa_core::model::Timestamp, now: rspa_core::model::Timestamp) -> String {
    let seconds = (now.0 - at.0) / 1000;
    if seconds < 60 {
        return tr("time.now").to_owned();
    }
    if seconds < 3600 {
        return tr_with("time.minutes", &[("n", &(seconds / 60))]);
    }
    let zone = jiff::tz::TimeZone::system();
    let day = |at: rspa_core::model::Timestamp| {
        jiff::Timestamp::from_millisecond(at.0).map(|t| t.to_zoned(zone.clone())).ok()
    };
    let (Some(then), Some(today)) = (day(at), day(now)) else { return String::new() };
    let days = then.date().until(today.date()).map_or(0, |span| span.get_days());
    match days {
        0 => tr_with("time.hours", &[("n", &(seconds / 3600))]),
        1 => tr("time.yesterday").to_owned(),
        2..=6 => then.strftime("%a").to_string(),
        _ if then.year() == today.year() => then.strftime("%-d %b").to_string(),
        _ => then.strftime("%-d %b %Y").to_string(),
    }
}

/// How long ago, within a sentence: just now, 2 min ago, 3 h ago, yesterday, Tue, 4 Mar.
pub fn since(at: rspa_core::model::Timestamp, now: rspa_core::model::Timestamp) -> String {
    let words = ago(at, now);
    match (now.0 - at.0) / 1000 {
        ..60 => tr("time.just_now").to_owned(),
        // From yesterday on it is a day, which needs no "ago".
        _ if words.starts_with(|first: char| first.is_ascii_digit()) && now.0 - at.0 < 86_400_000 => {
            tr_with("time.ago", &[("time", &words)])
        }
        _ => words,
    }
}

/// The day: 20 Nov 2026.
pub fn day(at: rspa_core::model::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|t| t.to_zoned(jiff::tz::TimeZone::system()).strftime("%-d %b %Y").to_string())
        .unwrap_or_default()
}

/// The day within the name of a file: 2026-11-20.
pub fn file_day(at: rspa_core::model::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|t| t.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

/// The day of this year: 20 Nov.
pub fn short_day(at: rspa_core::model::Timestamp) -> String {
    day(at).rsplit_once(' ').map(|(day, _year)| day.to_owned()).unwrap_or_default()
}

/// The time of the day: 09:12.
pub fn clock(at: rspa_core::model::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|t| t.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M").to_string())
        .unwrap_or_default()
}

/// The day as a heading of a list: Today, Yesterday, Tue 4 Mar, 4 Mar 2025.
pub fn day_heading(at: rspa_core::model::Timestamp, now: rspa_core::model::Timestamp) -> String {
    let zone = jiff::tz::TimeZone::system();
    let date = |at: rspa_core::model::Timestamp| {
        jiff::Timestamp::from_millisecond(at.0).map(|t| t.to_zoned(zone.clone()).date()).ok()
    };
    let (Some(then), Some(today)) = (date(at), date(now)) else { return String::new() };
    match then.until(today).map_or(i32::MAX, |span| span.get_days()) {
        0 => tr("time.today_heading").to_owned(),
        1 => tr("time.yesterday_heading").to_owned(),
        _ if then.year() == today.year() => then.strftime("%a %-d %b").to_string(),
        _ => then.strftime("%-d %b %Y").to_string(),
    }
}

/// Day and time to the second: 4 Mar 2026, 09:12:44.
pub fn moment(at: rspa_core::model::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|t| t.to_zoned(jiff::tz::TimeZone::system()).strftime("%-d %b %Y, %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// Words of the engine as a sentence begins: with a capital letter, unless they begin with a name or a path.
pub fn sentence(words: &str) -> Cow<'_, str> {
    let first = words.split(' ').next().unwrap_or_default();
    match first.chars().next() {
        Some(letter) if first.chars().all(char::is_lowercase) => {
            Cow::Owned(letter.to_uppercase().chain(words.chars().skip(1)).collect())
        }
        _ => Cow::Borrowed(words),
    }
}

/// Text of others on one line: bounded, harmless.
pub fn short(text: &str, letters: usize) -> String {
    let end = text.char_indices().nth(letters).map_or(text.len(), |(end, _)| end);
    let mut shown = rspa_core::model::one_line(&text[..end]).into_owned();
    if end < text.len() {
        shown.push('…');
    }
    shown
}

/// A path as people write it: the home folder is `~`.
pub fn path(path: &std::path::Path) -> String {
    static HOME: LazyLock<Option<std::path::PathBuf>> = LazyLock::new(std::env::home_dir);
    match HOME.as_deref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(number(48_210), "48,210");
        assert_eq!(number(999), "999");
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(98_400_000), "98 MB");
        assert_eq!(bytes(1_400_000_000), "1.4 GB");
        assert_eq!(duration(0.21), "0.2 s");
        assert_eq!(duration(102.0), "1 m 42 s");
    }

    #[test]
    fn a_sentence_begins_with_a_capital_but_names_stay() {
        assert_eq!(sentence("this is not an address"), "This is not an address");
        for other in ["", "network.policy is set", "/home/ada is gone", "The disk is full", "é1 x"] {
            assert_eq!(sentence(other), other);
        }
    }

    /// Every `tr*("…")` in the sources names a text of the catalogue.
    #[test]
    fn every_key_in_the_sources_has_a_text() {
        fn visit(folder: &std::path::Path, missing: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    visit(&path, missing);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let source = std::fs::read_to_string(&path).unwrap();
                    for (call, forms) in
                        [("tr(\"", [""].as_slice()), ("tr_with(\"", &[""]), ("tr_count(\"", &[".one", ".other"])]
                    {
                        for (at, _) in source.match_indices(call) {
                            // `push_str("…")` is another function.
                            if source[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
                                continue;
                            }
                            let key = source[at + call.len()..].split('"').next().unwrap();
                            for form in forms {
                                let key = format!("{key}{form}");
                                if !key.contains('…') && !ENGLISH.contains_key(&key) {
                                    missing.push(format!("{}: {key}", path.display()));
                                }
                            }
                        }
                    }
                }
            }
        }
        let mut missing = Vec::new();
        visit(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut missing);
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
