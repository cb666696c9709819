//! The network ledger: every request that was made or refused, filtered, followed live; the row that is chosen whole, else
//! the sums of each host.

use std::collections::BTreeMap;

use egui::{
    Align2, Color32, Id, Key, Label, Layout, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use rspa_core::model::{LedgerEntry, Timestamp};

use crate::commands::pages::profiles::{LedgerFormat, ProfilesCommand};
use crate::commands::{PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::profiles::ledger::{LedgerFilter, MOST};
use crate::text::{ago, bytes, moment, number, short, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::{Columns, column, padded};
use crate::widgets::list::line;
use crate::widgets::{Button, Chip, IconButton, TextField, Tone, fact, menu, select, states};

const ROW: f32 = 32.0;
const HEAD: f32 = 28.0;
/// Of when, who, result, received, profile; the rest is shared by where, for what and why.
const FIXED: [f32; 5] = [76.0, 76.0, 66.0, 76.0, 84.0];
/// Below this width, who asked and from which profile are left out; below the other, for what and received too.
const WIDE: f32 = 960.0;
const MIDDLE: f32 = 600.0;
const PERIODS: [(u32, &str); 4] = [
    (0, "profiles.period.all"),
    (1, "profiles.period.day"),
    (7, "profiles.period.week"),
    (30, "profiles.period.month"),
];

/// Sums of one host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostSum {
    pub host: String,
    pub allowed: u64,
    pub blocked: u64,
    pub sent: u64,
    pub received: u64,
}

/// The host of a destination, which is a scheme, a host and a port.
pub fn host(destination: &str) -> &str {
    let rest = destination.split_once("://").map_or(destination, |(_, rest)| rest);
    match rest.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or(inner),
        None => rest.split(':').next().unwrap_or(rest),
    }
}

/// Sums by host, those with the most requests first.
pub fn sums<'a>(rows: impl Iterator<Item = &'a LedgerEntry>) -> Vec<HostSum> {
    let mut all: BTreeMap<&str, HostSum> = BTreeMap::new();
    for row in rows {
        let sum = all.entry(host(&row.destination)).or_default();
        *(if row.allowed { &mut sum.allowed } else { &mut sum.blocked }) += 1;
        sum.sent += row.bytes_sent;
        sum.received += row.bytes_received;
    }
    let mut sums: Vec<HostSum> = all.into_iter().map(|(host, sum)| HostSum { host: host.to_owned(), ..sum }).collect();
    sums.sort_by_key(|sum| std::cmp::Reverse(sum.allowed + sum.blocked));
    sums
}

/// What the filter lets through, kept while nothing changes.
#[derive(Default)]
struct Shown {
    key: Option<(u64, LedgerFilter, i64)>,
    /// Places among the rows of the ledger.
    rows: Vec<usize>,
    hosts: Vec<HostSum>,
    who: Vec<String>,
}

#[derive(Default)]
pub struct LedgerView {
    text: String,
    shown: Shown,
    /// Time and destination of the row that is looked at: its place changes as others come.
    chosen: Option<(Timestamp, String, String)>,
}

impl LedgerView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let page = &cx.state.pages.profiles;
        let ledger = &page.ledger;
        if !ledger.known {
            match &ledger.error {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, ProfilesCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("profiles.ledger_loading")),
            }
            return;
        }
        if ledger.rows.is_empty() {
            let (title, detail) = (tr("profiles.ledger_empty"), tr("profiles.ledger_empty_detail"));
            states::empty(ui, Icon::ShieldCheck, title, detail, |_| {});
            return;
        }
        // Another filter came from elsewhere, such as a link.
        if page.filter.text.trim() != self.text.trim() {
            self.text.clone_from(&page.filter.text);
        }
        self.update(&page.filter, &ledger.rows, ledger.number, cx.state.now);
        let tokens = ui.tokens();
        padded(ui, tokens.space.l, tokens.space.s, |ui| self.filters(ui, cx));
        crate::widgets::hairline(ui);
        let columns = Columns::new(ui.available_rect_before_wrap(), tokens, false, true);
        column(ui, "ledger rows", columns.centre, columns.inspector.is_some(), |ui| self.list(ui, cx));
        if let Some(rect) = columns.inspector {
            column(ui, "ledger detail", rect, false, |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    padded(ui, tokens.space.l, tokens.space.m, |ui| self.beside(ui, cx));
                });
            });
        }
    }

    /// A minute is short enough for a filter of days.
    fn update(&mut self, filter: &LedgerFilter, rows: &[LedgerEntry], number: u64, now: Timestamp) {
        let key = (number, filter.clone(), now.0 / 60_000);
        if self.shown.key.as_ref() == Some(&key) {
            return;
        }
        let fits = |(_, row): &(usize, &LedgerEntry)| filter.fits(row, now);
        let places: Vec<usize> = rows.iter().enumerate().filter(fits).map(|(place, _)| place).collect();
        let mut who: Vec<String> = rows.iter().map(|row| row.who.clone()).collect();
        who.sort();
        who.dedup();
        let hosts = sums(places.iter().filter_map(|place| rows.get(*place)));
        self.shown = Shown { key: Some(key), rows: places, hosts, who };
    }

    fn filters(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let page = &cx.state.pages.profiles;
        let mut filter = page.filter.clone();
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(ui.tokens().space.s, ui.tokens().space.xs);
            let field = TextField::new(&mut self.text, tr("profiles.find")).hint(tr("profiles.find_hint"));
            let field = field.icon(Icon::MagnifyingGlass).width(220.0).show(ui);
            if cx.focused && ui.input_mut(|input| input.consume_key(egui::Modifiers::COMMAND, Key::F)) {
                field.request_focus();
            }
            if field.changed() {
                filter.text.clone_from(&self.text);
            }
            let results =
                [tr("profiles.any_result"), tr("profiles.allowed"), tr("profiles.blocked")].map(str::to_owned);
            let at = filter.allowed.map_or(0, |allowed| if allowed { 1 } else { 2 });
            if let Some(picked) = select(ui, tr("profiles.ledger_result"), &results, at, 104.0) {
                filter.allowed = [None, Some(true), Some(false)][picked];
            }
            let mut names = vec![tr("profiles.any_who").to_owned()];
            names.extend(self.shown.who.iter().map(|who| short(who, 40)));
            let at = filter.who.as_ref().and_then(|own| self.shown.who.iter().position(|who| who == own));
            if let Some(picked) = select(ui, tr("profiles.ledger_who"), &names, at.map_or(0, |at| at + 1), 124.0) {
                filter.who = picked.checked_sub(1).and_then(|at| self.shown.who.get(at).cloned());
            }
            let periods = PERIODS.map(|(_, key)| tr(key).to_owned());
            let at = PERIODS.iter().position(|(days, _)| *days == filter.days).unwrap_or_default();
            if let Some(picked) = select(ui, tr("profiles.period.title"), &periods, at, 116.0) {
                filter.days = PERIODS[picked].0;
            }
            if !filter.is_everything()
                && ui.add(Button::new(tr("profiles.clear_filter")).icon(Icon::X).quiet()).clicked()
            {
                filter = LedgerFilter::default();
                self.text.clear();
            }
            let export =
                ui.add(Button::new(tr("profiles.export")).icon(Icon::Export).enabled(!self.shown.rows.is_empty()));
            menu(&export).show(|ui| {
                for (format, key) in [(LedgerFormat::Csv, "profiles.csv"), (LedgerFormat::Json, "profiles.json")] {
                    if ui.button(tr(key)).clicked() {
                        cx.commands.push(UiCommand::Pick(PickPurpose::LedgerFolder(format)));
                    }
                }
            });
            ui.label(
                ui.tokens()
                    .rich(Type::Label, count_words(self.shown.rows.len(), page.ledger.rows.len(), page.ledger.total)),
            );
        });
        if filter != page.filter {
            push(cx, ProfilesCommand::Filter(filter));
        }
    }

    fn list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let rows = &cx.state.pages.profiles.ledger.rows;
        if self.shown.rows.is_empty() {
            states::empty(ui, Icon::Funnel, tr("profiles.no_match"), tr("profiles.no_match_detail"), |_| {});
            return;
        }
        let columns = columns(ui.available_width());
        head(ui, &columns);
        let moved = self.keys(ui, cx, rows);
        let mut scroll = ScrollArea::vertical().id_salt("ledger").auto_shrink(false);
        if let Some(at) = moved {
            let above = (at as f32 * ROW - ui.available_height() / 2.0).max(0.0);
            scroll = scroll.vertical_scroll_offset(above);
        }
        scroll.show_rows(ui, ROW, self.shown.rows.len(), |ui, range| {
            for at in range {
                let Some(entry) = self.shown.rows.get(at).and_then(|place| rows.get(*place)) else { continue };
                let selected = self.chosen.as_ref().is_some_and(|chosen| is(chosen, entry));
                if row(ui, at, &columns, entry, selected, cx.state.now) {
                    self.chosen = if selected { None } else { Some(key(entry)) };
                }
            }
        });
    }

    /// Up and down go through the rows while nothing else has the keyboard; Escape leaves the row. The place it went to.
    fn keys(&mut self, ui: &Ui, cx: &Cx<'_>, rows: &[LedgerEntry]) -> Option<usize> {
        if !cx.focused || ui.memory(|memory| memory.focused()).is_some() {
            return None;
        }
        let (by, escape) = ui.input(|input| {
            let by = i32::from(input.key_pressed(Key::ArrowDown)) - i32::from(input.key_pressed(Key::ArrowUp));
            (by, input.key_pressed(Key::Escape))
        });
        if escape {
            self.chosen = None;
        }
        let at = self.chosen.as_ref().and_then(|chosen| {
            self.shown.rows.iter().position(|place| rows.get(*place).is_some_and(|entry| is(chosen, entry)))
        });
        let next = match (by, at) {
            (0, _) => return None,
            (1, Some(at)) => at + 1,
            (_, Some(at)) => at.saturating_sub(1),
            (_, None) => 0,
        };
        let entry = self.shown.rows.get(next).and_then(|place| rows.get(*place))?;
        self.chosen = Some(key(entry));
        Some(next)
    }

    /// The row that is chosen, whole; else the sums of the hosts.
    fn beside(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let rows = &cx.state.pages.profiles.ledger.rows;
        let chosen = self.chosen.as_ref().and_then(|chosen| rows.iter().find(|entry| is(chosen, entry)));
        match chosen {
            Some(entry) => {
                if whole(ui, cx, entry) {
                    self.chosen = None;
                }
            }
            None => hosts(ui, cx, &self.shown.hosts),
        }
    }
}

fn push(cx: &mut Cx<'_>, command: ProfilesCommand) {
    cx.commands.push(UiCommand::Profiles(command));
}

fn key(entry: &LedgerEntry) -> (Timestamp, String, String) {
    (entry.at, entry.destination.clone(), entry.purpose.clone())
}

fn is((at, destination, purpose): &(Timestamp, String, String), entry: &LedgerEntry) -> bool {
    entry.at == *at && entry.destination == *destination && entry.purpose == *purpose
}

/// "120 requests", "12 of 120 requests", and that there are older ones.
fn count_words(shown: usize, held: usize, total: u64) -> String {
    let all = tr_count("profiles.requests", held as u64);
    let words =
        if shown == held { all } else { tr_with("profiles.of", &[("n", &number(shown as u64)), ("all", &all)]) };
    if total > MOST as u64 {
        format!("{words} · {}", tr_with("profiles.newest", &[("total", &number(total))]))
    } else {
        words
    }
}

/// All that is known of one request. True when it is closed.
fn whole(ui: &mut Ui, cx: &mut Cx<'_>, entry: &LedgerEntry) -> bool {
    let tokens = ui.tokens();
    let mut close = false;
    ui.horizontal(|ui| {
        let (words, tone) =
            if entry.allowed { (tr("profiles.allowed"), Tone::Ok) } else { (tr("profiles.blocked"), Tone::Bad) };
        ui.add(Chip::new(words).tone(tone));
        ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
            close = ui.add(IconButton::new(Icon::X, tr("profiles.close_row")).small()).clicked();
        });
    });
    ui.add_space(tokens.space.s);
    let words = |ui: &mut Ui, key: &str, kind: Type, words: String| {
        fact(ui, tr(key), |ui| {
            ui.add(Label::new(tokens.rich(kind, words)).wrap().selectable(true));
        });
    };
    words(ui, "profiles.ledger_where", Type::Code, short(&entry.destination, 300));
    words(ui, "profiles.ledger_what", Type::Body, short(&entry.purpose, 600));
    words(ui, "profiles.ledger_why", Type::Body, short(&entry.reason, 600));
    words(ui, "profiles.ledger_who", Type::Body, short(&entry.who, 80));
    words(ui, "profiles.ledger_when", Type::Body, moment(entry.at));
    let profile = if entry.profile_name.is_empty() { "–".to_owned() } else { short(&entry.profile_name, 80) };
    words(ui, "profiles.ledger_profile", Type::Body, profile);
    words(ui, "profiles.sent", Type::Body, bytes(entry.bytes_sent));
    words(ui, "profiles.ledger_size", Type::Body, bytes(entry.bytes_received));
    ui.add_space(tokens.space.s);
    if ui.add(Button::new(tr("profiles.only_host")).icon(Icon::Funnel).small()).clicked() {
        let text = host(&entry.destination).to_owned();
        push(cx, ProfilesCommand::Filter(LedgerFilter { text, ..LedgerFilter::default() }));
    }
    close
}

fn hosts(ui: &mut Ui, cx: &mut Cx<'_>, hosts: &[HostSum]) {
    /// The export has all.
    const SHOWN: usize = 100;
    let tokens = ui.tokens();
    crate::widgets::section_title(ui, tr("profiles.by_host"));
    let (sent, received) =
        hosts.iter().fold((0, 0), |(sent, received), sum| (sent + sum.sent, received + sum.received));
    let total = tr_with("profiles.moved", &[("sent", &bytes(sent)), ("received", &bytes(received))]);
    ui.label(tokens.rich(Type::Secondary, total));
    ui.add_space(tokens.space.s);
    for sum in hosts.iter().take(SHOWN) {
        let name = short(&sum.host, 80);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 44.0), Sense::click());
        let detail = host_words(sum);
        let told = format!("{name}: {detail}");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &told));
        if response.hovered() {
            ui.painter().rect_filled(rect, tokens.radius.control, tokens.color.bg3);
        }
        if response.has_focus() {
            crate::widgets::focus_ring(ui, rect);
        }
        let ink = if sum.allowed == 0 { tokens.color.bad } else { tokens.color.ok };
        ui.painter().circle_filled(pos2(rect.left() + 6.0, rect.top() + 14.0), 3.5, ink);
        let (left, right) = (rect.left() + 18.0, rect.right() - 4.0);
        line(ui, left, right, rect.top() + 14.0, &name, Type::Body, tokens.color.text);
        line(ui, left, right, rect.top() + 32.0, &detail, Type::Label, tokens.color.text_2);
        if response.clicked() {
            let text = sum.host.clone();
            push(cx, ProfilesCommand::Filter(LedgerFilter { text, ..cx.state.pages.profiles.filter.clone() }));
        }
    }
}

/// "12 allowed · 3 blocked · 4.1 MB received"
pub fn host_words(sum: &HostSum) -> String {
    let mut words = Vec::new();
    if sum.allowed > 0 {
        words.push(tr_with("profiles.n_allowed", &[("n", &number(sum.allowed))]));
    }
    if sum.blocked > 0 {
        words.push(tr_with("profiles.n_blocked", &[("n", &number(sum.blocked))]));
    }
    if sum.sent > 0 {
        words.push(tr_with("profiles.n_sent", &[("size", &bytes(sum.sent))]));
    }
    if sum.received > 0 {
        words.push(tr_with("profiles.n_received", &[("size", &bytes(sum.received))]));
    }
    words.join(" · ")
}

/// Left edges and widths by the key of the column's title.
type Column = (&'static str, f32, f32);

fn columns(width: f32) -> Vec<Column> {
    let [when, who, result, size, profile] = FIXED;
    let parts: Vec<(&'static str, f32)> = if width > WIDE {
        let rest = width - 16.0 - FIXED.iter().sum::<f32>();
        vec![
            ("when", when),
            ("who", who),
            ("where", rest * 0.38),
            ("what", rest * 0.28),
            ("size", size),
            ("result", result),
            ("why", rest * 0.34),
            ("profile", profile),
        ]
    } else if width > MIDDLE {
        let rest = width - 16.0 - when - result - size;
        vec![
            ("when", when),
            ("where", rest * 0.42),
            ("what", rest * 0.26),
            ("size", size),
            ("result", result),
            ("why", rest * 0.32),
        ]
    } else {
        let rest = width - 16.0 - when - result;
        vec![("when", when), ("where", rest * 0.55), ("result", result), ("why", rest * 0.45)]
    };
    let mut left = 16.0;
    let place = |(key, width)| {
        let column = (key, left, width);
        left += width;
        column
    };
    parts.into_iter().map(place).collect()
}

fn head(ui: &mut Ui, columns: &[Column]) {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEAD), Sense::hover());
    for (key, left, width) in columns {
        let title = tr(&format!("profiles.ledger_{key}"));
        let cell = cell(rect, *left, *width);
        if *key == "size" {
            let font = tokens.font(Type::Label);
            ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, title, font, tokens.color.text_3);
        } else {
            line(ui, cell.left(), cell.right(), cell.center().y, title, Type::Label, tokens.color.text_3);
        }
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
}

fn cell(row: Rect, left: f32, width: f32) -> Rect {
    let left = row.left() + left;
    Rect::from_min_max(pos2(left, row.top()), pos2((left + width - 12.0).max(left), row.bottom()))
}

/// True when it was clicked.
fn row(ui: &mut Ui, at: usize, columns: &[Column], entry: &LedgerEntry, selected: bool, now: Timestamp) -> bool {
    let tokens = ui.tokens();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let response = ui.interact(rect, Id::unique(("ledger row", at)), Sense::click());
    let result = if entry.allowed { tr("profiles.allowed") } else { tr("profiles.blocked") };
    let (place, purpose, reason) =
        (short(&entry.destination, 120), short(&entry.purpose, 160), short(&entry.reason, 160));
    response.widget_info(|| {
        let words = format!("{place}: {purpose}, {result}, {reason}");
        WidgetInfo::selected(Role::ListItem, true, selected, words)
    });
    if ui.is_rect_visible(rect) {
        let fill = match (selected, response.hovered()) {
            (true, _) => tokens.color.selection,
            (false, true) => tokens.color.bg3,
            _ => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, 0.0, fill);
        if response.has_focus() {
            crate::widgets::focus_ring(ui, rect.shrink(2.0));
        }
        for (key, left, width) in columns {
            let cell = cell(rect, *left, *width);
            let text = |text: &str, kind: Type, ink: Color32| {
                line(ui, cell.left(), cell.right(), cell.center().y, text, kind, ink);
            };
            match *key {
                "when" => text(&ago(entry.at, now), Type::Secondary, tokens.color.text_2),
                "who" => text(&short(&entry.who, 40), Type::Secondary, tokens.color.text_2),
                "where" => text(&place, Type::Body, tokens.color.text),
                "what" => text(&purpose, Type::Secondary, tokens.color.text_2),
                "size" => {
                    let font = tokens.font(Type::Secondary);
                    let size = if entry.allowed { bytes(entry.bytes_received) } else { "–".to_owned() };
                    ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, size, font, tokens.color.text_2);
                }
                "result" => {
                    let ink = if entry.allowed { tokens.color.ok } else { tokens.color.bad };
                    text(result, Type::Secondary, ink);
                }
                "why" => text(&reason, Type::Secondary, tokens.color.text_2),
                _ => text(&short(&entry.profile_name, 40), Type::Secondary, tokens.color.text_2),
            }
        }
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    }
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_destination_gives_its_host() {
        for (destination, wanted) in
            [("https://a.org:443", "a.org"), ("http://[::1]:80", "::1"), ("a.org", "a.org"), ("", "")]
        {
            assert_eq!(host(destination), wanted);
        }
    }
}
