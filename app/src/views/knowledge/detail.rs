//! One document: what it is, how well it could be read and why, what it says of itself, and how it is built.

use std::path::{Path, PathBuf};

use egui::{Label, ScrollArea, Ui};
use rspa_core::model::{Document, DocumentKind, DocumentOutline, Origin, Timestamp};

use super::outline::Outline;
use crate::commands::{UiCommand, open};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::text::{bytes, clock, day, number, sentence, short, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::citation::{document_name, kind_icon, kind_name, open_words, source_kind};
use crate::widgets::column::padded;
use crate::widgets::{Button, Chip, IconButton, Tone, fact, hairline, progress_bar, section_title, states};

/// From this confidence on a document counts as read in full.
pub const FULL: f32 = 0.995;
/// Below this confidence most of it is missing.
const POOR: f32 = 0.5;
/// Letters of a name or value that are shown: who wrote it may be hostile.
const SHOWN: usize = 300;
/// Facts that a document tells of itself, before the rest is asked for; and at most.
const FACTS: usize = 4;
const MOST_FACTS: usize = 100;

#[derive(Default)]
pub struct Detail {
    of: Option<PathBuf>,
    outline: Outline,
    all_facts: bool,
}

impl Detail {
    /// True when the document is opened at a part of its structure.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, path: &Path) -> bool {
        let tokens = ui.tokens();
        let mut opened = false;
        if self.of.as_deref() != Some(path) {
            *self = Self { of: Some(path.to_owned()), ..Self::default() };
        }
        let slot = cx.state.knowledge.outlines.get(path);
        if slot.is_none_or(|slot| slot.is_untouched()) {
            cx.commands.push(UiCommand::DescribeDocument(path.to_owned()));
        }
        let outline = slot.and_then(|slot| slot.get());
        let error = slot.and_then(|slot| slot.error());
        // The list knows it before it was read again.
        let Some(document) = outline.map(|outline| &outline.document).or_else(|| listed(cx.state, path)) else {
            match error {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::DescribeDocument(path.to_owned()));
                    }
                }
                None => states::loading(ui, tr("knowledge.detail.loading")),
            }
            return false;
        };
        ScrollArea::vertical().id_salt(("document-detail", path)).auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                head(ui, cx, document);
                if outline.is_some_and(|outline| outline.changed) {
                    ui.add_space(tokens.space.s);
                    states::banner(ui, Tone::Warn, Icon::Warning, tr("knowledge.detail.changed"));
                }
                ui.add_space(tokens.space.m);
                self.facts(ui, cx, document, outline);
                ui.add_space(tokens.space.m);
                hairline(ui);
                ui.add_space(tokens.space.m);
                section_title(ui, tr("knowledge.outline.title"));
                ui.add_space(tokens.space.xs);
                match (outline, error) {
                    (_, Some(error)) => {
                        let words = format!("{}. {}", sentence(error.message.trim_end_matches('.')), error.advice);
                        states::banner(ui, Tone::Bad, Icon::WarningCircle, &short(&words, 1_000));
                        ui.add_space(tokens.space.s);
                        let again = Button::new(tr("common.try_again")).icon(Icon::ArrowClockwise).small();
                        if ui.add(again).clicked() {
                            cx.commands.push(UiCommand::DescribeDocument(path.to_owned()));
                        }
                    }
                    (Some(outline), None) => {
                        ui.spacing_mut().item_spacing.y = 0.0;
                        if let Some((first, last)) = self.outline.ui(ui, outline) {
                            cx.commands.push(UiCommand::OpenDocument(open::lines(document, first, last)));
                            opened = true;
                        }
                    }
                    (None, None) => {
                        ui.label(tokens.rich(Type::Secondary, tr("knowledge.detail.loading")));
                        ui.add_space(tokens.space.xs);
                        progress_bar(ui, tr("knowledge.detail.loading"), None, ui.available_width());
                    }
                }
            });
        });
        opened
    }

    /// Where it lies, how large it is, when it was read, and what it says of itself.
    fn facts(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, document: &Document, outline: Option<&DocumentOutline>) {
        let tokens = ui.tokens();
        ui.spacing_mut().item_spacing.y = 0.0;
        let value = |ui: &mut Ui, words: &str| {
            ui.add(Label::new(tokens.rich(Type::Body, words)).wrap());
        };
        let source = cx.state.source(document.source).map(|status| &status.source);
        if let Some(source) = source {
            fact(ui, tr("knowledge.detail.source"), |ui| {
                let name = Label::new(tokens.rich(Type::Body, short(&source.name, SHOWN))).truncate();
                ui.add(name).on_hover_text(source_kind(source));
            });
        }
        let address = source.and_then(|source| source.address.as_deref());
        if let Some(address) = address {
            fact(ui, tr("knowledge.detail.address"), |ui| value(ui, &short(address, SHOWN)));
        }
        let lines = outline.map(|outline| tr_count("knowledge.detail.lines", u64::from(outline.total_lines)));
        let pages = outline.filter(|outline| !outline.pages.is_empty()).map(|outline| {
            let key = match document.kind {
                DocumentKind::Pptx => "knowledge.detail.slides",
                DocumentKind::Xlsx => "knowledge.detail.sheets",
                DocumentKind::Epub => "knowledge.detail.parts",
                _ => "knowledge.detail.pages",
            };
            tr_count(key, outline.pages.len() as u64)
        });
        let size = (document.size_bytes > 0).then(|| bytes(document.size_bytes));
        let sizes: Vec<String> = [size, pages, lines].into_iter().flatten().collect();
        if !sizes.is_empty() {
            fact(ui, tr("knowledge.detail.size"), |ui| value(ui, &sizes.join(" · ")));
        }
        fact(ui, tr("knowledge.detail.passages"), |ui| value(ui, &number(u64::from(document.passages))));
        let changed = if address.is_some() { tr("knowledge.detail.fetched") } else { tr("knowledge.detail.modified") };
        fact(ui, changed, |ui| value(ui, &when(document.modified)));
        fact(ui, tr("knowledge.detail.indexed"), |ui| value(ui, &when(document.indexed)));
        fact(ui, tr("knowledge.detail.took"), |ui| value(ui, &milliseconds(document.seconds)));
        let shown = if self.all_facts { MOST_FACTS } else { FACTS };
        for (name, told) in document.metadata.iter().take(shown) {
            let name = short(name, 60);
            fact(ui, sentence(&name).as_ref(), |ui| value(ui, &plain_time(&short(told, SHOWN))));
        }
        let rest = document.metadata.len().min(MOST_FACTS).saturating_sub(shown);
        if rest > 0 {
            let more =
                Button::new(tr_count("knowledge.detail.more", rest as u64)).icon(Icon::CaretDown).quiet().small();
            self.all_facts |= ui.add(more).clicked();
        }
    }
}

/// Its name, its kind, how well it could be read, and what can be done with it.
fn head(ui: &mut Ui, cx: &mut Cx<'_>, document: &Document) {
    let tokens = ui.tokens();
    let name = document_name(document);
    let title = document.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
    let title = title.map(|title| short(title, SHOWN)).filter(|title| *title != name);
    section_title(ui, title.as_deref().unwrap_or(&name));
    let is_file = Origin::of_record(&document.path).is_none() && document.kind != DocumentKind::Commit;
    let inside = super::inside(cx.state, document.source, &document.path);
    if title.is_some() || (is_file && inside != name) {
        let words = Label::new(tokens.rich(Type::Secondary, if is_file { &inside } else { &name })).truncate();
        ui.add(words).on_hover_text(short(&crate::text::path(&document.path), 1_000));
    }
    ui.add_space(tokens.space.xs);
    ui.horizontal_wrapped(|ui| {
        ui.add(Chip::new(kind_name(document.kind)).icon(kind_icon(document.kind)));
        let (words, tone, icon) = confidence(document.confidence);
        ui.add(Chip::new(words).icon(icon).tone(tone)).on_hover_text(tr("knowledge.detail.partly_tip"));
    });
    if let Some(note) = document.note.as_deref().filter(|note| !note.trim().is_empty()) {
        ui.add_space(tokens.space.xs);
        let ink = if document.confidence < FULL { tokens.color.warn } else { tokens.color.text_2 };
        ui.add(Label::new(tokens.rich(Type::Secondary, short(note, SHOWN * 2)).color(ink)).wrap());
    }
    ui.add_space(tokens.space.s);
    ui.horizontal_wrapped(|ui| {
        let origin = Origin::of_record(&document.path).unwrap_or_default();
        let opens = Button::new(tr("common.open")).icon(Icon::ArrowSquareOut).tooltip(open_words(&origin));
        if ui.add(opens).clicked() {
            cx.commands.push(open::document(document));
        }
        if ui.add(Button::new(tr("knowledge.why.ask")).icon(Icon::ChatCircle)).clicked() {
            cx.commands.push(UiCommand::Ask(tr_with("document.ask", &[("file", &name)])));
        }
        if is_file && ui.add(IconButton::new(Icon::Copy, tr("document.copy_path"))).clicked() {
            cx.commands.push(UiCommand::CopyText(document.path.display().to_string()));
        }
    });
}

fn confidence(read: f32) -> (String, Tone, Icon) {
    if read >= FULL {
        return (tr("knowledge.detail.full").to_owned(), Tone::Ok, Icon::Check);
    }
    // Never 100 where something is missing; what is no number is nothing.
    let percent = (f64::from(read.clamp(0.0, 0.99)) * 100.0).round() as u32;
    let tone = if read < POOR { Tone::Bad } else { Tone::Warn };
    (tr_with("knowledge.detail.partly", &[("percent", &percent)]), tone, Icon::Warning)
}

/// `2018-10-19 19:39` of `2018-10-19T19:39:21Z`; everything else stays.
fn plain_time(told: &str) -> String {
    let pattern = b"0000-00-00T00:00";
    let fits = told.len() >= pattern.len()
        && told
            .bytes()
            .zip(pattern)
            .all(|(byte, like)| if *like == b'0' { byte.is_ascii_digit() } else { byte == *like });
    match told.get(..10).zip(told.get(11..16)) {
        Some((day, time)) if fits => format!("{day} {time}"),
        _ => told.to_owned(),
    }
}

/// `20 Nov 2026, 20:59`.
fn when(at: Timestamp) -> String {
    format!("{}, {}", day(at), clock(at))
}

/// What reading took: `34 ms`, `1.2 s`.
fn milliseconds(seconds: f64) -> String {
    match seconds {
        ..1.0 => format!("{:.0} ms", (seconds * 1_000.0).max(1.0)),
        _ => crate::text::duration(seconds),
    }
}

/// As the lists that are there know it.
fn listed<'a>(state: &'a AppState, path: &Path) -> Option<&'a Document> {
    let lists = state.knowledge.documents.values().filter_map(|slot| slot.get());
    lists.flat_map(|page| &page.items).find(|document| document.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_never_called_whole() {
        assert_eq!(confidence(1.0).0, "Read in full");
        assert_eq!(confidence(0.994).0, "99 % read");
        assert_eq!(confidence(0.0).0, "0 % read");
        assert_eq!(confidence(f32::NAN).0, "0 % read");
        assert_eq!(plain_time("2018-10-19T19:39:21Z"), "2018-10-19 19:39");
        for stays in ["2018-10-19", "Pat ébène de la T00:00", "", "2018-10-19 19:39"] {
            assert_eq!(plain_time(stays), stays);
        }
        assert_eq!((milliseconds(0.0004), milliseconds(0.034)), ("1 ms".to_owned(), "34 ms".to_owned()));
    }
}
