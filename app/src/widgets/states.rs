//! What stands where a list would be: nothing yet, loading, or an error with what can be done.

use egui::{Align, Layout, Ui, vec2};
use rspa_core::api::ApiError;

use super::{Button, Tone, progress_bar};
use crate::design::{Icon, Type, UiExt};
use crate::text::{sentence, tr};

/// Nothing is here yet: why, and what to do about it. `actions` draws the buttons.
pub fn empty(ui: &mut Ui, icon: Icon, title: &str, detail: &str, actions: impl FnOnce(&mut Ui)) {
    middle(ui, |ui| {
        let tokens = ui.tokens();
        ui.label(icon.rich(32.0).color(tokens.color.text_3));
        ui.add_space(tokens.space.s);
        ui.label(tokens.rich(Type::Title, title));
        ui.label(tokens.rich(Type::Secondary, detail));
        ui.add_space(tokens.space.m);
        actions(ui);
    });
}

/// Something is on its way. Nothing moves: a turning wheel would keep the computer awake.
pub fn loading(ui: &mut Ui, what: &str) {
    middle(ui, |ui| {
        let tokens = ui.tokens();
        ui.label(tokens.rich(Type::Secondary, what));
        ui.add_space(tokens.space.s);
        progress_bar(ui, what, None, 160.0);
    });
}

/// Somebody else must finish first: what is waited for, line by line. True when "Cancel" was pressed.
pub fn waiting(ui: &mut Ui, what: &str, lines: &[String]) -> bool {
    /// More would push the button out of sight.
    const SHOWN: usize = 6;
    let mut cancelled = false;
    middle(ui, |ui| {
        let tokens = ui.tokens();
        ui.label(tokens.rich(Type::Secondary, what));
        for line in lines.iter().take(SHOWN) {
            ui.label(tokens.rich(Type::Body, line));
        }
        ui.add_space(tokens.space.s);
        progress_bar(ui, what, None, 160.0);
        ui.add_space(tokens.space.m);
        cancelled = ui.add(Button::new(tr("common.cancel"))).clicked();
    });
    cancelled
}

/// Something failed: what, and what can be done. True when "Try again" was pressed.
pub fn error(ui: &mut Ui, error: &ApiError) -> bool {
    let mut again = false;
    middle(ui, |ui| {
        let tokens = ui.tokens();
        ui.label(Icon::WarningCircle.rich(32.0).color(tokens.color.bad));
        ui.add_space(tokens.space.s);
        ui.label(tokens.rich(Type::Title, sentence(&error.message)));
        ui.label(tokens.rich(Type::Secondary, &error.advice));
        ui.add_space(tokens.space.m);
        if error.recoverable {
            again = ui.add(Button::new(tr("common.try_again")).icon(Icon::ArrowClockwise)).clicked();
        }
    });
    again
}

/// A note inside a page: an icon, words, in a tone.
pub fn banner(ui: &mut Ui, tone: Tone, icon: Icon, text: &str) {
    let tokens = ui.tokens();
    egui::Frame::new()
        .fill(tone.ground(tokens))
        .corner_radius(tokens.radius.card)
        .inner_margin(egui::Margin::symmetric(tokens.space.m as i8, tokens.space.s as i8))
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.label(icon.rich(tokens.size.icon).color(tone.ink(tokens)));
                let ink = if tone == Tone::Neutral { tokens.color.text_2 } else { tone.ink(tokens) };
                ui.add(egui::Label::new(tokens.rich(Type::Secondary, text).color(ink)).wrap());
            });
            ui.take_available_width();
        });
}

/// Draws in the middle of what is free, at most 420 points wide.
fn middle(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let tokens = ui.tokens();
    let free = ui.available_rect_before_wrap();
    let width = free.width().min(420.0) - 2.0 * tokens.space.l;
    let top = free.top() + (free.height() * 0.38 - 60.0).max(tokens.space.l);
    let left = free.center().x - width / 2.0;
    let rect = egui::Rect::from_min_size(egui::pos2(left, top), vec2(width, (free.bottom() - top).max(0.0)));
    let builder = egui::UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::Center));
    ui.scope_builder(builder, add);
}

/// The engine cannot start: the error screen of the whole window. True when "Try again" was pressed.
pub fn core_failed(ui: &mut Ui, error: &ApiError) -> bool {
    let mut again = false;
    middle(ui, |ui| {
        let tokens = ui.tokens();
        ui.label(Icon::WarningCircle.rich(40.0).color(tokens.color.bad));
        ui.add_space(tokens.space.s);
        ui.label(tokens.rich(Type::Heading, tr("core.failed")));
        ui.add_space(tokens.space.s);
        ui.label(tokens.rich(Type::Body, sentence(&error.message)));
        ui.label(tokens.rich(Type::Secondary, &error.advice));
        ui.add_space(tokens.space.s);
        ui.label(tokens.rich(Type::Label, tr("core.failed_detail")));
        ui.add_space(tokens.space.l);
        again = ui.add(Button::new(tr("common.try_again")).icon(Icon::ArrowClockwise).primary()).clicked();
    });
    again
}
