//! What a search in all chats found: title, and the words around the first match with the match marked.

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Id, Key, Modifiers, Rect, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use rspa_core::model::ChatHit;

use super::title;
use crate::commands::UiCommand;
use crate::commands::pages::chats::ChatsCommand;
use crate::design::{Type, UiExt};
use crate::text::{self, tr};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::list::line;
use crate::widgets::states;

/// The hit that Enter opens.
#[derive(Default)]
pub struct Hits {
    chosen: usize,
    scroll: bool,
}

impl Hits {
    pub fn reset(&mut self) {
        self.chosen = 0;
        self.scroll = true;
    }

    /// Takes the keys that move in the list from the field. True for Enter.
    pub fn keys(&mut self, ui: &Ui, count: usize) -> bool {
        let (down, up, enter) = ui.input_mut(|i| {
            let mut take = |key| i.consume_key(Modifiers::NONE, key);
            (take(Key::ArrowDown), take(Key::ArrowUp), take(Key::Enter))
        });
        let last = count.saturating_sub(1);
        if down || up {
            self.chosen = if down { (self.chosen + 1).min(last) } else { self.chosen.saturating_sub(1) };
            self.scroll = true;
        }
        enter
    }

    pub fn open(&self, cx: &mut Cx<'_>) {
        if let Some(hit) = cx.state.chats.hits.get().and_then(|hits| hits.get(self.chosen)) {
            cx.commands.push(open(hit));
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, wanted: &str) {
        let tokens = ui.tokens();
        let slot = &cx.state.chats.hits;
        if let Some(error) = slot.error() {
            if states::error(ui, error) {
                cx.commands.push(super::search(wanted.to_owned()));
            }
            return;
        }
        let Some(hits) = slot.get() else {
            states::loading(ui, tr("chat.list.searching"));
            return;
        };
        if hits.is_empty() {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("chat.list.nothing_found"))).wrap());
            });
            return;
        }
        let height = tokens.size.row_two_lines;
        let scroll = std::mem::take(&mut self.scroll);
        ScrollArea::vertical().id_salt("chat-hits").auto_shrink(false).show_viewport(ui, |ui, viewport| {
            let size = vec2(ui.available_width(), hits.len() as f32 * height);
            let (all, _) = ui.allocate_exact_size(size, Sense::hover());
            let place = |index: usize| {
                Rect::from_min_size(all.min + vec2(0.0, index as f32 * height), vec2(all.width(), height))
            };
            let first = ((viewport.top() / height).floor() as usize).min(hits.len());
            let last = ((viewport.bottom() / height).ceil() as usize + 1).min(hits.len());
            for (index, hit) in hits.iter().enumerate().take(last).skip(first) {
                let id = Id::unique(("chat-hit", index));
                let mut child = ui.new_child(UiBuilder::new().scope_id(id).max_rect(place(index)));
                if row(&mut child, hit, index == self.chosen, cx.state.now).clicked() {
                    self.chosen = index;
                    cx.commands.push(open(hit));
                }
            }
            if scroll {
                ui.scroll_to_rect(place(self.chosen.min(hits.len() - 1)), None);
            }
        });
    }
}

fn open(hit: &ChatHit) -> UiCommand {
    UiCommand::Chats(ChatsCommand::OpenAt { chat: hit.chat, message: hit.message })
}

fn row(ui: &mut Ui, hit: &ChatHit, chosen: bool, now: rspa_core::model::Timestamp) -> egui::Response {
    let tokens = ui.tokens();
    let rect = ui.max_rect();
    let response = ui.allocate_rect(rect, Sense::click());
    let name = title(&hit.title);
    let spoken = format!("{name}: {}", hit.snippet);
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, &spoken));
    let fill = match (chosen, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    crate::widgets::citation::rule(ui, rect);
    let inner = rect.shrink2(vec2(tokens.space.m, 0.0));
    let (first, second) = (rect.top() + 18.0, rect.top() + 38.0);
    let at = pos2(inner.right(), first);
    let ago = text::ago(hit.at, now);
    let right = egui::Align2::RIGHT_CENTER;
    let edge = ui.painter().text(at, right, ago, tokens.font(Type::Label), tokens.color.text_3).left();
    line(ui, inner.left(), edge - tokens.space.s, first, name, Type::Strong, tokens.color.text);
    let mut job = snippet(ui, hit);
    job.wrap = TextWrapping::truncate_at_width(inner.width());
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    ui.painter().galley(pos2(inner.left(), second - galley.size().y / 2.0), galley, tokens.color.text_2);
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
    }
    response
}

/// The snippet in one line. Its marks are core's word, but its text is a stranger's: a mark that cuts a letter is left out.
fn snippet(ui: &Ui, hit: &ChatHit) -> LayoutJob {
    let tokens = ui.tokens();
    let mut job = LayoutJob::default();
    let text: String = hit.snippet.chars().map(|c| if c.is_ascii_control() { ' ' } else { c }).collect();
    let mut at = 0;
    let plain = TextFormat::simple(tokens.font(Type::Secondary), tokens.color.text_2);
    let marked = TextFormat { background: tokens.color.mark, color: tokens.color.text, ..plain.clone() };
    for &(start, end) in &hit.marks {
        let (start, end) = (start as usize, end as usize);
        if start < at || end <= start || !text.is_char_boundary(start) || text.get(start..end).is_none() {
            continue;
        }
        job.append(&text[at..start], 0.0, plain.clone());
        job.append(&text[start..end], 0.0, marked.clone());
        at = end;
    }
    job.append(&text[at..], 0.0, plain);
    job
}
