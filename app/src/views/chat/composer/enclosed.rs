//! What comes along with a question: chips that can be taken off again; a very long text that is pasted becomes one.

use egui::{Event, Layout, Rect, Sense, Ui, UiBuilder, pos2, vec2};
use rspa_core::model::{Mention, Mentioned};

use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::AppState;
use crate::text::{number, tr, tr_with};
use crate::views::chat::message::{attachment_icon, short};
use crate::widgets::{Button, IconButton};

/// Characters; more become an attachment when they are pasted.
const LONG_PASTE: usize = 4_000;
/// At most so many come along; core has its own limit.
const MOST: usize = 32;
/// Rows of chips that are in view.
const ROWS: f32 = 3.0;

struct Thing {
    what: Mentioned,
    title: String,
}

#[derive(Default)]
pub struct Enclosed {
    things: Vec<Thing>,
    /// The text that was pasted last, as long as it can still go into the question.
    pasted: Option<String>,
    /// Height of all chips in the frame before.
    chips: f32,
    /// Rises with each change.
    pub changes: u64,
}

impl Enclosed {
    pub fn all(&self) -> Vec<Mentioned> {
        self.things.iter().map(|thing| thing.what.clone()).collect()
    }

    pub fn clear(&mut self) {
        *self = Self { changes: self.changes + 1, ..Self::default() };
    }

    pub fn add(&mut self, what: Vec<Mentioned>, state: &AppState) {
        for what in what {
            let title = title(&what, state);
            self.put(Thing { what, title });
        }
    }

    pub fn add_mention(&mut self, mention: Mention) {
        self.put(Thing { what: mention.what, title: mention.title });
    }

    fn put(&mut self, thing: Thing) {
        if self.things.len() < MOST && !self.things.iter().any(|known| known.what == thing.what) {
            self.things.push(thing);
            self.changes += 1;
        }
    }

    /// Takes a very long text before the field gets it.
    pub fn take_paste(&mut self, ui: &Ui) {
        let is_long = |event: &Event| matches!(event, Event::Paste(text) if text.chars().count() > LONG_PASTE);
        let taken = ui.input_mut(|i| {
            let at = i.events.iter().position(is_long)?;
            Some(i.events.remove(at))
        });
        let Some(Event::Paste(text)) = taken else { return };
        let title = tr_with("chat.attach.pasted", &[("n", &number(text.chars().count() as u64))]);
        self.put(Thing { what: Mentioned::Text { title: title.clone(), text: text.clone() }, title });
        self.pasted = Some(text);
    }

    pub fn height(&self, tokens: &Tokens) -> f32 {
        if self.things.is_empty() {
            return 0.0;
        }
        let note = if self.pasted.is_some() { tokens.size.control } else { 0.0 };
        self.shown(tokens) + note + tokens.space.s
    }

    fn shown(&self, tokens: &Tokens) -> f32 {
        let row = tokens.size.control_small + tokens.space.xs;
        self.chips.clamp(row, ROWS * row)
    }

    pub fn ui(&mut self, ui: &mut Ui, text: &mut String) {
        if self.things.is_empty() {
            self.pasted = None;
            return;
        }
        let tokens = ui.tokens();
        let size = vec2(ui.available_width(), self.shown(tokens));
        let (area, _) = ui.allocate_exact_size(size, Sense::hover());
        let mut removed = None;
        ui.scope_builder(UiBuilder::new().id_salt("enclosed").max_rect(area), |ui| {
            egui::ScrollArea::vertical().id_salt("enclosed-scroll").max_height(area.height()).show(ui, |ui| {
                ui.set_width(area.width());
                let begin = ui.cursor().min;
                let (mut at, row) = (begin, tokens.size.control_small + tokens.space.xs);
                for (index, thing) in self.things.iter().enumerate() {
                    let words = short(&thing.title);
                    let font = tokens.font(Type::Secondary);
                    let galley = ui.painter().layout_no_wrap(words, font, tokens.color.text);
                    let (icon, small) = (14.0, tokens.size.control_small);
                    let width = tokens.space.s + icon + tokens.space.xs + galley.size().x + small + 2.0;
                    if at.x > begin.x && at.x + width > begin.x + area.width() {
                        at = pos2(begin.x, at.y + row);
                    }
                    let chip = Rect::from_min_size(at, vec2(width, small));
                    ui.painter().rect_filled(chip, small / 2.0, tokens.color.selection);
                    let left = pos2(chip.left() + tokens.space.s, chip.center().y);
                    let (code, font) = (attachment_icon(&thing.what).code(), Icon::font(icon));
                    ui.painter().text(left, egui::Align2::LEFT_CENTER, code, font, tokens.color.accent);
                    let words = pos2(left.x + icon + tokens.space.xs, chip.center().y - galley.size().y / 2.0);
                    ui.painter().galley(words, galley, tokens.color.text);
                    let cross = Rect::from_min_max(pos2(chip.right() - small, chip.top()), chip.max);
                    let id = egui::Id::unique(("enclosed", index));
                    let mut child = ui.new_child(UiBuilder::new().scope_id(id).max_rect(cross));
                    let name = tr_with("chat.attach.remove", &[("title", &thing.title)]);
                    if child.add(IconButton::new(Icon::X, name).small()).clicked() {
                        removed = Some(index);
                    }
                    at.x += width + tokens.space.xs;
                }
                self.chips = at.y + row - begin.y;
                ui.allocate_rect(Rect::from_min_size(begin, vec2(1.0, self.chips)), Sense::hover());
            });
        });
        if let Some(index) = removed {
            self.things.remove(index);
            self.pasted = None;
            self.changes += 1;
        }
        self.note(ui, text);
        ui.add_space(tokens.space.s);
    }

    /// Says that a paste became an attachment, and how to have it otherwise.
    fn note(&mut self, ui: &mut Ui, text: &mut String) {
        if self.pasted.is_none() {
            return;
        }
        let tokens = ui.tokens();
        let size = vec2(ui.available_width(), tokens.size.control);
        let back = ui.allocate_ui_with_layout(size, Layout::left_to_right(egui::Align::Center), |ui| {
            ui.label(tokens.rich(Type::Secondary, tr("chat.attach.pasted_note")));
            ui.add(Button::new(tr("chat.attach.into_text")).small()).clicked()
        });
        if back.inner
            && let Some(pasted) = self.pasted.take()
        {
            self.things.retain(|thing| !matches!(&thing.what, Mentioned::Text { text, .. } if *text == pasted));
            self.changes += 1;
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&pasted);
        }
    }
}

/// What people call it.
fn title(what: &Mentioned, state: &AppState) -> String {
    match what {
        Mentioned::File { path } | Mentioned::Folder { path } => crate::widgets::citation::file_name(path),
        Mentioned::Text { title, .. } => title.clone(),
        Mentioned::Source { id } => state.source(*id).map(|status| status.source.name.clone()).unwrap_or_default(),
        Mentioned::Chat { id } => {
            let list = state.chats.list.get().map_or(&[][..], Vec::as_slice);
            list.iter().find(|one| one.chat.id == *id).map(|one| one.chat.title.clone()).unwrap_or_default()
        }
        Mentioned::Agent { id } => {
            state.pages.agents.agent(*id).map(|agent| agent.settings.name.clone()).unwrap_or_default()
        }
        Mentioned::Document { .. } | Mentioned::Task { .. } => tr("chat.attach.thing").to_owned(),
    }
}
