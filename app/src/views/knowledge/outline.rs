//! How a document is built, as a tree: headings, symbols, tables, pages. Only rows in view are laid out.

use std::collections::HashSet;
use std::path::PathBuf;

use egui::{Align2, Id, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{DocumentKind, DocumentOutline};

use crate::design::{Icon, Tokens, Type, UiExt};
use crate::text::{number, short, tr, tr_with};
use crate::widgets::citation::page_words;
use crate::widgets::list;

const ROW: f32 = 26.0;
/// Points that a step of depth moves a row to the right.
const STEP: f32 = 14.0;
/// Deeper ones are not moved further, or no words would be left.
const DEEPEST: u16 = 8;
/// Letters of a title that are shown: who wrote it may be hostile.
const SHOWN: usize = 200;
/// A document of pages alone shows them; beside other things they are folded from this many on.
const MANY: usize = 12;

struct Node {
    depth: u16,
    icon: Icon,
    title: String,
    /// `line 12`, `p. 3`; empty for a group.
    place: String,
    /// The lines that it opens; none for a group.
    lines: Option<(u32, u32)>,
    /// Something stands below it.
    parent: bool,
}

#[derive(Default)]
pub struct Outline {
    /// What the nodes were made of.
    of: Option<(PathBuf, String, usize, usize, u32)>,
    nodes: Vec<Node>,
    folded: HashSet<usize>,
    /// Nodes that are not hidden by a folded one.
    rows: Vec<usize>,
}

impl Outline {
    /// Draws the tree below what was drawn. Gives the lines that the person wants to see.
    pub fn ui(&mut self, ui: &mut Ui, outline: &DocumentOutline) -> Option<(u32, u32)> {
        let tokens = ui.tokens();
        self.follow(outline);
        if self.nodes.is_empty() {
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("knowledge.outline.none"))).wrap());
            return None;
        }
        let size = vec2(ui.available_width(), self.rows.len() as f32 * ROW);
        let (all, _) = ui.allocate_exact_size(size, Sense::hover());
        let clip = ui.clip_rect();
        let first = ((clip.top() - all.top()) / ROW).floor().max(0.0) as usize;
        let last = (((clip.bottom() - all.top()) / ROW).ceil().max(0.0) as usize).min(self.rows.len());
        let (mut opened, mut turned) = (None, None);
        for row in first.min(last)..last {
            let index = self.rows[row];
            let place = Rect::from_min_size(pos2(all.left(), all.top() + row as f32 * ROW), vec2(all.width(), ROW));
            match self.row(ui, tokens, index, place) {
                Some(Pressed::Opened) => opened = self.nodes[index].lines,
                Some(Pressed::Turned) => turned = Some(index),
                None => {}
            }
        }
        if let Some(index) = turned {
            if !self.folded.remove(&index) {
                self.folded.insert(index);
            }
            self.arrange();
            ui.ctx().request_repaint();
        }
        opened
    }

    fn row(&self, ui: &mut Ui, tokens: &Tokens, index: usize, rect: Rect) -> Option<Pressed> {
        let node = &self.nodes[index];
        let folded = self.folded.contains(&index);
        let response = ui.interact(rect, Id::unique(("outline", index)), Sense::click());
        let label = if node.place.is_empty() { node.title.clone() } else { format!("{}, {}", node.title, node.place) };
        response.widget_info(|| WidgetInfo::labeled(Role::TreeItem, true, &label));
        if response.gained_focus() {
            ui.scroll_to_rect(rect, None);
        }
        if response.hovered() {
            ui.painter().rect_filled(rect, tokens.radius.small, tokens.color.bg3);
        }
        if response.has_focus() {
            let stroke = Stroke::new(2.0, tokens.color.accent);
            ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
        }
        let middle = rect.center().y;
        let mut left = rect.left() + f32::from(node.depth.min(DEEPEST)) * STEP;
        let caret = Rect::from_min_size(pos2(left, rect.top()), vec2(STEP, ROW));
        let mut turned = false;
        if node.parent {
            let turn = ui.interact(caret, Id::unique(("outline-fold", index)), Sense::click());
            let key = if folded { "knowledge.outline.unfold" } else { "knowledge.outline.fold" };
            turn.widget_info(|| WidgetInfo::labeled(Role::Button, true, tr_with(key, &[("title", &node.title)])));
            turned = turn.clicked();
            let icon = if folded { Icon::CaretRight } else { Icon::CaretDown };
            let ink = if turn.hovered() || turn.has_focus() { tokens.color.text } else { tokens.color.text_3 };
            ui.painter().text(caret.center(), Align2::CENTER_CENTER, icon.code(), Icon::font(11.0), ink);
        }
        left += STEP + tokens.space.xs;
        let at = pos2(left, middle);
        ui.painter().text(at, Align2::LEFT_CENTER, node.icon.code(), Icon::font(14.0), tokens.color.text_2);
        left += tokens.size.icon + 2.0;
        let at = pos2(rect.right() - tokens.space.xs, middle);
        let font = tokens.font(Type::Label);
        let right = ui.painter().text(at, Align2::RIGHT_CENTER, &node.place, font, tokens.color.text_3).left();
        let kind = if node.lines.is_none() { Type::Strong } else { Type::Secondary };
        list::line(ui, left, right - tokens.space.s, middle, &node.title, kind, tokens.color.text);
        match (turned, response.clicked(), node.lines) {
            (true, ..) | (_, true, None) => Some(Pressed::Turned),
            (_, true, Some(_)) => Some(Pressed::Opened),
            _ => None,
        }
    }

    /// Makes the nodes anew when the outline is another one.
    fn follow(&mut self, outline: &DocumentOutline) {
        let document = &outline.document;
        let (headings, symbols) = (outline.headings.len(), outline.symbols.len());
        let same = self.of.as_ref().is_some_and(|(path, hash, a, b, lines)| {
            (path, hash, *a, *b, *lines) == (&document.path, &document.hash, headings, symbols, outline.total_lines)
        });
        if same {
            return;
        }
        self.of = Some((document.path.clone(), document.hash.clone(), headings, symbols, outline.total_lines));
        self.folded.clear();
        self.nodes.clear();
        let place = |line: u32| {
            let page = outline.pages.partition_point(|first| *first <= line) as u32;
            match page {
                0 => tr_with("knowledge.outline.line", &[("n", &number(u64::from(line)))]),
                page => page_words(document.kind, page),
            }
        };
        let mut groups: Vec<(&str, Icon, Vec<Node>)> = Vec::new();
        // Of source code the headings say the same as the symbols.
        if outline.symbols.is_empty() || document.kind != DocumentKind::Code {
            let entries = outline.headings.iter().map(|heading| {
                (heading.level, Icon::TextT, heading.title.as_str(), place(heading.line), (heading.line, heading.line))
            });
            groups.push(("knowledge.outline.headings", Icon::List, nested(entries)));
        }
        let entries = outline.symbols.iter().map(|symbol| {
            let icon = if symbol.kind.is_callable() { Icon::Code } else { Icon::Cube };
            let lines = (symbol.first_line, symbol.last_line.max(symbol.first_line));
            (symbol.level, icon, symbol.title.as_str(), place(symbol.line), lines)
        });
        groups.push(("knowledge.outline.symbols", Icon::Code, nested(entries)));
        let tables = outline.tables.iter().enumerate().map(|(at, (first, last))| {
            let title = tr_with("knowledge.outline.table", &[("n", &number(at as u64 + 1))]);
            leaf(Icon::Table, title, place(*first), (*first, *last))
        });
        groups.push(("knowledge.outline.tables", Icon::Table, tables.collect()));
        let pages = outline.pages.iter().enumerate().map(|(at, first)| {
            let title = page_words(document.kind, at as u32 + 1);
            let line = tr_with("knowledge.outline.line", &[("n", &number(u64::from(*first)))]);
            leaf(Icon::FileText, capital(&title), line, (*first, *first))
        });
        let name = match document.kind {
            DocumentKind::Pptx => "knowledge.outline.slides",
            DocumentKind::Xlsx => "knowledge.outline.sheets",
            DocumentKind::Epub => "knowledge.outline.parts",
            _ => "knowledge.outline.pages",
        };
        groups.push((name, Icon::Stack, pages.collect()));
        groups.retain(|(_, _, nodes)| !nodes.is_empty());
        // One page beside other things says nothing.
        if groups.len() > 1 && outline.pages.len() == 1 {
            groups.pop();
        }
        if let [(_, _, nodes)] = groups.as_mut_slice() {
            self.nodes.append(nodes);
            self.arrange();
            return;
        }
        for (at, (name, icon, nodes)) in groups.into_iter().enumerate() {
            if at > 0 && nodes.len() > MANY {
                self.folded.insert(self.nodes.len());
            }
            let title = format!("{} · {}", tr(name), number(nodes.len() as u64));
            self.nodes.push(Node { depth: 0, icon, title, place: String::new(), lines: None, parent: true });
            self.nodes.extend(nodes.into_iter().map(|node| Node { depth: node.depth + 1, ..node }));
        }
        self.arrange();
    }

    /// Finds the rows: what lies below a folded node is left out.
    fn arrange(&mut self) {
        self.rows.clear();
        let mut hidden: Option<u16> = None;
        for (index, node) in self.nodes.iter().enumerate() {
            if hidden.is_some_and(|depth| node.depth > depth) {
                continue;
            }
            hidden = self.folded.contains(&index).then_some(node.depth);
            self.rows.push(index);
        }
    }
}

enum Pressed {
    Opened,
    Turned,
}

fn leaf(icon: Icon, title: String, place: String, lines: (u32, u32)) -> Node {
    Node { depth: 0, icon, title, place, lines: Some(lines), parent: false }
}

/// Depths from levels: a level that was left out makes no step.
fn nested<'a>(entries: impl Iterator<Item = (u8, Icon, &'a str, String, (u32, u32))>) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut open: Vec<u8> = Vec::new();
    for (level, icon, title, place, lines) in entries {
        while open.last().is_some_and(|last| *last >= level) {
            open.pop();
        }
        let depth = open.len() as u16;
        if let Some(before) = nodes.last_mut().filter(|before| before.depth < depth) {
            before.parent = true;
        }
        open.push(level);
        nodes.push(Node { depth, ..leaf(icon, short(title.trim(), SHOWN), place, lines) });
    }
    nodes
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_that_are_left_out_make_no_step() {
        let entry = |level, title| (level, Icon::TextT, title, String::new(), (1, 1));
        let nodes = nested([entry(2, "a"), entry(4, "b"), entry(4, "c"), entry(3, "d"), entry(1, "e")].into_iter());
        let depths: Vec<(u16, bool)> = nodes.iter().map(|node| (node.depth, node.parent)).collect();
        assert_eq!(depths, [(0, true), (1, false), (1, false), (1, false), (0, false)]);
    }

    #[test]
    fn what_lies_below_a_folded_one_is_hidden() {
        let entry = |level, title| (level, Icon::TextT, title, String::new(), (1, 1));
        let nodes = nested([entry(1, "a"), entry(2, "b"), entry(3, "c"), entry(1, "d")].into_iter());
        let mut outline = Outline { nodes, ..Outline::default() };
        outline.arrange();
        assert_eq!(outline.rows, [0, 1, 2, 3]);
        outline.folded.insert(0);
        outline.arrange();
        assert_eq!(outline.rows, [0, 3]);
    }
}
