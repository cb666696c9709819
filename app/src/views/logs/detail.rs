//! One entry whole: when and where, the message, the error with its causes, the fields; to be copied.

use std::fmt::Write as _;

use egui::{Label, ScrollArea, Ui};
use rspa_core::model::{LogEntry, harmless, one_line};

use super::filters::{level_name, tone};
use crate::commands::UiCommand;
use crate::commands::pages::logs::LogsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::logs::LogsChoice;
use crate::text::tr;
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{Button, Chip, IconButton, column_header, fact, section_title, states};

/// Characters of one text that are laid out; the copy has all.
const LONGEST: usize = 20_000;

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let slot = &cx.state.pages.logs.detail;
    let entry = slot.get().and_then(Option::as_ref);
    column_header(ui, tr("logs.detail.title"), |ui| {
        if ui.add(IconButton::new(Icon::X, tr("logs.detail.close"))).clicked() {
            cx.commands.push(UiCommand::Logs(LogsCommand::Select(None)));
        }
        if let Some(entry) = entry
            && ui.add(IconButton::new(Icon::Copy, tr("logs.detail.copy"))).clicked()
        {
            cx.commands.push(UiCommand::CopyText(as_text(entry)));
        }
    });
    match (entry, slot.get(), slot.error()) {
        (Some(entry), _, _) => whole(ui, cx, entry),
        (None, Some(_), _) => {
            states::empty(ui, Icon::Prohibit, tr("logs.detail.gone"), tr("logs.detail.gone_detail"), |_| {});
        }
        (None, None, Some(error)) => {
            states::error(ui, error);
        }
        (None, None, None) => states::loading(ui, tr("logs.detail.loading")),
    }
}

fn whole(ui: &mut Ui, cx: &mut Cx<'_>, entry: &LogEntry) {
    let tokens = ui.tokens();
    ScrollArea::vertical().id_salt(("log entry", entry.id.0)).auto_shrink(false).show(ui, |ui| {
        padded(ui, tokens.space.l, tokens.space.m, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.add(Chip::new(level_name(entry.level)).tone(tone(entry.level)));
                ui.label(tokens.rich(Type::Secondary, time(entry)));
            });
            ui.add_space(tokens.space.s);
            text(ui, Type::Body, &entry.message);
            if !entry.errors.is_empty() {
                section(ui, tr("logs.detail.errors"));
                for error in &entry.errors {
                    text(ui, Type::Body, error);
                }
            }
            if !entry.fields.is_empty() {
                section(ui, tr("logs.detail.fields"));
                ui.scope(|ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    for (name, value) in &entry.fields {
                        fact(ui, &one_line(name), |ui| text(ui, Type::Code, value));
                    }
                });
            }
            if !entry.span.is_empty() {
                section(ui, tr("logs.detail.span"));
                text(ui, Type::Code, &entry.span);
            }
            section(ui, tr("logs.detail.place"));
            text(ui, Type::Code, &place(entry));
            ui.label(tokens.rich(Type::Label, format!("{} {}", tr("logs.detail.number"), entry.id.0)));
            ui.add_space(tokens.space.m);
            ui.horizontal_wrapped(|ui| {
                let choice = &cx.state.ui.logs;
                if ui.add(Button::new(tr("logs.detail.only_target")).icon(Icon::Funnel).small()).clicked() {
                    let choice = LogsChoice { target: Some(entry.target.clone()), ..choice.clone() };
                    cx.commands.push(UiCommand::Logs(LogsCommand::Choose(choice)));
                }
                if ui.add(Button::new(tr("logs.detail.only_level")).icon(Icon::Funnel).small()).clicked() {
                    let choice = LogsChoice { levels: vec![entry.level], ..choice.clone() };
                    cx.commands.push(UiCommand::Logs(LogsCommand::Choose(choice)));
                }
            });
        });
    });
}

fn section(ui: &mut Ui, title: &str) {
    let tokens = ui.tokens();
    ui.add_space(tokens.space.m);
    section_title(ui, title);
}

/// Text that may come from anywhere: nothing in it steers, and it can be selected.
fn text(ui: &mut Ui, kind: Type, words: &str) {
    let tokens = ui.tokens();
    let end = words.char_indices().nth(LONGEST).map_or(words.len(), |(end, _)| end);
    ui.add(Label::new(tokens.rich(kind, harmless(&words[..end]))).wrap().selectable(true));
}

/// Target, function and line, as far as they are known.
fn place(entry: &LogEntry) -> String {
    let mut place = one_line(&entry.target).into_owned();
    if entry.module != entry.target {
        write!(place, "\n{}", one_line(&entry.module)).expect("writing to a String cannot fail");
    }
    if !entry.function.is_empty() {
        write!(place, "\n{}()", one_line(&entry.function)).expect("writing to a String cannot fail");
    }
    if entry.line > 0 {
        write!(place, ":{}", entry.line).expect("writing to a String cannot fail");
    }
    place
}

fn time(entry: &LogEntry) -> String {
    jiff::Timestamp::from_millisecond(entry.at.0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%A, %F %T%.3f %Z").to_string())
        .unwrap_or_default()
}

/// As it is copied: each part on lines of its own.
fn as_text(entry: &LogEntry) -> String {
    let mut text = format!("{}  {}  {}\n{}\n", time(entry), entry.level, place(entry), harmless(&entry.message));
    for error in &entry.errors {
        writeln!(text, "  {}", harmless(error)).expect("writing to a String cannot fail");
    }
    for (name, value) in &entry.fields {
        writeln!(text, "  {} = {}", one_line(name), harmless(value)).expect("writing to a String cannot fail");
    }
    if !entry.span.is_empty() {
        writeln!(text, "  {}", one_line(&entry.span)).expect("writing to a String cannot fail");
    }
    text
}
