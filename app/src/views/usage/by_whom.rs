//! The table: a line for each provider, model, agent or day, sorted by the column that is clicked.

use egui::{Align2, Layout, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{UsageGroup, UsageLine, UsageReport};

use super::{push, totals};
use crate::commands::pages::usage::UsageCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{duration, number, short, tr, tr_with};
use crate::views::Cx;
use crate::widgets::list::line;
use crate::widgets::{Button, focus_ring, section_title};

const ROW: f32 = 32.0;
/// More lines than these scroll by themselves.
const HIGHEST: f32 = 12.0 * ROW;

const GROUPS: [(UsageGroup, &str); 4] = [
    (UsageGroup::Model, "usage.by.model"),
    (UsageGroup::Provider, "usage.by.provider"),
    (UsageGroup::Agent, "usage.by.agent"),
    (UsageGroup::Day, "usage.by.day"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Key,
    Calls,
    Cached,
    In,
    Out,
    Time,
    Cost,
}

const COLUMNS: [(Column, &str); 7] = [
    (Column::Key, "usage.column.key"),
    (Column::Calls, "usage.column.calls"),
    (Column::Cached, "usage.column.cached"),
    (Column::In, "usage.column.in"),
    (Column::Out, "usage.column.out"),
    (Column::Time, "usage.column.time"),
    (Column::Cost, "usage.column.cost"),
];

#[derive(Default)]
pub struct TableOfUse {
    /// The column, and whether it falls; none is as core gave it.
    sort: Option<(Column, bool)>,
}

impl TableOfUse {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, report: &UsageReport) {
        let tokens = ui.tokens();
        let by = cx.state.pages.usage.query.by;
        ui.horizontal(|ui| {
            section_title(ui, tr("usage.table"));
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                for (group, key) in GROUPS.iter().rev() {
                    if ui.add(Button::new(tr(key)).quiet().small().selected(*group == by)).clicked() {
                        push(cx, UsageCommand::By(*group));
                        self.sort = None;
                    }
                }
            });
        });
        ui.add_space(tokens.space.xs);
        if report.lines.is_empty() {
            ui.label(tokens.rich(Type::Secondary, tr("usage.table_empty")));
            return;
        }
        let mut lines: Vec<&UsageLine> = report.lines.iter().collect();
        if let Some((column, falls)) = self.sort {
            lines.sort_by(|a, b| {
                let order = compare(column, a, b);
                if falls { order.reverse() } else { order }
            });
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        self.head(ui);
        let currency = report.currency.as_str();
        let scroll = egui::ScrollArea::vertical().id_salt("table of use").max_height(HIGHEST);
        scroll.show_rows(ui, ROW, lines.len(), |ui, range| {
            for at in range {
                ui.push_id(at, |ui| row(ui, lines[at], by, currency));
            }
        });
        ui.spacing_mut().item_spacing.y = tokens.space.xs;
    }

    fn head(&mut self, ui: &mut Ui) {
        let tokens = ui.tokens();
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
        for (i, (column, key)) in COLUMNS.iter().enumerate() {
            let cell = cell(rect, i);
            let title = tr(key);
            let response = ui.interact(cell, egui::Id::unique(("column of use", *key)), Sense::click());
            let told = tr_with("usage.sort_by", &[("column", &title)]);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &told));
            if response.clicked() {
                let falls = match self.sort {
                    Some((now, falls)) if now == *column => !falls,
                    // Names rise, figures fall.
                    _ => *column != Column::Key,
                };
                self.sort = Some((*column, falls));
            }
            let ink = if response.hovered() { tokens.color.text } else { tokens.color.text_3 };
            let font = tokens.font(Type::Label);
            let right = *column != Column::Key;
            let (at, align) = if right {
                (cell.right_center(), Align2::RIGHT_CENTER)
            } else {
                (cell.left_center(), Align2::LEFT_CENTER)
            };
            let text = ui.painter().text(at, align, title, font, ink);
            if let Some((_, falls)) = self.sort.filter(|(now, _)| now == column) {
                let icon = if falls { Icon::CaretDown } else { Icon::CaretUp };
                let (x, align) = if right {
                    (text.left() - 3.0, Align2::RIGHT_CENTER)
                } else {
                    (text.right() + 3.0, Align2::LEFT_CENTER)
                };
                ui.painter().text(pos2(x, cell.center().y), align, icon.code(), Icon::font(10.0), tokens.color.accent);
            }
            if response.has_focus() {
                focus_ring(ui, cell);
            }
        }
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    }
}

/// Where a column lies in a row: the name takes what the six figures leave.
fn cell(row: Rect, column: usize) -> Rect {
    let figures = COLUMNS.len() as f32 - 1.0;
    let width = (row.width() * 0.7 / figures).min(120.0);
    let names = row.width() - width * figures;
    let (left, right) = match column {
        0 => (row.left(), row.left() + names - 12.0),
        n => (row.left() + names + width * (n as f32 - 1.0) + 8.0, row.left() + names + width * n as f32),
    };
    Rect::from_min_max(pos2(left, row.top()), pos2(right, row.bottom()))
}

fn compare(column: Column, a: &UsageLine, b: &UsageLine) -> std::cmp::Ordering {
    match column {
        Column::Key => a.key.to_lowercase().cmp(&b.key.to_lowercase()),
        Column::Calls => a.calls.cmp(&b.calls),
        Column::Cached => a.cached.cmp(&b.cached),
        Column::In => a.prompt_tokens.cmp(&b.prompt_tokens),
        Column::Out => a.answer_tokens.cmp(&b.answer_tokens),
        Column::Time => a.seconds.total_cmp(&b.seconds),
        // What has no price stands below what has one.
        Column::Cost => a.cost.unwrap_or(-1.0).total_cmp(&b.cost.unwrap_or(-1.0)),
    }
}

fn name(line: &UsageLine, by: UsageGroup) -> String {
    match by {
        UsageGroup::Day => totals::day(&line.key),
        UsageGroup::Agent if line.key.is_empty() => tr("usage.no_agent").to_owned(),
        UsageGroup::Provider if line.key == rspa_core::model::ProviderId::EMBEDDED => tr("usage.embedded").to_owned(),
        _ => short(&line.key, 100),
    }
}

fn row(ui: &mut Ui, one: &UsageLine, by: UsageGroup, currency: &str) {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let name = name(one, by);
    let cost = one.cost.map_or_else(|| "–".to_owned(), |cost| totals::money(cost, currency));
    let figures = [
        number(one.calls),
        number(one.cached),
        number(one.prompt_tokens),
        number(one.answer_tokens),
        duration(one.seconds),
        cost,
    ];
    let told = tr_with(
        "usage.row",
        &[
            ("name", &name),
            ("calls", &figures[0]),
            ("in", &figures[2]),
            ("out", &figures[3]),
            ("time", &figures[4]),
            ("cost", &figures[5]),
        ],
    );
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &told));
    if !ui.is_rect_visible(rect) {
        return;
    }
    if response.hovered() {
        ui.painter().rect_filled(rect, 0.0, tokens.color.bg3);
    }
    let first = cell(rect, 0);
    line(ui, first.left(), first.right(), first.center().y, &name, Type::Body, tokens.color.text);
    for (i, figure) in figures.iter().enumerate() {
        let cell = cell(rect, i + 1);
        let font = tokens.font(Type::Secondary);
        ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, figure, font, tokens.color.text_2);
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
}
