//! The list behind the bell: what core keeps for the person, and what the window told, by day.

use egui::{Align2, Area, Context, Id, Key, Order, Role, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, vec2};
use rspa_core::model::{Notification, NotificationKind, Timestamp};

use crate::commands::pages::notifications::NotificationsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::{Notice, Notices};
use crate::text::{clock, day_heading, tr, tr_with};
use crate::widgets::{Button, IconButton, Tone, dot, hairline, toast};

/// What the person wants after a frame of the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    Stay,
    Close,
    Clear,
    /// The button of this notice was pressed.
    Act(u64),
    /// Something about what core keeps.
    Do(NotificationsCommand),
}

/// One line of the list.
enum Entry<'a> {
    Kept(&'a Notification),
    Told(&'a Notice),
}

impl Entry<'_> {
    fn at(&self) -> Timestamp {
        match self {
            Self::Kept(told) => told.at,
            Self::Told(notice) => notice.at,
        }
    }
}

pub(super) fn ui(ctx: &Context, notices: &Notices, kept: &[Notification], now: Timestamp) -> Wish {
    let tokens = ctx.tokens();
    let mut wish = Wish::Stay;
    let mut entries: Vec<Entry<'_>> = kept.iter().map(Entry::Kept).chain(notices.list().map(Entry::Told)).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at()));
    let area = Area::new(Id::unique("notices"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, vec2(-tokens.space.m, -tokens.size.status - tokens.space.s))
        .accessible_name(tr("status.notices"));
    let response = area.show(ctx, |ui| {
        egui::Frame::popup(ui.style()).inner_margin(0).show(ui, |ui| {
            ui.set_width(420.0);
            ui.spacing_mut().item_spacing.y = 0.0;
            crate::widgets::column_header(ui, tr("status.notices"), |ui| {
                if ui.add(IconButton::new(Icon::X, tr("common.close"))).clicked() {
                    wish = Wish::Close;
                }
                if !entries.is_empty() && ui.add(Button::new(tr("notice.clear")).quiet()).clicked() {
                    wish = Wish::Clear;
                }
                if kept.iter().any(|told| !told.read)
                    && ui.add(Button::new(tr("notifications.read_all")).quiet()).clicked()
                {
                    wish = Wish::Do(NotificationsCommand::Read(None));
                }
            });
            if entries.is_empty() {
                egui::Frame::new().inner_margin(tokens.space.l as i8).show(ui, |ui| {
                    ui.label(tokens.rich(Type::Body, tr("notice.none")));
                    ui.label(tokens.rich(Type::Secondary, tr("notice.none_detail")));
                });
                return;
            }
            let height = (ctx.content_rect().height() - 160.0).clamp(160.0, 420.0);
            ScrollArea::vertical().max_height(height).min_scrolled_height(height.min(360.0)).show(ui, |ui| {
                let mut day = String::new();
                for entry in &entries {
                    let heading = day_heading(entry.at(), now);
                    if heading != day {
                        egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 6)).show(ui, |ui| {
                            let label = ui.label(tokens.rich(Type::Label, &heading));
                            crate::widgets::speak_as(ui, &label, Role::Heading, &heading);
                        });
                        day = heading;
                    }
                    let one = match entry {
                        Entry::Kept(told) => kept_row(ui, told),
                        Entry::Told(notice) => told_row(ui, notice),
                    };
                    if let Some(one) = one {
                        wish = one;
                    }
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

/// Icon and tone of a kind of notification.
fn look(kind: NotificationKind) -> (Icon, Tone) {
    match kind {
        NotificationKind::Done => (Icon::CheckCircle, Tone::Ok),
        NotificationKind::Failed => (Icon::WarningCircle, Tone::Bad),
        NotificationKind::NeedsYou => (Icon::HandPalm, Tone::Warn),
        NotificationKind::Info => (Icon::Info, Tone::Neutral),
    }
}

fn kept_row(ui: &mut Ui, told: &Notification) -> Option<Wish> {
    let tokens = ui.tokens();
    let mut wish = None;
    let leads = told.task.is_some() || told.agent.is_some() || told.approval.is_some();
    let builder = UiBuilder::new().sense(Sense::click()).id_salt(("notification", told.id));
    let row = ui.scope_builder(builder, |ui| {
        let ground = match ui.response().hovered() && leads {
            true => tokens.color.bg3,
            false => egui::Color32::TRANSPARENT,
        };
        egui::Frame::new().fill(ground).inner_margin(tokens.space.m as i8).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                let (icon, tone) = look(told.kind);
                ui.label(icon.rich(tokens.size.icon).color(tone.ink(tokens)));
                ui.vertical(|ui| {
                    ui.set_width(ui.available_width() - 84.0);
                    let kind = if told.read { Type::Body } else { Type::Strong };
                    ui.add(egui::Label::new(tokens.rich(kind, &told.title)).wrap().selectable(false));
                    if !told.detail.is_empty() {
                        let detail = tokens.rich(Type::Secondary, &told.detail);
                        ui.add(egui::Label::new(detail).wrap().selectable(false));
                    }
                });
                ui.label(tokens.rich(Type::Label, clock(told.at)));
                if !told.read {
                    dot(ui, Tone::Accent);
                }
                let name = tr_with("notifications.clear_one", &[("title", &told.title)]);
                if ui.add(IconButton::new(Icon::X, name).small()).clicked() {
                    wish = Some(Wish::Do(NotificationsCommand::Clear(Some(told.id))));
                }
            });
        });
    });
    let key = if told.read { "notifications.row" } else { "notifications.row_unread" };
    let spoken = tr_with(key, &[("title", &told.title)]);
    row.response.widget_info(|| WidgetInfo::labeled(Role::Button, leads || !told.read, &spoken));
    if row.response.clicked() && wish.is_none() {
        wish = Some(Wish::Do(NotificationsCommand::Open(told.id)));
    }
    wish
}

fn told_row(ui: &mut Ui, notice: &Notice) -> Option<Wish> {
    let tokens = ui.tokens();
    let mut wish = None;
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
                    wish = Some(Wish::Act(notice.number));
                }
            });
            ui.label(tokens.rich(Type::Label, clock(notice.at)));
        });
    });
    wish
}

#[cfg(test)]
mod tests;
