//! A field for a secret: what is typed lies in one place that is overwritten, and is never in an undo history, in stored
//! state, or in what a screen reader is told. The caret stays at the end.

use egui::{
    Event, EventFilter, Key, Modifiers, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use rspa_core::model::SecretText;
use zeroize::{Zeroize, Zeroizing};

use super::IconButton;
use crate::design::{Icon, Type, UiExt};
use crate::text::tr;

/// Room from the start, in bytes: growing would leave copies behind.
const ROOM: usize = 1 << 10;
const LONGEST: usize = 16 << 10;

/// What is being typed.
#[derive(Default)]
pub struct SecretDraft {
    text: Zeroizing<String>,
    revealed: bool,
}

impl SecretDraft {
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// A copy, which is overwritten when it is dropped.
    pub fn secret(&self) -> SecretText {
        SecretText::new((*self.text).clone())
    }

    /// Overwrites what was typed.
    pub fn clear(&mut self) {
        self.text.zeroize();
        self.revealed = false;
    }

    fn push(&mut self, typed: &str) {
        let typed = typed.trim_matches(['\r', '\n']);
        let needed = self.text.len() + typed.len();
        if needed > LONGEST {
            return;
        }
        if needed > self.text.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(needed.max(ROOM).next_power_of_two()));
            larger.push_str(&self.text);
            // The old one is overwritten as it is dropped.
            self.text = larger;
        }
        self.text.push_str(typed);
    }

    fn pop(&mut self) {
        let Some(last) = self.text.chars().next_back() else { return };
        let kept = self.text.len() - last.len_utf8();
        let mut shorter = Zeroizing::new(String::with_capacity(self.text.capacity()));
        shorter.push_str(&self.text[..kept]);
        self.text = shorter;
    }
}

pub struct SecretField<'a> {
    draft: &'a mut SecretDraft,
    name: &'a str,
    hint: &'a str,
    width: f32,
}

impl<'a> SecretField<'a> {
    /// `name` is what a screen reader says.
    pub fn new(draft: &'a mut SecretDraft, name: &'a str) -> Self {
        Self { draft, name, hint: "", width: 240.0 }
    }

    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    /// In points, with the button that shows what was typed.
    pub fn width(mut self, width: f32) -> Self {
        self.width = width;
        self
    }

    /// True in `.1` when Enter was pressed in it.
    pub fn show(self, ui: &mut Ui) -> (Response, bool) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let side = ui.tokens().size.control + 2.0;
            let entered = field(ui, self.draft, self.name, self.hint, self.width - side);
            let (icon, word) = match self.draft.revealed {
                true => (Icon::EyeSlash, tr("credentials.hide")),
                false => (Icon::Eye, tr("credentials.reveal")),
            };
            let name = format!("{word}: {}", self.name);
            if ui.add(IconButton::new(icon, name).enabled(!self.draft.is_empty())).clicked() {
                self.draft.revealed = !self.draft.revealed;
            }
            entered
        })
        .inner
    }
}

fn field(ui: &mut Ui, draft: &mut SecretDraft, name: &str, hint: &str, width: f32) -> (Response, bool) {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(width, tokens.size.control), Sense::hover());
    let id = ui.make_persistent_id(("secret", name));
    let mut response = ui.interact(rect, id, Sense::click());
    if response.clicked() {
        response.request_focus();
    }
    let mut entered = false;
    if response.has_focus() && ui.is_enabled() {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        let changed;
        (changed, entered) = take_events(ui, draft);
        if changed {
            response.mark_changed();
        }
    }
    response.widget_info(|| WidgetInfo::labeled(Role::PasswordInput, ui.is_enabled(), name));
    draw(ui, rect, draft, hint, response.has_focus());
    (response, entered)
}

/// Takes what was typed out of the events and overwrites it there. Whether it changed, and whether Enter came.
fn take_events(ui: &Ui, draft: &mut SecretDraft) -> (bool, bool) {
    let (mut changed, mut entered) = (false, false);
    ui.input_mut(|input| {
        input.events.retain_mut(|event| {
            match event {
                Event::Text(text) | Event::Paste(text) => {
                    draft.push(text);
                    text.zeroize();
                    changed = true;
                }
                Event::Key { key: Key::Backspace, pressed: true, modifiers, .. } => {
                    if modifiers.matches_logically(Modifiers::COMMAND) {
                        draft.clear()
                    } else {
                        draft.pop()
                    }
                    changed = true;
                }
                Event::Key { key: Key::Enter, pressed: true, .. } => entered = true,
                // What is in it cannot be taken out.
                Event::Copy | Event::Cut => {}
                _ => return true,
            }
            false
        });
    });
    (changed, entered)
}

fn draw(ui: &Ui, rect: Rect, draft: &SecretDraft, hint: &str, focused: bool) {
    if !ui.is_rect_visible(rect) {
        return;
    }
    let tokens = ui.tokens();
    let line = if focused { tokens.color.accent } else { tokens.color.line };
    ui.painter().rect_filled(rect, tokens.radius.control, tokens.color.bg0);
    let stroke = Stroke::new(if focused { 1.5 } else { 1.0 }, line);
    ui.painter().rect_stroke(rect, tokens.radius.control, stroke, StrokeKind::Inside);
    let inner = rect.shrink2(vec2(10.0, 0.0));
    let painter = ui.painter().with_clip_rect(inner.expand2(vec2(2.0, 0.0)).intersect(ui.clip_rect()));
    let middle = inner.center().y;
    let font = tokens.font(Type::Body);
    let mut caret = inner.left();
    if draft.is_empty() {
        painter.text(pos2(inner.left(), middle), egui::Align2::LEFT_CENTER, hint, font, tokens.color.text_3);
    } else {
        let dots;
        let shown = match draft.revealed {
            true => draft.text.as_str(),
            false => {
                dots = "•".repeat(draft.text.chars().count().min(200));
                &dots
            }
        };
        let galley = painter.layout_no_wrap(shown.to_owned(), font, tokens.color.text);
        // The end stays in view.
        let left = inner.left().min(inner.right() - galley.size().x);
        caret = left + galley.size().x;
        painter.galley(pos2(left, middle - galley.size().y / 2.0), galley, tokens.color.text);
    }
    if focused {
        let half = tokens.size.icon / 2.0;
        painter.vline(caret + 1.0, (middle - half)..=(middle + half), Stroke::new(1.5, tokens.color.accent));
    }
}

#[cfg(test)]
mod tests {
    use super::SecretDraft;

    #[test]
    fn what_is_typed_is_kept_up_to_a_limit_and_taken_back() {
        let mut draft = SecretDraft::default();
        for _ in 0..300 {
            draft.push("ab\n");
        }
        draft.pop();
        assert_eq!(draft.secret().reveal().len(), 599);
        draft.push(&"x".repeat(20_000));
        assert_eq!(draft.secret().reveal().len(), 599);
        draft.clear();
        assert!(draft.is_empty() && draft.secret().is_empty());
        draft.pop();
    }
}
