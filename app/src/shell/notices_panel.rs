//! The list behind the bell: everything that the window told.

use egui::{Align2, Area, Context, Id, Key, Order, ScrollArea, vec2};

use crate::design::{Icon, Type, UiExt};
use crate::state::Notices;
use crate::text::{clock, tr};
use crate::widgets::{Button, IconButton, hairline, toast};

/// What the person wants after a frame of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Stay,
    Close,
    Clear,
    /// The button of this notice was pressed.
    Act(u64),
}

pub(super) fn ui(ctx: &Context, notices: &Notices) -> Wish {
    let tokens = ctx.tokens();
    let mut wish = Wish::Stay;
    let area = Area::new(Id::unique("notices"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, vec2(-tokens.space.m, -tokens.size.status - tokens.space.s))
        .accessible_name(tr("status.notices"));
    let response = area.show(ctx, |ui| {
        egui::Frame::popup(ui.style()).inner_margin(0).show(ui, |ui| {
            ui.set_width(380.0);
            ui.spacing_mut().item_spacing.y = 0.0;
            crate::widgets::column_header(ui, tr("status.notices"), |ui| {
                if ui.add(IconButton::new(Icon::X, tr("common.close"))).clicked() {
                    wish = Wish::Close;
                }
                if notices.list().len() > 0 && ui.add(Button::new(tr("notice.clear")).quiet()).clicked() {
                    wish = Wish::Clear;
                }
            });
            if notices.list().len() == 0 {
                egui::Frame::new().inner_margin(tokens.space.l as i8).show(ui, |ui| {
                    ui.label(tokens.rich(Type::Body, tr("notice.none")));
                    ui.label(tokens.rich(Type::Secondary, tr("notice.none_detail")));
                });
                return;
            }
            ScrollArea::vertical().max_height(360.0).min_scrolled_height(360.0).show(ui, |ui| {
                for notice in notices.list() {
                    let (icon, tone) = toast::look(notice.kind);
                    egui::Frame::new().inner_margin(tokens.space.m as i8).show(ui, |ui| {
                        ui.horizontal_top(|ui| {
                            ui.label(icon.rich(tokens.size.icon).color(tone.ink(tokens)));
                            ui.vertical(|ui| {
                                ui.set_width(ui.available_width() - 44.0);
                                ui.add(egui::Label::new(tokens.rich(Type::Body, &notice.title)).wrap());
                                if !notice.detail.is_empty() {
                                    ui.add(egui::Label::new(tokens.rich(Type::Secondary, &notice.detail)).wrap());
                                }
                                if let Some(action) = &notice.action
                                    && ui.add(Button::new(action.label.as_str()).small()).clicked()
                                {
                                    wish = Wish::Act(notice.number);
                                }
                            });
                            ui.label(tokens.rich(Type::Label, clock(notice.at)));
                        });
                    });
                    hairline(ui);
                }
            });
        });
    });
    let elsewhere = ctx.input(|i| {
        i.pointer.any_pressed()
            && i.pointer.interact_pos().is_some_and(|at| {
                !response.response.rect.contains(at) && at.y < i.content_rect().bottom() - tokens.size.status
            })
    });
    if elsewhere || ctx.input(|i| i.key_pressed(Key::Escape)) {
        wish = Wish::Close;
    }
    wish
}
