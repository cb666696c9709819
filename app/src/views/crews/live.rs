//! A run as it goes on: the graph with the states of its steps, and what the chosen one gave, says or waits for.

use egui::{Id, Rect, Ui, pos2};
use rspa_core::model::{CrewRun, CrewRunId, CrewRunState, StepState};

use super::{compare, editor, look, outcome, push};
use crate::commands::pages::crews::CrewsCommand;
use crate::design::{Icon, UiExt};
use crate::state::pages::crews::{CrewsState, Shown};
use crate::text::{tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::{column, padded};
use crate::widgets::graph::{Edge, GraphEvent, GraphView, Node, Part};
use crate::widgets::{Button, Chip, IconButton, Tone, states};

/// From this width on what a step gave stands at the right of the graph, else below it.
const WIDE: f32 = 1_240.0;

#[derive(Default)]
pub struct Live {
    run: Option<CrewRunId>,
    graph: GraphView,
    /// The turn of the state and the second of the time that the graph shows.
    drawn: Option<(u64, i64)>,
    shape: Option<u64>,
    chosen: Option<usize>,
    comparing: bool,
    outcome: outcome::Outcome,
    compare: compare::Compare,
}

impl Live {
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
        if !run.state.is_final() {
            // Times go on, second by second.
            let rest = 1_000 - cx.state.now.0.rem_euclid(1_000);
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(rest.unsigned_abs() + 5));
        }
        head(ui, cx, run);
        self.tabs(ui, cx, run);
        if self.comparing && run.replay_of.is_some() {
            self.compare.ui(ui, cx, run);
            return;
        }
        self.renew(cx, run);
        let all = ui.available_rect_before_wrap();
        let (graph, panel) = if all.width() >= WIDE {
            let split = all.right() - (all.width() * 0.38).clamp(420.0, 640.0);
            (
                Rect::from_min_max(all.min, pos2(split, all.bottom())),
                Rect::from_min_max(pos2(split, all.top()), all.max),
            )
        } else {
            let height = self.height(all.height());
            let split = all.top() + height;
            (
                Rect::from_min_max(all.min, pos2(all.right(), split)),
                Rect::from_min_max(pos2(all.left(), split), all.max),
            )
        };
        let beside = all.width() >= WIDE;
        column(ui, "run graph", graph, beside, |ui| {
            let rect = ui.available_rect_before_wrap();
            self.graph.choose(self.chosen.map(Part::Node));
            for event in self.graph.show(ui, Id::unique("run graph"), rect, tr("crews.graph"), false) {
                match event {
                    GraphEvent::Chosen(Some(Part::Node(at))) | GraphEvent::Opened(at) => self.chosen = Some(at),
                    GraphEvent::Chosen(None) => self.chosen = None,
                    _ => {}
                }
            }
        });
        column(ui, "run outcome", panel, false, |ui| {
            if !beside {
                crate::widgets::hairline(ui);
            }
            if let Some(wish) = self.outcome.ui(ui, cx, run, self.chosen) {
                self.chosen = wish;
            }
        });
    }

    /// Points that the graph takes above what a step gave: as much as it needs, at most half.
    fn height(&self, all: f32) -> f32 {
        let needed = crate::widgets::graph::bounds(self.graph.places()).map_or(120.0, |bounds| bounds.height() + 96.0);
        needed.clamp(180.0, (all * 0.5).max(180.0))
    }

    fn tabs(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, run: &CrewRun) {
        if run.replay_of.is_none() {
            return;
        }
        let tokens = ui.tokens();
        padded(ui, tokens.space.l, 6.0, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.xs;
                for (key, comparing) in [("crews.tab.live", false), ("crews.tab.compare", true)] {
                    let button = Button::new(tr(key)).quiet().small().selected(self.comparing == comparing);
                    if ui.add(button).clicked() {
                        self.comparing = comparing;
                    }
                }
                if let Some(original) = cx.state.pages.crews.original.get() {
                    let words = tr_with("crews.run.replay_of", &[("n", &original.number)]);
                    if ui.add(Button::new(words).icon(Icon::Rewind).quiet().small()).clicked() {
                        push(cx, CrewsCommand::Show(Shown::Run(original.id)));
                    }
                }
            });
        });
        crate::widgets::hairline(ui);
    }

    fn renew(&mut self, cx: &Cx<'_>, run: &CrewRun) {
        let page = &cx.state.pages.crews;
        let second = if run.state.is_final() { 0 } else { cx.state.now.0 / 1_000 };
        if self.drawn == Some((page.turn, second)) {
            return;
        }
        self.drawn = Some((page.turn, second));
        let index = |key: &String| run.steps.iter().position(|step| step.key == *key);
        let pairs: Vec<(usize, usize)> = run
            .steps
            .iter()
            .enumerate()
            .flat_map(|(to, step)| step.depends_on.iter().filter_map(index).map(move |from| (from, to)))
            .collect();
        // Places change only when the steps do.
        let shape = shape(run, &pairs);
        let places = if self.shape == Some(shape) {
            self.graph.places().to_vec()
        } else {
            self.graph.fit();
            editor::places(&run.steps.iter().map(|step| step.at).collect::<Vec<_>>(), &pairs)
        };
        self.shape = Some(shape);
        let nodes = (0..run.steps.len()).map(|at| node(page, run, at, cx.state.now)).collect();
        let edges = pairs.iter().map(|(from, to)| Edge { from: *from, to: *to, tone: tone(run, *from, *to) }).collect();
        self.graph.set(nodes, edges, places);
        if self.chosen.is_some_and(|at| at >= run.steps.len()) {
            self.chosen = None;
        }
    }
}

fn shape(run: &CrewRun, pairs: &[(usize, usize)]) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    pairs.hash(&mut hasher);
    for step in &run.steps {
        step.key.hash(&mut hasher);
        step.at.map(|(x, y)| (x.to_bits(), y.to_bits())).hash(&mut hasher);
    }
    hasher.finish()
}

/// What came through is green, what is on its way has the accent.
fn tone(run: &CrewRun, from: usize, to: usize) -> Tone {
    match (run.steps[from].state.is_done(), run.steps[to].state) {
        (true, StepState::Running | StepState::NeedsYou) => Tone::Accent,
        (true, state) if state.is_done() => Tone::Ok,
        _ => Tone::Neutral,
    }
}

fn node(page: &CrewsState, run: &CrewRun, at: usize, now: rspa_core::model::Timestamp) -> Node {
    let step = &run.steps[at];
    let (icon, tone, state) = look::step(step.state);
    let doing = step.task.and_then(|task| page.doing.get(&task));
    let title = look::short(&step.title, 80);
    let detail = match step.state {
        StepState::Waiting => waits(run, at),
        _ => look::step_detail(step, doing),
    };
    let took = look::took(step.started, step.ended, now).unwrap_or_default();
    let right = match step.state {
        StepState::Running | StepState::NeedsYou | StepState::Completed | StepState::Failed => took,
        _ => String::new(),
    };
    let agent = look::short(&step.agent_name, 60);
    let values: [(&str, &dyn std::fmt::Display); 4] =
        [("title", &title), ("agent", &agent), ("state", &state), ("took", &right)];
    let name = tr_with(if right.is_empty() { "crews.run.step" } else { "crews.run.step_took" }, &values);
    let strong = matches!(step.state, StepState::Running | StepState::NeedsYou | StepState::Failed | StepState::Edited);
    Node { title, detail, right, icon, tone, strong, name }
}

/// "waits for Syntax"
fn waits(run: &CrewRun, at: usize) -> String {
    let of = |key: &String| run.steps.iter().find(|step| step.key == *key && !step.state.is_done());
    let missing: Vec<String> =
        run.steps[at].depends_on.iter().filter_map(of).map(|step| look::short(&step.title, 40)).collect();
    match missing.as_slice() {
        [] => look::short(&run.steps[at].agent_name, 60),
        [one] => tr_with("crews.run.waits", &[("title", one)]),
        [first, rest @ ..] => {
            let more = tr_count("crews.run.waits_more", rest.len() as u64);
            tr_with("crews.run.waits", &[("title", &format!("{first} {more}"))])
        }
    }
}

/// Title, state, and what can be done with the run.
fn head(ui: &mut Ui, cx: &mut Cx<'_>, run: &CrewRun) {
    let tokens = ui.tokens();
    let size = egui::vec2(ui.available_width(), tokens.size.header);
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, egui::Stroke::new(1.0, tokens.color.line));
    let inner = rect.shrink2(egui::vec2(tokens.space.l, 0.0));
    let builder = egui::UiBuilder::new().max_rect(inner).layout(egui::Layout::right_to_left(egui::Align::Center));
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.x = tokens.space.s;
        let offered = run.steps.iter().any(|step| step.state.is_done() && step.output.is_some());
        if run.state.is_final() && offered {
            let replay = Button::new(tr("crews.run.replay")).icon(Icon::Rewind);
            if ui.add(replay.tooltip(tr("crews.run.replay_tip"))).clicked() {
                push(cx, CrewsCommand::Show(Shown::Replay(run.id)));
            }
        }
        match run.state {
            CrewRunState::Running => {
                if ui.add(Button::new(tr("crews.run.cancel")).icon(Icon::Stop)).clicked() {
                    push(cx, CrewsCommand::Cancel(run.id));
                }
            }
            CrewRunState::Failed | CrewRunState::Cancelled => {
                let resume = Button::new(tr("crews.run.resume")).icon(Icon::Play).primary();
                if ui.add(resume.tooltip(tr("crews.run.resume_tip"))).clicked() {
                    push(cx, CrewsCommand::Resume(run.id));
                }
            }
            CrewRunState::Completed => {}
        }
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            if ui.add(IconButton::new(Icon::ArrowLeft, tr("crews.run.back"))).clicked() {
                push(cx, CrewsCommand::Show(Shown::Runs(run.crew)));
            }
            let (icon, tone, state) = look::run(run.state, look::needs_you(run));
            let number = tr_with("crews.run.title", &[("n", &run.number)]);
            let title = format!("{} · {number}", look::short(&run.crew_name, 60));
            let room = (ui.available_width() - 170.0).max(60.0);
            ui.scope(|ui| {
                ui.set_max_width(room);
                let label = ui.add(egui::Label::new(tokens.rich(crate::design::Type::Title, &title)).truncate());
                crate::widgets::speak_as(ui, &label, egui::Role::Heading, &title);
            });
            let took = look::took(Some(run.created), run.ended, cx.state.now).unwrap_or_default();
            ui.add(Chip::new(format!("{state} · {took}")).icon(icon).tone(tone));
        });
    });
}
