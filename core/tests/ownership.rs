//! Who owns the data folder: two cores on one folder share it, hand it over, and survive the end of the other.
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rspa_core::api::request::chats::{CreateChat, ListChats};
use rspa_core::api::request::knowledge::{AddSource, ListSources, WaitFor, WaitForSource};
use rspa_core::api::request::system::{GetUiState, ListJobs, PutUiState};
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Event, Heard, Opened, Role, Subscription, WorksIn};
use rspa_core::clock::SystemClock;

fn options(folder: &Path, role: Role) -> CoreOptions {
    let text = folder.display().to_string();
    CoreOptions {
        role,
        data_folder: Some(folder.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), text.clone()), ("XDG_RUNTIME_DIR".to_owned(), text)]),
        console_level: None,
        chat_model: None,
        clock: Arc::new(SystemClock),
        faults: None,
    }
}

fn start(folder: &Path, role: Role) -> Core {
    Core::start(options(folder, role)).expect("the folder can be opened or its owner reached")
}

fn wait_for(events: &mut Subscription, fits: impl Fn(&Heard) -> bool) {
    loop {
        let heard = events.next();
        if fits(&heard) {
            return;
        }
        assert!(!matches!(heard, Heard::Closed), "the end before what was waited for");
    }
}

fn titles(core: &Core) -> Vec<String> {
    let mut titles: Vec<_> =
        core.call(ListChats {}).wait().expect("a reply").into_iter().map(|summary| summary.chat.title).collect();
    titles.sort();
    titles
}

#[test]
fn a_second_command_works_through_the_first_and_goes_on_after_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), Role::Command);
    let second = start(folder.path(), Role::Command);
    assert_eq!((first.works_in(), second.works_in()), (WorksIn::Here, WorksIn::Other(Role::Command)));
    assert_eq!((first.profile(), first.data_folder()), (second.profile(), second.data_folder()));

    let mut events = first.subscribe();
    second.call(CreateChat { title: "from the second".to_owned() }).wait().unwrap();
    wait_for(&mut events, |heard| matches!(heard, Heard::Event(told) if told.event == Event::ChatsChanged));
    let mut events = second.subscribe();
    first.call(CreateChat { title: "from the first".to_owned() }).wait().unwrap();
    wait_for(&mut events, |heard| matches!(heard, Heard::Event(told) if told.event == Event::ChatsChanged));
    assert_eq!(titles(&second), ["from the first", "from the second"]);

    drop(first);
    // A gap, not the end.
    wait_for(&mut events, |heard| matches!(heard, Heard::Gap(_)));
    assert_eq!(titles(&second), ["from the first", "from the second"]);
    assert_eq!(second.works_in(), WorksIn::Here);
    let third = start(folder.path(), Role::Command);
    assert_eq!(third.works_in(), WorksIn::Other(Role::Command));
    second.shutdown();
    wait_for(&mut events, |heard| matches!(heard, Heard::Closed));
    assert!(second.call(ListJobs {}).wait().is_err());
    assert_eq!(titles(&third).len(), 2);
}

#[test]
fn a_window_takes_the_folder_from_a_command_which_goes_on_through_it() {
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().join("documents");
    std::fs::create_dir(&documents).unwrap();
    for number in 0..300 {
        let text = format!("Note {number}: the quartz clock number {number} stands in the hall.\n").repeat(20);
        std::fs::write(documents.join(format!("{number}.md")), text).unwrap();
    }
    let command = start(folder.path(), Role::Command);
    let mut events = command.subscribe();
    let source = command.call(AddSource { path: documents }).wait().unwrap().source.id;
    let waiting = command.call(WaitForSource { id: source, until: WaitFor::Searchable });
    wait_for(
        &mut events,
        |heard| matches!(heard, Heard::Event(told) if matches!(told.event, Event::SourceChanged { .. })),
    );

    let window = start(folder.path(), Role::Window);
    assert_eq!(window.works_in(), WorksIn::Here);
    wait_for(&mut events, |heard| matches!(heard, Heard::Gap(_)));
    let status = waiting.wait().unwrap();
    assert_eq!(status.documents, 300);
    assert_eq!(command.works_in(), WorksIn::Other(Role::Window));
    assert_eq!(window.call(ListSources {}).wait().unwrap()[0].documents, 300);

    // The window ends: the command takes the folder back.
    window.call(PutUiState { name: "n".to_owned(), text: "kept".to_owned() }).wait().unwrap();
    drop(window);
    assert_eq!(command.call(GetUiState { name: "n".to_owned() }).wait().unwrap().as_deref(), Some("kept"));
    assert_eq!(command.works_in(), WorksIn::Here);
}

#[test]
fn requests_during_a_hand_over_wait_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let command = start(folder.path(), Role::Command);
    let third = start(folder.path(), Role::Command);
    let opening = {
        let options = options(folder.path(), Role::Window);
        std::thread::spawn(move || Core::start(options).unwrap())
    };
    let mut asked = 0;
    while command.works_in() != WorksIn::Other(Role::Window) {
        command.call(CreateChat { title: format!("{asked}") }).wait().unwrap();
        asked += 1;
    }
    let window = opening.join().unwrap();
    assert_eq!(titles(&window).len(), asked);
    // A client of the command found its way, too.
    assert_eq!(titles(&third).len(), asked);
    assert_eq!(third.works_in(), WorksIn::Other(Role::Window));
}

#[test]
fn a_second_window_brings_the_first_to_the_front() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!Core::raise_window(&options(folder.path(), Role::Window)));
    let first = start(folder.path(), Role::Window);
    let mut events = first.subscribe();
    assert!(Core::raise_window(&options(folder.path(), Role::Window)));
    wait_for(&mut events, |heard| matches!(heard, Heard::Event(told) if told.event == Event::WindowWanted));
    assert!(matches!(Core::open(options(folder.path(), Role::Window)), Ok(Opened::Raised)));
    wait_for(&mut events, |heard| matches!(heard, Heard::Event(told) if told.event == Event::WindowWanted));
    assert!(Core::start(options(folder.path(), Role::Window)).err().unwrap().message.contains("another window"));
    drop(first);
    let command = start(folder.path(), Role::Command);
    assert!(!Core::raise_window(&options(folder.path(), Role::Window)));
    drop(command);
}

#[test]
fn settings_of_one_run_cannot_reach_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let _owner = start(folder.path(), Role::Command);
    let overrides = BTreeMap::from([("ui.theme".to_owned(), "dark".to_owned())]);
    let error = Core::start(CoreOptions { overrides, ..options(folder.path(), Role::Command) }).err().unwrap();
    assert_eq!(error.category, ErrorCategory::Validation);
    assert!(error.message.contains("--set ui.theme"), "{error}");
}

#[test]
fn what_a_killed_owner_leaves_behind_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = folder.path().join("rspa");
    start(folder.path(), Role::Command).shutdown();
    // The socket goes with its owner.
    assert_eq!(std::fs::read_dir(&runtime).unwrap().count(), 0);
    let place = rspa_core::local::place::Place::of(
        &options(folder.path(), Role::Command).environment,
        &folder.path().join("data"),
    );
    let path = place.to_bind().unwrap();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    assert!(!Core::raise_window(&options(folder.path(), Role::Window)));
    let owner = start(folder.path(), Role::Command);
    let client = start(folder.path(), Role::Command);
    assert_eq!((owner.works_in(), client.works_in()), (WorksIn::Here, WorksIn::Other(Role::Command)));
}

#[test]
fn an_owner_that_nobody_can_reach_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let _owner = start(folder.path(), Role::Command);
    let mut other = options(folder.path(), Role::Command);
    other.environment.insert("XDG_RUNTIME_DIR".to_owned(), elsewhere.path().display().to_string());
    let error = Core::start(other).err().unwrap();
    assert_eq!(error.category, ErrorCategory::Storage);
    assert!(error.message.contains("in use by another rspa"), "{error}");
    assert!(error.advice.contains("Close its window"), "{}", error.advice);
}
