//! Profiles through core's one door: isolated, switched, kept, deleted with everything in them, with a network of their own.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail like the test itself")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rspa_core::api::request::chats::{CreateChat, GetMessages, ListChats, RenameChat, SendQuestion};
use rspa_core::api::request::knowledge::{
    AddSource, ListDocuments, ListSources, ReadDocument, RemoveSource, Search, WaitFor, WaitForSource,
};
use rspa_core::api::request::models::DownloadModel;
use rspa_core::api::request::profiles::{
    CreateProfile, DeleteProfile, ListProfiles, RenameProfile, SetProfileNetwork, SwitchProfile,
};
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::request::system::{GetNetworkStatus, GetOverview, GetUiState, ListLedger, PutUiState};
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Event, EventEnvelope, Heard, Role, Subscription};
use rspa_core::clock::SystemClock;
use rspa_core::inference::ChatModel;
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{
    JobState, MessageState, NetworkPolicy, PageRequest, Profile, ProfileNetwork, Question, SearchMode, SearchQuery,
    SettingValue, SourceStatus,
};
use rspa_core::storage::{Db, DbOptions, profiles, tables};

fn start(data: &Path, role: Role, chat_model: Option<Arc<dyn ChatModel>>) -> Core {
    Core::start(CoreOptions {
        role,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model,
        faults: None,
        clock: Arc::new(SystemClock),
    })
    .unwrap()
}

fn create(core: &Core, name: &str) -> Profile {
    core.call(CreateProfile { name: name.to_owned(), network: ProfileNetwork::default() }).wait().unwrap()
}

/// A folder with one note, as a source of the handle's profile.
fn add_note(core: &Core, folder: PathBuf, text: &str) -> SourceStatus {
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("note.md"), text).unwrap();
    let source = core.call(AddSource { path: folder }).wait().unwrap();
    core.call(WaitForSource { id: source.source.id, until: WaitFor::Searchable }).wait().unwrap()
}

fn search(core: &Core, text: &str) -> Vec<PathBuf> {
    let query = SearchQuery {
        text: text.to_owned(),
        mode: SearchMode::Hybrid,
        limit: 20,
        sources: Vec::new(),
        kinds: Vec::new(),
        ..SearchQuery::default()
    };
    let hits = core.call(Search { query }).wait().unwrap().hits;
    hits.into_iter().map(|hit| hit.passage.path).collect()
}

fn ask(core: &Core, text: &str) -> rspa_core::api::request::chats::Sent {
    let chat = core.call(CreateChat { title: String::new() }).wait().unwrap().id;
    let question = Question {
        text: text.to_owned(),
        use_knowledge: true,
        sources: Vec::new(),
        model: None,
        beside: None,
        attachments: Vec::new(),
    };
    core.call(SendQuestion { chat, question }).wait().unwrap()
}

fn until(listener: &mut Subscription, mut wanted: impl FnMut(&EventEnvelope) -> bool) -> EventEnvelope {
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if wanted(&envelope) {
            return envelope;
        }
    }
}

#[test]
fn nothing_of_one_profile_is_found_listed_counted_or_cited_in_the_other() {
    let data = tempfile::tempdir().unwrap();
    let model = ScriptedModel::new().reply("lamp", "The lamp is green. The kettle is blue.");
    let core = start(data.path(), Role::Command, Some(Arc::new(model)));
    let home = core.in_profile(core.profile());
    let work = create(&core, "Work");
    let office = core.in_profile(work.id);
    let mut told = core.subscribe();
    let lamp = add_note(&home, data.path().join("home"), "# Lamp\n\nThe lamp is green.\n");
    let kettle = add_note(&office, data.path().join("office"), "# Kettle\n\nThe kettle is blue.\n");

    // Events say whose they are.
    let mut seen = 0;
    while let Some(Heard::Event(envelope)) = told.try_next() {
        if let Event::SourceChanged { status } = envelope.event {
            let owner = if status.source.id == lamp.source.id { home.profile() } else { office.profile() };
            assert_eq!((envelope.profile, status.source.profile), (Some(owner), owner));
            seen += 1;
        }
    }
    assert!(seen > 0);
    let mut listener = core.subscribe();
    let sent = ask(&home, "Which colour has the lamp, and which the kettle?");
    let done = until(&mut listener, |envelope| {
        matches!(&envelope.event, Event::MessageChanged { message }
            if message.id == sent.answer.id && message.state == MessageState::Complete)
    });
    assert_eq!(done.profile, Some(home.profile()));
    let answer = core.call(GetMessages { chat: sent.answer.chat }).wait().unwrap().remove(1);
    let own = data.path().join("home");
    assert!(!answer.passages.is_empty() && answer.passages.iter().all(|found| found.path.starts_with(&own)));
    assert_eq!(answer.sentences.iter().map(|part| part.citations.len()).collect::<Vec<_>>(), [1, 0], "{answer:?}");

    // Found.
    for word in ["lamp", "kettle", "green", "blue", "The"] {
        // A profile finds its own chats and activities too; only home has a chat.
        let record = |path: &PathBuf| path.to_string_lossy().starts_with("rspa:");
        assert!(search(&home, word).iter().all(|path| path.starts_with(&own) || record(path)), "{word}");
        let theirs = data.path().join("office");
        let found = search(&office, word);
        assert!(found.iter().all(|path| path.starts_with(&theirs) || record(path)), "{word}");
        assert!(!found.iter().any(|path| path.to_string_lossy().starts_with("rspa:chats")), "{word}");
    }
    assert!(!search(&office, "kettle").is_empty());
    // Listed.
    let sources = |core: &Core| {
        let mut all = core.call(ListSources {}).wait().unwrap();
        all.retain(|status| !status.source.kind.is_built_in());
        all
    };
    assert_eq!(sources(&home).len(), 1);
    assert_eq!(sources(&home)[0].source.id, lamp.source.id);
    assert_eq!(sources(&office)[0].source.id, kettle.source.id);
    assert_eq!(
        (home.call(ListChats {}).wait().unwrap().len(), office.call(ListChats {}).wait().unwrap().len()),
        (1, 0)
    );
    // Reached by id or path.
    assert!(office.call(GetMessages { chat: sent.answer.chat }).wait().is_err());
    assert!(office.call(RenameChat { chat: sent.answer.chat, title: "mine".to_owned() }).wait().is_err());
    let page = PageRequest::default();
    let documents = ListDocuments { source: lamp.source.id, filter: String::new(), page };
    assert!(office.call(documents).wait().map_or(true, |page| page.items.is_empty()));
    assert!(office.call(RemoveSource { id: lamp.source.id }).wait().is_err());
    let read = ReadDocument { path: own.join("note.md"), start_line: 1, end_line: 9 };
    assert_eq!(office.call(read.clone()).wait().unwrap_err().category, ErrorCategory::Authorisation);
    home.call(read).wait().unwrap();
    // Counted.
    let counted = |core: &Core| {
        let overview = core.call(GetOverview { days: 7 }).wait().unwrap();
        (overview.sources, overview.documents, overview.chats, overview.questions, overview.recent)
    };
    let (theirs, ours) = (counted(&office), counted(&home));
    assert_eq!((theirs.0, theirs.1, theirs.2, theirs.3), (1, 1, 0, 0));
    assert_eq!((ours.0, ours.1, ours.2, ours.3), (1, 1, 1, 1));
    assert!(!format!("{:?}", theirs.4).contains("home"), "{:?}", theirs.4);
    let list = core.call(ListProfiles {}).wait().unwrap();
    assert_eq!(list.active, home.profile());
    assert_eq!(list.counts.iter().map(|count| (count.sources, count.chats)).collect::<Vec<_>>(), [(1, 1), (1, 0)]);
    // Kept by the window.
    home.call(PutUiState { name: "window".to_owned(), text: "left".to_owned() }).wait().unwrap();
    assert_eq!(office.call(GetUiState { name: "window".to_owned() }).wait().unwrap(), None);
}

#[test]
fn switching_stops_the_old_profile_starts_the_new_one_and_survives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let (model, gate) = ScriptedModel::new().reply("lamp", "The lamp is green and stands by the door.").gated();
    let core = start(data.path(), Role::Window, Some(Arc::new(model)));
    let home = core.in_profile(core.profile());
    add_note(&core, data.path().join("home"), "# Lamp\n\nThe lamp is green.\n");
    let work = create(&core, "Work");
    let mut listener = core.subscribe();
    let sent = ask(&core, "Which colour has the lamp?");
    gate.allow(2);
    until(&mut listener, |envelope| matches!(envelope.event, Event::AnswerDelta { .. }));

    let list = core.call(SwitchProfile { id: work.id }).wait().unwrap();
    assert_eq!((list.active, core.profile()), (work.id, work.id));
    // The answer was ended before the reply came, and its text is kept.
    let mut stopped = false;
    while let Some(Heard::Event(envelope)) = listener.try_next() {
        if let Event::ProfileSwitched { profile } = envelope.event {
            assert_eq!((profile, envelope.profile), (work.id, None));
        } else if let Event::MessageChanged { message } = envelope.event {
            stopped |= message.id == sent.answer.id && message.state != MessageState::Streaming;
        }
    }
    assert!(stopped);
    gate.open();
    // The active profile is the other one; the old one is still there for who names it.
    assert!(core.call(ListChats {}).wait().unwrap().is_empty());
    let messages = home.call(GetMessages { chat: sent.answer.chat }).wait().unwrap();
    assert!(messages[1].text.starts_with("The lamp"), "{messages:?}");
    assert!(!search(&home, "lamp").is_empty());

    core.shutdown();
    let core = start(data.path(), Role::Command, None);
    assert_eq!(core.profile(), work.id);
    // Back, and back again: what was closed opens anew.
    for _ in 0..3 {
        core.call(SwitchProfile { id: home.profile() }).wait().unwrap();
        assert!(!search(&core, "lamp").is_empty());
        core.call(SwitchProfile { id: work.id }).wait().unwrap();
        assert!(search(&core, "lamp").is_empty());
    }
}

#[test]
fn requests_and_switches_at_the_same_time_never_mix() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), Role::Command, None);
    let home = core.in_profile(core.profile());
    let work = create(&core, "Work");
    let office = core.in_profile(work.id);
    add_note(&home, data.path().join("home"), "# Lamp\n\nThe lamp is green.\n");
    add_note(&office, data.path().join("office"), "# Kettle\n\nThe kettle is blue.\n");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..6 {
                core.call(SwitchProfile { id: work.id }).wait().unwrap();
                core.call(SwitchProfile { id: home.profile() }).wait().unwrap();
            }
        });
        for (handle, own) in [(&home, "home"), (&office, "office")] {
            scope.spawn(move || {
                for _ in 0..40 {
                    let query = SearchQuery {
                        text: "the".to_owned(),
                        mode: SearchMode::Keyword,
                        limit: 20,
                        sources: Vec::new(),
                        kinds: Vec::new(),
                        ..SearchQuery::default()
                    };
                    // One that meets the closing of its profile is stopped with words, never answered by the other.
                    if let Ok(found) = handle.call(Search { query }).wait() {
                        for hit in found.hits {
                            let folder = hit.passage.path.parent().unwrap().file_name().unwrap().to_owned();
                            assert_eq!(folder, own);
                        }
                    }
                }
            });
        }
    });
    assert_eq!(core.profile(), home.profile());
    assert_eq!(search(&office, "kettle").len(), 1);
}

#[test]
fn a_profile_is_named_renamed_and_deleted_with_everything_in_it() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), Role::Command, None);
    let work = create(&core, "Work");
    let error = core.call(CreateProfile { name: "WORK".to_owned(), network: ProfileNetwork::default() }).wait();
    assert_eq!(error.unwrap_err().category, ErrorCategory::Validation);
    core.call(RenameProfile { id: work.id, name: "Office".to_owned() }).wait().unwrap();
    let office = core.in_profile(work.id);
    add_note(&office, data.path().join("office"), "# Kettle\n\nThe kettle is blue.\n");
    office.call(CreateChat { title: "Secret plan".to_owned() }).wait().unwrap();
    let folders = ["profiles", "index"].map(|part| data.path().join("data").join(part).join(work.id.to_string()));
    assert!(folders[0].exists());

    let delete = |name: &str, id| core.call(DeleteProfile { id, confirmed_name: name.to_owned() }).wait();
    assert!(delete("Work", work.id).unwrap_err().message.contains("Office"));
    assert!(delete("Personal", core.profile()).unwrap_err().message.contains("you work in"));
    let list = delete("Office", work.id).unwrap();
    assert_eq!(list.profiles.len(), 1);
    assert!(folders.iter().all(|folder| !folder.exists()));
    assert!(office.call(ListChats {}).wait().unwrap_err().message.contains("does not exist"));
    assert!(core.call(SwitchProfile { id: work.id }).wait().is_err());
    // A new one of the same name starts with nothing.
    let again = create(&core, "Office");
    assert_ne!(again.id, work.id);
    assert!(core.in_profile(again.id).call(ListChats {}).wait().unwrap().is_empty());
    // The document itself was never the program's.
    assert!(data.path().join("office/note.md").exists());
    let recent = core.call(GetOverview { days: 1 }).wait().unwrap().recent;
    let kinds: Vec<_> = recent.iter().map(|item| item.kind.as_str()).collect();
    for kind in ["profile.created", "profile.renamed", "profile.deleted"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
}

#[test]
fn a_deletion_that_a_kill_cut_off_is_finished_at_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), Role::Command, None);
    let work = create(&core, "Work");
    add_note(&core.in_profile(work.id), data.path().join("office"), "# Kettle\n\nThe kettle is blue.\n");
    core.shutdown();
    let folder = data.path().join("data").join("profiles").join(work.id.to_string());
    // As far as the transaction, and no further.
    let main = Db::open(&data.path().join("data/main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
    let home = profiles::list(&main).unwrap()[0].id;
    profiles::set_active(&main, home).unwrap();
    profiles::delete(&main, work.id, "Work".to_owned()).unwrap();
    main.close();
    assert!(folder.exists());
    let core = start(data.path(), Role::Command, None);
    assert!(!folder.exists());
    assert_eq!(core.call(ListProfiles {}).wait().unwrap().profiles.len(), 1);
}

#[test]
fn a_profile_that_forbids_the_cloud_refuses_a_confirmed_download_and_the_ledger_says_why() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), Role::Command, None);
    let work = create(&core, "Work");
    let office = core.in_profile(work.id);
    let allow = SetSetting { key: "network.policy".to_owned(), value: SettingValue::Text("all".to_owned()) };
    core.call(allow).wait().unwrap();
    let network = ProfileNetwork { policy: Some(NetworkPolicy::All), hosts: Vec::new(), forbid_cloud: true };
    let mut listener = core.subscribe();
    office.call(GetNetworkStatus {}).wait().unwrap();
    core.call(SetProfileNetwork { id: work.id, network }).wait().unwrap();
    let told = until(&mut listener, |envelope| matches!(envelope.event, Event::NetworkChanged { .. }));
    assert_eq!(told.profile, Some(work.id));
    assert!(office.call(GetNetworkStatus {}).wait().unwrap().forbid_cloud);
    assert!(!core.call(GetNetworkStatus {}).wait().unwrap().forbid_cloud);

    let catalogue = core.call(rspa_core::api::request::models::ListCatalogue {}).wait().unwrap();
    let model =
        catalogue.iter().min_by_key(|model| model.files.iter().map(|file| file.size_bytes).sum::<u64>()).unwrap();
    let host = model.files[0].url.split('/').nth(2).unwrap().to_owned();
    let download = DownloadModel { catalogue_id: model.id.clone(), confirmed_host: host };
    let job = office.call(download).wait().unwrap();
    let ended = until(
        &mut listener,
        |envelope| matches!(&envelope.event, Event::JobChanged { job: told } if told.id == job.id && told.state != JobState::Running),
    );
    let Event::JobChanged { job } = ended.event else { unreachable!() };
    let JobState::Failed(error) = job.state else { panic!("{job:?}") };
    assert_eq!((ended.profile, error.category), (Some(work.id), ErrorCategory::Authorisation));
    let row = core.call(ListLedger { page: PageRequest::default() }).wait().unwrap().items.remove(0);
    assert_eq!((row.allowed, row.profile, row.profile_name.as_str()), (false, Some(work.id), "Work"));
    assert!(row.reason.contains("\"Work\" forbids every call to the cloud"), "{row:?}");
    // It stays in the ledger with its name when the profile is gone.
    core.call(DeleteProfile { id: work.id, confirmed_name: "Work".to_owned() }).wait().unwrap();
    let row = core.call(ListLedger { page: PageRequest::default() }).wait().unwrap().items.remove(0);
    assert_eq!(row.profile_name, "Work");
}
