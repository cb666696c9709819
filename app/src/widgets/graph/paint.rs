//! Draws what is in view of a graph.

use std::sync::Arc;

use egui::epaint::Mesh;
use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, FontId, Galley, Pos2, Rect, Response, Shape, Stroke, StrokeKind, Ui, pos2, vec2};

use super::act::Act;
use super::{GraphView, LAID, Part, READABLE, layout, mesh};
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::widgets::Tone;

/// Zooms that texts are laid out for: a zoom in between takes the smaller one.
const SIZES: [f32; 9] = [0.55, 0.65, 0.75, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0];
/// Points between the dots of the ground.
const DOTS: f32 = 24.0;
/// Below this zoom a box is one rectangle.
const TINY: f32 = 0.16;

impl GraphView {
    pub(super) fn paint(&mut self, ui: &Ui, rect: Rect, editable: bool, canvas: &Response) {
        let tokens = ui.tokens();
        self.renew(ui);
        let feather = 1.0 / ui.ctx().pixels_per_point();
        let mut lines = Mesh::default();
        lines.vertices.reserve(self.room.0);
        lines.indices.reserve(self.room.1);
        self.ground(&mut lines, rect, tokens);
        self.lines(&mut lines, rect, tokens, feather);
        let readable = self.zoom >= READABLE;
        if !readable {
            self.boxes(&mut lines, rect, tokens);
        }
        self.room = (lines.vertices.len(), lines.indices.len());
        ui.painter().add(Shape::mesh(lines));
        if readable {
            for at in 0..self.visible.len() {
                self.node(ui, rect, self.visible[at] as usize, tokens);
            }
        } else if let Some(Part::Node(at)) =
            self.chosen.filter(|part| matches!(part, Part::Node(n) if *n < self.places.len()))
        {
            let stroke = Stroke::new(2.0, tokens.color.accent);
            ui.painter().rect_stroke(self.on_screen(rect, at), 2.0, stroke, StrokeKind::Outside);
        }
        if editable {
            self.ports(ui, rect, tokens);
        }
        if !readable
            && self.act.is_none()
            && let Some(at) = canvas.hover_pos().and_then(|at| self.node_at(rect, at))
        {
            canvas.clone().on_hover_text_at_pointer(&self.nodes[at].name);
        }
    }

    fn ground(&self, mesh: &mut Mesh, rect: Rect, tokens: &Tokens) {
        let mut step = DOTS * self.zoom;
        while step < 16.0 {
            step *= 2.0;
        }
        let first = pos2(rect.left() + self.pan.x.rem_euclid(step), rect.top() + self.pan.y.rem_euclid(step));
        let mut y = first.y;
        while y < rect.bottom() {
            let mut x = first.x;
            while x < rect.right() {
                mesh::fill(mesh, Rect::from_center_size(pos2(x, y), vec2(1.2, 1.2)), tokens.color.line);
                x += step;
            }
            y += step;
        }
    }

    fn lines(&self, mesh: &mut Mesh, rect: Rect, tokens: &Tokens, feather: f32) {
        let plain = self.zoom < READABLE;
        let width = (1.5 * self.zoom).clamp(0.6, 2.0);
        for (at, edge) in self.edges.iter().enumerate() {
            let (from, to) = (self.port_out(rect, edge.from), self.port_in(rect, edge.to));
            let reach = ((to.x - from.x).abs() * 0.5).max(28.0 * self.zoom);
            let (low, high) = (from.x.min(to.x) - reach, from.x.max(to.x) + reach);
            let (top, bottom) = (from.y.min(to.y), from.y.max(to.y));
            if high < rect.left() || low > rect.right() || bottom + 2.0 < rect.top() || top - 2.0 > rect.bottom() {
                continue;
            }
            let chosen = self.chosen == Some(Part::Edge(at));
            let ink = match (chosen, edge.tone) {
                (true, _) => tokens.color.accent,
                (false, Tone::Neutral) => tokens.color.line_strong,
                (false, tone) => tone.ink(tokens).gamma_multiply(0.75),
            };
            let width = if chosen { width + 1.0 } else { width };
            let size = 7.0 * self.zoom.max(0.6);
            if plain {
                mesh::stroke(mesh, &[from, to], width, feather, ink);
                continue;
            }
            let end = to - vec2(size * 0.8, 0.0);
            if (from.y - to.y).abs() < 0.5 && end.x > from.x {
                mesh::stroke(mesh, &[from, end], width, feather, ink);
            } else {
                mesh::stroke(mesh, &mesh::curve(from, end, self.zoom), width, feather, ink);
            }
            mesh::arrow(mesh, to, size, feather, ink);
        }
    }

    /// Boxes that are too small for words.
    fn boxes(&self, mesh: &mut Mesh, rect: Rect, tokens: &Tokens) {
        for &at in &self.visible {
            let at = at as usize;
            let own = self.on_screen(rect, at);
            let tone = self.nodes[at].tone;
            let ink = if tone == Tone::Neutral { tokens.color.line_strong } else { tone.ink(tokens) };
            if self.zoom < TINY {
                mesh::fill(mesh, own, ink);
                continue;
            }
            mesh::fill(mesh, own, ink);
            mesh::fill(mesh, own.shrink(1.0), tokens.color.bg2);
            let bar = Rect::from_min_max(own.min, pos2(own.left() + 5.0 * self.zoom.max(0.3), own.bottom()));
            mesh::fill(mesh, bar, ink);
        }
    }

    fn node(&mut self, ui: &Ui, rect: Rect, at: usize, tokens: &Tokens) {
        let own = self.on_screen(rect, at);
        let z = self.zoom;
        let node = &self.nodes[at];
        let chosen = self.chosen == Some(Part::Node(at));
        let hovered = self.act.is_none() && ui.rect_contains_pointer(own);
        let target = match self.act {
            Some(Act::Connect { to: Some(to), closes, .. }) if to == at => Some(closes),
            _ => None,
        };
        let edge = match (target, chosen, node.strong) {
            (Some(true), ..) => Stroke::new(2.0, tokens.color.bad),
            (Some(false), ..) => Stroke::new(2.0, tokens.color.accent),
            (None, true, _) => Stroke::new(2.0, tokens.color.accent),
            (None, false, true) => Stroke::new(1.25, node.tone.ink(tokens)),
            (None, false, false) if hovered => Stroke::new(1.0, tokens.color.line_strong),
            (None, false, false) => Stroke::new(1.0, tokens.color.line),
        };
        let radius = f32::from(tokens.radius.card) * z;
        let fill = if hovered { tokens.color.bg3 } else { tokens.color.bg2 };
        let painter = ui.painter();
        painter.rect(own, radius, fill, edge, StrokeKind::Inside);
        let ink = if node.tone == Tone::Neutral { tokens.color.text_3 } else { node.tone.ink(tokens) };
        let [icon, title, detail, right] = self.words(ui, at, tokens);
        let pad = 12.0 * z;
        let (first, second) = (own.top() + 19.0 * z, own.top() + 38.0 * z);
        let painter = ui.painter();
        let put = |left: f32, middle: f32, galley: Arc<Galley>, ink: Color32| {
            painter.galley(Pos2::new(left, middle - galley.size().y / 2.0), galley, ink);
        };
        put(own.left() + pad, first, icon, ink);
        put(own.left() + pad + 22.0 * z, first, title, tokens.color.text);
        put(own.left() + pad, second, detail, tokens.color.text_2);
        let width = right.size().x;
        put(own.right() - pad - width, first, right, tokens.color.text_3);
    }

    fn ports(&self, ui: &Ui, rect: Rect, tokens: &Tokens) {
        let painter = ui.painter();
        if let Some(Act::Connect { from, at, to, closes }) = self.act {
            let ink = if closes { tokens.color.bad } else { tokens.color.accent };
            let end = to.map_or(at, |to| self.port_in(rect, to));
            let points = mesh::curve(self.port_out(rect, from), end, self.zoom);
            painter.add(Shape::line(points.to_vec(), Stroke::new(2.0, ink)));
        }
        if self.zoom < READABLE {
            return;
        }
        let pointer = ui.input(|i| i.pointer.hover_pos());
        for &at in &self.visible {
            let at = at as usize;
            let port = self.port_out(rect, at);
            let hot = pointer.is_some_and(|pointer| pointer.distance(port) <= 10.0);
            let fill = if hot { tokens.color.accent } else { tokens.color.bg1 };
            let stroke = Stroke::new(1.5, if hot { tokens.color.accent } else { tokens.color.line_strong });
            painter.circle(port, if hot { 5.5 } else { 4.0 } * self.zoom.min(1.2), fill, stroke);
        }
    }

    /// Forgets texts when fonts, theme or zoom are others, and those out of view when they are many.
    fn renew(&mut self, ui: &Ui) {
        let tokens = ui.tokens();
        let key = (size(self.zoom).to_bits(), ui.ctx().pixels_per_point().to_bits(), tokens.dark, tokens.high_contrast);
        let job = LayoutJob::simple_singleline("Ag".to_owned(), tokens.font(Type::Body), Color32::PLACEHOLDER);
        let sentinel = ui.fonts_mut(|fonts| fonts.layout_job(job));
        let same_fonts = self.sentinel.as_ref().is_some_and(|known| Arc::ptr_eq(known, &sentinel));
        if !same_fonts || self.laid_for != Some(key) || self.laid_count > LAID + self.visible.len() {
            self.laid.iter_mut().for_each(|laid| *laid = Default::default());
            self.laid_count = 0;
            self.laid_for = Some(key);
        }
        self.sentinel = Some(sentinel);
    }

    fn words(&mut self, ui: &Ui, at: usize, tokens: &Tokens) -> [Arc<Galley>; 4] {
        if let [Some(icon), Some(title), Some(detail), Some(right)] = &self.laid[at] {
            return [icon.clone(), title.clone(), detail.clone(), right.clone()];
        }
        let z = size(self.zoom);
        let node = &self.nodes[at];
        let lay = |text: String, font: FontId, width: f32| {
            let mut job = LayoutJob::simple_singleline(text, font, Color32::PLACEHOLDER);
            job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let scaled = |kind| {
            let font = tokens.font(kind);
            FontId::new(font.size * z, font.family)
        };
        let inner = (layout::NODE.x - 24.0) * z;
        let right = lay(node.right.clone(), scaled(Type::Label), inner / 2.0);
        let icon = lay(node.icon.code().to_string(), Icon::font(tokens.size.icon * z), inner);
        let gap = if node.right.is_empty() { 0.0 } else { 6.0 * z };
        let title = lay(node.title.clone(), scaled(Type::Strong), inner - 22.0 * z - right.size().x - gap);
        let detail = lay(node.detail.clone(), scaled(Type::Secondary), inner);
        self.laid_count += 1;
        let all = [icon, title, detail, right];
        self.laid[at] = all.clone().map(Some);
        all
    }
}

/// The zoom that texts are laid out for.
fn size(zoom: f32) -> f32 {
    SIZES.iter().rev().copied().find(|size| *size <= zoom + 0.001).unwrap_or(SIZES[0])
}
