//! The log through the one door: written, filtered, read whole, followed, exported.
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rspa_core::api::request::logs::{CountLogs, ExportLogs, FollowLogs, GetLog, ListLogTargets, ListLogs};
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Role};
use rspa_core::clock::ManualClock;
use rspa_core::model::{LogCursor, LogEntry, LogFilter, LogFormat, LogId, LogLevel, Timestamp};
use rspa_core::observe::sample;

const NOW: Timestamp = Timestamp(1_760_000_000_000);

fn start(data: &Path, overrides: &[(&str, &str)]) -> Core {
    let overrides = overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(data.to_owned()),
        overrides,
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: None,
        faults: None,
        clock: Arc::new(ManualClock::at(NOW)),
    })
    .expect("the core of the test works")
}

/// A core whose log holds 5,000 generated entries.
fn with_entries(data: &Path) -> Core {
    let logs = data.join("logs");
    std::fs::create_dir_all(&logs).expect("the core of the test works");
    sample::fill(&logs, 5_000, 7, NOW, &|| false).expect("the core of the test works");
    start(data, &[])
}

fn text(text: &str) -> LogFilter {
    LogFilter { text: text.to_owned(), ..LogFilter::default() }
}

/// Page by page, newest first.
fn all(core: &Core, filter: &LogFilter) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    let mut cursor = Some(LogCursor::default());
    while let Some(place) = cursor {
        let list = ListLogs { filter: filter.clone(), cursor: place, limit: 300, brief: false };
        let page = core.call(list).wait().expect("the core of the test works");
        cursor = page.next;
        entries.extend(page.entries);
    }
    entries
}

#[test]
fn what_is_logged_is_heard_of_found_and_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path(), &[]);
    tracing::warn!(target: "rspa_test::flow", path = "/tmp/x", "flow-mark token=abcdef");
    let mut after = LogId(0);
    let entry = loop {
        after = core.call(FollowLogs { after }).wait().unwrap();
        let list = ListLogs { filter: text("FLOW-MARK"), limit: 10, brief: true, ..ListLogs::default() };
        let page = core.call(list).wait().unwrap();
        assert!(page.newest >= after);
        if let Some(entry) = page.entries.into_iter().next() {
            break entry;
        }
    };
    assert_eq!((entry.message.as_str(), entry.fields.len()), ("flow-mark token=[hidden]", 0));
    let whole = core.call(GetLog { id: entry.id }).wait().unwrap().unwrap();
    assert_eq!(whole.fields, [("path".to_owned(), "/tmp/x".to_owned())]);
    assert_eq!((whole.level, whole.at), (LogLevel::Warn, NOW));
    assert_eq!(core.call(GetLog { id: LogId(1 << 60) }).wait().unwrap(), None);
    let targets = core.call(ListLogTargets {}).wait().unwrap();
    assert!(targets.contains(&("rspa_test::flow".to_owned(), 1)), "{targets:?}");
    let filter = LogFilter { targets: vec!["rspa_test".to_owned()], ..LogFilter::default() };
    assert_eq!(core.call(CountLogs { filter, cursor: LogCursor::default() }).wait().unwrap(), 1);
    // Nobody waits for what never comes once the core ends.
    let waiting = core.call(FollowLogs { after: LogId(u64::MAX) });
    core.shutdown();
    assert!(waiting.wait().is_err());
}

#[test]
fn pages_skip_and_bounds_agree() {
    let folder = tempfile::tempdir().unwrap();
    let core = with_entries(folder.path());
    // What was there before the start counts as there.
    assert!(core.call(FollowLogs { after: LogId(4_999) }).wait().unwrap() >= LogId(5_000));
    let filter = LogFilter { levels: vec![LogLevel::Info], ..text("indexed") };
    let entries = all(&core, &filter);
    assert!(entries.len() > 500 && entries.is_sorted_by(|a, b| a.id > b.id), "{} entries", entries.len());
    let cursor = LogCursor { skip: 400, ..LogCursor::default() };
    let page = core.call(ListLogs { filter: filter.clone(), cursor, limit: 50, brief: false }).wait().unwrap();
    assert_eq!(page.entries, entries[400..450]);
    let cursor = LogCursor { after: Some(entries[20].id), before: Some(entries[5].id), skip: 0 };
    let page = core.call(ListLogs { filter, cursor, limit: 50, brief: false }).wait().unwrap();
    assert_eq!(page.entries, entries[6..20]);
}

#[test]
fn an_export_is_whole_in_order_and_never_over_a_file_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let core = with_entries(folder.path());
    let filter = LogFilter { levels: vec![LogLevel::Error, LogLevel::Critical], ..LogFilter::default() };
    let path = folder.path().join("out.jsonl");
    let export = ExportLogs { filter: filter.clone(), path: path.clone(), format: LogFormat::Jsonl, overwrite: false };
    let count = core.call(export.clone()).wait().unwrap();
    let written: Vec<LogEntry> =
        std::fs::read_to_string(&path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut expected = all(&core, &filter);
    expected.reverse();
    assert_eq!((count, &written), (expected.len() as u64, &expected));
    std::fs::write(&path, "mine").unwrap();
    let error = core.call(export.clone()).wait().unwrap_err();
    assert_eq!(error.category, ErrorCategory::Validation);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    core.call(ExportLogs { overwrite: true, ..export.clone() }).wait().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), written.len());
    let nowhere = ExportLogs { path: folder.path().join("missing/out.csv"), ..export.clone() };
    assert_eq!(core.call(nowhere).wait().unwrap_err().category, ErrorCategory::Storage);
    let relative = ExportLogs { path: "out.csv".into(), ..export };
    assert_eq!(core.call(relative).wait().unwrap_err().category, ErrorCategory::Validation);
    // Nothing half-written stays behind.
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{left:?}");
}

#[test]
fn logs_that_are_switched_off_are_an_error_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path(), &[("logging.to_database", "false")]);
    let error = core.call(ListLogs { limit: 1, ..ListLogs::default() }).wait().unwrap_err();
    assert!(error.message.contains("Log to database"), "{error}");
    assert_eq!(error.category, ErrorCategory::Validation);
}
