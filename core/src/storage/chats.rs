//! Chats and messages: rows, their order, which answers are unfinished, and how much was asked and worked when.

mod change;
pub mod folders;
mod search;
mod tree;

pub use change::{Asked, add, branch, choose, continue_answer, keep_summary, summary};
pub use search::search;

use std::collections::BTreeMap;

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kinds::Kind;
use super::salvage::{self, Rows, Salvaged};
use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::api::{ApiError, ErrorCategory};
use crate::model::{
    AnswerStats, Attachment, Author, Chat, ChatId, ChatSummary, Citation, ContextUse, DataKind, Merged, Message,
    MessageId, MessageState, ModelChoice, ModelId, Passage, ProfileId, Question, SentenceSupport, SourceId, Timestamp,
    Versions,
};
use tree::Tree;

const CHATS: TableDefinition<u128, &[u8]> = TableDefinition::new("chats");
/// (profile, milliseconds of the last change, chat).
const CHATS_BY_UPDATE: TableDefinition<(u128, i64, u128), ()> = TableDefinition::new("chats_by_update");
const MESSAGES: TableDefinition<u128, &[u8]> = TableDefinition::new("messages");
/// (chat, number in the chat) to the message.
const CHAT_MESSAGES: TableDefinition<(u128, u32), u128> = TableDefinition::new("chat_messages");
/// Answers that are being prepared or streamed; what is in here at the start was cut off.
const UNFINISHED: TableDefinition<u128, ()> = TableDefinition::new("unfinished_answers");
/// (profile, hours since the epoch): hours add up to days in any time zone.
const ACTIVITY: TableDefinition<(u128, i64), &[u8]> = TableDefinition::new("chat_activity");
pub(super) const TABLES: &[&dyn AnyTable] = &[
    &CHATS,
    &CHATS_BY_UPDATE,
    &MESSAGES,
    &CHAT_MESSAGES,
    &UNFINISHED,
    &ACTIVITY,
    &tree::PARENTS,
    &tree::SHOWN,
    &folders::FOLDERS,
    &search::TEXTS,
];

const HOUR_MS: i64 = 3_600_000;
/// Characters of the last message that a list shows.
const PREVIEW: usize = 120;

#[derive(Serialize, Deserialize)]
struct StoredChat {
    profile: Uuid,
    title: String,
    created: i64,
    updated: i64,
    /// Number that the next message gets; those before it may be gone.
    next: u32,
    messages: u32,
    preview: String,
    /// In the trash: its rows stay, it is in no list.
    #[serde(default)]
    trashed: bool,
    #[serde(default)]
    folder: String,
    #[serde(default)]
    pinned: bool,
    #[serde(default)]
    branched_from: Option<Uuid>,
    /// Messages that are shown: one version of each. None where there are no versions.
    #[serde(default)]
    shown: Option<u32>,
    #[serde(default)]
    summary: Option<StoredSummary>,
}
first_version!(StoredChat, "chat");

/// What stands for the turns up to a message where they no longer fit.
#[derive(Clone, Serialize, Deserialize)]
struct StoredSummary {
    upto: Uuid,
    text: String,
}

/// The passages lie here once; citations point at them.
#[derive(Serialize, Deserialize)]
struct StoredMessage {
    chat: Uuid,
    number: u32,
    author: Author,
    text: String,
    created: i64,
    state: MessageState,
    passages: Vec<Passage>,
    citations: Vec<StoredCitation>,
    sentences: Vec<SentenceSupport>,
    stats: Option<AnswerStats>,
    /// In answers: how it was asked, so that it can be asked again.
    asked: Option<StoredAsking>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(default)]
    choice: Option<ModelChoice>,
    #[serde(default)]
    context: Option<ContextUse>,
}
first_version!(StoredMessage, "message");

#[derive(Serialize, Deserialize)]
struct StoredCitation {
    /// Index into the message's passages.
    passage: u32,
    quote: String,
    start_line: u32,
    end_line: u32,
    support: f32,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredAsking {
    use_knowledge: bool,
    sources: Vec<SourceId>,
    model: Option<ModelId>,
}

#[derive(Default, Serialize, Deserialize)]
struct StoredActivity {
    questions: u32,
    model_seconds: f64,
}
first_version!(StoredActivity, "activity");

/// What was done in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    pub questions: u32,
    pub model_seconds: f64,
}

fn chat_of(id: u128, stored: &StoredChat) -> Chat {
    Chat {
        id: ChatId(Uuid::from_u128(id)),
        profile: ProfileId(stored.profile),
        title: stored.title.clone(),
        created: Timestamp(stored.created),
        updated: Timestamp(stored.updated),
        folder: stored.folder.clone(),
        pinned: stored.pinned,
        branched_from: stored.branched_from.map(ChatId),
    }
}

fn summary_of(id: u128, stored: &StoredChat) -> ChatSummary {
    ChatSummary {
        chat: chat_of(id, stored),
        messages: stored.shown.unwrap_or(stored.messages),
        preview: stored.preview.clone(),
    }
}

fn message_of(id: u128, stored: StoredMessage) -> Message {
    let citation = |cited: StoredCitation| {
        let passage = stored.passages.get(usize::try_from(cited.passage).ok()?)?.clone();
        Some(Citation {
            document: passage.document,
            passage,
            quote: cited.quote,
            start_line: cited.start_line,
            end_line: cited.end_line,
            support: cited.support,
            stale: None,
        })
    };
    Message {
        id: MessageId(Uuid::from_u128(id)),
        chat: ChatId(stored.chat),
        author: stored.author,
        text: stored.text,
        created: Timestamp(stored.created),
        state: stored.state,
        citations: stored.citations.into_iter().filter_map(citation).collect(),
        passages: stored.passages,
        sentences: stored.sentences,
        stats: stored.stats,
        versions: Versions::default(),
        attachments: stored.attachments,
        choice: stored.choice,
        context: stored.context,
    }
}

fn stored_message(message: &Message, number: u32, asked: Option<StoredAsking>) -> StoredMessage {
    let mut passages = message.passages.clone();
    let citations = message
        .citations
        .iter()
        .map(|citation| {
            let at = passages.iter().position(|passage| passage.id == citation.passage.id).unwrap_or_else(|| {
                passages.push(citation.passage.clone());
                passages.len() - 1
            });
            StoredCitation {
                passage: u32::try_from(at).unwrap_or(u32::MAX),
                quote: citation.quote.clone(),
                start_line: citation.start_line,
                end_line: citation.end_line,
                support: citation.support,
            }
        })
        .collect();
    StoredMessage {
        chat: message.chat.0,
        number,
        author: message.author,
        text: message.text.clone(),
        created: message.created.0,
        state: message.state.clone(),
        passages,
        citations,
        sentences: message.sentences.clone(),
        stats: message.stats.clone(),
        asked,
        attachments: message.attachments.clone(),
        choice: message.choice.clone(),
        context: message.context.clone(),
    }
}

fn unknown_chat() -> StorageError {
    StorageError::NotFound("this chat".to_owned())
}

fn unknown_message() -> StorageError {
    StorageError::NotFound("this message".to_owned())
}

/// Reads a chat of the profile; one of another profile, or in the trash, does not exist.
fn own_chat(txn: &WriteTxn<'_>, profile: ProfileId, id: ChatId) -> Result<StoredChat, StorageError> {
    any_chat(txn, profile, id)?.there().ok_or_else(unknown_chat)
}

/// Reads a chat of the profile, also one in the trash.
fn any_chat(txn: &WriteTxn<'_>, profile: ProfileId, id: ChatId) -> Result<StoredChat, StorageError> {
    let stored: Option<StoredChat> = txn.table(CHATS)?.record(id.0.as_u128())?;
    stored.filter(|chat| chat.profile == profile.0).ok_or_else(unknown_chat)
}

impl StoredChat {
    fn there(self) -> Option<Self> {
        (!self.trashed).then_some(self)
    }
}

fn put_chat(txn: &WriteTxn<'_>, id: ChatId, chat: &mut StoredChat, updated: Timestamp) -> Result<(), StorageError> {
    let key = id.0.as_u128();
    let mut index = txn.table(CHATS_BY_UPDATE)?;
    index.remove((chat.profile.as_u128(), chat.updated, key))?;
    chat.updated = updated.0;
    index.insert((chat.profile.as_u128(), chat.updated, key), ())?;
    txn.table(CHATS)?.put(key, chat)
}

pub fn create(main: &Db, chat: Chat) -> Result<(), StorageError> {
    main.write(move |txn| create_in(txn, &chat))
}

fn create_in(txn: &WriteTxn<'_>, chat: &Chat) -> Result<(), StorageError> {
    let mut stored = StoredChat {
        profile: chat.profile.0,
        title: chat.title.clone(),
        created: chat.created.0,
        updated: chat.updated.0,
        next: 0,
        messages: 0,
        preview: String::new(),
        trashed: false,
        folder: chat.folder.clone(),
        pinned: chat.pinned,
        branched_from: chat.branched_from.map(|chat| chat.0),
        shown: None,
        summary: None,
    };
    put_chat(txn, chat.id, &mut stored, chat.updated)
}

/// Newest change first.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<ChatSummary>, StorageError> {
    let all = folders::chats_of(&main.read()?, profile)?;
    Ok(all.iter().map(|(id, stored)| summary_of(*id, stored)).collect())
}

/// The chats of a profile, or one of them, each with whether an answer in it is still being made. In no order.
pub fn with_state(
    main: &Db,
    profile: ProfileId,
    only: Option<ChatId>,
) -> Result<Vec<(ChatSummary, bool)>, StorageError> {
    let txn = main.read()?;
    let messages = txn.table(MESSAGES)?;
    let mut open = std::collections::HashSet::new();
    for row in txn.table(UNFINISHED)?.iter()? {
        let stored: Option<StoredMessage> = messages.record(row?.0.value())?;
        open.extend(stored.map(|message| message.chat.as_u128()));
    }
    let all = match only {
        None => folders::chats_of(&txn, profile)?,
        Some(id) => {
            let stored: Option<StoredChat> = txn.table(CHATS)?.record(id.0.as_u128())?;
            let stored = stored.filter(|chat| chat.profile == profile.0).and_then(StoredChat::there);
            stored.map(|chat| (id.0.as_u128(), chat)).into_iter().collect()
        }
    };
    Ok(all.iter().map(|(id, stored)| (summary_of(*id, stored), open.contains(id))).collect())
}

pub fn get(main: &Db, profile: ProfileId, id: ChatId) -> Result<Chat, StorageError> {
    let stored: Option<StoredChat> = main.read()?.table(CHATS)?.record(id.0.as_u128())?;
    let stored = stored.filter(|chat| chat.profile == profile.0).and_then(StoredChat::there);
    Ok(chat_of(id.0.as_u128(), &stored.ok_or_else(unknown_chat)?))
}

pub fn rename(main: &Db, profile: ProfileId, id: ChatId, title: String) -> Result<Chat, StorageError> {
    main.write(move |txn| {
        let mut stored = own_chat(txn, profile, id)?;
        stored.title.clone_from(&title);
        txn.table(CHATS)?.put(id.0.as_u128(), &stored)?;
        Ok(chat_of(id.0.as_u128(), &stored))
    })
}

/// Takes a chat out of every list; all its rows stay.
pub(super) fn hide(txn: &WriteTxn<'_>, profile: ProfileId, id: ChatId) -> Result<ChatSummary, StorageError> {
    let mut stored = own_chat(txn, profile, id)?;
    let key = id.0.as_u128();
    stored.trashed = true;
    txn.table(CHATS_BY_UPDATE)?.remove((stored.profile.as_u128(), stored.updated, key))?;
    txn.table(CHATS)?.put(key, &stored)?;
    Ok(summary_of(key, &stored))
}

/// Puts a hidden chat back to its place in the list.
pub(super) fn show(txn: &WriteTxn<'_>, profile: ProfileId, id: ChatId) -> Result<(), StorageError> {
    let mut stored = any_chat(txn, profile, id)?;
    let updated = Timestamp(stored.updated);
    stored.trashed = false;
    put_chat(txn, id, &mut stored, updated)
}

/// Whether a chat of the profile is there and hidden.
pub(super) fn is_hidden(txn: &WriteTxn<'_>, profile: ProfileId, id: ChatId) -> Result<bool, StorageError> {
    let stored: Option<StoredChat> = txn.table(CHATS)?.record(id.0.as_u128())?;
    Ok(stored.is_some_and(|chat| chat.profile == profile.0 && chat.trashed))
}

/// Removes a chat, hidden or not, with its messages.
pub fn erase(txn: &WriteTxn<'_>, profile: ProfileId, id: ChatId) -> Result<(), StorageError> {
    let stored = any_chat(txn, profile, id)?;
    let key = id.0.as_u128();
    let mut order = txn.table(CHAT_MESSAGES)?;
    let mut gone = Vec::new();
    for row in order.range((key, 0)..=(key, u32::MAX))? {
        gone.push(row?.1.value());
    }
    order.retain_in((key, 0)..=(key, u32::MAX), |_, _| false)?;
    let (mut messages, mut unfinished) = (txn.table(MESSAGES)?, txn.table(UNFINISHED)?);
    for message in &gone {
        messages.remove(message)?;
        unfinished.remove(message)?;
    }
    drop((order, messages, unfinished));
    tree::remove(txn, key)?;
    search::remove(txn, key)?;
    txn.table(CHATS_BY_UPDATE)?.remove((stored.profile.as_u128(), stored.updated, key))?;
    txn.table(CHATS)?.remove(key)?;
    Ok(())
}

/// Removes all chats of a profile with their messages, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    let mut own = Vec::new();
    // Not by the list of updates: a chat that is in no list goes too.
    for row in txn.table(CHATS)?.iter()? {
        let (key, value) = row?;
        let stored: StoredChat = decode(value.value())?;
        if stored.profile == profile.0 {
            own.push(key.value());
        }
    }
    let (mut chats, mut order) = (txn.table(CHATS)?, txn.table(CHAT_MESSAGES)?);
    let (mut messages, mut unfinished) = (txn.table(MESSAGES)?, txn.table(UNFINISHED)?);
    for chat in own {
        let mut gone = Vec::new();
        for row in order.range((chat, 0)..=(chat, u32::MAX))? {
            gone.push(row?.1.value());
        }
        order.retain_in((chat, 0)..=(chat, u32::MAX), |_, _| false)?;
        for message in gone {
            messages.remove(message)?;
            unfinished.remove(message)?;
        }
        tree::remove(txn, chat)?;
        search::remove(txn, chat)?;
        chats.remove(chat)?;
    }
    folders::remove_profile(txn, profile)?;
    txn.table(CHATS_BY_UPDATE)?.retain_in((owner, i64::MIN, 0)..=(owner, i64::MAX, u128::MAX), |_, _| false)?;
    txn.table(ACTIVITY)?.retain_in((owner, i64::MIN)..=(owner, i64::MAX), |_, _| false)?;
    Ok(())
}

/// What is shown of a chat, oldest first: one version of each message, with what there is beside it.
pub fn messages(main: &Db, profile: ProfileId, chat: ChatId) -> Result<Vec<Message>, StorageError> {
    get(main, profile, chat)?;
    let txn = main.read()?;
    let rows = txn.table(MESSAGES)?;
    let tree = Tree::read(&txn, chat.0.as_u128())?;
    tree.path().into_iter().map(|index| with_versions(&rows, &tree, index)).collect()
}

/// A message with its versions, whether it is shown or not; also of a chat in the trash.
pub fn message(main: &Db, profile: ProfileId, chat: ChatId, id: MessageId) -> Result<Message, StorageError> {
    let txn = main.read()?;
    let stored: Option<StoredChat> = txn.table(CHATS)?.record(chat.0.as_u128())?;
    stored.filter(|chat| chat.profile == profile.0).ok_or_else(unknown_chat)?;
    let tree = Tree::read(&txn, chat.0.as_u128())?;
    let index = tree.find(id.0.as_u128()).ok_or_else(unknown_message)?;
    with_versions(&txn.table(MESSAGES)?, &tree, index)
}

/// A message with all before it that it follows from, oldest first, whether they are shown or not.
pub fn history(main: &Db, profile: ProfileId, chat: ChatId, id: MessageId) -> Result<Vec<Message>, StorageError> {
    get(main, profile, chat)?;
    let txn = main.read()?;
    let rows = txn.table(MESSAGES)?;
    let tree = Tree::read(&txn, chat.0.as_u128())?;
    let index = tree.find(id.0.as_u128()).ok_or_else(unknown_message)?;
    tree.line(index).into_iter().map(|index| plain(&rows, &tree, index)).collect()
}

/// A message of any version, with the one it stands below, and whether it is shown.
pub struct Placed {
    pub message: Message,
    pub parent: Option<MessageId>,
    pub shown: bool,
}

/// All versions of all messages, in the order in which they came.
pub fn all_versions(main: &Db, profile: ProfileId, chat: ChatId) -> Result<Vec<Placed>, StorageError> {
    get(main, profile, chat)?;
    let txn = main.read()?;
    let rows = txn.table(MESSAGES)?;
    let tree = Tree::read(&txn, chat.0.as_u128())?;
    let shown: std::collections::HashSet<usize> = tree.path().into_iter().collect();
    (0..tree.messages.len())
        .map(|index| {
            Ok(Placed {
                message: plain(&rows, &tree, index)?,
                parent: tree.parent(index).map(|parent| message_id(&tree, parent)),
                shown: shown.contains(&index),
            })
        })
        .collect()
}

type MessageRows = super::read_table::ReadTable<u128, &'static [u8]>;

fn message_id(tree: &Tree, index: usize) -> MessageId {
    MessageId(Uuid::from_u128(tree.messages[index].1))
}

fn plain(rows: &MessageRows, tree: &Tree, index: usize) -> Result<Message, StorageError> {
    let id = tree.messages[index].1;
    Ok(message_of(id, rows.record(id)?.ok_or_else(unknown_message)?))
}

fn with_versions(rows: &MessageRows, tree: &Tree, index: usize) -> Result<Message, StorageError> {
    let versions = tree.versions(index);
    let all = if versions.len() > 1 { versions.iter().map(|at| message_id(tree, *at)).collect() } else { Vec::new() };
    let beside = tree.beside(index).map(|beside| {
        let message = plain(rows, tree, beside)?;
        Ok::<_, StorageError>(Message { versions: Versions { all: Vec::clone(&all), beside: Vec::new() }, ..message })
    });
    let beside = beside.transpose()?.into_iter().collect();
    Ok(Message { versions: Versions { all, beside }, ..plain(rows, tree, index)? })
}

fn put_message(txn: &WriteTxn<'_>, stored: &StoredMessage, id: MessageId) -> Result<(), StorageError> {
    let id = id.0.as_u128();
    txn.table(MESSAGES)?.put(id, stored)?;
    search::put(txn, stored)?;
    let mut unfinished = txn.table(UNFINISHED)?;
    if matches!(stored.state, MessageState::Preparing | MessageState::Streaming) {
        unfinished.insert(id, ())?;
    } else {
        unfinished.remove(id)?;
    }
    Ok(())
}

/// Stores a question with its answer to be at the end of what is shown, counts it, and titles the chat if it has no title
/// yet.
pub fn add_exchange(
    main: &Db,
    profile: ProfileId,
    question: Message,
    answer: Message,
    asked: &Question,
    title: String,
) -> Result<(), StorageError> {
    let asked = Asked::Anew { question, answers: vec![(answer, asked.clone())], instead_of: None, title };
    add(main, profile, asked)
}

/// Overwrites a message that is there, also in a chat that went into the trash meanwhile.
pub fn update(main: &Db, message: Message) -> Result<(), StorageError> {
    main.write(move |txn| {
        let before: Option<StoredMessage> = txn.table(MESSAGES)?.record(message.id.0.as_u128())?;
        let before = before.ok_or_else(unknown_message)?;
        put_message(txn, &stored_message(&message, before.number, before.asked), message.id)?;
        let chat: Option<StoredChat> = txn.table(CHATS)?.record(message.chat.0.as_u128())?;
        let mut chat = chat.ok_or_else(unknown_chat)?;
        if before.number + 1 == chat.next && !message.text.is_empty() {
            chat.preview = preview(&message.text);
            txn.table(CHATS)?.put(message.chat.0.as_u128(), &chat)?;
        }
        Ok(())
    })
}

/// An answer with the question before it, and how it was asked.
pub struct Exchange {
    pub question: Message,
    pub answer: Message,
    pub asked: Question,
}

pub fn exchange(main: &Db, profile: ProfileId, chat: ChatId, answer: MessageId) -> Result<Exchange, StorageError> {
    get(main, profile, chat)?;
    let txn = main.read()?;
    let rows = txn.table(MESSAGES)?;
    let tree = Tree::read(&txn, chat.0.as_u128())?;
    let index = tree.find(answer.0.as_u128()).ok_or_else(unknown_message)?;
    let stored: StoredMessage = rows.record(answer.0.as_u128())?.ok_or_else(unknown_message)?;
    let question = tree.parent(index).filter(|_| stored.author == Author::Model).ok_or_else(unknown_message)?;
    let question = with_versions(&rows, &tree, question)?;
    if question.author != Author::Person {
        return Err(unknown_message());
    }
    let asked = stored.asked;
    let asked = Question {
        text: question.text.clone(),
        use_knowledge: asked.as_ref().is_none_or(|asked| asked.use_knowledge),
        sources: asked.as_ref().map(|asked| asked.sources.clone()).unwrap_or_default(),
        model: asked.and_then(|asked| asked.model),
        beside: None,
        attachments: question.attachments.iter().map(|attached| attached.what.clone()).collect(),
    };
    Ok(Exchange { question, answer: with_versions(&rows, &tree, index)?, asked })
}

/// Marks answers of this profile that a crash or a kill cut off as failed; their text so far stays. Returns how many.
/// Another profile's may be under way right now.
pub fn close_unfinished(main: &Db, profile: ProfileId) -> Result<usize, StorageError> {
    let none = main.read()?.table(UNFINISHED)?.iter()?.next().is_none();
    if none {
        return Ok(0);
    }
    main.write(move |txn| {
        let mut ids = Vec::new();
        for row in txn.table(UNFINISHED)?.iter()? {
            ids.push(row?.0.value());
        }
        let mut closed = 0;
        for id in &ids {
            let stored: Option<StoredMessage> = txn.table(MESSAGES)?.record(*id)?;
            let Some(mut stored) = stored else {
                txn.table(UNFINISHED)?.remove(id)?;
                continue;
            };
            let chat: Option<StoredChat> = txn.table(CHATS)?.record(stored.chat.as_u128())?;
            if chat.is_some_and(|chat| chat.profile == profile.0) {
                stored.state = MessageState::Failed(interrupted());
                put_message(txn, &stored, MessageId(Uuid::from_u128(*id)))?;
                closed += 1;
            }
        }
        Ok(closed)
    })
}

fn interrupted() -> ApiError {
    ApiError::new(ErrorCategory::System, "the answer was interrupted because the program ended", "Retry the answer.")
}

fn count(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    at: Timestamp,
    change: impl FnOnce(&mut StoredActivity),
) -> Result<(), StorageError> {
    let key = (profile.0.as_u128(), at.0.div_euclid(HOUR_MS));
    let mut table = txn.table(ACTIVITY)?;
    let mut stored: StoredActivity = table.record(key)?.unwrap_or_default();
    change(&mut stored);
    table.put(key, &stored)
}

pub fn add_model_seconds(main: &Db, profile: ProfileId, at: Timestamp, seconds: f64) -> Result<(), StorageError> {
    main.write(move |txn| count(txn, profile, at, |activity| activity.model_seconds += seconds))
}

/// What was done between each two neighbouring boundaries (starts of days, oldest first): one entry less than boundaries.
pub fn activity(main: &Db, profile: ProfileId, boundaries: &[Timestamp]) -> Result<Vec<Activity>, StorageError> {
    let txn = main.read()?;
    let table = txn.table(ACTIVITY)?;
    let profile = profile.0.as_u128();
    let hour = |at: Timestamp| at.0.div_euclid(HOUR_MS);
    boundaries
        .windows(2)
        .map(|span| {
            let mut sum = Activity::default();
            for row in table.range((profile, hour(span[0]))..(profile, hour(span[1])))? {
                let stored: StoredActivity = decode(row?.1.value())?;
                sum.questions += stored.questions;
                sum.model_seconds += stored.model_seconds;
            }
            Ok(sum)
        })
        .collect()
}

/// Chats that exist, and questions that were ever asked.
pub fn totals(main: &Db, profile: ProfileId) -> Result<(u64, u64), StorageError> {
    let txn = main.read()?;
    let key = profile.0.as_u128();
    let chats = txn.table(CHATS_BY_UPDATE)?.range((key, i64::MIN, 0)..=(key, i64::MAX, u128::MAX))?.count();
    let mut questions = 0;
    for row in txn.table(ACTIVITY)?.range((key, i64::MIN)..=(key, i64::MAX))? {
        let stored: StoredActivity = decode(row?.1.value())?;
        questions += u64::from(stored.questions);
    }
    Ok((chats as u64, questions))
}

/// What does not fit together among the tables of this store, in words.
pub(super) fn broken(txn: &ReadTxn) -> Result<Vec<String>, StorageError> {
    let mut broken = Vec::new();
    let (chats, by_update, messages) = (txn.table(CHATS)?, txn.table(CHATS_BY_UPDATE)?, txn.table(MESSAGES)?);
    let mut counts: BTreeMap<u128, u32> = BTreeMap::new();
    let (mut listed_rows, mut order_rows, mut message_rows) = (0, 0, 0);
    for row in txn.table(CHAT_MESSAGES)?.iter()? {
        let (key, id) = row?;
        let ((chat, number), id) = (key.value(), id.value());
        let stored: Option<StoredMessage> = messages.record(id)?;
        if stored.is_none_or(|message| message.chat.as_u128() != chat || message.number != number) {
            broken.push(format!("message {number} of a chat is another one or missing"));
        }
        *counts.entry(chat).or_default() += 1;
        order_rows += 1;
    }
    for row in chats.iter()? {
        let (key, value) = row?;
        let (id, stored) = (key.value(), decode::<StoredChat>(value.value())?);
        let is_listed = by_update.get((stored.profile.as_u128(), stored.updated, id))?.is_some();
        if is_listed == stored.trashed {
            let why = if stored.trashed { "a chat in the trash is in" } else { "a chat is missing in" };
            broken.push(format!("{why} the list by time"));
        }
        if counts.remove(&id).unwrap_or(0) != stored.messages || stored.messages > stored.next {
            broken.push("a chat counts its messages wrongly".to_owned());
        }
        listed_rows += usize::from(!stored.trashed);
    }
    if !counts.is_empty() {
        broken.push("messages belong to chats that are not there".to_owned());
    }
    if by_update.iter()?.count() != listed_rows {
        broken.push("the list of chats by time has too many rows".to_owned());
    }
    broken.extend(tree::broken(txn)?);
    broken.extend(search::broken(txn)?);
    let unfinished = txn.table(UNFINISHED)?;
    let mut open = 0;
    for row in messages.iter()? {
        let (key, value) = row?;
        let stored: StoredMessage = decode(value.value())?;
        if matches!(stored.state, MessageState::Preparing | MessageState::Streaming) {
            open += 1;
            if unfinished.get(key.value())?.is_none() {
                broken.push("an unfinished answer is not listed as one".to_owned());
            }
        }
        message_rows += 1;
    }
    if message_rows != order_rows {
        broken.push("messages belong to no chat".to_owned());
    }
    if unfinished.iter()?.count() != open {
        broken.push("a finished answer is listed as unfinished".to_owned());
    }
    Ok(broken)
}

/// Chats with their messages; none where only messages are left.
type SalvagedChats = Salvaged<(Option<Chat>, Vec<Message>)>;

/// What can be read of the chats of a damaged file, each with its messages in their order; messages whose chat is gone
/// come last, without one.
pub(super) fn salvage(txn: &ReadTxn) -> Result<SalvagedChats, StorageError> {
    let chats: Rows<(u128, StoredChat)> = salvage::records(txn, &CHATS, u128_of)?;
    let messages: Rows<(u128, StoredMessage)> = salvage::records(txn, &MESSAGES, u128_of)?;
    let mut of: BTreeMap<Uuid, Vec<(u32, Message)>> = BTreeMap::new();
    let read = messages.items.len();
    for (id, stored) in messages.items {
        of.entry(stored.chat).or_default().push((stored.number, message_of(id, stored)));
    }
    let ordered = |mut messages: Vec<(u32, Message)>| {
        messages.sort_by_key(|(number, _)| *number);
        messages.into_iter().map(|(_, message)| message).collect::<Vec<_>>()
    };
    let expected: usize = chats.items.iter().map(|(_, chat)| chat.messages as usize).sum();
    let mut items: Vec<_> = chats
        .items
        .iter()
        .map(|(id, stored)| {
            let chat = chat_of(*id, stored);
            let messages = of.remove(&chat.id.0).map(ordered).unwrap_or_default();
            (Some(chat), messages)
        })
        .collect();
    items.extend(of.into_values().map(|messages| (None, ordered(messages))));
    let mut missing = [chats.missing, messages.missing].concat();
    if expected > read {
        missing.push(format!("{} messages that the chats once had", expected - read));
    }
    Ok(Salvaged { items, missing })
}

fn u128_of(key: &[u8]) -> Option<u128> {
    Some(u128::from_le_bytes(key.try_into().ok()?))
}

fn preview(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(PREVIEW).collect()
}

pub(super) static KIND: Kind = Kind {
    kind: DataKind::Chats,
    table: &CHATS,
    title: |row| decode(row).ok().map(|row: StoredChat| row.title),
    // What lies in the trash is told of there.
    is_there: |row| decode(row).map_or(true, |row: StoredChat| !row.trashed),
};
pub(super) static MESSAGES_KIND: Kind = Kind {
    kind: DataKind::Messages,
    table: &MESSAGES,
    title: |row| decode(row).ok().map(|row: StoredMessage| preview(&row.text)),
    is_there: |_row| true,
};

/// Adds the chats that only `other` has, with their messages; what was asked and worked when comes with them. A chat
/// that is in the trash here and not there leaves the trash as it is here.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<[Merged; 2], StorageError> {
    let mut merged = Merged { kind: DataKind::Chats, added: 0, kept: 0 };
    let mut with = Merged { kind: DataKind::Messages, added: 0, kept: 0 };
    let (their_order, their_messages) = (other.table(CHAT_MESSAGES)?, other.table(MESSAGES)?);
    for row in other.table(CHATS)?.iter()? {
        let (key, value) = row?;
        let id = key.value();
        let stored: StoredChat = decode(value.value())?;
        let here = txn.table(CHATS)?.get(id)?.map(|here| here.value().to_vec());
        if let Some(here) = here {
            if !stored.trashed && decode::<StoredChat>(&here)?.trashed {
                show(txn, ProfileId(stored.profile), ChatId(Uuid::from_u128(id)))?;
                merged.added += 1;
            } else {
                merged.kept += u64::from(here != value.value());
            }
            continue;
        }
        txn.table(CHATS)?.put(id, &stored)?;
        if !stored.trashed {
            txn.table(CHATS_BY_UPDATE)?.insert((stored.profile.as_u128(), stored.updated, id), ())?;
            merged.added += 1;
        }
        let (mut order, mut messages) = (txn.table(CHAT_MESSAGES)?, txn.table(MESSAGES)?);
        for row in their_order.range((id, 0)..=(id, u32::MAX))? {
            let (place, message) = row?;
            let message = message.value();
            let Some(mut stored) = their_messages.record::<StoredMessage>(message)? else { continue };
            if matches!(stored.state, MessageState::Preparing | MessageState::Streaming) {
                stored.state = MessageState::Failed(interrupted());
            }
            order.insert(place.value(), message)?;
            messages.put(message, &stored)?;
            search::put(txn, &stored)?;
            with.added += 1;
        }
        tree::copy(txn, other, id)?;
    }
    folders::merge(txn, other)?;
    let mut activity = txn.table(ACTIVITY)?;
    for row in other.table(ACTIVITY)?.iter()? {
        let (key, value) = row?;
        let here = activity.get(key.value())?.is_some();
        if !here {
            activity.insert(key.value(), value.value())?;
        }
    }
    Ok([merged, with])
}

#[cfg(test)]
mod tests;
