//! Cards, headers and hairlines.

use egui::{CornerRadius, Frame, InnerResponse, Layout, Margin, Sense, Stroke, Ui, vec2};

use crate::design::{Type, UiExt};

/// A card: `bg2` with a hairline. Its content begins 16 points inside.
pub fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let tokens = ui.tokens();
    Frame::new()
        .fill(tokens.color.bg2)
        .stroke(Stroke::new(1.0, tokens.color.line))
        .corner_radius(CornerRadius::same(tokens.radius.card))
        .inner_margin(Margin::same(tokens.space.l as i8))
        .show(ui, add)
}

/// A line of 1 point across.
pub fn hairline(ui: &mut Ui) {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(1.0, tokens.color.line));
}

/// The head of a page, 44 points: its title, and what belongs to the right.
pub fn page_header(ui: &mut Ui, title: &str, right: impl FnOnce(&mut Ui)) {
    header(ui, title, right);
}

/// The head of a column, as high as a page's, so that hairlines meet.
pub fn column_header(ui: &mut Ui, title: &str, right: impl FnOnce(&mut Ui)) {
    header(ui, title, right);
}

fn header(ui: &mut Ui, title: &str, right: impl FnOnce(&mut Ui)) {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.header), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let builder = egui::UiBuilder::new().max_rect(inner).layout(Layout::left_to_right(egui::Align::Center));
    ui.scope_builder(builder, |ui| {
        let response = ui.label(tokens.rich(Type::Title, title));
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(egui::Role::Heading));
        ui.with_layout(Layout::right_to_left(egui::Align::Center), right);
    });
}

/// The title of a part of a page.
pub fn section_title(ui: &mut Ui, title: &str) {
    let tokens = ui.tokens();
    let response = ui.label(tokens.rich(Type::Title, title));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(egui::Role::Heading));
}

/// The scrolling body of a page: a margin of 24 points, content at most `width` wide.
pub fn page_body<R>(ui: &mut Ui, width: f32, add: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = ui.tokens();
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            Frame::new()
                .inner_margin(Margin::same(tokens.space.xl as i8))
                .show(ui, |ui| {
                    ui.set_width(ui.available_width().min(width));
                    ui.spacing_mut().item_spacing = vec2(tokens.space.s, tokens.space.xs);
                    add(ui)
                })
                .inner
        })
        .inner
}

/// Cells of equal width beside each other, `gap` apart.
pub fn cells(ui: &mut Ui, count: usize, gap: f32, mut add: impl FnMut(usize, &mut Ui)) {
    let width = (ui.available_width() - gap * (count as f32 - 1.0)) / count as f32;
    let shares = vec![width; count];
    split(ui, &shares, gap, &mut add);
}

/// Cells of these widths beside each other, `gap` apart.
pub fn split(ui: &mut Ui, widths: &[f32], gap: f32, add: &mut dyn FnMut(usize, &mut Ui)) {
    let start = ui.cursor().min;
    let (mut left, mut bottom) = (start.x, start.y);
    for (i, width) in widths.iter().enumerate() {
        let rect = egui::Rect::from_min_size(egui::pos2(left, start.y), vec2(*width, ui.available_height()));
        let builder = egui::UiBuilder::new().max_rect(rect).layout(Layout::top_down(egui::Align::Min));
        let mut child = ui.new_child(builder);
        add(i, &mut child);
        bottom = bottom.max(child.min_rect().bottom());
        left += width + gap;
    }
    let all = egui::Rect::from_min_max(start, egui::pos2((left - gap).max(start.x), bottom));
    ui.allocate_rect(all, Sense::hover());
}
