//! A panic in every worker: it is said, the worker is started again, the window leaves its degraded mode by itself, and
//! what was confirmed is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rspa_core::api::request::chats::{CreateChat, GetMessages, ListChats, RetryAnswer, SendQuestion};
use rspa_core::api::request::knowledge::{AddSource, Search, WaitFor, WaitForSource};
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::request::system::{GetOverview, GetUiState, PutUiState};
use rspa_core::api::{Core, CoreOptions, Event, Heard, Role, Subscription};
use rspa_core::clock::SystemClock;
use rspa_core::faults::{Faults, PLACES};
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{
    ChatId, DocumentKind, Message, MessageId, MessageState, Question, SearchMode, SearchQuery, SettingValue,
};

/// No worker needs nearly as long to be restarted.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets one worker panic so many times. Its first turn waits until the test listens.
struct Plan {
    place: &'static str,
    state: Mutex<(bool, u32)>,
    changed: Condvar,
}

impl Plan {
    fn listen(&self) {
        self.state.lock().unwrap().0 = true;
        self.changed.notify_all();
    }

    /// Panics that are still to come.
    fn left(&self) -> u32 {
        self.state.lock().unwrap().1
    }
}

impl Faults for Plan {
    fn at(&self, place: &'static str) {
        if place != self.place {
            return;
        }
        let state = self.state.lock().unwrap();
        // The start waits for what it writes to the database: nobody could listen before.
        if place == "database" && !state.0 {
            return;
        }
        let (mut state, timeout) =
            self.changed.wait_timeout_while(state, PATIENCE, |(listening, _)| !*listening).unwrap();
        assert!(!timeout.timed_out(), "nobody listens");
        if state.1 > 0 {
            state.1 -= 1;
            drop(state);
            panic!("a panic of the test in {place}");
        }
    }
}

fn start(data: &Path, plan: &Arc<Plan>) -> Core {
    let faults: Arc<dyn Faults> = plan.clone();
    Core::start(CoreOptions {
        role: Role::Window,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: Some(Arc::new(ScriptedModel::new().reply("crane", "It lifts forty tonnes."))),
        clock: Arc::new(SystemClock),
        faults: Some(faults),
    })
    .unwrap()
}

fn ended(listener: &mut Subscription, answer: MessageId) -> Message {
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if let Event::MessageChanged { message } = envelope.event
            && message.id == answer
            && !matches!(message.state, MessageState::Preparing | MessageState::Streaming)
        {
            return message;
        }
    }
}

/// Uses every worker. The chat and its answer.
fn use_all(core: &Core, files: &Path) -> (ChatId, Message) {
    let source = core.call(AddSource { path: files.to_owned() }).wait().unwrap();
    core.call(WaitForSource { id: source.source.id, until: WaitFor::Searchable }).wait().unwrap();
    std::fs::write(files.join("later.md"), "A heron nests on the breakwater.\n").unwrap();
    let set = SetSetting { key: "knowledge.passages_per_answer".to_owned(), value: SettingValue::Integer(5) };
    core.call(set).wait().unwrap();
    core.call(PutUiState { name: "layout".to_owned(), text: "left".to_owned() }).wait().unwrap();
    let mut listener = core.subscribe();
    let chat = core.call(CreateChat { title: "cranes".to_owned() }).wait().unwrap().id;
    let question = Question {
        text: "What does the crane lift?".to_owned(),
        use_knowledge: true,
        sources: Vec::new(),
        model: None,
        beside: None,
        attachments: Vec::new(),
    };
    let answer = core.call(SendQuestion { chat, question }).wait().unwrap().answer.id;
    (chat, ended(&mut listener, answer))
}

/// Everything that was confirmed is there.
fn check(core: &Core, chat: ChatId) {
    assert!(core.call(ListChats {}).wait().unwrap().iter().any(|row| row.chat.id == chat));
    let messages = core.call(GetMessages { chat }).wait().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1].text, "It lifts forty tonnes.");
    assert_eq!(core.call(GetUiState { name: "layout".to_owned() }).wait().unwrap().as_deref(), Some("left"));
    let query = SearchQuery {
        after: None,
        before: None,
        compare_ms: 0,
        text: "forty tonnes".to_owned(),
        mode: SearchMode::Keyword,
        limit: 5,
        sources: Vec::new(),
        kinds: vec![DocumentKind::Markdown, DocumentKind::Text],
    };
    assert_eq!(core.call(Search { query }).wait().unwrap().hits.len(), 1);
}

/// Hears of this worker's health until it is as wanted.
fn hear(listener: &mut Subscription, place: &str, wanted: bool) {
    let begun = Instant::now();
    loop {
        match listener.try_next() {
            Some(Heard::Event(envelope)) => {
                if let Event::Health { part, healthy, detail } = envelope.event
                    && part == place
                    && healthy == wanted
                {
                    assert!(!detail.is_empty());
                    return;
                }
            }
            Some(Heard::Closed) => panic!("{place}: the core ended"),
            Some(Heard::Gap(_)) | None => std::thread::yield_now(),
        }
        assert!(begun.elapsed() < PATIENCE, "{place}: never heard that it is healthy: {wanted}");
    }
}

fn panic_in(place: &'static str, times: u32) {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("note.md"), "# Cranes\n\nThe crane lifts forty tonnes.\n").unwrap();
    let plan = Arc::new(Plan { place, state: Mutex::new((false, times)), changed: Condvar::new() });
    let core = start(folder.path(), &plan);
    let mut listener = core.subscribe();
    plan.listen();
    let (chat, mut answer) = use_all(&core, &files);
    if place == "answer" {
        // Nobody starts an answer again but the person.
        let mut listener = core.subscribe();
        for _ in 0..times {
            assert!(matches!(&answer.state, MessageState::Failed(error) if !error.advice.is_empty()), "{answer:?}");
            let sent = core.call(RetryAnswer { chat, message: answer.id, model: None }).wait().unwrap();
            answer = ended(&mut listener, sent.answer.id);
        }
    } else if place != "database" {
        // The writer of a database goes on at once, with nothing to tell. Beside its worker, "logs" also tells of entries that were lost.
        let part = if place == "logs" { "log thread" } else { place };
        hear(&mut listener, part, false);
        hear(&mut listener, part, true);
    }
    assert_eq!(answer.state, MessageState::Complete, "{place}");
    assert_eq!(plan.left(), 0, "{place}");
    let degraded = core.call(GetOverview { days: 1 }).wait().unwrap().degraded;
    assert!(!degraded.iter().any(|line| line.starts_with(place)), "{degraded:?}");
    check(&core, chat);
    core.shutdown();
    let core = start(folder.path(), &plan);
    check(&core, chat);
}

#[test]
fn each_worker_panics_once_and_works_again() {
    std::thread::scope(|scope| {
        let all: Vec<_> = PLACES.iter().map(|place| (place, scope.spawn(|| panic_in(place, 1)))).collect();
        let failed: Vec<_> =
            all.into_iter().filter_map(|(place, thread)| thread.join().is_err().then_some(place)).collect();
        assert!(failed.is_empty(), "{failed:?}");
    });
}

#[test]
fn a_worker_that_panics_twice_in_a_row_works_again() {
    panic_in("indexer", 2);
}
