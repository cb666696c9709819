//! Answers of several models to one question, side by side until one of them is chosen.

use egui::{Align, Id, Layout, Rect, Stroke, Ui, UiBuilder, pos2, vec2};
use rspa_core::model::Message;

use super::{MessageView, Part};
use crate::design::{Icon, Tokens, UiExt};
use crate::state::AppState;
use crate::state::chats::is_running;
use crate::text::tr;
use crate::views::chat::Deed;
use crate::widgets::Button;

/// A narrower column holds no line of text: then they stand one below the other.
const NARROWEST: f32 = 200.0;

fn answers(message: &Message) -> impl Iterator<Item = &Message> {
    std::iter::once(message).chain(&message.versions.beside)
}

/// Width of each column, and whether they stand beside each other.
fn split(tokens: &Tokens, width: f32, count: usize) -> (f32, bool) {
    let column = (width - tokens.space.xl * (count - 1) as f32) / count as f32;
    if column >= NARROWEST { (column, true) } else { (width, false) }
}

impl MessageView {
    pub(super) fn side_by_side(&mut self, ui: &Ui, tokens: &Tokens, state: &AppState, message: &Message, width: f32) {
        let count = 1 + message.versions.beside.len();
        self.columns.truncate(count);
        let (column, beside) = split(tokens, width, count);
        let (mut highest, mut sum) = (0.0f32, 0.0);
        for (index, answer) in answers(message).enumerate() {
            if self.columns.len() <= index {
                self.columns.push(MessageView { is_column: true, ..MessageView::new(answer) });
            }
            let view = &mut self.columns[index];
            view.measure(ui, state, answer, column);
            view.parts.push((Part::GoOn, tokens.size.control));
            let height = view.height(tokens);
            highest = highest.max(height);
            sum += height + tokens.space.l;
        }
        self.parts.push((Part::Beside, if beside { highest } else { sum }));
    }

    pub(super) fn show_columns(
        &mut self,
        ui: &mut Ui,
        state: &AppState,
        message: &Message,
        rect: Rect,
        words: &[String],
        deeds: &mut Vec<Deed>,
    ) {
        let tokens = ui.tokens();
        let (column, beside) = split(tokens, rect.width(), self.columns.len().max(1));
        let mut at = rect.min;
        for (index, (view, answer)) in self.columns.iter_mut().zip(answers(message)).enumerate() {
            if beside && index > 0 {
                let x = at.x - tokens.space.xl / 2.0;
                ui.painter().vline(x, rect.y_range(), Stroke::new(1.0, tokens.color.line));
            }
            let height = view.height(tokens);
            let place = Rect::from_min_size(at, vec2(column, height));
            view.show(ui, state, answer, place, words, deeds);
            at = if beside {
                pos2(at.x + column + tokens.space.xl, at.y)
            } else {
                pos2(at.x, at.y + height + tokens.space.l)
            };
        }
    }
}

pub(super) fn go_on(ui: &mut Ui, id: Id, rect: Rect, message: &Message, deeds: &mut Vec<Deed>) {
    let left = Layout::left_to_right(Align::Center);
    ui.scope_builder(UiBuilder::new().id_salt(id.with("go-on")).max_rect(rect).layout(left), |ui| {
        let button = Button::new(tr("chat.go_on")).icon(Icon::Check).enabled(!is_running(message));
        if ui.add(button.tooltip(tr("chat.go_on_tip"))).clicked() {
            deeds.push(Deed::Choose(message.id));
        }
    });
}
