//! What is filtered by: text in the header, and on demand a row of state, agent, priority, label. Every change is asked for at
//! once.

use std::collections::BTreeSet;

use egui::{Id, Key, Modifiers, Stroke, Ui};
use rspa_core::model::TaskStatus;

use super::words;
use crate::commands::UiCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::design::{Icon, UiExt};
use crate::state::pages::tasks::TasksChoice;
use crate::text::tr;
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{Button, IconButton, TextField, select};

/// Characters of the text at most.
const LONGEST: usize = 200;
/// Labels that are offered.
const LABELS: usize = 60;
/// Points of the text field, and the least that it can be used with.
const WIDTH: f32 = 250.0;
const LEAST: f32 = 150.0;

#[derive(Default)]
pub struct Filters {
    /// What the field says; the same as the choice but while somebody types.
    text: String,
    filled: Option<String>,
    wants_focus: bool,
    /// The row of choices was asked for.
    open: bool,
    /// There was no room for the text in the header.
    text_below: bool,
}

impl Filters {
    /// Puts the keyboard into the text field.
    pub fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// From the right: the button of the row, and the text where there is room. `taken` points at the left are others'.
    pub fn in_header(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, taken: f32) {
        let choice = self.begin(cx);
        let set = chooses(&choice);
        let button = IconButton::new(Icon::Funnel, tr("tasks.filter.more")).selected(self.open || set);
        if ui.add(button).clicked() {
            self.open = !self.open;
        }
        let room = ui.available_width() - taken;
        self.text_below = room < LEAST;
        if !self.text_below {
            let mut choice = choice;
            self.text_field(ui, &mut choice, room.min(WIDTH));
            self.end(cx, choice);
        }
    }

    fn begin(&mut self, cx: &Cx<'_>) -> TasksChoice {
        let chosen = &cx.state.ui.tasks;
        if self.filled.as_ref() != Some(&chosen.text) {
            self.text.clone_from(&chosen.text);
            self.filled = Some(chosen.text.clone());
        }
        chosen.clone()
    }

    fn end(&mut self, cx: &mut Cx<'_>, choice: TasksChoice) {
        if choice != cx.state.ui.tasks {
            self.filled = Some(choice.text.clone());
            if choice.text.trim() != self.text.trim() {
                self.text.clone_from(&choice.text);
            }
            cx.commands.push(UiCommand::Tasks(TasksCommand::Choose(choice)));
        }
    }

    /// The row under the header.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let mut choice = self.begin(cx);
        let choices = self.open || chooses(&choice);
        if !choices && !self.text_below && choice.text.trim().is_empty() {
            return;
        }
        padded(ui, tokens.space.l, tokens.space.s, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = egui::vec2(tokens.space.s, tokens.space.s);
                if self.text_below {
                    self.text_field(ui, &mut choice, WIDTH);
                }
                if choices {
                    state(ui, &mut choice);
                    agent(ui, cx, &mut choice);
                    priority(ui, &mut choice);
                    label(ui, cx, &mut choice);
                }
                if !choice.is_everything() && ui.add(Button::new(tr("tasks.clear")).icon(Icon::X).quiet()).clicked() {
                    choice = choice.cleared();
                }
            });
        });
        let free = ui.available_rect_before_wrap();
        ui.painter().hline(free.x_range(), free.top() - 0.5, Stroke::new(1.0, tokens.color.line));
        self.end(cx, choice);
    }

    fn text_field(&mut self, ui: &mut Ui, choice: &mut TasksChoice, width: f32) {
        let field = TextField::new(&mut self.text, tr("tasks.filter.text"))
            .hint(tr("tasks.filter.hint"))
            .icon(Icon::MagnifyingGlass)
            .id(Id::unique("tasks filter"))
            .width(width);
        let response = field.show(ui);
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        // Escape empties the field, then leaves it.
        let escape = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape));
        if escape && !self.text.is_empty() {
            self.text.clear();
            response.request_focus();
        }
        if response.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter)) {
            response.surrender_focus();
        }
        if response.changed() || escape {
            choice.text = self.text.chars().take(LONGEST).collect();
        }
    }
}

/// Something besides the text is filtered by.
fn chooses(choice: &TasksChoice) -> bool {
    choice.status.is_some() || choice.agent.is_some() || choice.priority.is_some() || choice.label.is_some()
}

fn state(ui: &mut Ui, choice: &mut TasksChoice) {
    let mut names = vec![tr("tasks.filter.all_states").to_owned()];
    names.extend(TaskStatus::ALL.map(|status| words::status(status).to_owned()));
    let place = choice.status.and_then(|known| TaskStatus::ALL.iter().position(|status| *status == known));
    if let Some(picked) = select(ui, tr("tasks.filter.state"), &names, place.map_or(0, |at| at + 1), 110.0) {
        choice.status = picked.checked_sub(1).map(|at| TaskStatus::ALL[at]);
    }
}

fn agent(ui: &mut Ui, cx: &Cx<'_>, choice: &mut TasksChoice) {
    let agents = cx.state.pages.tasks.agents.get().map_or(&[][..], Vec::as_slice);
    let mut names = vec![tr("tasks.filter.all_agents").to_owned()];
    names.extend(agents.iter().map(|agent| words::short(&agent.settings.name, 60)));
    let mut place = choice.agent.and_then(|id| agents.iter().position(|agent| agent.id == id)).map_or(0, |at| at + 1);
    // One that is gone, or not read yet.
    if place == 0 && choice.agent.is_some() {
        place = names.len();
        names.push(tr("tasks.filter.one_agent").to_owned());
    }
    if let Some(picked) = select(ui, tr("tasks.filter.agent"), &names, place, 120.0) {
        choice.agent = picked.checked_sub(1).and_then(|at| agents.get(at)).map(|agent| agent.id);
    }
}

fn priority(ui: &mut Ui, choice: &mut TasksChoice) {
    let mut names = vec![tr("tasks.filter.all_priorities").to_owned()];
    names.extend(words::PRIORITIES.map(|priority| words::priority(priority).to_owned()));
    let place = choice.priority.and_then(|known| words::PRIORITIES.iter().position(|priority| *priority == known));
    if let Some(picked) = select(ui, tr("tasks.filter.priority"), &names, place.map_or(0, |at| at + 1), 110.0) {
        choice.priority = picked.checked_sub(1).map(|at| words::PRIORITIES[at]);
    }
}

/// Labels of the tasks that are at hand; another one is found by its text.
fn label(ui: &mut Ui, cx: &Cx<'_>, choice: &mut TasksChoice) {
    let mut known: BTreeSet<&str> = choice.label.iter().map(String::as_str).collect();
    let tasks = &cx.state.pages.tasks;
    let cards = tasks.cards.iter().flat_map(|cards| &cards.columns).flat_map(|content| content.tasks.iter().take(200));
    let rows = tasks.rows.iter().flat_map(|rows| rows.all().map(|(_, task)| task).take(400));
    for label in cards.chain(rows).flat_map(|task| &task.labels) {
        if known.len() < LABELS {
            known.insert(label);
        }
    }
    if known.is_empty() {
        return;
    }
    let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
    let mut names = vec![tr("tasks.filter.all_labels").to_owned()];
    names.extend(known.iter().map(|label| words::short(label, 40)));
    let place = choice.label.as_ref().and_then(|label| known.iter().position(|other| other == label));
    if let Some(picked) = select(ui, tr("tasks.filter.label"), &names, place.map_or(0, |at| at + 1), 110.0) {
        choice.label = picked.checked_sub(1).map(|at| known[at].clone());
    }
}
