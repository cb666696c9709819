//! The board: five columns of cards, of which only those in view are laid out; moved by dragging and by keys.

use std::collections::HashMap;

use egui::{
    Align2, EventFilter, Id, Key, LayerId, Modifiers, Order, Pos2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2,
    vec2,
};
use rspa_core::model::{Approval, BoardColumn, ColumnContent, Task, TaskId};

use super::card::{self, GAP};
use super::words;
use crate::commands::UiCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::pages::tasks::{Cards, Editing, MOST_CARDS};
use crate::text::{number, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{IconButton, focus_ring};

const HEAD: f32 = 36.0;
const BETWEEN: f32 = 12.0;
const NARROWEST: f32 = 160.0;
/// Width of a column without cards where room is short.
const BARE: f32 = 96.0;
const BAR: f32 = 6.0;
/// Height of the line below the last card that tells of more.
const MORE: f32 = 24.0;
/// How near the edge a dragged card begins to scroll, and how fast it then goes, in points a second.
const EDGE: f32 = 48.0;
const SPEED: f32 = 900.0;
/// Cards beyond those in view that are at hand.
const AHEAD: usize = 60;

#[derive(Default)]
pub struct BoardView {
    /// Points of each column that are scrolled away above.
    scroll: [f32; 5],
    across: f32,
    /// Where it is shown how much of the board lies at its sides.
    beside: Option<Rect>,
    drag: Option<Drag>,
    /// The card that gets the keyboard in the next frame.
    focus_next: Option<TaskId>,
    /// Where the handle of a scroll bar was taken.
    grabbed: Option<(usize, f32)>,
    heights: Vec<f32>,
}

struct Drag {
    task: Task,
    /// From the upper left corner of the card to the pointer.
    grip: egui::Vec2,
    size: egui::Vec2,
    target: Option<(BoardColumn, Option<TaskId>)>,
}

/// One column as it is drawn now.
struct Lane<'a> {
    index: usize,
    content: &'a ColumnContent,
    body: Rect,
}

impl BoardView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, cards: &Cards) {
        let tokens = ui.tokens();
        let all = ui.available_rect_before_wrap();
        ui.allocate_rect(all, Sense::hover());
        let approvals: HashMap<TaskId, &Approval> =
            cx.state.pages.approvals.waiting().filter_map(|approval| Some((approval.task?, approval))).collect();
        let lanes = self.lanes(ui, tokens, all, cards);
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(all));
        inside.set_clip_rect(ui.clip_rect().intersect(all));
        let pointer = ui.ctx().pointer_latest_pos();
        self.aim(ui, &lanes, &approvals, pointer);
        for lane in &lanes {
            self.lane(&mut inside, cx, tokens, lane, &approvals);
        }
        if let Some(handle) = self.beside {
            ui.painter().rect_filled(handle, 1.5, tokens.color.line_strong);
        }
        self.drop_or_float(ui, cx, tokens, pointer, cards);
        self.need_more(cx, cards, &lanes);
    }

    fn lanes<'a>(&mut self, ui: &Ui, tokens: &Tokens, all: Rect, cards: &'a Cards) -> Vec<Lane<'a>> {
        let inner = all.shrink2(vec2(tokens.space.l, 0.0));
        let room = inner.width() - 4.0 * BETWEEN;
        // What needs the person has a little more room: it carries buttons.
        let weight = |column| if column == BoardColumn::NeedsYou { 1.2 } else { 1.0 };
        let tight = room / 5.2 < NARROWEST;
        // Where room is short, a column without cards takes no more than its name.
        let bare = |column| {
            let empty = cards.column(column).is_some_and(|content| content.total == 0);
            tight && empty && self.drag.is_none()
        };
        let (bares, weights) = BoardColumn::ALL.into_iter().fold((0.0, 0.0), |(bares, weights), column| {
            if bare(column) { (bares + BARE, weights) } else { (bares, weights + weight(column)) }
        });
        let share = if weights > 0.0 { ((room - bares) / weights).max(NARROWEST) } else { NARROWEST };
        let width_of = |column| if bare(column) { BARE } else { share * weight(column) };
        let whole = BoardColumn::ALL.into_iter().map(width_of).sum::<f32>() + 4.0 * BETWEEN;
        let hidden = (whole - inner.width()).max(0.0);
        if hidden > 0.0 && ui.rect_contains_pointer(all) {
            let (delta, shift) = ui.input(|i| (i.smooth_scroll_delta(), i.modifiers.shift));
            self.across -= delta.x + if shift { delta.y } else { 0.0 };
        }
        self.across = self.across.clamp(0.0, hidden);
        // That there is more at the side must be seen.
        self.beside = (hidden > 0.0).then(|| {
            let length = all.width() * inner.width() / whole;
            let at = all.left() + (all.width() - length) * self.across / hidden;
            Rect::from_min_size(pos2(at, all.bottom() - 4.0), vec2(length, 3.0))
        });
        let mut left = inner.left() - self.across;
        BoardColumn::ALL
            .into_iter()
            .enumerate()
            .filter_map(|(index, column)| {
                let content = cards.column(column)?;
                let width = width_of(column);
                let body = Rect::from_min_max(pos2(left, all.top() + HEAD), pos2(left + width, all.bottom()));
                left += width + BETWEEN;
                Some(Lane { index, content, body })
            })
            .collect()
    }

    /// Where the dragged card would go, and the scrolling that brings more into view.
    fn aim(&mut self, ui: &Ui, lanes: &[Lane<'_>], approvals: &HashMap<TaskId, &Approval>, pointer: Option<Pos2>) {
        let (Some(drag), Some(at)) = (&mut self.drag, pointer) else { return };
        let dt = ui.input(|input| input.stable_dt).min(0.1);
        let nearest = |lane: &&Lane<'_>| (lane.body.center().x - at.x).abs() as i64;
        let Some(lane) = lanes.iter().min_by_key(nearest) else { return };
        let (above, below) = (lane.body.top() + EDGE - at.y, at.y - (lane.body.bottom() - EDGE));
        if above > 0.0 || below > 0.0 {
            let pull = if above > 0.0 { -above } else { below } / EDGE;
            self.scroll[lane.index] += pull.clamp(-1.5, 1.5) * SPEED * dt;
            ui.ctx().request_repaint();
        }
        let mut top = lane.body.top() - self.scroll[lane.index].max(0.0);
        let mut before = None;
        for task in &lane.content.tasks {
            let height = card::height(task, approvals.get(&task.id).copied());
            if task.id != drag.task.id && at.y < top + height / 2.0 {
                before = Some(task.id);
                break;
            }
            top += height + GAP;
        }
        drag.target = Some((lane.content.column, before));
    }

    fn lane(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        tokens: &Tokens,
        lane: &Lane<'_>,
        approvals: &HashMap<TaskId, &Approval>,
    ) {
        head(ui, cx, tokens, lane);
        let body = lane.body;
        let tasks = &lane.content.tasks;
        self.heights.clear();
        self.heights.extend(tasks.iter().map(|task| card::height(task, approvals.get(&task.id).copied())));
        let left_out = lane.content.total.saturating_sub(tasks.len() as u64);
        let whole: f32 = self.heights.iter().map(|height| height + GAP).sum::<f32>() + GAP + MORE;
        let hidden = (whole - body.height()).max(0.0);
        if ui.rect_contains_pointer(body) && !ui.input(|i| i.modifiers.shift) {
            self.scroll[lane.index] -= ui.input(|input| input.smooth_scroll_delta().y);
        }
        self.bar(ui, tokens, lane, whole, hidden);
        self.scroll[lane.index] = self.scroll[lane.index].clamp(0.0, hidden);
        let mut inside = ui.new_child(egui::UiBuilder::new().id_salt(("lane", lane.index)).max_rect(body));
        inside.set_clip_rect(ui.clip_rect().intersect(body));
        let target = self.drag.as_ref().and_then(|drag| drag.target).filter(|(to, _)| *to == lane.content.column);
        let mut top = body.top() - self.scroll[lane.index];
        for (place, task) in tasks.iter().enumerate() {
            let height = self.heights[place];
            let rect = Rect::from_min_size(pos2(body.left(), top.round()), vec2(body.width(), height));
            if target.is_some_and(|(_, before)| before == Some(task.id)) {
                placeholder(&inside, tokens, body, top - GAP / 2.0);
            }
            if rect.bottom() > body.top() && rect.top() < body.bottom() {
                self.card(&mut inside, cx, tokens, lane, place, rect, approvals.get(&task.id).copied());
            }
            top += height + GAP;
        }
        if target.is_some_and(|(_, before)| before.is_none()) {
            placeholder(&inside, tokens, body, (top - GAP / 2.0).max(body.top() + 1.0));
        }
        if left_out > 0 {
            let words = tr_count("tasks.board.left_out", left_out);
            let at = pos2(body.left() + 2.0, top + MORE / 2.0);
            inside.painter().text(at, Align2::LEFT_CENTER, words, tokens.font(Type::Label), tokens.color.text_3);
        }
        if tasks.is_empty() && target.is_none() {
            let words = match lane.content.column {
                BoardColumn::NeedsYou => tr("tasks.board.nothing_asks"),
                _ => tr("tasks.board.empty_column"),
            };
            let (left, middle) = (body.left() + 2.0, body.top() + 14.0);
            crate::widgets::list::line(&inside, left, body.right(), middle, words, Type::Label, tokens.color.text_3);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one card needs what its column knows")]
    fn card(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        tokens: &Tokens,
        lane: &Lane<'_>,
        place: usize,
        rect: Rect,
        approval: Option<&Approval>,
    ) {
        let task = &lane.content.tasks[place];
        let id = card_id(task.id);
        let lifted = self.drag.as_ref().is_some_and(|drag| drag.task.id == task.id);
        let response = ui.interact(rect, id, Sense::click_and_drag());
        let chosen = cx.state.pages.tasks.chosen() == Some(task.id);
        let spoken = words::spoken(task, &cx.state.pages.tasks, cx.state.now);
        response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, &spoken));
        if self.focus_next == Some(task.id) {
            response.request_focus();
            self.focus_next = None;
        }
        let hovered = response.hovered() && self.drag.is_none();
        card::paint(ui, cx, tokens, rect, task, approval, card::Look { chosen, hovered, lifted });
        if !lifted {
            // Also while something on it is pressed: then the card itself is not what is hovered.
            let over = self.drag.is_none() && ui.rect_contains_pointer(rect);
            card::controls(ui, cx, rect, task, approval, over || response.has_focus());
        }
        if response.has_focus() {
            focus_ring(ui, rect.shrink(2.0));
            self.keys(ui, cx, lane, place, id);
        }
        if response.clicked() {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Select(Some(task.id))));
        }
        if response.drag_started()
            && let Some(at) = response.interact_pointer_pos()
        {
            self.drag = Some(Drag { task: task.clone(), grip: at - rect.min, size: rect.size(), target: None });
        }
        let task = task.clone();
        let response = match hovered.then(|| card::cut_title(ui, tokens, rect, &task)).flatten() {
            Some(whole) => response.on_hover_text(whole),
            None => response,
        };
        crate::widgets::context_menu(&response).show(|ui| super::actions::menu(ui, cx.commands, &task));
    }

    /// Arrows go from card to card; with Ctrl they move the card.
    fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>, lane: &Lane<'_>, place: usize, id: Id) {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        let tasks = &lane.content.tasks;
        let task = &tasks[place];
        let arrows = [Key::ArrowUp, Key::ArrowDown, Key::ArrowLeft, Key::ArrowRight];
        let [up, down, left, right] =
            ui.input_mut(|input| arrows.map(|key| input.consume_key(Modifiers::COMMAND, key)));
        let step = |to: Option<BoardColumn>, before| to.map(|column| (column, before));
        let moved = match (up, down, left, right) {
            (true, ..) => place.checked_sub(1).and_then(|other| step(Some(task.column), Some(tasks[other].id))),
            (_, true, ..) if place + 1 < tasks.len() => {
                step(Some(task.column), tasks.get(place + 2).map(|other| other.id))
            }
            (_, _, true, _) => step(neighbour(task.column, false), None),
            (_, _, _, true) => step(neighbour(task.column, true), None),
            _ => None,
        };
        if let Some((column, before)) = moved {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Move { id: task.id, column, before }));
            self.focus_next = Some(task.id);
            return;
        }
        let [up, down, left, right] = ui.input_mut(|input| arrows.map(|key| input.consume_key(Modifiers::NONE, key)));
        let cards = cx.state.pages.tasks.cards.as_ref();
        let beside = |rightwards: bool| {
            let order = BoardColumn::ALL;
            let here = order.iter().position(|column| *column == lane.content.column)?;
            let others: Vec<_> = match rightwards {
                true => order[here + 1..].to_vec(),
                false => order[..here].iter().rev().copied().collect(),
            };
            let full = others.into_iter().filter_map(|column| cards?.column(column));
            full.into_iter().find(|content| !content.tasks.is_empty())
        };
        let next = match (up, down, left, right) {
            (true, ..) => place.checked_sub(1).map(|other| (lane.content.column, other)),
            (_, true, ..) => (place + 1 < tasks.len()).then_some((lane.content.column, place + 1)),
            (_, _, true, _) => beside(false).map(|content| (content.column, place.min(content.tasks.len() - 1))),
            (_, _, _, true) => beside(true).map(|content| (content.column, place.min(content.tasks.len() - 1))),
            _ => None,
        };
        if let Some((column, other)) = next
            && let Some(content) = cards.and_then(|cards| cards.column(column))
        {
            self.focus_next = Some(content.tasks[other].id);
            self.bring_into_view(cx, content, other, lane.body.height());
            ui.ctx().request_repaint();
        }
        let cancel = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Delete));
        if cancel {
            super::actions::delete(cx.commands, vec![task.id]);
        }
    }

    fn bring_into_view(&mut self, cx: &Cx<'_>, content: &ColumnContent, place: usize, height: f32) {
        let index = BoardColumn::ALL.iter().position(|column| *column == content.column).unwrap_or(0);
        let of = |task: &Task| card::height(task, cx.state.pages.approvals.of_task(task.id));
        let top: f32 = content.tasks[..place].iter().map(|task| of(task) + GAP).sum();
        let bottom = top + of(&content.tasks[place]) + GAP;
        let scroll = &mut self.scroll[index];
        *scroll = scroll.min(top).max(bottom - height);
    }

    /// The card under the pointer, or its drop.
    fn drop_or_float(&mut self, ui: &Ui, cx: &mut Cx<'_>, tokens: &Tokens, pointer: Option<Pos2>, cards: &Cards) {
        let Some(drag) = &self.drag else { return };
        let (down, escape) =
            ui.input_mut(|input| (input.pointer.primary_down(), input.consume_key(Modifiers::NONE, Key::Escape)));
        if escape {
            self.drag = None;
            ui.ctx().stop_dragging();
            return;
        }
        if down {
            if let Some(at) = pointer {
                ui.ctx().set_cursor_icon(egui::CursorIcon::Grabbing);
                let layer = LayerId::new(Order::Tooltip, Id::unique("dragged task"));
                let painter = ui.ctx().layer_painter(layer);
                let rect = Rect::from_min_size(at - drag.grip, vec2(drag.size.x, 58.0));
                painter.rect_filled(rect.translate(vec2(0.0, 4.0)), tokens.radius.card, tokens.color.shadow);
                painter.rect_filled(rect, tokens.radius.card, tokens.color.bg2);
                let stroke = Stroke::new(1.0, tokens.color.accent);
                painter.rect_stroke(rect, tokens.radius.card, stroke, egui::StrokeKind::Inside);
                card::paint_head(&painter, ui, tokens, rect, &drag.task);
            }
            return;
        }
        let Some(drag) = self.drag.take() else { return };
        let Some((column, before)) = drag.target else { return };
        if stands_there(cards, drag.task.id, column, before) {
            return;
        }
        cx.commands.push(UiCommand::Tasks(TasksCommand::Move { id: drag.task.id, column, before }));
    }

    fn bar(&mut self, ui: &Ui, tokens: &Tokens, lane: &Lane<'_>, whole: f32, hidden: f32) {
        if hidden <= 0.0 {
            return;
        }
        let (body, scroll) = (lane.body, &mut self.scroll[lane.index]);
        let right = body.right() + BAR + 2.0;
        let bar = Rect::from_min_max(pos2(right - BAR, body.top()), pos2(right, body.bottom()));
        let response = ui.interact(bar, Id::unique(("board bar", lane.index)), Sense::drag() - Sense::FOCUSABLE);
        let length = (body.height() * body.height() / whole).max(28.0);
        let way = (body.height() - length).max(1.0);
        let at = bar.top() + way * (*scroll / hidden).clamp(0.0, 1.0);
        if let Some(pointer) = response.interact_pointer_pos() {
            let inside = (at..=at + length).contains(&pointer.y);
            let fresh = (lane.index, if inside { pointer.y - at } else { length / 2.0 });
            let (_, grip) = *self.grabbed.get_or_insert(fresh);
            *scroll = (pointer.y - grip - bar.top()) / way * hidden;
        } else if self.grabbed.is_some_and(|(index, _)| index == lane.index) {
            self.grabbed = None;
        }
        let at = bar.top() + way * (*scroll / hidden).clamp(0.0, 1.0);
        let handle = Rect::from_min_size(pos2(bar.left() + 1.0, at), vec2(BAR - 2.0, length));
        let hot = response.hovered() || response.dragged();
        ui.painter().rect_filled(handle, 2.0, if hot { tokens.color.text_3 } else { tokens.color.line_strong });
    }

    /// More cards are asked for before the last ones come into view.
    fn need_more(&self, cx: &mut Cx<'_>, cards: &Cards, lanes: &[Lane<'_>]) {
        let tasks = &cx.state.pages.tasks;
        if tasks.is_reading() || tasks.error.is_some() {
            return;
        }
        let wanted = lanes.iter().any(|lane| {
            let content = lane.content;
            let seen = ((self.scroll[lane.index] + lane.body.height()) / 58.0) as usize;
            content.total as usize > content.tasks.len() && seen + AHEAD > content.tasks.len()
        });
        let longest = cards.columns.iter().map(|content| content.total).max().unwrap_or(0);
        if wanted && u64::from(tasks.per_column()) < longest.min(u64::from(MOST_CARDS)) {
            let count = tasks.per_column().saturating_mul(2);
            cx.commands.push(UiCommand::Tasks(TasksCommand::NeedCards(count)));
        }
    }
}

pub fn card_id(id: TaskId) -> Id {
    Id::unique(("task card", id.0))
}

/// Where keys may put a card: what runs and what waits for the person is not theirs to fill.
fn neighbour(column: BoardColumn, rightwards: bool) -> Option<BoardColumn> {
    let open = [BoardColumn::Backlog, BoardColumn::Queued, BoardColumn::Done];
    match rightwards {
        true => open.into_iter().find(|other| *other > column),
        false => open.into_iter().rev().find(|other| *other < column),
    }
}

fn stands_there(cards: &Cards, id: TaskId, column: BoardColumn, before: Option<TaskId>) -> bool {
    let Some(tasks) = cards.column(column).map(|content| &content.tasks) else { return false };
    let Some(place) = tasks.iter().position(|task| task.id == id) else { return false };
    before == Some(id) || tasks.get(place + 1).map(|task| task.id) == before
}

fn placeholder(ui: &Ui, tokens: &Tokens, body: Rect, y: f32) {
    let line = Rect::from_min_size(pos2(body.left(), y - 1.0), vec2(body.width(), 2.0));
    ui.painter().rect_filled(line, 1.0, tokens.color.accent);
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>, tokens: &Tokens, lane: &Lane<'_>) {
    let column = lane.content.column;
    let rect =
        Rect::from_min_max(pos2(lane.body.left(), lane.body.top() - HEAD), pos2(lane.body.right(), lane.body.top()));
    let name = words::column(column);
    let middle = rect.center().y;
    let font = tokens.font(Type::Strong);
    let ink =
        if column == BoardColumn::NeedsYou && lane.content.total > 0 { tokens.color.warn } else { tokens.color.text };
    let drawn = ui.painter().text(pos2(rect.left() + 2.0, middle), Align2::LEFT_CENTER, name, font, ink);
    let count = number(lane.content.total);
    let at = pos2(drawn.right() + 6.0, middle);
    ui.painter().text(at, Align2::LEFT_CENTER, &count, tokens.font(Type::Secondary), tokens.color.text_3);
    let response = ui.interact(drawn, Id::unique(("board head", lane.index)), Sense::hover());
    let spoken = tr_with("tasks.board.column", &[("name", &name), ("n", &count)]);
    crate::widgets::speak_as(ui, &response, Role::Heading, &spoken);
    // New ones begin where they can be: held back, or queued.
    if matches!(column, BoardColumn::Backlog | BoardColumn::Queued) {
        let place = Rect::from_center_size(pos2(rect.right() - 12.0, middle), vec2(24.0, 24.0));
        let add = IconButton::new(Icon::Plus, tr_with("tasks.board.add", &[("name", &name)])).small();
        if ui.put(place, add).clicked() {
            cx.commands.push(UiCommand::Tasks(TasksCommand::Edit(Editing::New { column })));
        }
    }
}
