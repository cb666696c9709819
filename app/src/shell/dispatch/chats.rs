//! Commands about chats and answers.

use rspa_core::api::request::chats::{
    CreateChat, DeleteChat, GetMessages, RenameChat, RetryAnswer, SendQuestion, Sent, StopAnswer,
};
use rspa_core::model::{Chat, ChatId, MessageId, MessageState, Question};

use crate::shell::{Engine, Shell};
use crate::state::{AppState, Page, Signal};

/// Reads the messages of a chat.
pub(in crate::shell) fn ask_messages(engine: &mut Engine, state: &mut AppState, chat: ChatId) {
    if let Some(core) = engine.core() {
        state.chats.messages.entry(chat).or_default().ask(core.call(GetMessages { chat }));
    }
}

impl Shell {
    pub(super) fn new_chat(&mut self) {
        self.open_page(Page::Chat);
        self.state.chats.open = None;
        self.state.signals.push(Signal::FocusComposer);
    }

    pub(super) fn open_chat(&mut self, chat: ChatId) {
        self.open_page(Page::Chat);
        self.state.chats.open = Some(chat);
        self.state.signals.push(Signal::FocusComposer);
        let known = self.state.chats.messages.get(&chat).is_some_and(|slot| slot.get().is_some());
        if !known {
            ask_messages(&mut self.engine, &mut self.state, chat);
        }
    }

    pub(super) fn rename_chat(&mut self, chat: ChatId, title: String) {
        self.engine.send(&mut self.state, RenameChat { chat, title }, |state, _, chat: Chat| {
            let list = state.chats.list.get_mut();
            if let Some(known) = list.and_then(|list| list.iter_mut().find(|known| known.chat.id == chat.id)) {
                known.chat = chat;
            }
        });
    }

    pub(super) fn delete_chat(&mut self, chat: ChatId) {
        self.engine.send(&mut self.state, DeleteChat { chat }, move |state, _, item| {
            let open = state.chats.open == Some(chat);
            if open {
                state.chats.open = None;
            }
            super::trash::offer_undo(state, &item, open.then_some(chat));
            state.chats.messages.remove(&chat);
            if let Some(list) = state.chats.list.get_mut() {
                list.retain(|known| known.chat.id != chat);
            }
        });
    }

    pub(super) fn send_question(&mut self, chat: Option<ChatId>, question: Question) {
        self.state.chats.sending = true;
        match chat {
            Some(chat) => self.send_to(chat, question),
            None => {
                let make = CreateChat { title: String::new() };
                let made = move |state: &mut AppState, queue: &mut crate::commands::CommandQueue, chat: Chat| {
                    state.chats.open = Some(chat.id);
                    state.chats.messages.entry(chat.id).or_default().set(Vec::new());
                    queue.push(crate::commands::UiCommand::Send { chat: Some(chat.id), question });
                };
                self.engine.send_or(&mut self.state, make, made, |state| state.chats.sending = false);
            }
        }
    }

    fn send_to(&mut self, chat: ChatId, question: Question) {
        let request = SendQuestion { chat, question };
        self.engine.send_or(
            &mut self.state,
            request,
            move |state, _, sent| took(state, chat, sent),
            |state| {
                state.chats.sending = false;
            },
        );
    }

    pub(super) fn retry_answer(&mut self, chat: ChatId, message: MessageId) {
        let request = RetryAnswer { chat, message, model: None };
        self.engine.send(&mut self.state, request, move |state, _, sent: Sent| {
            if sent.answer.id != message
                && let Some(messages) = state.chats.messages.get_mut(&chat).and_then(|slot| slot.get_mut())
            {
                messages.retain(|known| known.id != message);
            }
            took(state, chat, sent);
        });
    }

    pub(super) fn stop_answer(&mut self, message: MessageId) {
        self.engine.send(&mut self.state, StopAnswer { message }, |_, _, ()| {});
    }

    pub(super) fn stop_running_answer(&mut self) {
        let running = |state: &MessageState| matches!(state, MessageState::Preparing | MessageState::Streaming);
        let found = self.state.open_messages().iter().rev().find(|message| running(&message.state)).map(|m| m.id);
        if let Some(message) = found {
            self.stop_answer(message);
        }
    }
}

/// The question is stored and the answer begins. Events may have been faster: those are newer.
fn took(state: &mut AppState, chat: ChatId, sent: Sent) {
    state.chats.sending = false;
    let slot = state.chats.messages.entry(chat).or_default();
    if slot.get().is_none() {
        slot.set(Vec::new());
    }
    for message in [sent.question, sent.answer] {
        let known = slot.get().is_some_and(|all| all.iter().any(|known| known.id == message.id));
        if !known && let Some(all) = slot.get_mut() {
            all.push(message);
        }
    }
}
