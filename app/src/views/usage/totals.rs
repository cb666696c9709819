//! The totals of the period as big figures, and one feature with how often it was used.

use egui::{Align2, Label, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{FeatureUse, UsageReport};

use crate::design::{Type, UiExt};
use crate::text::{duration, number, short, tr, tr_count, tr_known, tr_with};
use crate::widgets::list::line;
use crate::widgets::{card, cells, sparkline};

pub fn ui(ui: &mut Ui, report: &UsageReport) {
    let tokens = ui.tokens();
    let total = &report.total;
    let share = if total.calls == 0 { 0.0 } else { total.cached as f64 / total.calls as f64 * 100.0 };
    let course = |of: fn(&rspa_core::model::UsageLine) -> f64| report.days.iter().map(of).collect::<Vec<f64>>();
    let cost = total.cost.map_or_else(|| "–".to_owned(), |cost| money(cost, &report.currency));
    let unpriced = if total.cost.is_none() { tr("usage.no_price").to_owned() } else { String::new() };
    let figures: [(&str, String, String, Vec<f64>); 6] = [
        (
            "usage.tokens_in",
            number(total.prompt_tokens),
            tr("usage.tokens").to_owned(),
            course(|day| day.prompt_tokens as f64),
        ),
        (
            "usage.tokens_out",
            number(total.answer_tokens),
            tr("usage.tokens").to_owned(),
            course(|day| day.answer_tokens as f64),
        ),
        ("usage.time", duration(total.seconds), String::new(), course(|day| day.seconds)),
        ("usage.cost", cost, unpriced, course(|day| day.cost.unwrap_or_default())),
        (
            "usage.calls",
            number(total.calls),
            tr_with("usage.failed", &[("n", &number(total.failed))]),
            course(|day| day.calls as f64),
        ),
        (
            "usage.cached",
            number(total.cached),
            tr_with("usage.share", &[("n", &format!("{share:.0}"))]),
            course(|day| day.cached as f64),
        ),
    ];
    let columns = if ui.available_width() < 640.0 { 2 } else { 3 };
    for row in figures.chunks(columns) {
        cells(ui, columns, tokens.space.m, |i, ui| {
            let Some((key, figure, beside, course)) = row.get(i) else { return };
            card(ui, |ui| {
                ui.set_height(78.0);
                ui.take_available_width();
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.label(tokens.rich(Type::Secondary, tr(key)));
                ui.horizontal(|ui| {
                    ui.label(tokens.rich(Type::Figure, figure));
                    if !beside.is_empty() {
                        ui.add(Label::new(tokens.rich(Type::Label, beside)).truncate());
                    }
                });
                ui.add_space(2.0);
                sparkline(ui, tr(key), course, tokens.color.accent, 20.0);
            });
        });
        ui.add_space(tokens.space.s);
    }
}

/// "1.24 USD"; small amounts with as many digits as say something.
pub fn money(amount: f64, currency: &str) -> String {
    let digits = match amount.abs() {
        0.0 => 2,
        small if small < 0.01 => 5,
        small if small < 1.0 => 3,
        _ => 2,
    };
    format!("{amount:.digits$} {}", short(currency, 8))
}

/// A feature, a bar for its count, and the day of its last use.
pub fn feature(ui: &mut Ui, one: &FeatureUse, most: u64) {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::hover());
    let name = feature_name(&one.feature);
    let count = tr_count("usage.times", one.count);
    let day = day(&one.last_day);
    let told = format!("{name}: {count}, {day}");
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &told));
    if !ui.is_rect_visible(rect) {
        return;
    }
    let middle = rect.center().y;
    let names = 220.0_f32.min(rect.width() * 0.4);
    line(ui, rect.left(), rect.left() + names, middle, &name, Type::Body, tokens.color.text);
    let font = tokens.font(Type::Label);
    let right = ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, day, font, tokens.color.text_3);
    let bar = egui::Rect::from_min_max(
        pos2(rect.left() + names + tokens.space.s, middle - 2.0),
        pos2(right.left().min(rect.right() - 90.0) - 90.0, middle + 2.0),
    );
    if bar.width() > 8.0 {
        ui.painter().rect_filled(bar, 2.0, tokens.color.bg3);
        let mut done = bar;
        done.set_width((bar.width() * (one.count as f32 / most as f32)).max(2.0));
        ui.painter().rect_filled(done, 2.0, tokens.color.accent);
    }
    let at = pos2(rect.right() - 90.0, middle);
    ui.painter().text(at, Align2::RIGHT_CENTER, count, tokens.font(Type::Secondary), tokens.color.text_2);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
}

/// In the words of the catalogue where it has them: the page "Chat" for `page.chat`.
fn feature_name(feature: &str) -> String {
    if let Some(title) = feature.strip_prefix("page.").and_then(|page| tr_known(&format!("page.{page}"))) {
        return tr_with("usage.page", &[("page", &title)]);
    }
    let words = short(&feature.replace(['.', '_'], " "), 60);
    crate::text::sentence(&words).into_owned()
}

/// `2026-11-20` as 20 Nov 2026.
pub fn day(text: &str) -> String {
    text.parse::<jiff::civil::Date>()
        .map_or_else(|_not_a_day| short(text, 20), |day| day.strftime("%-d %b %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(money(12.3456, "USD"), "12.35 USD");
        assert_eq!(money(0.00123, "EUR"), "0.00123 EUR");
        assert_eq!(day("2026-11-20"), "20 Nov 2026");
        assert_eq!(day("soon"), "soon");
        assert_eq!(feature_name("page.chat"), "Page “Chat”");
        assert_eq!(feature_name("crew.run"), "Crew run");
    }
}
