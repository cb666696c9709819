//! Questions of other processes to the person: who asks, what will happen, and nothing without a deliberate yes.

use egui::{Context, Id, Key, UserAttentionType, ViewportCommand};
use rspa_core::api::request::consents::AnswerConsent;
use rspa_core::model::{ConsentId, ConsentQuestion};

use super::Shell;
use crate::design::{Type, UiExt};
use crate::text::{tr, tr_with};
use crate::widgets::dialog::{self, Answer};
use crate::widgets::{Button, speak_as};

/// Seconds before a question can be allowed: it must not be hit by a click or a key that was meant for something else.
const BEFORE_YES: f64 = 1.0;

/// The question that is shown, and since when (seconds of egui's clock).
#[derive(Default)]
pub(super) struct Asking {
    shown: Option<(ConsentId, f64)>,
}

impl Shell {
    /// Brings the window to the front when the program was started once more, and asks for attention for a question.
    pub(super) fn come_forward(&mut self, ctx: &Context) {
        if std::mem::take(&mut self.state.window_wanted) {
            ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(ViewportCommand::Focus);
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Informational));
        }
        let first = self.state.consents.first().map(|question| question.id);
        if first.is_some() && self.consent.shown.map(|(id, _)| id) != first {
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Critical));
        }
    }

    pub(super) fn consents(&mut self, ctx: &Context) {
        let Some(question) = self.state.consents.first().cloned() else {
            self.consent.shown = None;
            return;
        };
        let now = ctx.input(|i| i.time);
        let (since, fresh) = match self.consent.shown {
            Some((id, since)) if id == question.id => (since, false),
            _ => (now, true),
        };
        self.consent.shown = Some((question.id, since));
        let wait = since + BEFORE_YES - now;
        if wait > 0.0 {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64(wait));
        }
        if let Some(answer) = ask(ctx, &question, self.state.consents.len(), fresh, wait <= 0.0) {
            let allowed = answer == Answer::Yes;
            self.state.consents.ended(question.id);
            self.engine.send(&mut self.state, AnswerConsent { id: question.id, allowed }, |_, _, ()| {});
            ctx.request_repaint();
        }
    }
}

/// None while the person thinks.
fn ask(ctx: &Context, question: &ConsentQuestion, waiting: usize, fresh: bool, ready: bool) -> Option<Answer> {
    let tokens = ctx.tokens();
    let (answer, left) = dialog::modal(ctx, Id::unique("consent"), tokens.size.dialog, |ui| {
        let mut answer = None;
        egui::Frame::new().inner_margin(tokens.space.xl as i8).show(ui, |ui| {
            let title = ui.label(tokens.rich(Type::Heading, tr("consents.title")));
            speak_as(ui, &title, egui::Role::Heading, tr("consents.title"));
            ui.add_space(tokens.space.m);
            let what = ui.add(egui::Label::new(tokens.rich(Type::Strong, &question.what)).wrap());
            speak_as(ui, &what, egui::Role::Alert, &question.what);
            ui.add_space(tokens.space.m);
            ui.label(tokens.rich(Type::Label, tr("consents.who")));
            ui.add(egui::Label::new(tokens.rich(Type::Code, &question.who)).wrap());
            ui.add_space(tokens.space.m);
            let hint = tokens.rich(Type::Body, tr("consents.hint")).color(tokens.color.text_2);
            ui.add(egui::Label::new(hint).wrap());
            ui.add_space(tokens.space.l);
            ui.horizontal(|ui| {
                if waiting > 1 {
                    ui.label(tokens.rich(Type::Label, tr_with("consents.more", &[("n", &(waiting - 1))])));
                }
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let refuse = ui.add(Button::new(tr("consents.refuse")).primary());
                    let allow = ui.add(Button::new(tr("consents.allow")).enabled(ready));
                    if allow.clicked() && ready {
                        answer = Some(Answer::Yes);
                    }
                    if refuse.clicked() {
                        answer = Some(Answer::No);
                    }
                    // Something below may have taken the keyboard for one frame: a key of that frame was meant for this.
                    let astray = !refuse.has_focus() && !allow.has_focus();
                    if astray && !fresh && ui.input(|i| i.key_pressed(Key::Enter) || i.key_pressed(Key::Space)) {
                        answer = Some(Answer::No);
                    }
                    // Whatever had the keyboard: a key that is on its way refuses. Afterwards Tab leads to the other.
                    let lost = !ready || ui.memory(|memory| memory.focused().is_none());
                    if lost && !refuse.has_focus() {
                        refuse.request_focus();
                    }
                });
            });
        });
        answer
    });
    let escaped = left || ctx.input(|i| i.key_pressed(Key::Escape));
    answer.or_else(|| (escaped && !fresh).then_some(Answer::No))
}
