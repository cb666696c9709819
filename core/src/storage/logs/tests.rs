//! What a query finds is what a look at each entry finds; what is pruned is gone; older files are read.

use proptest::prelude::*;

use super::*;
use crate::model::{LogCursor, LogFilter, LogLevel, Timestamp};
use crate::storage::{DbOptions, RecordWriting, tables};

const TARGETS: [&str; 5] = ["rspa", "rspa_core", "rspa_core::engine", "rspa_core::knowledge", "wgpu_hal"];
const WORDS: [&str; 8] = ["worker", "Straße", "opened", "file", "stopped", "ÉTÉ", "a\nb", "x"];

fn entry(at: i64, level: LogLevel, target: &str, message: &str) -> LogEntry {
    LogEntry {
        id: LogId(0),
        at: Timestamp(at),
        level,
        target: target.to_owned(),
        module: target.to_owned(),
        function: "run".to_owned(),
        line: 7,
        span: String::new(),
        message: message.to_owned(),
        errors: Vec::new(),
        fields: vec![("file".to_owned(), format!("/tmp/{at}"))],
    }
}

fn open(folder: &std::path::Path) -> Db {
    let db = Db::open(&folder.join("logs.redb"), &tables::LOGS, DbOptions::default()).unwrap();
    prepare(&db).unwrap();
    db
}

fn numbered(count: i64) -> Vec<LogEntry> {
    (0..count).map(|at| entry(at, LogLevel::Info, "rspa", &format!("entry {at}"))).collect()
}

/// Every entry that was stored, oldest first.
fn all(reader: &LogReader) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    reader
        .each(&LogFilter::default(), |entry| {
            entries.push(entry);
            Ok::<(), StorageError>(())
        })
        .unwrap();
    entries
}

fn arbitrary_entry() -> impl Strategy<Value = LogEntry> {
    let words = prop::collection::vec(0..WORDS.len(), 0..4);
    (0..60_i64, 0..6_u8, 0..TARGETS.len(), words, prop::option::of(0..WORDS.len())).prop_map(
        |(at, level, target, words, error)| {
            let message = words.into_iter().map(|word| WORDS[word]).collect::<Vec<_>>().join(" ");
            let mut entry = entry(at, LogLevel::from_index(level).unwrap(), TARGETS[target], &message);
            entry.errors.extend(error.map(|word| WORDS[word].to_owned()));
            entry
        },
    )
}

fn arbitrary_filter() -> impl Strategy<Value = LogFilter> {
    let levels = prop::collection::vec((0..6_u8).prop_map(|level| LogLevel::from_index(level).unwrap()), 0..3);
    let time = || prop::option::of((0..60_i64).prop_map(Timestamp));
    let targets = prop::collection::vec((0..TARGETS.len()).prop_map(|target| TARGETS[target].to_owned()), 0..2);
    let text = prop_oneof![
        3 => Just(String::new()),
        1 => "[a-zA-Z ]{1,3}",
        2 => (0..WORDS.len()).prop_map(|word| WORDS[word].to_uppercase()),
        1 => Just("worker opened".to_owned()),
        1 => Just("is nowhere".to_owned()),
    ];
    (levels, time(), time(), targets, text).prop_map(|(levels, since, until, targets, text)| LogFilter {
        levels,
        since,
        until,
        targets,
        text,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_query_finds_what_a_look_at_each_entry_finds(
        pieces in prop::collection::vec(arbitrary_entry(), 1..60),
        repeat in 1..60_usize,
        filters in prop::collection::vec(arbitrary_filter(), 1..8),
        limit in 1..50_usize,
        skip in 0..3_000_u64,
        prune_before in prop::option::of(0..60_i64),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let db = open(folder.path());
        // Repeated, so that there are blocks; in batches that do not end where blocks do.
        let entries: Vec<LogEntry> = pieces.iter().cycle().take(pieces.len() * repeat).cloned().collect();
        for batch in entries.chunks(700) {
            append(&db, batch.to_vec()).unwrap();
        }
        let mut expected: Vec<LogEntry> = entries
            .into_iter()
            .enumerate()
            .map(|(index, entry)| LogEntry { id: LogId(index as u64 + 1), ..entry })
            .collect();
        let newest = expected.last().unwrap().id;
        if let Some(before) = prune_before {
            let count = expected.len();
            expected.retain(|entry| entry.at.0 >= before);
            prop_assert_eq!(prune(&db, before).unwrap(), (count - expected.len()) as u64);
        }
        let reader = LogReader::new(db);
        prop_assert_eq!(&all(&reader), &expected);
        for filter in &filters {
            let naive: Vec<LogEntry> = expected.iter().rev().filter(|entry| matches(filter, entry)).cloned().collect();
            let never = || false;
            // Twice: the second time with counts that are remembered.
            for counting in [Counting::All, Counting::For(std::time::Duration::ZERO)] {
                let cursor = LogCursor { skip, ..LogCursor::default() };
                let page = reader.page(filter, cursor, limit, counting, &never).unwrap();
                let wanted: Vec<LogEntry> = naive.iter().skip(skip as usize).take(limit).cloned().collect();
                prop_assert_eq!(page.entries, wanted);
                prop_assert_eq!(page.newest, newest);
                prop_assert!(page.total <= naive.len() as u64);
                prop_assert!(!page.exact || page.total == naive.len() as u64);
                prop_assert!(page.exact || counting != Counting::All);
            }
            prop_assert_eq!(reader.count(filter, LogCursor::default(), &never).unwrap(), naive.len() as u64);
            // Page by page to the end, in a window of numbers.
            let after = naive.last().map(|entry| entry.id);
            let mut cursor = Some(LogCursor { after, ..LogCursor::default() });
            let mut found = Vec::new();
            while let Some(place) = cursor {
                let page = reader.page(filter, place, 200, Counting::For(std::time::Duration::ZERO), &never).unwrap();
                cursor = page.next;
                found.extend(page.entries);
            }
            let wanted: Vec<LogEntry> = naive.iter().filter(|entry| Some(entry.id) > after).cloned().collect();
            prop_assert_eq!(found, wanted);
            if let Some(one) = naive.get(naive.len() / 2) {
                prop_assert_eq!(&reader.entry(one.id).unwrap().unwrap(), one);
            }
        }
    }
}

#[test]
fn the_order_is_that_of_writing_also_when_the_clock_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    append(&db, vec![entry(1_000, LogLevel::Info, "rspa", "first")]).unwrap();
    append(&db, vec![entry(10, LogLevel::Info, "rspa", "second, by a clock that was set back")]).unwrap();
    let reader = LogReader::new(db);
    let page = reader.page(&LogFilter::default(), LogCursor::default(), 10, Counting::All, &|| false).unwrap();
    let messages: Vec<_> = page.entries.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(messages, ["second, by a clock that was set back", "first"]);
}

#[test]
fn large_entries_close_a_block_early_and_are_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    let long = "ä".repeat(100_000);
    append(&db, (0..30).map(|at| entry(at, LogLevel::Warn, "rspa", &long)).collect()).unwrap();
    let blocks = db.read().unwrap().table(BODIES).unwrap().len().unwrap();
    assert!((4..=8).contains(&blocks), "{blocks} blocks");
    let reader = LogReader::new(db);
    assert_eq!(reader.entry(LogId(30)).unwrap().unwrap().message, long);
    assert_eq!(all(&reader).len(), 30);
    assert_eq!(reader.entry(LogId(31)).unwrap(), None);
}

#[test]
fn pruning_takes_whole_blocks_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    append(&db, numbered(5_000)).unwrap();
    assert_eq!(prune(&db, 3_000).unwrap(), 3_000);
    let reader = LogReader::new(db.clone());
    assert_eq!(all(&reader).first().unwrap().message, "entry 3000");
    assert_eq!(reader.entry(LogId(2_999)).unwrap(), None);
    assert_eq!(prune(&db, i64::MAX).unwrap(), 2_000);
    let read = db.read().unwrap();
    for table in [BODIES, SUMMARIES, COLUMNS, TEXTS, TRIGRAMS, ROWS] {
        assert!(read.table(table).unwrap().is_empty().unwrap());
    }
    drop(read);
    // Numbers are never given twice.
    assert_eq!(append(&db, numbered(1)).unwrap(), LogId(5_001));
}

#[test]
fn entries_of_the_first_version_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs.redb");
    let db = Db::open(&path, &tables::LOGS, DbOptions::default()).unwrap();
    db.write(|txn| {
        let mut table = txn.table(FIRST_LOGS)?;
        for number in 0..3_000_u64 {
            let row = record::StoredLogV1 {
                level: "WARN".to_owned(),
                target: "rspa".to_owned(),
                module: "rspa".to_owned(),
                line: 3,
                span: String::new(),
                message: format!("old {number}"),
                fields: Vec::new(),
            };
            table.put((number as i64 * 10, number), &row)?;
        }
        txn.table(NEXT)?.insert((), 3_000)?;
        Ok(())
    })
    .unwrap();
    prepare(&db).unwrap();
    append(&db, vec![entry(5, LogLevel::Info, "rspa", "new")]).unwrap();
    let entries = all(&LogReader::new(db.clone()));
    assert_eq!(entries.len(), 3_001);
    assert_eq!(
        (entries[7].message.as_str(), entries[7].at, entries[7].level),
        ("old 7", Timestamp(70), LogLevel::Warn)
    );
    assert_eq!(entries[3_000].message, "new");
    assert!(db.read().unwrap().table(FIRST_LOGS).unwrap().is_empty().unwrap());
}

#[test]
fn what_is_derived_can_be_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    append(&db, numbered(3_000)).unwrap();
    let before = all(&LogReader::new(db.clone()));
    db.write(|txn| {
        for table in [SUMMARIES, COLUMNS, TEXTS, TRIGRAMS] {
            txn.table(table)?.retain(|_, _| false)?;
        }
        txn.table(STATE)?.insert(DERIVED, 0)?;
        Ok(())
    })
    .unwrap();
    prepare(&db).unwrap();
    let reader = LogReader::new(db);
    assert_eq!(all(&reader), before);
    let filter = LogFilter { text: "ENTRY 17".to_owned(), ..LogFilter::default() };
    assert_eq!(reader.count(&filter, LogCursor::default(), &|| false).unwrap(), 111);
}

#[test]
fn a_reading_that_nobody_waits_for_stops() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    append(&db, numbered(3_000)).unwrap();
    let filter = LogFilter { text: "entry".to_owned(), ..LogFilter::default() };
    let stopped = LogReader::new(db).page(&filter, LogCursor::default(), 10, Counting::All, &|| true);
    assert!(matches!(stopped, Err(StorageError::Refused(_))));
}
