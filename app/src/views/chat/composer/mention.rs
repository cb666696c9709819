//! `@` in a question: a list of what may be meant, above the field, moved through with the keyboard.

use egui::{Area, Frame, Id, Key, Modifiers, Order, Rect, Role, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::Mention;

use super::{Composer, set_cursor};
use crate::commands::UiCommand;
use crate::commands::pages::chats::ChatsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{sentence, tr};
use crate::views::Cx;
use crate::views::chat::message::attachment_icon;
use crate::widgets::list::line;

/// Characters after `@` that may be a name.
const LONGEST: usize = 60;

#[derive(Default)]
pub struct Mentioning {
    /// Where `@` stands, in characters, and what follows up to the cursor.
    open: Option<(usize, String)>,
    /// The one that was closed with Escape.
    left: Option<usize>,
    chosen: usize,
    /// Enter was pressed.
    take: bool,
}

impl Mentioning {
    /// Escape closes the open list. The field has lost the focus to it by then: true when it must come back.
    pub fn escape(&mut self, ui: &Ui) -> bool {
        let Some((at, _)) = self.open else { return false };
        let pressed = ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape));
        if pressed {
            self.left = Some(at);
            self.open = None;
        }
        pressed
    }

    /// Takes the keys of the open list before the field sees them.
    pub fn keys(&mut self, ui: &Ui, cx: &Cx<'_>) {
        if self.open.is_none() {
            return;
        }
        let count = cx.state.chats.mentions.get().map_or(0, Vec::len);
        let take = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
        if count == 0 {
            return;
        }
        if take(Key::ArrowDown) {
            self.chosen = (self.chosen + 1) % count;
        }
        if take(Key::ArrowUp) {
            self.chosen = (self.chosen + count - 1) % count;
        }
        self.take = take(Key::Enter);
    }

    /// Sees what stands before the cursor after the field was drawn.
    pub fn look(&mut self, ui: &Ui, cx: &mut Cx<'_>, text: &str, focused: bool) {
        if !focused {
            self.open = None;
            return;
        }
        let cursor = TextEdit::load_state(ui.ctx(), Composer::id())
            .and_then(|state| state.cursor.char_range())
            .map_or(0, |range| range.primary.index.into());
        let found = mention_before(text, cursor);
        if found.as_ref().map(|(at, _)| *at) != self.left {
            self.left = None;
        }
        let found = found.filter(|(at, _)| self.left != Some(*at));
        if found != self.open {
            if let Some((_, query)) = &found
                && self.open.as_ref().is_none_or(|(_, known)| known != query)
            {
                self.chosen = 0;
                cx.commands.push(UiCommand::Chats(ChatsCommand::FindMentions(query.clone())));
            }
            self.open = found;
        }
    }

    /// The list above `below`. What is taken goes out of the text.
    pub fn ui(&mut self, ui: &Ui, cx: &mut Cx<'_>, below: Rect, text: &mut String) -> Option<Mention> {
        let (at, query) = self.open.clone()?;
        let tokens = ui.tokens();
        let slot = &cx.state.chats.mentions;
        let mentions = slot.get().map_or(&[][..], Vec::as_slice);
        let chosen = self.chosen.min(mentions.len().saturating_sub(1));
        let mut taken = (std::mem::take(&mut self.take) && !mentions.is_empty()).then_some(chosen);
        let width = below.width().min(tokens.size.dialog);
        let row = tokens.size.row + tokens.space.s;
        let rows = mentions.len().max(1) as f32;
        let size = vec2(width, rows * row + 2.0 * tokens.space.xs);
        let place = pos2(below.left(), below.top() - size.y - tokens.space.s);
        Area::new(Id::unique("mentions")).order(Order::Foreground).fixed_pos(place).show(ui.ctx(), |ui| {
            Frame::menu(ui.style()).inner_margin(tokens.space.xs as i8).show(ui, |ui| {
                ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
                ui.set_width(width - 2.0 * tokens.space.xs);
                if mentions.is_empty() {
                    let words = match (slot.error(), slot.is_waiting()) {
                        (Some(error), _) => sentence(&error.message),
                        (None, false) if slot.get().is_some() => tr("chat.mention.nothing").into(),
                        _ => tr("chat.mention.looking").into(),
                    };
                    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), row), Sense::hover());
                    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &*words));
                    let (left, right) = (rect.left() + tokens.space.s, rect.right());
                    line(ui, left, right, rect.center().y, &words, Type::Secondary, tokens.color.text_2);
                }
                for (index, mention) in mentions.iter().enumerate() {
                    if entry(ui, mention, index == chosen, row) {
                        taken = Some(index);
                    }
                }
            });
        });
        let mention = mentions.get(taken?)?.clone();
        let end = at + 1 + query.chars().count();
        let (before, after): (String, String) =
            (text.chars().take(at).collect(), text.chars().skip(end).collect::<String>());
        *text = format!("{before}{}", after.trim_start_matches(' '));
        set_cursor(ui, at);
        self.open = None;
        Some(mention)
    }
}

fn entry(ui: &mut Ui, mention: &Mention, chosen: bool, height: f32) -> bool {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    let spoken = format!("{}, {}", mention.title, mention.detail);
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, &spoken));
    let fill = match (chosen, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, tokens.radius.control, fill);
    let middle = rect.center().y;
    let at = pos2(rect.left() + tokens.space.s, middle);
    let (code, font) = (attachment_icon(&mention.what).code(), Icon::font(tokens.size.icon));
    let left = ui.painter().text(at, egui::Align2::LEFT_CENTER, code, font, tokens.color.text_2).right();
    let (left, right) = (left + tokens.space.s, rect.right() - tokens.space.s);
    let name = line(ui, left, right, middle, &mention.title, Type::Body, tokens.color.text);
    let left = name.right() + tokens.space.m;
    if left < right {
        line(ui, left, right, middle, &mention.detail, Type::Secondary, tokens.color.text_3);
    }
    response.clicked()
}

/// Where `@` stands, and what follows it up to the cursor: a word that begins after a space or at the start of a line.
fn mention_before(text: &str, cursor: usize) -> Option<(usize, String)> {
    let before: Vec<char> = text.chars().take(cursor).collect();
    let start = before.len().saturating_sub(LONGEST + 1);
    let at = start + before[start..].iter().rposition(|c| *c == '@' || c.is_whitespace())?;
    let opens = before[at] == '@' && (at == 0 || before[at - 1].is_whitespace());
    opens.then(|| (at, before[at + 1..].iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::mention_before;

    #[test]
    fn only_a_word_that_begins_with_the_sign_is_a_mention() {
        let found = |text: &str| mention_before(text, text.chars().count());
        assert_eq!(found("see @spec"), Some((4, "spec".into())));
        assert_eq!(found("@"), Some((0, String::new())));
        assert_eq!(found("Größe\n@ü"), Some((6, "ü".into())));
        assert_eq!(found("mail me@home"), None);
        assert_eq!(found("@spec and"), None);
        assert_eq!(found(""), None);
        assert_eq!(mention_before("@spec", 3), Some((0, "sp".into())));
        assert_eq!(found(&format!("@{}", "x".repeat(100))), None);
    }
}
