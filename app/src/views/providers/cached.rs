//! The response cache: how much it answers, how fast, how full it is.

use egui::{Align, Label, Layout, Ui};
use rspa_core::model::{CacheStats, SettingValue};

use super::push;
use crate::commands::pages::providers::ProvidersCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::Page;
use crate::text::{bytes, number, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, card, cells, fact, page_body, progress_bar, section_title, states, toggle};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let slot = &cx.state.pages.providers.cache;
    let Some(stats) = slot.get() else {
        match slot.error() {
            Some(error) => {
                if states::error(ui, error) {
                    push(cx, ProvidersCommand::Refresh);
                }
            }
            None => states::loading(ui, tr("providers.cache.loading")),
        }
        return;
    };
    page_body(ui, 980.0, |ui| body(ui, cx, stats));
}

fn body(ui: &mut Ui, cx: &mut Cx<'_>, stats: &CacheStats) {
    let tokens = ui.tokens();
    ui.horizontal(|ui| {
        section_title(ui, tr("providers.cache.title"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let clear = Button::new(tr("providers.cache.clear")).icon(Icon::Broom).enabled(stats.entries > 0);
            if ui.add(clear).clicked() {
                cx.commands.push(UiCommand::Confirm(Confirmation {
                    title: tr("providers.cache.clear_title").to_owned(),
                    consequence: tr_count("providers.cache.clear_text", stats.entries),
                    verb: tr("providers.cache.clear").to_owned(),
                    danger: true,
                    then: Box::new(UiCommand::Providers(ProvidersCommand::ClearCache)),
                }));
            }
            let mut on = stats.enabled;
            if toggle(ui, &mut on, tr("providers.cache.switch")).changed() {
                let (key, value) = ("cache.enabled".to_owned(), SettingValue::Bool(on));
                cx.commands.push(UiCommand::SetSetting { key, value });
            }
            ui.label(tokens.rich(Type::Secondary, tr("providers.cache.switch")));
        });
    });
    ui.add(Label::new(tokens.rich(Type::Secondary, tr("providers.cache.text"))).wrap());
    ui.add_space(tokens.space.m);
    if !stats.enabled {
        states::banner(ui, crate::widgets::Tone::Warn, Icon::Info, tr("providers.cache.off"));
        ui.add_space(tokens.space.m);
    }
    figures(ui, stats);
    ui.add_space(tokens.space.l);
    let line = |ui: &mut Ui, key: &str, words: String| {
        fact(ui, tr(key), |ui| {
            ui.add(Label::new(tokens.rich(Type::Body, words)).wrap());
        });
    };
    line(ui, "providers.cache.lifetime", tr_count("providers.cache.hours", u64::from(stats.hours)));
    let memory = [tr_count("providers.cache.answers", stats.memory_entries), bytes(stats.memory_bytes)];
    line(ui, "providers.cache.memory", memory.join(" · "));
    let asked = tr_with("providers.cache.counts", &[("hits", &number(stats.hits)), ("misses", &number(stats.misses))]);
    line(ui, "providers.cache.since", asked);
    ui.add_space(tokens.space.s);
    if ui.add(Button::new(tr("providers.cache.settings")).icon(Icon::GearSix).small()).clicked() {
        cx.commands.push(UiCommand::OpenPage(Page::Settings));
    }
}

fn figures(ui: &mut Ui, stats: &CacheStats) {
    let tokens = ui.tokens();
    let rate = stats.hit_rate().map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
    let all = stats.hits + stats.misses;
    let (p50, p99) = match stats.hits {
        0 => ("–".to_owned(), String::new()),
        _ => (micros(stats.hit_p50_us), tr_with("providers.cache.p99", &[("time", &micros(stats.hit_p99_us))])),
    };
    let share = if stats.most_bytes == 0 { 0.0 } else { stats.bytes as f32 / stats.most_bytes as f32 };
    let of_cap = tr_with("providers.cache.of", &[("most", &bytes(stats.most_bytes))]);
    let figures: [(&str, String, String, Option<f32>); 4] = [
        ("providers.cache.rate", rate, tr_count("providers.cache.questions", all), stats.hit_rate().map(|r| r as f32)),
        ("providers.cache.entries", number(stats.entries), String::new(), None),
        ("providers.cache.size", bytes(stats.bytes), of_cap, Some(share)),
        ("providers.cache.time", p50, p99, None),
    ];
    let columns = if ui.available_width() < 700.0 { 2 } else { 4 };
    for row in figures.chunks(columns) {
        cells(ui, columns, tokens.space.m, |i, ui| {
            let Some((key, figure, beside, bar)) = row.get(i) else { return };
            card(ui, |ui| {
                ui.set_height(84.0);
                ui.take_available_width();
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.label(tokens.rich(Type::Secondary, tr(key)));
                ui.label(tokens.rich(Type::Figure, figure));
                match bar {
                    Some(share) => {
                        ui.horizontal(|ui| {
                            progress_bar(ui, tr(key), Some(*share), 56.0);
                            ui.add(Label::new(tokens.rich(Type::Label, beside)).truncate());
                        });
                    }
                    None => {
                        ui.add(Label::new(tokens.rich(Type::Label, beside)).truncate());
                    }
                }
            });
        });
        ui.add_space(tokens.space.s);
    }
}

/// "84 µs", "1.2 ms".
fn micros(us: f64) -> String {
    if us < 1_000.0 { format!("{us:.0} µs") } else { format!("{:.1} ms", us / 1_000.0) }
}
