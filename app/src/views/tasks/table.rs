//! The table: of a hundred thousand tasks only the rows in view are laid out; several are chosen by click, Shift, Ctrl and keys.

use std::collections::BTreeSet;

use egui::{Align2, Color32, Id, Key, Modifiers, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{BoardColumn, Task, TaskId, TaskSort};

use super::{actions, words};
use crate::commands::UiCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::pages::tasks::{PAGE, Rows, TasksChoice};
use crate::text::{ago, number, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{Button, Tone, list, menu};

const ROW: f32 = 32.0;
const HEAD: f32 = 28.0;
const BAR: f32 = 10.0;
const SHORTEST_HANDLE: f32 = 28.0;

#[derive(Default)]
pub struct TableView {
    /// The first row in view, with a part of it hidden.
    top: f64,
    grabbed: Option<f32>,
    /// The row that the keyboard is at, and the one from which Shift chooses.
    at: Option<u64>,
    anchor: Option<u64>,
    chosen: BTreeSet<TaskId>,
    /// The list that was drawn last: another one begins at its top.
    drawn: Option<TasksChoice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Number,
    Title,
    Agent,
    State,
    Priority,
    Labels,
    Due,
    Created,
    Time,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Number => tr("tasks.table.number"),
            Self::Title => tr("tasks.table.title"),
            Self::Agent => tr("tasks.table.agent"),
            Self::State => tr("tasks.table.state"),
            Self::Priority => tr("tasks.table.priority"),
            Self::Labels => tr("tasks.table.labels"),
            Self::Due => tr("tasks.table.due"),
            Self::Created => tr("tasks.table.created"),
            Self::Time => tr("tasks.table.time"),
        }
    }

    fn sort(self) -> Option<TaskSort> {
        match self {
            Self::Title => Some(TaskSort::Title),
            Self::State => Some(TaskSort::Updated),
            Self::Priority => Some(TaskSort::Priority),
            Self::Due => Some(TaskSort::Due),
            Self::Created | Self::Number => Some(TaskSort::Created),
            Self::Agent | Self::Labels | Self::Time => None,
        }
    }
}

impl TableView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let Some(rows) = &cx.state.pages.tasks.rows else { return };
        let choice = &cx.state.ui.tasks;
        if self.drawn.as_ref() != Some(choice) {
            (self.top, self.at, self.anchor) = (0.0, None, None);
            self.chosen.clear();
            self.drawn = Some(choice.clone());
        }
        if !self.chosen.is_empty() {
            self.bulk(ui, cx, rows);
        }
        let all = ui.available_rect_before_wrap();
        ui.allocate_rect(all, Sense::hover());
        let (head, body) = all.split_top_bottom_at_y(all.top() + HEAD);
        let columns = columns(tokens, body);
        header(ui, cx, tokens, head, &columns);
        let shown = f64::from(body.height() / ROW);
        self.keys(ui, cx, rows, shown);
        let dragged = self.bar(ui, tokens, body, rows.total, shown);
        if !dragged && ui.rect_contains_pointer(body) {
            self.top -= f64::from(ui.input(|input| input.smooth_scroll_delta().y) / ROW);
        }
        self.top = self.top.clamp(0.0, (rows.total as f64 - shown).max(0.0));
        let first = self.top as u64;
        let last = (first + shown.ceil() as u64 + 1).min(rows.total);
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(body));
        inside.set_clip_rect(ui.clip_rect().intersect(body));
        for index in first..last {
            let above = (index as f64 - self.top) * f64::from(ROW);
            let top = (body.top() + above as f32).round();
            let rect = Rect::from_min_size(pos2(body.left(), top), vec2(body.width() - BAR, ROW));
            match rows.row(index) {
                Some(task) => self.row(&mut inside, cx, rows, rect, &columns, index, task),
                None => {
                    let ink = tokens.color.text_3;
                    let left = body.left() + tokens.space.l;
                    list::line(&inside, left, rect.right(), rect.center().y, "…", Type::Label, ink);
                }
            }
        }
        let page = u64::from(PAGE);
        let wanted = (first / page..=last.saturating_sub(1) / page).find(|page| cx.state.pages.tasks.lacks(*page));
        if let Some(page) = wanted.filter(|_| last > first) {
            cx.commands.push(UiCommand::Tasks(TasksCommand::NeedRows(page)));
        }
    }

    /// What can be done with all that are chosen.
    fn bulk(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, rows: &Rows) {
        let tokens = ui.tokens();
        let ids: Vec<TaskId> = self.chosen.iter().copied().collect();
        let known: Vec<&Task> =
            rows.all().map(|(_, task)| task).filter(|task| self.chosen.contains(&task.id)).collect();
        padded(ui, tokens.space.l, tokens.space.xs, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.label(tokens.rich(Type::Strong, tr_count("tasks.bulk.chosen", ids.len() as u64)));
                let able = |can: fn(&Task) -> bool| known.is_empty() || known.iter().any(|task| can(task));
                let commands = &mut *cx.commands;
                let cancel =
                    Button::new(tr("tasks.cancel")).icon(Icon::Stop).small().enabled(able(actions::can_cancel));
                if ui.add(cancel).clicked() {
                    actions::cancel(commands, ids.clone());
                }
                let retry =
                    Button::new(tr("tasks.retry")).icon(Icon::ArrowClockwise).small().enabled(able(actions::can_retry));
                if ui.add(retry).clicked() {
                    actions::push(commands, TasksCommand::Retry(ids.clone()));
                }
                for column in [BoardColumn::Backlog, BoardColumn::Queued] {
                    let name = tr_with("tasks.move_to", &[("name", &words::column(column))]);
                    if ui.add(Button::new(name).small()).clicked() {
                        actions::push(commands, TasksCommand::MoveAll { ids: ids.clone(), column });
                    }
                }
                let priority = ui.add(Button::new(tr("tasks.table.priority")).icon(Icon::Flag).small());
                menu(&priority).show(|ui| {
                    for priority in words::PRIORITIES.into_iter().rev() {
                        if ui.button(words::priority(priority)).clicked() {
                            actions::push(commands, TasksCommand::SetPriority { ids: ids.clone(), priority });
                        }
                    }
                });
                let delete =
                    Button::new(tr("tasks.delete")).icon(Icon::Trash).small().enabled(able(actions::can_delete));
                if ui.add(delete).clicked() {
                    actions::delete(commands, ids.clone());
                    self.chosen.clear();
                }
                if ui.add(Button::new(tr("tasks.bulk.none")).quiet().small()).clicked() {
                    self.chosen.clear();
                }
            });
        });
    }

    fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>, rows: &Rows, shown: f64) {
        // Keys of a field or a button belong to it.
        let free = ui.memory(|memory| memory.focused().is_none());
        if !cx.focused || !free || rows.total == 0 || cx.state.pages.tasks.editing.is_some() {
            return;
        }
        if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::A)) {
            self.chosen.extend(rows.all().map(|(_, task)| task.id));
        }
        let keys = [Key::ArrowDown, Key::ArrowUp, Key::PageDown, Key::PageUp, Key::Home, Key::End];
        let shift = ui.input(|input| input.modifiers.shift);
        let pattern = if shift { Modifiers::SHIFT } else { Modifiers::NONE };
        let [down, up, page_down, page_up, home, end] =
            ui.input_mut(|input| keys.map(|key| input.consume_key(pattern, key)));
        let [enter, space, delete] = ui.input_mut(|input| {
            [Key::Enter, Key::Space, Key::Delete].map(|key| input.consume_key(Modifiers::NONE, key))
        });
        let here = self.at.and_then(|at| rows.row(at));
        if enter && let Some(task) = here {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Select(Some(task.id))));
        }
        if space && let Some(task) = here {
            self.toggle(task.id);
        }
        if delete {
            let one = here.map(|task| task.id);
            let ids =
                if self.chosen.is_empty() { one.into_iter().collect() } else { self.chosen.iter().copied().collect() };
            actions::delete(cx.commands, ids);
            self.chosen.clear();
        }
        let page = (shown as u64).saturating_sub(1).max(1);
        let last = rows.total - 1;
        let there = match self.at {
            _ if home => 0,
            _ if end => last,
            None if down || up => self.top.ceil() as u64,
            Some(row) if down => row + 1,
            Some(row) if up => row.saturating_sub(1),
            row if page_down => row.unwrap_or(self.top as u64) + page,
            row if page_up => row.unwrap_or(self.top as u64).saturating_sub(page),
            _ => return,
        }
        .min(last);
        if shift {
            self.reach(rows, self.at.unwrap_or(there), there);
        } else {
            self.anchor = Some(there);
        }
        self.at = Some(there);
        // The row comes into view.
        self.top = self.top.min(there as f64).max(there as f64 + 1.0 - shown);
        if cx.state.pages.tasks.chosen().is_some()
            && let Some(task) = rows.row(there)
        {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Select(Some(task.id))));
        }
    }

    fn toggle(&mut self, id: TaskId) {
        if !self.chosen.remove(&id) {
            self.chosen.insert(id);
        }
    }

    /// Chooses from where Shift began to there, as far as the rows are at hand.
    fn reach(&mut self, rows: &Rows, from: u64, to: u64) {
        let anchor = *self.anchor.get_or_insert(from);
        let between = anchor.min(to)..=anchor.max(to);
        self.chosen.extend(rows.all().filter(|(index, _)| between.contains(index)).map(|(_, task)| task.id));
    }

    #[expect(clippy::too_many_arguments, reason = "one row needs what its table knows")]
    fn row(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        rows: &Rows,
        rect: Rect,
        columns: &[(Column, f32, f32)],
        index: u64,
        task: &Task,
    ) {
        let tokens = ui.tokens();
        let now = cx.state.now;
        let response = ui.interact(rect, Id::unique(("task row", task.id.0)), Sense::click() - Sense::FOCUSABLE);
        let (open, chosen) = (cx.state.pages.tasks.chosen() == Some(task.id), self.chosen.contains(&task.id));
        let spoken = words::spoken(task, &cx.state.pages.tasks, now);
        response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen || open, &spoken));
        let fill = match (chosen || open, response.hovered()) {
            (true, _) => tokens.color.selection,
            (false, true) => tokens.color.bg3,
            _ => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, 0.0, fill);
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
        if self.at == Some(index) {
            let stroke = Stroke::new(1.0, tokens.color.accent);
            ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, StrokeKind::Inside);
        }
        let middle = rect.center().y;
        for (column, left, right) in columns {
            cell(ui, tokens, cx, *column, (*left, *right - tokens.space.s), middle, task);
        }
        if response.clicked() {
            let modifiers = ui.input(|input| input.modifiers);
            if modifiers.shift {
                self.reach(rows, self.at.unwrap_or(index), index);
            } else if modifiers.command {
                self.toggle(task.id);
                self.anchor = Some(index);
            } else {
                self.chosen.clear();
                self.anchor = Some(index);
                cx.commands.push(UiCommand::Tasks(TasksCommand::Select(Some(task.id))));
            }
            self.at = Some(index);
        }
        let task = task.clone();
        crate::widgets::context_menu(&response).show(|ui| actions::menu(ui, cx.commands, &task));
    }

    /// Draws the scroll bar; true while it is dragged.
    fn bar(&mut self, ui: &Ui, tokens: &Tokens, body: Rect, total: u64, rows: f64) -> bool {
        let hidden = total as f64 - rows;
        if hidden <= 0.0 {
            return false;
        }
        let bar = Rect::from_min_max(pos2(body.right() - BAR, body.top()), body.max);
        let response = ui.interact(bar, Id::unique("tasks scroll bar"), Sense::click_and_drag() - Sense::FOCUSABLE);
        let length = (body.height() * (rows / total as f64) as f32).max(SHORTEST_HANDLE).min(body.height());
        let way = body.height() - length;
        if let Some(pointer) = response.interact_pointer_pos() {
            let at = bar.top() + way * (self.top / hidden) as f32;
            let inside = (at..=at + length).contains(&pointer.y);
            let grabbed = *self.grabbed.get_or_insert(if inside { pointer.y - at } else { length / 2.0 });
            self.top = f64::from((pointer.y - grabbed - bar.top()) / way.max(1.0)) * hidden;
            self.top = self.top.clamp(0.0, hidden);
        } else {
            self.grabbed = None;
        }
        let at = bar.top() + way * (self.top / hidden) as f32;
        let handle = Rect::from_min_size(pos2(bar.left() + 2.0, at), vec2(BAR - 4.0, length));
        let hot = response.hovered() || response.dragged();
        let ink = if hot { tokens.color.text_3 } else { tokens.color.line_strong };
        ui.painter().rect_filled(handle, 3.0, ink);
        response.dragged()
    }
}

fn cell(ui: &Ui, tokens: &Tokens, cx: &Cx<'_>, column: Column, edges: (f32, f32), middle: f32, task: &Task) {
    let (left, right) = edges;
    let now = cx.state.now;
    let write = |words: &str, kind, ink| list::line(ui, left, right, middle, words, kind, ink);
    let (strong, weak) = (tokens.color.text_2, tokens.color.text_3);
    match column {
        Column::Number => write(&format!("#{}", task.number), Type::Secondary, weak),
        Column::Title => write(&words::title(task), Type::Body, tokens.color.text),
        Column::Agent => write(&words::agent(task), Type::Secondary, strong),
        Column::State => {
            let (tone, state) = words::state(task);
            write(state, Type::Secondary, if tone == Tone::Neutral { strong } else { tone.ink(tokens) })
        }
        Column::Priority => {
            let tone = words::priority_tone(task.priority);
            let ink = if tone == Tone::Neutral { weak } else { tone.ink(tokens) };
            ui.painter().circle_filled(pos2(left + 4.0, middle), 3.5, ink);
            list::line(ui, left + 14.0, right, middle, words::priority(task.priority), Type::Secondary, strong)
        }
        Column::Labels => {
            let labels: Vec<String> = task.labels.iter().take(6).map(|label| words::short(label, 30)).collect();
            write(&labels.join(", "), Type::Secondary, weak)
        }
        Column::Due => {
            let late = task.due.is_some_and(|at| at < now) && !task.status.is_final();
            let words = task.due.map_or_else(String::new, |at| words::when(at, now));
            write(&words, Type::Secondary, if late { tokens.color.warn } else { strong })
        }
        Column::Created => write(&ago(task.created, now), Type::Secondary, weak),
        Column::Time => write(&words::took(task, now).unwrap_or_default(), Type::Secondary, weak),
    };
}

/// The columns that find room, with their edges; the title takes what is left.
fn columns(tokens: &Tokens, body: Rect) -> Vec<(Column, f32, f32)> {
    let all = [
        (Column::Number, 64.0, 0.0),
        (Column::Title, 220.0, 0.0),
        (Column::Agent, 120.0, 0.0),
        (Column::State, 100.0, 0.0),
        (Column::Priority, 88.0, 620.0),
        (Column::Labels, 120.0, 1000.0),
        (Column::Due, 104.0, 800.0),
        (Column::Created, 84.0, 720.0),
        (Column::Time, 84.0, 900.0),
    ];
    let (left, right) = (body.left() + tokens.space.l, body.right() - BAR);
    let width = right - left;
    let shown: Vec<_> = all.into_iter().filter(|(_, _, least)| width >= *least).collect();
    let rest = (width - shown.iter().map(|(_, width, _)| width).sum::<f32>()).max(0.0);
    let mut at = left;
    shown
        .into_iter()
        .map(|(column, width, _)| {
            let from = at;
            at += width + if column == Column::Title { rest } else { 0.0 };
            (column, from, at)
        })
        .collect()
}

fn header(ui: &Ui, cx: &mut Cx<'_>, tokens: &Tokens, head: Rect, columns: &[(Column, f32, f32)]) {
    let middle = head.center().y;
    let total = cx.state.pages.tasks.rows.as_ref().map_or(0, |rows| rows.total);
    let response = ui.interact(head, Id::unique("tasks total"), Sense::hover());
    let words = tr_with("tasks.table.total", &[("n", &number(total))]);
    crate::widgets::speak_as(ui, &response, Role::Label, &words);
    let choice = &cx.state.ui.tasks;
    for (column, left, right) in columns {
        let sort = column.sort().filter(|_| *column != Column::Number);
        let here = sort == Some(choice.sort);
        let ink = if here { tokens.color.text } else { tokens.color.text_3 };
        let drawn = list::line(ui, *left, *right - tokens.space.s, middle, column.name(), Type::Label, ink);
        let Some(sort) = sort else { continue };
        let rect = Rect::from_min_max(pos2(*left, head.top()), pos2(*right, head.bottom()));
        let response = ui.interact(rect, Id::unique(("tasks head", column.name())), Sense::click());
        let name = tr_with("tasks.table.sort_by", &[("name", &sort_name(sort))]);
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, here, &name));
        if here || response.hovered() {
            let at = pos2(drawn.right() + 4.0, middle);
            ui.painter().text(at, Align2::LEFT_CENTER, Icon::CaretDown.code(), Icon::font(10.0), ink);
        }
        if response.has_focus() {
            crate::widgets::focus_ring(ui, rect.shrink(3.0));
        }
        if response.clicked() && !here {
            let choice = TasksChoice { sort, ..choice.clone() };
            cx.commands.push(UiCommand::Tasks(TasksCommand::Choose(choice)));
        }
        response.on_hover_text(name);
    }
    ui.painter().hline(head.x_range(), head.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
}

fn sort_name(sort: TaskSort) -> &'static str {
    match sort {
        TaskSort::Created => tr("tasks.sort.created"),
        TaskSort::Updated => tr("tasks.sort.updated"),
        TaskSort::Priority => tr("tasks.sort.priority"),
        TaskSort::Due => tr("tasks.sort.due"),
        TaskSort::Title => tr("tasks.sort.title"),
    }
}
