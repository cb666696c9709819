//! A panic in every worker: it is started again, the person is told that something works less well and when that is over,
//! and the work that was asked for is done.
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rspa_core::api::request::activities::ListActivities;
use rspa_core::api::request::chats::{CreateChat, ListChats, RetryAnswer, SendQuestion};
use rspa_core::api::request::knowledge::{AddSource, Search, WaitFor, WaitForSource};
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::request::system::GetOverview;
use rspa_core::api::{Core, CoreOptions, Event, Heard, Role, Subscription};
use rspa_core::clock::SystemClock;
use rspa_core::faults::{Faults, PLACES};
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{ActivityFilter, MessageState, PageRequest, Question, SearchQuery, SettingValue};

/// Lets one place fail so many times.
struct Failing {
    place: &'static str,
    left: Mutex<u32>,
    /// Places that were passed at all.
    seen: Mutex<BTreeSet<&'static str>>,
}

impl Faults for Failing {
    fn at(&self, place: &'static str) {
        assert!(PLACES.contains(&place), "{place} is missing in PLACES");
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
        // A panic of another thread meanwhile says nothing about this number.
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if place == self.place && *left > 0 {
            *left -= 1;
            drop(left);
            panic!("a fault in {place}");
        }
    }
}

struct World {
    folder: tempfile::TempDir,
    core: Core,
    listener: Subscription,
    faults: Arc<Failing>,
}

fn world(place: &'static str, times: u32) -> World {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let faults = Arc::new(Failing { place, left: Mutex::new(times), seen: Mutex::default() });
    let core = Core::start(CoreOptions {
        role: Role::Window,
        data_folder: Some(data.clone()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: Some("error".to_owned()),
        chat_model: Some(Arc::new(ScriptedModel::new().reply("backups", "Thirty days."))),
        clock: Arc::new(SystemClock),
        faults: Some(faults.clone()),
    })
    .unwrap();
    let listener = core.subscribe();
    World { folder, core, listener, faults }
}

impl World {
    /// Waits until this part is well, and says whether it was told to be ill before or its restart is in the list.
    fn until_well(&mut self, part: &str) {
        loop {
            match self.listener.next() {
                Heard::Event(envelope) => {
                    if let Event::Health { part: told, healthy: true, .. } = envelope.event
                        && told == part
                    {
                        return;
                    }
                }
                other => panic!("{other:?} before {part} is well"),
            }
        }
    }

    fn is_well(&self) {
        let degraded = self.core.call(GetOverview { days: 1 }).wait().unwrap().degraded;
        assert!(degraded.is_empty(), "{degraded:?}");
    }

    fn restarts(&self) -> usize {
        let filter = ActivityFilter { kind: "worker.restarted".to_owned(), ..ActivityFilter::default() };
        self.core.call(ListActivities { filter, page: PageRequest::default() }).wait().unwrap().items.len()
    }

    fn add_source(&self) {
        let docs = self.folder.path().join("docs");
        std::fs::create_dir_all(&docs).unwrap();
        std::fs::write(docs.join("a.md"), "A narwhal swims under the ice.").unwrap();
        let id = self.core.call(AddSource { path: docs }).wait().unwrap().source.id;
        self.core.call(WaitForSource { id, until: WaitFor::Searchable }).wait().unwrap();
        let query = SearchQuery { text: "narwhal".to_owned(), ..SearchQuery::default() };
        assert_eq!(self.core.call(Search { query }).wait().unwrap().hits.len(), 1);
    }
}

#[test]
fn a_panic_in_every_worker() {
    for place in PLACES {
        let mut world = world(place, 2);
        match *place {
            "settings" | "maintenance" | "notifications" | "daily backup" | "credentials" | "knowledge events"
            | "queue" | "queue events" | "schedules" | "triggers" | "tool servers" | "crews" => {
                world.until_well(place);
            }
            "indexer" | "embedder" | "watcher" => {
                // What was asked for while the worker was away is done all the same.
                world.add_source();
                world.until_well(place);
            }
            "database" => {
                // The first writes of all met it at the start; none of them is lost.
                world.core.call(CreateChat { title: "kept".to_owned() }).wait().unwrap();
                assert_eq!(world.core.call(ListChats {}).wait().unwrap().len(), 1);
            }
            "logs" => {
                // Its news may have come before anybody could listen; what was logged is written in any case.
                let (key, value) = ("ui.zoom".to_owned(), SettingValue::Number(1.5));
                world.core.call(SetSetting { key, value }).wait().unwrap();
                // The end waits for the thread, which fails and starts again meanwhile.
                world.core.shutdown();
            }
            "answer" => an_answer_that_panics_is_failed_and_can_be_retried(&mut world),
            other => panic!("{other} needs a test here"),
        }
        assert_eq!(*world.faults.left.lock().unwrap(), 0, "{place}");
        assert!(world.faults.seen.lock().unwrap().contains(place));
        if !["database", "logs", "answer"].contains(place) {
            assert_eq!(world.restarts(), 2, "{place}");
            world.is_well();
        }
        if *place == "logs" {
            let log = std::fs::read_to_string(world.folder.path().join("data/logs/rs_pa.log")).unwrap();
            assert!(log.contains("a setting changed"), "{log}");
        }
    }
}

fn an_answer_that_panics_is_failed_and_can_be_retried(world: &mut World) {
    let chat = world.core.call(CreateChat { title: String::new() }).wait().unwrap().id;
    let question = Question {
        text: "backups?".to_owned(),
        use_knowledge: false,
        sources: Vec::new(),
        model: None,
        beside: None,
        attachments: Vec::new(),
    };
    let mut sent = world.core.call(SendQuestion { chat, question }).wait().unwrap();
    let mut ends = Vec::new();
    while ends.last() != Some(&MessageState::Complete) {
        match world.listener.next() {
            Heard::Event(envelope) => {
                if let Event::MessageChanged { message } = envelope.event
                    && message.id == sent.answer.id
                    && !matches!(message.state, MessageState::Preparing | MessageState::Streaming)
                {
                    if message.state != MessageState::Complete {
                        let retry = RetryAnswer { chat, message: message.id, model: None };
                        sent = world.core.call(retry).wait().unwrap();
                    }
                    ends.push(message.state);
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ends.len(), 3, "two failures, then the answer: {ends:?}");
}

#[test]
fn a_worker_that_never_recovers_is_given_up_and_stays_told() {
    let mut world = world("settings", u32::MAX);
    loop {
        match world.listener.next() {
            Heard::Event(envelope) => {
                if let Event::Health { part, healthy, detail } = envelope.event {
                    assert_eq!((part.as_str(), healthy), ("settings", false));
                    if detail.contains("stopped after 4 failures: a fault in settings") {
                        break;
                    }
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.core.call(GetOverview { days: 1 }).wait().unwrap().degraded.len(), 1);
}

/// Each worker that is supervised by its name stands in the list above.
#[test]
fn no_worker_is_missing() {
    fn visit(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("engine/tests.rs")
            {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        for call in ["spawn_worker(", ".supervise(", ".turn(", ".begin_turn(", "turns.at(", "faults.at("] {
            for piece in source.split(call).skip(1) {
                let piece = piece.trim_start();
                let constant = piece.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap_or_default();
                let named = match constant.is_empty() {
                    true => piece.strip_prefix('"'),
                    false => source.split(&format!("const {constant}: &str = \"")).nth(1),
                };
                if let Some(name) = named.and_then(|rest| rest.split('"').next()) {
                    assert!(PLACES.contains(&name), "{}: the worker {name} is not in faults::PLACES", file.display());
                    found.insert(name.to_owned());
                }
            }
        }
    }
    for place in PLACES {
        assert!(found.contains(*place), "nothing is called {place} any more");
    }
}
