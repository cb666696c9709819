//! Dialogs: a question with its consequences, answered by mouse, Enter or Escape.

use egui::{Context, Id, Key, Modal};

use super::Button;
use crate::commands::Confirmation;
use crate::design::{Type, UiExt};
use crate::text::tr;

/// How a dialog was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
}

/// A window over everything else, with a backdrop. True when it was left by Escape or a click beside it.
pub fn modal<R>(ctx: &Context, id: Id, width: f32, add: impl FnOnce(&mut egui::Ui) -> R) -> (R, bool) {
    let tokens = ctx.tokens();
    // Hung from above: what is centred moves away from under the pointer whenever its content grows.
    let top = (ctx.content_rect().height() * 0.15).max(tokens.space.l);
    let area = Modal::default_area(id).anchor(egui::Align2::CENTER_TOP, egui::vec2(0.0, top));
    let response = Modal::new(id)
        .area(area)
        .backdrop_color(tokens.color.backdrop)
        .frame(egui::Frame::popup(&ctx.global_style()).inner_margin(0))
        .show(ctx, |ui| {
            let width = width.min(ui.ctx().content_rect().width() - 2.0 * tokens.space.l);
            ui.set_width(width);
            add(ui)
        });
    let left = response.should_close();
    (response.inner, left)
}

/// Asks; none while the person thinks.
pub fn confirm(ctx: &Context, question: &Confirmation) -> Option<Answer> {
    let tokens = ctx.tokens();
    let (answer, left) = modal(ctx, Id::unique("confirm"), tokens.size.dialog, |ui| {
        let mut answer = None;
        egui::Frame::new().inner_margin(tokens.space.xl as i8).show(ui, |ui| {
            let title = ui.label(tokens.rich(Type::Heading, &question.title));
            super::speak_as(ui, &title, egui::Role::Heading, &question.title);
            ui.add_space(tokens.space.s);
            ui.add(egui::Label::new(tokens.rich(Type::Body, &question.consequence).color(tokens.color.text_2)).wrap());
            ui.add_space(tokens.space.l);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let button = Button::new(question.verb.as_str());
                let button = if question.danger { button.danger() } else { button.primary() };
                let yes = ui.add(button);
                let no = ui.add(Button::new(tr("common.cancel")));
                if yes.clicked() {
                    answer = Some(Answer::Yes);
                }
                if no.clicked() {
                    answer = Some(Answer::No);
                }
                // The keyboard starts on the harmless side when something would be lost.
                let start = if question.danger { &no } else { &yes };
                if ui.memory(|memory| memory.focused().is_none()) {
                    start.request_focus();
                }
            });
        });
        answer
    });
    let escaped = left || ctx.input(|i| i.key_pressed(Key::Escape));
    answer.or_else(|| escaped.then_some(Answer::No))
}
