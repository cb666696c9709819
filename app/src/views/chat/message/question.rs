//! A question: its bubble, what came along with it, and the field in which it is edited.

use egui::{
    Align, CornerRadius, Frame, Id, Key, KeyboardShortcut, Layout, Modifiers, Rect, ScrollArea, Stroke, StrokeKind,
    TextEdit, Ui, UiBuilder, Vec2, pos2, vec2,
};
use rspa_core::model::{Attachment, Mentioned, Message};

use super::{MessageView, Part};
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::text::{number, tr, tr_with};
use crate::views::chat::Deed;
use crate::widgets::{Button, Chip, IconButton, Tone};

/// Rows of a question that is edited.
const ROWS: f32 = 12.0;
/// Characters of a title on a chip, and of a text below the pointer.
const TITLE: usize = 32;
const BEGINNING: usize = 400;

/// A question that is being edited.
pub struct Edit {
    text: String,
    wants_focus: bool,
    /// Of the text in the frame before.
    height: f32,
}

impl MessageView {
    pub(super) fn question(&mut self, ui: &Ui, tokens: &Tokens, message: &Message, width: f32) {
        let inner = bubble_width(width) - 2.0 * tokens.space.m;
        match &self.edit {
            Some(edit) => {
                let line = tokens.line_height(Type::Body);
                let text = edit.height.clamp(line, ROWS * line);
                self.parts.push((Part::Edit, text + 2.0 * tokens.space.m + tokens.space.s + tokens.size.control));
            }
            None => {
                let height = self.text.prepare(ui, &message.text, &[], inner);
                self.parts.push((Part::Bubble, height + 2.0 * tokens.space.s));
            }
        }
        if !message.attachments.is_empty() {
            let height = self.chips.measure(ui, &message.attachments, bubble_width(width));
            self.parts.push((Part::Attachments, height));
        }
        if message.versions.all.len() > 1 {
            self.parts.push((Part::Versions, tokens.size.control_small));
        }
    }

    pub(super) fn bubble(
        &mut self,
        ui: &mut Ui,
        tokens: &Tokens,
        id: Id,
        rect: Rect,
        message: &Message,
        deeds: &mut Vec<Deed>,
    ) {
        let width = self.text.width().min(bubble_width(rect.width()) - 2.0 * tokens.space.m) + 2.0 * tokens.space.m;
        let bubble = Rect::from_min_max(pos2(rect.right() - width, rect.top()), rect.max);
        let radius = CornerRadius::same(tokens.radius.bubble);
        ui.painter().rect_filled(bubble, radius, tokens.color.bg3);
        let inner = bubble.shrink2(vec2(tokens.space.m, tokens.space.s));
        self.text.show(ui, id.with("text"), inner);
        let small = tokens.size.control_small;
        let row = Rect::from_min_max(
            pos2(bubble.left() - 3.0 * small - tokens.space.xs, rect.top()),
            pos2(bubble.left() - tokens.space.xs, rect.top() + small),
        );
        let near = Rect::from_min_max(row.min, bubble.max);
        // They are always there for the keyboard and for screen readers, and show when the pointer is near.
        let layout = Layout::right_to_left(Align::Center);
        let mut corner = ui.new_child(UiBuilder::new().id_salt(id.with("actions")).max_rect(row).layout(layout));
        corner.spacing_mut().item_spacing.x = 0.0;
        let focus = Id::unique(("question-actions", message.id.0));
        let focused = corner.ctx().data(|data| data.get_temp::<bool>(focus)).unwrap_or_default();
        let near = corner.rect_contains_pointer(near) || focused;
        corner.set_opacity(if near { 1.0 } else { 0.0 });
        let mut has_focus = false;
        let mut button = |icon, name| {
            let response = corner.add(IconButton::new(icon, name).small());
            has_focus |= response.has_focus();
            response.clicked()
        };
        if button(Icon::Copy, tr("chat.copy_question")) {
            deeds.push(Deed::Copy(message.text.clone()));
        }
        if button(Icon::PencilSimple, tr("chat.edit_question")) {
            self.edit = Some(Edit { text: message.text.clone(), wants_focus: true, height: inner.height() });
        }
        if button(Icon::GitFork, tr("chat.branch_question")) {
            deeds.push(Deed::Branch(message.id));
        }
        if has_focus != focused {
            ui.ctx().data_mut(|data| data.insert_temp(focus, has_focus));
        }
    }

    pub(super) fn edit(
        &mut self,
        ui: &mut Ui,
        tokens: &Tokens,
        id: Id,
        rect: Rect,
        message: &Message,
        deeds: &mut Vec<Deed>,
    ) {
        let Some(edit) = &mut self.edit else { return };
        let radius = CornerRadius::same(tokens.radius.bubble);
        let stroke = Stroke::new(1.0, tokens.color.accent);
        ui.painter().rect(rect, radius, tokens.color.bg2, stroke, StrokeKind::Inside);
        let inner = rect.shrink(tokens.space.m);
        let field = inner.with_max_y(inner.bottom() - tokens.size.control - tokens.space.s);
        let field_id = Id::unique(("edit-question", message.id.0));
        let focused = ui.memory(|memory| memory.has_focus(field_id));
        let enter = focused && ui.input(|i| i.key_pressed(Key::Enter) && i.modifiers.is_none());
        let mut escape = false;
        ui.scope_builder(UiBuilder::new().id_salt(id.with("edit")).max_rect(field), |ui| {
            ScrollArea::vertical().id_salt("edit-scroll").max_height(field.height()).show(ui, |ui| {
                let text = TextEdit::multiline(&mut edit.text)
                    .id(field_id)
                    .font(tokens.font(Type::Body))
                    .frame(Frame::NONE)
                    .desired_rows(1)
                    .desired_width(f32::INFINITY)
                    .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter));
                let response = ui.add(text).accessible_name(tr("chat.edit_name"));
                edit.height = response.rect.height();
                // The field has lost the focus to Escape by the time it is seen here.
                escape = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Escape));
                if std::mem::take(&mut edit.wants_focus) {
                    response.request_focus();
                }
            });
        });
        let foot = inner.with_min_y(inner.bottom() - tokens.size.control);
        let right = Layout::right_to_left(Align::Center);
        let builder = UiBuilder::new().id_salt(id.with("edit-foot")).max_rect(foot).layout(right);
        let (mut sent, mut left) = (enter, escape);
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().item_spacing.x = tokens.space.s;
            let ready = !edit.text.trim().is_empty();
            sent |= ui.add(Button::new(tr("chat.edit_send")).primary().icon(Icon::ArrowUp).enabled(ready)).clicked();
            left |= ui.add(Button::new(tr("common.cancel"))).clicked();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let note = tokens.rich(Type::Label, tr("chat.edit_note"));
                ui.add(egui::Label::new(note).truncate());
            });
        });
        let text = edit.text.trim();
        if sent && !text.is_empty() {
            deeds.push(Deed::Edit(message.id, text.to_owned()));
            left = true;
        }
        if left {
            self.edit = None;
        }
    }
}

pub(super) fn bubble_width(width: f32) -> f32 {
    width * 0.78
}

/// The attachments of a question as chips in rows that end at the right.
#[derive(Default)]
pub struct Chips {
    /// From the top right.
    places: Vec<Rect>,
}

impl Chips {
    fn measure(&mut self, ui: &Ui, attachments: &[Attachment], width: f32) -> f32 {
        let tokens = ui.tokens();
        let gap = tokens.space.xs;
        self.places.clear();
        let (mut at, mut row) = (Vec2::ZERO, 0);
        for attachment in attachments {
            let size = chip(attachment).size(ui);
            if at.x > 0.0 && at.x + size.x > width {
                self.end_row(row, at.x - gap);
                row = self.places.len();
                at = vec2(0.0, at.y + size.y + gap);
            }
            self.places.push(Rect::from_min_size(at.to_pos2(), size));
            at.x += size.x + gap;
        }
        self.end_row(row, at.x - gap);
        self.places.last().map_or(0.0, |last| last.bottom())
    }

    /// Moves a row so that it ends at the right, where it is counted from.
    fn end_row(&mut self, first: usize, width: f32) {
        for place in &mut self.places[first..] {
            *place = place.translate(vec2(-width, 0.0));
        }
    }

    pub(super) fn show(&self, ui: &mut Ui, id: Id, rect: Rect, message: &Message, deeds: &mut Vec<Deed>) {
        for (index, (attachment, place)) in message.attachments.iter().zip(&self.places).enumerate() {
            let place = place.translate(rect.right_top().to_vec2());
            let mut child = ui.new_child(UiBuilder::new().scope_id(id.with(("attachment", index))).max_rect(place));
            let response = child.add(chip(attachment)).on_hover_text(tip(attachment));
            if response.clicked() {
                deeds.push(Deed::OpenThing(attachment.what.clone()));
            }
        }
    }
}

fn chip(attachment: &Attachment) -> Chip<'_> {
    let (icon, tone) = match attachment.problem {
        Some(_) => (Icon::Warning, Tone::Warn),
        None => (icon(&attachment.what), Tone::Neutral),
    };
    Chip::new(short(&attachment.title)).icon(icon).tone(tone).selectable(false)
}

pub fn short(title: &str) -> String {
    if title.chars().count() <= TITLE {
        return title.to_owned();
    }
    title.chars().take(TITLE - 1).chain(['…']).collect()
}

fn tip(attachment: &Attachment) -> String {
    let mut tip = tr_with("chat.attach.tip", &[("title", &attachment.title), ("n", &number(attachment.characters))]);
    if let Some(problem) = &attachment.problem {
        tip = format!("{tip}\n{problem}");
    }
    let beginning: String = attachment.text.chars().take(BEGINNING).collect();
    if beginning.trim().is_empty() { tip } else { format!("{tip}\n\n{}", beginning.trim()) }
}

pub fn icon(what: &Mentioned) -> Icon {
    match what {
        Mentioned::File { .. } => Icon::File,
        Mentioned::Folder { .. } => Icon::Folder,
        Mentioned::Text { .. } => Icon::TextAlignLeft,
        Mentioned::Source { .. } => Icon::Books,
        Mentioned::Document { .. } => Icon::FileText,
        Mentioned::Chat { .. } => Icon::ChatCircle,
        Mentioned::Task { .. } => Icon::Kanban,
        Mentioned::Agent { .. } => Icon::Robot,
    }
}
