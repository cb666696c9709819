//! Made-up log entries in the manner of real ones, the same for the same seed: what `rspa bench` measures on.

use std::path::Path;

use crate::model::{LogEntry, LogId, LogLevel, Timestamp};
use crate::random::SplitMix64;
use crate::storage::{Db, DbOptions, StorageError, logs, tables};

/// Entries of one write.
const BATCH: u64 = 8_192;
/// The entries lie within this much time.
const SPAN_MS: i64 = 10 * 86_400_000;
/// A word that occurs in a handful of entries.
pub const RARE: &str = "kestrel";
/// One entry in so many holds [`RARE`].
const RARITY: u64 = 150_000;

const TARGETS: [(&str, &str, u64); 12] = [
    ("rspa_core::knowledge::indexer", "index_file", 34),
    ("rspa_core::knowledge::walk", "walk", 14),
    ("rspa_readers", "read", 10),
    ("rspa_core::storage::db", "commit", 12),
    ("rspa_core::engine::jobs", "progress", 8),
    ("rspa_core::answering::run", "answer", 6),
    ("rspa_core::inference::registry", "load", 4),
    ("rspa_core::trust::egress", "check", 3),
    ("rspa_core::settings", "reload", 2),
    ("rspa_app::shell", "dispatch", 4),
    ("wgpu_hal::vulkan", "present", 2),
    ("rspa_core::engine", "call", 1),
];
const FOLDERS: [&str; 8] = ["papers", "notes", "src", "letters", "invoices", "archive", "photos", "recipes"];
const KINDS: [&str; 6] = ["md", "pdf", "rs", "txt", "html", "docx"];
const WORDS: [&str; 16] = [
    "report", "draft", "meeting", "budget", "summary", "index", "chapter", "review", "plan", "letter", "manual",
    "notes", "figure", "survey", "lecture", "minutes",
];

/// Writes a log database of so many entries into this folder; the newest is of the time `now`.
///
/// # Errors
/// The database cannot be written; `Refused` when stopped.
pub fn fill(folder: &Path, count: u64, seed: u64, now: Timestamp, stop: &dyn Fn() -> bool) -> Result<(), StorageError> {
    let db = Db::open(&folder.join("logs.redb"), &tables::LOGS, DbOptions::default())?;
    logs::prepare(&db)?;
    let mut random = Random(SplitMix64(seed));
    let mut done = 0;
    while done < count {
        if stop() {
            return Err(StorageError::Refused("stopped".to_owned()));
        }
        let end = count.min(done + BATCH);
        let step = |number: u64| SPAN_MS as f64 * ((count - 1 - number) as f64 / count as f64);
        let entries = (done..end).map(|number| entry(&mut random, number, Timestamp(now.0 - step(number) as i64)));
        logs::append(&db, entries.collect())?;
        done = end;
    }
    db.close();
    Ok(())
}

fn entry(random: &mut Random, number: u64, at: Timestamp) -> LogEntry {
    let (target, function, _) = random.weighted();
    let level = match random.below(1_000) {
        0 => LogLevel::Critical,
        1..=12 => LogLevel::Error,
        13..=60 => LogLevel::Warn,
        61..=560 => LogLevel::Info,
        561..=960 => LogLevel::Debug,
        _ => LogLevel::Trace,
    };
    let path = format!(
        "/home/ada/{}/{}-{}-{:04}.{}",
        random.of(&FOLDERS),
        random.of(&WORDS),
        random.of(&WORDS),
        random.below(10_000),
        random.of(&KINDS)
    );
    let mut errors = Vec::new();
    let mut message = match (target, level) {
        (_, LogLevel::Critical) => "the disk is full: nothing more can be stored".to_owned(),
        (_, LogLevel::Error) => {
            errors.push(format!("cannot read {path}"));
            errors.push("Permission denied (os error 13)".to_owned());
            "a file was left out".to_owned()
        }
        ("rspa_core::storage::db", _) => format!("commit {number} took {} ms", random.below(40)),
        ("rspa_core::knowledge::walk", _) => format!("{} files in {}", random.below(900), random.of(&FOLDERS)),
        ("rspa_core::engine::jobs", _) => format!("{} of {} files", random.below(4_000), 4_000),
        ("rspa_core::answering::run", _) => {
            format!("answered in {} ms with {} passages", random.below(9_000), random.below(9))
        }
        ("rspa_core::trust::egress", _) => "a request was refused: the policy lets nothing out".to_owned(),
        _ => format!("indexed {} passages", random.below(200)),
    };
    if number % RARITY == RARITY / 2 {
        message.push_str(&format!(", {RARE} {number}"));
    }
    LogEntry {
        id: LogId::default(),
        at,
        level,
        target: target.to_owned(),
        module: target.to_owned(),
        function: function.to_owned(),
        line: 20 + random.below(300) as u32,
        span: if random.below(3) == 0 { format!("request > {function}") } else { String::new() },
        message,
        errors,
        fields: vec![("path".to_owned(), path), ("ms".to_owned(), random.below(500).to_string())],
    }
}

struct Random(SplitMix64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0.next() % end.max(1)
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u64) as usize]
    }

    fn weighted(&mut self) -> (&'static str, &'static str, u64) {
        let all: u64 = TARGETS.iter().map(|(_, _, weight)| weight).sum();
        let mut place = self.below(all);
        for target in TARGETS {
            if place < target.2 {
                return target;
            }
            place -= target.2;
        }
        TARGETS[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogCursor, LogFilter};
    use crate::storage::logs::LogReader;

    #[test]
    fn generated_entries_are_the_same_for_a_seed() {
        let one = |seed| entry(&mut Random(SplitMix64(seed)), 5, Timestamp(0));
        assert_eq!(one(3), one(3));
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), 3_000, 1, Timestamp(SPAN_MS * 2), &|| false).unwrap();
        let db = Db::open(&folder.path().join("logs.redb"), &tables::LOGS, DbOptions::default()).unwrap();
        let reader = LogReader::new(db);
        let count = |filter| reader.count(&filter, LogCursor::default(), &|| false).unwrap();
        assert_eq!(count(LogFilter::default()), 3_000);
        let errors = count(LogFilter { levels: vec![LogLevel::Error], ..LogFilter::default() });
        assert!((10..120).contains(&errors), "{errors} errors");
        assert_eq!(count(LogFilter { since: Some(Timestamp(SPAN_MS * 2)), ..LogFilter::default() }), 1);
    }
}
