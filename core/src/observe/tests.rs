//! From a `tracing` call to file and table.

use super::*;
use crate::clock::ManualClock;
use crate::model::Timestamp;
use crate::storage::{Db, DbOptions, logs, tables};

fn options(folder: &std::path::Path, clock: &Arc<ManualClock>) -> ObserveOptions {
    ObserveOptions {
        folder: folder.to_owned(),
        level: "debug".to_owned(),
        to_file: true,
        file_bytes: 1 << 20,
        files: 2,
        console_level: None,
        to_database: true,
        database_days: 1,
        clock: clock.clone(),
        turns: Turns::default(),
        health: Box::new(|_, _| {}),
    }
}

#[test]
fn what_is_logged_is_in_file_and_table_without_secrets_and_old_ones_go() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_760_000_000_000)));
    // Other tests of this process log too: only lines with this mark are looked at.
    let mark = "observe-test-mark";
    let ours = |folder: &std::path::Path| -> Vec<logs::LogRow> {
        let db = Db::open(&folder.join("logs.redb"), &tables::LOGS, DbOptions::default()).unwrap();
        let rows = logs::newest(&db, 10_000).unwrap();
        rows.into_iter().filter(|row| row.message.contains(mark)).collect()
    };
    let observe = Observe::start(options(folder.path(), &clock));
    let span = tracing::info_span!("outer");
    span.in_scope(|| tracing::warn!(api_key = "abc", path = "/tmp/x", "{mark} password=hunter2"));
    tracing::trace!("{mark} too quiet");
    observe.stop();
    tracing::warn!("{mark} after the end");
    let rows = ours(folder.path());
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.level.as_str(), row.span.as_str(), row.at), ("WARN", "outer", 1_760_000_000_000));
    assert_eq!(row.message, format!("{mark} password=[hidden]"));
    assert!(row.fields.contains(&("api_key".to_owned(), "[hidden]".to_owned())), "{:?}", row.fields);
    assert!(row.fields.contains(&("path".to_owned(), "/tmp/x".to_owned())), "{:?}", row.fields);
    assert_eq!((row.target.as_str(), row.module.as_str()), (module_path!(), module_path!()));
    let text = std::fs::read_to_string(folder.path().join("rs_pa.log")).unwrap();
    assert!(text.contains(mark) && text.contains("path=/tmp/x") && !text.contains("hunter2"), "{text}");

    clock.advance_ms(2 * 86_400_000);
    let observe = Observe::start(options(folder.path(), &clock));
    observe.stop();
    assert!(ours(folder.path()).is_empty());
}

#[test]
fn a_full_queue_loses_entries_and_counts_them_but_nobody_waits() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp(0)));
    let (sink, queue) = Sink::new(tracing::Level::INFO, None, clock);
    let row = logs::LogRow {
        at: 0,
        level: "INFO".to_owned(),
        target: "rspa".to_owned(),
        module: "rspa".to_owned(),
        line: 1,
        span: String::new(),
        message: "a flood".to_owned(),
        fields: Vec::new(),
    };
    for _ in 0..20_000 {
        sink.put(tracing::Level::INFO, &row);
    }
    sink.close();
    assert_eq!((sink.dropped(), queue.iter().count()), (20_000 - 8_192, 8_192));
}
