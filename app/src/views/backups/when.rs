//! When backups are made, how many are kept and where; and the way back to a minute.

use egui::{Align, Layout, Ui};
use rspa_core::model::{BackupList, HistoryRange, RestoreFrom, SettingValue, Timestamp};

use super::{moment, zoned};
use crate::commands::UiCommand;
use crate::commands::pages::backups::BackupsCommand;
use crate::design::{Type, UiExt};
use crate::state::{AppState, Page};
use crate::text::{self, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, TextField, card, fact, section_title, toggle};

const FORMAT: &str = "%Y-%m-%d %H:%M";

/// The daily backup, what is kept, and the folders.
pub fn ui(ui: &mut Ui, list: &BackupList, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let state = cx.state;
    card(ui, |ui| {
        ui.take_available_width();
        ui.horizontal(|ui| {
            section_title(ui, tr("backups.when"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.add(Button::new(tr("backups.settings")).quiet().small()).clicked() {
                    cx.commands.push(UiCommand::OpenPage(Page::Settings));
                }
            });
        });
        ui.add_space(tokens.space.xs);
        let daily = matches!(state.setting("backups.daily").map(|entry| &entry.value), Some(SettingValue::Bool(true)));
        fact(ui, tr("backups.daily"), |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().interact_size.y = 20.0;
                let mut on = daily;
                if toggle(ui, &mut on, tr("backups.daily")).changed() {
                    let (key, value) = ("backups.daily".to_owned(), SettingValue::Bool(on));
                    cx.commands.push(UiCommand::SetSetting { key, value });
                }
                ui.add(egui::Label::new(tokens.rich(Type::Body, schedule(state, list, daily))).truncate());
            });
        });
        if state.setting("backups.count").is_some() {
            let (count, days) = (whole(state, "backups.count"), whole(state, "backups.days"));
            fact(ui, tr("backups.kept_name"), |ui| {
                let words = tr_with("backups.kept", &[("count", &count), ("days", &days)]);
                ui.add(egui::Label::new(tokens.rich(Type::Body, words)).truncate());
            });
        }
        fact(ui, tr("backups.folder"), |ui| {
            ui.add(egui::Label::new(tokens.rich(Type::Body, text::path(&list.folder))).truncate());
        });
        fact(ui, tr("backups.second"), |ui| match &list.second_folder {
            Some(folder) => {
                ui.add(egui::Label::new(tokens.rich(Type::Body, text::path(folder))).truncate());
            }
            None => {
                ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("backups.no_second"))).truncate());
            }
        });
    });
}

fn whole(state: &AppState, key: &str) -> i64 {
    match state.setting(key).map(|entry| &entry.value) {
        Some(SettingValue::Integer(value)) => *value,
        _ => 0,
    }
}

fn schedule(state: &AppState, list: &BackupList, daily: bool) -> String {
    if !daily {
        return tr("backups.daily_off").to_owned();
    }
    let hour = format!("{:02}", whole(state, "backups.hour"));
    let words = tr_with("backups.daily_at", &[("hour", &hour)]);
    match list.next_daily {
        Some(next) if next <= state.now => format!("{words} · {}", tr("backups.due")),
        Some(next) => format!("{words} · {}", tr_with("backups.next", &[("time", &moment(next))])),
        None => words,
    }
}

/// A field for a minute within the history, and the button that shows what would change.
pub fn minute(ui: &mut Ui, typed: &mut String, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let state = cx.state;
    card(ui, |ui| {
        ui.take_available_width();
        section_title(ui, tr("backups.minute"));
        let range = state.pages.backups.range.get().copied().flatten();
        let Some(range) = range else {
            let error = state.pages.backups.range.error();
            let words = error.map_or(tr("backups.minute_none"), |error| error.message.as_str());
            ui.label(tokens.rich(Type::Secondary, words));
            return;
        };
        let words = [("oldest", &moment(range.oldest) as &dyn std::fmt::Display), ("newest", &moment(range.newest))];
        ui.label(tokens.rich(Type::Secondary, tr_with("backups.minute_detail", &words)));
        ui.add_space(tokens.space.s);
        let hint = zoned(range.newest, FORMAT);
        let read = read(typed, range, state.now);
        ui.horizontal(|ui| {
            let wrong = !typed.trim().is_empty() && read.is_err();
            let field = TextField::new(typed, tr("backups.minute_field")).hint(&hint).width(200.0).problem(wrong);
            let field = field.show(ui);
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
            let show = ui.add(Button::new(tr("backups.minute_show")).enabled(read.is_ok())).clicked();
            if (show || entered)
                && let Ok(at) = read
            {
                let from = RestoreFrom::Time { at };
                cx.commands.push(UiCommand::Backups(BackupsCommand::Preview(from)));
            }
        });
        if let (false, Err(why)) = (typed.trim().is_empty(), &read) {
            ui.label(tokens.rich(Type::Secondary, why).color(tokens.color.bad));
        }
    });
}

/// A time within the history, or why it is none.
fn read(typed: &str, range: HistoryRange, now: Timestamp) -> Result<Timestamp, String> {
    let bad = || tr_with("backups.minute_bad", &[("example", &zoned(range.newest, FORMAT))]);
    let civil = jiff::civil::DateTime::strptime(FORMAT, typed.trim()).map_err(|_unreadable| bad())?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::system()).map_err(|_impossible| bad())?;
    let at = Timestamp(zoned.timestamp().as_millisecond());
    // Whole minutes: the one in which the history begins counts.
    if at.0 < range.oldest.0 {
        return Err(tr("backups.minute_early").to_owned());
    }
    if at > now.max(range.newest) {
        return Err(tr("backups.minute_late").to_owned());
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_minute_within_the_history_is_taken() {
        let minute = |n: i64| Timestamp(1_760_000_040_000 + n * 60_000);
        let range = HistoryRange { oldest: minute(0), newest: minute(60) };
        let text = |at| zoned(at, FORMAT);
        assert_eq!(read(&text(minute(5)), range, minute(70)), Ok(minute(5)));
        assert_eq!(read(&text(minute(65)), range, minute(70)), Ok(minute(65)));
        assert!(read(&text(minute(-1)), range, minute(70)).unwrap_err().contains("reach back"));
        assert!(read(&text(minute(90)), range, minute(70)).unwrap_err().contains("future"));
        assert!(read("yesterday", range, minute(70)).unwrap_err().contains("Write it as 20"));
    }
}
