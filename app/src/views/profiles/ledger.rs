//! The network ledger as a table, one page at a time.

use egui::{Align2, Color32, Rect, Sense, Stroke, Ui, pos2, vec2};
use rspa_core::model::LedgerEntry;

use crate::commands::UiCommand;
use crate::commands::pages::profiles::ProfilesCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::profiles::LEDGER_ROWS;
use crate::text::{ago, bytes, number, tr, tr_with};
use crate::views::Cx;
use crate::widgets::list::line;
use crate::widgets::{IconButton, section_title, states};

const ROW: f32 = 32.0;
/// Of when, who, result, received, profile; the rest is shared by where, for what and why.
const FIXED: [f32; 5] = [80.0, 64.0, 64.0, 80.0, 88.0];
/// Below this width, who, for what and received are left out.
const WIDE: f32 = 640.0;

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let state = &cx.state.pages.profiles;
    ui.horizontal(|ui| {
        section_title(ui, tr("profiles.ledger"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| pager(ui, cx));
    });
    ui.label(tokens.rich(Type::Secondary, tr("profiles.ledger_text")));
    ui.add_space(tokens.space.s);
    let Some(page) = state.ledger.get() else {
        match state.ledger.error() {
            Some(error) => {
                if states::error(ui, error) {
                    cx.commands.push(UiCommand::Profiles(ProfilesCommand::Refresh));
                }
            }
            None => states::loading(ui, tr("profiles.ledger_loading")),
        }
        return;
    };
    if page.total == 0 {
        let text = format!("{} {}", tr("profiles.ledger_empty"), tr("profiles.ledger_empty_detail"));
        states::banner(ui, crate::widgets::Tone::Ok, Icon::ShieldCheck, &text);
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let columns = columns(ui.available_width());
    head(ui, &columns);
    for (index, entry) in page.items.iter().enumerate() {
        ui.push_id(index, |ui| row(ui, &columns, entry, cx.state.now));
    }
}

fn pager(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let Some(page) = cx.state.pages.profiles.ledger.get().filter(|page| page.total > 0) else { return };
    let shown = page.items.len() as u64;
    let rows = u64::from(LEDGER_ROWS);
    let mut turn = |offset| cx.commands.push(UiCommand::Profiles(ProfilesCommand::Ledger(offset)));
    let older = page.offset + shown < page.total;
    if ui.add(IconButton::new(Icon::CaretRight, tr("profiles.older")).enabled(older)).clicked() {
        turn(page.offset + rows);
    }
    let newer = page.offset > 0;
    if ui.add(IconButton::new(Icon::CaretLeft, tr("profiles.newer")).enabled(newer)).clicked() {
        turn(page.offset.saturating_sub(rows));
    }
    let first = if shown == 0 { page.offset } else { page.offset + 1 };
    let values = [("from", number(first)), ("to", number(page.offset + shown)), ("total", number(page.total))];
    let values: Vec<(&str, &dyn std::fmt::Display)> = values.iter().map(|(name, n)| (*name, n as _)).collect();
    ui.label(tokens.rich(Type::Secondary, tr_with("profiles.range", &values)));
}

/// Left edges and widths by the key of the column's title.
type Column = (&'static str, f32, f32);

fn columns(width: f32) -> Vec<Column> {
    let [when, who, result, size, profile] = FIXED;
    let parts: Vec<(&'static str, f32)> = if width > WIDE {
        let rest = width - FIXED.iter().sum::<f32>();
        vec![
            ("when", when),
            ("who", who),
            ("where", rest * 0.34),
            ("what", rest * 0.26),
            ("size", size),
            ("result", result),
            ("why", rest * 0.40),
            ("profile", profile),
        ]
    } else {
        let rest = width - when - result - profile;
        vec![("when", when), ("where", rest * 0.5), ("result", result), ("why", rest * 0.5), ("profile", profile)]
    };
    let mut left = 0.0;
    let place = |(key, width)| {
        let column = (key, left, width);
        left += width;
        column
    };
    parts.into_iter().map(place).collect()
}

fn head(ui: &mut Ui, columns: &[Column]) {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    for (key, left, width) in columns {
        let title = tr(&format!("profiles.ledger_{key}"));
        let cell = cell(rect, *left, *width);
        if *key == "size" {
            let font = tokens.font(Type::Label);
            ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, title, font, tokens.color.text_3);
        } else {
            line(ui, cell.left(), cell.right(), cell.center().y, title, Type::Label, tokens.color.text_3);
        }
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
}

fn cell(row: Rect, left: f32, width: f32) -> Rect {
    let left = row.left() + left;
    Rect::from_min_max(pos2(left, row.top()), pos2((left + width - 12.0).max(left), row.bottom()))
}

fn row(ui: &mut Ui, columns: &[Column], entry: &LedgerEntry, now: rspa_core::model::Timestamp) {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let result = if entry.allowed { tr("profiles.allowed") } else { tr("profiles.blocked") };
    response.widget_info(|| {
        let words = format!("{}: {}, {result}, {}", entry.destination, entry.purpose, entry.reason);
        egui::WidgetInfo::labeled(egui::Role::ListItem, true, words)
    });
    if ui.is_rect_visible(rect) {
        if response.hovered() {
            ui.painter().rect_filled(rect, 0.0, tokens.color.bg3);
        }
        for (key, left, width) in columns {
            let cell = cell(rect, *left, *width);
            let text = |text: &str, kind: Type, ink: Color32| {
                line(ui, cell.left(), cell.right(), cell.center().y, text, kind, ink);
            };
            match *key {
                "when" => text(&ago(entry.at, now), Type::Secondary, tokens.color.text_2),
                "who" => text(&entry.who, Type::Secondary, tokens.color.text_2),
                "where" => text(&entry.destination, Type::Body, tokens.color.text),
                "what" => text(&entry.purpose, Type::Secondary, tokens.color.text_2),
                "size" => {
                    let font = tokens.font(Type::Secondary);
                    let size = bytes(entry.bytes_received);
                    ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, size, font, tokens.color.text_2);
                }
                "result" => {
                    let ink = if entry.allowed { tokens.color.ok } else { tokens.color.bad };
                    text(result, Type::Secondary, ink);
                }
                "why" => text(&entry.reason, Type::Secondary, tokens.color.text_2),
                _ => text(&entry.profile_name, Type::Secondary, tokens.color.text_2),
            }
        }
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    }
    let sent = bytes(entry.bytes_sent);
    response.on_hover_text(format!(
        "{}\n{}\n{}\n{} ↑  {} ↓",
        entry.destination,
        entry.purpose,
        entry.reason,
        sent,
        bytes(entry.bytes_received)
    ));
}
