//! Chats on a real file.

use super::*;
use crate::answering::cite::tests::passage;
use crate::storage::{DbOptions, tables};

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(9));

fn open(folder: &std::path::Path) -> Db {
    Db::open(&folder.join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap()
}

fn chat(id: u128, at: i64) -> Chat {
    Chat {
        id: ChatId(Uuid::from_u128(id)),
        profile: PROFILE,
        title: String::new(),
        created: Timestamp(at),
        updated: Timestamp(at),
        folder: String::new(),
        pinned: false,
        branched_from: None,
    }
}

fn message(id: u128, chat: u128, author: Author, text: &str, state: MessageState, at: i64) -> Message {
    Message {
        id: MessageId(Uuid::from_u128(id)),
        chat: ChatId(Uuid::from_u128(chat)),
        author,
        text: text.to_owned(),
        created: Timestamp(at),
        state,
        passages: Vec::new(),
        citations: Vec::new(),
        sentences: Vec::new(),
        stats: None,
        versions: Versions::default(),
        attachments: Vec::new(),
        choice: None,
        context: None,
    }
}

fn question(text: &str) -> Question {
    Question {
        text: text.to_owned(),
        use_knowledge: true,
        sources: Vec::new(),
        model: None,
        beside: None,
        attachments: Vec::new(),
    }
}

fn ask(main: &Db, chat: u128, first: u128, text: &str, at: i64) -> Message {
    let asked = message(first, chat, Author::Person, text, MessageState::Complete, at);
    let answer = message(first + 1, chat, Author::Model, "", MessageState::Preparing, at);
    add_exchange(main, PROFILE, asked, answer.clone(), &question(text), text.to_owned()).unwrap();
    answer
}

#[test]
fn messages_keep_their_order_and_the_chat_its_title() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    create(&main, chat(1, 10)).unwrap();
    create(&main, chat(2, 20)).unwrap();
    // The clock went back: the later question has the smaller id.
    ask(&main, 1, 50, "First?", 30);
    ask(&main, 1, 40, "Second?", 25);
    let texts: Vec<String> =
        messages(&main, PROFILE, ChatId(Uuid::from_u128(1))).unwrap().into_iter().map(|m| m.text).collect();
    assert_eq!(texts, ["First?", "", "Second?", ""]);
    let chats = list(&main, PROFILE).unwrap();
    assert_eq!(chats[0].chat.title, "First?");
    assert_eq!((chats[0].messages, chats[0].preview.as_str()), (4, "Second?"));
    assert!(list(&main, ProfileId(Uuid::from_u128(8))).unwrap().is_empty());
    assert!(messages(&main, ProfileId(Uuid::from_u128(8)), ChatId(Uuid::from_u128(1))).is_err());
}

#[test]
fn an_answer_comes_back_with_passages_and_citations() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    create(&main, chat(1, 10)).unwrap();
    let mut answer = ask(&main, 1, 50, "How long?", 30);
    let found = passage(3, "Backups are kept 30 days.");
    answer.text = "30 days.".to_owned();
    answer.state = MessageState::Complete;
    answer.passages = vec![passage(90, "Other."), found.clone()];
    answer.citations = vec![Citation {
        document: found.document,
        quote: "Backups".to_owned(),
        start_line: 3,
        end_line: 3,
        support: 0.9,
        passage: found,
    }];
    answer.sentences = vec![SentenceSupport { start: 0, end: 8, citations: vec![0], claims: true }];
    answer.stats = Some(AnswerStats { model: "tiny".to_owned(), ..AnswerStats::default() });
    update(&main, answer.clone()).unwrap();
    drop(main);
    let main = open(folder.path());
    assert_eq!(messages(&main, PROFILE, answer.chat).unwrap()[1], answer);
    let again = exchange(&main, PROFILE, answer.chat, answer.id).unwrap();
    assert_eq!((again.question.text.as_str(), again.asked.use_knowledge), ("How long?", true));
}

#[test]
fn an_answer_that_was_cut_off_is_failed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    create(&main, chat(1, 10)).unwrap();
    let mut answer = ask(&main, 1, 50, "How long?", 30);
    answer.text = "Thirty".to_owned();
    answer.state = MessageState::Streaming;
    update(&main, answer.clone()).unwrap();
    let other = ProfileId(Uuid::from_u128(8));
    assert_eq!(close_unfinished(&main, other).unwrap(), 0, "another profile's answer may be under way");
    assert_eq!(close_unfinished(&main, PROFILE).unwrap(), 1);
    assert_eq!(close_unfinished(&main, PROFILE).unwrap(), 0);
    let stored = messages(&main, PROFILE, answer.chat).unwrap().remove(1);
    assert_eq!(stored.text, "Thirty");
    assert!(matches!(stored.state, MessageState::Failed(error) if error.message.contains("interrupted")));
}

#[test]
fn a_deleted_chat_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    create(&main, chat(1, 10)).unwrap();
    let answer = ask(&main, 1, 50, "How long?", 30);
    let chat = answer.chat;
    assert!(main.write(move |txn| erase(txn, ProfileId(Uuid::from_u128(8)), chat)).is_err());
    main.write(move |txn| erase(txn, PROFILE, chat)).unwrap();
    let txn = main.read().unwrap();
    assert_eq!(txn.table(MESSAGES).unwrap().iter().unwrap().count(), 0);
    assert_eq!(txn.table(CHAT_MESSAGES).unwrap().iter().unwrap().count(), 0);
    assert!(list(&main, PROFILE).unwrap().is_empty());
    assert!(update(&main, answer).is_err());
    assert_eq!(close_unfinished(&main, PROFILE).unwrap(), 0);
    // What was asked stays counted.
    assert_eq!(totals(&main, PROFILE).unwrap(), (0, 1));
}

#[test]
fn activity_adds_up_between_any_boundaries() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    create(&main, chat(1, 0)).unwrap();
    ask(&main, 1, 50, "a", HOUR_MS);
    ask(&main, 1, 60, "b", 2 * HOUR_MS + 5);
    ask(&main, 1, 70, "c", 26 * HOUR_MS);
    add_model_seconds(&main, PROFILE, Timestamp(26 * HOUR_MS), 1.5).unwrap();
    let days = [0, 24, 48].map(|hour| Timestamp(hour * HOUR_MS));
    let sums = activity(&main, PROFILE, &days).unwrap();
    assert_eq!(sums.iter().map(|a| a.questions).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(sums[1].model_seconds, 1.5);
}
