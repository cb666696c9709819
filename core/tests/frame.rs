//! The frame through its one door: start, call, listen, shut down, start again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};

use rspa_core::api::request::system::{GetUiState, ListFolder, ListJobs, PutUiState};
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Event, Heard, Role};
use rspa_core::clock::{ManualClock, SystemClock};
use rspa_core::model::Timestamp;

fn options(data: &Path) -> CoreOptions {
    CoreOptions {
        role: Role::Command,
        data_folder: Some(data.to_owned()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: None,
        clock: Arc::new(ManualClock::at(Timestamp(1_760_000_000_000))),
    }
}

#[test]
fn what_was_put_is_there_after_a_restart_and_the_profile_stays() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let profile = core.profile();
    core.call(PutUiState { name: "layout".to_owned(), text: "left".to_owned() }).wait().unwrap();
    core.shutdown();
    let core = Core::start(options(folder.path())).unwrap();
    assert_eq!(core.profile(), profile);
    assert_eq!(core.call(GetUiState { name: "layout".to_owned() }).wait().unwrap().as_deref(), Some("left"));
    assert_eq!(core.call(GetUiState { name: "other".to_owned() }).wait().unwrap(), None);
    let large = PutUiState { name: "layout".to_owned(), text: "x".repeat((1 << 20) + 1) };
    assert_eq!(core.call(large).wait().unwrap_err().category, ErrorCategory::Validation);
}

#[test]
fn a_second_core_on_the_same_folder_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let first = Core::start(options(folder.path())).unwrap();
    let error = Core::start(options(folder.path())).err().unwrap();
    assert_eq!(error.category, ErrorCategory::Storage);
    assert!(error.message.contains("in use by another rspa"), "{error}");
    assert!(error.advice.contains("Close its window"), "{}", error.advice);
    drop(first);
    Core::start(options(folder.path())).unwrap();
}

#[test]
fn listeners_hear_the_end_and_later_calls_fail() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let mut listener = core.subscribe();
    core.shutdown();
    let mut last = listener.next();
    while let Heard::Event(envelope) = last {
        assert!(matches!(envelope.event, Event::ShuttingDown));
        last = listener.next();
    }
    assert!(matches!(last, Heard::Closed));
    assert!(core.call(ListJobs {}).wait().is_err());
}

#[test]
fn a_reply_wakes_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let (sender, woken) = mpsc::channel();
    core.set_waker(Arc::new(move || drop(sender.send(()))));
    let mut pending = core.call(ListFolder { path: Some(folder.path().to_owned()), show_hidden: true });
    let listing = loop {
        woken.recv().unwrap();
        if let Some(reply) = pending.poll_now() {
            break reply.unwrap();
        }
    };
    assert!(listing.entries.iter().any(|entry| entry.name == "main.redb"));
}

#[test]
fn starting_on_an_existing_folder_is_quick() {
    let folder = tempfile::tempdir().unwrap();
    Core::start(options(folder.path())).unwrap().shutdown();
    let begun = std::time::Instant::now();
    let core = Core::start(CoreOptions { clock: Arc::new(SystemClock), ..options(folder.path()) }).unwrap();
    let took = begun.elapsed();
    drop(core);
    println!("start: {took:?}");
    assert!(took.as_millis() < 500, "{took:?}");
}
