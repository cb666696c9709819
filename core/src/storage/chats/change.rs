//! Changes of the tree of a chat: questions and answers are added, versions chosen, chats branched off.

use uuid::Uuid;

use super::tree::Tree;
use super::{
    CHAT_MESSAGES, CHATS, MESSAGES, StoredAsking, StoredChat, StoredMessage, StoredSummary, chat_of, count,
    interrupted, own_chat, preview, put_chat, put_message, stored_message, unknown_message,
};
use crate::model::{Author, Chat, ChatId, Message, MessageId, MessageState, ProfileId, Question, Timestamp};
use crate::storage::{Db, RecordReading, RecordWriting, StorageError, WriteTxn};

/// What is asked, and where it stands.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "made once for a write and moved into it")]
pub enum Asked {
    /// A question with its answers (two stand side by side), each with how it is asked: at the end of what is shown, or
    /// as another version of a question.
    Anew {
        question: Message,
        answers: Vec<(Message, Question)>,
        instead_of: Option<MessageId>,
        /// Of a chat that has none yet.
        title: String,
    },
    /// Another answer to the question of this one.
    Again { answer: Box<Message>, asked: Question, instead_of: MessageId },
}

impl Asked {
    fn chat(&self) -> ChatId {
        match self {
            Self::Anew { question, .. } => question.chat,
            Self::Again { answer, .. } => answer.chat,
        }
    }
}

fn asking(asked: &Question) -> StoredAsking {
    StoredAsking { use_knowledge: asked.use_knowledge, sources: asked.sources.clone(), model: asked.model.clone() }
}

/// Adds messages to a chat that is open for change.
struct Open<'a, 'b> {
    txn: &'a WriteTxn<'b>,
    id: ChatId,
    chat: StoredChat,
    tree: Tree,
}

impl<'a, 'b> Open<'a, 'b> {
    fn of(txn: &'a WriteTxn<'b>, profile: ProfileId, id: ChatId) -> Result<Self, StorageError> {
        let chat = own_chat(txn, profile, id)?;
        let tree = Tree::read_for_change(txn, id.0.as_u128())?;
        Ok(Self { txn, id, chat, tree })
    }

    fn find(&self, message: MessageId, author: Author) -> Result<usize, StorageError> {
        let index = self.tree.find(message.0.as_u128()).ok_or_else(unknown_message)?;
        let stored: Option<StoredMessage> = self.txn.table(MESSAGES)?.record(message.0.as_u128())?;
        stored.filter(|stored| stored.author == author).map(|_| index).ok_or_else(unknown_message)
    }

    fn append(
        &mut self,
        message: &Message,
        asked: Option<StoredAsking>,
        parent: Option<usize>,
    ) -> Result<usize, StorageError> {
        let number = self.chat.next;
        self.chat.next += 1;
        self.chat.messages += 1;
        let (chat, id) = (self.id.0.as_u128(), message.id.0.as_u128());
        self.txn.table(CHAT_MESSAGES)?.insert((chat, number), id)?;
        put_message(self.txn, &stored_message(message, number, asked), message.id)?;
        self.tree.add(self.txn, chat, (number, id), parent)
    }

    /// Counts what is shown and takes the preview from its end.
    fn close(mut self, at: Timestamp) -> Result<(), StorageError> {
        let path = self.tree.path();
        let shown = u32::try_from(path.len()).unwrap_or(u32::MAX);
        self.chat.shown = (shown != self.chat.messages).then_some(shown);
        let messages = self.txn.table(MESSAGES)?;
        for index in path.iter().rev() {
            let stored: Option<StoredMessage> = messages.record(self.tree.messages[*index].1)?;
            if let Some(stored) = stored.filter(|stored| !stored.text.is_empty()) {
                self.chat.preview = preview(&stored.text);
                break;
            }
        }
        drop(messages);
        put_chat(self.txn, self.id, &mut self.chat, at)
    }
}

/// Stores what is asked with its answers to be, and counts it.
///
/// # Errors
/// The chat, or the message that gets another version, is not there.
pub fn add(main: &Db, profile: ProfileId, asked: Asked) -> Result<(), StorageError> {
    main.write(move |txn| {
        let mut open = Open::of(txn, profile, asked.chat())?;
        let at = match &asked {
            Asked::Anew { question, answers, instead_of, title } => {
                let parent = match instead_of {
                    Some(other) => {
                        let other = open.find(*other, Author::Person)?;
                        let parent = open.tree.parent(other);
                        // All that leads to it is shown from now on.
                        if let Some(parent) = parent {
                            open.tree.choose(txn, open.id.0.as_u128(), parent)?;
                        }
                        parent
                    }
                    None => {
                        let last = open.tree.path().last().copied();
                        // Who goes on has chosen the one that is shown.
                        if let Some(last) = last {
                            open.tree.choose(txn, open.id.0.as_u128(), last)?;
                        }
                        last
                    }
                };
                let place = open.append(question, None, parent)?;
                let mut added = Vec::new();
                for (answer, asked) in answers {
                    added.push(open.append(answer, Some(asking(asked)), Some(place))?);
                }
                if let [first, beside] = added[..] {
                    open.tree.show(txn, open.id.0.as_u128(), first, Some(beside))?;
                }
                if open.chat.title.is_empty() {
                    open.chat.title.clone_from(title);
                }
                count(txn, profile, question.created, |activity| activity.questions += 1)?;
                question.created
            }
            Asked::Again { answer, asked, instead_of } => {
                let other = open.find(*instead_of, Author::Model)?;
                let parent = open.tree.parent(other);
                if let Some(parent) = parent {
                    open.tree.choose(txn, open.id.0.as_u128(), parent)?;
                }
                open.append(answer, Some(asking(asked)), parent)?;
                answer.created
            }
        };
        open.close(at)
    })
}

/// Shows a version, and what was last shown below it.
///
/// # Errors
/// It is not there.
pub fn choose(main: &Db, profile: ProfileId, chat: ChatId, message: MessageId) -> Result<(), StorageError> {
    main.write(move |txn| {
        let mut open = Open::of(txn, profile, chat)?;
        let index = open.tree.find(message.0.as_u128()).ok_or_else(unknown_message)?;
        open.tree.choose(txn, chat.0.as_u128(), index)?;
        // Looking at another version is no change that lists a chat first.
        let at = Timestamp(open.chat.updated);
        open.close(at)
    })
}

/// Makes a new chat of a message with all before it; `ids` names the copies.
///
/// # Errors
/// The message is not there.
pub fn branch(
    main: &Db,
    profile: ProfileId,
    from: ChatId,
    upto: MessageId,
    chat: Chat,
    ids: impl Fn() -> Uuid + Send + Sync + 'static,
) -> Result<Chat, StorageError> {
    main.write(move |txn| {
        super::create_in(txn, &chat)?;
        let theirs = own_chat(txn, profile, from)?;
        let tree = Tree::read_for_change(txn, from.0.as_u128())?;
        let index = tree.find(upto.0.as_u128()).ok_or_else(unknown_message)?;
        let mut open = Open::of(txn, profile, chat.id)?;
        let mut last = None;
        for index in tree.line(index) {
            let old = tree.messages[index].1;
            let stored: Option<StoredMessage> = txn.table(MESSAGES)?.record(old)?;
            let mut stored = stored.ok_or_else(unknown_message)?;
            if matches!(stored.state, MessageState::Preparing | MessageState::Streaming) {
                stored.state =
                    if stored.text.is_empty() { MessageState::Failed(interrupted()) } else { MessageState::Stopped };
            }
            let asked = stored.asked.clone();
            let message = Message { id: MessageId(ids()), chat: chat.id, ..super::message_of(old, stored) };
            last = Some(open.append(&message, asked, last)?);
            if theirs.summary.as_ref().is_some_and(|summary| summary.upto.as_u128() == old) {
                open.chat.summary =
                    theirs.summary.clone().map(|summary| StoredSummary { upto: message.id.0, ..summary });
            }
        }
        let at = Timestamp(open.chat.updated);
        open.close(at)?;
        let stored: Option<StoredChat> = txn.table(CHATS)?.record(chat.id.0.as_u128())?;
        stored.map(|stored| chat_of(chat.id.0.as_u128(), &stored)).ok_or_else(super::unknown_chat)
    })
}

/// Lets an answer that ended be written further.
///
/// # Errors
/// It is not there, or holds no text.
pub fn continue_answer(main: &Db, profile: ProfileId, chat: ChatId, id: MessageId) -> Result<(), StorageError> {
    main.write(move |txn| {
        own_chat(txn, profile, chat)?;
        let stored: Option<StoredMessage> = txn.table(MESSAGES)?.record(id.0.as_u128())?;
        let stored = stored.filter(|stored| stored.chat == chat.0 && stored.author == Author::Model);
        let mut stored = stored.ok_or_else(unknown_message)?;
        if stored.text.trim().is_empty() {
            return Err(StorageError::Refused("this answer has no text that could be continued".to_owned()));
        }
        stored.state = MessageState::Streaming;
        put_message(txn, &stored, id)
    })
}

/// What stands for the older turns of a chat: the last message that it covers, and its text.
pub fn summary(main: &Db, profile: ProfileId, chat: ChatId) -> Result<Option<(MessageId, String)>, StorageError> {
    let stored: Option<StoredChat> = main.read()?.table(CHATS)?.record(chat.0.as_u128())?;
    let stored = stored.filter(|chat| chat.profile == profile.0).ok_or_else(super::unknown_chat)?;
    Ok(stored.summary.map(|summary| (MessageId(summary.upto), summary.text)))
}

pub fn keep_summary(
    main: &Db,
    profile: ProfileId,
    chat: ChatId,
    upto: MessageId,
    text: &str,
) -> Result<(), StorageError> {
    let text = text.to_owned();
    main.write(move |txn| {
        let mut stored = super::any_chat(txn, profile, chat)?;
        stored.summary = Some(StoredSummary { upto: upto.0, text: text.clone() });
        txn.table(CHATS)?.put(chat.0.as_u128(), &stored)
    })
}
