//! Chat: the list of chats, the thread of questions and answers, the composer, and where an answer comes from.

mod choosing;
mod composer;
mod inspector;
mod list;
mod message;
mod thread;

use egui::Ui;
use rspa_core::model::{Author, ChatId, Mentioned, MessageId, ModelId, Question};

use self::composer::Said;
use self::thread::Around;
use super::{Cx, View};
use crate::commands::pages::chats::ChatsCommand;
use crate::commands::{Action, Confirmation, UiCommand};
use crate::design::UiExt;
use crate::state::{AppState, DocumentTarget, Page, Signal};
use crate::text::{tr, tr_with};
use crate::widgets::column::{Columns, column};

/// Characters of an address that are shown.
const LONGEST_ADDRESS: usize = 600;

#[derive(Default)]
pub struct ChatView {
    list: list::ChatList,
    thread: thread::Thread,
    composer: composer::Composer,
    inspector: inspector::Inspector,
    /// The person closed the inspector.
    inspector_closed: bool,
}

/// What the person did in the thread or in the inspector.
enum Deed {
    /// Shows a citation of an answer.
    Citation(MessageId, usize),
    /// Shows a passage that was found for an answer.
    Passage(MessageId, usize),
    /// Opens what a passage is a piece of.
    Open(UiCommand),
    Link(String),
    Copy(String),
    Retry(MessageId),
    RetryWith(MessageId, ModelId),
    Continue(MessageId),
    Branch(MessageId),
    /// Shows another version, or goes on with one of several answers.
    Choose(MessageId),
    /// A question is asked again with this text.
    Edit(MessageId, String),
    /// Looks at an answer in the inspector.
    Inspect(MessageId),
    /// Something that came along with a question.
    OpenThing(Mentioned),
    ListModels,
    NewFolder(ChatId),
    Run(Action),
    Page(Page),
    /// A question that was suggested.
    Suggest(&'static str),
    ToggleInspector,
}

impl View for ChatView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        for signal in &cx.state.signals {
            match signal {
                Signal::FocusComposer => self.composer.focus(),
                Signal::Compose(text) => self.composer.set(text.clone()),
                Signal::Attach(what) => self.composer.attach(what.clone(), cx.state),
                Signal::ShowMessage(chat, message) => self.thread.show_message(*chat, *message),
                _ => {}
            }
        }
        let messages = cx.state.open_messages();
        let inspected = self.inspector.is_preview() || messages.iter().any(|one| one.author == Author::Model);
        let columns = Columns::new(ui.max_rect(), tokens, true, inspected && !self.inspector_closed);
        let room = inspected && Columns::new(ui.max_rect(), tokens, true, true).inspector.is_some();
        if let Some(rect) = columns.list {
            column(ui, "chats", rect, true, |ui| self.list.ui(ui, cx));
        }
        let mut deeds = Vec::new();
        column(ui, "thread", columns.centre, columns.inspector.is_some(), |ui| {
            let around = Around { narrow: columns.list.is_none(), inspector: columns.inspector.is_some(), room };
            let model = self.composer.answering(cx.state);
            self.thread.header(ui, cx, around, model.as_ref(), &mut deeds);
            let running = cx.state.chats.running();
            let height = self.composer.height(ui, cx.state);
            let (mut above, mut below) = (ui.available_rect_before_wrap(), ui.available_rect_before_wrap());
            above.set_bottom((above.bottom() - height).max(above.top()));
            below.set_top(above.bottom());
            column(ui, "messages", above, false, |ui| self.thread.ui(ui, cx.state, &mut deeds));
            crate::widgets::toast::keep_clear(ui.ctx(), below);
            match column(ui, "composer", below, false, |ui| self.composer.ui(ui, cx, &running)) {
                Some(Said::Ask(question)) => self.send(question, cx),
                Some(Said::ShowContext) => {
                    self.inspector.show_preview();
                    self.inspector_closed = false;
                }
                None => {}
            }
        });
        if let Some(rect) = columns.inspector {
            column(ui, "inspector", rect, false, |ui| self.inspector.ui(ui, cx.state, &mut deeds));
        }
        if !deeds.is_empty() {
            // What is drawn above a deed shows its effect only in the next frame.
            ui.ctx().request_repaint();
        }
        for deed in deeds {
            self.apply(deed, columns.inspector.is_some(), cx);
        }
    }
}

impl ChatView {
    fn send(&mut self, question: Question, cx: &mut Cx<'_>) {
        cx.commands.push(UiCommand::Send { chat: cx.state.chats.open, question });
        self.thread.show_end();
        self.inspector.clear();
    }

    /// A question again, with what came along with it the first time.
    fn edit(&mut self, message: MessageId, text: String, state: &AppState) -> Question {
        let known = state.open_messages().iter().find(|one| one.id == message);
        let attachments = known.map(|one| one.attachments.iter().map(|one| one.what.clone()).collect());
        Question { beside: None, attachments: attachments.unwrap_or_default(), ..self.composer.question(text) }
    }

    fn apply(&mut self, deed: Deed, inspector: bool, cx: &mut Cx<'_>) {
        match deed {
            Deed::Citation(message, index) => {
                self.inspector.show_citation(message, index);
                self.reveal(inspector, cx.state, cx.commands);
            }
            Deed::Passage(message, index) => {
                self.inspector.show_passage(message, index);
                self.reveal(inspector, cx.state, cx.commands);
            }
            Deed::Open(command) => cx.commands.push(command),
            Deed::Copy(text) => cx.commands.push(UiCommand::CopyText(text)),
            Deed::Retry(message) => {
                if let Some(chat) = cx.state.chats.open {
                    cx.commands.push(UiCommand::RetryAnswer { chat, message });
                }
            }
            Deed::RetryWith(message, model) => with_chat(cx, |chat| ChatsCommand::RetryWith { chat, message, model }),
            Deed::Continue(message) => with_chat(cx, |chat| ChatsCommand::Continue { chat, message }),
            Deed::Branch(message) => with_chat(cx, |chat| ChatsCommand::Branch { chat, message }),
            Deed::Choose(message) => with_chat(cx, |chat| ChatsCommand::Choose { chat, message }),
            Deed::Edit(message, text) => {
                let question = Box::new(self.edit(message, text, cx.state));
                with_chat(cx, |chat| ChatsCommand::Edit { chat, message, question });
                self.thread.show_end();
                self.inspector.clear();
            }
            Deed::Inspect(message) => {
                self.inspector.show_answer(message);
                self.inspector_closed = false;
            }
            Deed::OpenThing(what) => open_thing(what, cx),
            Deed::ListModels => cx.commands.push(UiCommand::Chats(ChatsCommand::ListModels)),
            Deed::NewFolder(chat) => self.list.name_folder(Some(chat)),
            Deed::Link(address) => cx.commands.push(link(&address)),
            Deed::Run(action) => cx.commands.run(action),
            Deed::Page(page) => cx.commands.push(UiCommand::OpenPage(page)),
            Deed::Suggest(text) => self.composer.set(text.to_owned()),
            Deed::ToggleInspector => self.inspector_closed = !self.inspector_closed,
        }
    }

    /// Where the inspector has no room, the passage opens in a pane of its own.
    fn reveal(&mut self, inspector: bool, state: &AppState, commands: &mut crate::commands::CommandQueue) {
        if !inspector && let Some(command) = self.inspector.opens(state) {
            commands.push(command);
        }
    }
}

/// Does something with the chat that is open.
fn with_chat(cx: &mut Cx<'_>, make: impl FnOnce(ChatId) -> ChatsCommand) {
    if let Some(chat) = cx.state.chats.open {
        cx.commands.push(UiCommand::Chats(make(chat)));
    }
}

/// Opens what came along with a question, where it has a place of its own.
fn open_thing(what: Mentioned, cx: &mut Cx<'_>) {
    let command = match what {
        Mentioned::File { path } => {
            UiCommand::OpenDocument(DocumentTarget { path, start_line: 1, end_line: 1, hash: String::new() })
        }
        Mentioned::Chat { id } => UiCommand::OpenChat(id),
        Mentioned::Task { id } => UiCommand::OpenTask(id),
        Mentioned::Agent { id } => UiCommand::OpenAgent(id),
        Mentioned::Source { .. } | Mentioned::Document { .. } => UiCommand::OpenPage(Page::Knowledge),
        Mentioned::Folder { path } => UiCommand::CopyText(path.to_string_lossy().into_owned()),
        Mentioned::Text { text, .. } => UiCommand::CopyText(text),
    };
    cx.commands.push(command);
}

/// Shows an address that a model wrote. Nothing opens it; signs that could disguise it are spelled out.
fn link(address: &str) -> UiCommand {
    let disguise = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut shown = String::new();
    for c in address.chars().take(LONGEST_ADDRESS) {
        if disguise(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    UiCommand::Confirm(Confirmation {
        title: tr("chat.link.title").to_owned(),
        consequence: tr_with("chat.link.consequence", &[("address", &shown)]),
        verb: tr("chat.link.verb").to_owned(),
        danger: false,
        then: Box::new(UiCommand::CopyText(shown)),
    })
}

#[cfg(test)]
mod tests;
