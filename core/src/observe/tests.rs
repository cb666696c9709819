//! From a `tracing` call to file and table, also when a disk or a file fails.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::model::{LogCursor, LogEntry, LogFilter, LogLevel, Timestamp};
use crate::storage::logs::Counting;

/// Passes on what is told.
struct Told(Mutex<Sender<(String, bool)>>);

impl Reports for Told {
    fn health(&self, part: &str, healthy: bool, _detail: &str) {
        self.0.lock().unwrap().send((part.to_owned(), healthy)).unwrap_or_default();
    }
}

fn options(folder: &std::path::Path, clock: &Arc<ManualClock>) -> (ObserveOptions, Receiver<(String, bool)>) {
    let (sender, told) = channel();
    let options = ObserveOptions {
        folder: folder.to_owned(),
        level: "debug".to_owned(),
        to_file: true,
        file_bytes: 1 << 20,
        files: 2,
        console_level: None,
        to_database: true,
        retry: Duration::ZERO,
        reports: Arc::new(Told(Mutex::new(sender))),
        clock: clock.clone(),
        turns: crate::faults::Turns::default(),
    };
    (options, told)
}

/// Other tests of this process log too: only entries with this mark are looked at. Waits for the first one after `after`.
fn marked(observe: &Observe, mark: &str) -> Vec<LogEntry> {
    let reader = observe.reader().unwrap();
    let filter = LogFilter { text: mark.to_owned(), ..LogFilter::default() };
    let mut page = reader.page(&filter, LogCursor::default(), 1_000, Counting::All, &|| false).unwrap();
    page.entries.reverse();
    page.entries
}

/// Until an entry with the mark is stored; `log` makes one, so that the thread wakes.
fn wait_for(observe: &Observe, mark: &str, log: impl Fn()) -> Vec<LogEntry> {
    let mut newest = observe.newest();
    log();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    loop {
        runtime.block_on(newest.changed()).unwrap();
        let found = marked(observe, mark);
        if !found.is_empty() {
            return found;
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Layer(&'static str, #[source] Option<Box<Layer>>);

#[test]
fn what_is_logged_is_in_file_and_table_without_secrets_and_old_ones_go() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_760_000_000_000)));
    let mark = "observe-test-mark";
    let observe = Observe::start(options(folder.path(), &clock).0);
    let error = Layer("outer token=abc123", Some(Box::new(Layer("inner", None))));
    let span = tracing::info_span!("outer");
    let found = wait_for(&observe, mark, || {
        span.in_scope(|| {
            tracing::error!(
                critical = true,
                api_key = "abc",
                path = "/tmp/x",
                error = &error as &dyn std::error::Error,
                "{mark} password=hunter2"
            );
        });
        tracing::trace!("{mark} too quiet");
    });
    let [entry] = found.as_slice() else { panic!("one entry: {found:?}") };
    assert_eq!((entry.level, entry.span.as_str(), entry.at.0), (LogLevel::Critical, "outer", 1_760_000_000_000));
    assert_eq!((entry.target.as_str(), entry.module.as_str()), (module_path!(), module_path!()));
    assert_eq!(entry.function, "outer");
    assert_eq!(entry.message, format!("{mark} password=[hidden]"));
    assert_eq!(entry.errors, ["outer token=[hidden]", "inner"]);
    let fields = [("api_key", "[hidden]"), ("path", "/tmp/x")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(entry.fields, fields);
    observe.stop();
    assert!(observe.reader().is_err());
    let text = std::fs::read_to_string(folder.path().join("rs_pa.log")).unwrap();
    assert!(text.contains(mark) && text.contains("CRITICAL") && text.contains("path=/tmp/x"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("abc123"), "{text}");

    clock.advance_ms(2 * 86_400_000);
    let observe = Observe::start(options(folder.path(), &clock).0);
    assert_eq!(marked(&observe, mark).len(), 1, "a start removes nothing, whatever the clock says");
    assert!(observe.prune(Timestamp(clock.now().0 - 86_400_000)) > 0);
    assert!(marked(&observe, mark).is_empty());
    observe.stop();
}

#[test]
fn a_damaged_database_is_put_aside_and_logging_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("logs.redb"), vec![0x5a; 8_192]).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_760_000_000_000)));
    let observe = Observe::start(options(folder.path(), &clock).0);
    let found = wait_for(&observe, "after-damage-mark", || tracing::warn!("after-damage-mark"));
    assert_eq!(found.len(), 1);
    assert!(found[0].id.0 > 1_760_000_000_000, "above all numbers of the file before: who follows goes on");
    observe.stop();
    // A second one does not take the place of the first.
    std::fs::write(folder.path().join("logs.redb"), vec![0xa5; 8_192]).unwrap();
    let observe = Observe::start(options(folder.path(), &clock).0);
    assert!(observe.reader().is_ok());
    observe.stop();
    let kept = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(kept("logs.redb.damaged-20251009-085320"), vec![0x5a; 8_192]);
    assert_eq!(kept("logs.redb.damaged-20251009-085320-2"), vec![0xa5; 8_192]);
}

#[test]
fn a_database_that_cannot_be_opened_is_told_once_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs.redb");
    std::fs::create_dir(&path).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_760_000_000_000)));
    let (options, told) = options(folder.path(), &clock);
    let observe = Observe::start(options);
    assert_eq!(told.recv().unwrap(), ("log database".to_owned(), false));
    assert!(observe.reader().is_err());
    std::fs::remove_dir(&path).unwrap();
    let found = wait_for(&observe, "again-mark", || tracing::warn!("again-mark"));
    assert_eq!(found.len(), 1);
    assert_eq!(told.recv().unwrap(), ("log database".to_owned(), true));
    observe.stop();
    assert!(told.try_recv().is_err());
    assert!(std::fs::read_to_string(folder.path().join("rs_pa.log")).unwrap().contains("again-mark"));
}

#[test]
fn a_full_queue_loses_entries_and_counts_them_but_nobody_waits() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp(0)));
    let (sink, queue) = Sink::new(LogLevel::Info, None, clock);
    let entry = LogEntry {
        id: LogId(0),
        at: Timestamp(0),
        level: LogLevel::Info,
        target: "rspa".to_owned(),
        module: "rspa".to_owned(),
        function: String::new(),
        line: 1,
        span: String::new(),
        message: "a flood".to_owned(),
        errors: Vec::new(),
        fields: Vec::new(),
    };
    for _ in 0..20_000 {
        sink.put(&entry);
    }
    sink.close();
    assert_eq!((sink.dropped(), queue.iter().count()), (20_000 - 8_192, 8_192));
}
