//! Why a passage was found: its rank and score at each stage, the timings, and the passage itself.

use egui::{Align, Id, Key, Label, Layout, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2};
use rspa_core::model::{DocumentKind, MissingReason, PassageId, SearchHit, SearchResults, StageRank, WhyNot};

use super::results::milliseconds;
use crate::commands::UiCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::widgets::citation::{file_name, place};
use crate::widgets::code_view::highlight::language;
use crate::widgets::code_view::{CodeView, Lines, Showing};
use crate::widgets::column::padded;
use crate::widgets::{Button, TextField, column_header, section_title};

/// Rows of the passage that are in view at once.
const PREVIEW_ROWS: f32 = 20.0;

#[derive(Default)]
pub struct Why {
    of: Option<PassageId>,
    lines: Vec<String>,
    view: CodeView,
    /// The field for another document is open.
    asks: bool,
    name: String,
}

impl Why {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, results: &SearchResults, hit: &SearchHit) {
        let tokens = ui.tokens();
        column_header(ui, tr("knowledge.why.title"), |ui| {
            let other = Button::new(tr("knowledge.why.why_not")).icon(Icon::Question).quiet().small();
            if ui.add(other.selected(self.asks)).clicked() {
                self.asks = !self.asks;
            }
        });
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                if self.asks {
                    self.why_not(ui, cx);
                }
                let milli = |ms: f64| format!("{} ms", milliseconds(ms));
                let (keyword, vector) = (milli(results.keyword_ms), milli(results.vector_ms));
                stage(ui, tr("knowledge.why.keyword"), hit.keyword, 1, &keyword);
                stage(ui, tr("knowledge.why.static_vector"), hit.static_vector, 2, &vector);
                stage(ui, tr("knowledge.why.encoder_vector"), hit.encoder_vector, 2, &vector);
                stage(ui, tr("knowledge.why.fusion"), hit.fusion, 3, "");
                stage(ui, tr("knowledge.why.rerank"), hit.rerank, 1, &milli(results.rerank_ms));
                ui.add_space(tokens.space.l);

                let passage = &hit.passage;
                section_title(ui, &file_name(&passage.path));
                let label = Label::new(tokens.rich(Type::Secondary, place(passage))).truncate();
                ui.add(label).on_hover_text(crate::text::path(&passage.path));
                ui.add_space(tokens.space.s);
                self.preview(ui, hit);
                ui.add_space(tokens.space.m);
                ui.horizontal(|ui| {
                    if ui.add(Button::new(tr("common.open")).icon(Icon::ArrowSquareOut)).clicked() {
                        cx.commands.push(super::open(passage));
                    }
                    if ui.add(Button::new(tr("knowledge.why.ask")).icon(Icon::ChatCircle)).clicked() {
                        let file = file_name(&passage.path);
                        let text =
                            tr_with("knowledge.why.question", &[("file", &file), ("topic", &results.query.trim())]);
                        cx.commands.push(UiCommand::Ask(text));
                    }
                });
                super::retrieval_tests::save_button(ui, cx, &results.query, passage);
            });
        });
    }

    /// The field for a name, and why that document is not among the hits.
    fn why_not(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let field = TextField::new(&mut self.name, tr("knowledge.why.why_not_name"));
        let response = field.hint(tr("knowledge.why.why_not_hint")).icon(Icon::Question).show(ui);
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if entered && !self.name.trim().is_empty() {
            let query = cx.state.knowledge.query.clone();
            cx.commands.push(UiCommand::ExplainMissing { query, name: self.name.trim().to_owned() });
        }
        ui.add_space(tokens.space.s);
        let slot = &cx.state.knowledge.why_not;
        if let Some(error) = slot.error() {
            ui.add(Label::new(tokens.rich(Type::Secondary, &error.message).color(tokens.color.bad)).wrap());
        } else if let Some(why) = slot.get() {
            for line in explained(why) {
                ui.add(Label::new(tokens.rich(Type::Secondary, line)).wrap());
            }
        }
        ui.add_space(tokens.space.l);
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

fn explained(why: &WhyNot) -> Vec<String> {
    let name = why.document.as_ref().map(|document| file_name(&document.path)).unwrap_or_default();
    let mut lines = vec![match &why.reason {
        MissingReason::Shown { rank } => tr_with("knowledge.why.shown", &[("name", &name), ("rank", rank)]),
        MissingReason::Below { rank } => tr_with("knowledge.why.below", &[("name", &name), ("rank", rank)]),
        MissingReason::BeyondStages { depth } => tr_with("knowledge.why.beyond", &[("name", &name), ("depth", depth)]),
        MissingReason::NothingInCommon => tr_with("knowledge.why.nothing_in_common", &[("name", &name)]),
        MissingReason::Filtered { .. } => tr_with("knowledge.why.filtered", &[("name", &name)]),
        MissingReason::OutsideSources => tr("knowledge.why.outside").to_owned(),
        MissingReason::NoFile => tr("knowledge.why.no_file").to_owned(),
        MissingReason::LeftOut => tr("knowledge.why.left_out").to_owned(),
        MissingReason::Unreadable { why } => tr_with("knowledge.why.unreadable", &[("why", why)]),
        MissingReason::NotYet => tr("knowledge.why.not_yet").to_owned(),
    }];
    if !why.missing_words.is_empty() {
        lines.push(tr_with("knowledge.why.missing_words", &[("words", &why.missing_words.join(", "))]));
    }
    if let (Some(best), Some(needed)) = (&why.best, why.needed) {
        let (score, needed) = (format!("{:.2}", best.score), format!("{needed:.2}"));
        lines.push(tr_with("knowledge.why.best", &[("score", &score), ("needed", &needed)]));
    }
    lines
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
