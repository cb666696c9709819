//! How full the context would be with this question: asked of core when typing pauses, shown as a small bar.

use std::time::Duration;

use egui::{Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{ChatId, ContextKind, ContextUse, Question};

use crate::commands::UiCommand;
use crate::commands::pages::chats::ChatsCommand;
use crate::design::{Type, UiExt};
use crate::state::AppState;
use crate::text::{number, tr, tr_with};
use crate::views::Cx;
use crate::widgets::focus_ring;

/// Seconds without a change after which core is asked.
const PAUSE: f64 = 0.4;
/// Width of the bar, and of what stands left of it.
const BAR: f32 = 48.0;
const CHIPS: f32 = 380.0;

#[derive(Default)]
pub struct Meter {
    /// What was last seen: the chat, how many messages it has, and what the question is made of; and since when.
    seen: Option<(ChatId, usize, u64)>,
    since: f64,
    asked: bool,
}

impl Meter {
    /// Asks core once the question has not changed for a moment; `key` changes with it.
    pub fn keep(&mut self, ui: &Ui, cx: &mut Cx<'_>, key: u64, question: impl FnOnce() -> Question) {
        let Some(chat) = cx.state.chats.open else { return };
        let now = ui.input(|i| i.time);
        let seen = Some((chat, cx.state.open_messages().len(), key));
        if self.seen != seen {
            self.seen = seen;
            (self.since, self.asked) = (now, false);
        }
        if self.asked {
            return;
        }
        let left = self.since + PAUSE - now;
        if left > 0.0 {
            ui.ctx().request_repaint_after(Duration::from_secs_f64(left));
        } else {
            self.asked = true;
            let preview = ChatsCommand::Preview { chat, question: Box::new(question()) };
            cx.commands.push(UiCommand::Chats(preview));
        }
    }

    /// True when it was pressed.
    pub fn ui(&self, ui: &mut Ui, state: &AppState, text: &str, context: Option<u64>) -> bool {
        let tokens = ui.tokens();
        let preview =
            state.chats.preview.get().filter(|_| state.chats.open.is_some() && state.chats.preview.error().is_none());
        let (used, room, exact) = match preview {
            Some(preview) => (used(preview), Some(u64::from(preview.limit)), true),
            None => ((text.trim().chars().count() as u64).div_ceil(4), context, false),
        };
        if used == 0 {
            return false;
        }
        let words = match (room, exact) {
            (Some(room), true) => tr_with("chat.composer.used", &[("n", &number(used)), ("room", &number(room))]),
            (Some(room), false) => tr_with("chat.composer.tokens", &[("n", &number(used)), ("room", &number(room))]),
            (None, _) => tr_with("chat.composer.tokens_alone", &[("n", &number(used))]),
        };
        let over = room.is_some_and(|room| used > room) || preview.is_some_and(|preview| !preview.dropped.is_empty());
        let ink = if over { tokens.color.warn } else { tokens.color.text_3 };
        let galley = ui.painter().layout_no_wrap(words.clone(), tokens.font(Type::Label), ink);
        let bar = if exact && ui.available_width() > galley.size().x + CHIPS { BAR } else { 0.0 };
        let gap = if bar > 0.0 { tokens.space.s } else { 0.0 };
        let size = vec2(galley.size().x + gap + bar, tokens.size.control_small);
        let (rect, response) = ui.allocate_exact_size(size, if exact { Sense::click() } else { Sense::hover() });
        let name = format!("{}: {words}", tr("chat.context.title"));
        let role = if exact { Role::Button } else { Role::Label };
        response.widget_info(|| WidgetInfo::labeled(role, true, &name));
        let at = pos2(rect.left() + bar + gap, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, ink);
        if let (true, Some(room)) = (bar > 0.0, room) {
            let back = Rect::from_center_size(pos2(rect.left() + bar / 2.0, rect.center().y), vec2(bar, 4.0));
            ui.painter().rect_filled(back, 2.0, tokens.color.bg3_hover);
            let share = (used as f32 / room.max(1) as f32).clamp(0.0, 1.0);
            let fill = back.with_max_x(back.left() + bar * share);
            ui.painter().rect_filled(fill, 2.0, if over { tokens.color.warn } else { tokens.color.accent });
        }
        if response.has_focus() {
            focus_ring(ui, rect);
        }
        response.on_hover_text(tr("chat.composer.used_tip")).clicked()
    }
}

/// Tokens that are taken, without those kept free for the answer.
pub fn used(context: &ContextUse) -> u64 {
    let parts = context.parts.iter().filter(|part| part.kind != ContextKind::Answer);
    parts.map(|part| u64::from(part.tokens)).sum()
}
