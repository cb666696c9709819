//! One card of the board: its height without any layout of text, its picture, and the buttons of what waits for the person.

use egui::{Align, Id, Layout, Painter, Rect, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2};
use rspa_core::model::{Approval, ApprovalAnswer, BoardColumn, ProposedAction, Task, Wait};

use super::words;
use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::design::{Icon, Tokens, Type};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, IconButton, Tone, action, list, menu, steady};

/// Points between two cards.
pub const GAP: f32 = 8.0;
const PAD: f32 = 10.0;
const TITLE: f32 = 20.0;
const AGENT: f32 = 18.0;
const LINE: f32 = 20.0;
const PROGRESS: f32 = 13.0;
const CODE: f32 = 17.0;
const BUTTONS: f32 = 32.0;
/// Where text begins, from the left edge: after the dot.
const TEXT: f32 = 25.0;

#[derive(Clone, Copy)]
pub struct Look {
    pub chosen: bool,
    pub hovered: bool,
    /// It is being dragged: only its place is seen.
    pub lifted: bool,
}

fn runs(task: &Task) -> bool {
    task.column == BoardColumn::Running
}

fn is_cut_off(task: &Task) -> bool {
    matches!(task.waits, Some(Wait::Repeat { .. }))
}

/// Lines of code that a card of this approval shows.
fn code_lines(approval: &Approval) -> usize {
    match &approval.action {
        ProposedAction::WriteFile { added, removed, .. } => 2 + (added + removed).min(3) as usize,
        ProposedAction::RunCommand { .. } | ProposedAction::CreateTask { .. } => 2,
        ProposedAction::CreateSchedule { .. } => 2,
        ProposedAction::HttpRequest { body, .. } => 1 + usize::from(!body.is_empty()),
        ProposedAction::Look { .. } | ProposedAction::Question { .. } | ProposedAction::Other { .. } => 1,
    }
}

pub fn height(task: &Task, approval: Option<&Approval>) -> f32 {
    let base = 2.0 * PAD + TITLE + AGENT;
    match approval {
        Some(approval) => {
            let influenced = if approval.influenced_by.is_empty() { 0.0 } else { LINE };
            base + 16.0 + code_lines(approval) as f32 * CODE + influenced + BUTTONS
        }
        None => {
            let line = if words::has_line(task) { LINE } else { 0.0 };
            let bar = if runs(task) && task.progress.is_some() { PROGRESS } else { 0.0 };
            let buttons = if is_cut_off(task) { BUTTONS } else { 0.0 };
            base + line + bar + buttons
        }
    }
}

/// The title, where the card has no room for all of it.
pub fn cut_title(ui: &Ui, tokens: &Tokens, rect: Rect, task: &Task) -> Option<String> {
    let title = words::title(task);
    let font = tokens.font(Type::Body);
    let needed = ui.fonts_mut(|fonts| fonts.layout_no_wrap(title.clone(), font, tokens.color.text).size().x);
    (needed > rect.width() - TEXT - PAD).then_some(title)
}

/// Dot, title and agent.
pub fn paint_head(painter: &Painter, ui: &Ui, tokens: &Tokens, rect: Rect, task: &Task) {
    let tone = words::priority_tone(task.priority);
    let ink = if tone == Tone::Neutral { tokens.color.text_3 } else { tone.ink(tokens) };
    let middle = rect.top() + PAD + TITLE / 2.0;
    painter.circle_filled(pos2(rect.left() + 14.0, middle), 3.5, ink);
    let write = |y: f32, words: &str, kind: Type, ink| {
        let mut job = egui::text::LayoutJob::simple_singleline(words.to_owned(), tokens.font(kind), ink);
        job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width() - TEXT - PAD);
        let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
        painter.galley(pos2(rect.left() + TEXT, y - galley.size().y / 2.0), galley, ink);
    };
    write(middle, &words::title(task), Type::Body, tokens.color.text);
    write(rect.top() + PAD + TITLE + AGENT / 2.0, &words::agent(task), Type::Secondary, tokens.color.text_3);
}

pub fn paint(ui: &Ui, cx: &Cx<'_>, tokens: &Tokens, rect: Rect, task: &Task, approval: Option<&Approval>, look: Look) {
    let painter = ui.painter();
    if look.lifted {
        painter.rect_filled(rect, tokens.radius.card, tokens.color.bg0);
        return;
    }
    let fill = if look.hovered { tokens.color.bg3 } else { tokens.color.bg2 };
    painter.rect_filled(rect, tokens.radius.card, fill);
    let line = if look.chosen { tokens.color.accent } else { tokens.color.line };
    painter.rect_stroke(rect, tokens.radius.card, Stroke::new(1.0, line), StrokeKind::Inside);
    paint_head(painter, ui, tokens, rect, task);
    let (left, right) = (rect.left() + TEXT, rect.right() - PAD);
    let mut top = rect.top() + PAD + TITLE + AGENT;
    if let Some(approval) = approval {
        let lines = code_lines(approval);
        let block = Rect::from_min_max(pos2(left, top + 4.0), pos2(right, top + 12.0 + lines as f32 * CODE));
        painter.rect_filled(block, tokens.radius.control, tokens.color.bg0);
        for (number, (tone, words)) in action::summary(&approval.action).into_iter().take(lines).enumerate() {
            let middle = block.top() + 4.0 + (number as f32 + 0.5) * CODE;
            let ink = if tone == Tone::Neutral { tokens.color.text_3 } else { tone.ink(tokens) };
            list::line(ui, block.left() + 8.0, block.right() - 8.0, middle, &words, Type::Code, ink);
        }
        if let Some(source) = approval.influenced_by.first() {
            let words = tr_with("approvals.influenced", &[("what", &words::short(source, 80))]);
            list::line(ui, left, right, block.bottom() + 12.0, &words, Type::Label, tokens.color.warn);
        }
        return;
    }
    if runs(task)
        && let Some(share) = words::share(task).or(task.progress.as_ref().map(|_| 0.0))
    {
        let bar = Rect::from_min_size(pos2(left, top + 7.0), vec2(right - left, 4.0));
        painter.rect_filled(bar, 2.0, tokens.color.bg3_hover);
        let mut done = bar;
        done.set_width(bar.width() * share);
        painter.rect_filled(done, 2.0, tokens.color.accent);
        top += PROGRESS;
    }
    if let Some((tone, words)) = words::line(task, &cx.state.pages.tasks, cx.state.now) {
        let ink = if tone == Tone::Neutral { tokens.color.text_3 } else { tone.ink(tokens) };
        list::line(ui, left, right, top + LINE / 2.0, &words, Type::Label, ink);
    }
}

/// What can be pressed on it.
pub fn controls(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, task: &Task, approval: Option<&Approval>, more: bool) {
    if more || menu_is_open(ui, task) {
        let place = Rect::from_center_size(pos2(rect.right() - 16.0, rect.top() + 16.0), vec2(24.0, 24.0));
        let name = tr_with("tasks.more", &[("n", &task.number)]);
        // An id of its own: it comes and goes, and what else is on the card must stay the same between press and release.
        let scope = Id::unique(("card more", task.id.0));
        let mut ui = ui.new_child(UiBuilder::new().scope_id(scope).max_rect(place));
        let button = ui.put(place, IconButton::new(Icon::DotsThree, name).small());
        menu(&button).show(|ui| super::actions::menu(ui, cx.commands, task));
        let open = egui::Popup::is_id_open(ui.ctx(), egui::Popup::default_response_id(&button));
        ui.data_mut(|data| data.insert_temp(menu_id(task), open));
    }
    let row = Rect::from_min_max(pos2(rect.left() + TEXT, rect.bottom() - BUTTONS - 4.0), rect.max - vec2(PAD, 6.0));
    let builder = UiBuilder::new().scope_id(Id::unique(("card buttons", task.id.0))).max_rect(row);
    if let Some(approval) = approval {
        let mut ui = ui.new_child(builder.layout(Layout::left_to_right(Align::Center)));
        ui.spacing_mut().item_spacing.x = 4.0;
        let ready = steady(&ui, Id::unique(("approval on card", approval.id.0)), rect);
        let answer = |answer| UiCommand::Approvals(ApprovalsCommand::Answer { id: approval.id, answer });
        let show = UiCommand::Approvals(ApprovalsCommand::Show(Some(approval.id)));
        if action::can_be_judged_short(approval) {
            if ui.add(Button::new(tr("approvals.once")).primary().small()).clicked() && ready {
                cx.commands.push(answer(ApprovalAnswer::Once));
            }
            if ui.add(Button::new(tr("approvals.show")).small()).clicked() {
                cx.commands.push(show);
            }
        } else {
            let question = matches!(approval.action, ProposedAction::Question { .. });
            let words = if question { "approvals.reply" } else { "approvals.review" };
            if ui.add(Button::new(tr(words)).primary().small()).clicked() {
                cx.commands.push(show);
            }
        }
        if ui.add(Button::new(tr("approvals.deny")).quiet().small()).clicked() && ready {
            cx.commands.push(answer(ApprovalAnswer::Deny { reason: String::new() }));
        }
    } else if is_cut_off(task) {
        let mut ui = ui.new_child(builder.layout(Layout::left_to_right(Align::Center)));
        if ui.add(Button::new(tr("tasks.repeat.decide")).primary().small()).clicked() {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Select(Some(task.id))));
        }
    }
}

fn menu_id(task: &Task) -> Id {
    Id::unique(("card menu", task.id.0))
}

fn menu_is_open(ui: &Ui, task: &Task) -> bool {
    ui.data(|data| data.get_temp(menu_id(task))).unwrap_or(false)
}
