//! Logs: what the program wrote down of its own work, filtered, followed live, one entry whole, exported.

mod detail;
mod filters;
mod list;

use egui::{Key, Modifiers, Ui};
use rspa_core::model::{LogFormat, LogId};

use super::{Cx, View};
use crate::commands::pages::logs::LogsCommand;
use crate::commands::{PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::logs::LogsChoice;
use crate::text::{number, tr, tr_with};
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, IconButton, Tone, page_header, states, toggle};

#[derive(Default)]
pub struct LogsView {
    filters: filters::Filters,
    list: list::List,
    /// The list that was drawn last: another one begins at its top.
    drawn: Option<(LogsChoice, LogId)>,
}

impl View for LogsView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let logs = &cx.state.pages.logs;
        let choice = &cx.state.ui.logs;
        self.keys(ui, cx);
        if logs.wants(choice) {
            cx.commands.push(UiCommand::Logs(LogsCommand::Choose(choice.clone())));
        } else if choice.follow && logs.has_newer() && self.list.is_at_top() {
            cx.commands.push(UiCommand::Logs(LogsCommand::Refresh));
        }
        let detail = logs.chosen().is_some();
        // Where there is no room beside the list, the entry stands in its place.
        let all = ui.max_rect();
        if detail && Columns::new(all, tokens, false, true).inspector.is_none() {
            column(ui, "entry", all, false, |ui| detail::ui(ui, cx));
            return;
        }
        column(ui, "log", all, false, |ui| {
            header(ui, cx);
            self.filters.ui(ui, cx);
            let columns = Columns::new(ui.available_rect_before_wrap(), tokens, false, detail);
            column(ui, "entries", columns.centre, detail, |ui| self.body(ui, cx));
            if let Some(rect) = columns.inspector {
                column(ui, "entry", rect, false, |ui| detail::ui(ui, cx));
            }
        });
    }
}

impl LogsView {
    fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>) {
        if !cx.focused {
            return;
        }
        if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::F)) {
            self.filters.focus();
        }
        let typing = ui.ctx().text_edit_focused();
        if !typing
            && cx.state.pages.logs.chosen().is_some()
            && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
        {
            cx.commands.push(UiCommand::Logs(LogsCommand::Select(None)));
        }
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let logs = &cx.state.pages.logs;
        let Some(shown) = &logs.shown else {
            match &logs.error {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::Logs(LogsCommand::Refresh));
                    }
                }
                None => states::loading(ui, tr("logs.loading")),
            }
            return;
        };
        if let Some(error) = &logs.error {
            let text = format!("{} {}", error.message, error.advice);
            states::banner(ui, Tone::Warn, Icon::Warning, &text);
            if ui.add(Button::new(tr("common.try_again")).icon(Icon::ArrowClockwise).small()).clicked() {
                cx.commands.push(UiCommand::Logs(LogsCommand::Refresh));
            }
        }
        let list = (shown.choice.clone(), shown.newest);
        if self.drawn.as_ref() != Some(&list) {
            self.list.begin_again();
            self.drawn = Some(list);
        }
        match (shown.total, shown.choice.is_everything()) {
            (0, true) => states::empty(ui, Icon::Article, tr("logs.empty"), tr("logs.empty_detail"), |_| {}),
            (0, false) if !shown.exact => states::loading(ui, tr("logs.searching")),
            (0, false) => states::empty(ui, Icon::Funnel, tr("logs.no_match"), tr("logs.no_match_detail"), |ui| {
                if ui.add(Button::new(tr("logs.clear")).icon(Icon::X)).clicked() {
                    let choice = LogsChoice { follow: cx.state.ui.logs.follow, ..LogsChoice::default() };
                    self.filters.take_over(&choice);
                    cx.commands.push(UiCommand::Logs(LogsCommand::Choose(choice)));
                }
            }),
            _ => self.list.ui(ui, cx, shown),
        }
    }
}

fn header(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let logs = &cx.state.pages.logs;
    page_header(ui, tr("page.logs"), |ui| {
        ui.spacing_mut().item_spacing.x = tokens.space.s;
        if logs.is_exporting() {
            if ui.add(Button::new(tr("logs.export.stop")).icon(Icon::Stop)).clicked() {
                cx.commands.push(UiCommand::Logs(LogsCommand::StopExport));
            }
            ui.label(tokens.rich(Type::Secondary, tr("logs.export.running")));
        } else {
            let export = ui.add(Button::new(tr("logs.export.name")).icon(Icon::Export));
            crate::widgets::menu(&export).show(|ui| {
                let formats = [
                    (LogFormat::Text, tr("logs.export.text")),
                    (LogFormat::Jsonl, tr("logs.export.jsonl")),
                    (LogFormat::Csv, tr("logs.export.csv")),
                ];
                for (format, name) in formats {
                    if ui.button(name).clicked() {
                        cx.commands.push(UiCommand::Pick(PickPurpose::LogFolder(format)));
                    }
                }
            });
        }
        if ui.add(IconButton::new(Icon::ArrowsClockwise, tr("logs.refresh"))).clicked() {
            cx.commands.push(UiCommand::Logs(LogsCommand::Refresh));
        }
        let mut follow = cx.state.ui.logs.follow;
        if toggle(ui, &mut follow, tr("logs.follow")).on_hover_text(tr("logs.follow_tip")).changed() {
            let choice = LogsChoice { follow, ..cx.state.ui.logs.clone() };
            cx.commands.push(UiCommand::Logs(LogsCommand::Choose(choice)));
        }
        ui.label(tokens.rich(Type::Secondary, tr("logs.follow")));
        ui.add_space(tokens.space.s);
        if let Some(shown) = &logs.shown {
            let key = if shown.exact { "logs.count" } else { "logs.count_so_far" };
            ui.label(tokens.rich(Type::Label, tr_with(key, &[("n", &number(shown.total))])));
        }
        if logs.has_newer() {
            let newer = Button::new(tr("logs.newer")).icon(Icon::ArrowUp).small();
            if ui.add(newer).clicked() {
                cx.commands.push(UiCommand::Logs(LogsCommand::Refresh));
            }
        }
    });
}

#[cfg(test)]
mod tests;
