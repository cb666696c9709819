//! Crews: a list at the left, the graph of the one that is chosen in the centre; its runs, live; and replays.

mod compare;
mod editor;
mod list;
mod live;
mod look;
mod making;
mod outcome;
mod replay;
mod runs;
mod start;

use egui::{Align, Label, Layout, Ui};
use rspa_core::model::CrewId;

use super::{Cx, View};
use crate::commands::pages::crews::{CrewsCommand, leaving};
use crate::commands::{Action, PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::crews::Shown;
use crate::text::tr;
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, Chip, IconButton, Tone, menu, states};

#[derive(Default)]
pub struct CrewsView {
    list: list::List,
    making: making::Making,
    editor: Option<editor::Editor>,
    start: start::Start,
    live: live::Live,
    replay: replay::Replay,
}

impl View for CrewsView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let page = &cx.state.pages.crews;
        let shown = page.shown();
        self.keep(shown, page.chosen(), page.epoch, page.undo);
        let unsaved = self.editor.as_ref().is_some_and(editor::Editor::is_unsaved);
        let columns = Columns::new(ui.max_rect(), tokens, true, false);
        // Where there is room for one column only, the list stands there until something is chosen.
        let narrow = columns.list.is_none();
        let list_here = narrow && shown == Shown::Nothing;
        if let Some(rect) = columns.list.or(list_here.then_some(columns.centre)) {
            column(ui, "crews", rect, !list_here, |ui| self.list.ui(ui, cx, unsaved));
        }
        if list_here {
            return;
        }
        column(ui, "crew", columns.centre, false, |ui| match shown {
            Shown::Nothing => nothing_chosen(ui, cx),
            Shown::Making => self.making.ui(ui, cx),
            Shown::New(_) | Shown::Crew(_) => {
                if let Some(editor) = &mut self.editor {
                    editor.ui(ui, cx, narrow);
                }
            }
            Shown::Runs(id) => runs::ui(ui, cx, id, narrow, unsaved),
            Shown::Start(id) => self.start.ui(ui, cx, id),
            Shown::Run(id) => self.live.ui(ui, cx, id),
            Shown::Replay(id) => self.replay.ui(ui, cx, id),
        });
    }
}

impl CrewsView {
    /// What is written stays while its runs are looked at, and while another page is open.
    fn keep(&mut self, shown: Shown, chosen: Option<CrewId>, epoch: u64, undone: u64) {
        let wanted = match (shown, chosen) {
            (Shown::New(_), _) => shown,
            (_, Some(id)) => Shown::Crew(id),
            _ => {
                self.editor = self.editor.take().filter(|editor| editor.is_current(epoch));
                return;
            }
        };
        self.editor = Some(editor::Editor::kept(self.editor.take(), wanted, epoch, undone));
    }
}

/// The parts of a crew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Steps,
    Runs,
}

fn tabs(ui: &mut Ui, cx: &mut Cx<'_>, here: Tab, id: CrewId) {
    ui.spacing_mut().item_spacing.x = ui.tokens().space.xs;
    for (tab, key, shown) in
        [(Tab::Steps, "crews.tab.steps", Shown::Crew(id)), (Tab::Runs, "crews.tab.runs", Shown::Runs(id))]
    {
        if ui.add(Button::new(tr(key)).quiet().small().selected(here == tab)).clicked() && here != tab {
            push(cx, CrewsCommand::Show(shown));
        }
    }
}

/// The head of a crew, as high as a column's.
fn head(ui: &mut Ui, cx: &mut Cx<'_>, name: &str, back: bool, unsaved: bool, right: impl FnOnce(&mut Ui, &mut Cx<'_>)) {
    let tokens = ui.tokens();
    let size = egui::vec2(ui.available_width(), tokens.size.header);
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, egui::Stroke::new(1.0, tokens.color.line));
    let inner = rect.shrink2(egui::vec2(tokens.space.l, 0.0));
    let builder = egui::UiBuilder::new().max_rect(inner).layout(Layout::right_to_left(Align::Center));
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.x = tokens.space.s;
        right(ui, cx);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if back && ui.add(IconButton::new(Icon::ArrowLeft, tr("crews.back"))).clicked() {
                go(cx, unsaved, CrewsCommand::Show(Shown::Nothing));
            }
            let room = (ui.available_width() - if unsaved { 110.0 } else { 0.0 }).max(60.0);
            ui.scope(|ui| {
                ui.set_max_width(room);
                let label = ui.add(Label::new(tokens.rich(Type::Title, name)).truncate());
                crate::widgets::speak_as(ui, &label, egui::Role::Heading, name);
            });
            if unsaved {
                ui.add(Chip::new(tr("crews.unsaved")).tone(Tone::Warn));
            }
        });
    });
}

/// What can be done with a crew besides running it.
fn more(ui: &mut Ui, cx: &mut Cx<'_>, id: CrewId, unsaved: bool) {
    let more = ui.add(IconButton::new(Icon::DotsThree, tr("crews.more")));
    menu(&more).show(|ui| {
        if ui.button(tr("crews.duplicate")).clicked() {
            go(cx, unsaved, CrewsCommand::Duplicate(id));
        }
        if ui.button(tr("crews.export")).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::CrewExport(id)));
        }
        if ui.button(tr("crews.delete")).clicked() {
            push(cx, CrewsCommand::Delete(id));
        }
    });
}

fn nothing_chosen(ui: &mut Ui, cx: &mut Cx<'_>) {
    let none_yet = cx.state.pages.crews.list.get().is_some_and(Vec::is_empty);
    if !none_yet {
        return states::empty(ui, Icon::UsersFour, tr("crews.none_chosen"), tr("crews.none_chosen_detail"), |_| {});
    }
    states::empty(ui, Icon::UsersFour, tr("crews.none"), tr("crews.none_detail"), |ui| {
        if ui.add(Button::new(Action::NewCrew.name()).icon(Icon::Plus).primary()).clicked() {
            push(cx, CrewsCommand::Show(Shown::Making));
        }
        ui.add_space(ui.tokens().space.xs);
        if ui.add(Button::new(tr("crews.new.import")).icon(Icon::UploadSimple)).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::CrewImport));
        }
    });
}

fn push(cx: &mut Cx<'_>, command: CrewsCommand) {
    cx.commands.push(UiCommand::Crews(command));
}

/// Does it; asks first where something would be lost.
fn go(cx: &mut Cx<'_>, unsaved: bool, command: CrewsCommand) {
    if unsaved {
        cx.commands.push(UiCommand::Confirm(leaving(command)));
    } else {
        push(cx, command);
    }
}

/// What is wrong with a field, below it.
fn told(ui: &mut Ui, words: &str, warning: bool) {
    let tokens = ui.tokens();
    let tone = if warning { Tone::Warn } else { Tone::Bad };
    let label = Label::new(tokens.rich(Type::Secondary, words).color(tone.ink(tokens))).wrap();
    let response = ui.add(label);
    crate::widgets::speak_as(ui, &response, egui::Role::Alert, words);
}

#[cfg(test)]
mod tests;
