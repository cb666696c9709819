//! Commands about chats and answers.

mod export;

use egui::Context;
use rspa_core::api::request::chats::{
    BranchChat, ChooseVersion, ContinueAnswer, CreateChat, CreateChatFolder, DeleteChat, DeleteChatFolder,
    EditQuestion, ExportChat, GetMessages, MoveChat, PinChat, RenameChat, RenameChatFolder, RetryAnswer, SendQuestion,
    Sent, StopAnswer,
};
use rspa_core::api::{ApiError, Call};
use rspa_core::model::{Chat, ChatId, MessageId, ModelId, Question};

use crate::commands::UiCommand;
use crate::commands::pages::chats::ChatsCommand;
use crate::shell::{Engine, Shell};
use crate::state::{AppState, NoticeKind, Page, Signal};
use crate::text::{tr, tr_with};

/// Reads the messages of a chat.
pub(in crate::shell) fn ask_messages(engine: &mut Engine, state: &mut AppState, chat: ChatId) {
    if let Some(core) = engine.core() {
        state.chats.messages.entry(chat).or_default().ask(core.call(GetMessages { chat }));
    }
}

impl Shell {
    pub(super) fn chats(&mut self, ctx: &Context, command: ChatsCommand) {
        use ChatsCommand as C;
        match command {
            C::OpenAt { chat, message } => {
                self.open_chat(chat);
                if let Some(message) = message {
                    self.state.signals.retain(|signal| *signal != Signal::FocusComposer);
                    self.state.signals.push(Signal::ShowMessage(chat, message));
                }
            }
            C::RetryWith { chat, message, model } => self.retry(chat, message, Some(model)),
            C::Edit { chat, message, question } => {
                self.begin_answer(chat, EditQuestion { chat, message, question: *question });
            }
            C::Continue { chat, message } => self.begin_answer(chat, ContinueAnswer { chat, message }),
            C::Choose { chat, message } => {
                // What follows another version is another story: it is read anew.
                let then = move |state: &mut AppState, _: &mut _, ()| state.chats.read_again(chat);
                self.engine.send(&mut self.state, ChooseVersion { chat, message }, then);
            }
            C::Branch { chat, message } => {
                self.engine.send(&mut self.state, BranchChat { chat, message }, |state, queue, made| {
                    let title = tr_with("chat.told.branched", &[("title", &made.title)]);
                    state.notices.push(state.now, NoticeKind::Done, title, tr("chat.told.branched_detail"));
                    queue.push(UiCommand::OpenChat(made.id));
                });
            }
            C::CreateFolder(name) => {
                let own = name.clone();
                self.engine.send(&mut self.state, CreateChatFolder { name }, move |state, _, ()| {
                    state.chats.folder_made(own);
                });
            }
            C::RenameFolder { name, to } => {
                self.engine.send(&mut self.state, RenameChatFolder { name, to }, |state, _, ()| state.chats.refresh());
            }
            C::DeleteFolder(name) => {
                self.engine.send(&mut self.state, DeleteChatFolder { name }, |state, _, ()| state.chats.refresh());
            }
            C::Move { chat, folder } => {
                self.engine.send(&mut self.state, MoveChat { chat, folder }, |state, _, chat| changed(state, chat));
            }
            C::Pin { chat, pinned } => {
                self.engine.send(&mut self.state, PinChat { chat, pinned }, |state, _, chat| changed(state, chat));
            }
            C::Search(text) => self.state.chats.search(text),
            C::FindMentions(text) => self.state.chats.find_mentions(text),
            C::Preview { chat, question } => self.state.chats.preview(chat, *question),
            C::ListModels => self.state.chats.list_models(),
            C::Attach(what) => {
                self.open_page(Page::Chat);
                self.state.signals.push(Signal::Attach(what));
                self.state.signals.push(Signal::FocusComposer);
            }
            C::Export { chat, format, folder } => {
                let known = self.state.chats.list.get().and_then(|list| list.iter().find(|one| one.chat.id == chat));
                let title = known.map(|one| one.chat.title.clone()).unwrap_or_default();
                self.engine.send(&mut self.state, ExportChat { chat, format }, move |_, queue, text| {
                    queue.push(UiCommand::Chats(ChatsCommand::WriteExport { title, format, folder, text }));
                });
            }
            C::WriteExport { title, format, folder, text } => {
                let work = move || export::write(&folder, &title, format, &text);
                self.engine.on_a_thread(ctx, work, |state, written| match written {
                    Ok(path) => {
                        let title = tr("chat.told.exported");
                        state.notices.push(state.now, NoticeKind::Done, title, crate::text::path(&path));
                    }
                    Err(error) => {
                        let words = tr_with("chat.told.not_exported", &[("why", &error)]);
                        let error = ApiError::validation(words, tr("chat.told.another_place"));
                        state.notices.error(state.now, &error);
                    }
                });
            }
        }
    }

    pub(super) fn new_chat(&mut self) {
        self.open_page(Page::Chat);
        self.state.chats.open = None;
        self.state.signals.push(Signal::FocusComposer);
    }

    pub(super) fn open_chat(&mut self, chat: ChatId) {
        self.open_page(Page::Chat);
        self.state.chats.open = Some(chat);
        self.state.signals.push(Signal::FocusComposer);
        let known = self.state.chats.is_read(chat);
        if !known {
            ask_messages(&mut self.engine, &mut self.state, chat);
        }
    }

    pub(super) fn rename_chat(&mut self, chat: ChatId, title: String) {
        self.engine.send(&mut self.state, RenameChat { chat, title }, |state, _, chat| changed(state, chat));
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
        match chat {
            Some(chat) => self.begin_answer(chat, SendQuestion { chat, question }),
            None => {
                self.state.chats.sending = true;
                let make = CreateChat { title: String::new() };
                let made = move |state: &mut AppState, queue: &mut crate::commands::CommandQueue, chat: Chat| {
                    state.chats.open = Some(chat.id);
                    state.chats.messages.entry(chat.id).or_default().set(Vec::new());
                    queue.push(UiCommand::Send { chat: Some(chat.id), question });
                };
                self.engine.send_or(&mut self.state, make, made, |state| state.chats.sending = false);
            }
        }
    }

    /// Asks for something that makes an answer begin.
    fn begin_answer<C: Call<Reply = Sent>>(&mut self, chat: ChatId, request: C) {
        self.state.chats.sending = true;
        self.engine.send_or(
            &mut self.state,
            request,
            move |state, _, sent| took(state, chat, sent),
            |state| state.chats.sending = false,
        );
    }

    pub(super) fn retry_answer(&mut self, chat: ChatId, message: MessageId) {
        self.retry(chat, message, None);
    }

    fn retry(&mut self, chat: ChatId, message: MessageId, model: Option<ModelId>) {
        self.begin_answer(chat, RetryAnswer { chat, message, model });
    }

    pub(super) fn stop_answer(&mut self, message: MessageId) {
        self.engine.send(&mut self.state, StopAnswer { message }, |_, _, ()| {});
    }

    pub(super) fn stop_running_answer(&mut self) {
        for message in self.state.chats.running() {
            self.stop_answer(message);
        }
    }
}

/// A chat has another title, folder, or pin.
fn changed(state: &mut AppState, chat: Chat) {
    let list = state.chats.list.get_mut();
    if let Some(known) = list.and_then(|list| list.iter_mut().find(|known| known.chat.id == chat.id)) {
        known.chat = chat;
    }
}

/// The question is stored and the answer begins. Events may have been faster: those are newer.
fn took(state: &mut AppState, chat: ChatId, sent: Sent) {
    state.chats.sending = false;
    if !state.chats.is_read(chat) {
        state.chats.messages.entry(chat).or_default().set(Vec::new());
    }
    state.chats.adopt(sent.question);
    state.chats.adopt(sent.answer);
}
