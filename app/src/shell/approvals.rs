//! The panel of what waits for the person: beside the page, never over what is being typed. One approval is shown whole, with
//! its answers; nothing can be allowed in the first moment after it appears.

mod history;

use egui::{Context, Frame, Id, Key, Label, Layout, Modifiers, Panel, ScrollArea, Ui};
use rspa_core::model::{Approval, ApprovalAnswer, ApprovalId, ProposedAction, one_line};

use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::{CommandQueue, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::state::pages::approvals::Part;
use crate::text::{since, tr, tr_with};
use crate::widgets::action::ActionView;
use crate::widgets::column::padded;
use crate::widgets::{Button, IconButton, ListRow, TextField, Tone, hairline, speak_as, states, steady};

const WIDTH: f32 = 460.0;
const NARROWEST: f32 = 340.0;
/// Bytes of an answer that is typed.
const REPLY: usize = 20_000;
/// Rows of the list above the one that is shown.
const LISTED: usize = 6;

#[derive(Default)]
pub struct ApprovalsPanel {
    shown: Option<ApprovalId>,
    action: ActionView,
    /// Why it is denied, or the answer to a question.
    words: String,
    was_open: bool,
    wants_focus: bool,
    /// Points that the answers took when they were drawn last.
    below: f32,
}

impl ApprovalsPanel {
    /// Draws the panel at the right while it is open.
    pub fn ui(&mut self, ui: &mut Ui, state: &AppState, commands: &mut CommandQueue) {
        let approvals = &state.pages.approvals;
        if !approvals.open {
            self.was_open = false;
            return;
        }
        let fresh = !std::mem::replace(&mut self.was_open, true);
        let tokens = ui.tokens();
        let whole = ui.available_width();
        let most = (whole - 420.0).clamp(NARROWEST, 900.0);
        Panel::right("approvals")
            .resizable(true)
            .default_size((whole * 0.36).clamp(NARROWEST, WIDTH).min(most))
            .size_range(NARROWEST..=most)
            .show_separator_line(false)
            .frame(Frame::new().fill(tokens.color.bg1))
            .show(ui, |ui| {
                let rect = ui.max_rect();
                let stroke = egui::Stroke::new(1.0, tokens.color.line);
                ui.painter().vline(rect.left() + 0.5, rect.y_range(), stroke);
                ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
                self.content(ui, state, commands, fresh);
            });
    }

    /// What stands in the panel.
    pub fn content(&mut self, ui: &mut Ui, state: &AppState, commands: &mut CommandQueue, fresh: bool) {
        let tokens = ui.tokens();
        let approvals = &state.pages.approvals;
        let push = |commands: &mut CommandQueue, command| commands.push(UiCommand::Approvals(command));
        crate::widgets::column_header(ui, tr("approvals.title"), |ui| {
            if ui.add(IconButton::new(Icon::X, tr("approvals.close"))).clicked() {
                push(commands, ApprovalsCommand::Close);
            }
        });
        let waiting = approvals.waiting().count();
        padded(ui, tokens.space.m, tokens.space.xs, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.xs;
                let waits = match waiting {
                    0 => tr("approvals.part.waiting").to_owned(),
                    n => format!("{} {n}", tr("approvals.part.waiting")),
                };
                for (part, name) in [
                    (Part::Waiting, waits),
                    (Part::Answered, tr("approvals.part.answered").to_owned()),
                    (Part::Rules, tr("approvals.part.rules").to_owned()),
                ] {
                    let here = approvals.part == part;
                    if ui.add(Button::new(name).quiet().small().selected(here)).clicked() && !here {
                        push(commands, ApprovalsCommand::Turn(part));
                    }
                }
            });
        });
        hairline(ui);
        match approvals.part {
            Part::Waiting => self.waiting(ui, state, commands, fresh),
            Part::Answered => history::answered(ui, state, commands),
            Part::Rules => history::rules(ui, state, commands),
        }
    }

    fn waiting(&mut self, ui: &mut Ui, state: &AppState, commands: &mut CommandQueue, fresh: bool) {
        let approvals = &state.pages.approvals;
        let Some(current) = approvals.current() else {
            self.shown = None;
            match (approvals.waiting.get(), approvals.waiting.error()) {
                (None, Some(error)) => {
                    if states::error(ui, error) {
                        commands.push(UiCommand::Approvals(ApprovalsCommand::Refresh));
                    }
                }
                (None, None) if approvals.waiting.is_waiting() => states::loading(ui, tr("approvals.loading")),
                _ => states::empty(ui, Icon::HandPalm, tr("approvals.empty"), tr("approvals.empty_detail"), |_| {}),
            }
            return;
        };
        if self.shown != Some(current.id) {
            self.shown = Some(current.id);
            self.action = ActionView::default();
            self.words.clear();
            self.wants_focus = true;
        }
        self.wants_focus |= fresh;
        list(ui, state, current, commands);
        let room = ui.available_height();
        let most = (room - self.below.clamp(96.0, (room * 0.6).max(96.0)) - 1.0).max(80.0);
        ScrollArea::vertical().id_salt(("approval", current.id.0)).auto_shrink(false).max_height(most).show(ui, |ui| {
            padded(ui, ui.tokens().space.l, ui.tokens().space.m, |ui| self.whole(ui, state, current, commands, most));
        });
        hairline(ui);
        let top = ui.cursor().top();
        padded(ui, ui.tokens().space.l, ui.tokens().space.s, |ui| self.answers(ui, current, commands));
        // Nothing that answers may lie below the edge, however many choices there are.
        let took = ui.cursor().top() - top;
        if (took - self.below).abs() > 0.5 {
            self.below = took;
            ui.ctx().request_discard("the answers take another height");
        }
    }

    /// Who, what task, why, and what exactly would happen.
    fn whole(&mut self, ui: &mut Ui, state: &AppState, approval: &Approval, commands: &mut CommandQueue, most: f32) {
        let tokens = ui.tokens();
        let title = short(&approval.title, 300);
        let heading = ui.add(Label::new(tokens.rich(Type::Title, &title)).wrap());
        speak_as(ui, &heading, egui::Role::Heading, &title);
        let who = tr_with(
            "approvals.who",
            &[("agent", &short(&approval.agent_name, 80)), ("tool", &short(&approval.tool, 60))],
        );
        ui.add(Label::new(tokens.rich(Type::Secondary, who)).wrap());
        if let Some(task) = approval.task {
            ui.horizontal(|ui| {
                let words = tr_with("approvals.task", &[("title", &short(&approval.task_title, 120))]);
                if ui.add(Button::new(tr("approvals.open_task")).icon(Icon::Kanban).quiet().small()).clicked() {
                    commands.push(UiCommand::OpenTask(task));
                }
                ui.add(Label::new(tokens.rich(Type::Secondary, words)).truncate());
            });
        }
        ui.label(tokens.rich(Type::Label, tr_with("approvals.asked", &[("when", &since(approval.at, state.now))])));
        ui.add_space(tokens.space.s);
        for what in approval.influenced_by.iter().take(20) {
            let words = tr_with("approvals.influenced", &[("what", &short(what, 300))]);
            states::banner(ui, Tone::Warn, Icon::ShieldWarning, &words);
            ui.add_space(tokens.space.xs);
        }
        self.action.show(
            ui,
            Id::unique(("approval action", approval.id.0)),
            &approval.action,
            (most - 120.0).max(160.0),
        );
    }

    fn answers(&mut self, ui: &mut Ui, approval: &Approval, commands: &mut CommandQueue) {
        let tokens = ui.tokens();
        let ready = steady(ui, Id::unique(("approval in panel", approval.id.0)), ui.max_rect());
        let mut answer = None;
        if let ProposedAction::Question { choices, .. } = &approval.action {
            self.reply(ui, approval, choices, &mut answer);
        } else {
            let field = TextField::new(&mut self.words, tr("approvals.reason")).hint(tr("approvals.reason_hint"));
            let response = field.show(ui);
            self.words.truncate(end_of(&self.words, REPLY));
            if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) && !self.words.trim().is_empty()
            {
                answer = Some(ApprovalAnswer::Deny { reason: self.words.trim().to_owned() });
            }
            ui.add_space(tokens.space.xs);
            ui.horizontal(|ui| {
                let deny = ui.add(Button::new(tr("approvals.deny")).icon(Icon::HandPalm));
                self.begin_at(ui, &deny);
                if deny.clicked() {
                    answer = Some(ApprovalAnswer::Deny { reason: self.words.trim().to_owned() });
                }
                ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                    let whole = !self.action.is_cut();
                    if ui.add(Button::new(tr("approvals.once")).primary().enabled(whole)).clicked() {
                        answer = Some(ApprovalAnswer::Once);
                    }
                });
            });
            if let Some(always) = &approval.always {
                // Apart from the safe answers, and in words.
                ui.add_space(tokens.space.xs);
                ui.horizontal(|ui| {
                    let button = Button::new(tr("approvals.always")).quiet().small().enabled(!self.action.is_cut());
                    if ui.add(button).clicked() {
                        answer = Some(ApprovalAnswer::Always);
                    }
                    let words = tr_with("approvals.always_covers", &[("what", &short(always, 300))]);
                    ui.add(Label::new(tokens.rich(Type::Secondary, words)).truncate())
                        .on_hover_text(short(always, 2_000));
                });
            }
        }
        if let Some(answer) = answer.filter(|_| ready) {
            self.words.clear();
            commands.push(UiCommand::Approvals(ApprovalsCommand::Answer { id: approval.id, answer }));
        }
    }

    fn reply(&mut self, ui: &mut Ui, approval: &Approval, choices: &[String], answer: &mut Option<ApprovalAnswer>) {
        let tokens = ui.tokens();
        if !choices.is_empty() {
            ui.horizontal_wrapped(|ui| {
                for choice in choices.iter().take(12) {
                    if ui.add(Button::new(short(choice, 80))).clicked() {
                        *answer = Some(ApprovalAnswer::Reply { text: choice.clone() });
                    }
                }
            });
            ui.add_space(tokens.space.xs);
        }
        let id = Id::unique(("approval reply", approval.id.0));
        let response =
            TextField::new(&mut self.words, tr("approvals.answer")).hint(tr("approvals.answer_hint")).id(id).show(ui);
        self.words.truncate(end_of(&self.words, REPLY));
        let typed = !self.words.trim().is_empty();
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.add_space(tokens.space.xs);
        ui.horizontal(|ui| {
            let deny = ui.add(Button::new(tr("approvals.no_answer")).quiet());
            self.begin_at(ui, &deny);
            if deny.clicked() {
                *answer = Some(ApprovalAnswer::Deny { reason: String::new() });
            }
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                let send = ui.add(Button::new(tr("approvals.send")).primary().enabled(typed));
                if typed && (send.clicked() || entered) {
                    *answer = Some(ApprovalAnswer::Reply { text: self.words.trim().to_owned() });
                }
            });
        });
    }

    /// The keyboard begins at the answer that does no harm, and only where it is not used for anything else.
    fn begin_at(&mut self, ui: &Ui, deny: &egui::Response) {
        let free = ui.memory(|memory| memory.focused().is_none()) && !ui.ctx().text_edit_focused();
        if std::mem::take(&mut self.wants_focus) && free {
            deny.request_focus();
        }
    }
}

/// The others that wait, above the one that is shown.
fn list(ui: &mut Ui, state: &AppState, current: &Approval, commands: &mut CommandQueue) {
    let tokens = ui.tokens();
    let waiting: Vec<&Approval> = state.pages.approvals.waiting().collect();
    if waiting.len() < 2 {
        return;
    }
    let rows = waiting.len().min(LISTED);
    let height = rows as f32 * tokens.size.row;
    let scroll = ScrollArea::vertical().id_salt("approvals list").max_height(height).auto_shrink([false, true]);
    scroll.show_rows(ui, tokens.size.row, waiting.len(), |ui, range| {
        for approval in &waiting[range] {
            let row = ListRow::new(short(&approval.title, 160))
                .icon(icon(&approval.action))
                .right(short(&approval.agent_name, 40))
                .selected(approval.id == current.id);
            if ui.add(row).clicked() {
                commands.push(UiCommand::Approvals(ApprovalsCommand::Show(Some(approval.id))));
            }
        }
    });
    hairline(ui);
}

fn icon(action: &ProposedAction) -> Icon {
    match action {
        ProposedAction::Look { .. } => Icon::Eye,
        ProposedAction::WriteFile { .. } => Icon::PencilSimple,
        ProposedAction::RunCommand { .. } => Icon::TerminalWindow,
        ProposedAction::HttpRequest { .. } => Icon::Globe,
        ProposedAction::Question { .. } => Icon::Question,
        ProposedAction::CreateTask { .. } => Icon::Kanban,
        ProposedAction::CreateSchedule { .. } => Icon::Clock,
        ProposedAction::Other { .. } => Icon::Wrench,
    }
}

/// Words of others on one line, bounded.
fn short(words: &str, letters: usize) -> String {
    let end = words.char_indices().nth(letters).map_or(words.len(), |(end, _)| end);
    let cut = if end < words.len() { "…" } else { "" };
    format!("{}{cut}", one_line(&words[..end]))
}

fn end_of(words: &str, most: usize) -> usize {
    let mut end = words.len().min(most);
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    end
}

/// Escape closes the panel, unless it leaves something else first.
pub fn escape(ctx: &Context, state: &AppState, commands: &mut CommandQueue) {
    let busy = ctx.text_edit_focused() || ctx.dragged_id().is_some() || egui::Popup::is_any_open(ctx);
    if state.pages.approvals.open && !busy && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        commands.push(UiCommand::Approvals(ApprovalsCommand::Close));
    }
}

#[cfg(test)]
mod tests;
