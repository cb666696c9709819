//! The editor of a crew: its graph, and beside it the chosen step or the crew's own settings.

mod about;
mod draft;
mod step;

use egui::{Align, Id, Key, Layout, Modifiers, Rect, Ui, pos2};
use rspa_core::model::{AgentId, CrewId, CrewProcess, Timestamp};

use super::{Tab, look, push};
use crate::commands::UiCommand;
use crate::commands::pages::crews::CrewsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::NoticeKind;
use crate::state::pages::crews::Shown;
use crate::text::{tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::{column, padded};
use crate::widgets::graph::{Edge, GraphEvent, GraphView, Node, Part, layout};
use crate::widgets::{Button, IconButton, Tone, states};

use draft::{Draft, Fault};

/// Points between a new step and the one it follows.
const BESIDE: f32 = layout::NODE.x + layout::GAP.x;

pub struct Editor {
    shown: Shown,
    epoch: u64,
    draft: Option<Draft>,
    graph: GraphView,
    /// What the graph was made of: the turn of the draft, and how many agents were known.
    drawn: Option<(u64, usize)>,
    chosen: Option<Part>,
    settings: bool,
    faults: Vec<Fault>,
    step: step::StepPanel,
    about: about::About,
    /// Saving was tried: everything that is wrong is shown.
    tried: bool,
    undone: u64,
    was_unsaved: bool,
    /// When the crew that is changed was stored last.
    stored: Option<Timestamp>,
}

impl Editor {
    /// The editor of before while it is for the same crew, else a new one.
    pub fn kept(before: Option<Self>, shown: Shown, epoch: u64, undone: u64) -> Self {
        before.filter(|editor| editor.shown == shown && editor.epoch == epoch).unwrap_or_else(|| Self {
            shown,
            epoch,
            draft: None,
            graph: GraphView::default(),
            drawn: None,
            chosen: None,
            settings: matches!(shown, Shown::New(_)),
            faults: Vec::new(),
            step: step::StepPanel::default(),
            about: about::About::default(),
            tried: false,
            undone,
            was_unsaved: false,
            stored: None,
        })
    }

    /// What was written in it still counts.
    pub fn is_current(&self, epoch: u64) -> bool {
        self.epoch == epoch && self.is_unsaved()
    }

    pub fn is_unsaved(&self) -> bool {
        self.draft.as_ref().is_some_and(Draft::is_changed)
    }

    fn id(&self) -> Option<CrewId> {
        match self.shown {
            Shown::Crew(id) => Some(id),
            _ => None,
        }
    }

    fn begin(&mut self, cx: &Cx<'_>) {
        let crew = self.id().and_then(|id| cx.state.pages.crews.crew(id));
        let updated = crew.map(|crew| crew.updated);
        // Somebody else changed it: what nobody changed here is read again.
        let old = updated.is_some() && self.stored != updated && !self.is_unsaved();
        if self.draft.is_some() && !old {
            return;
        }
        self.stored = updated;
        self.drawn = None;
        self.draft = match self.shown {
            Shown::New(process) => Some(Draft::empty(process)),
            _ => crew.map(Draft::of),
        };
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, back: bool) {
        self.begin(cx);
        let Some(mut draft) = self.draft.take() else {
            match (cx.state.pages.crews.list.get(), cx.state.pages.crews.list.error()) {
                (Some(_), _) => states::empty(ui, Icon::UsersFour, tr("crews.gone"), tr("crews.gone_detail"), |_| {}),
                (None, Some(error)) => {
                    if states::error(ui, error) {
                        push(cx, CrewsCommand::Refresh);
                    }
                }
                (None, None) => states::loading(ui, tr("crews.loading")),
            }
            return;
        };
        if std::mem::replace(&mut self.undone, cx.state.pages.crews.undo) != cx.state.pages.crews.undo {
            draft.undo();
        }
        self.shortcuts(ui, &mut draft);
        self.renew(cx, &draft);
        self.head(ui, cx, &mut draft, back);
        let saving = cx.state.pages.crews.saving;
        ui.add_enabled_ui(!saving, |ui| self.body(ui, cx, &mut draft));
        let unsaved = draft.is_changed();
        if self.was_unsaved != unsaved {
            self.was_unsaved = unsaved;
            push(cx, CrewsCommand::Unsaved(unsaved));
        }
        self.draft = Some(draft);
    }

    fn shortcuts(&mut self, ui: &Ui, draft: &mut Draft) {
        // While a text is typed, its own changes are taken back.
        if ui.memory(|memory| memory.focused()).is_some_and(|id| id != graph_id()) {
            return;
        }
        if ui.input_mut(|i| i.consume_key(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)) {
            draft.redo();
        } else if ui.input_mut(|i| i.consume_key(Modifiers::COMMAND, Key::Z)) {
            draft.undo();
        }
    }

    /// What is drawn and what is wrong, after a change.
    fn renew(&mut self, cx: &Cx<'_>, draft: &Draft) {
        let page = &cx.state.pages.crews;
        let agents = page.agents.get().map_or(0, |all| all.len() + 1);
        if self.drawn == Some((draft.turn, agents)) {
            return;
        }
        let first = self.drawn.is_none();
        self.drawn = Some((draft.turn, agents));
        let known: Option<Vec<AgentId>> = page.agents.get().map(|all| all.iter().map(|agent| agent.id).collect());
        let others = page.list.get().map_or(&[][..], Vec::as_slice);
        self.faults = draft.faults(self.id(), others, known.as_deref());
        let (nodes, edges, places) = match draft.now.process {
            CrewProcess::Sequential => steps(cx, draft, &self.faults),
            CrewProcess::Hierarchical => members(cx, draft),
        };
        let before = self.graph.is_empty();
        let laid_out = draft.now.steps.iter().all(|step| step.at.is_none());
        let other_places = self.graph.places() != places;
        match self.chosen {
            Some(Part::Node(at)) if at >= nodes.len() => self.chosen = None,
            Some(Part::Edge(at)) if at >= edges.len() => self.chosen = None,
            _ => {}
        }
        self.graph.set(nodes, edges, places);
        if first || before || (laid_out && other_places) {
            self.graph.fit();
        }
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, draft: &mut Draft, back: bool) {
        let tokens = ui.tokens();
        let id = self.id();
        let unsaved = draft.is_changed();
        let saving = cx.state.pages.crews.saving;
        let mut save = false;
        let stored = id.and_then(|id| cx.state.pages.crews.crew(id));
        let name = match stored {
            Some(crew) => look::short(&crew.settings.name, 80),
            None => tr("crews.new_one").to_owned(),
        };
        super::head(ui, cx, &name, back, unsaved, |ui, cx| {
            if let Some(id) = id {
                super::more(ui, cx, id, unsaved);
                let run = Button::new(tr("crews.run_it")).icon(Icon::Play);
                let run = if unsaved { run.enabled(false).tooltip(tr("crews.save_first")) } else { run.primary() };
                if ui.add(run).clicked() {
                    push(cx, CrewsCommand::Show(Shown::Start(id)));
                }
            }
            if unsaved || id.is_none() {
                let button = Button::new(tr("crews.save")).icon(Icon::Check).primary().enabled(!saving);
                save = ui.add(button).clicked();
                let words = if id.is_some() { tr("crews.revert") } else { tr("common.cancel") };
                if ui.add(Button::new(words).enabled(!saving)).clicked() {
                    if id.is_some() {
                        draft.revert();
                        self.about.forget();
                    } else {
                        super::go(cx, unsaved, CrewsCommand::Show(Shown::Making));
                    }
                }
            }
        });
        if ui.input_mut(|i| i.consume_key(Modifiers::COMMAND, Key::S)) && unsaved && !saving {
            save = true;
        }
        if save {
            self.tried = true;
            let first = self.faults.iter().find(|fault| !fault.warning).cloned();
            match first {
                None => push(cx, CrewsCommand::Save { id, draft: Box::new(draft.tidy()) }),
                // What is wrong comes into sight.
                Some(fault) => {
                    self.settings = fault.step.is_none() && fault.field != "steps";
                    self.chosen = fault.step.map(Part::Node);
                }
            }
        }
        padded(ui, tokens.space.l, 6.0, |ui| {
            ui.horizontal(|ui| {
                ui.set_min_height(tokens.size.control_small);
                if let Some(id) = id {
                    super::tabs(ui, cx, Tab::Steps, id);
                    ui.add_space(tokens.space.s);
                }
                self.tools(ui, draft);
            });
        });
        crate::widgets::hairline(ui);
    }

    fn tools(&mut self, ui: &mut Ui, draft: &mut Draft) {
        let tokens = ui.tokens();
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let settings =
                IconButton::new(Icon::SlidersHorizontal, tr("crews.settings")).small().selected(self.settings);
            if ui.add(settings).clicked() {
                self.settings = !self.settings;
            }
            if draft.now.process == CrewProcess::Sequential {
                let redo = IconButton::new(Icon::ArrowBendUpRight, tr("crews.redo")).small().enabled(draft.can_redo());
                if ui.add(redo).clicked() {
                    draft.redo();
                }
                let undo = IconButton::new(Icon::ArrowUUpLeft, tr("crews.undo")).small().enabled(draft.can_undo());
                if ui.add(undo).clicked() {
                    draft.undo();
                }
                let placed = draft.now.steps.iter().any(|step| step.at.is_some());
                let lay_out = IconButton::new(Icon::TreeStructure, tr("crews.lay_out")).small().enabled(placed);
                if ui.add(lay_out).clicked() {
                    draft.lay_out();
                    self.graph.fit();
                }
                ui.add_space(tokens.space.xs);
                if ui.add(Button::new(tr("crews.add_step")).icon(Icon::Plus).small()).clicked() {
                    self.add(draft, None);
                }
            }
            let wrong = self.faults.iter().filter(|fault| !fault.warning).count();
            if self.tried && wrong > 0 {
                let words = tr_count("crews.wrong", wrong as u64);
                ui.label(tokens.rich(Type::Secondary, words).color(tokens.color.bad));
            }
        });
    }

    /// A new step where it was wanted, or after the chosen one.
    fn add(&mut self, draft: &mut Draft, wanted: Option<egui::Pos2>) {
        let after = match self.chosen {
            Some(Part::Node(at)) if wanted.is_none() => Some(at),
            _ => None,
        };
        let placed = draft.now.steps.iter().any(|step| step.at.is_some());
        let places = self.graph.places();
        let at = match (wanted, placed) {
            (Some(place), _) => Some((place.x, place.y)),
            (None, true) => Some(free(places, after)),
            (None, false) => None,
        };
        if at.is_some() && !placed && !places.is_empty() {
            draft.moved(usize::MAX, places);
        }
        let index = draft.add(at, after);
        self.chosen = Some(Part::Node(index));
        self.settings = false;
        self.step.focus();
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, draft: &mut Draft) {
        let tokens = ui.tokens();
        let all = ui.available_rect_before_wrap();
        let hierarchical = draft.now.process == CrewProcess::Hierarchical;
        let chosen = match self.chosen {
            Some(Part::Node(at)) if !hierarchical => Some(at),
            _ => None,
        };
        let panel = self.settings || hierarchical || chosen.is_some();
        let width = tokens.size.inspector.min(all.width() * 0.9);
        let left = if panel { (all.right() - width).max(all.left()) } else { all.right() };
        let graph = Rect::from_min_max(all.min, pos2(left, all.bottom()));
        if graph.width() > 80.0 {
            column(ui, "crew graph", graph, panel, |ui| self.graph(ui, cx, draft, hierarchical));
        }
        if panel {
            let rect = Rect::from_min_max(pos2(left, all.top()), all.max);
            column(ui, "crew panel", rect, false, |ui| match chosen.filter(|_| !self.settings) {
                Some(at) => {
                    let closed = self.step.ui(ui, cx, draft, at, &self.faults, self.tried);
                    match closed {
                        step::Wish::Stay => {}
                        step::Wish::Close => self.chosen = None,
                        step::Wish::Delete => self.delete(cx, draft, at),
                        step::Wish::Choose(other) => self.chosen = Some(Part::Node(other)),
                    }
                }
                None => {
                    let closed = self.about.ui(ui, cx, draft, &self.faults, self.tried, !hierarchical);
                    if closed {
                        self.settings = false;
                    }
                }
            });
        }
    }

    fn graph(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, draft: &mut Draft, hierarchical: bool) {
        let rect = ui.available_rect_before_wrap();
        if self.graph.is_empty() && !hierarchical {
            states::empty(ui, Icon::FlowArrow, tr("crews.no_steps"), tr("crews.no_steps_detail"), |ui| {
                if ui.add(Button::new(tr("crews.first_step")).icon(Icon::Plus)).clicked() {
                    self.add(draft, None);
                }
            });
            return;
        }
        self.graph.choose(self.chosen);
        let events = self.graph.show(ui, graph_id(), rect, tr("crews.graph"), !hierarchical && ui.is_enabled());
        for event in events {
            match event {
                GraphEvent::Chosen(part) => {
                    self.chosen = part;
                    if part.is_some() && !hierarchical {
                        self.settings = false;
                    }
                }
                GraphEvent::Opened(at) if !hierarchical => {
                    self.chosen = Some(Part::Node(at));
                    self.settings = false;
                    self.step.focus();
                }
                GraphEvent::Opened(_) => {}
                GraphEvent::Moved(at, _) => draft.moved(at, self.graph.places()),
                GraphEvent::Wanted(place) => self.add(draft, Some(place)),
                GraphEvent::Connected(from, to) => connect(cx, draft, from, to),
                GraphEvent::Delete(Part::Node(at)) => self.delete(cx, draft, at),
                GraphEvent::Delete(Part::Edge(at)) => {
                    if let Some((from, to)) = draft.edges().get(at).copied() {
                        draft.disconnect(from, to);
                        self.chosen = None;
                    }
                }
            }
        }
    }

    fn delete(&mut self, cx: &mut Cx<'_>, draft: &mut Draft, at: usize) {
        if let Some(title) = draft.delete(at) {
            self.chosen = None;
            push(cx, CrewsCommand::StepDeleted(look::short(&title, 80)));
        }
    }
}

/// Lets one wait for the other, or says why not.
fn connect(cx: &mut Cx<'_>, draft: &mut Draft, from: usize, to: usize) {
    if let Err(why) = draft.connect(from, to) {
        let title = tr("crews.circle.title").to_owned();
        cx.commands.push(UiCommand::Notify { kind: NoticeKind::Warning, title, detail: why });
    }
}

fn graph_id() -> Id {
    Id::unique("crew graph")
}

/// A place right of this step that no other takes.
fn free(places: &[egui::Pos2], after: Option<usize>) -> (f32, f32) {
    let from = after.and_then(|at| places.get(at)).or(places.last()).copied().unwrap_or_default();
    let mut at = pos2(from.x + BESIDE, from.y);
    let size = layout::NODE + layout::GAP / 2.0;
    while places.iter().any(|place| Rect::from_min_size(*place, size).intersects(Rect::from_min_size(at, size))) {
        at.y += layout::NODE.y + layout::GAP.y;
    }
    (at.x, at.y)
}

/// Where the steps stand: as they were placed, those that were not below what is laid out.
pub fn places(at: &[Option<(f32, f32)>], edges: &[(usize, usize)]) -> Vec<egui::Pos2> {
    let laid = layout::places(at.len(), edges);
    if at.iter().all(Option::is_none) {
        return laid;
    }
    let mut taken: Vec<egui::Pos2> = at.iter().flatten().map(|(x, y)| pos2(*x, *y)).collect();
    let size = layout::NODE + layout::GAP / 2.0;
    at.iter()
        .zip(laid)
        .map(|(own, laid)| match own {
            // A file can say anything.
            Some((x, y)) if x.is_finite() && y.is_finite() && x.abs() < 1e6 && y.abs() < 1e6 => pos2(*x, *y),
            _ => {
                let mut place = laid;
                while taken.iter().any(|t| Rect::from_min_size(*t, size).intersects(Rect::from_min_size(place, size))) {
                    place.y += layout::NODE.y + layout::GAP.y;
                }
                taken.push(place);
                place
            }
        })
        .collect()
}

fn steps(cx: &Cx<'_>, draft: &Draft, faults: &[Fault]) -> (Vec<Node>, Vec<Edge>, Vec<egui::Pos2>) {
    let page = &cx.state.pages.crews;
    let edges = draft.edges();
    let places = places(&draft.now.steps.iter().map(|step| step.at).collect::<Vec<_>>(), &edges);
    let title = |key: &str| draft.index(key).map(|at| look::short(&draft.now.steps[at].title, 60));
    let nodes = draft.now.steps.iter().enumerate().map(|(at, step)| {
        let (icon, agent) = look::agent_words(page, step.agent);
        let own = || faults.iter().filter(|fault| fault.step == Some(at));
        let tone = match (own().any(|fault| !fault.warning), own().any(|fault| fault.field == "agent")) {
            (true, _) => Tone::Bad,
            (false, true) => Tone::Warn,
            _ => Tone::Accent,
        };
        let shown =
            if step.title.trim().is_empty() { tr("crews.untitled").to_owned() } else { look::short(&step.title, 80) };
        let after: Vec<String> = step.depends_on.iter().filter_map(|key| title(key)).collect();
        let name = if after.is_empty() {
            tr_with("crews.step.name_first", &[("title", &shown), ("agent", &agent)])
        } else {
            tr_with("crews.step.name", &[("title", &shown), ("agent", &agent), ("after", &after.join(", "))])
        };
        Node { title: shown, detail: agent, right: format!("{}", at + 1), icon, tone, strong: false, name }
    });
    let edges = edges.iter().map(|(from, to)| Edge { from: *from, to: *to, tone: Tone::Neutral }).collect();
    (nodes.collect(), edges, places)
}

/// The manager with those it delegates to.
fn members(cx: &Cx<'_>, draft: &Draft) -> (Vec<Node>, Vec<Edge>, Vec<egui::Pos2>) {
    let page = &cx.state.pages.crews;
    let plain = |icon, title: String, detail: &str, tone| {
        let name = format!("{detail}: {title}");
        Node { title, detail: detail.to_owned(), right: String::new(), icon, tone, strong: false, name }
    };
    let (icon, manager) = match draft.now.manager {
        Some(id) => look::agent_words(page, Some(id)),
        None => (Icon::MagicWand, tr("crews.manager.made").to_owned()),
    };
    let mut nodes = vec![plain(icon, manager, tr("crews.manager.title"), Tone::Accent)];
    for id in &draft.now.members {
        let (icon, name) = look::agent_words(page, Some(*id));
        nodes.push(plain(icon, name, tr("crews.member"), Tone::Neutral));
    }
    let edges: Vec<(usize, usize)> = (1..nodes.len()).map(|at| (0, at)).collect();
    let places = layout::places(nodes.len(), &edges);
    let edges = edges.iter().map(|(from, to)| Edge { from: *from, to: *to, tone: Tone::Neutral }).collect();
    (nodes, edges, places)
}
