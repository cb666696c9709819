//! What pointer and keyboard do in a graph.

use egui::{EventFilter, Key, Modifiers, PointerButton, Pos2, Rect, Response, Ui, Vec2, vec2};

use super::{Edge, GraphEvent, GraphView, Part, cycle, layout, mesh, on_grid};

/// Points around a port that still catch it.
const PORT: f32 = 10.0;
/// Points beside a line that still catch it.
const LINE: f32 = 6.0;
/// Points from the edge at which a drag moves the view, and by how much at most in a frame.
const EDGE: f32 = 28.0;
const PUSH: f32 = 12.0;
/// Points of one step with the keyboard.
const STEP: f32 = 16.0;

/// A drag that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Act {
    Pan,
    Move { node: usize, from: Pos2 },
    Connect { from: usize, at: Pos2, to: Option<usize>, closes: bool },
}

impl GraphView {
    pub(super) fn pointer(
        &mut self,
        ui: &Ui,
        canvas: &Response,
        rect: Rect,
        editable: bool,
        events: &mut Vec<GraphEvent>,
    ) {
        if ui.rect_contains_pointer(rect) {
            let (scroll, zoom, at) =
                ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta(), i.pointer.hover_pos().unwrap_or(rect.center())));
            if zoom != 1.0 {
                self.zoom_by(rect, at, zoom);
            }
            self.pan += scroll;
        }
        self.drag(ui, canvas, rect, editable, events);
        if canvas.double_clicked() {
            if let Some(at) = canvas.interact_pointer_pos() {
                match self.node_at(rect, at) {
                    Some(node) => events.push(GraphEvent::Opened(node)),
                    None if editable && self.edge_at(rect, at).is_none() => {
                        let middle = self.in_graph(rect, at) - layout::NODE / 2.0;
                        events.push(GraphEvent::Wanted(on_grid(middle)));
                    }
                    None => {}
                }
            }
        } else if canvas.clicked() {
            canvas.request_focus();
            let part = canvas.interact_pointer_pos().and_then(|at| {
                let node = self.node_at(rect, at).map(Part::Node);
                node.or_else(|| self.edge_at(rect, at).map(Part::Edge))
            });
            if part != self.chosen || part.is_none() {
                events.push(GraphEvent::Chosen(part));
            }
        }
    }

    fn drag(&mut self, ui: &Ui, canvas: &Response, rect: Rect, editable: bool, events: &mut Vec<GraphEvent>) {
        if canvas.drag_started() {
            canvas.request_focus();
            let origin = ui.input(|i| i.pointer.press_origin());
            let primary = canvas.drag_started_by(PointerButton::Primary);
            self.act = Some(match origin.filter(|_| primary && editable) {
                Some(origin) => self.begin(rect, origin),
                None => Act::Pan,
            });
        }
        let delta = canvas.drag_delta();
        let pointer = canvas.interact_pointer_pos();
        match &mut self.act {
            None => {}
            Some(Act::Pan) => self.pan += delta,
            Some(Act::Move { node, .. }) => {
                let node = *node;
                let push = pointer.map_or(Vec2::ZERO, |at| push(rect, at));
                self.pan += push;
                let zoom = self.zoom;
                if let Some(place) = self.places.get_mut(node) {
                    *place += (delta - push) / zoom;
                }
                if push != Vec2::ZERO {
                    ui.ctx().request_repaint();
                }
            }
            Some(Act::Connect { from, to, .. }) => {
                let (from, before) = (*from, *to);
                if let Some(pointer) = pointer {
                    self.pan += push(rect, pointer);
                    let target = self.node_at(rect, pointer).filter(|target| *target != from);
                    let closes = match target {
                        Some(target) if before != Some(target) => self.closes(from, target),
                        Some(_) => matches!(self.act, Some(Act::Connect { closes: true, .. })),
                        None => false,
                    };
                    self.act = Some(Act::Connect { from, at: pointer, to: target, closes });
                }
            }
        }
        if canvas.drag_stopped() || (self.act.is_some() && !canvas.dragged() && !canvas.drag_started()) {
            match self.act.take() {
                Some(Act::Move { node, .. }) => {
                    if let Some(place) = self.places.get_mut(node) {
                        *place = on_grid(*place);
                        events.push(GraphEvent::Moved(node, *place));
                    }
                }
                Some(Act::Connect { from, to: Some(to), .. }) => events.push(GraphEvent::Connected(from, to)),
                _ => {}
            }
        }
    }

    fn begin(&self, rect: Rect, at: Pos2) -> Act {
        let near = |node: usize| self.port_out(rect, node).distance(at) <= PORT.min(PORT * self.zoom.max(0.5));
        if let Some(from) = self.visible.iter().map(|node| *node as usize).rfind(|node| near(*node)) {
            return Act::Connect { from, at, to: None, closes: false };
        }
        match self.node_at(rect, at) {
            Some(node) => Act::Move { node, from: self.places[node] },
            None => Act::Pan,
        }
    }

    fn closes(&self, from: usize, to: usize) -> bool {
        let edges: Vec<(usize, usize)> = self.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        cycle::closed_by(self.nodes.len(), &edges, from, to).is_some()
    }

    /// The line under this place of the screen.
    fn edge_at(&self, rect: Rect, at: Pos2) -> Option<usize> {
        let near = |edge: &Edge| {
            let (from, to) = (self.port_out(rect, edge.from), self.port_in(rect, edge.to));
            let reach = ((to.x - from.x).abs() * 0.5).max(28.0 * self.zoom) + LINE;
            let all = Rect::from_two_pos(from, to).expand2(vec2(reach, LINE));
            all.contains(at)
                && mesh::curve(from, to, self.zoom).windows(2).any(|pair| distance(at, pair[0], pair[1]) <= LINE)
        };
        self.edges.iter().rposition(near)
    }

    pub(super) fn keys(
        &mut self,
        ui: &Ui,
        canvas: &Response,
        rect: Rect,
        editable: bool,
        events: &mut Vec<GraphEvent>,
    ) {
        if !canvas.has_focus() {
            return;
        }
        let filter =
            EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(canvas.id, filter));
        for (key, way) in [
            (Key::ArrowLeft, vec2(-1.0, 0.0)),
            (Key::ArrowRight, vec2(1.0, 0.0)),
            (Key::ArrowUp, vec2(0.0, -1.0)),
            (Key::ArrowDown, vec2(0.0, 1.0)),
        ] {
            if editable && ui.input_mut(|i| i.consume_key(Modifiers::ALT, key)) {
                if let Some(Part::Node(node)) = self.chosen
                    && let Some(place) = self.places.get_mut(node)
                {
                    *place = on_grid(*place + way * STEP);
                    events.push(GraphEvent::Moved(node, *place));
                    self.bring(node, rect);
                }
            } else if ui.input_mut(|i| i.consume_key(Modifiers::NONE, key))
                && let Some(node) = self.next(way)
            {
                self.bring(node, rect);
                events.push(GraphEvent::Chosen(Some(Part::Node(node))));
            }
        }
        let pressed = |key| ui.input(|i| i.key_pressed(key) && i.modifiers.is_none());
        if pressed(Key::Plus) || pressed(Key::Equals) {
            self.zoom_by(rect, rect.center(), 1.25);
        }
        if pressed(Key::Minus) {
            self.zoom_by(rect, rect.center(), 1.0 / 1.25);
        }
        if pressed(Key::Num0) {
            self.fit_into(rect, super::ZOOMS.0);
        }
        if pressed(Key::Escape) {
            match self.act.take() {
                Some(Act::Move { node, from }) => self.places[node] = from,
                Some(_) => {}
                None => events.push(GraphEvent::Chosen(None)),
            }
        }
        if let (true, Some(Part::Node(node))) = (pressed(Key::Enter), self.chosen) {
            events.push(GraphEvent::Opened(node));
        }
        if let (true, Some(part)) = (editable && (pressed(Key::Delete) || pressed(Key::Backspace)), self.chosen) {
            events.push(GraphEvent::Delete(part));
        }
    }

    /// The nearest box in this direction from the chosen one; the first box where none is chosen.
    fn next(&self, way: Vec2) -> Option<usize> {
        let from = match self.chosen {
            Some(Part::Node(node)) if node < self.places.len() => node,
            Some(Part::Edge(edge)) => {
                return self.edges.get(edge).map(|edge| if way.x < 0.0 { edge.from } else { edge.to });
            }
            _ => return (!self.places.is_empty()).then_some(0),
        };
        let cost = |at: usize| {
            let away = self.places[at] - self.places[from];
            let along = away.dot(way);
            let aside = (away - way * along).length();
            (along > 1.0).then_some(along + aside * 2.5)
        };
        let others = (0..self.places.len()).filter(|at| *at != from);
        others.filter_map(|at| Some((cost(at)?, at))).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at)| at)
    }
}

/// How far the view goes on while something is dragged at its edge.
fn push(rect: Rect, at: Pos2) -> Vec2 {
    let one = |value: f32, low: f32, high: f32| {
        let over = (low + EDGE - value).max(0.0) - (value - (high - EDGE)).max(0.0);
        (over / EDGE).clamp(-1.0, 1.0) * PUSH
    };
    vec2(one(at.x, rect.left(), rect.right()), one(at.y, rect.top(), rect.bottom()))
}

fn distance(at: Pos2, a: Pos2, b: Pos2) -> f32 {
    let along = b - a;
    let share = ((at - a).dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
    at.distance(a + along * share)
}
