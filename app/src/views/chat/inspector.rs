//! What an answer stands on: its model, how full the context was, the sources, and the cited lines in place.

mod choice;
mod context;

use egui::{Align, Id, Layout, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, vec2};
use rspa_core::model::{Author, Message, MessageId, PassageId, Stale};

use super::Deed;
use super::composer::used as composer_used;
use crate::commands::{UiCommand, open};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::text::{tr, tr_count};
use crate::widgets::citation::{name, open_words, place, short_place, source_row};
use crate::widgets::code_view::highlight::language;
use crate::widgets::code_view::{CodeView, Lines, Showing};
use crate::widgets::column::padded;
use crate::widgets::{Button, column_header, hairline, section_title};

/// Rows of a passage that are in view at once.
const PREVIEW_ROWS: f32 = 16.0;

#[derive(Clone, Copy, PartialEq)]
enum Chosen {
    Citation(usize),
    Passage(usize),
}

#[derive(Default)]
pub struct Inspector {
    /// The answer that is looked at; the last one if none.
    answer: Option<MessageId>,
    chosen: Option<Chosen>,
    preview: Preview,
    /// What the next question would take is looked at.
    preview_shown: bool,
}

#[derive(Default)]
struct Preview {
    of: Option<(PassageId, u32)>,
    lines: Vec<String>,
    view: CodeView,
    scroll: bool,
}

impl Inspector {
    /// Looks at this answer.
    pub fn show_answer(&mut self, message: MessageId) {
        self.clear();
        self.answer = Some(message);
    }

    /// Looks at what the next question would take of the context.
    pub fn show_preview(&mut self) {
        self.preview_shown = true;
    }

    pub fn is_preview(&self) -> bool {
        self.preview_shown
    }

    pub fn show_citation(&mut self, message: MessageId, index: usize) {
        self.preview_shown = false;
        self.answer = Some(message);
        self.chosen = Some(Chosen::Citation(index));
    }

    pub fn show_passage(&mut self, message: MessageId, index: usize) {
        self.preview_shown = false;
        self.answer = Some(message);
        self.chosen = Some(Chosen::Passage(index));
    }

    pub fn clear(&mut self) {
        self.answer = None;
        self.chosen = None;
        self.preview_shown = false;
    }

    /// What opens the lines that are chosen.
    pub fn opens(&self, state: &AppState) -> Option<UiCommand> {
        let answer = self.answer(state.open_messages())?;
        match self.chosen? {
            Chosen::Citation(index) => answer.citations.get(index).map(open::citation),
            Chosen::Passage(index) => answer.passages.get(index).map(open::passage),
        }
    }

    fn answer<'a>(&self, messages: &'a [Message]) -> Option<&'a Message> {
        let wanted = self.answer.and_then(|id| {
            let mut all = messages.iter().rev().flat_map(|one| std::iter::once(one).chain(&one.versions.beside));
            all.find(|message| message.id == id)
        });
        wanted.or_else(|| messages.iter().rev().find(|message| message.author == Author::Model))
    }

    pub fn ui(&mut self, ui: &mut Ui, state: &AppState, deeds: &mut Vec<Deed>) {
        let tokens = ui.tokens();
        let answer = self.answer(state.open_messages());
        let preview = state.chats.preview.get().filter(|_| self.preview_shown && state.chats.preview.error().is_none());
        let used = match preview {
            Some(preview) => Some(composer_used(preview)),
            None => answer
                .and_then(|answer| answer.stats.as_ref())
                .map(|stats| u64::from(stats.prompt_tokens + stats.answer_tokens)),
        };
        let title = if preview.is_some() { tr("chat.context.next") } else { tr("chat.context.title") };
        column_header(ui, title, |ui| {
            if let Some(used) = used {
                ui.label(tokens.rich(Type::Secondary, tr_count("chat.tokens", used)));
            }
        });
        if let Some(preview) = preview {
            ScrollArea::vertical().id_salt("preview-of-context").auto_shrink(false).show(ui, |ui| {
                padded(ui, tokens.space.l, tokens.space.m, |ui| {
                    context::whole(ui, preview);
                    if answer.is_some() && ui.add(Button::new(tr("chat.context.back"))).clicked() {
                        self.preview_shown = false;
                    }
                });
            });
            return;
        }
        let Some(answer) = answer else { return };
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                // Figures that arrive while the answer grows must not move the passage that the person looks at.
                let figures = |ui: &mut Ui| {
                    choice::ui(ui, answer);
                    context::ui(ui, state, answer);
                };
                let reading = self.chosen.is_some();
                if !reading {
                    figures(ui);
                }
                self.sources(ui, answer, deeds);
                self.chosen(ui, answer, deeds);
                if reading {
                    ui.add_space(tokens.space.m);
                    hairline(ui);
                    ui.add_space(tokens.space.m);
                    figures(ui);
                }
            });
        });
    }

    fn sources(&mut self, ui: &mut Ui, answer: &Message, deeds: &mut Vec<Deed>) {
        let tokens = ui.tokens();
        section_title(ui, tr("chat.sources.title"));
        ui.add_space(tokens.space.xs);
        if answer.citations.is_empty() {
            let alive = answer.stats.is_none();
            let text = match (alive, answer.passages.is_empty()) {
                (true, _) => tr("chat.sources.waiting"),
                (false, true) => tr("chat.sources.no_search"),
                (false, false) => tr("chat.sources.none"),
            };
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, text)).wrap());
        }
        for (index, citation) in answer.citations.iter().enumerate() {
            let at = short_place(&citation.passage, citation.start_line, citation.end_line);
            let name = name(&citation.passage);
            let chosen = self.chosen == Some(Chosen::Citation(index));
            if source_row(ui, Some(index + 1), &name, &at, chosen).clicked() {
                deeds.push(Deed::Citation(answer.id, index));
            }
            if let Some(stale) = citation.stale {
                ui.horizontal(|ui| {
                    ui.add_space(tokens.size.chip + tokens.space.s);
                    ui.label(tokens.rich(Type::Label, stale_words(stale)).color(tokens.color.warn));
                });
            }
        }
        let cited = |id: PassageId| answer.citations.iter().any(|citation| citation.passage.id == id);
        let others: Vec<usize> =
            (0..answer.passages.len()).filter(|&index| !cited(answer.passages[index].id)).collect();
        if !others.is_empty() {
            ui.add_space(tokens.space.m);
            let alive = answer.stats.is_none();
            let title = if alive { tr("chat.sources.found") } else { tr("chat.sources.not_cited") };
            ui.label(tokens.rich(Type::Secondary, title));
            for index in others {
                let passage = &answer.passages[index];
                let at = short_place(passage, passage.start_line, passage.end_line);
                let chosen = self.chosen == Some(Chosen::Passage(index));
                if source_row(ui, None, &name(passage), &at, chosen).clicked() {
                    deeds.push(Deed::Passage(answer.id, index));
                }
            }
        }
    }

    fn chosen(&mut self, ui: &mut Ui, answer: &Message, deeds: &mut Vec<Deed>) {
        let tokens = ui.tokens();
        let (passage, mark, opens) = match self.chosen {
            Some(Chosen::Citation(index)) => match answer.citations.get(index) {
                Some(citation) => {
                    (&citation.passage, Some((citation.start_line, citation.end_line)), open::citation(citation))
                }
                None => return,
            },
            Some(Chosen::Passage(index)) => match answer.passages.get(index) {
                Some(passage) => (passage, None, open::passage(passage)),
                None => return,
            },
            None => return,
        };
        ui.add_space(tokens.space.m);
        hairline(ui);
        ui.add_space(tokens.space.m);
        section_title(ui, &name(passage));
        let label = egui::Label::new(tokens.rich(Type::Secondary, place(passage))).truncate();
        ui.add(label).on_hover_text(crate::text::path(&passage.path));
        ui.add_space(tokens.space.xs);
        let key = Some((passage.id, mark.map_or(passage.start_line, |(first, _)| first)));
        if self.preview.of != key {
            let lines = passage.text.lines().map(str::to_owned).collect();
            self.preview = Preview { of: key, lines, view: CodeView::default(), scroll: true };
        }
        preview(ui, &mut self.preview, passage, mark);
        ui.add_space(tokens.space.s);
        ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
            if ui.add(Button::new(open_words(&passage.origin)).icon(Icon::ArrowSquareOut)).clicked() {
                deeds.push(Deed::Open(opens));
            }
        });
    }
}

fn stale_words(stale: Stale) -> &'static str {
    match stale {
        Stale::Changed => tr("chat.sources.changed"),
        Stale::Gone => tr("chat.sources.gone"),
    }
}

/// The passage in a frame, with the quoted lines marked.
fn preview(ui: &mut Ui, preview: &mut Preview, passage: &rspa_core::model::Passage, mark: Option<(u32, u32)>) {
    let tokens = ui.tokens();
    let line = tokens.line_height(Type::Code);
    let extension = passage.path.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
    // The true height is known once the lines were shown.
    let height = match preview.view.height(tokens) {
        0.0 => preview.lines.len() as f32 * line * 2.0,
        height => height,
    };
    let height = height.clamp(line, PREVIEW_ROWS * line);
    let size = vec2(ui.available_width(), height + 2.0 * tokens.space.s);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let stroke = Stroke::new(1.0, tokens.color.line);
    ui.painter().rect(rect, tokens.radius.card, tokens.color.bg2, stroke, StrokeKind::Inside);
    let inner = rect.shrink2(vec2(1.0, tokens.space.s));
    ui.scope_builder(UiBuilder::new().id_salt("preview").max_rect(inner), |ui| {
        let last = passage.start_line + (preview.lines.len() as u32).saturating_sub(1);
        let lines = Lines { lines: &preview.lines, first: passage.start_line, from: passage.start_line, to: last };
        let showing = Showing {
            language: language(&extension),
            wrap: true,
            mark,
            scroll_to: std::mem::take(&mut preview.scroll).then(|| mark.map_or(passage.start_line, |(first, _)| first)),
        };
        preview.view.show(ui, Id::unique(("citation-preview", passage.id)), lines, showing);
    });
}
