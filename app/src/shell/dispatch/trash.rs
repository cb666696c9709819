//! Commands of the page "Trash", and the way back that a notice offers after a deletion.

use rspa_core::api::request::trash::{DeleteTrashed, EmptyTrash, RestoreTrashed};
use rspa_core::model::{ChatId, TrashItem, TrashKind};

use crate::commands::UiCommand;
use crate::commands::pages::trash::TrashCommand;
use crate::shell::Shell;
use crate::state::pages::trash::title;
use crate::state::{AppState, NoticeAction, NoticeKind, Page};
use crate::text::{tr, tr_count, tr_with};

impl Shell {
    pub(super) fn trash(&mut self, command: TrashCommand) {
        match command {
            TrashCommand::Refresh => self.state.pages.opened(Page::Trash),
            TrashCommand::List { offset } => self.state.pages.trash.want(offset),
            TrashCommand::Restore { id, open } => {
                self.engine.send(&mut self.state, RestoreTrashed { id }, move |state, queue, item| {
                    let title = tr_with("trash.restored", &[("title", &title(&item))]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                    if let Some(chat) = open {
                        queue.push(UiCommand::OpenChat(chat));
                    }
                });
            }
            TrashCommand::Delete(id) => self.engine.send(&mut self.state, DeleteTrashed { id }, |_, _, ()| {}),
            TrashCommand::Empty => self.engine.send(&mut self.state, EmptyTrash {}, |state, _, gone| {
                state.notices.push(state.now, NoticeKind::Done, tr_count("trash.emptied", gone), "");
            }),
        }
    }
}

/// Says that something was deleted, with the way back.
pub(super) fn offer_undo(state: &mut AppState, item: &TrashItem, open: Option<ChatId>) {
    let words = match item.kind {
        TrashKind::Chat => tr("trash.chat_deleted"),
        TrashKind::Source => tr("trash.source_removed"),
        TrashKind::Agent => tr("trash.agent_deleted"),
        TrashKind::Task => tr("trash.task_deleted"),
        TrashKind::Schedule => tr("trash.schedule_deleted"),
        TrashKind::Crew => tr("trash.crew_deleted"),
        TrashKind::RetrievalTest => tr("trash.retrieval_test_removed"),
    };
    let then = UiCommand::Trash(TrashCommand::Restore { id: item.id, open });
    let action = NoticeAction { label: tr("trash.undo").to_owned(), then: Box::new(then) };
    state.notices.push_with(state.now, NoticeKind::Info, words, title(item), action);
}
