//! Tasks that run, that wait, that come next and that ended, as one table.

use egui::{Align, Color32, Layout, Role, Sense, Stroke, Ui, WidgetInfo, vec2};
use rspa_core::model::{BoardColumn, Dashboard, Schedule, Task, TaskStatus, Timestamp, Wait, one_line};

use super::running::list_card;
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{duration, tr, tr_with};
use crate::views::Cx;
use crate::widgets::list::line;
use crate::widgets::{Button, Tone, dot};

/// Rows in all, of each kind at most so many.
const ROWS: usize = 9;
const ENDED: usize = 4;
const SCHEDULES: usize = 3;

/// One row, in words.
struct Row {
    tone: Tone,
    name: String,
    who: String,
    state: String,
    ink: Ink,
    time: String,
    leads: UiCommand,
}

enum Ink {
    Plain,
    Warn,
    Bad,
}

pub fn ui(ui: &mut Ui, figures: &Dashboard, cx: &mut Cx<'_>) {
    let rows = rows(figures, cx.state.now);
    list_card(ui, tr("dashboard.work"), |ui| {
        let tokens = ui.tokens();
        if rows.is_empty() {
            egui::Frame::new().inner_margin(tokens.space.l as i8).show(ui, |ui| {
                ui.label(tokens.rich(Type::Secondary, tr("dashboard.no_work")));
                ui.add_space(tokens.space.s);
                if ui.add(Button::new(Action::NewTask.name()).icon(Icon::Plus)).clicked() {
                    cx.commands.run(Action::NewTask);
                }
            });
            return;
        }
        header(ui);
        for row in &rows {
            if one(ui, row) {
                cx.commands.push(row.leads.clone());
            }
        }
    });
}

fn rows(figures: &Dashboard, now: Timestamp) -> Vec<Row> {
    let mut rows: Vec<Row> = figures.running.iter().map(|task| open(task, now)).collect();
    rows.extend(figures.needs_you.iter().filter(|task| task.column == BoardColumn::NeedsYou).map(|t| open(t, now)));
    rows.extend(figures.next.iter().map(|task| open(task, now)));
    rows.truncate(ROWS - ENDED.min(figures.ended.len()));
    let room = (ROWS - ENDED.min(figures.ended.len())).saturating_sub(rows.len()).min(SCHEDULES);
    rows.extend(figures.schedules.iter().take(room).map(|schedule| planned(schedule, now)));
    let room = ROWS.saturating_sub(rows.len());
    rows.extend(figures.ended.iter().take(room).map(ended));
    rows
}

fn row(task: &Task, tone: Tone, state: String, ink: Ink, time: String) -> Row {
    let who = if task.agent_name.is_empty() {
        tr("tasks.nobody").to_owned()
    } else {
        one_line(&task.agent_name).into_owned()
    };
    Row { tone, name: one_line(&task.title).into_owned(), who, state, ink, time, leads: UiCommand::OpenTask(task.id) }
}

fn open(task: &Task, now: Timestamp) -> Row {
    let since = |at: Option<Timestamp>| at.map(|at| duration((now.0 - at.0).max(0) as f64 / 1000.0));
    if task.column == BoardColumn::NeedsYou {
        let state = match &task.waits {
            Some(Wait::Repeat { .. }) => tr("dashboard.needs_repeat"),
            Some(Wait::Approval { .. }) => tr("dashboard.needs_approval"),
            _ => tr("dashboard.needs_word"),
        };
        return row(task, Tone::Warn, state.to_owned(), Ink::Warn, "–".to_owned());
    }
    if task.status == TaskStatus::Running {
        let state = match &task.progress {
            Some(progress) => {
                let step = tr_with("tasks.progress", &[("step", &progress.step), ("most", &progress.most)]);
                if progress.doing.is_empty() {
                    step
                } else {
                    format!("{step} · {}", one_line(&progress.doing).into_owned())
                }
            }
            None => tr("tasks.status.running").to_owned(),
        };
        return row(task, Tone::Accent, state, Ink::Plain, since(task.started).unwrap_or_default());
    }
    row(task, Tone::Neutral, waits(task, now), Ink::Plain, "–".to_owned())
}

/// Why it does not begin.
fn waits(task: &Task, now: Timestamp) -> String {
    match &task.waits {
        None => tr("tasks.status.pending").to_owned(),
        Some(Wait::Until { at }) => ahead(*at, now),
        Some(Wait::Tasks { .. }) => tr("dashboard.waits_others").to_owned(),
        Some(Wait::Broken { .. }) => tr("dashboard.waits_broken").to_owned(),
        Some(Wait::Agent { why }) => one_line(why).into_owned(),
        Some(Wait::Held) => tr("tasks.wait.held").to_owned(),
        Some(Wait::Nobody) => tr("tasks.wait.nobody").to_owned(),
        Some(Wait::Turn) => tr("tasks.wait.turn").to_owned(),
        Some(Wait::Paused) => tr("tasks.wait.paused").to_owned(),
        Some(Wait::Approval { .. }) => tr("tasks.wait.approval").to_owned(),
        Some(Wait::Repeat { .. }) => tr("tasks.wait.repeat").to_owned(),
    }
}

fn planned(schedule: &Schedule, now: Timestamp) -> Row {
    let at = schedule.next_run.unwrap_or(now);
    let who = if schedule.agent_name.is_empty() {
        tr("tasks.nobody").to_owned()
    } else {
        one_line(&schedule.agent_name).into_owned()
    };
    Row {
        tone: Tone::Neutral,
        name: one_line(&schedule.settings.name).into_owned(),
        who,
        state: one_line(&schedule.words).into_owned(),
        ink: Ink::Plain,
        time: ahead(at, now),
        leads: UiCommand::OpenSchedule(schedule.id),
    }
}

fn ended(task: &Task) -> Row {
    let took = duration(task.execution_ms as f64 / 1000.0);
    match (task.status, &task.error) {
        (TaskStatus::Failed, error) => {
            let why = error.as_ref().map(|error| one_line(&error.message).into_owned());
            let state = why.unwrap_or_else(|| tr("tasks.status.failed").to_owned());
            row(task, Tone::Bad, state, Ink::Bad, took)
        }
        (TaskStatus::Cancelled, _) => {
            row(task, Tone::Neutral, tr("tasks.status.cancelled").to_owned(), Ink::Plain, took)
        }
        _ => row(task, Tone::Ok, tr("tasks.status.completed").to_owned(), Ink::Plain, took),
    }
}

/// "in 6 h".
fn ahead(at: Timestamp, now: Timestamp) -> String {
    let minutes = (at.0 - now.0).max(0) / 60_000;
    match minutes {
        0 => tr("dashboard.soon").to_owned(),
        1..=59 => tr_with("dashboard.in_minutes", &[("n", &minutes)]),
        60..=2879 => tr_with("dashboard.in_hours", &[("n", &(minutes / 60))]),
        _ => tr_with("dashboard.in_days", &[("n", &(minutes / 1440))]),
    }
}

/// Where the columns begin: agent, state; the time stands at the right.
fn places(left: f32, width: f32) -> (f32, f32) {
    (left + width * 0.43, left + width * 0.64)
}

fn header(ui: &mut Ui) {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let (agent, state) = places(inner.left(), inner.width());
    let (middle, ink) = (rect.center().y, tokens.color.text_3);
    line(ui, inner.left(), agent, middle, tr("dashboard.column_task"), Type::Label, ink);
    line(ui, agent, state, middle, tr("dashboard.column_agent"), Type::Label, ink);
    line(ui, state, inner.right() - 60.0, middle, tr("dashboard.column_state"), Type::Label, ink);
    let (at, font) = (egui::pos2(inner.right(), middle), tokens.font(Type::Label));
    ui.painter().text(at, egui::Align2::RIGHT_CENTER, tr("dashboard.column_time"), font, ink);
}

fn one(ui: &mut Ui, row: &Row) -> bool {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::click());
    let spoken = format!("{}, {}, {}", row.name, row.who, row.state);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
    if response.hovered() {
        ui.painter().rect_filled(rect.shrink(1.0), tokens.radius.small, tokens.color.bg3);
    }
    if response.has_focus() {
        crate::widgets::focus_ring(ui, rect.shrink(2.0));
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let builder = egui::UiBuilder::new().max_rect(inner).layout(Layout::left_to_right(Align::Center));
    dot(&mut ui.new_child(builder), row.tone);
    let (agent, state) = places(inner.left(), inner.width());
    let (middle, gap) = (rect.center().y, tokens.space.s);
    let (at, font) = (egui::pos2(inner.right(), middle), tokens.font(Type::Label));
    let time = ui.painter().text(at, egui::Align2::RIGHT_CENTER, &row.time, font, tokens.color.text_3);
    let ink: Color32 = match row.ink {
        Ink::Plain => tokens.color.text,
        Ink::Warn => tokens.color.warn,
        Ink::Bad => tokens.color.bad,
    };
    line(ui, inner.left() + 8.0 + gap, agent - gap, middle, &row.name, Type::Body, tokens.color.text);
    line(ui, agent, state - gap, middle, &row.who, Type::Body, tokens.color.text_2);
    line(ui, state, time.left() - gap, middle, &row.state, Type::Body, ink);
    let cut = |words: &str, room: f32| {
        let font = tokens.font(Type::Body);
        ui.fonts_mut(|fonts| fonts.layout_no_wrap(words.to_owned(), font, ink).size().x) > room
    };
    let name = inner.left() + 8.0 + gap;
    if response.hovered() && (cut(&row.name, agent - gap - name) || cut(&row.state, time.left() - gap - state)) {
        return response.on_hover_text(format!("{}\n{}", row.name, row.state)).clicked();
    }
    response.clicked()
}
