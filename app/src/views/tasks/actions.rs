//! What can be done to tasks, wherever they are shown: entries of menus, and the commands behind them.

use egui::Ui;
use rspa_core::model::{BoardColumn, Task, TaskDraft, TaskId, TaskStatus};

use super::words;
use crate::commands::pages::tasks::TasksCommand;
use crate::commands::{CommandQueue, Confirmation, UiCommand};
use crate::state::pages::tasks::Editing;
use crate::text::{tr, tr_count, tr_with};

pub fn push(commands: &mut CommandQueue, command: TasksCommand) {
    commands.push(UiCommand::Tasks(command));
}

/// Deleting can be taken back, so nobody is asked.
pub fn delete(commands: &mut CommandQueue, ids: Vec<TaskId>) {
    if !ids.is_empty() {
        push(commands, TasksCommand::Delete(ids));
    }
}

/// Many at once are asked for first.
pub fn cancel(commands: &mut CommandQueue, ids: Vec<TaskId>) {
    let count = ids.len() as u64;
    let then = UiCommand::Tasks(TasksCommand::Cancel(ids));
    match count {
        0 => {}
        1 => commands.push(then),
        _ => commands.push(UiCommand::Confirm(Confirmation {
            title: tr_count("tasks.confirm.cancel", count),
            consequence: tr("tasks.confirm.cancel_detail").to_owned(),
            verb: tr("tasks.confirm.cancel_verb").to_owned(),
            danger: true,
            then: Box::new(then),
        })),
    }
}

/// The same again, as a task of its own.
pub fn run_again(commands: &mut CommandQueue, task: &Task) {
    push(commands, TasksCommand::Create(Box::new(draft_of(task))));
}

pub fn draft_of(task: &Task) -> TaskDraft {
    TaskDraft {
        description: task.description.clone(),
        priority: task.priority,
        input: task.input.clone(),
        labels: task.labels.clone(),
        max_retries: Some(task.max_retries),
        time_limit_s: Some(task.time_limit_s),
        ..TaskDraft::new(task.agent, task.title.clone())
    }
}

pub fn can_cancel(task: &Task) -> bool {
    !task.status.is_final()
}

pub fn can_retry(task: &Task) -> bool {
    matches!(task.status, TaskStatus::Failed | TaskStatus::Cancelled)
}

/// What runs now is left alone.
pub fn can_edit(task: &Task) -> bool {
    task.status == TaskStatus::Pending
}

pub fn can_delete(task: &Task) -> bool {
    task.status != TaskStatus::Running
}

/// The entries of the menu of one task.
pub fn menu(ui: &mut Ui, commands: &mut CommandQueue, task: &Task) {
    let id = task.id;
    if ui.button(tr("tasks.open")).clicked() {
        push(commands, TasksCommand::Select(Some(id)));
    }
    if can_edit(task) && ui.button(tr("tasks.edit")).clicked() {
        push(commands, TasksCommand::Edit(Editing::Change(Box::new(task.clone()))));
    }
    for column in [BoardColumn::Backlog, BoardColumn::Queued, BoardColumn::Done] {
        let name = tr_with("tasks.move_to", &[("name", &words::column(column))]);
        if column != task.column && task.status != TaskStatus::Running && ui.button(name).clicked() {
            push(commands, TasksCommand::Move { id, column, before: None });
        }
    }
    if task.status == TaskStatus::Pending {
        ui.separator();
        for priority in words::PRIORITIES.into_iter().rev() {
            let name = tr_with("tasks.priority_of", &[("name", &words::priority(priority))]);
            if ui.selectable_label(priority == task.priority, name).clicked() && priority != task.priority {
                push(commands, TasksCommand::SetPriority { ids: vec![id], priority });
            }
        }
    }
    ui.separator();
    if can_cancel(task) && ui.button(tr("tasks.cancel")).clicked() {
        cancel(commands, vec![id]);
    }
    if can_retry(task) && ui.button(tr("tasks.retry")).clicked() {
        push(commands, TasksCommand::Retry(vec![id]));
    }
    if task.status.is_final() && ui.button(tr("tasks.again")).clicked() {
        run_again(commands, task);
    }
    if can_delete(task) && ui.button(tr("tasks.delete")).clicked() {
        delete(commands, vec![id]);
    }
}
