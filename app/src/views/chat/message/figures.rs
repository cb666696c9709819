//! The last line of a message: figures, which version it is, and what can be done with it.

use egui::{Align, Id, Layout, Rect, Sense, Ui, UiBuilder};
use rspa_core::model::Message;

use super::choice::is_embedded;
use super::notes::label;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::AppState;
use crate::text::{number, tr, tr_count, tr_with};
use crate::views::chat::{Deed, choosing};
use crate::widgets::IconButton;

/// Points between two figures.
const APART: &str = "    ";

#[expect(clippy::too_many_arguments, reason = "a part of a message takes what the message has")]
pub fn show(
    ui: &mut Ui,
    tokens: &Tokens,
    id: Id,
    rect: Rect,
    state: &AppState,
    message: &Message,
    is_column: bool,
    deeds: &mut Vec<Deed>,
) {
    let right = Layout::right_to_left(Align::Center);
    let builder = UiBuilder::new().id_salt(id.with("actions")).max_rect(rect).layout(right);
    let used = ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if !is_column {
            more(ui, state, message, deeds);
            if ui.add(IconButton::new(Icon::ArrowClockwise, tr("chat.retry"))).clicked() {
                deeds.push(Deed::Retry(message.id));
            }
        }
        if !message.text.is_empty() && ui.add(IconButton::new(Icon::Copy, tr("chat.copy_answer"))).clicked() {
            deeds.push(Deed::Copy(message.text.clone()));
        }
        if !is_column {
            versions(ui, message, deeds);
        }
        ui.min_rect().width()
    });
    let Some(stats) = &message.stats else { return };
    let mut pieces = vec![tr_count("chat.tokens", u64::from(stats.answer_tokens))];
    if stats.tok_s > 0.0 {
        let decimals = usize::from(stats.tok_s < 9.95);
        pieces.push(tr_with("chat.tok_s", &[("n", &format!("{:.decimals$}", stats.tok_s))]));
    }
    if stats.ttft_ms > 0.0 {
        pieces.push(tr_with("chat.first_token", &[("time", &seconds(stats.ttft_ms))]));
    }
    let whole = pieces.join("\n");
    let room = rect.width() - used.inner - tokens.space.s;
    let width = |pieces: &[String]| {
        let font = tokens.font(Type::Secondary);
        ui.painter().layout_no_wrap(pieces.join(APART), font, tokens.color.text_3).size().x
    };
    while pieces.len() > 1 && width(&pieces) > room {
        pieces.pop();
    }
    let place = label(ui, tokens, id.with("figures"), rect, &pieces.join(APART), tokens.color.text_3);
    let response = ui.interact(place, id.with("figures-tip"), Sense::hover());
    let by = match message.choice.as_ref().filter(|choice| !is_embedded(choice)) {
        Some(choice) => {
            tr_with("chat.answered_by_provider", &[("model", &choice.model), ("provider", &choice.provider)])
        }
        None => tr_with("chat.answered_by", &[("model", &stats.model)]),
    };
    response.on_hover_text(format!("{by}\n{whole}"));
}

/// "‹ 2/3 ›", drawn from the right to the left.
pub fn versions(ui: &mut Ui, message: &Message, deeds: &mut Vec<Deed>) {
    let all = &message.versions.all;
    let Some(at) = all.iter().position(|id| *id == message.id).filter(|_| all.len() > 1) else { return };
    let tokens = ui.tokens();
    let next = all.get(at + 1).copied();
    let before = at.checked_sub(1).and_then(|at| all.get(at)).copied();
    if let (true, Some(id)) = (step(ui, Icon::CaretRight, tr("chat.version_next"), next.is_some()), next) {
        deeds.push(Deed::Choose(id));
    }
    let text = tr_with("chat.version", &[("n", &number(at as u64 + 1)), ("all", &number(all.len() as u64))]);
    ui.label(tokens.rich(Type::Secondary, text)).on_hover_text(tr("chat.version_tip"));
    if let (true, Some(id)) = (step(ui, Icon::CaretLeft, tr("chat.version_before"), before.is_some()), before) {
        deeds.push(Deed::Choose(id));
    }
}

fn step(ui: &mut Ui, icon: Icon, name: &str, enabled: bool) -> bool {
    ui.add(IconButton::new(icon, name).small().enabled(enabled)).clicked()
}

fn more(ui: &mut Ui, state: &AppState, message: &Message, deeds: &mut Vec<Deed>) {
    let button = ui.add(IconButton::new(Icon::DotsThree, tr("chat.more_answer")));
    crate::widgets::menu(&button).width(ui.tokens().size.list).show(|ui| {
        if ui.button(tr("chat.continue")).clicked() {
            deeds.push(Deed::Continue(message.id));
        }
        if ui.button(tr("chat.branch")).clicked() {
            deeds.push(Deed::Branch(message.id));
        }
        if ui.button(tr("chat.inspect")).clicked() {
            deeds.push(Deed::Inspect(message.id));
        }
        ui.separator();
        choosing::note(ui, tr("chat.retry_with"));
        let mut wanted = false;
        if let Some(model) = choosing::entries(ui, state, None, &mut wanted) {
            deeds.push(Deed::RetryWith(message.id, model));
        }
        if wanted {
            deeds.push(Deed::ListModels);
        }
    });
}

/// `0.21 s`, `12 s`.
fn seconds(ms: f64) -> String {
    let seconds = ms / 1000.0;
    if seconds < 9.995 { format!("{seconds:.2} s") } else { crate::text::duration(seconds) }
}

/// `0.4`, `11`.
pub fn milliseconds(ms: f64) -> String {
    if ms < 9.95 { format!("{ms:.1}") } else { number(ms.round().max(0.0) as u64) }
}
