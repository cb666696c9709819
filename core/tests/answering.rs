//! Questions through core's one door, from a folder on the disk to a cited answer.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail like the test itself")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rspa_core::api::request::chats::{CreateChat, GetMessages, ListChats, RetryAnswer, SendQuestion, StopAnswer};
use rspa_core::api::request::knowledge::{AddSource, WaitFor, WaitForSource};
use rspa_core::api::request::models::{DownloadModel, ImportModel, ListModels, Recommend};
use rspa_core::api::request::system::GetOverview;
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Event, Heard, Role, Subscription};
use rspa_core::clock::SystemClock;
use rspa_core::inference::ChatModel;
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{Author, ChatId, JobState, Message, MessageId, MessageState, Question};

fn start(data: &Path, chat_model: Option<Arc<dyn ChatModel>>, environment: &[(&str, &str)]) -> Core {
    let mut all = BTreeMap::from([("HOME".to_owned(), data.display().to_string())]);
    all.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: all,
        console_level: None,
        chat_model,
        clock: Arc::new(SystemClock),
        faults: None,
    })
    .unwrap()
}

/// A folder of three notes, indexed.
fn with_notes(core: &Core, data: &Path) -> PathBuf {
    let notes = data.join("notes");
    std::fs::create_dir_all(&notes).unwrap();
    std::fs::write(
        notes.join("backups.md"),
        "# Backups\n\nBackups run every night at 02:00 and are encrypted with AES-256.\n\n\
         Old backups are kept for 30 days and then deleted.\n",
    )
    .unwrap();
    std::fs::write(notes.join("office.md"), "# Office\n\nThe office is open from 9:00 to 17:00.\n").unwrap();
    std::fs::write(notes.join("server.txt"), "The server listens on port 8080 by default.\n").unwrap();
    let source = core.call(AddSource { path: notes.clone() }).wait().unwrap();
    core.call(WaitForSource { id: source.source.id, until: WaitFor::Searchable }).wait().unwrap();
    notes
}

fn ask(core: &Core, text: &str) -> (ChatId, MessageId) {
    let chat = core.call(CreateChat { title: String::new() }).wait().unwrap().id;
    let question = Question {
        text: text.to_owned(),
        use_knowledge: true,
        sources: Vec::new(),
        model: None,
        beside: None,
        attachments: Vec::new(),
    };
    (chat, core.call(SendQuestion { chat, question }).wait().unwrap().answer.id)
}

/// Events up to the last one of the answer.
fn until_done(listener: &mut Subscription, id: MessageId) -> (Vec<Event>, Message) {
    let mut seen = Vec::new();
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events: {seen:?}") };
        match envelope.event {
            Event::MessageChanged { message }
                if message.id == id && !matches!(message.state, MessageState::Preparing | MessageState::Streaming) =>
            {
                return (seen, message);
            }
            event => seen.push(event),
        }
    }
}

fn until_text(listener: &mut Subscription) {
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if matches!(envelope.event, Event::AnswerDelta { .. }) {
            return;
        }
    }
}

fn answer_of(core: &Core, chat: ChatId) -> Message {
    let all = core.call(GetMessages { chat }).wait().unwrap();
    all.into_iter().rfind(|message| message.author == Author::Model).unwrap()
}

#[test]
fn a_question_over_a_folder_is_answered_with_a_citation_of_exact_lines() {
    let data = tempfile::tempdir().unwrap();
    let model = ScriptedModel::new().reply("backups", "Old backups are kept for 30 days. Elvis reads them.");
    let core = start(data.path(), Some(Arc::new(model)), &[]);
    let notes = with_notes(&core, data.path());
    let mut listener = core.subscribe();
    let (chat, id) = ask(&core, "How long are old backups kept?");
    let (events, answer) = until_done(&mut listener, id);
    let found = events.iter().position(|event| matches!(event, Event::PassagesFound { .. })).unwrap();
    let text = events.iter().position(|event| matches!(event, Event::AnswerDelta { .. })).unwrap();
    assert!(found < text);
    assert_eq!(answer.state, MessageState::Complete);
    assert_eq!(answer.sentences.iter().map(|s| !s.citations.is_empty()).collect::<Vec<_>>(), [true, false]);
    let citation = &answer.citations[0];
    assert_eq!(citation.passage.path, notes.join("backups.md"));
    let file = std::fs::read_to_string(notes.join("backups.md")).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    let quoted = lines[citation.start_line as usize - 1..citation.end_line as usize].join("\n");
    assert!(quoted.contains(&citation.quote) && citation.quote.contains("30 days"), "{citation:?}");
    assert_eq!(answer_of(&core, chat), answer);
    let overview = core.call(GetOverview { days: 7 }).wait().unwrap();
    assert_eq!((overview.chats, overview.questions, overview.questions_per_day.last()), (1, 1, Some(&1)));
    assert_eq!(core.call(ListChats {}).wait().unwrap()[0].chat.title, "How long are old backups kept?");
}

#[test]
fn a_stopped_answer_keeps_its_text_and_retry_makes_a_new_one() {
    let data = tempfile::tempdir().unwrap();
    let (model, gate) = ScriptedModel::new().reply("office", "The office is open from 9:00.").gated();
    let core = start(data.path(), Some(Arc::new(model)), &[]);
    with_notes(&core, data.path());
    let mut listener = core.subscribe();
    let (chat, id) = ask(&core, "When is the office open?");
    gate.allow(2);
    until_text(&mut listener);
    core.call(StopAnswer { message: id }).wait().unwrap();
    let (_, answer) = until_done(&mut listener, id);
    assert_eq!(answer.state, MessageState::Stopped);
    assert!(answer.text.starts_with("The") && answer.text.len() < 15, "{answer:?}");
    gate.open();
    let sent = core.call(RetryAnswer { chat, message: id, model: None }).wait().unwrap();
    let (_, again) = until_done(&mut listener, sent.answer.id);
    assert_eq!(again.versions.all, [id, sent.answer.id]);
    assert_eq!((again.state, again.text.as_str()), (MessageState::Complete, "The office is open from 9:00."));
    assert_eq!(core.call(GetMessages { chat }).wait().unwrap().len(), 2);
}

#[test]
fn after_a_crash_the_answer_is_failed_with_the_text_so_far() {
    let data = tempfile::tempdir().unwrap();
    let (model, gate) = ScriptedModel::new().reply("office", "The office is open from 9:00.").gated();
    let core = start(data.path(), Some(Arc::new(model)), &[]);
    with_notes(&core, data.path());
    let mut listener = core.subscribe();
    let (chat, _) = ask(&core, "When is the office open?");
    gate.allow(1);
    until_text(&mut listener);
    while answer_of(&core, chat).text.is_empty() {
        std::thread::yield_now();
    }
    // What a kill at this moment would leave on the disk.
    let crashed = tempfile::tempdir().unwrap();
    copy_all(&data.path().join("data"), &crashed.path().join("data"));
    let again = start(crashed.path(), Some(Arc::new(ScriptedModel::new())), &[]);
    let answer = answer_of(&again, chat);
    assert_eq!(answer.text.trim(), "The");
    assert!(
        matches!(&answer.state, MessageState::Failed(error) if error.message.contains("interrupted")),
        "{answer:?}"
    );
    gate.open();
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn without_a_model_the_answer_fails_with_what_to_do_and_the_passages_stay() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), None, &[]);
    with_notes(&core, data.path());
    let mut listener = core.subscribe();
    let (_, id) = ask(&core, "How long are old backups kept?");
    let (_, answer) = until_done(&mut listener, id);
    assert!(matches!(&answer.state, MessageState::Failed(error) if error.advice.contains("Import")), "{answer:?}");
    assert!(!answer.passages.is_empty());
}

#[test]
fn a_download_needs_the_confirmed_host_and_an_import_an_existing_file() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), None, &[]);
    let wrong = DownloadModel {
        catalogue_id: "smollm2-135m-instruct.q4_1".to_owned(),
        confirmed_host: "example.org".to_owned(),
    };
    assert_eq!(core.call(wrong).wait().unwrap_err().category, ErrorCategory::Authorisation);
    let unknown = DownloadModel { catalogue_id: "none".to_owned(), confirmed_host: "huggingface.co".to_owned() };
    assert_eq!(core.call(unknown).wait().unwrap_err().category, ErrorCategory::Validation);
    assert!(core.call(ImportModel { path: data.path().join("nothing.gguf") }).wait().is_err());
    let mut listener = core.subscribe();
    std::fs::write(data.path().join("broken.gguf"), b"not a model").unwrap();
    let job = core.call(ImportModel { path: data.path().join("broken.gguf") }).wait().unwrap();
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if let Event::JobChanged { job: now } = envelope.event
            && now.id == job.id
            && now.state != JobState::Running
        {
            assert!(matches!(&now.state, JobState::Failed(error) if !error.advice.is_empty()), "{now:?}");
            break;
        }
    }
    assert!(core.call(ListModels {}).wait().unwrap().models.is_empty());
    assert!(!core.call(Recommend {}).wait().unwrap().reason.is_empty());
}

fn models_folder() -> String {
    let folder = std::env::var("RSPA_MODELS_PATH")
        .unwrap_or_else(|_unset| format!("{}/.cache/rspa-models", std::env::var("HOME").unwrap_or_default()));
    let file = Path::new(&folder).join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(file.is_file(), "{} is missing: run `cargo xtask models`", file.display());
    folder
}

/// The whole way with the smallest real model.
#[test]
fn a_real_model_answers_from_the_folder() {
    let data = tempfile::tempdir().unwrap();
    let folder = models_folder();
    let core = start(data.path(), None, &[("RSPA_MODELS_PATH", &folder)]);
    with_notes(&core, data.path());
    let mut listener = core.subscribe();
    let (_, id) = ask(&core, "How long are old backups kept?");
    let (events, answer) = until_done(&mut listener, id);
    println!("{} {:?} {:?}", answer.text, answer.citations, answer.stats);
    assert_eq!(answer.state, MessageState::Complete);
    assert!(answer.text.contains("30 days") && answer.text.len() < 500, "{}", answer.text);
    assert!(answer.citations.iter().any(|citation| citation.quote.contains("30 days")), "{answer:?}");
    assert!(events.iter().any(|event| matches!(event, Event::JobChanged { job } if job.state == JobState::Done)));
    let models = core.call(ListModels {}).wait().unwrap().models;
    assert!(models.iter().any(|model| model.is_default && model.loaded && model.measured_tok_s.is_some()));
}
