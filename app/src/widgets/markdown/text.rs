//! Draws one laid-out inline text: selection, chips, links with their addresses, quiet marks under what has no support.

use egui::text_selection::LabelSelectionState;
use egui::{CursorIcon, Galley, Id, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo};
use std::sync::Arc;

use super::MarkdownEvent;
use super::layout::{TextJob, rects};
use crate::design::UiExt;
use crate::text::{tr, tr_with};

/// Lays the job out; cheap when it was laid out in the frame before, because egui keeps galleys.
pub(super) fn galley(ui: &Ui, job: &TextJob) -> Arc<Galley> {
    ui.fonts_mut(|fonts| fonts.layout_job(job.job.clone()))
}

/// `at` is the galley's origin: for text that is not left-aligned, not its left edge.
pub(super) fn show(ui: &mut Ui, id: Id, at: Pos2, job: &TextJob, events: &mut Vec<MarkdownEvent>) -> Response {
    let tokens = ui.tokens();
    let galley = galley(ui, job);
    let offset = at.to_vec2();
    for (range, _) in &job.chips {
        for rect in rects(&galley, range) {
            let rect = chip_rect(rect, tokens.size.chip).translate(offset);
            ui.painter().rect_filled(rect, rect.height() / 2.0, tokens.color.selection);
        }
    }
    let rect = galley.rect.translate(offset);
    let response = ui.interact(rect, id, Sense::click_and_drag() - Sense::FOCUSABLE);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, galley.text()));
    let color = tokens.color.text;
    LabelSelectionState::label_text_selection(ui, &response, at, galley.clone(), color, Stroke::NONE);

    for (number, range) in job.unsupported.iter().enumerate() {
        for (row, rect) in rects(&galley, range).into_iter().enumerate() {
            let rect = rect.translate(offset);
            dotted(ui, rect);
            let response = ui.interact(rect, id.with(("unsupported", number, row)), Sense::hover());
            response.on_hover_text(tr("markdown.unsupported"));
        }
    }
    for (number, (range, address)) in job.links.iter().enumerate() {
        let name = tr_with("markdown.link", &[("address", address)]);
        for (row, rect) in rects(&galley, range).into_iter().enumerate() {
            // Only the first piece is a stop for the keyboard; the others are for the pointer.
            let sense = if row == 0 { Sense::click() } else { Sense::click() - Sense::FOCUSABLE };
            let link = ui.interact(rect.translate(offset), id.with(("link", number, row)), sense);
            // egui's own underline would lie at the bottom of the line, far below the words.
            let y = link.rect.bottom() - tokens.space.xs + 1.0;
            ui.painter().hline(link.rect.x_range(), y, Stroke::new(1.0, tokens.color.accent.gamma_multiply(0.5)));
            if row == 0 {
                link.widget_info(|| WidgetInfo::labeled(Role::Link, true, &name));
            }
            ring(ui, &link);
            if link.clicked() {
                events.push(MarkdownEvent::Link(address.to_string()));
            }
            link.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(address.as_ref());
        }
    }
    for (index, (range, citation)) in job.chips.iter().enumerate() {
        let Some(rect) = rects(&galley, range).into_iter().next() else { continue };
        let number = u64::from(*citation) + 1;
        let name = tr_with("markdown.citation", &[("n", &number)]);
        let chip = ui.interact(rect.translate(offset), id.with(("chip", index)), Sense::click());
        chip.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        ring(ui, &chip);
        if chip.hovered() {
            let rect = chip_rect(rect, tokens.size.chip).translate(offset);
            let stroke = Stroke::new(1.0, tokens.color.accent);
            ui.painter().rect_stroke(rect, rect.height() / 2.0, stroke, egui::StrokeKind::Inside);
        }
        if chip.clicked() {
            events.push(MarkdownEvent::Citation(*citation));
        }
        chip.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(name);
    }
    response
}

/// At least round, as high as a chip.
fn chip_rect(text: Rect, height: f32) -> Rect {
    let height = height.min(text.height() - 1.0);
    Rect::from_center_size(text.center(), egui::vec2(text.width().max(height), height))
}

fn ring(ui: &Ui, response: &Response) {
    if response.has_focus() {
        crate::widgets::focus_ring(ui, response.rect);
    }
}

fn dotted(ui: &Ui, rect: Rect) {
    let tokens = ui.tokens();
    let step = tokens.space.xs;
    let line = [rect.left_bottom(), rect.right_bottom()].map(|end| end - egui::vec2(0.0, 2.0));
    ui.painter().extend(egui::Shape::dotted_line(&line, tokens.color.warn, step, step / 6.0));
}
