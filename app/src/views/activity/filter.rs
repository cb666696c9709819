//! The bar above the list: kind, agent, span of time, words.

use egui::Ui;
use rspa_core::model::{ActivityFilter, Timestamp};

use crate::design::{Icon, UiExt};
use crate::state::AppState;
use crate::text::{day, tr, tr_with};
use crate::widgets::column::padded;
use crate::widgets::{Button, Chip, TextField, activity, select};

const HOUR: i64 = 3_600_000;
/// Hours back from now, with the key of its words.
const SPANS: [(i64, &str); 5] = [
    (0, "activity.any_time"),
    (1, "activity.hour"),
    (24, "activity.day"),
    (24 * 7, "activity.week"),
    (24 * 30, "activity.month"),
];

#[derive(Default)]
pub struct Filter {
    kind: String,
    agent: Option<String>,
    span: usize,
    text: String,
    /// First and last moment of one day; the span does not count then.
    day: Option<(Timestamp, Timestamp)>,
}

impl Filter {
    /// Nothing but this day, `2026-11-20`; none for what is no day.
    pub fn of_day(day: &str) -> Option<Self> {
        let day: jiff::civil::Date = day.parse().ok()?;
        let start = |day: jiff::civil::Date| {
            let start = day.to_zoned(jiff::tz::TimeZone::system()).ok()?;
            Some(Timestamp(start.timestamp().as_millisecond()))
        };
        Some(Self { day: Some((start(day)?, start(day.tomorrow().ok()?)?)), ..Self::default() })
    }

    pub fn is_set(&self) -> bool {
        self.day.is_some()
            || !self.kind.is_empty()
            || self.agent.is_some()
            || self.span > 0
            || !self.text.trim().is_empty()
    }

    /// As core wants it. A span begins at a full minute, so that it is not another one in each frame.
    pub fn made(&self, now: Timestamp) -> ActivityFilter {
        let hours = SPANS.get(self.span).map_or(0, |(hours, _)| *hours);
        let minute = now.0 - now.0.rem_euclid(60_000);
        ActivityFilter {
            kind: self.kind.clone(),
            agent: self.agent.clone(),
            from: match self.day {
                Some((from, _)) => Some(from),
                None => (hours > 0).then(|| Timestamp(minute - hours * HOUR)),
            },
            until: self.day.map(|(_, until)| until),
            text: self.text.trim().to_owned(),
        }
    }

    /// True when something changed.
    pub fn ui(&mut self, ui: &mut Ui, state: &AppState) -> bool {
        let tokens = ui.tokens();
        let mut changed = false;
        padded(ui, tokens.space.l, tokens.space.s, |ui| {
            ui.horizontal_wrapped(|ui| {
                let width = tokens.size.list.min(ui.available_width());
                let field = TextField::new(&mut self.text, tr("activity.filter_text"));
                let field = field.hint(tr("activity.filter_text")).icon(Icon::MagnifyingGlass).width(width);
                changed |= field.show(ui).changed();
                changed |= self.kind_choice(ui, state);
                changed |= self.agent_choice(ui, state);
                let spans: Vec<String> = SPANS.iter().map(|(_, key)| tr(key).to_owned()).collect();
                if let Some((from, _)) = self.day {
                    let chip = Chip::new(tr_with("activity.only_day", &[("day", &day(from))])).icon(Icon::X);
                    if ui.add(chip.selectable(true)).on_hover_text(tr("activity.all_days")).clicked() {
                        self.day = None;
                        changed = true;
                    }
                } else if let Some(span) = select(ui, tr("activity.filter_time"), &spans, self.span, 130.0) {
                    self.span = span;
                    changed = true;
                }
                if self.is_set() && ui.add(Button::new(tr("activity.clear_filter")).quiet()).clicked() {
                    *self = Self::default();
                    changed = true;
                }
            });
        });
        changed
    }

    /// Families with more than one kind, each before its kinds.
    fn kind_choice(&mut self, ui: &mut Ui, state: &AppState) -> bool {
        let known = state.pages.activity.kinds.get().map_or(&[][..], Vec::as_slice);
        let mut values = vec![String::new()];
        let mut words = vec![tr("activity.all_kinds").to_owned()];
        let family = |kind: &str| kind.split('.').next().unwrap_or_default().to_owned();
        for (at, kind) in known.iter().enumerate() {
            let own = family(kind);
            let first = at == 0 || family(&known[at - 1]) != own;
            let several = known.iter().filter(|other| family(other) == own).count() > 1;
            if first && several {
                words.push(activity::words(&own));
                values.push(own);
            }
            words.push(if several { format!("    {}", activity::words(kind)) } else { activity::words(kind) });
            values.push(kind.clone());
        }
        let chosen = values.iter().position(|value| *value == self.kind).unwrap_or_else(|| {
            // Chosen, and none of it is left.
            words.push(activity::words(&self.kind));
            values.push(self.kind.clone());
            values.len() - 1
        });
        match select(ui, tr("activity.filter_kind"), &words, chosen, 190.0) {
            Some(picked) => {
                self.kind = values.swap_remove(picked);
                true
            }
            None => false,
        }
    }

    /// Only where an agent did something.
    fn agent_choice(&mut self, ui: &mut Ui, state: &AppState) -> bool {
        let known = state.pages.activity.agents.get().map_or(&[][..], Vec::as_slice);
        if known.is_empty() && self.agent.is_none() {
            return false;
        }
        let mut words = vec![tr("activity.all_agents").to_owned()];
        words.extend(known.iter().cloned());
        let chosen = self.agent.as_ref().and_then(|agent| known.iter().position(|one| one == agent));
        match select(ui, tr("activity.filter_agent"), &words, chosen.map_or(0, |at| at + 1), 140.0) {
            Some(picked) => {
                self.agent = picked.checked_sub(1).and_then(|at| known.get(at)).cloned();
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_stays_the_same_within_a_minute() {
        let filter = Filter { span: 2, ..Filter::default() };
        let at = |ms: i64| filter.made(Timestamp(1_760_000_040_000 + ms));
        assert_eq!(at(0), at(59_999));
        assert_ne!(at(0), at(60_000));
        assert_eq!(at(0).from, Some(Timestamp(1_760_000_040_000 - 24 * HOUR)));
        assert!(!Filter::default().is_set());
    }
}
