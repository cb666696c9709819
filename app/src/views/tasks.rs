//! Tasks as a board and as a table, the one that is chosen, and the form for new ones.

mod actions;
mod board;
mod card;
mod detail;
mod filters;
mod form;
mod run;
mod table;
mod timeline;
mod words;

use egui::{Key, Modifiers, Panel, Ui};
use rspa_core::model::BoardColumn;

use super::{Cx, View};
use crate::commands::pages::tasks::TasksCommand;
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, UiExt};
use crate::state::pages::tasks::{Editing, Shape, TasksChoice};
use crate::text::{tr, tr_count};
use crate::widgets::column::column;
use crate::widgets::{Button, Chip, IconButton, Tone, page_header, states};

/// Least height of the board or the table above a chosen task.
const LEAST: f32 = 180.0;

#[derive(Default)]
pub struct TasksView {
    filters: filters::Filters,
    board: board::BoardView,
    table: table::TableView,
    detail: detail::DetailView,
    form: form::FormView,
}

impl View for TasksView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let choice = &cx.state.ui.tasks;
        if cx.state.pages.tasks.wants(choice) {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Choose(choice.clone())));
        }
        self.keys(ui, cx);
        let all = ui.max_rect();
        column(ui, "tasks", all, false, |ui| {
            header(ui, cx, &mut self.filters);
            self.filters.ui(ui, cx);
            if cx.state.pages.tasks.chosen().is_some() {
                let tokens = ui.tokens();
                let room = ui.available_height();
                Panel::bottom("task detail")
                    .resizable(true)
                    .default_size((room * 0.46).max(LEAST))
                    .size_range(LEAST..=(room - LEAST).max(LEAST))
                    .show_separator_line(false)
                    .frame(egui::Frame::new().fill(tokens.color.bg1))
                    .show(ui, |ui| self.detail.ui(ui, cx));
            }
            self.body(ui, cx);
        });
        self.form.ui(ui, cx);
    }
}

impl TasksView {
    fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>) {
        if !cx.focused || cx.state.pages.tasks.editing.is_some() {
            return;
        }
        if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::F)) {
            self.filters.focus();
        }
        let typing = ui.ctx().text_edit_focused();
        let dragging = ui.ctx().dragged_id().is_some();
        if !typing
            && !dragging
            && !cx.state.pages.approvals.open
            && cx.state.pages.tasks.chosen().is_some()
            && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
        {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Select(None)));
        }
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tasks = &cx.state.pages.tasks;
        let choice = &cx.state.ui.tasks;
        let board = choice.shape == Shape::Board;
        let there = if board { tasks.cards.is_some() } else { tasks.rows.is_some() };
        if let Some(error) = &tasks.error {
            if !there {
                if states::error(ui, error) {
                    cx.commands.push(UiCommand::Tasks(TasksCommand::Refresh));
                }
                return;
            }
            ui.horizontal(|ui| {
                states::banner(ui, Tone::Warn, Icon::Warning, &format!("{} {}", error.message, error.advice));
            });
            if ui.add(Button::new(tr("common.try_again")).icon(Icon::ArrowClockwise).small()).clicked() {
                cx.commands.push(UiCommand::Tasks(TasksCommand::Refresh));
            }
        }
        let total = match (board, &tasks.cards, &tasks.rows) {
            (true, Some(cards), _) => cards.columns.iter().map(|content| content.total).sum::<u64>(),
            (false, _, Some(rows)) => rows.total,
            _ => {
                states::loading(ui, tr("tasks.loading"));
                return;
            }
        };
        if total == 0 && !tasks.is_reading() {
            nothing(ui, cx, choice);
            return;
        }
        if board {
            if let Some(cards) = &tasks.cards {
                self.board.ui(ui, cx, cards);
            }
        } else {
            self.table.ui(ui, cx);
        }
    }
}

fn nothing(ui: &mut Ui, cx: &mut Cx<'_>, choice: &TasksChoice) {
    if choice.is_everything() {
        states::empty(ui, Icon::Kanban, tr("tasks.empty"), tr("tasks.empty_detail"), |ui| {
            if ui.add(Button::new(tr("tasks.new")).icon(Icon::Plus).primary()).clicked() {
                cx.commands.run(Action::NewTask);
            }
            ui.add_space(ui.tokens().space.s);
            if ui.add(Button::new(Action::OpenAgents.name()).icon(Icon::Robot).quiet()).clicked() {
                cx.commands.run(Action::OpenAgents);
            }
        });
    } else {
        states::empty(ui, Icon::Funnel, tr("tasks.no_match"), tr("tasks.no_match_detail"), |ui| {
            if ui.add(Button::new(tr("tasks.clear")).icon(Icon::X)).clicked() {
                cx.commands.push(UiCommand::Tasks(TasksCommand::Choose(choice.cleared())));
            }
        });
    }
}

fn header(ui: &mut Ui, cx: &mut Cx<'_>, filters: &mut filters::Filters) {
    let tokens = ui.tokens();
    let tasks = &cx.state.pages.tasks;
    let counts = tasks.counts.get();
    let left = ui.cursor().left_top();
    page_header(ui, tr("page.tasks"), |ui| {
        ui.spacing_mut().item_spacing.x = tokens.space.s;
        if ui.add(Button::new(tr("tasks.new")).icon(Icon::Plus).primary()).clicked() {
            let editing = Editing::New { column: BoardColumn::Queued };
            cx.commands.push(UiCommand::Tasks(TasksCommand::Edit(editing)));
        }
        let choice = &cx.state.ui.tasks;
        for (shape, icon, name) in
            [(Shape::Board, Icon::Kanban, tr("tasks.board.name")), (Shape::Table, Icon::Table, tr("tasks.table.name"))]
        {
            let here = choice.shape == shape;
            if ui.add(Button::new(name).icon(icon).selected(here)).clicked() && !here {
                let choice = TasksChoice { shape, ..choice.clone() };
                cx.commands.push(UiCommand::Tasks(TasksCommand::Choose(choice)));
            }
        }
        let paused = counts.is_some_and(|counts| counts.paused);
        let (icon, name) = match paused {
            true => (Icon::Play, tr("tasks.queue.resume")),
            false => (Icon::Pause, tr("tasks.queue.pause")),
        };
        if ui.add(IconButton::new(icon, name)).clicked() {
            cx.commands.push(UiCommand::Tasks(TasksCommand::PauseQueue(!paused)));
        }
        if ui.add(IconButton::new(Icon::ArrowsClockwise, tr("tasks.refresh"))).clicked() {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Refresh));
        }
        // Beside the title stand how many are open, and that the queue is paused.
        filters.in_header(ui, cx, if paused { 220.0 } else { 90.0 });
    });
    let Some(counts) = counts else { return };
    // Beside the title.
    let font = tokens.font(crate::design::Type::Title);
    let title = ui.painter().layout_no_wrap(tr("page.tasks").to_owned(), font, tokens.color.text).size().x;
    let at = left + egui::vec2(tokens.space.l + title + tokens.space.m, 0.0);
    let rect = egui::Rect::from_min_size(at, egui::vec2(360.0, tokens.size.header));
    let builder = egui::UiBuilder::new().max_rect(rect).layout(egui::Layout::left_to_right(egui::Align::Center));
    let mut ui = ui.new_child(builder);
    ui.spacing_mut().item_spacing.x = tokens.space.xs;
    ui.add(Chip::new(tr_count("tasks.open_count", counts.pending + counts.running)));
    if counts.paused {
        ui.add(Chip::new(tr("tasks.queue.paused")).icon(Icon::PauseCircle).tone(Tone::Warn));
    }
}

#[cfg(test)]
mod tests;
