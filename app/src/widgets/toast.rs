//! Toasts: notices that pass, at the lower right above the status bar, the newest lowest.

use egui::{Align2, Area, Context, Id, Order, Rect, vec2};

use super::{Button, IconButton, Tone};
use crate::design::{Icon, Type, UiExt};
use crate::state::{Notice, NoticeKind};
use crate::text::tr;

/// Icon and tone of a kind of notice.
pub fn look(kind: NoticeKind) -> (Icon, Tone) {
    match kind {
        NoticeKind::Info => (Icon::Info, Tone::Neutral),
        NoticeKind::Done => (Icon::CheckCircle, Tone::Ok),
        NoticeKind::Warning => (Icon::Warning, Tone::Warn),
        NoticeKind::Error => (Icon::WarningCircle, Tone::Bad),
    }
}

/// Keeps toasts of this frame and the next off a place where something is typed or pressed.
pub fn keep_clear(ctx: &Context, rect: Rect) {
    let frame = ctx.cumulative_frame_nr();
    ctx.data_mut(|data| data.insert_temp(clear_id(), (frame, rect)));
}

fn clear_id() -> Id {
    Id::unique("toast-clear")
}

/// What was pressed on a toast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    Close(u64),
    /// Its button.
    Action(u64),
}

/// Shows the newest few; returns what was pressed.
pub fn toasts<'a>(ctx: &Context, notices: impl Iterator<Item = &'a Notice>) -> Vec<Pressed> {
    let tokens = ctx.tokens();
    let mut pressed = Vec::new();
    let all: Vec<_> = notices.collect();
    let (width, margin) = (tokens.size.inspector - 2.0 * tokens.space.m, tokens.space.m);
    let screen = ctx.content_rect();
    let frame = ctx.cumulative_frame_nr();
    let mut up = tokens.size.status + tokens.space.m;
    if let Some((drawn, rect)) = ctx.data(|data| data.get_temp::<(u64, Rect)>(clear_id()))
        && drawn == frame
        && rect.right() > screen.right() - width - 2.0 * tokens.space.m
    {
        up = up.max(screen.bottom() - rect.top() + tokens.space.s);
    }
    for notice in all.iter().rev().take(4) {
        let (icon, tone) = look(notice.kind);
        let area = Area::new(Id::unique(("toast", notice.number)))
            .order(Order::Foreground)
            .anchor(Align2::RIGHT_BOTTOM, vec2(-tokens.space.m, -up));
        let response = area.show(ctx, |ui| {
            egui::Frame::popup(ui.style()).inner_margin(tokens.space.m as i8).show(ui, |ui| {
                ui.set_width(width - 2.0 * margin);
                ui.horizontal_top(|ui| {
                    ui.label(icon.rich(tokens.size.icon).color(tone.ink(tokens)));
                    ui.vertical(|ui| {
                        ui.set_width(ui.available_width() - tokens.size.control_small - tokens.space.s);
                        let title = ui.add(egui::Label::new(tokens.rich(Type::Body, &notice.title)).wrap());
                        crate::widgets::speak_as(ui, &title, egui::Role::Alert, &notice.title);
                        if !notice.detail.is_empty() {
                            ui.add(egui::Label::new(tokens.rich(Type::Secondary, &notice.detail)).wrap());
                        }
                        if let Some(action) = &notice.action {
                            ui.add_space(tokens.space.xs);
                            if ui.add(Button::new(action.label.as_str()).small()).clicked() {
                                pressed.push(Pressed::Action(notice.number));
                            }
                        }
                    });
                    if ui.add(IconButton::new(Icon::X, tr("notice.dismiss")).small()).clicked() {
                        pressed.push(Pressed::Close(notice.number));
                    }
                });
            });
        });
        up += response.response.rect.height() + tokens.space.s;
    }
    pressed
}
