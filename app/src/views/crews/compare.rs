//! A replay beside the run that it replays, step by step: what each gave before and gives now.

use std::collections::HashMap;

use egui::{Id, ScrollArea, Ui};
use rspa_core::model::{CrewRun, CrewRunId, CrewRunStep};

use super::{look, outcome};
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_count};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::markdown::MarkdownView;
use crate::widgets::{Chip, Tone, cells, section_title, states, toggle};

/// Steps whose texts are shown; more are not laid out.
const STEPS: usize = 200;

#[derive(Default)]
pub struct Compare {
    of: Option<CrewRunId>,
    /// Steps that gave the same are left out.
    only_changed: bool,
    views: HashMap<(String, bool), MarkdownView>,
}

impl Compare {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, run: &CrewRun) {
        let tokens = ui.tokens();
        if self.of != Some(run.id) {
            *self = Self { of: Some(run.id), only_changed: true, ..Self::default() };
        }
        let page = &cx.state.pages.crews;
        let Some(original) = page.original.get().filter(|original| Some(original.id) == run.replay_of) else {
            match page.original.error() {
                Some(error) => {
                    states::error(ui, &rspa_core::api::ApiError { recoverable: false, ..error.clone() });
                }
                None => states::loading(ui, tr("crews.compare.loading")),
            }
            return;
        };
        let pairs: Vec<(&CrewRunStep, Option<&CrewRunStep>)> =
            run.steps.iter().map(|step| (step, original.steps.iter().find(|other| other.key == step.key))).collect();
        let changed = pairs.iter().filter(|(now, before)| differs(now, *before)).count();
        padded(ui, tokens.space.l, tokens.space.s, |ui| {
            ui.horizontal(|ui| {
                ui.set_min_height(tokens.size.control_small);
                let words = if changed == 0 {
                    tr("crews.compare.same_all").to_owned()
                } else {
                    tr_count("crews.compare.changed", changed as u64)
                };
                ui.label(tokens.rich(Type::Body, words));
                ui.add_space(tokens.space.l);
                toggle(ui, &mut self.only_changed, tr("crews.compare.only_changed"));
                ui.label(tokens.rich(Type::Secondary, tr("crews.compare.only_changed")));
            });
        });
        crate::widgets::hairline(ui);
        ScrollArea::vertical().id_salt("compare").auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                for (now, before) in pairs.into_iter().take(STEPS) {
                    if !self.only_changed || differs(now, before) {
                        self.step(ui, cx, now, before);
                    }
                }
            });
        });
    }

    fn step(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, now: &CrewRunStep, before: Option<&CrewRunStep>) {
        let tokens = ui.tokens();
        let (icon, tone, state) = look::step(now.state);
        ui.horizontal(|ui| {
            section_title(ui, &look::short(&now.title, 80));
            ui.add(Chip::new(state).icon(icon).tone(tone));
            let chip = if differs(now, before) {
                Chip::new(tr("crews.compare.differs")).icon(Icon::ArrowsLeftRight).tone(Tone::Warn)
            } else {
                Chip::new(tr("crews.compare.same"))
            };
            ui.add(chip);
        });
        ui.add_space(tokens.space.xs);
        let sides = [before.and_then(text_of), text_of(now)];
        cells(ui, 2, tokens.space.l, |side, ui| {
            let name = if side == 0 { tr("crews.compare.before") } else { tr("crews.compare.now") };
            ui.label(tokens.rich(Type::Label, name));
            match sides[side] {
                Some(words) => {
                    let view = self.views.entry((now.key.clone(), side == 1)).or_default();
                    let id = Id::unique(("compare", &now.key, side));
                    // The cells are as high as what is in them.
                    outcome::markdown(ui, cx, view, id, words);
                }
                None => {
                    ui.label(tokens.rich(Type::Secondary, tr("crews.compare.nothing")));
                }
            }
        });
        ui.add_space(tokens.space.m);
        crate::widgets::hairline(ui);
        ui.add_space(tokens.space.m);
    }
}

fn text_of(step: &CrewRunStep) -> Option<&str> {
    step.output.as_ref().map(|output| output.text.as_str())
}

fn differs(now: &CrewRunStep, before: Option<&CrewRunStep>) -> bool {
    text_of(now) != before.and_then(text_of)
}
