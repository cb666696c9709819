//! The entries as dense rows: of a million only those in view are laid out. The place is kept in rows, not in points, since
//! the points of a million rows are more than an `f32` tells apart.

use egui::{Align2, Color32, Id, Key, Modifiers, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{LogEntry, LogId, LogLevel, one_line};

use super::filters::{level_name, tone};
use crate::commands::UiCommand;
use crate::commands::pages::logs::LogsCommand;
use crate::design::{Tokens, Type, UiExt};
use crate::state::pages::logs::{PAGE, Shown};
use crate::text::tr;
use crate::views::Cx;
use crate::widgets::{Tone, list};

const ROW: f32 = 24.0;
const HEAD: f32 = 26.0;
const BAR: f32 = 10.0;
const SHORTEST_HANDLE: f32 = 28.0;
/// Characters of a message that a row lays out.
const LONGEST: usize = 300;

#[derive(Default)]
pub struct List {
    /// The first row in view, with a part of it hidden.
    top: f64,
    /// Where the handle of the scroll bar was taken, from its upper end.
    grabbed: Option<f32>,
    /// The row of the entry that the keyboard is at.
    at: Option<(u64, LogId)>,
}

/// Left edges of the columns.
struct Edges {
    time: f32,
    level: f32,
    target: f32,
    message: f32,
    end: f32,
}

impl List {
    pub fn is_at_top(&self) -> bool {
        self.top < 0.5
    }

    pub fn begin_again(&mut self) {
        self.top = 0.0;
        self.at = None;
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, shown: &Shown) {
        let tokens = ui.tokens();
        let all = ui.available_rect_before_wrap();
        ui.allocate_rect(all, Sense::hover());
        let (head, body) = all.split_top_bottom_at_y(all.top() + HEAD);
        let edges = edges(tokens, body);
        header(ui, tokens, head, &edges);
        let rows = f64::from(body.height() / ROW);
        self.keys(ui, cx, shown, rows);
        let dragged = self.bar(ui, tokens, body, shown.total, rows);
        if !dragged && ui.rect_contains_pointer(body) {
            let scrolled = ui.input(|input| input.smooth_scroll_delta().y);
            self.top -= f64::from(scrolled / ROW);
        }
        self.clamp(shown.total, rows);
        let first = self.top as u64;
        let last = (first + rows.ceil() as u64 + 1).min(shown.total);
        let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(body));
        ui.set_clip_rect(ui.clip_rect().intersect(body));
        for index in first..last {
            let above = (index as f64 - self.top) * f64::from(ROW);
            let top = (body.top() + above as f32).round();
            let rect = Rect::from_min_size(pos2(body.left(), top), vec2(edges.end - body.left(), ROW));
            match shown.row(index) {
                Some(entry) => self.row(&mut ui, cx, rect, &edges, index, entry),
                None => {
                    let ink = tokens.color.text_3;
                    list::line(&ui, edges.message, edges.end, rect.center().y, tr("logs.waiting"), Type::Label, ink);
                }
            }
        }
        self.need(cx, first, last);
    }

    /// Asks for the first page in view that is not there.
    fn need(&self, cx: &mut Cx<'_>, first: u64, last: u64) {
        let page = u64::from(PAGE);
        let wanted = (first / page..=last.saturating_sub(1) / page).find(|page| cx.state.pages.logs.lacks(*page));
        if let Some(page) = wanted.filter(|_| last > first) {
            cx.commands.push(UiCommand::Logs(LogsCommand::Need(page)));
        }
    }

    fn clamp(&mut self, total: u64, rows: f64) {
        self.top = self.top.clamp(0.0, (total as f64 - rows).max(0.0));
    }

    fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>, shown: &Shown, rows: f64) {
        // Keys of a field or a button belong to it.
        let free = ui.memory(|memory| memory.focused().is_none());
        if !cx.focused || !free {
            return;
        }
        let keys = [Key::ArrowDown, Key::ArrowUp, Key::PageDown, Key::PageUp, Key::Home, Key::End, Key::Enter];
        let pressed = ui.input_mut(|input| keys.map(|key| input.consume_key(Modifiers::NONE, key)));
        let [down, up, page_down, page_up, home, end, enter] = pressed;
        if enter && let Some((_, id)) = self.at {
            cx.commands.push(UiCommand::Logs(LogsCommand::Select(Some(id))));
        }
        let page = (rows as u64).saturating_sub(1).max(1);
        let last = shown.total.saturating_sub(1);
        let here = self.at.map(|(row, _)| row);
        let there = match (here, shown.total) {
            (_, 0) => return,
            _ if home => 0,
            _ if end => last,
            (None, _) if down || up => self.top.ceil() as u64,
            (Some(row), _) if down => row + 1,
            (Some(row), _) if up => row.saturating_sub(1),
            (row, _) if page_down => row.unwrap_or(self.top as u64) + page,
            (row, _) if page_up => row.unwrap_or(self.top as u64).saturating_sub(page),
            _ => return,
        }
        .min(last);
        // The row comes into view.
        let (above, below) = (there as f64, there as f64 + 1.0 - rows);
        self.top = self.top.min(above).max(below);
        match shown.row(there) {
            Some(entry) => {
                self.at = Some((there, entry.id));
                if cx.state.pages.logs.chosen().is_some() {
                    cx.commands.push(UiCommand::Logs(LogsCommand::Select(Some(entry.id))));
                }
            }
            // It is on its way.
            None => self.at = Some((there, LogId::default())),
        }
    }

    /// Draws the scroll bar; true while it is dragged.
    fn bar(&mut self, ui: &Ui, tokens: &Tokens, body: Rect, total: u64, rows: f64) -> bool {
        let hidden = total as f64 - rows;
        if hidden <= 0.0 {
            return false;
        }
        let bar = Rect::from_min_max(pos2(body.right() - BAR, body.top()), body.max);
        let response = ui.interact(bar, Id::unique("log scroll bar"), Sense::click_and_drag());
        let length = (body.height() * (rows / total as f64) as f32).max(SHORTEST_HANDLE).min(body.height());
        let way = body.height() - length;
        if let Some(pointer) = response.interact_pointer_pos() {
            let at = bar.top() + way * (self.top / hidden) as f32;
            let inside = (at..=at + length).contains(&pointer.y);
            let grabbed = *self.grabbed.get_or_insert(if inside { pointer.y - at } else { length / 2.0 });
            self.top = f64::from((pointer.y - grabbed - bar.top()) / way.max(1.0)) * hidden;
            self.clamp(total, rows);
        } else {
            self.grabbed = None;
        }
        let at = bar.top() + way * (self.top / hidden) as f32;
        let handle = Rect::from_min_size(pos2(bar.left() + 2.0, at), vec2(BAR - 4.0, length));
        let hot = response.hovered() || response.dragged();
        let ink = if hot { tokens.color.text_3 } else { tokens.color.line_strong };
        ui.painter().rect_filled(handle, 3.0, ink);
        response.dragged()
    }

    fn row(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, edges: &Edges, index: u64, entry: &LogEntry) {
        let tokens = ui.tokens();
        if let Some((row, id)) = &mut self.at
            && *row == index
        {
            *id = entry.id;
        }
        let message = first_letters(&one_line(&entry.message), LONGEST).to_owned();
        let level = level_name(entry.level);
        let response = ui.interact(rect, Id::unique(("log", entry.id.0)), Sense::click());
        let selected = cx.state.pages.logs.chosen() == Some(entry.id);
        response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, format!("{level}: {message}")));
        let here = self.at.is_some_and(|(row, _)| row == index);
        let fill = match (selected, response.hovered(), entry.level) {
            (true, _, _) => tokens.color.selection,
            (false, true, _) => tokens.color.bg3,
            (false, false, LogLevel::Critical) => tokens.color.bad_soft,
            _ => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, 0.0, fill);
        if here || response.has_focus() {
            let stroke = Stroke::new(1.0, tokens.color.accent);
            ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
        }
        let middle = rect.center().y;
        let font = tokens.font(Type::Code);
        let at = pos2(edges.time, middle);
        ui.painter().text(at, Align2::LEFT_CENTER, time(entry), font, tokens.color.text_3);
        let ink = match (tone(entry.level), entry.level) {
            (Tone::Neutral, LogLevel::Info) => tokens.color.text_2,
            (Tone::Neutral, _) => tokens.color.text_3,
            (tone, _) => tone.ink(tokens),
        };
        list::line(ui, edges.level, edges.target - tokens.space.s, middle, level, Type::Secondary, ink);
        if edges.message > edges.target {
            let target = one_line(&entry.target);
            let end = edges.message - tokens.space.m;
            list::line(ui, edges.target, end, middle, &target, Type::Secondary, tokens.color.text_3);
        }
        let ink = if entry.level <= LogLevel::Debug { tokens.color.text_2 } else { tokens.color.text };
        list::line(ui, edges.message, edges.end - tokens.space.s, middle, &message, Type::Body, ink);
        if response.clicked() {
            self.at = Some((index, entry.id));
            cx.commands.push(UiCommand::Logs(LogsCommand::Select(Some(entry.id))));
        }
    }
}

fn edges(tokens: &Tokens, body: Rect) -> Edges {
    let time = body.left() + tokens.space.l;
    let level = time + 152.0;
    let target = level + 68.0;
    let end = body.right() - BAR;
    // A narrow list leaves the target out.
    let message = if end - target > 420.0 { target + ((end - target) * 0.3).min(230.0) } else { target };
    Edges { time, level, target, message, end }
}

fn header(ui: &Ui, tokens: &Tokens, head: Rect, edges: &Edges) {
    let middle = head.center().y;
    let ink = tokens.color.text_3;
    list::line(ui, edges.time, edges.level, middle, tr("logs.column.time"), Type::Label, ink);
    list::line(ui, edges.level, edges.target, middle, tr("logs.column.level"), Type::Label, ink);
    if edges.message > edges.target {
        list::line(ui, edges.target, edges.message, middle, tr("logs.column.target"), Type::Label, ink);
    }
    list::line(ui, edges.message, edges.end, middle, tr("logs.column.message"), Type::Label, ink);
    ui.painter().hline(head.x_range(), head.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
}

/// Day and time to the millisecond, in this place's time.
fn time(entry: &LogEntry) -> String {
    jiff::Timestamp::from_millisecond(entry.at.0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%m-%d %H:%M:%S%.3f").to_string())
        .unwrap_or_default()
}

fn first_letters(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}
