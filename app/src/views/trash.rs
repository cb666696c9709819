//! What you deleted in the last days: brought back, or removed for good.

use egui::{Align, Layout, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{Page as ListPage, Timestamp, TrashItem, TrashKind};

use super::{Cx, View};
use crate::commands::pages::trash::TrashCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::trash::{PAGE, title};
use crate::text::{since, tr, tr_count, tr_with};
use crate::widgets::list::line;
use crate::widgets::{Button, IconButton, page_header, states};

const DAY: i64 = 86_400_000;
/// Room for the two buttons of a row.
const BUTTONS: f32 = 140.0;

#[derive(Default)]
pub struct TrashView {
    /// The first row that is asked for.
    offset: u64,
}

impl View for TrashView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.spacing_mut().item_spacing.y = 0.0;
        let slot = &cx.state.pages.trash.list;
        let total = slot.get().map_or(0, |page| page.total);
        page_header(ui, tr("page.trash"), |ui| {
            let button = Button::new(tr("trash.empty_all")).icon(Icon::Trash).enabled(total > 0);
            if ui.add(button).clicked() {
                cx.commands.push(UiCommand::Confirm(ask_empty()));
            }
            if total > 0 {
                let tokens = ui.tokens();
                ui.add_space(tokens.space.s);
                ui.label(tokens.rich(Type::Secondary, tr_count("trash.count", total)));
            }
        });
        match slot.get() {
            Some(page) if page.total == 0 => {
                states::empty(ui, Icon::Trash, tr("trash.empty"), tr("trash.empty_detail"), |_| {});
            }
            Some(page) => self.rows(ui, cx, page),
            None => match slot.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::Trash(TrashCommand::Refresh));
                    }
                }
                None => states::loading(ui, tr("trash.loading")),
            },
        }
        if cx.state.pages.trash.offset != Some(self.offset) {
            cx.commands.push(UiCommand::Trash(TrashCommand::List { offset: self.offset }));
        }
    }
}

impl TrashView {
    fn rows(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, page: &ListPage<TrashItem>) {
        let height = ui.tokens().size.row_two_lines;
        let scroll = ScrollArea::vertical().id_salt("trash").auto_shrink(false);
        let shown = scroll.show_rows(ui, height, usize::try_from(page.total).unwrap_or(usize::MAX), |ui, range| {
            for index in range.clone() {
                let item = (index as u64).checked_sub(page.offset).and_then(|at| page.items.get(at as usize));
                row(ui, cx, item);
            }
            range
        });
        let rows = shown.inner.start as u64..shown.inner.end as u64;
        let there = rows.start >= page.offset && rows.end <= page.offset + page.items.len() as u64;
        if !there && !cx.state.pages.trash.list.is_waiting() {
            self.offset = rows.start.saturating_sub(u64::from(PAGE) / 2);
        }
    }
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, item: Option<&TrashItem>) {
    let tokens = ui.tokens();
    let size = vec2(ui.available_width(), tokens.size.row_two_lines);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    let Some(item) = item else { return };
    let name = title(item);
    let (icon, kind) = match item.kind {
        TrashKind::Chat => (Icon::ChatCircle, tr("trash.kind_chat")),
        TrashKind::Source => (Icon::Books, tr("trash.kind_source")),
        TrashKind::Agent => (Icon::Robot, tr("trash.kind_agent")),
        TrashKind::Task => (Icon::Kanban, tr("trash.kind_task")),
        TrashKind::Schedule => (Icon::Clock, tr("trash.kind_schedule")),
        TrashKind::Crew => (Icon::UsersThree, tr("trash.kind_crew")),
        TrashKind::RetrievalTest => (Icon::Gauge, tr("trash.kind_retrieval_test")),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{kind}: {name}")));
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let (first, second) = (rect.top() + 18.0, rect.top() + 38.0);
    let at = pos2(inner.left(), first);
    ui.painter().text(at, egui::Align2::LEFT_CENTER, icon.code(), Icon::font(tokens.size.icon), tokens.color.text_2);
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    let buttons_left = inner.right() - BUTTONS;
    let times = buttons_left - tokens.space.m;
    let times_left = (times - 170.0).max(left + (times - left) * 0.5);
    line(ui, left, times_left - tokens.space.m, first, name, Type::Strong, tokens.color.text);
    let detail = if item.detail.is_empty() { kind.to_owned() } else { format!("{kind} · {}", item.detail) };
    line(ui, left, times_left - tokens.space.m, second, &detail, Type::Secondary, tokens.color.text_2);
    let now = cx.state.now;
    let (left_words, soon) = days_left(item.expires, now);
    let ink = if soon { tokens.color.warn } else { tokens.color.text_2 };
    line(ui, times_left, times, first, &left_words, Type::Secondary, ink);
    let when = tr_with("trash.deleted_at", &[("when", &since(item.deleted, now))]);
    line(ui, times_left, times, second, &when, Type::Label, tokens.color.text_3);
    let place = egui::Rect::from_min_max(pos2(buttons_left, rect.top()), pos2(inner.right(), rect.bottom()));
    let builder = egui::UiBuilder::new().id_salt(item.id).max_rect(place).layout(Layout::right_to_left(Align::Center));
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.x = tokens.space.s;
        let delete = IconButton::new(Icon::Trash, tr_with("trash.delete_named", &[("title", &name)]));
        if ui.add(delete).clicked() {
            cx.commands.push(UiCommand::Confirm(ask_delete(item)));
        }
        let restore = Button::new(tr("trash.restore")).icon(Icon::ArrowCounterClockwise).small();
        let restore = ui.add(restore);
        let words = tr_with("trash.restore_named", &[("title", &name)]);
        crate::widgets::speak_as(ui, &restore, Role::Button, &words);
        if restore.clicked() {
            cx.commands.push(UiCommand::Trash(TrashCommand::Restore { id: item.id, open: None }));
        }
    });
}

/// How long it stays, and whether that is soon over.
fn days_left(expires: Timestamp, now: Timestamp) -> (String, bool) {
    match (expires.0 - now.0 + DAY - 1).div_euclid(DAY) {
        ..=0 => (tr("trash.goes_today").to_owned(), true),
        days => (tr_count("trash.days_left", days.unsigned_abs()), days <= 3),
    }
}

fn ask_delete(item: &TrashItem) -> Confirmation {
    Confirmation {
        title: tr_with("trash.delete_title", &[("title", &title(item))]),
        consequence: tr("trash.delete_consequence").to_owned(),
        verb: tr("trash.delete").to_owned(),
        danger: true,
        then: Box::new(UiCommand::Trash(TrashCommand::Delete(item.id))),
    }
}

fn ask_empty() -> Confirmation {
    Confirmation {
        title: tr("trash.empty_title").to_owned(),
        consequence: tr("trash.empty_consequence").to_owned(),
        verb: tr("trash.empty_all").to_owned(),
        danger: true,
        then: Box::new(UiCommand::Trash(TrashCommand::Empty)),
    }
}

#[cfg(test)]
mod tests;
