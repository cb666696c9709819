//! Which model answered, and why that one: a line above the answer.

use egui::{Id, Rect, Role, Sense, Ui, WidgetInfo, pos2};
use rspa_core::model::{Message, ModelChoice, ProviderId};

use crate::design::{Icon, Tokens, Type};
use crate::text::{tr, tr_count, tr_with};
use crate::views::chat::Deed;
use crate::widgets::focus_ring;
use crate::widgets::list::line as one_line;

/// `claude · the chosen one`; more below the pointer, all in the inspector.
pub fn line(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, message: &Message, deeds: &mut Vec<Deed>) {
    let choice = message.choice.as_ref();
    let embedded = choice.is_none_or(is_embedded);
    let icon = if embedded { Icon::Cpu } else { Icon::PlugsConnected };
    let middle = rect.center().y;
    let font = Icon::font(tokens.size.icon);
    let at = pos2(rect.left(), middle);
    let mut left = ui.painter().text(at, egui::Align2::LEFT_CENTER, icon.code(), font, tokens.color.text_2).right();
    left += tokens.space.xs;
    let name = model_name(message);
    let name_rect = one_line(ui, left, rect.right(), middle, &name, Type::Strong, tokens.color.text);
    left = name_rect.right() + tokens.space.s;
    let mut spoken = name;
    if let Some(choice) = choice {
        let mut add = |text: String, ink| {
            if left < rect.right() {
                left = one_line(ui, left, rect.right(), middle, &text, Type::Secondary, ink).right() + tokens.space.s;
            }
            spoken.push_str(", ");
            spoken.push_str(&text);
        };
        if !choice.reason.is_empty() {
            add(choice.reason.clone(), tokens.color.text_2);
        }
        if choice.cached {
            add(tr("chat.choice.cached").to_owned(), tokens.color.ok);
        }
        if !choice.tried.is_empty() {
            add(tr_count("chat.choice.tried", choice.tried.len() as u64), tokens.color.warn);
        }
    }
    let place = Rect::from_min_max(rect.min, pos2(left.min(rect.right()), rect.bottom()));
    let response = ui.interact(place, id.with("choice"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
    if response.has_focus() {
        focus_ring(ui, place);
    }
    if response.clicked() {
        deeds.push(Deed::Inspect(message.id));
    }
    if let Some(choice) = choice {
        response.on_hover_text(tip(choice));
    }
}

/// The model of an answer; words while it is not known yet.
pub fn model_name(message: &Message) -> String {
    match (&message.choice, &message.stats) {
        (Some(choice), _) if !choice.model.is_empty() => choice.model.clone(),
        (_, Some(stats)) => stats.model.clone(),
        _ => tr("chat.choice.open").to_owned(),
    }
}

pub fn is_embedded(choice: &ModelChoice) -> bool {
    choice.provider.is_empty() || choice.provider == ProviderId::EMBEDDED
}

/// All that is known of the choice, line by line.
pub fn tip(choice: &ModelChoice) -> String {
    let place = if is_embedded(choice) {
        tr("chat.choice.here").to_owned()
    } else {
        tr_with("chat.choice.provider", &[("provider", &choice.provider)])
    };
    let mut lines = vec![format!("{} · {place}", choice.model)];
    if !choice.reason.is_empty() {
        lines.push(tr_with("chat.choice.reason", &[("reason", &choice.reason)]));
    }
    if choice.cached {
        lines.push(tr("chat.choice.cached_tip").to_owned());
    }
    for tried in &choice.tried {
        lines.push(tr_with("chat.choice.tried_one", &[("model", &tried.model), ("why", &tried.why)]));
    }
    lines.join("\n")
}
