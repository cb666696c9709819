//! What the page "Chat" reads: the list, folders, hits of a search, messages, and what the composer asks for while one types.

use std::collections::HashMap;
use std::path::Path;

use rspa_core::api::request::chats::{
    FindMentions, GetMessages, ListChatFolders, ListChats, PreviewContext, SearchChats,
};
use rspa_core::api::request::providers::ListProviderModels;
use rspa_core::api::{Core, Event};
use rspa_core::model::{
    ChatHit, ChatId, ChatSummary, Citation, ContextUse, DocumentChange, Mention, Message, MessageId, MessageState,
    ProviderModel, Question, SourceId, Stale,
};

use super::Slot;

/// Hits of a search that are shown.
pub const MOST_HITS: u32 = 100;
/// Things that `@` offers.
pub const MOST_MENTIONS: u32 = 8;

#[derive(Default)]
pub struct ChatsState {
    /// Newest first.
    pub list: Slot<Vec<ChatSummary>>,
    /// Names of folders, sorted; also empty ones.
    pub folders: Slot<Vec<String>>,
    /// What was last searched for; empty while nothing is.
    pub searched: String,
    pub hits: Slot<Vec<ChatHit>>,
    /// The chat that is shown; none is a new one that has no question yet.
    pub open: Option<ChatId>,
    /// Messages in order of time; kept for chats that were open.
    pub messages: HashMap<ChatId, Slot<Vec<Message>>>,
    /// While a model reads its prompt: tokens done, of all.
    pub reading: HashMap<MessageId, (u32, u32)>,
    /// How long the search for an answer took, in milliseconds, until its figures are complete.
    pub search_ms: HashMap<MessageId, f64>,
    /// A question was sent and core has not confirmed it yet.
    pub sending: bool,
    /// What was typed after `@`.
    pub mentioned: String,
    pub mentions: Slot<Vec<Mention>>,
    /// What would fill the context if the question that is being typed were asked.
    pub preview: Slot<ContextUse>,
    /// Models of providers; read when somebody wants to choose one.
    pub models: Slot<Vec<ProviderModel>>,
    folders_stale: bool,
    list_stale: bool,
    folders_asked: bool,
    models_wanted: bool,
    hits_stale: bool,
    mentions_stale: bool,
    preview_of: Option<(ChatId, Question)>,
    outdated: Option<ChatId>,
}

impl ChatsState {
    pub(crate) fn search(&mut self, text: String) {
        if text.trim().is_empty() {
            self.hits.clear();
        }
        self.hits_stale = !text.trim().is_empty();
        self.searched = text;
    }

    pub(crate) fn find_mentions(&mut self, text: String) {
        self.mentions_stale = true;
        self.mentioned = text;
    }

    pub(crate) fn preview(&mut self, chat: ChatId, question: Question) {
        self.preview_of = Some((chat, question));
    }

    pub(crate) fn list_models(&mut self) {
        self.models_wanted = true;
    }

    /// Whether the messages of this chat are at hand.
    pub fn is_read(&self, chat: ChatId) -> bool {
        self.messages.get(&chat).is_some_and(|slot| slot.get().is_some())
    }

    /// The messages of this chat are out of date; they stay in view until the new ones are there.
    pub(crate) fn read_again(&mut self, chat: ChatId) {
        self.outdated = Some(chat);
    }

    /// A folder was made; the list that comes will have it too.
    pub(crate) fn folder_made(&mut self, name: String) {
        if let Some(folders) = self.folders.get_mut()
            && !folders.contains(&name)
        {
            folders.push(name);
            folders.sort();
        }
        self.folders_stale = true;
    }

    /// Folders, and what is in them, are out of date.
    pub(crate) fn refresh(&mut self) {
        self.folders_stale = true;
        self.list_stale = true;
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        match event {
            Event::ChatsChanged => {
                self.folders_stale = true;
                self.hits_stale |= !self.searched.trim().is_empty();
            }
            Event::ProvidersChanged => self.models.clear(),
            _ => {}
        }
    }

    /// Takes replies that have come, and asks core for what is out of date.
    pub(crate) fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        self.folders.poll();
        self.hits.poll();
        self.mentions.poll();
        self.preview.poll();
        self.models.poll();
        self.messages.values_mut().for_each(|slot| {
            slot.poll();
        });
        let Some(core) = core else { return };
        self.folders_stale |= self.folders.take_stale();
        if std::mem::take(&mut self.folders_stale) || !self.folders_asked {
            self.folders_asked = true;
            self.folders.refresh(|| core.call(ListChatFolders {}));
        }
        if std::mem::take(&mut self.list_stale) {
            self.list.refresh(|| core.call(ListChats {}));
        }
        if let Some(chat) = self.outdated.take() {
            self.messages.entry(chat).or_default().ask(core.call(GetMessages { chat }));
        }
        // Whoever types wants the answer to the last letter: an older question is dropped.
        if std::mem::take(&mut self.hits_stale) {
            self.hits.ask(core.call(SearchChats { text: self.searched.clone(), limit: MOST_HITS }));
        }
        if std::mem::take(&mut self.mentions_stale) {
            self.mentions.ask(core.call(FindMentions { text: self.mentioned.clone(), limit: MOST_MENTIONS }));
        }
        if let Some((chat, question)) = self.preview_of.take() {
            self.preview.ask(core.call(PreviewContext { chat, question }));
        }
        if std::mem::take(&mut self.models_wanted) && !self.models.is_waiting() {
            self.models.ask(core.call(ListProviderModels { id: None, fresh: false }));
        }
    }

    /// Puts a message where it belongs: over its older self, over another version of its place (what followed that one
    /// goes), or at the end. Only chats that were read are kept.
    pub(crate) fn put_message(&mut self, message: Message) {
        let Some(messages) = self.messages.get_mut(&message.chat).and_then(Slot::get_mut) else { return };
        for known in messages.iter_mut().rev() {
            if known.id == message.id {
                let mut message = message;
                keep_beside(&mut message.versions.beside, std::mem::take(&mut known.versions.beside));
                *known = message;
                return;
            }
            if let Some(other) = known.versions.beside.iter_mut().find(|other| other.id == message.id) {
                *other = message;
                return;
            }
        }
        let place = messages.iter().position(|known| message.versions.all.contains(&known.id));
        match place {
            Some(at) if is_older(&message, &messages[at]) => {}
            Some(at) => {
                messages.truncate(at);
                messages.push(message);
            }
            None => messages.push(message),
        }
    }

    /// Takes a message that core just stored. What was heard of it, and of those beside it, in the meantime is newer.
    pub(crate) fn adopt(&mut self, mut message: Message) {
        let Some(messages) = self.messages.get_mut(&message.chat).and_then(Slot::get_mut) else { return };
        for one in &mut message.versions.beside {
            if let Some(at) = messages.iter().position(|known| known.id == one.id) {
                *one = messages.remove(at);
            }
        }
        match messages.iter_mut().find(|known| known.id == message.id) {
            Some(known) => {
                let heard = std::mem::take(&mut known.versions.beside);
                known.versions = message.versions;
                keep_beside(&mut known.versions.beside, heard);
            }
            None => self.put_message(message),
        }
    }

    /// A message of this chat, also one that is shown beside another.
    /// Marks what cites these documents; whoever opens a chat later reads the marks with its messages.
    pub(crate) fn documents_changed(&mut self, changes: &[DocumentChange]) {
        let known: HashMap<&Path, Option<&str>> =
            changes.iter().map(|change| (change.path.as_path(), change.hash.as_deref())).collect();
        self.each_citation(|citation| {
            if let Some(hash) = known.get(citation.passage.path.as_path()) {
                citation.stale = citation.judge(*hash);
            }
        });
    }

    /// What was read of a source is searched no more.
    pub(crate) fn source_removed(&mut self, source: SourceId) {
        self.each_citation(|citation| {
            if citation.passage.source == source {
                citation.stale = Some(Stale::Gone);
            }
        });
    }

    fn each_citation(&mut self, mut visit: impl FnMut(&mut Citation)) {
        for messages in self.messages.values_mut().filter_map(Slot::get_mut) {
            for message in messages {
                message.citations.iter_mut().for_each(&mut visit);
                let beside = message.versions.beside.iter_mut();
                beside.flat_map(|message| &mut message.citations).for_each(&mut visit);
            }
        }
    }

    pub(crate) fn message_mut(&mut self, chat: ChatId, id: MessageId) -> Option<&mut Message> {
        let messages = self.messages.get_mut(&chat)?.get_mut()?;
        for known in messages.iter_mut().rev() {
            if known.id == id {
                return Some(known);
            }
            if let Some(at) = known.versions.beside.iter().position(|other| other.id == id) {
                return known.versions.beside.get_mut(at);
            }
        }
        None
    }

    /// The answers of the open chat that are being made now, last first.
    pub fn running(&self) -> Vec<MessageId> {
        let messages = self.open.and_then(|id| self.messages.get(&id)).and_then(Slot::get);
        let Some(last) = messages.and_then(|messages| messages.last()) else { return Vec::new() };
        std::iter::once(last).chain(&last.versions.beside).filter(|one| is_running(one)).map(|one| one.id).collect()
    }
}

pub fn is_running(message: &Message) -> bool {
    matches!(message.state, MessageState::Preparing | MessageState::Streaming)
}

/// An event carries one answer; those that were beside it stay, and those that it carries may be older than what was heard.
fn keep_beside(beside: &mut Vec<Message>, known: Vec<Message>) {
    if beside.is_empty() {
        *beside = known;
        return;
    }
    for one in beside {
        if let Some(newer) = known.iter().find(|other| other.id == one.id)
            && is_running(one)
            && newer.text.len() >= one.text.len()
        {
            *one = newer.clone();
        }
    }
}

/// Whether `message` was made before `known`, of which it is another version.
fn is_older(message: &Message, known: &Message) -> bool {
    let at = |id| known.versions.all.iter().position(|one| *one == id);
    matches!((at(message.id), at(known.id)), (Some(one), Some(other)) if one < other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn shown(state: &ChatsState, chat: ChatId) -> Vec<String> {
        let messages = state.messages.get(&chat).and_then(Slot::get);
        messages.map(|all| all.iter().map(|one| one.text.clone()).collect()).unwrap_or_default()
    }

    #[test]
    fn a_new_version_takes_the_place_of_the_old_one_and_of_all_that_followed() {
        let mut state = ChatsState::default();
        let chat = fixtures::chat(100, "", "", 1).chat.id;
        let complete = MessageState::Complete;
        let (first, answer) = (fixtures::question(chat, 1, "one"), fixtures::answer(chat, 2, "two", complete.clone()));
        let more = [fixtures::question(chat, 3, "three"), fixtures::answer(chat, 4, "four", complete.clone())];
        let all = [first.clone(), answer.clone()].into_iter().chain(more).collect();
        state.messages.insert(chat, Slot::with(all));
        let mut again = fixtures::answer(chat, 5, "two again", complete);
        again.versions.all = vec![answer.id, again.id];
        state.put_message(again.clone());
        assert_eq!(shown(&state, chat), ["one", "two again"]);
        // News of the older version, late, change nothing.
        state.messages.get_mut(&chat).unwrap().get_mut().unwrap()[1].versions.all = vec![answer.id, again.id];
        let mut late = answer;
        late.versions.all = again.versions.all.clone();
        state.put_message(late);
        assert_eq!(shown(&state, chat), ["one", "two again"]);
    }

    #[test]
    fn answers_whose_news_came_before_the_reply_are_put_side_by_side() {
        let mut state = ChatsState::default();
        let chat = fixtures::chat(100, "", "", 1).chat.id;
        let question = fixtures::question(chat, 1, "?");
        let (left, mut right) = (
            fixtures::answer(chat, 2, "", MessageState::Preparing),
            fixtures::answer(chat, 3, "early", MessageState::Streaming),
        );
        state.messages.insert(chat, Slot::with(vec![question.clone()]));
        state.put_message(left.clone());
        right.versions.all = vec![left.id, right.id];
        state.put_message(right.clone());
        let mut sent = left;
        sent.versions.all = right.versions.all.clone();
        sent.versions.beside = vec![fixtures::answer(chat, 3, "", MessageState::Preparing)];
        state.adopt(question);
        state.adopt(sent.clone());
        let messages = state.messages[&chat].get().unwrap();
        assert_eq!((messages.len(), messages[1].id), (2, sent.id));
        assert_eq!(messages[1].versions.beside[0].text, "early");
    }

    #[test]
    fn answers_side_by_side_grow_each_by_itself() {
        let mut state = ChatsState::default();
        let chat = fixtures::chat(100, "", "", 1).chat.id;
        let (mut left, right) = (
            fixtures::answer(chat, 2, "l", MessageState::Streaming),
            fixtures::answer(chat, 3, "r", MessageState::Streaming),
        );
        left.versions.beside = vec![right.clone()];
        state.messages.insert(chat, Slot::with(vec![fixtures::question(chat, 1, "?"), left.clone()]));
        state.open = Some(chat);
        state.message_mut(chat, right.id).unwrap().text.push_str("ight");
        assert_eq!(state.running(), [left.id, right.id]);
        // The first one's end does not take the second one's words.
        left.state = MessageState::Complete;
        state.put_message(left.clone());
        let messages = state.messages[&chat].get().unwrap();
        assert_eq!(messages[1].versions.beside[0].text, "right");
        assert_eq!(state.running(), [right.id]);
    }
}
