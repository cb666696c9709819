//! Chats through core's one door: versions, folders, search, attachments, mentions, context, export, and what a crash leaves.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail like the test itself")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rspa_core::api::request::chats::{
    BranchChat, ChooseVersion, ContinueAnswer, CreateChat, CreateChatFolder, DeleteChat, DeleteChatFolder,
    EditQuestion, ExportChat, FindMentions, GetMessages, ListChatFolders, ListChats, MoveChat, PinChat, PreviewContext,
    RenameChatFolder, RetryAnswer, SearchChats, SendQuestion,
};
use rspa_core::api::request::knowledge::{AddSource, WaitFor, WaitForSource};
use rspa_core::api::request::trash::RestoreTrashed;
use rspa_core::api::{Core, CoreOptions, Event, Heard, Role, Subscription};
use rspa_core::clock::SystemClock;
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{
    ChatFormat, ChatId, ContextKind, Mentioned, Message, MessageId, MessageState, ModelId, Question, SourceId,
};

fn start(data: &Path, model: ScriptedModel) -> Core {
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: Some(Arc::new(model)),
        clock: Arc::new(SystemClock),
        faults: None,
    })
    .unwrap()
}

fn question(text: &str) -> Question {
    Question { text: text.to_owned(), ..Question::default() }
}

fn is_over(message: &Message) -> bool {
    !matches!(message.state, MessageState::Preparing | MessageState::Streaming)
}

fn until_done(listener: &mut Subscription, id: MessageId) -> Message {
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        match envelope.event {
            Event::MessageChanged { message } if message.id == id && is_over(&message) => return message,
            _ => {}
        }
    }
}

fn ask(core: &Core, chat: ChatId, question: Question) -> Message {
    let mut listener = core.subscribe();
    let sent = core.call(SendQuestion { chat, question }).wait().unwrap();
    until_done(&mut listener, sent.answer.id)
}

fn new_chat(core: &Core) -> ChatId {
    core.call(CreateChat { title: String::new() }).wait().unwrap().id
}

fn texts(core: &Core, chat: ChatId) -> Vec<String> {
    core.call(GetMessages { chat }).wait().unwrap().into_iter().map(|message| message.text).collect()
}

fn source_of(core: &Core, path: &Path, files: &[(&str, &str)]) -> SourceId {
    std::fs::create_dir_all(path).unwrap();
    for (name, text) in files {
        std::fs::write(path.join(name), text).unwrap();
    }
    let id = core.call(AddSource { path: path.to_owned() }).wait().unwrap().source.id;
    core.call(WaitForSource { id, until: WaitFor::Searchable }).wait().unwrap();
    id
}

#[test]
fn versions_survive_the_trash_and_the_end_of_the_program() {
    let data = tempfile::tempdir().unwrap();
    let model = || ScriptedModel::new().reply("red", "It is red.").reply("blue", "It is blue.").reply("", "Fine.");
    let core = start(data.path(), model());
    let chat = new_chat(&core);
    let first = ask(&core, chat, question("Is it red?"));
    ask(&core, chat, question("Good?"));
    let mut listener = core.subscribe();
    let asked = core.call(GetMessages { chat }).wait().unwrap()[0].clone();
    let edit = EditQuestion { chat, message: asked.id, question: question("Is it blue?") };
    let edited = core.call(edit).wait().unwrap();
    until_done(&mut listener, edited.answer.id);
    assert_eq!(texts(&core, chat), ["Is it blue?", "It is blue."]);
    core.call(ChooseVersion { chat, message: asked.id }).wait().unwrap();
    let again = core.call(RetryAnswer { chat, message: first.id, model: None }).wait().unwrap();
    until_done(&mut listener, again.answer.id);
    assert_eq!(texts(&core, chat), ["Is it red?", "It is red."], "what followed the first answer is below that one");
    core.call(ChooseVersion { chat, message: first.id }).wait().unwrap();
    let shown = ["Is it red?", "It is red.", "Good?", "Fine."];
    assert_eq!(texts(&core, chat), shown);
    let made = core.call(BranchChat { chat, message: first.id }).wait().unwrap();
    assert_eq!((made.branched_from, made.title.as_str()), (Some(chat), "Is it red? (branch)"));
    let item = core.call(DeleteChat { chat }).wait().unwrap();
    core.call(RestoreTrashed { id: item.id }).wait().unwrap();
    core.shutdown();
    let core = start(data.path(), model());
    assert_eq!(texts(&core, chat), shown);
    let messages = core.call(GetMessages { chat }).wait().unwrap();
    assert_eq!(messages[0].versions.all, [asked.id, edited.question.id]);
    assert_eq!(messages[1].versions.all, [first.id, again.answer.id]);
    assert_eq!(texts(&core, made.id), shown[..2]);
    // An answer that is whole can be continued too.
    let mut listener = core.subscribe();
    core.call(ContinueAnswer { chat, message: messages[3].id }).wait().unwrap();
    assert!(until_done(&mut listener, messages[3].id).text.starts_with("Fine."));
}

#[test]
fn chats_are_sorted_found_and_exported() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), ScriptedModel::new().reply("Löwen", "Löwen fressen Fleisch.").reply("", "Ja."));
    let notes = data.path().join("notes");
    source_of(&core, &notes, &[("lion.md", "# Löwen\n\nLöwen fressen Fleisch und schlafen viel.\n")]);
    let (zoo, other) = (new_chat(&core), new_chat(&core));
    let searched = Question { use_knowledge: true, ..question("Was fressen Löwen?") };
    let answer = ask(&core, zoo, searched);
    assert!(!answer.citations.is_empty(), "{answer:?}");
    ask(&core, other, question("Sonst etwas?"));
    core.call(CreateChatFolder { name: "Leer".to_owned() }).wait().unwrap();
    core.call(MoveChat { chat: zoo, folder: "Tiere/Afrika".to_owned() }).wait().unwrap();
    assert!(core.call(PinChat { chat: zoo, pinned: true }).wait().unwrap().pinned);
    core.call(RenameChatFolder { name: "Tiere".to_owned(), to: "Zoo".to_owned() }).wait().unwrap();
    assert_eq!(core.call(ListChatFolders {}).wait().unwrap(), ["Leer", "Zoo", "Zoo/Afrika"]);
    let listed = core.call(ListChats {}).wait().unwrap();
    let of = |id| listed.iter().find(|row| row.chat.id == id).unwrap();
    assert_eq!((of(zoo).chat.folder.as_str(), of(zoo).chat.pinned, of(zoo).messages), ("Zoo/Afrika", true, 2));
    core.call(DeleteChatFolder { name: "Zoo".to_owned() }).wait().unwrap();
    assert_eq!(core.call(ListChats {}).wait().unwrap().len(), 2);
    let hits = core.call(SearchChats { text: "lowen FLEISCH".to_owned(), limit: 10 }).wait().unwrap();
    assert_eq!((hits.len(), hits[0].chat, hits[0].message), (1, zoo, Some(answer.id)));
    let marked: Vec<&str> =
        hits[0].marks.iter().map(|(from, to)| &hits[0].snippet[*from as usize..*to as usize]).collect();
    assert_eq!(marked, ["Löwen", "Fleisch"]);
    let text = core.call(ExportChat { chat: zoo, format: ChatFormat::Markdown }).wait().unwrap();
    assert!(text.starts_with("# Was fressen Löwen?\n"), "{text}");
    assert!(
        text.contains("Löwen fressen Fleisch.[^1]")
            && text.contains("lion.md, lines 1 to 3: “Löwen Löwen fressen Fleisch und schlafen viel.”"),
        "{text}"
    );
    let json = core.call(ExportChat { chat: zoo, format: ChatFormat::Json }).wait().unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["messages"].as_array().unwrap().len(), &json["messages"][1]["shown"]), (2, &true.into()));
    assert_eq!(json["messages"][1]["parent"], json["messages"][0]["id"]);
}

#[test]
fn what_is_mentioned_is_found_attached_and_searched_alone() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), ScriptedModel::new().reply("", "Forty tonnes."));
    let long = "The harbour is old and has many stories that nobody wrote down. ".repeat(400);
    source_of(
        &core,
        &data.path().join("harbour"),
        &[
            ("crane.md", &format!("# Crane\n\nThe crane lifts forty tonnes.\n\n{long}")),
            ("other.md", "The crane is red.\n"),
        ],
    );
    let away = source_of(&core, &data.path().join("away"), &[("town.md", "The crane of the town lifts ten tonnes.\n")]);
    let find = |text: &str| core.call(FindMentions { text: text.to_owned(), limit: 10 }).wait().unwrap();
    let document = find("crane")[0].clone();
    assert_eq!(document.title, "crane.md");
    let chat = new_chat(&core);
    let asked = Question { attachments: vec![document.what.clone()], ..question("What does the crane lift?") };
    let answer = ask(&core, chat, asked);
    assert!(!answer.passages.is_empty() && answer.passages.iter().all(|p| p.path.ends_with("harbour/crane.md")));
    let asked = Question { attachments: vec![Mentioned::Source { id: away }], ..question("What does the crane lift?") };
    let answer = ask(&core, chat, asked);
    assert!(!answer.passages.is_empty() && answer.passages.iter().all(|p| p.path.ends_with("town.md")), "{answer:?}");
    let sent = core.call(GetMessages { chat }).wait().unwrap();
    assert!(sent[2].attachments[0].text.contains("ten tonnes"), "a small source comes whole");
    assert!(sent[0].attachments[0].text.is_empty() && sent[0].attachments[0].characters > 20_000);
    let typed = format!("{}/har", data.path().display());
    assert_eq!(find(&typed)[0].what, Mentioned::Folder { path: data.path().join("harbour") });
    assert_eq!(find("~/aw")[0].title, "away");
    // What it would take is counted before it is asked.
    let path = data.path().join("harbour");
    let preview = Question { attachments: vec![Mentioned::Folder { path }], ..question("How many files?") };
    let context = core.call(PreviewContext { chat, question: preview }).wait().unwrap();
    let of = |kind| context.parts.iter().find(|part| part.kind == kind).unwrap();
    assert!(of(ContextKind::Attachments).tokens > 100 && of(ContextKind::History).count == 4, "{context:?}");
    assert!(of(ContextKind::Answer).tokens > 0 && context.limit == 4096);
}

#[test]
fn a_crash_while_two_answers_stream_keeps_both_texts() {
    let data = tempfile::tempdir().unwrap();
    // So long that neither ends while the other has not begun.
    let long = format!("one {}", "more ".repeat(2_000));
    let (model, gate) = ScriptedModel::new().reply("", &long).gated();
    let core = start(data.path(), model);
    let chat = new_chat(&core);
    let mut listener = core.subscribe();
    let beside = Some(ModelId("provider/other".to_owned()));
    let sent = core.call(SendQuestion { chat, question: Question { beside, ..question("Count!") } }).wait().unwrap();
    let other = sent.answer.versions.beside[0].id;
    // One of a provider does not wait for the embedded one.
    let mut begun = Vec::new();
    gate.allow(2);
    while begun.len() < 2 {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if let Event::AnswerDelta { message, .. } = envelope.event {
            if begun.contains(&message) {
                gate.allow(1);
            } else {
                begun.push(message);
            }
        }
    }
    let shown = || core.call(GetMessages { chat }).wait().unwrap().remove(1);
    while shown().text.is_empty() || shown().versions.beside[0].text.is_empty() {
        std::thread::yield_now();
    }
    let crashed = tempfile::tempdir().unwrap();
    copy_all(&data.path().join("data"), &crashed.path().join("data"));
    let again = start(crashed.path(), ScriptedModel::new().reply("", "five"));
    let answer = again.call(GetMessages { chat }).wait().unwrap().remove(1);
    for (message, id) in [(&answer, sent.answer.id), (&answer.versions.beside[0], other)] {
        assert_eq!(message.id, id);
        assert!(message.text.starts_with("one"), "{message:?}");
        let MessageState::Failed(error) = &message.state else { panic!("{:?}", message.state) };
        assert!(error.message.contains("interrupted"));
    }
    let mut listener = again.subscribe();
    again.call(ContinueAnswer { chat, message: other }).wait().unwrap();
    assert!(until_done(&mut listener, other).text.ends_with("five"));
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
fn ten_thousand_documents_are_named_quickly() {
    let data = tempfile::tempdir().unwrap();
    let core = start(data.path(), ScriptedModel::new());
    let folder = data.path().join("many");
    std::fs::create_dir_all(&folder).unwrap();
    for number in 0..10_000 {
        std::fs::write(folder.join(format!("report-{number:05}.txt")), format!("Report {number}.\n")).unwrap();
    }
    source_of(&core, &folder, &[]);
    for round in 0..2 {
        let begun = Instant::now();
        let found = core.call(FindMentions { text: "rprt 9999".to_owned(), limit: 10 }).wait().unwrap();
        println!("round {round}: {:?} in {:?}", found.len(), begun.elapsed());
        assert_eq!(found[0].title, "report-09999.txt");
    }
}
