//! Usage: what models cost in tokens, time and money, by day and by whom; which parts of the program are used.

mod by_whom;
mod course;
mod totals;

use egui::{Align, Label, Layout, Ui};
use rspa_core::model::{SettingValue, UsageFormat, UsageReport};

use super::{Cx, View};
use crate::commands::pages::usage::UsageCommand;
use crate::commands::{Confirmation, PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::Page;
use crate::text::{number, short, tr, tr_count, tr_with};
use crate::widgets::{Button, Tone, menu, page_body, page_header, section_title, states, toggle};

const PERIODS: [u32; 3] = [7, 30, 90];

#[derive(Default)]
pub struct UsageView {
    course: course::Shown,
    table: by_whom::TableOfUse,
}

impl View for UsageView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        header(ui, cx);
        let slot = &cx.state.pages.usage.report;
        let Some(report) = slot.get() else {
            match slot.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, UsageCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("usage.loading")),
            }
            return;
        };
        page_body(ui, 1200.0, |ui| self.body(ui, cx, report));
    }
}

impl UsageView {
    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, report: &UsageReport) {
        let tokens = ui.tokens();
        if !report.recording {
            states::banner(ui, Tone::Warn, Icon::Info, tr("usage.off"));
            ui.add_space(tokens.space.xs);
            if ui.add(Button::new(tr("usage.switch_on")).icon(Icon::Check).small()).clicked() {
                set(cx, "usage.record", true);
            }
            ui.add_space(tokens.space.m);
        }
        if report.total.calls == 0 {
            let words = tr_count("usage.nothing", u64::from(cx.state.pages.usage.query.days));
            states::banner(ui, Tone::Neutral, Icon::ChartLineUp, &words);
            ui.add_space(tokens.space.m);
        }
        totals::ui(ui, report);
        ui.add_space(tokens.space.s);
        course::ui(ui, report, &mut self.course);
        ui.add_space(tokens.space.l);
        self.table.ui(ui, cx, report);
        without_price(ui, cx, report);
        ui.add_space(tokens.space.xl);
        features(ui, cx);
    }
}

fn header(ui: &mut Ui, cx: &mut Cx<'_>) {
    let page = &cx.state.pages.usage;
    let known = page.report.get().is_some();
    page_header(ui, tr("page.usage"), |ui| {
        ui.spacing_mut().item_spacing.x = ui.tokens().space.xs;
        let delete = ui.add(Button::new(tr("usage.delete")).icon(Icon::Trash).quiet().enabled(known));
        menu(&delete).show(|ui| {
            for (days, key) in [(90, "usage.delete_90"), (30, "usage.delete_30"), (0, "usage.delete_all")] {
                if ui.button(tr(key)).clicked() {
                    ask_delete(cx, days, key);
                }
            }
        });
        let export = ui.add(Button::new(tr("usage.export")).icon(Icon::Export).enabled(known));
        menu(&export).show(|ui| {
            for (format, key) in [(UsageFormat::Csv, "usage.csv"), (UsageFormat::Json, "usage.json")] {
                if ui.button(tr(key)).clicked() {
                    cx.commands.push(UiCommand::Pick(PickPurpose::UsageFolder(format)));
                }
            }
        });
        ui.add_space(ui.tokens().space.s);
        // From the right.
        for days in PERIODS.iter().rev() {
            let words = tr_count("usage.days", u64::from(*days));
            if ui.add(Button::new(words).quiet().selected(page.query.days == *days)).clicked() {
                push(cx, UsageCommand::Days(*days));
            }
        }
    });
}

fn ask_delete(cx: &mut Cx<'_>, days: u32, key: &str) {
    cx.commands.push(UiCommand::Confirm(Confirmation {
        title: tr("usage.delete_title").to_owned(),
        consequence: format!("{}. {}", tr(key), tr("usage.delete_text")),
        verb: tr("common.delete").to_owned(),
        danger: true,
        then: Box::new(UiCommand::Usage(UsageCommand::Delete { older_than_days: days })),
    }));
}

fn without_price(ui: &mut Ui, cx: &mut Cx<'_>, report: &UsageReport) {
    /// More would fill the page.
    const SHOWN: usize = 6;
    let tokens = ui.tokens();
    let has_price = report.total.cost.is_some();
    if report.without_price.is_empty() && (has_price || report.total.calls == 0) {
        return;
    }
    ui.add_space(tokens.space.s);
    let words = if report.without_price.is_empty() {
        tr("usage.no_prices").to_owned()
    } else {
        let mut names: Vec<String> = report.without_price.iter().take(SHOWN).map(|name| short(name, 60)).collect();
        if report.without_price.len() > SHOWN {
            names.push(format!("+{}", number((report.without_price.len() - SHOWN) as u64)));
        }
        tr_with("usage.without_price", &[("models", &names.join(", "))])
    };
    ui.horizontal(|ui| {
        ui.label(Icon::Info.rich(tokens.size.icon).color(tokens.color.text_3));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(Button::new(tr("usage.set_prices")).icon(Icon::GearSix).small()).clicked() {
                cx.commands.push(UiCommand::OpenPage(Page::Settings));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(tokens.rich(Type::Secondary, words)).wrap());
            });
        });
    });
}

fn features(ui: &mut Ui, cx: &mut Cx<'_>) {
    /// The most used ones; the export has all.
    const SHOWN: usize = 40;
    let tokens = ui.tokens();
    let on = match cx.state.setting("usage.features").map(|entry| &entry.value) {
        Some(SettingValue::Bool(on)) => *on,
        _ => true,
    };
    ui.horizontal(|ui| {
        section_title(ui, tr("usage.features"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut wanted = on;
            if toggle(ui, &mut wanted, tr("usage.features_switch")).changed() {
                set(cx, "usage.features", wanted);
            }
            ui.label(tokens.rich(Type::Secondary, tr("usage.features_switch")));
        });
    });
    ui.add(Label::new(tokens.rich(Type::Secondary, tr("usage.features_text"))).wrap());
    ui.add_space(tokens.space.s);
    let Some(all) = cx.state.pages.usage.features.get() else { return };
    if all.is_empty() {
        let key = if on { "usage.features_none" } else { "usage.features_off" };
        ui.label(tokens.rich(Type::Secondary, tr(key)));
        return;
    }
    let most = all.iter().map(|one| one.count).max().unwrap_or(1).max(1);
    ui.spacing_mut().item_spacing.y = 0.0;
    for one in all.iter().take(SHOWN) {
        totals::feature(ui, one, most);
    }
}

fn set(cx: &mut Cx<'_>, key: &str, on: bool) {
    cx.commands.push(UiCommand::SetSetting { key: key.to_owned(), value: SettingValue::Bool(on) });
}

fn push(cx: &mut Cx<'_>, command: UsageCommand) {
    cx.commands.push(UiCommand::Usage(command));
}

#[cfg(test)]
mod tests;
