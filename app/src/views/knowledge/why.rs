//! Why a passage was found: its rank and score at each stage, the timings, and the passage itself.

use egui::{Align, Id, Label, Layout, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2};
use rspa_core::model::{DocumentKind, PassageId, SearchHit, SearchResults, StageRank};

use super::results::milliseconds;
use super::why_not::WhyNotField;
use crate::commands::{UiCommand, open};
use crate::design::{Icon, Type, UiExt};
use crate::text::{short, tr, tr_with};
use crate::views::Cx;
use crate::widgets::citation::{kind_name, name, open_words, place};
use crate::widgets::code_view::highlight::language;
use crate::widgets::code_view::{CodeView, Lines, Showing};
use crate::widgets::column::padded;
use crate::widgets::{Button, section_title};

/// Rows of the passage that are in view at once.
const PREVIEW_ROWS: f32 = 20.0;

#[derive(Default)]
pub struct Why {
    of: Option<PassageId>,
    lines: Vec<String>,
    view: CodeView,
    pub why_not: WhyNotField,
}

impl Why {
    /// True when the person wants to see the document as a whole.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, results: &SearchResults, hit: &SearchHit) -> bool {
        let tokens = ui.tokens();
        let mut document = false;
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                if self.why_not.is_open() {
                    self.why_not.ui(ui, cx);
                    ui.add_space(tokens.space.l);
                }
                let milli = |ms: f64| format!("{} ms", milliseconds(ms));
                let (keyword, vector) = (milli(results.keyword_ms), milli(results.vector_ms));
                stage(ui, tr("knowledge.why.keyword"), hit.keyword, 1, &keyword);
                stage(ui, tr("knowledge.why.static_vector"), hit.static_vector, 2, &vector);
                stage(ui, tr("knowledge.why.encoder_vector"), hit.encoder_vector, 2, &vector);
                stage(ui, tr("knowledge.why.fusion"), hit.fusion, 3, "");
                stage(ui, tr("knowledge.why.rerank"), hit.rerank, 1, &milli(results.rerank_ms));
                if results.compared > 0 {
                    stage(ui, tr("knowledge.why.compared"), hit.compared, 2, &milli(results.compare_ms));
                }
                ui.add_space(tokens.space.l);

                let passage = &hit.passage;
                section_title(ui, &name(passage));
                let place = place(passage);
                let place = if place.is_empty() { kind_name(passage.kind).to_owned() } else { place };
                let label = Label::new(tokens.rich(Type::Secondary, place)).truncate();
                ui.add(label).on_hover_text(short(&crate::text::path(&passage.path), 1_000));
                ui.add_space(tokens.space.s);
                self.preview(ui, hit);
                ui.add_space(tokens.space.m);
                ui.horizontal_wrapped(|ui| {
                    let opens = Button::new(tr("common.open")).tooltip(open_words(&passage.origin));
                    if ui.add(opens.icon(Icon::ArrowSquareOut)).clicked() {
                        cx.commands.push(open::hit(hit));
                    }
                    if ui.add(Button::new(tr("knowledge.why.ask")).icon(Icon::ChatCircle)).clicked() {
                        let file = name(passage);
                        let text =
                            tr_with("knowledge.why.question", &[("file", &file), ("topic", &results.query.trim())]);
                        cx.commands.push(UiCommand::Ask(text));
                    }
                    let structure = Button::new(tr("knowledge.detail.show")).icon(Icon::TreeStructure).quiet();
                    document = ui.add(structure).clicked();
                });
                super::retrieval_tests::save_button(ui, cx, &results.query, passage);
            });
        });
        document
    }

    fn preview(&mut self, ui: &mut Ui, hit: &SearchHit) {
        let tokens = ui.tokens();
        let passage = &hit.passage;
        let fresh = self.of != Some(passage.id);
        if fresh {
            let lines = passage.text.lines().map(str::to_owned).collect();
            (self.of, self.lines, self.view) = (Some(passage.id), lines, CodeView::default());
        }
        let code = passage.kind == DocumentKind::Code;
        let line = tokens.line_height(Type::Code);
        // The true height is known once the lines were shown.
        let height = match self.view.height(tokens) {
            0.0 => self.lines.len() as f32 * line,
            height => height,
        };
        let height = height.clamp(line, PREVIEW_ROWS * line) + 2.0 * tokens.space.s;
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        let stroke = Stroke::new(1.0, tokens.color.line);
        ui.painter().rect(rect, tokens.radius.card, tokens.color.bg2, stroke, StrokeKind::Inside);
        let inner = rect.shrink2(vec2(1.0, tokens.space.s));
        let extension = passage.path.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        ui.scope_builder(UiBuilder::new().id_salt("why-preview").max_rect(inner), |ui| {
            let first = passage.start_line;
            let last = first + (self.lines.len() as u32).saturating_sub(1);
            let lines = Lines { lines: &self.lines, first, from: first, to: last };
            let showing =
                Showing { language: language(&extension), wrap: !code, mark: None, scroll_to: fresh.then_some(first) };
            self.view.show(ui, Id::unique(("why", passage.id)), lines, showing);
        });
    }
}

/// One line: the stage, the rank it gave, and score and time.
fn stage(ui: &mut Ui, name: &str, rank: Option<StageRank>, decimals: usize, time: &str) {
    let tokens = ui.tokens();
    let size = vec2(ui.available_width(), tokens.size.row);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    crate::widgets::citation::rule(ui, rect);
    let ink = if rank.is_some() { tokens.color.text_2 } else { tokens.color.text_3 };
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(Layout::right_to_left(Align::Center)), |ui| {
        let figures = match rank {
            Some(rank) if time.is_empty() => format!("{:.decimals$}", rank.score),
            Some(rank) => format!("{:.decimals$} · {time}", rank.score),
            None => time.to_owned(),
        };
        ui.label(tokens.rich(Type::Secondary, figures).color(tokens.color.text_3));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(tokens.rich(Type::Secondary, name).color(ink));
            let middle = pos2(rect.left() + rect.width() * 0.52, ui.cursor().top());
            ui.add_space((middle.x - ui.cursor().left()).max(tokens.space.s));
            let words = match rank {
                Some(rank) => tr_with("knowledge.why.rank", &[("n", &rank.rank)]),
                None => tr("knowledge.why.not_found").to_owned(),
            };
            let color = if rank.is_some() { tokens.color.text } else { tokens.color.text_3 };
            ui.label(tokens.rich(Type::Secondary, words).color(color));
        });
    });
}
