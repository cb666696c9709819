//! The column of sources: what each holds, how far it is, what is wrong with it, and what can be done.

use egui::{
    Align2, Color32, Popup, Rect, Response, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use rspa_core::model::{SourceId, SourceKind, SourceState, SourceStatus, Timestamp};

use crate::commands::{Action, Confirmation, UiCommand, consent};
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::text::{duration, number, short, since, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::citation::{source_icon, source_kind};
use crate::widgets::{Button, IconButton, column_header, list, progress_bar, states};

/// Letters of an address that are shown.
const SHOWN: usize = 300;

pub enum Deed {
    /// Looks only into this source, or into all.
    Choose(Option<SourceId>),
    Problems(SourceId),
}

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, chosen: Option<SourceId>) -> Option<Deed> {
    let tokens = ui.tokens();
    let mut deed = None;
    column_header(ui, tr("knowledge.sources.title"), |ui| {
        let add = ui.add(IconButton::new(Icon::Plus, tr("knowledge.sources.add")));
        crate::widgets::menu(&add).show(|ui| add_menu(ui, cx));
    });
    let Some(sources) = cx.state.knowledge.sources.get() else {
        match cx.state.knowledge.sources.error() {
            Some(error) => {
                states::error(ui, error);
            }
            None => states::loading(ui, tr("knowledge.sources.loading")),
        }
        return None;
    };
    if cx.state.has_no_sources() && sources.iter().all(|status| status.passages == 0) {
        states::empty(ui, Icon::FolderPlus, tr("knowledge.sources.none"), tr("knowledge.sources.none_detail"), |ui| {
            if ui.add(Button::new(Action::AddFolder.name()).primary().icon(Icon::FolderPlus)).clicked() {
                cx.commands.run(Action::AddFolder);
            }
            ui.add_space(tokens.space.xs);
            if ui.add(Button::new(Action::AddPage.name()).icon(Icon::Globe)).clicked() {
                cx.commands.run(Action::AddPage);
            }
            ui.add_space(tokens.space.xs);
            if ui.add(Button::new(Action::AddSample.name()).icon(Icon::Package)).clicked() {
                cx.commands.run(Action::AddSample);
            }
        });
        return None;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for status in sources {
            let selected = chosen == Some(status.source.id);
            if let Some(did) = row(ui, cx, tokens, status, selected) {
                deed = Some(did);
            }
        }
    });
    deed
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, tokens: &Tokens, status: &SourceStatus, selected: bool) -> Option<Deed> {
    let source = &status.source;
    let id = egui::Id::unique(("source", source.id.0));
    let (words, color) = words(tokens, status, cx.state.now);
    let bar = fraction(status);
    let line = tokens.line_height(Type::Label);
    let mut height = tokens.size.row + tokens.space.xs;
    height += if bar.is_some() { tokens.space.s } else { 0.0 };
    height += if words.is_empty() { 0.0 } else { line + tokens.space.xs };
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let response = ui.interact(rect, id, Sense::click());
    let passages = number(status.passages);
    let name = tr_with("knowledge.sources.row", &[("name", &source.name), ("passages", &passages), ("state", &words)]);
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, &name));

    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    crate::widgets::citation::rule(ui, rect);
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(tokens.space.m, 0.0));
    let middle = rect.top() + (tokens.size.row + tokens.space.xs) / 2.0;
    let icon = source_icon(source);
    let at = pos2(inner.left(), middle);
    let font = Icon::font(tokens.size.icon);
    ui.painter().text(at, Align2::LEFT_CENTER, icon.code(), font, tokens.color.text_2);

    let side = tokens.size.control_small;
    let menu = Rect::from_center_size(pos2(inner.right() - side / 2.0, middle), vec2(side, side));
    let more_id = id.with("more");
    let near = response.hovered()
        || ui.rect_contains_pointer(rect)
        || ui.memory(|memory| memory.has_focus(more_id))
        || Popup::is_id_open(ui.ctx(), more_id);
    let mut right = inner.right();
    if near {
        right = menu.left();
    } else {
        let at = pos2(inner.right(), middle);
        let font = tokens.font(Type::Label);
        right = ui.painter().text(at, Align2::RIGHT_CENTER, &passages, font, tokens.color.text_3).left().min(right);
    }
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    list::line(ui, left, right - tokens.space.s, middle, &source.name, Type::Body, tokens.color.text);
    let mut top = middle + tokens.size.row / 2.0;
    if let Some(fraction) = bar {
        let place = Rect::from_min_max(pos2(inner.left(), top), pos2(inner.right(), top + tokens.space.xs));
        let mut bar = ui.new_child(UiBuilder::new().id_salt(id.with("bar")).max_rect(place));
        progress_bar(&mut bar, &name, fraction, place.width());
        top += tokens.space.s;
    }
    if !words.is_empty() {
        list::line(ui, inner.left(), inner.right(), top + line / 2.0, &words, Type::Label, color);
    }

    let mut deed = None;
    // It is always there for the keyboard and for screen readers, and shows when the pointer is near.
    let mut corner = ui.new_child(UiBuilder::new().id_salt(more_id).max_rect(menu));
    corner.set_opacity(if near { 1.0 } else { 0.0 });
    let name = tr_with("knowledge.sources.more", &[("name", &source.name)]);
    let more = corner.add(IconButton::new(Icon::DotsThree, name).small());
    crate::widgets::menu(&more).id(more_id).show(|ui| actions(ui, cx, status, &mut deed));
    crate::widgets::context_menu(&response).show(|ui| actions(ui, cx, status, &mut deed));
    let response = response.on_hover_text(tip(status));
    if response.clicked() && deed.is_none() {
        deed = Some(Deed::Choose((!selected).then_some(source.id)));
    }
    deed
}

/// What can be added, each with what it takes.
fn add_menu(ui: &mut Ui, cx: &mut Cx<'_>) {
    let entries = [
        (Action::AddFolder, "knowledge.add.folder"),
        (Action::AddFile, "knowledge.add.file"),
        (Action::AddPage, "knowledge.add.page"),
        (Action::AddSample, "knowledge.add.sample"),
    ];
    for (action, takes) in entries {
        if entry(ui, action, tr(takes)).clicked() {
            cx.commands.run(action);
        }
    }
    ui.separator();
    if ui.button(Action::RescanAll.name()).clicked() {
        cx.commands.run(Action::RescanAll);
    }
}

/// An entry of two lines: its name, and what it takes.
fn entry(ui: &mut Ui, action: Action, takes: &str) -> Response {
    let tokens = ui.tokens();
    let size = vec2(tokens.size.list + 4.0 * tokens.space.l, tokens.size.row_two_lines - tokens.space.s);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, true, action.name()));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, tokens.radius.small, tokens.color.bg3);
    }
    if response.has_focus() {
        crate::widgets::focus_ring(ui, rect.shrink(2.0));
    }
    let left = rect.left() + tokens.space.s;
    let (first, second) = (rect.top() + rect.height() * 0.31, rect.top() + rect.height() * 0.71);
    let at = pos2(left, first);
    let font = Icon::font(tokens.size.icon);
    ui.painter().text(at, Align2::LEFT_CENTER, action.icon().code(), font, tokens.color.text_2);
    let left = left + tokens.size.icon + tokens.space.s;
    let right = rect.right() - tokens.space.s;
    list::line(ui, left, right, first, action.name(), Type::Body, tokens.color.text);
    list::line(ui, left, right, second, takes, Type::Label, tokens.color.text_2);
    response
}

fn actions(ui: &mut Ui, cx: &mut Cx<'_>, status: &SourceStatus, deed: &mut Option<Deed>) {
    let id = status.source.id;
    match status.source.address.as_deref() {
        // The person agrees to the host again: the policy alone may refuse it.
        Some(address) => {
            if ui.button(tr("knowledge.sources.fetch_again")).clicked()
                && let Some(question) = consent::page(address)
            {
                cx.commands.push(question);
            }
        }
        None => {
            if ui.button(tr("knowledge.sources.rescan")).clicked() {
                cx.commands.push(UiCommand::RescanSource(id));
            }
        }
    }
    let paused = status.source.paused;
    let name = if paused { tr("knowledge.sources.resume") } else { tr("knowledge.sources.pause") };
    if ui.button(name).clicked() {
        cx.commands.push(UiCommand::PauseSource { id, paused: !paused });
    }
    if ui.button(tr("knowledge.sources.documents")).clicked() {
        *deed = Some(Deed::Choose(Some(id)));
    }
    if status.problems > 0 && ui.button(tr("knowledge.sources.problems")).clicked() {
        *deed = Some(Deed::Problems(id));
    }
    if status.source.kind.is_built_in() {
        return;
    }
    ui.separator();
    if ui.button(tr("knowledge.sources.remove")).clicked() {
        cx.commands.push(UiCommand::Confirm(Confirmation {
            title: tr_with("knowledge.sources.remove_title", &[("name", &status.source.name)]),
            consequence: tr("knowledge.sources.remove_consequence").to_owned(),
            verb: tr("common.remove").to_owned(),
            danger: true,
            then: Box::new(UiCommand::RemoveSource(id)),
        }));
    }
}

/// What it is, where it lies, and how much it holds.
fn tip(status: &SourceStatus) -> String {
    let source = &status.source;
    let place = match &source.address {
        Some(address) => short(address, SHOWN),
        None if source.kind.is_built_in() => String::new(),
        None => short(&crate::text::path(&source.path), SHOWN),
    };
    let documents = tr_count("dashboard.documents", status.documents);
    let passages = tr_count("knowledge.browse.passages", status.passages);
    let lines = [source_kind(source).to_owned(), place, format!("{documents}, {passages}")];
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// How far it is; the inner none while that is not known. None when nothing is going on.
fn fraction(status: &SourceStatus) -> Option<Option<f32>> {
    match status.state {
        SourceState::Scanning | SourceState::Indexing | SourceState::Upgrading => Some(
            status
                .progress
                .filter(|progress| progress.files_total > 0)
                .map(|progress| progress.files_done as f32 / progress.files_total as f32),
        ),
        _ => None,
    }
}

/// What it is doing, or what is wrong, in words; empty when all is well.
fn words(tokens: &Tokens, status: &SourceStatus, now: Timestamp) -> (String, Color32) {
    let quiet = tokens.color.text_2;
    let is_page = status.source.kind == SourceKind::Web;
    match status.state {
        SourceState::Missing if is_page => {
            return (tr("knowledge.sources.page_missing").to_owned(), tokens.color.warn);
        }
        SourceState::Missing => return (tr("knowledge.sources.missing").to_owned(), tokens.color.warn),
        SourceState::Paused => return (tr("knowledge.sources.paused").to_owned(), quiet),
        SourceState::Queued => return (tr("knowledge.sources.queued").to_owned(), quiet),
        SourceState::Ready => {}
        SourceState::Scanning | SourceState::Indexing | SourceState::Upgrading => {
            let Some(progress) = status.progress.filter(|progress| progress.files_total > 0) else {
                let words = match status.state {
                    SourceState::Upgrading => tr("knowledge.sources.refining"),
                    SourceState::Indexing => tr("knowledge.sources.indexing"),
                    _ => tr("knowledge.sources.scanning"),
                };
                return (words.to_owned(), quiet);
            };
            let percent = (progress.files_done * 100) / progress.files_total.max(1);
            let mut words = if status.state == SourceState::Upgrading {
                tr_with("knowledge.sources.upgrading", &[("percent", &percent)])
            } else {
                tr_with("knowledge.sources.percent", &[("percent", &percent)])
            };
            if progress.files_per_second >= 0.05 {
                let pace = progress.files_per_second;
                let pace = if pace < 9.5 { format!("{pace:.1}") } else { format!("{pace:.0}") };
                words = format!("{words} · {}", tr_with("knowledge.sources.pace", &[("n", &pace)]));
            }
            if let Some(left) = progress.seconds_left {
                words = format!("{words} · {}", tr_with("knowledge.sources.left", &[("time", &duration(left))]));
            }
            return (words, quiet);
        }
    }
    if is_page {
        let when = status.completed.map(|at| since(at, now)).unwrap_or_default();
        return match status.problems {
            0 => (tr_with("knowledge.sources.fetched", &[("when", &when)]), quiet),
            _ => (tr_with("knowledge.sources.page_stale", &[("when", &when)]), tokens.color.warn),
        };
    }
    if status.problems > 0 {
        return (tr_count("knowledge.sources.unreadable", status.problems), tokens.color.warn);
    }
    (String::new(), quiet)
}
