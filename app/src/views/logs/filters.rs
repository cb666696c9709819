//! The filter bar: text, levels, time, target. Every change is asked for at once.

use egui::{Id, Key, Modifiers, Stroke, Ui};
use rspa_core::model::LogLevel;

use crate::commands::UiCommand;
use crate::commands::pages::logs::LogsCommand;
use crate::design::{Icon, UiExt};
use crate::state::pages::logs::{LogsChoice, LogsTime};
use crate::text::tr;
use crate::views::Cx;
use crate::when;
use crate::widgets::column::padded;
use crate::widgets::{Chip, TextField, Tone, select};

/// Characters of the text at most.
const LONGEST: usize = 200;

#[derive(Default)]
pub struct Filters {
    /// What the fields say; the same as the choice but while somebody types.
    text: String,
    since: String,
    until: String,
    /// The choice that the fields were filled from.
    filled: Option<LogsChoice>,
    wants_focus: bool,
}

impl Filters {
    /// Puts the keyboard into the text field.
    pub fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// The fields say what this choice says.
    pub fn take_over(&mut self, choice: &LogsChoice) {
        self.text.clone_from(&choice.text);
        (self.since, self.until) = match &choice.time {
            LogsTime::Between { since, until } => (since.clone(), until.clone()),
            _ => (String::new(), String::new()),
        };
        self.filled = Some(choice.clone());
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let chosen = &cx.state.ui.logs;
        if self.filled.as_ref() != Some(chosen) {
            self.take_over(chosen);
        }
        let mut choice = chosen.clone();
        padded(ui, tokens.space.l, tokens.space.s, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = egui::vec2(tokens.space.s, tokens.space.s);
                self.text_field(ui, &mut choice);
                levels(ui, &mut choice);
                self.time(ui, cx, &mut choice);
                target(ui, cx, &mut choice);
            });
        });
        let free = ui.available_rect_before_wrap();
        ui.painter().hline(free.x_range(), free.top() - 0.5, Stroke::new(1.0, tokens.color.line));
        if choice != *chosen {
            self.filled = Some(choice.clone());
            cx.commands.push(UiCommand::Logs(LogsCommand::Choose(choice)));
        }
    }

    fn text_field(&mut self, ui: &mut Ui, choice: &mut LogsChoice) {
        let id = Id::unique("log text");
        let field = TextField::new(&mut self.text, tr("logs.search")).hint(tr("logs.search")).id(id);
        let response = field.icon(Icon::MagnifyingGlass).width(220.0).show(ui);
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        // Escape empties the field, then leaves it.
        let escape = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape));
        if escape && !self.text.is_empty() {
            self.text.clear();
            response.request_focus();
        }
        if response.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter)) {
            response.surrender_focus();
        }
        if response.changed() || escape {
            choice.text = self.text.chars().take(LONGEST).collect();
        }
    }

    fn time(&mut self, ui: &mut Ui, cx: &Cx<'_>, choice: &mut LogsChoice) {
        let between = || LogsTime::Between { since: String::new(), until: String::new() };
        let all = [LogsTime::All, LogsTime::Quarter, LogsTime::Hour, LogsTime::Day, LogsTime::Week, between()];
        let names = ["all", "quarter", "hour", "day", "week", "between"];
        let names: Vec<String> = names.iter().map(|name| tr(&format!("logs.time.{name}")).to_owned()).collect();
        let same = |time: &LogsTime| std::mem::discriminant(time) == std::mem::discriminant(&choice.time);
        let place = all.iter().position(same).unwrap_or(0);
        if let Some(picked) = select(ui, tr("logs.time.name"), &names, place, 130.0) {
            choice.time = all[picked].clone();
        }
        if let LogsTime::Between { since, until } = &mut choice.time {
            let zone = jiff::tz::TimeZone::system();
            let understood = |text: &str| text.is_empty() || when::parse(text, cx.state.now, &zone).is_ok();
            for (typed, kept, name) in
                [(&mut self.since, since, tr("logs.time.since")), (&mut self.until, until, tr("logs.time.until"))]
            {
                let wrong = !understood(typed);
                let hint = format!("{name}: {}", tr("logs.time.hint"));
                let field = TextField::new(typed, name).hint(&hint).width(200.0).problem(wrong);
                if field.show(ui).changed() {
                    *kept = typed.chars().take(LONGEST).collect();
                }
            }
        }
    }
}

fn levels(ui: &mut Ui, choice: &mut LogsChoice) {
    for level in LogLevel::ALL.into_iter().rev() {
        let on = choice.levels.contains(&level);
        if ui.add(Chip::new(level_name(level)).tone(tone(level)).selectable(on)).clicked() {
            match on {
                true => choice.levels.retain(|known| *known != level),
                false => choice.levels.push(level),
            }
            choice.levels.sort_unstable();
        }
    }
}

fn target(ui: &mut Ui, cx: &Cx<'_>, choice: &mut LogsChoice) {
    let mut names: Vec<String> = vec![tr("logs.target.all").to_owned()];
    let known = cx.state.pages.logs.targets.get().map_or(&[][..], Vec::as_slice);
    names.extend(with_parents(known.iter().map(|(target, _)| target.as_str())));
    if let Some(target) = &choice.target
        && !names.contains(target)
    {
        names.push(target.clone());
    }
    let place = choice.target.as_ref().and_then(|target| names.iter().position(|name| name == target)).unwrap_or(0);
    if let Some(picked) = select(ui, tr("logs.target.name"), &names, place, 200.0) {
        choice.target = (picked > 0).then(|| names[picked].clone());
    }
}

/// The targets and what they lie in, in order of the alphabet.
fn with_parents<'a>(targets: impl Iterator<Item = &'a str>) -> std::collections::BTreeSet<String> {
    let mut all = std::collections::BTreeSet::new();
    for target in targets {
        all.insert(target.to_owned());
        all.extend(target.match_indices("::").map(|(end, _)| target[..end].to_owned()));
    }
    all
}

/// As people say it.
pub fn level_name(level: LogLevel) -> &'static str {
    tr(&format!("logs.level.{}", level.name()))
}

/// Colour only where something is wrong.
pub fn tone(level: LogLevel) -> Tone {
    match level {
        LogLevel::Critical | LogLevel::Error => Tone::Bad,
        LogLevel::Warn => Tone::Warn,
        LogLevel::Info | LogLevel::Debug | LogLevel::Trace => Tone::Neutral,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_can_be_chosen_with_all_below_it() {
        let all: Vec<String> = with_parents(["a::b::c", "a::d"].into_iter()).into_iter().collect();
        assert_eq!(all, ["a", "a::b", "a::b::c", "a::d"]);
    }
}
