//! A document in a pane of its own, opened at the lines that were cited; only lines in view are laid out.

use egui::{Id, Layout, Sense, Ui, vec2};
use rspa_core::model::{DocumentKind, DocumentText};

use super::Cx;
use crate::commands::UiCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::DocumentTarget;
use crate::text::{number, short, tr, tr_with};
use crate::widgets::citation::{kind_icon, kind_name, rule};
use crate::widgets::code_view::highlight::language;
use crate::widgets::code_view::{CodeView, Lines, Showing};
use crate::widgets::column::padded;
use crate::widgets::{IconButton, Tone, speak_as, states};

/// Lines asked for at once; core gives no more than 2,000.
const WINDOW: u32 = 1600;
/// Closer than this to the end of what is loaded, more is asked for.
const NEAR: u32 = 300;

#[derive(Default)]
pub struct DocumentView {
    /// What is shown now; another target of the same file scrolls to its lines.
    target: Option<DocumentTarget>,
    view: CodeView,
    asked: Option<(u32, u32)>,
    scroll: bool,
}

impl DocumentView {
    pub fn show(&mut self, target: &DocumentTarget, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        if self.target.as_ref() != Some(target) {
            *self = Self { target: Some(target.clone()), scroll: true, ..Self::default() };
        }
        let slot = cx.state.knowledge.texts.get(target);
        let text = slot.and_then(|slot| slot.get());
        header(ui, cx, target, text);
        if slot.is_none_or(|slot| slot.is_untouched()) {
            let first = target.start_line.saturating_sub(WINDOW / 2).max(1);
            self.ask(cx, target, first);
        }
        let Some(text) = text else {
            match slot.and_then(|slot| slot.error()) {
                Some(error) => {
                    if states::error(ui, error) {
                        self.ask(cx, target, target.start_line.saturating_sub(WINDOW / 2).max(1));
                    }
                }
                None => states::loading(ui, tr("document.loading")),
            }
            return;
        };
        let changed = text.changed || text.path != target.path;
        if changed {
            padded(ui, tokens.space.l, tokens.space.s, |ui| {
                states::banner(ui, Tone::Warn, Icon::Warning, tr("document.changed"));
            });
        }
        if text.lines.is_empty() {
            states::empty(ui, Icon::FileText, tr("document.empty"), tr("document.empty_detail"), |_| {});
            return;
        }
        let (first, last) = self.lines(ui, target, text);
        let loaded = (text.first_line, text.first_line + text.lines.len() as u32 - 1);
        let wants_before = first < loaded.0.saturating_add(NEAR) && loaded.0 > 1;
        let wants_after = last + NEAR > loaded.1 && loaded.1 < text.total_lines;
        let waiting = slot.is_some_and(|slot| slot.is_waiting());
        if (wants_before || wants_after) && !waiting {
            self.ask(cx, target, ((first + last) / 2).saturating_sub(WINDOW / 2).max(1));
        }
    }

    /// Asks for lines from `first` on, unless just these were asked for.
    fn ask(&mut self, cx: &mut Cx<'_>, target: &DocumentTarget, first: u32) {
        let wanted = (first, first + WINDOW - 1);
        if self.asked != Some(wanted) {
            self.asked = Some(wanted);
            let (start_line, end_line) = wanted;
            cx.commands.push(UiCommand::ReadDocument { target: target.clone(), start_line, end_line });
        }
    }

    fn lines(&mut self, ui: &mut Ui, target: &DocumentTarget, text: &DocumentText) -> (u32, u32) {
        let extension = target.path.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        let mark = (target.start_line > 0).then_some((target.start_line, target.end_line.max(target.start_line)));
        let showing = Showing {
            language: language(&extension),
            wrap: text.kind != DocumentKind::Code,
            mark,
            scroll_to: std::mem::take(&mut self.scroll).then_some(target.start_line.max(1)),
        };
        let lines = Lines { lines: &text.lines, first: text.first_line, from: 1, to: text.total_lines };
        self.view.show(ui, Id::unique(("document", &target.path)), lines, showing)
    }
}

fn header(ui: &mut Ui, cx: &mut Cx<'_>, target: &DocumentTarget, text: Option<&DocumentText>) {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.header), Sense::hover());
    rule(ui, rect);
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let right = Layout::right_to_left(egui::Align::Center);
    ui.scope_builder(egui::UiBuilder::new().id_salt("document-header").max_rect(inner).layout(right), |ui| {
        ui.spacing_mut().item_spacing.x = tokens.space.s;
        if ui.add(IconButton::new(Icon::Copy, tr("document.copy_path"))).clicked() {
            cx.commands.push(UiCommand::CopyText(target.path.display().to_string()));
        }
        let name = super::document_title(&target.path, text);
        let ask = tr_with("document.ask", &[("file", &name)]);
        if ui.add(IconButton::new(Icon::ChatCircle, tr("document.ask_name"))).clicked() {
            cx.commands.push(UiCommand::Ask(ask));
        }
        if ui.add(IconButton::new(Icon::TreeStructure, tr("document.structure"))).clicked() {
            cx.commands.push(UiCommand::ShowDocument(target.path.clone()));
        }
        if let Some(text) = text {
            let lines = number(u64::from(text.total_lines));
            let words = tr_with("document.figures", &[("kind", &kind_name(text.kind)), ("lines", &lines)]);
            ui.label(tokens.rich(Type::Label, words));
        }
        ui.with_layout(Layout::left_to_right(egui::Align::Center), |ui| {
            let icon = text.map_or(Icon::FileText, |text| kind_icon(text.kind));
            ui.label(icon.rich(tokens.size.icon).color(tokens.color.text_2));
            let title = egui::Label::new(tokens.rich(Type::Title, &name)).truncate();
            let response = ui.add(title).on_hover_text(short(&crate::text::path(&target.path), 1_000));
            speak_as(ui, &response, egui::Role::Heading, &name);
        });
    });
}

#[cfg(test)]
mod tests;
