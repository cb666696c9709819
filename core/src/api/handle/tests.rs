//! A live owner against whatever speaks to its socket: malformed, of another version, slow, gone, or not allowed.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::switch::Work;
use super::*;
use crate::api::request::backups::DeleteBackup;
use crate::api::request::chats::{CreateChat, ListChats};
use crate::api::request::consents::{AnswerConsent, ListConsents};
use crate::api::request::models::DownloadModel;
use crate::api::request::profiles::{DeleteProfile, SetProfileNetwork, SwitchProfile};
use crate::api::request::settings::{ListSettings, ResetSetting, SetSetting};
use crate::api::request::system::ListJobs;
use crate::api::request::trash::{DeleteTrashed, EmptyTrash};
use crate::api::{ErrorCategory, Event, Guard, Response};
use crate::clock::SystemClock;
use crate::local::frame;
use crate::local::message::{FromClient, FromOwner, Greeting, Hello, Refusal, Welcome};
use crate::local::place::Place;
use crate::model::{ConsentId, ConsentQuestion, JobKind, ProfileNetwork, SettingValue, TrashId};

fn environment(folder: &Path) -> BTreeMap<String, String> {
    let text = folder.display().to_string();
    BTreeMap::from([("HOME".to_owned(), text.clone()), ("XDG_RUNTIME_DIR".to_owned(), text)])
}

fn start(folder: &Path, role: Role) -> Core {
    Core::start(CoreOptions {
        role,
        data_folder: Some(folder.join("data")),
        overrides: BTreeMap::new(),
        environment: environment(folder),
        console_level: None,
        chat_model: None,
        clock: Arc::new(SystemClock),
        faults: None,
    })
    .unwrap()
}

fn publish(core: &Core, event: Event) {
    let Work::Here(here) = &*core.handle.0.work() else { panic!("it works here") };
    here.engine.context().events.publish(None, event);
}

/// A client that writes what it likes.
struct Raw(UnixStream);

impl Raw {
    fn connect(folder: &Path) -> Self {
        let paths = Place::of(&environment(folder), &folder.join("data")).to_connect();
        let stream = UnixStream::connect(paths.first().expect("a socket")).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
        Self(stream)
    }

    fn greeted(folder: &Path) -> Self {
        let mut raw = Self::connect(folder);
        raw.send(&Hello::of(Role::Command, None));
        let Some(Greeting::Welcome(Welcome { pid, .. })) = raw.read() else { panic!("a welcome") };
        assert_eq!(pid, std::process::id());
        raw
    }

    fn send(&mut self, message: &impl serde::Serialize) {
        self.0.write_all(&frame::encode(message).unwrap()).unwrap();
    }

    /// None at the end of the connection.
    fn read<T: serde::de::DeserializeOwned>(&mut self) -> Option<T> {
        let mut head = [0; 4];
        self.0.read_exact(&mut head).ok()?;
        let mut bytes = vec![0; u32::from_le_bytes(head) as usize];
        self.0.read_exact(&mut bytes).ok()?;
        Some(frame::decode(&bytes).unwrap())
    }

    fn ask(&mut self, id: u64, request: Request) -> Result<Response, ApiError> {
        self.send(&FromClient::Call { id, profile: None, request });
        loop {
            match self.read().expect("a reply") {
                FromOwner::Reply { id: of, result } if of == id => return result,
                _ => {}
            }
        }
    }

    fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        // A reset is an end, too: what was sent was not read to its end.
        self.0.read_to_end(&mut rest).map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |_| true)
    }
}

/// Every kind of request that only the person may make.
fn guarded() -> Vec<Request> {
    let set = |key: &str, value: &str| SetSetting { key: key.to_owned(), value: SettingValue::Text(value.to_owned()) };
    let profile = crate::model::ProfileId(uuid::Uuid::from_u128(1));
    vec![
        set("network.policy", "all").into_request(),
        set("security.auto_lock_minutes", "0").into_request(),
        ResetSetting { key: None }.into_request(),
        ResetSetting { key: Some("network.hosts".to_owned()) }.into_request(),
        SetProfileNetwork { id: profile, network: ProfileNetwork::default() }.into_request(),
        SwitchProfile { id: profile }.into_request(),
        DeleteProfile { id: profile, confirmed_name: "x".to_owned() }.into_request(),
        DownloadModel { catalogue_id: "x".to_owned(), confirmed_host: "evil.example".to_owned() }.into_request(),
        DeleteBackup { name: "x".to_owned() }.into_request(),
        EmptyTrash {}.into_request(),
        DeleteTrashed { id: TrashId(uuid::Uuid::from_u128(1)) }.into_request(),
    ]
}

fn next_question(events: &mut Subscription) -> ConsentQuestion {
    loop {
        match events.next() {
            Heard::Event(told) => {
                if let Event::ConsentAsked { question } = told.event {
                    return question;
                }
            }
            other => panic!("{other:?} before a question"),
        }
    }
}

#[test]
fn another_process_cannot_approve_or_change_what_only_the_person_may() {
    let folder = tempfile::tempdir().unwrap();
    let window = start(folder.path(), Role::Window);
    let policy = || {
        let entries = window.call(ListSettings {}).wait().unwrap();
        entries.into_iter().find(|entry| entry.key == "network.policy").unwrap().value
    };
    let before = policy();
    let mut events = window.subscribe();
    let mut raw = Raw::greeted(folder.path());
    // Whom it may answer itself: nobody.
    let made_up = AnswerConsent { id: ConsentId(uuid::Uuid::from_u128(1)), allowed: true }.into_request();
    assert_eq!(made_up.guard(), Guard::Window);
    assert_eq!(raw.ask(1, made_up).unwrap_err().category, ErrorCategory::Authorisation);
    for (number, request) in guarded().into_iter().enumerate() {
        let Guard::Person(what) = request.guard() else { panic!("{request:?} is guarded") };
        let id = 10 + number as u64;
        raw.send(&FromClient::Call { id, profile: None, request });
        let question = next_question(&mut events);
        assert_eq!(question.what, what);
        assert!(question.who.contains(&std::process::id().to_string()), "{question:?}");
        // It knows the number of the question and tries to answer it, also over another connection.
        let answer = || AnswerConsent { id: question.id, allowed: true }.into_request();
        assert!(raw.ask(1_000 + id, answer()).is_err());
        assert!(Raw::greeted(folder.path()).ask(1, answer()).is_err());
        assert_eq!(window.call(ListConsents {}).wait().unwrap(), std::slice::from_ref(&question));
        window.call(AnswerConsent { id: question.id, allowed: false }).wait().unwrap();
        let Some(FromOwner::Reply { id: of, result }) = raw.read() else { panic!("a reply") };
        assert_eq!((of, result.unwrap_err().category), (id, ErrorCategory::Authorisation));
    }
    assert_eq!(policy(), before);

    raw.send(&FromClient::Call { id: 500, profile: None, request: guarded().swap_remove(0) });
    let question = next_question(&mut events);
    window.call(AnswerConsent { id: question.id, allowed: true }).wait().unwrap();
    let Some(FromOwner::Reply { result, .. }) = raw.read() else { panic!("a reply") };
    result.unwrap();
    assert_eq!(policy(), SettingValue::Text("all".to_owned()));
}

#[test]
fn a_command_that_owns_the_folder_refuses_what_only_the_person_may() {
    let folder = tempfile::tempdir().unwrap();
    let _owner = start(folder.path(), Role::Command);
    let mut raw = Raw::greeted(folder.path());
    for (id, request) in (1..).zip(guarded()) {
        let error = raw.ask(id, request).unwrap_err();
        assert_eq!(error.category, ErrorCategory::Authorisation);
        assert!(error.message.contains("nobody can be asked"), "{error}");
    }
}

#[test]
fn who_goes_takes_the_question_along() {
    let folder = tempfile::tempdir().unwrap();
    let window = start(folder.path(), Role::Window);
    let mut events = window.subscribe();
    let client = start(folder.path(), Role::Command);
    assert_eq!(client.works_in(), WorksIn::Other(Role::Window));
    let set = SetSetting { key: "network.policy".to_owned(), value: SettingValue::Text("all".to_owned()) };
    let pending = client.call(set);
    let question = next_question(&mut events);
    drop(pending);
    loop {
        match events.next() {
            Heard::Event(told) if told.event == (Event::ConsentEnded { id: question.id }) => break,
            Heard::Event(_) => {}
            other => panic!("{other:?} before the end of the question"),
        }
    }
    assert!(window.call(ListConsents {}).wait().unwrap().is_empty());
}

#[test]
fn another_version_is_told_which_one_to_update() {
    let folder = tempfile::tempdir().unwrap();
    let _owner = start(folder.path(), Role::Command);
    for (protocol, expected) in [(0, Refusal::ClientTooOld), (99, Refusal::ClientTooNew)] {
        let mut raw = Raw::connect(folder.path());
        raw.send(&Hello { protocol, ..Hello::of(Role::Command, None) });
        let Some(Greeting::Refused(refused)) = raw.read() else { panic!("a refusal") };
        assert_eq!((refused.why, refused.protocol), (expected, crate::local::PROTOCOL));
        assert!(raw.is_closed());
    }
}

#[test]
fn what_is_no_message_closes_that_connection_alone() {
    let folder = tempfile::tempdir().unwrap();
    let owner = start(folder.path(), Role::Command);
    let mut good = Raw::greeted(folder.path());
    for bad in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[4, 0, 0, 0, 0xc1, 0xc1, 0xc1, 0xc1]] {
        let mut stranger = Raw::connect(folder.path());
        stranger.0.write_all(bad).unwrap();
        stranger.0.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(stranger.is_closed());
        let mut raw = Raw::greeted(folder.path());
        raw.0.write_all(bad).unwrap();
        raw.0.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(raw.is_closed());
    }
    let mut twice = Raw::greeted(folder.path());
    twice.send(&FromClient::Subscribe);
    twice.send(&FromClient::Subscribe);
    assert!(twice.is_closed());
    good.ask(1, ListJobs {}.into_request()).unwrap();
    owner.call(ListJobs {}).wait().unwrap();
}

#[test]
fn any_bytes_harm_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let owner = start(folder.path(), Role::Command);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    runner
        .run(&(proptest::collection::vec(any::<u8>(), 0..300), any::<bool>()), |(bytes, greet)| {
            let mut raw = if greet { Raw::greeted(folder.path()) } else { Raw::connect(folder.path()) };
            // It may be closed before all is written.
            raw.0.write_all(&bytes).ok();
            raw.0.shutdown(std::net::Shutdown::Write).ok();
            prop_assert!(raw.is_closed());
            Ok(())
        })
        .unwrap();
    owner.call(ListJobs {}).wait().unwrap();
    Raw::greeted(folder.path()).ask(1, ListJobs {}.into_request()).unwrap();
}

#[test]
fn a_client_that_reads_nothing_gets_a_gap_and_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let owner = start(folder.path(), Role::Command);
    let mut slow = Raw::greeted(folder.path());
    slow.send(&FromClient::Subscribe);
    // Answered after the subscription, so that this one stands.
    slow.ask(1, ListJobs {}.into_request()).unwrap();
    let detail = "x".repeat(1_000);
    for number in 0..20_000 {
        publish(&owner, Event::Health { part: number.to_string(), healthy: true, detail: detail.clone() });
    }
    owner.call(ListJobs {}).wait().unwrap();
    publish(&owner, Event::ModelsChanged);
    let mut gaps = 0;
    loop {
        match slow.read().expect("still connected") {
            FromOwner::Gap(lost) => gaps += lost,
            FromOwner::Event(told) if told.event == Event::ModelsChanged => break,
            _ => {}
        }
    }
    assert!(gaps > 1_000, "{gaps}");
}

#[test]
fn a_client_with_too_many_requests_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let _owner = start(folder.path(), Role::Window);
    let mut raw = Raw::greeted(folder.path());
    // Questions that wait: the first eight stand, the others are refused, and none stays on the list of what runs.
    for id in 0..20 {
        raw.send(&FromClient::Call { id, profile: None, request: guarded().swap_remove(0) });
    }
    // The engine takes them up side by side: which eight stand is not known before.
    let mut standing: Vec<u64> = (0..20).collect();
    while standing.len() > 8 {
        let Some(FromOwner::Reply { id, result }) = raw.read() else { panic!("a reply") };
        assert!(result.unwrap_err().message.contains("too many questions"));
        standing.retain(|waits| *waits != id);
    }
    raw.send(&FromClient::Cancel { id: standing[3] });
    let Some(FromOwner::Reply { id, result }) = raw.read() else { panic!("a reply") };
    assert_eq!((id, result.unwrap_err()), (standing[3], ApiError::cancelled()));
}

#[test]
fn a_restart_keeps_the_handle_the_data_and_the_clients() {
    let folder = tempfile::tempdir().unwrap();
    let owner = start(folder.path(), Role::Command);
    let client = start(folder.path(), Role::Command);
    client.call(CreateChat { title: "before".to_owned() }).wait().unwrap();
    let (mut own, mut others) = (owner.subscribe(), client.subscribe());
    owner.restart().unwrap();
    assert_eq!(owner.works_in(), WorksIn::Here);
    for events in [&mut own, &mut others] {
        while !matches!(events.next(), Heard::Gap(_)) {}
    }
    assert_eq!(client.works_in(), WorksIn::Other(Role::Command));
    assert_eq!(client.call(ListChats {}).wait().unwrap()[0].chat.title, "before");
    client.call(CreateChat { title: "after".to_owned() }).wait().unwrap();
    assert_eq!(owner.call(ListChats {}).wait().unwrap().len(), 2);
    assert!(client.restart().unwrap_err().message.contains("another rspa"));
}

#[test]
fn a_window_gets_the_folder_only_after_what_must_not_be_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let command = start(folder.path(), Role::Command);
    let job = {
        let Work::Here(here) = &*command.handle.0.work() else { panic!("it works here") };
        let jobs = &here.engine.context().jobs;
        jobs.start(JobKind::Import, "Import a model", "bytes", 0, CancellationToken::new())
    };
    let mut window = Raw::connect(folder.path());
    window.send(&Hello::of(Role::Window, None));
    assert!(matches!(window.read(), Some(Greeting::Welcome(_))));
    window.send(&FromClient::TakeOver);
    // Answered after the wish, and by the command: it goes on working while the job runs.
    window.ask(1, ListJobs {}.into_request()).unwrap();
    command.call(CreateChat { title: "meanwhile".to_owned() }).wait().unwrap();
    assert_eq!(command.works_in(), WorksIn::Here);
    let mut events = command.subscribe();
    job.finish(Ok(()));
    assert!(matches!(window.read(), Some(FromOwner::Released)));
    // Nobody has the folder now: it can be opened, and what is asked waits.
    let pending = command.call(ListChats {});
    assert_eq!(command.works_in(), WorksIn::Nowhere);
    // The window crashes before it opened the folder: the command opens it again.
    drop(window);
    assert_eq!(pending.wait().unwrap()[0].chat.title, "meanwhile");
    assert_eq!(command.works_in(), WorksIn::Here);
    while !matches!(events.next(), Heard::Gap(_)) {}
}

#[test]
fn a_window_that_goes_while_it_waits_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let command = start(folder.path(), Role::Command);
    let job = {
        let Work::Here(here) = &*command.handle.0.work() else { panic!("it works here") };
        let jobs = &here.engine.context().jobs;
        jobs.start(JobKind::Download, "Download a model", "bytes", 0, CancellationToken::new())
    };
    let mut window = Raw::greeted(folder.path());
    window.send(&FromClient::TakeOver);
    window.ask(1, ListJobs {}.into_request()).unwrap();
    drop(window);
    // The next window waits its turn behind the one that went, and finds the same command.
    let mut next = Raw::greeted(folder.path());
    next.send(&FromClient::TakeOver);
    command.call(CreateChat { title: "meanwhile".to_owned() }).wait().unwrap();
    job.finish(Ok(()));
    assert!(matches!(next.read(), Some(FromOwner::Released)));
    drop(next);
    assert_eq!(command.call(ListChats {}).wait().unwrap().len(), 1);
}

#[test]
fn an_owner_that_ends_serves_its_clients_until_their_work_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let owner = start(folder.path(), Role::Command);
    let client = start(folder.path(), Role::Command);
    let job = {
        let Work::Here(here) = &*owner.handle.0.work() else { panic!("it works here") };
        let jobs = &here.engine.context().jobs;
        jobs.start(JobKind::Import, "Import a model", "bytes", 0, CancellationToken::new())
    };
    let ending = std::thread::spawn(move || owner.shutdown());
    for _ in 0..20 {
        client.call(CreateChat { title: "meanwhile".to_owned() }).wait().unwrap();
        assert_eq!(client.works_in(), WorksIn::Other(Role::Command));
    }
    assert!(!ending.is_finished());
    job.finish(Ok(()));
    ending.join().unwrap();
    assert_eq!(client.call(ListChats {}).wait().unwrap().len(), 20);
    assert_eq!(client.works_in(), WorksIn::Here);
}

/// What must not be done twice is done once, however often the folder changes hands in between.
#[test]
fn owners_that_end_under_load_lose_nothing_and_do_nothing_twice() {
    const EACH: usize = 25;
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), Role::Command);
    let cores: Vec<_> = (0..4).map(|_| start(folder.path(), Role::Command)).collect();
    std::thread::scope(|scope| {
        for (number, core) in cores.into_iter().enumerate() {
            scope.spawn(move || {
                // Some are asked one after the other, some at once; each ends at another time, as owner or not.
                let pending: Vec<_> = (0..EACH)
                    .filter_map(|turn| {
                        let asked = core.call(CreateChat { title: format!("{number} {turn}") });
                        if turn % 3 == 0 {
                            asked.wait().unwrap();
                            return None;
                        }
                        Some(asked)
                    })
                    .collect();
                pending.into_iter().for_each(|asked| drop(asked.wait().unwrap()));
                core.shutdown();
            });
        }
        scope.spawn(move || first.shutdown());
    });
    let last = start(folder.path(), Role::Command);
    let mut titles: Vec<_> = last.call(ListChats {}).wait().unwrap().into_iter().map(|chat| chat.chat.title).collect();
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), 4 * EACH);
    assert_eq!(last.call(ListChats {}).wait().unwrap().len(), 4 * EACH);
}

#[test]
fn a_question_that_the_window_leaves_open_is_refused_and_never_done_by_whoever_asked() {
    let folder = tempfile::tempdir().unwrap();
    let window = start(folder.path(), Role::Window);
    let mut events = window.subscribe();
    let client = start(folder.path(), Role::Command);
    let set = || SetSetting { key: "network.policy".to_owned(), value: SettingValue::Text("all".to_owned()) };
    let pending = client.send_unasked::<SetSetting>(set().into_request());
    next_question(&mut events);
    window.shutdown();
    let error = pending.wait().unwrap_err();
    assert_eq!(error.category, ErrorCategory::Authorisation);
    assert!(error.message.contains("closed without an answer"), "{error}");
    // Now this process has the folder: what the window was to ask about is still not done without a question.
    client.call(ListJobs {}).wait().unwrap();
    assert_eq!(client.works_in(), WorksIn::Here);
    let error = client.send_unasked::<SetSetting>(set().into_request()).wait().unwrap_err();
    assert_eq!(error.category, ErrorCategory::Authorisation);
    let entries = client.call(ListSettings {}).wait().unwrap();
    let policy = entries.into_iter().find(|entry| entry.key == "network.policy").unwrap().value;
    assert_eq!(policy, SettingValue::Text("nothing".to_owned()));
}
