//! What happened last, newest first.

use egui::{Align2, Sense, Stroke, Ui, vec2};
use rspa_core::model::{Activity, Overview, Timestamp};

use super::running::list_card;
use crate::design::{Icon, Type, UiExt};
use crate::text::{ago, tr};
use crate::widgets::activity;
use crate::widgets::list::line;

pub fn ui(ui: &mut Ui, overview: &Overview, now: Timestamp) {
    list_card(ui, tr("dashboard.activity"), |ui| {
        let tokens = ui.tokens();
        if overview.recent.is_empty() {
            egui::Frame::new().inner_margin(tokens.space.l as i8).show(ui, |ui| {
                ui.label(tokens.rich(Type::Secondary, tr("dashboard.no_activity")));
            });
        }
        for item in overview.recent.iter().take(12) {
            row(ui, item, now);
        }
    });
}

fn row(ui: &mut Ui, item: &Activity, now: Timestamp) {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 34.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ListItem, true, activity::title(&item.title)));
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let middle = rect.center().y;
    let ink = activity::tone(&item.kind).ink(tokens);
    let at = egui::pos2(inner.left(), middle);
    ui.painter().text(at, Align2::LEFT_CENTER, activity::icon(&item.kind).code(), Icon::font(tokens.size.icon), ink);
    let at = egui::pos2(inner.right(), middle);
    let when =
        ui.painter().text(at, Align2::RIGHT_CENTER, ago(item.at, now), tokens.font(Type::Label), tokens.color.text_3);
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    line(ui, left, when.left() - tokens.space.s, middle, &activity::title(&item.title), Type::Body, tokens.color.text);
}
