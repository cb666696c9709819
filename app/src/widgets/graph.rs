//! A graph of boxes and arrows that is panned, zoomed, dragged and walked through with the keyboard.
//!
//! The page gives nodes, edges and places when they change ([`GraphView::set`]) and gets [`GraphEvent`]s; what it does with
//! them is its own affair. Only what is in view is drawn; texts are laid out once; lines are one mesh.

mod act;
pub mod cycle;
pub mod layout;
mod mesh;
mod paint;
mod small;

use std::sync::Arc;

use egui::{Galley, Id, Pos2, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

pub use small::{bounds, small};

use super::{IconButton, Tone};
use crate::design::{Icon, UiExt};
use crate::text::{tr, tr_count, tr_with};

/// A box.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub title: String,
    /// The line below the title.
    pub detail: String,
    /// At the right of the title: a number, a time.
    pub right: String,
    pub icon: Icon,
    pub tone: Tone,
    /// Stands out: it runs, or waits for the person.
    pub strong: bool,
    /// What a screen reader says.
    pub name: String,
}

/// An arrow: indices of nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub tone: Tone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Node(usize),
    /// Index into the edges.
    Edge(usize),
}

/// What the person did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GraphEvent {
    Chosen(Option<Part>),
    /// Enter, or two clicks.
    Opened(usize),
    /// A box was dragged to this place.
    Moved(usize, Pos2),
    /// An arrow was drawn from the one to the other.
    Connected(usize, usize),
    /// Two clicks beside all boxes, in the graph's own points.
    Wanted(Pos2),
    Delete(Part),
}

/// Below this zoom texts are not drawn: nobody could read them.
const READABLE: f32 = 0.55;
const ZOOMS: (f32, f32) = (0.04, 2.0);
/// A new graph is not shrunk below this, so that it can be read at once.
const FIRST_ZOOM: f32 = 0.72;
/// Texts of so many boxes are kept.
const LAID: usize = 1_500;

/// What is kept of a graph between frames.
#[derive(Default)]
pub struct GraphView {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    places: Vec<Pos2>,
    laid: Vec<[Option<Arc<Galley>>; 4]>,
    laid_count: usize,
    laid_for: Option<(u32, u32, bool, bool)>,
    /// Its pointer changes whenever the fonts are made anew: then texts that were laid out are void.
    sentinel: Option<Arc<Galley>>,
    pan: Vec2,
    zoom: f32,
    fitted: bool,
    /// The place that was drawn into last.
    area: Option<Rect>,
    chosen: Option<Part>,
    act: Option<act::Act>,
    visible: Vec<u32>,
    /// Vertices and indices of the last frame.
    room: (usize, usize),
}

impl GraphView {
    /// Shows these from now on. Texts that stay the same are not laid out again.
    pub fn set(&mut self, nodes: Vec<Node>, edges: Vec<Edge>, places: Vec<Pos2>) {
        self.laid.resize_with(nodes.len(), Default::default);
        for (at, node) in nodes.iter().enumerate() {
            if self.nodes.get(at).is_none_or(|old| !same_words(old, node)) {
                self.laid[at] = Default::default();
            }
        }
        if nodes.len() != self.nodes.len() {
            self.act = None;
        }
        self.edges = edges;
        self.edges.retain(|edge| edge.from < nodes.len() && edge.to < nodes.len());
        self.nodes = nodes;
        self.places = places;
        self.places.resize(self.nodes.len(), Pos2::ZERO);
    }

    /// Marks this as chosen.
    pub fn choose(&mut self, part: Option<Part>) {
        self.chosen = part;
    }

    /// Shows all of it when it is drawn next.
    pub fn fit(&mut self) {
        self.fitted = false;
    }

    /// Shows all of it when it is drawn next, however small that is.
    pub fn fit_all(&mut self) {
        if let Some(area) = self.area {
            self.fit_into(area, ZOOMS.0);
        }
    }

    /// Where a box was drawn last.
    pub fn screen_of(&self, at: usize) -> Rect {
        self.area.map_or(Rect::NOTHING, |area| self.on_screen(area, at))
    }

    pub fn places(&self) -> &[Pos2] {
        &self.places
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Draws it into `rect`. `editable`: boxes can be dragged and joined.
    pub fn show(&mut self, ui: &mut Ui, id: Id, rect: Rect, name: &str, editable: bool) -> Vec<GraphEvent> {
        let tokens = ui.tokens();
        if self.zoom == 0.0 {
            self.zoom = 1.0;
        }
        if !std::mem::replace(&mut self.fitted, true) {
            self.fit_into(rect, FIRST_ZOOM);
        } else if let Some(before) = self.area.filter(|before| before.min != rect.min || before.size() != rect.size()) {
            // The middle stays in the middle vertically; what is at the left stays there.
            self.pan.y += (rect.height() - before.height()) / 2.0;
        }
        let resized = self.area.is_some_and(|before| before.size() != rect.size());
        self.area = Some(rect);
        if resized && let Some(Part::Node(at)) = self.chosen {
            self.bring(at, rect);
        }
        let clip = ui.clip_rect().intersect(rect);
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect), |ui| {
            ui.set_clip_rect(clip);
            let canvas = ui.interact(rect, id, Sense::click_and_drag());
            canvas.widget_info(|| {
                let nodes = tr_count("graph.nodes", self.nodes.len() as u64);
                let edges = tr_count("graph.edges", self.edges.len() as u64);
                let words = tr_with("graph.name", &[("name", &name), ("nodes", &nodes), ("edges", &edges)]);
                WidgetInfo::labeled(Role::Canvas, true, words)
            });
            let mut events = Vec::new();
            self.pointer(ui, &canvas, rect, editable, &mut events);
            self.keys(ui, &canvas, rect, editable, &mut events);
            self.find_visible(rect);
            self.paint(ui, rect, editable, &canvas);
            self.speak(ui, id, rect, &canvas, &mut events);
            if canvas.has_focus() {
                let stroke = egui::Stroke::new(2.0, tokens.color.accent);
                ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
            }
            self.controls(ui, rect);
            events
        })
        .inner
    }

    /// All boxes in view, and one to spare at each side.
    fn find_visible(&mut self, rect: Rect) {
        let (low, high) = (self.in_graph(rect, rect.min), self.in_graph(rect, rect.max));
        let all = Rect::from_min_max(low - layout::NODE, high);
        self.visible.clear();
        let places = self.places.iter().enumerate();
        self.visible.extend(places.filter(|(_, place)| all.contains(**place)).map(|(at, _)| at as u32));
    }

    /// Boxes and arrows in view have names and can be pressed by whoever cannot see them.
    fn speak(&self, ui: &Ui, id: Id, rect: Rect, canvas: &egui::Response, events: &mut Vec<GraphEvent>) {
        if self.zoom < READABLE {
            return;
        }
        for &at in &self.visible {
            let at = at as usize;
            let own = ui.interact(self.on_screen(rect, at), id.with(("node", at)), Sense::CLICK);
            let chosen = self.chosen == Some(Part::Node(at));
            own.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &self.nodes[at].name));
            if own.double_clicked() {
                events.push(GraphEvent::Opened(at));
            } else if own.clicked() {
                canvas.request_focus();
                events.push(GraphEvent::Chosen(Some(Part::Node(at))));
            }
        }
        for (at, edge) in self.edges.iter().enumerate() {
            let middle =
                self.port_out(rect, edge.from) + (self.port_in(rect, edge.to) - self.port_out(rect, edge.from)) / 2.0;
            if !rect.contains(middle) {
                continue;
            }
            let own =
                ui.interact(Rect::from_center_size(middle, vec2(12.0, 12.0)), id.with(("edge", at)), Sense::CLICK);
            let chosen = self.chosen == Some(Part::Edge(at));
            own.widget_info(|| {
                let (from, to) = (&self.nodes[edge.from].title, &self.nodes[edge.to].title);
                WidgetInfo::selected(Role::Button, true, chosen, tr_with("graph.edge", &[("from", from), ("to", to)]))
            });
            if own.clicked() {
                canvas.request_focus();
                events.push(GraphEvent::Chosen(Some(Part::Edge(at))));
            }
        }
    }

    fn controls(&mut self, ui: &mut Ui, rect: Rect) {
        let tokens = ui.tokens();
        let side = tokens.size.control;
        let size = vec2(side * 3.0, side);
        let place = Rect::from_min_size(rect.max - size - Vec2::splat(tokens.space.m), size);
        if !rect.contains_rect(place) {
            return;
        }
        let stroke = egui::Stroke::new(1.0, tokens.color.line);
        ui.painter().rect(place, tokens.radius.control, tokens.color.bg2, stroke, egui::StrokeKind::Outside);
        let builder = egui::UiBuilder::new().max_rect(place).layout(egui::Layout::left_to_right(egui::Align::Center));
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().item_spacing = Vec2::ZERO;
            if ui.add(IconButton::new(Icon::Minus, tr("graph.zoom_out"))).clicked() {
                self.zoom_by(rect, rect.center(), 1.0 / 1.25);
            }
            if ui.add(IconButton::new(Icon::FrameCorners, tr("graph.fit"))).clicked() {
                self.fit_into(rect, ZOOMS.0);
            }
            if ui.add(IconButton::new(Icon::Plus, tr("graph.zoom_in"))).clicked() {
                self.zoom_by(rect, rect.center(), 1.25);
            }
        });
    }

    fn fit_into(&mut self, rect: Rect, least: f32) {
        let Some(all) = small::bounds(&self.places) else {
            (self.zoom, self.pan) = (1.0, rect.size() / 2.0 - layout::NODE / 2.0);
            return;
        };
        let room = (rect.size() - Vec2::splat(48.0)).max(Vec2::splat(1.0));
        self.zoom = (room.x / all.width()).min(room.y / all.height()).clamp(least, 1.0);
        let size = all.size() * self.zoom;
        // What does not fit begins at its beginning.
        let x = if size.x > room.x + 1.0 { 24.0 } else { (rect.width() - size.x) / 2.0 };
        let y = if size.y > room.y + 1.0 { 24.0 } else { (rect.height() - size.y) / 2.0 };
        self.pan = vec2(x, y) - all.min.to_vec2() * self.zoom;
    }

    fn zoom_by(&mut self, rect: Rect, around: Pos2, factor: f32) {
        let fixed = self.in_graph(rect, around);
        self.zoom = (self.zoom * factor).clamp(ZOOMS.0, ZOOMS.1);
        self.pan = around - rect.min - fixed.to_vec2() * self.zoom;
    }

    /// Moves the view as little as is needed to see this box whole.
    fn bring(&mut self, at: usize, rect: Rect) {
        if at >= self.places.len() {
            return;
        }
        let (own, inner) = (self.on_screen(rect, at), rect.shrink(24.0));
        let shift = |low: f32, high: f32, from: f32, to: f32| {
            if low < from {
                from - low
            } else if high > to {
                (to - high).max(from - low)
            } else {
                0.0
            }
        };
        self.pan.x += shift(own.left(), own.right(), inner.left(), inner.right());
        self.pan.y += shift(own.top(), own.bottom(), inner.top(), inner.bottom());
    }

    fn to_screen(&self, rect: Rect, at: Pos2) -> Pos2 {
        rect.min + self.pan + at.to_vec2() * self.zoom
    }

    fn in_graph(&self, rect: Rect, at: Pos2) -> Pos2 {
        ((at - rect.min - self.pan) / self.zoom).to_pos2()
    }

    fn on_screen(&self, rect: Rect, at: usize) -> Rect {
        Rect::from_min_size(self.to_screen(rect, self.places[at]), layout::NODE * self.zoom)
    }

    fn port_out(&self, rect: Rect, at: usize) -> Pos2 {
        self.to_screen(rect, self.places[at] + vec2(layout::NODE.x, layout::NODE.y / 2.0))
    }

    fn port_in(&self, rect: Rect, at: usize) -> Pos2 {
        self.to_screen(rect, self.places[at] + vec2(0.0, layout::NODE.y / 2.0))
    }

    /// The topmost box under this place of the screen.
    fn node_at(&self, rect: Rect, at: Pos2) -> Option<usize> {
        let at = self.in_graph(rect, at);
        let under = |place: &Pos2| Rect::from_min_size(*place, layout::NODE).contains(at);
        self.places.iter().rposition(under)
    }
}

fn same_words(a: &Node, b: &Node) -> bool {
    a.title == b.title && a.detail == b.detail && a.right == b.right && a.icon == b.icon
}

/// A place on the grid of 4 points.
fn on_grid(at: Pos2) -> Pos2 {
    pos2((at.x / 4.0).round() * 4.0, (at.y / 4.0).round() * 4.0)
}

#[cfg(test)]
mod tests;
