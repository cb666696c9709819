//! Activities, trash, clean-up and the end of the last run, through the one door.
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rspa_core::api::request::activities::{CleanUp, ListActivities, ListActivityKinds};
use rspa_core::api::request::chats::{CreateChat, DeleteChat, GetMessages, ListChats, RenameChat, SendQuestion};
use rspa_core::api::request::knowledge::{
    AddSource, ListSources, PauseSource, RemoveSource, Search, WaitFor, WaitForSource,
};
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::request::system::{GetOverview, RunDoctor};
use rspa_core::api::request::trash::{DeleteTrashed, EmptyTrash, ListTrash, RestoreTrashed};
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Event, Heard, Role, Subscription};
use rspa_core::clock::ManualClock;
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{
    Activity, ActivityFilter, MessageState, PageRequest, Question, SearchQuery, SettingValue, SourceId, Timestamp,
    TrashItem, TrashKind,
};

const DAY: i64 = 86_400_000;

struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    core: Core,
}

fn options(data: &Path, clock: &Arc<ManualClock>) -> CoreOptions {
    CoreOptions {
        role: Role::Command,
        data_folder: Some(data.to_owned()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: Some(Arc::new(ScriptedModel::new().reply("backups", "Backups are kept for thirty days."))),
        clock: clock.clone(),
        faults: None,
    }
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp(1_760_000_000_000)));
        let core = Core::start(options(&folder.path().join("data"), &clock)).unwrap();
        Self { folder, clock, core }
    }

    fn again(&mut self) {
        self.core.shutdown();
        self.core = Core::start(options(&self.folder.path().join("data"), &self.clock)).unwrap();
    }

    fn trash(&self) -> Vec<TrashItem> {
        self.core.call(ListTrash { page: PageRequest::default() }).wait().unwrap().items
    }

    fn activities(&self, kind: &str) -> Vec<Activity> {
        let filter = ActivityFilter { kind: kind.to_owned(), ..ActivityFilter::default() };
        self.core.call(ListActivities { filter, page: PageRequest::default() }).wait().unwrap().items
    }

    fn source(&self) -> SourceId {
        let docs = self.folder.path().join("docs");
        std::fs::create_dir_all(&docs).unwrap();
        std::fs::write(docs.join("a.md"), "A narwhal swims under the ice.").unwrap();
        let id = self.core.call(AddSource { path: docs }).wait().unwrap().source.id;
        self.core.call(WaitForSource { id, until: WaitFor::Searchable }).wait().unwrap();
        id
    }

    fn finds(&self, text: &str) -> usize {
        let query = SearchQuery { text: text.to_owned(), ..SearchQuery::default() };
        self.core.call(Search { query }).wait().unwrap().hits.len()
    }
}

/// Waits until an activity of this kind was told.
fn hear(listener: &mut Subscription, kind: &str) -> Activity {
    loop {
        match listener.next() {
            Heard::Event(envelope) => match envelope.event {
                Event::ActivityCreated { activity } if activity.kind == kind => return activity,
                _ => {}
            },
            other => panic!("{other:?} before {kind}"),
        }
    }
}

#[test]
fn a_chat_goes_into_the_trash_and_comes_back_exactly() {
    let mut world = World::new();
    let mut listener = world.core.subscribe();
    for title in ["first", "second", "third"] {
        world.clock.advance_ms(1_000);
        world.core.call(CreateChat { title: title.to_owned() }).wait().unwrap();
    }
    let second = world.core.call(ListChats {}).wait().unwrap()[1].chat.id;
    let question = Question {
        text: "Where are backups?".to_owned(),
        use_knowledge: false,
        sources: Vec::new(),
        model: None,
        beside: None,
        attachments: Vec::new(),
    };
    let sent = world.core.call(SendQuestion { chat: second, question }).wait().unwrap();
    let finished = hear(&mut listener, "answer.finished");
    assert_eq!((finished.title.as_str(), finished.metadata["chat"].as_str()), ("second", &*second.to_string()));
    let before = world.core.call(ListChats {}).wait().unwrap();
    let messages = world.core.call(GetMessages { chat: second }).wait().unwrap();
    assert!(messages.iter().any(|message| message.id == sent.answer.id && message.state == MessageState::Complete));

    let item = world.core.call(DeleteChat { chat: second }).wait().unwrap();
    assert_eq!((item.kind, item.title.as_str(), item.detail.as_str()), (TrashKind::Chat, "second", "2 messages"));
    assert_eq!(world.core.call(ListChats {}).wait().unwrap().len(), 2);
    assert_eq!(world.core.call(GetOverview { days: 1 }).wait().unwrap().chats, 2);
    let gone = world.core.call(RenameChat { chat: second, title: "x".to_owned() }).wait().unwrap_err();
    assert_eq!(gone.category, ErrorCategory::Validation);
    world.again();
    assert_eq!(world.trash(), std::slice::from_ref(&item));
    world.clock.advance_ms(29 * DAY);
    assert_eq!(world.core.call(CleanUp {}).wait().unwrap().trashed, 0);
    let back = world.core.call(RestoreTrashed { id: item.id }).wait().unwrap();
    assert_eq!(back.id, item.id);
    assert_eq!(world.core.call(ListChats {}).wait().unwrap(), before);
    assert_eq!(world.core.call(GetMessages { chat: second }).wait().unwrap(), messages);
    assert!(world.core.call(RestoreTrashed { id: item.id }).wait().is_err());

    let mut listener = world.core.subscribe();
    let item = world.core.call(DeleteChat { chat: second }).wait().unwrap();
    hear(&mut listener, "chat.deleted");
    world.core.call(DeleteTrashed { id: item.id }).wait().unwrap();
    hear(&mut listener, "chat.deleted_for_good");
    assert!(world.core.call(GetMessages { chat: second }).wait().is_err());
    assert!(world.trash().is_empty());
    let kinds: Vec<String> = world.activities("chat").into_iter().map(|one| one.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "chat.deleted").count(), 2);
    assert!(kinds.contains(&"chat.restored".to_owned()));
}

#[test]
fn a_source_keeps_its_options_in_the_trash_and_is_read_again() {
    let mut world = World::new();
    let id = world.source();
    assert_eq!(world.finds("narwhal"), 1);
    let before = world.core.call(ListSources {}).wait().unwrap()[0].source.clone();
    let item = world.core.call(RemoveSource { id }).wait().unwrap();
    assert_eq!((item.kind, item.title.as_str()), (TrashKind::Source, "docs"));
    assert_eq!(world.finds("narwhal"), 0);
    assert!(world.folder.path().join("docs/a.md").exists());
    // At once: what is being cleared away meanwhile does no harm.
    world.core.call(RestoreTrashed { id: item.id }).wait().unwrap();
    world.core.call(WaitForSource { id, until: WaitFor::Searchable }).wait().unwrap();
    assert_eq!(world.finds("narwhal"), 1);
    let after = world.core.call(ListSources {}).wait().unwrap()[0].source.clone();
    assert_eq!(after, before);

    // A paused one comes back paused, also after a restart.
    world.core.call(PauseSource { id, paused: true }).wait().unwrap();
    let item = world.core.call(RemoveSource { id }).wait().unwrap();
    world.again();
    let left = world.core.call(ListSources {}).wait().unwrap();
    assert!(left.iter().all(|status| status.source.kind.is_built_in()));
    world.core.call(RestoreTrashed { id: item.id }).wait().unwrap();
    assert!(world.core.call(ListSources {}).wait().unwrap()[0].source.paused);

    // In the meantime added anew: it stays in the trash.
    let item = world.core.call(RemoveSource { id }).wait().unwrap();
    world.source();
    let refused = world.core.call(RestoreTrashed { id: item.id }).wait().unwrap_err();
    assert!(refused.message.contains("again"), "{refused}");
    assert_eq!(world.core.call(EmptyTrash {}).wait().unwrap(), 1);
    assert_eq!(world.finds("narwhal"), 1);
    assert!(world.trash().is_empty());
}

#[test]
fn what_happens_is_listed_filtered_and_shown_on_the_dashboard() {
    let world = World::new();
    let mut listener = world.core.subscribe();
    world.source();
    hear(&mut listener, "source.indexed");
    let dark = SettingValue::Text("dark".to_owned());
    world.core.call(SetSetting { key: "ui.theme".to_owned(), value: dark }).wait().unwrap();
    let changed = hear(&mut listener, "setting.changed");
    assert_eq!((changed.metadata["key"].as_str(), changed.metadata["value"].as_str()), ("ui.theme", "dark"));
    // Who hears of it finds it in the list.
    assert_eq!(world.activities("setting"), [changed]);
    let kinds = world.core.call(ListActivityKinds {}).wait().unwrap();
    assert_eq!(kinds, ["setting.changed", "source.added", "source.indexed"]);
    let filter = ActivityFilter { text: "THEME".to_owned(), ..ActivityFilter::default() };
    let found = world.core.call(ListActivities { filter, page: PageRequest::default() }).wait().unwrap();
    assert_eq!(found.total, 1);
    let recent = world.core.call(GetOverview { days: 1 }).wait().unwrap().recent;
    assert_eq!(recent.len(), 3);
    assert_eq!(recent[0].kind, "setting.changed");
}

#[test]
fn a_run_that_was_cut_off_is_noticed_by_the_next_one() {
    let mut world = World::new();
    let running = world.folder.path().join("data/running.json");
    let mark = std::fs::read(&running).unwrap();
    world.core.shutdown();
    assert!(!running.exists());
    let last_end = |world: &World| {
        let report = world.core.call(RunDoctor {}).wait().unwrap();
        report.checks.into_iter().find(|check| check.name == "last end").unwrap()
    };
    world.again();
    assert_eq!(last_end(&world).detail, "the program ended properly");
    world.core.shutdown();
    for left_behind in [mark, b"{ nonsense".to_vec()] {
        // As a kill leaves it.
        std::fs::write(&running, left_behind).unwrap();
        world.core = Core::start(options(&world.folder.path().join("data"), &world.clock)).unwrap();
        let end = last_end(&world);
        assert!(end.ok && end.detail.contains("was cut off"), "{}", end.detail);
        world.core.shutdown();
    }
    world.again();
    assert_eq!(world.activities("program.cut_off").len(), 2);
}

#[test]
fn the_doctor_sees_a_clock_that_is_behind() {
    let world = World::new();
    let mut listener = world.core.subscribe();
    world.core.call(CreateChat { title: "now".to_owned() }).wait().unwrap();
    hear(&mut listener, "chat.created");
    world.clock.advance_ms(-3 * DAY);
    let report = world.core.call(RunDoctor {}).wait().unwrap();
    let clock = report.checks.iter().find(|check| check.name == "clock").unwrap();
    assert!(!clock.ok && clock.detail.contains("72 hours behind"), "{}", clock.detail);
    for name in ["owner", "databases", "activities", "trash", "workers", "network"] {
        let check = report.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{name}"));
        assert!(check.ok, "{name}: {}", check.detail);
    }
    let refused = world.core.call(CleanUp {}).wait().unwrap_err();
    assert!(refused.message.contains("behind what is stored"), "{refused}");
}
