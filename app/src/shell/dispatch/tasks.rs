//! Commands of the page "Tasks".

use rspa_core::api::request::tasks::{
    AllowRepeat, CancelTasks, CreateTasks, DeleteTasks, MoveTask, PauseQueue, RetryTasks, UpdateTask,
};
use rspa_core::api::request::trash::{ListTrash, RestoreTrashed};
use rspa_core::model::{
    BoardColumn, PageRequest, Priority, TaskCounts, TaskDraft, TaskId, Timestamp, TrashId, TrashItem, TrashKind,
};

use crate::commands::UiCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::shell::Shell;
use crate::state::pages::tasks::{Editing, Moved};
use crate::state::{AppState, NoticeAction, NoticeKind, Page};
use crate::text::{tr, tr_count, tr_with};

/// Deleted tasks that one press brings back, at most.
const UNDONE: u32 = 400;

impl Shell {
    pub(super) fn tasks(&mut self, command: TasksCommand) {
        let AppState { pages, ui, .. } = &mut self.state;
        let tasks = &mut pages.tasks;
        match command {
            TasksCommand::Refresh => self.state.pages.opened(Page::Tasks),
            TasksCommand::Choose(choice) => {
                tasks.choose(choice.clone());
                ui.tasks = choice;
            }
            TasksCommand::NeedRows(page) => tasks.need_rows(page),
            TasksCommand::NeedCards(count) => tasks.need_cards(count),
            TasksCommand::Select(id) => tasks.select(id),
            TasksCommand::ChooseRun(run) => tasks.choose_run(run),
            TasksCommand::FindOthers(text) => tasks.find_others(text),
            TasksCommand::Move { id, column, before } => self.move_task(Moved { id, column, before }),
            TasksCommand::MoveAll { ids, column } => {
                for id in ids {
                    self.move_task(Moved { id, column, before: None });
                }
            }
            TasksCommand::SetPriority { ids, priority } => self.set_priority(&ids, priority),
            TasksCommand::Cancel(ids) => self.cancel_tasks(ids),
            TasksCommand::Retry(ids) => self.engine.send(&mut self.state, RetryTasks { ids }, |state, _, count| {
                tell(state, tr_count("tasks.told.retried", count));
            }),
            TasksCommand::Delete(ids) => self.delete_tasks(ids),
            TasksCommand::OfferUndo { since, count } => self.look_for_deleted(since, count),
            TasksCommand::Restore(ids) => self.restore_tasks(ids),
            TasksCommand::AllowRepeat { id, repeat } => {
                self.engine.send(&mut self.state, AllowRepeat { id, repeat }, |state, _, task| {
                    state.pages.tasks.changed(&task);
                });
            }
            TasksCommand::PauseQueue(paused) => self.set_queue_paused(paused),
            TasksCommand::Edit(editing) => {
                tasks.editing = Some(editing);
                tasks.form += 1;
                tasks.others.clear();
            }
            TasksCommand::CloseForm => tasks.editing = None,
            TasksCommand::Create(draft) => self.create_task(*draft),
            TasksCommand::Update(change) => self.update_task(change.0),
        }
    }

    /// Opens the page "Tasks" at this one.
    pub(super) fn show_task(&mut self, id: TaskId) {
        self.open_page(Page::Tasks);
        self.state.pages.tasks.select(Some(id));
    }

    /// Opens the page "Tasks" with the form for a new one.
    pub(super) fn new_task(&mut self) {
        self.open_page(Page::Tasks);
        self.tasks(TasksCommand::Edit(Editing::New { column: BoardColumn::Queued }));
    }

    /// Pauses the queue, or lets it go on.
    pub(super) fn pause_queue(&mut self) {
        let paused = self.state.pages.tasks.counts.get().is_some_and(|counts| counts.paused);
        self.set_queue_paused(!paused);
    }

    fn set_queue_paused(&mut self, paused: bool) {
        self.engine.send(&mut self.state, PauseQueue { paused }, |state, _, counts: TaskCounts| {
            let words = if counts.paused { "tasks.told.paused" } else { "tasks.told.resumed" };
            let detail = if counts.paused { tr("tasks.told.paused_detail") } else { "" };
            state.notices.push(state.now, NoticeKind::Info, tr(words), detail);
            state.pages.tasks.counts.set(counts);
            state.pages.tasks.all_stale();
        });
    }

    fn move_task(&mut self, moved: Moved) {
        if let Some(cards) = &mut self.state.pages.tasks.cards {
            cards.try_move(moved);
        }
        let Moved { id, column, before } = moved;
        let settle = move |state: &mut AppState| {
            if let Some(cards) = &mut state.pages.tasks.cards {
                cards.settle(id);
            }
        };
        self.engine.send_or(
            &mut self.state,
            MoveTask { id, column, before },
            move |state, _, task| {
                settle(state);
                state.pages.tasks.changed(&task);
            },
            move |state| {
                // Why it cannot be was told as a notice; the card goes back.
                settle(state);
                state.pages.tasks.all_stale();
            },
        );
    }

    /// Each one is changed by itself: one that runs keeps its own and the others change.
    fn set_priority(&mut self, ids: &[TaskId], priority: Priority) {
        for id in ids {
            let update = UpdateTask { id: Some(*id), priority: Some(priority), ..UpdateTask::default() };
            self.engine.send(&mut self.state, update, |state, _, task| state.pages.tasks.changed(&task));
        }
    }

    fn cancel_tasks(&mut self, ids: Vec<TaskId>) {
        self.engine.send(&mut self.state, CancelTasks { ids }, |state, _, count| {
            tell(state, tr_count("tasks.told.cancelled", count));
        });
    }

    fn delete_tasks(&mut self, ids: Vec<TaskId>) {
        let since = self.state.now;
        let selected = self.state.pages.tasks.chosen();
        let gone = selected.is_some_and(|id| ids.contains(&id));
        self.engine.send(&mut self.state, DeleteTasks { ids }, move |state, queue, count| {
            if gone {
                state.pages.tasks.select(None);
            }
            state.pages.tasks.all_stale();
            queue.push(UiCommand::Tasks(TasksCommand::OfferUndo { since, count }));
        });
    }

    /// Looks up what has just gone into the trash, so that one press can bring it back.
    fn look_for_deleted(&mut self, since: Timestamp, count: u64) {
        let page = PageRequest { offset: 0, limit: UNDONE };
        self.engine.send(&mut self.state, ListTrash { page }, move |state, _, list| {
            offer_undo(state, &list.items, since, count);
        });
    }

    fn restore_tasks(&mut self, ids: Vec<TrashId>) {
        for id in ids {
            self.engine.send(&mut self.state, RestoreTrashed { id }, |state, _, _| state.pages.tasks.all_stale());
        }
    }

    fn create_task(&mut self, draft: TaskDraft) {
        self.state.pages.tasks.saving = true;
        self.engine.send_or(
            &mut self.state,
            CreateTasks { drafts: vec![draft] },
            |state, queue, made| {
                state.pages.tasks.saving = false;
                state.pages.tasks.editing = None;
                if let Some(task) = made.first() {
                    state.pages.tasks.changed(task);
                    let title = tr_with("tasks.told.created", &[("n", &task.number)]);
                    let then = Box::new(UiCommand::OpenTask(task.id));
                    let action = NoticeAction { label: tr("tasks.show").to_owned(), then };
                    state.notices.push_with(state.now, NoticeKind::Done, title, shown(&task.title), action);
                    queue.push(UiCommand::Tasks(TasksCommand::Select(Some(task.id))));
                }
            },
            |state| state.pages.tasks.saving = false,
        );
    }

    fn update_task(&mut self, update: UpdateTask) {
        self.state.pages.tasks.saving = true;
        self.engine.send_or(
            &mut self.state,
            update,
            |state, _, task| {
                state.pages.tasks.saving = false;
                state.pages.tasks.editing = None;
                state.pages.tasks.changed(&task);
            },
            |state| state.pages.tasks.saving = false,
        );
    }
}

fn tell(state: &mut AppState, words: String) {
    state.notices.push(state.now, NoticeKind::Done, words, "");
}

/// A title as a notice shows it.
fn shown(title: &str) -> String {
    rspa_core::model::one_line(title).chars().take(120).collect()
}

/// Says what was deleted, with the way back for those that went into the trash since then.
fn offer_undo(state: &mut AppState, trash: &[TrashItem], since: Timestamp, count: u64) {
    let fresh = |item: &&TrashItem| item.kind == TrashKind::Task && item.deleted >= since;
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    let items: Vec<_> = trash.iter().filter(fresh).take(wanted).collect();
    let title = tr_count("tasks.told.deleted", count);
    let detail = items.first().filter(|_| count == 1).map_or_else(String::new, |item| shown(&item.title));
    if items.is_empty() {
        state.notices.push(state.now, NoticeKind::Info, title, detail);
        return;
    }
    let ids = items.iter().map(|item| item.id).collect();
    let then = Box::new(UiCommand::Tasks(TasksCommand::Restore(ids)));
    let action = NoticeAction { label: tr("trash.undo").to_owned(), then };
    state.notices.push_with(state.now, NoticeKind::Info, title, detail, action);
}
