//! A run once more: outputs of steps are rewritten, and what follows from them runs again without a network.

use std::collections::{BTreeMap, HashSet};

use egui::{Id, Rect, ScrollArea, Ui, pos2};
use rspa_core::model::{CrewRun, CrewRunId, ReplayDraft, StepState};

use super::{editor, look, push};
use crate::commands::pages::crews::CrewsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::crews::Shown;
use crate::text::{tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::{column, padded};
use crate::widgets::exact::{ExactView, Shown as As};
use crate::widgets::graph::{Edge, GraphEvent, GraphView, Node, Part};
use crate::widgets::{Button, Chip, Tone, cells, page_header, section_title, states};

/// Bytes of an output that are kept while it is typed.
const LONGEST: usize = 400_000;

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Edited,
    Recorded,
    Again,
}

/// What becomes of each step when these outputs are rewritten.
pub fn plan(run: &CrewRun, edited: &BTreeMap<String, String>) -> Vec<Fate> {
    let mut again: HashSet<&str> = HashSet::new();
    // Each stands after those it depends on.
    let fate = |step: &rspa_core::model::CrewRunStep, again: &HashSet<&str>| {
        let follows = step.depends_on.iter().any(|key| again.contains(key.as_str()) || edited.contains_key(key));
        match (edited.contains_key(&step.key), follows || !step.state.is_done()) {
            (true, _) => Fate::Edited,
            (false, true) => Fate::Again,
            (false, false) => Fate::Recorded,
        }
    };
    let mut fates = Vec::with_capacity(run.steps.len());
    for step in &run.steps {
        let own = fate(step, &again);
        if own == Fate::Again {
            again.insert(&step.key);
        }
        fates.push(own);
    }
    fates
}

#[derive(Default)]
pub struct Replay {
    run: Option<CrewRunId>,
    /// By step key.
    typed: BTreeMap<String, String>,
    chosen: Option<usize>,
    graph: GraphView,
    drawn: Option<(u64, Vec<Fate>)>,
    original: ExactView,
}

impl Replay {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, id: CrewRunId) {
        if self.run != Some(id) {
            *self = Self { run: Some(id), ..Self::default() };
        }
        let page = &cx.state.pages.crews;
        let Some(run) = page.run.get().filter(|run| run.id == id) else {
            match page.run.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, CrewsCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("crews.run.loading")),
            }
            return;
        };
        let edited = self.edited(run);
        let fates = plan(run, &edited);
        let saving = page.saving;
        let title = tr_with("crews.replay.title", &[("n", &run.number)]);
        let mut start = false;
        page_header(ui, &title, |ui| {
            let ready = !edited.is_empty() && !saving;
            let button = Button::new(tr("crews.replay.start")).icon(Icon::Rewind).primary().enabled(ready);
            start = ui.add(button).clicked();
            if ui.add(Button::new(tr("common.cancel"))).clicked() {
                push(cx, CrewsCommand::Show(Shown::Run(id)));
            }
        });
        words(ui, &fates);
        if start {
            push(cx, CrewsCommand::Replay(Box::new(ReplayDraft { run: id, edited })));
        }
        self.renew(cx, run, fates);
        let all = ui.available_rect_before_wrap();
        let needed = crate::widgets::graph::bounds(self.graph.places()).map_or(120.0, |bounds| bounds.height() + 80.0);
        let split = all.top() + needed.clamp(160.0, (all.height() * 0.4).max(160.0));
        let graph = Rect::from_min_max(all.min, pos2(all.right(), split));
        column(ui, "replay graph", graph, false, |ui| {
            let rect = ui.available_rect_before_wrap();
            self.graph.choose(self.chosen.map(Part::Node));
            for event in self.graph.show(ui, Id::unique("replay graph"), rect, tr("crews.graph"), false) {
                match event {
                    GraphEvent::Chosen(Some(Part::Node(at))) | GraphEvent::Opened(at) => self.chosen = Some(at),
                    GraphEvent::Chosen(None) => self.chosen = None,
                    _ => {}
                }
            }
        });
        let below = Rect::from_min_max(pos2(all.left(), split), all.max);
        column(ui, "replay step", below, false, |ui| {
            crate::widgets::hairline(ui);
            self.step(ui, run);
        });
    }

    /// Outputs that differ from what was recorded.
    fn edited(&self, run: &CrewRun) -> BTreeMap<String, String> {
        let old = |key: &String| run.steps.iter().find(|step| step.key == *key)?.output.as_ref();
        let differs = |(key, text): &(&String, &String)| old(key).is_some_and(|output| output.text != **text);
        self.typed.iter().filter(differs).map(|(key, text)| (key.clone(), text.clone())).collect()
    }

    fn renew(&mut self, cx: &Cx<'_>, run: &CrewRun, fates: Vec<Fate>) {
        let turn = cx.state.pages.crews.turn;
        if self.drawn.as_ref().is_some_and(|(known, old)| *known == turn && *old == fates) {
            return;
        }
        let index = |key: &String| run.steps.iter().position(|step| step.key == *key);
        let pairs: Vec<(usize, usize)> = run
            .steps
            .iter()
            .enumerate()
            .flat_map(|(to, step)| step.depends_on.iter().filter_map(index).map(move |from| (from, to)))
            .collect();
        let nodes = run.steps.iter().zip(&fates).map(|(step, fate)| {
            let (icon, tone, words) = look_of(*fate);
            let title = look::short(&step.title, 80);
            let name = tr_with("crews.replay.step", &[("title", &title), ("fate", &words)]);
            let strong = *fate == Fate::Edited;
            Node { title, detail: words.to_owned(), right: String::new(), icon, tone, strong, name }
        });
        let nodes = nodes.collect();
        let edges = pairs.iter().map(|(from, to)| {
            let tone =
                if fates[*to] == Fate::Again && fates[*from] != Fate::Recorded { Tone::Accent } else { Tone::Neutral };
            Edge { from: *from, to: *to, tone }
        });
        let edges = edges.collect();
        let places = editor::places(&run.steps.iter().map(|step| step.at).collect::<Vec<_>>(), &pairs);
        self.graph.set(nodes, edges, places);
        if self.drawn.is_none() {
            self.chosen = run.steps.iter().position(|step| step.state.is_done() && step.output.is_some());
        }
        self.drawn = Some((turn, fates));
    }

    fn step(&mut self, ui: &mut Ui, run: &CrewRun) {
        let tokens = ui.tokens();
        let Some(step) = self.chosen.and_then(|at| run.steps.get(at)) else {
            return states::empty(
                ui,
                Icon::Rewind,
                tr("crews.replay.choose"),
                tr("crews.replay.choose_detail"),
                |_| {},
            );
        };
        let Some(output) = step.output.as_ref().filter(|_| step.state != StepState::Failed) else {
            let words = tr("crews.replay.no_output_detail");
            return states::empty(ui, Icon::CircleDashed, tr("crews.replay.no_output"), words, |_| {});
        };
        let typed = self.typed.entry(step.key.clone()).or_insert_with(|| output.text.clone());
        let changed = *typed != output.text;
        let mut back = false;
        padded(ui, tokens.space.l, 6.0, |ui| {
            ui.horizontal(|ui| {
                ui.set_min_height(tokens.size.control);
                section_title(ui, &look::short(&step.title, 80));
                if changed {
                    ui.add(Chip::new(tr("crews.state.edited")).icon(Icon::PencilSimple).tone(Tone::Accent));
                    back =
                        ui.add(Button::new(tr("crews.replay.back")).icon(Icon::ArrowUUpLeft).quiet().small()).clicked();
                }
            });
        });
        if back {
            typed.clone_from(&output.text);
        }
        ScrollArea::vertical().id_salt(("replay of", &step.key)).auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.xs, |ui| {
                let most = (ui.clip_rect().height() - 60.0).max(160.0);
                cells(ui, 2, tokens.space.l, |side, ui| {
                    if side == 0 {
                        ui.label(tokens.rich(Type::Secondary, tr("crews.replay.original")));
                        let id = Id::unique(("replay original", &step.key));
                        self.original.show(ui, id, tr("crews.replay.original"), &output.text, As::Plain, most);
                    } else {
                        ui.label(tokens.rich(Type::Secondary, tr("crews.replay.new")));
                        let id = Id::unique(("replay text", &step.key));
                        look::text_area(ui, id, tr("crews.replay.new"), typed, 8, most);
                        look::bound(typed, LONGEST);
                    }
                });
            });
        });
    }
}

fn look_of(fate: Fate) -> (Icon, Tone, &'static str) {
    match fate {
        Fate::Edited => (Icon::PencilSimple, Tone::Accent, tr("crews.replay.edited")),
        Fate::Recorded => (Icon::Record, Tone::Neutral, tr("crews.replay.recorded")),
        Fate::Again => (Icon::ArrowClockwise, Tone::Ok, tr("crews.replay.again")),
    }
}

/// What will happen, in one line.
fn words(ui: &mut Ui, fates: &[Fate]) {
    let tokens = ui.tokens();
    let count = |wanted| fates.iter().filter(|fate| **fate == wanted).count() as u64;
    padded(ui, tokens.space.l, tokens.space.s, |ui| {
        let words = if count(Fate::Edited) == 0 {
            tr("crews.replay.nothing").to_owned()
        } else {
            let edited = tr_count("crews.replay.plan_edited", count(Fate::Edited));
            let again = tr_count("crews.replay.plan_again", count(Fate::Again));
            let kept = tr_count("crews.replay.plan_kept", count(Fate::Recorded));
            tr_with("crews.replay.plan", &[("edited", &edited), ("again", &again), ("kept", &kept)])
        };
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, words)).wrap());
    });
    crate::widgets::hairline(ui);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::crews::tests::run;

    #[test]
    fn what_follows_from_an_edited_step_runs_again_and_all_else_is_recorded() {
        // syntax → logic → summary, security beside them → summary.
        let run = run();
        let edited = BTreeMap::from([("logic".to_owned(), "Other".to_owned())]);
        assert_eq!(plan(&run, &edited), [Fate::Recorded, Fate::Edited, Fate::Recorded, Fate::Again]);
        let edited = BTreeMap::from([("syntax".to_owned(), "Other".to_owned())]);
        assert_eq!(plan(&run, &edited), [Fate::Edited, Fate::Again, Fate::Recorded, Fate::Again]);
        let mut failed = run;
        failed.steps[2].state = StepState::Failed;
        assert_eq!(plan(&failed, &BTreeMap::new()), [Fate::Recorded, Fate::Recorded, Fate::Again, Fate::Again]);
    }
}
