//! Chats on a real file.

use proptest::prelude::*;

use super::*;
use crate::answering::cite::tests::passage;
use crate::model::{Mentioned, TaskId};
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
        stale: None,
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

/// What the chat should be after the same changes: a plain tree that remembers each choice.
#[derive(Default)]
struct Model {
    nodes: Vec<Node>,
    first: Vec<usize>,
    chosen_first: Option<usize>,
}

struct Node {
    id: u128,
    is_question: bool,
    parent: Option<usize>,
    below: Vec<usize>,
    chosen: Option<usize>,
    beside: Option<usize>,
}

impl Model {
    fn add(&mut self, id: u128, is_question: bool, parent: Option<usize>) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node { id, is_question, parent, below: Vec::new(), chosen: None, beside: None });
        match parent {
            Some(parent) => {
                self.nodes[parent].below.push(at);
                self.nodes[parent].chosen = Some(at);
                self.nodes[parent].beside = None;
            }
            None => {
                self.first.push(at);
                self.chosen_first = Some(at);
            }
        }
        at
    }

    fn choose(&mut self, mut at: usize) {
        while let Some(parent) = self.nodes[at].parent {
            self.nodes[parent].chosen = Some(at);
            self.nodes[parent].beside = None;
            at = parent;
        }
        self.chosen_first = Some(at);
    }

    fn path(&self) -> Vec<usize> {
        let mut path: Vec<usize> = self.chosen_first.into_iter().collect();
        while let Some(next) = path.last().and_then(|last| self.nodes[*last].chosen) {
            path.push(next);
        }
        path
    }

    fn line(&self, at: usize) -> Vec<u128> {
        let mut line: Vec<u128> =
            std::iter::successors(Some(at), |at| self.nodes[*at].parent).map(|at| self.nodes[at].id).collect();
        line.reverse();
        line
    }

    fn siblings(&self, at: usize) -> Vec<u128> {
        let all = self.nodes[at].parent.map_or(&self.first, |parent| &self.nodes[parent].below);
        if all.len() < 2 { Vec::new() } else { all.iter().map(|at| self.nodes[*at].id).collect() }
    }
}

fn ids(messages: &[Message]) -> Vec<u128> {
    messages.iter().map(|message| message.id.0.as_u128()).collect()
}

fn check(main: &Db, chat: ChatId, model: &Model) {
    let shown = messages(main, PROFILE, chat).unwrap();
    let path = model.path();
    assert_eq!(ids(&shown), path.iter().map(|at| model.nodes[*at].id).collect::<Vec<_>>());
    for (message, at) in shown.iter().zip(&path) {
        let all: Vec<u128> = message.versions.all.iter().map(|id| id.0.as_u128()).collect();
        assert_eq!(all, model.siblings(*at));
        let beside = model.nodes[*at].parent.and_then(|parent| model.nodes[parent].beside);
        assert_eq!(ids(&message.versions.beside), beside.map(|at| model.nodes[at].id).into_iter().collect::<Vec<_>>());
    }
    let all = all_versions(main, PROFILE, chat).unwrap();
    assert_eq!(all.len(), model.nodes.len(), "nothing is lost");
    for (placed, node) in all.iter().zip(&model.nodes) {
        assert_eq!(placed.message.id.0.as_u128(), node.id);
        assert_eq!(placed.parent.map(|id| id.0.as_u128()), node.parent.map(|at| model.nodes[at].id));
    }
    for at in 0..model.nodes.len() {
        let line = history(main, PROFILE, chat, MessageId(Uuid::from_u128(model.nodes[at].id))).unwrap();
        assert_eq!(ids(&line), model.line(at));
    }
    let listed = list(main, PROFILE).unwrap().into_iter().find(|row| row.chat.id == chat).unwrap();
    assert_eq!(listed.messages as usize, path.len());
    assert_eq!(broken(&main.read().unwrap()).unwrap(), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn versions_keep_a_consistent_path_and_lose_nothing(
        changes in proptest::collection::vec((0u8..7, any::<u16>()), 1..24)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let main = open(folder.path());
        let id = ChatId(Uuid::from_u128(1));
        create(&main, chat(1, 10)).unwrap();
        let mut model = Model::default();
        let (mut next, mut branches) = (100u128, 1u128);
        for (number, (change, place)) in changes.into_iter().enumerate() {
            let at = 20 + i64::try_from(number).unwrap();
            let some = |is_question: bool| {
                let all: Vec<usize> = (0..model.nodes.len()).filter(|at| model.nodes[*at].is_question == is_question).collect();
                (!all.is_empty()).then(|| all[usize::from(place) % all.len()])
            };
            let asked = message(next, 1, Author::Person, &format!("q{next}"), MessageState::Complete, at);
            let first = message(next + 1, 1, Author::Model, &format!("a{next}"), MessageState::Complete, at);
            let second = message(next + 2, 1, Author::Model, &format!("b{next}"), MessageState::Complete, at);
            let anew = |answers: Vec<Message>, instead_of: Option<usize>| Asked::Anew {
                question: asked.clone(),
                answers: answers.into_iter().map(|answer| (answer, question("q"))).collect(),
                instead_of: instead_of.map(|at| MessageId(Uuid::from_u128(model.nodes[at].id))),
                title: "t".to_owned(),
            };
            match change {
                0 | 1 => {
                    let last = model.path().last().copied();
                    let two = change == 1;
                    let answers = if two { vec![first, second] } else { vec![first] };
                    add(&main, PROFILE, anew(answers, None)).unwrap();
                    if let Some(last) = last {
                        model.choose(last);
                    }
                    let asked = model.add(next, true, last);
                    let one = model.add(next + 1, false, Some(asked));
                    if two {
                        let beside = model.add(next + 2, false, Some(asked));
                        model.nodes[asked].chosen = Some(one);
                        model.nodes[asked].beside = Some(beside);
                    }
                }
                2 => if let Some(other) = some(true) {
                    add(&main, PROFILE, anew(vec![first], Some(other))).unwrap();
                    let parent = model.nodes[other].parent;
                    if let Some(parent) = parent {
                        model.choose(parent);
                    }
                    let asked = model.add(next, true, parent);
                    model.add(next + 1, false, Some(asked));
                },
                3 => if let Some(other) = some(false) {
                    let instead_of = MessageId(Uuid::from_u128(model.nodes[other].id));
                    add(&main, PROFILE, Asked::Again { answer: Box::new(first), asked: question("q"), instead_of }).unwrap();
                    let parent = model.nodes[other].parent;
                    model.choose(parent.unwrap());
                    model.add(next + 1, false, parent);
                },
                4 => if !model.nodes.is_empty() {
                    let at = usize::from(place) % model.nodes.len();
                    choose(&main, PROFILE, id, MessageId(Uuid::from_u128(model.nodes[at].id))).unwrap();
                    model.choose(at);
                },
                5 => if !model.nodes.is_empty() {
                    let at = usize::from(place) % model.nodes.len();
                    branches += 1;
                    let new = Chat { branched_from: Some(id), ..chat(branches, 5) };
                    let counter = std::sync::atomic::AtomicU64::new(0);
                    let from = branches * 1_000_000;
                    let fresh = move || Uuid::from_u128(from + u128::from(counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
                    let made = branch(&main, PROFILE, id, MessageId(Uuid::from_u128(model.nodes[at].id)), new, fresh).unwrap();
                    let texts = |messages: Vec<Message>| messages.into_iter().map(|m| (m.author, m.text)).collect::<Vec<_>>();
                    let copied = texts(messages(&main, PROFILE, made.id).unwrap());
                    prop_assert_eq!(copied, texts(history(&main, PROFILE, id, MessageId(Uuid::from_u128(model.nodes[at].id))).unwrap()));
                    prop_assert_eq!(made.branched_from, Some(id));
                },
                _ => if branches > 1 {
                    // A branch goes its own way.
                    let gone = ChatId(Uuid::from_u128(branches));
                    main.write(move |txn| erase(txn, PROFILE, gone)).unwrap();
                    branches -= 1;
                },
            }
            next += 10;
            check(&main, id, &model);
        }
        main.write(move |txn| erase(txn, PROFILE, id)).unwrap();
        prop_assert_eq!(broken(&main.read().unwrap()).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn attachments_choice_and_context_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    create(&main, chat(1, 10)).unwrap();
    let attached = |what: Mentioned| Attachment {
        what,
        title: "t".to_owned(),
        text: "x".to_owned(),
        characters: 1,
        problem: Some("cut".to_owned()),
    };
    let id = Uuid::from_u128(7);
    let mut asked = message(50, 1, Author::Person, "q", MessageState::Complete, 30);
    asked.attachments = vec![
        attached(Mentioned::File { path: "/a/b.md".into() }),
        attached(Mentioned::Folder { path: crate::model::exact_path::path_of(b"/a/\xff").unwrap() }),
        attached(Mentioned::Text { title: "a".to_owned(), text: "b".to_owned() }),
        attached(Mentioned::Source { id: SourceId(id) }),
        attached(Mentioned::Document { id: crate::model::DocumentId(id) }),
        attached(Mentioned::Chat { id: ChatId(id) }),
        attached(Mentioned::Task { id: TaskId(id) }),
        attached(Mentioned::Agent { id: crate::model::AgentId(id) }),
    ];
    let mut answer = message(51, 1, Author::Model, "a", MessageState::Complete, 30);
    answer.choice = Some(ModelChoice { model: "m".to_owned(), ..ModelChoice::default() });
    answer.context = Some(ContextUse { limit: 9, summary: "s".to_owned(), ..ContextUse::default() });
    add_exchange(&main, PROFILE, asked.clone(), answer.clone(), &question("q"), "t".to_owned()).unwrap();
    assert_eq!(messages(&main, PROFILE, asked.chat).unwrap(), [asked.clone(), answer]);
    let again = exchange(&main, PROFILE, asked.chat, MessageId(Uuid::from_u128(51))).unwrap();
    assert_eq!(again.asked.attachments.len(), 8);
}

#[test]
fn folders_are_kept_renamed_and_removed_without_their_chats() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    for id in 1..=3 {
        create(&main, chat(id, 10)).unwrap();
    }
    let id = |id: u128| ChatId(Uuid::from_u128(id));
    folders::create(&main, PROFILE, " Empty ").unwrap();
    folders::move_chat(&main, PROFILE, id(1), "Work / Clients").unwrap();
    folders::move_chat(&main, PROFILE, id(2), "Work").unwrap();
    folders::move_chat(&main, PROFILE, id(3), "Workshop").unwrap();
    assert_eq!(folders::list(&main, PROFILE).unwrap(), ["Empty", "Work", "Work/Clients", "Workshop"]);
    folders::rename(&main, PROFILE, "Work", "Office/Old").unwrap();
    assert_eq!(
        folders::list(&main, PROFILE).unwrap(),
        ["Empty", "Office", "Office/Old", "Office/Old/Clients", "Workshop"]
    );
    let of = |chat| get(&main, PROFILE, id(chat)).unwrap().folder;
    assert_eq!([of(1), of(2), of(3)], ["Office/Old/Clients", "Office/Old", "Workshop"]);
    assert!(folders::rename(&main, PROFILE, "Office", "Office/Deep").is_err(), "inside itself");
    assert!(folders::remove(&main, PROFILE, "nothing").is_err());
    folders::remove(&main, PROFILE, "Office").unwrap();
    assert_eq!([of(1), of(2), of(3)], ["", "", "Workshop"]);
    assert_eq!(folders::list(&main, PROFILE).unwrap(), ["Empty", "Workshop"]);
    assert!(folders::list(&main, ProfileId(Uuid::from_u128(8))).unwrap().is_empty());
    for wrong in ["", " / ", &"x".repeat(300), &"a/".repeat(20)] {
        assert!(folders::create(&main, PROFILE, wrong).is_err(), "{wrong}");
    }
    assert!(folders::pin(&main, PROFILE, id(2), true).unwrap().pinned && !get(&main, PROFILE, id(1)).unwrap().pinned);
    main.write(|txn| remove_profile(txn, PROFILE)).unwrap();
    assert!(folders::list(&main, PROFILE).unwrap().is_empty());
}

#[test]
fn all_versions_are_searched_whatever_the_case_and_accents() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    create(&main, Chat { title: "Tiere".to_owned(), ..chat(1, 10) }).unwrap();
    create(&main, Chat { title: "Löwen im Zoo".to_owned(), ..chat(2, 20) }).unwrap();
    let mut answer = ask(&main, 1, 50, "Was frisst ein LÖWE?", 30);
    answer.text = "Der Löwe frisst Fleisch.".to_owned();
    answer.state = MessageState::Complete;
    update(&main, answer.clone()).unwrap();
    let again = message(60, 1, Author::Model, "Löwen fressen Gras.", MessageState::Complete, 40);
    add(&main, PROFILE, Asked::Again { answer: Box::new(again), asked: question("q"), instead_of: answer.id }).unwrap();
    let find = |text: &str, limit| search(&main, PROFILE, text, limit).unwrap();
    let hits = find("lowe", 10);
    let found: Vec<Option<u128>> = hits.iter().map(|hit| hit.message.map(|id| id.0.as_u128())).collect();
    assert_eq!(found, [Some(60), Some(51), Some(50), None], "newest first, the hidden version too");
    assert_eq!(hits[3].title, "Löwen im Zoo");
    assert_eq!(find("LOWE fleisch", 10).len(), 1);
    assert_eq!(find("lowe", 2).len(), 2);
    assert!(find("lowe tiger", 10).is_empty() && find(" ", 10).is_empty());
    assert!(search(&main, ProfileId(Uuid::from_u128(8)), "lowe", 10).unwrap().is_empty());
    // As an earlier program left it: without the texts.
    main.write(|txn| Ok(txn.table(search::TEXTS)?.retain(|_, _| false)?)).unwrap();
    assert_eq!(find("lowe", 10).len(), 4);
}

/// Prints how long a search takes that finds nothing, over ten thousand messages.
#[test]
fn ten_thousand_messages_are_searched_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    main.write(|txn| {
        for chat_number in 0..100u128 {
            create_in(txn, &chat(chat_number + 1, 10))?;
            let mut stored = own_chat(txn, PROFILE, ChatId(Uuid::from_u128(chat_number + 1)))?;
            for number in 0..100u128 {
                let text =
                    format!("message {number} {}", "Some words that fill a message of a usual length. ".repeat(12));
                let id = (chat_number + 1) * 1000 + number;
                let mut new = message(id, chat_number + 1, Author::Model, &text, MessageState::Complete, 20);
                new.passages = vec![passage(1, &"A passage that was found. ".repeat(40)); 4];
                txn.table(CHAT_MESSAGES)?.insert((chat_number + 1, stored.next), id)?;
                put_message(txn, &stored_message(&new, stored.next, None), new.id)?;
                stored.next += 1;
                stored.messages += 1;
            }
            put_chat(txn, ChatId(Uuid::from_u128(chat_number + 1)), &mut stored, Timestamp(20))?;
        }
        Ok(())
    })
    .unwrap();
    for (text, hits) in [("zebra", 0), ("usual zzz", 0), ("message usual", 50)] {
        let begun = std::time::Instant::now();
        assert_eq!(search(&main, PROFILE, text, 50).unwrap().len(), hits);
        println!("searched 10,000 messages for {text:?} in {:?}", begun.elapsed());
    }
}
