//! The form of a new or a changed task. What was typed stays when it is left without saving.

mod typed;

use egui::{Id, Key, Label, Layout, Modifiers, ScrollArea, TextEdit, Ui};
use rspa_core::model::{Agent, AgentId, AgentStatus, BoardColumn, Task, Timestamp, one_line};
use serde_json::Value;

use self::typed::{Typed, parsed_moment};
use super::words;
use crate::commands::UiCommand;
use crate::commands::pages::tasks::{TasksCommand, UpdateChange};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::tasks::Editing;
use crate::text::{path, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, IconButton, TextField, Tone, dialog, select, states, toggle};

const WIDTH: f32 = 680.0;
/// Bytes of what is typed.
const TITLE: usize = 500;
const TEXT: usize = 100_000;
/// Texts of the input that are looked at for places in the file system.
const PLACES: usize = 100;

#[derive(Default)]
pub struct FormView {
    /// The opening that the fields were filled for.
    filled: u64,
    typed: Typed,
    others: String,
    wants_focus: bool,
    /// It was given to core, which may still refuse it.
    sent: bool,
}

impl FormView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tasks = &cx.state.pages.tasks;
        let Some(editing) = &tasks.editing else { return };
        if self.filled != tasks.form {
            self.filled = tasks.form;
            self.fill(cx, editing);
            self.wants_focus = true;
        }
        // It is still open and nothing is on its way: core refused, and what was typed stays.
        self.sent &= tasks.saving;
        let title = match editing {
            Editing::New { .. } => tr("tasks.form.new").to_owned(),
            Editing::Change(task) => tr_with("tasks.form.change", &[("n", &task.number)]),
        };
        let (wish, left) = dialog::modal(ui.ctx(), Id::unique("task form"), WIDTH, |ui| self.window(ui, cx, &title));
        let escaped = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        match wish {
            Wish::Save(command) => cx.commands.push(UiCommand::Tasks(*command)),
            Wish::Leave => cx.commands.push(UiCommand::Tasks(TasksCommand::CloseForm)),
            Wish::Stay if left || escaped => cx.commands.push(UiCommand::Tasks(TasksCommand::CloseForm)),
            Wish::Stay => {}
        }
    }

    fn fill(&mut self, cx: &Cx<'_>, editing: &Editing) {
        self.others.clear();
        match editing {
            Editing::New { column } => {
                // What was typed and not saved is still there; after saving it begins anew.
                let untouched = Typed { held: self.typed.held, ..Typed::default() };
                if std::mem::take(&mut self.sent) || self.typed.changes.is_some() || self.typed == untouched {
                    self.typed = Typed::default();
                    self.typed.agent = only_agent(cx);
                }
                self.typed.held = *column == BoardColumn::Backlog;
            }
            Editing::Change(task) => self.typed = Typed::of(task, cx),
        }
    }

    fn window(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, title: &str) -> Wish {
        let tokens = ui.tokens();
        let mut wish = Wish::Stay;
        crate::widgets::column_header(ui, title, |ui| {
            if ui.add(IconButton::new(Icon::X, tr("common.close"))).clicked() {
                wish = Wish::Leave;
            }
        });
        let most = ui.ctx().content_rect().height() * 0.85 - 140.0;
        // Whatever room the window takes by itself: what lies below must be seen to be there.
        let scroll = ScrollArea::vertical().id_salt("task form").max_height(most.max(160.0));
        scroll.min_scrolled_height(most.max(160.0)).show(ui, |ui| {
            egui::Frame::new().inner_margin(tokens.space.l as i8).show(ui, |ui| {
                ui.spacing_mut().item_spacing = egui::vec2(tokens.space.s, tokens.space.xs);
                self.fields(ui, cx);
            });
        });
        crate::widgets::hairline(ui);
        let problem = self.typed.problem(cx.state.now);
        egui::Frame::new().inner_margin(tokens.space.m as i8).show(ui, |ui| {
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                let saving = cx.state.pages.tasks.saving;
                let name = if self.typed.changes.is_some() { tr("tasks.form.save") } else { tr("tasks.form.create") };
                let save = Button::new(name).primary().enabled(problem.is_none() && !saving);
                let pressed = ui.add(save).clicked();
                let keys = ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Enter));
                if (pressed || keys) && problem.is_none() && !saving {
                    wish = self.save(cx.state.now);
                }
                if ui.add(Button::new(tr("common.cancel"))).clicked() {
                    self.typed = Typed::default();
                    wish = Wish::Leave;
                }
                if let Some(problem) = problem {
                    ui.add(Label::new(tokens.rich(Type::Secondary, problem).color(tokens.color.text_2)).truncate());
                }
            });
        });
        wish
    }

    fn save(&mut self, now: Timestamp) -> Wish {
        let command = match self.typed.changes {
            None => self.typed.draft(now).map(|draft| TasksCommand::Create(Box::new(draft))),
            Some(id) => self.typed.update(id, now).map(|update| TasksCommand::Update(Box::new(UpdateChange(update)))),
        };
        match command {
            Some(command) => {
                self.sent = true;
                Wish::Save(Box::new(command))
            }
            None => Wish::Stay,
        }
    }

    fn fields(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let now = cx.state.now;
        label(ui, tr("tasks.form.title"));
        let field = TextField::new(&mut self.typed.title, tr("tasks.form.title")).hint(tr("tasks.form.title_hint"));
        let response = field.show(ui);
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        bound(&mut self.typed.title, TITLE);
        label(ui, tr("tasks.form.description"));
        area(
            ui,
            &mut self.typed.description,
            tr("tasks.form.description"),
            tr("tasks.form.description_hint"),
            4,
            false,
        );
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                label(ui, tr("tasks.form.agent"));
                agent(ui, cx, &mut self.typed.agent);
            });
            ui.vertical(|ui| {
                label(ui, tr("tasks.form.priority"));
                let names: Vec<String> = words::PRIORITIES.map(|one| words::priority(one).to_owned()).to_vec();
                let here = words::PRIORITIES.iter().position(|one| *one == self.typed.priority).unwrap_or(1);
                if let Some(picked) = select(ui, tr("tasks.form.priority"), &names, here, 130.0) {
                    self.typed.priority = words::PRIORITIES[picked];
                }
            });
        });
        let chosen = self.typed.agent.and_then(|id| cx.state.pages.tasks.agent(id));
        if chosen.is_some_and(|agent| agent.status != AgentStatus::Active) {
            states::banner(ui, Tone::Warn, Icon::Warning, tr("tasks.form.agent_inactive"));
        }
        label(ui, tr("tasks.form.labels"));
        TextField::new(&mut self.typed.labels, tr("tasks.form.labels")).hint(tr("tasks.form.labels_hint")).show(ui);
        ui.columns(2, |sides| {
            moment_field(&mut sides[0], tr("tasks.form.due"), &mut self.typed.due, now);
            moment_field(&mut sides[1], tr("tasks.form.not_before"), &mut self.typed.not_before, now);
        });
        self.after(ui, cx);
        label(ui, tr("tasks.form.input"));
        area(ui, &mut self.typed.input, tr("tasks.form.input"), tr("tasks.form.input_hint"), 4, true);
        match self.typed.parsed_input() {
            Err(why) => {
                ui.label(tokens.rich(Type::Secondary, why).color(tokens.color.bad));
            }
            Ok(input) => places(ui, &input, chosen),
        }
        ui.columns(2, |sides| {
            label(&mut sides[0], tr("tasks.form.retries"));
            let wrong = self.typed.retries_value().is_none();
            let field = TextField::new(&mut self.typed.retries, tr("tasks.form.retries"));
            field.hint(tr("tasks.form.from_settings")).problem(wrong).show(&mut sides[0]);
            label(&mut sides[1], tr("tasks.form.limit"));
            let wrong = self.typed.limit_value().is_none();
            let field = TextField::new(&mut self.typed.limit, tr("tasks.form.limit"));
            field.hint(tr("tasks.form.limit_hint")).problem(wrong).show(&mut sides[1]);
        });
        if self.typed.changes.is_none() {
            ui.add_space(tokens.space.s);
            ui.horizontal(|ui| {
                toggle(ui, &mut self.typed.held, tr("tasks.form.held"));
                ui.label(tokens.rich(Type::Body, tr("tasks.form.held")));
                ui.label(tokens.rich(Type::Secondary, tr("tasks.form.held_detail")));
            });
        }
    }

    /// Those that must be completed first, found by number or words.
    fn after(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        label(ui, tr("tasks.form.after"));
        if !self.typed.after.is_empty() {
            ui.horizontal_wrapped(|ui| {
                let mut gone = None;
                for (id, number, title) in &self.typed.after {
                    let name = tr_with("tasks.form.not_after", &[("n", number)]);
                    let words = format!("#{number} {}", words::short(title, 40));
                    let button = Button::new(words).icon(Icon::X).small().tooltip(name);
                    if ui.add(button).clicked() {
                        gone = Some(*id);
                    }
                }
                self.typed.after.retain(|(id, ..)| Some(*id) != gone);
            });
        }
        let field = TextField::new(&mut self.others, tr("tasks.form.after")).hint(tr("tasks.form.after_hint"));
        if field.icon(Icon::MagnifyingGlass).show(ui).changed() && !self.others.trim().is_empty() {
            let text: String = self.others.trim().chars().take(200).collect();
            cx.commands.push(UiCommand::Tasks(TasksCommand::FindOthers(text)));
        }
        if self.others.trim().is_empty() {
            return;
        }
        let Some(found) = cx.state.pages.tasks.others.get() else { return };
        let own = self.typed.changes;
        let offered =
            |task: &&Task| Some(task.id) != own && self.typed.after.iter().all(|(known, ..)| *known != task.id);
        let rows: Vec<&Task> = found.items.iter().filter(offered).take(6).collect();
        if rows.is_empty() {
            ui.label(tokens.rich(Type::Secondary, tr("tasks.form.after_nothing")));
        }
        let mut taken = None;
        for task in rows {
            let words = format!("#{}  {}", task.number, words::title(task));
            let (_, state) = words::state(task);
            if ui.add(crate::widgets::ListRow::new(words).icon(Icon::Plus).right(state)).clicked() {
                taken = Some((task.id, task.number, task.title.clone()));
            }
        }
        if let Some(taken) = taken {
            self.typed.after.push(taken);
            self.others.clear();
        }
    }
}

enum Wish {
    Stay,
    Leave,
    Save(Box<TasksCommand>),
}

fn label(ui: &mut Ui, words: &str) {
    let tokens = ui.tokens();
    ui.add_space(tokens.space.s);
    ui.label(tokens.rich(Type::Secondary, words));
}

fn bound(text: &mut String, most: usize) {
    if text.len() > most {
        let mut end = most;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

fn area(ui: &mut Ui, text: &mut String, name: &str, hint: &str, rows: usize, code: bool) {
    let tokens = ui.tokens();
    let font = tokens.font(if code { Type::Code } else { Type::Body });
    let hint = egui::RichText::new(hint).font(font.clone()).color(tokens.color.text_3);
    let frame = egui::Frame::new()
        .fill(tokens.color.bg0)
        .stroke(egui::Stroke::new(1.0, tokens.color.line))
        .corner_radius(tokens.radius.control)
        .inner_margin(tokens.space.s as i8);
    let edit = TextEdit::multiline(text)
        .id(Id::unique(("task form", name)))
        .hint_text(hint)
        .font(font)
        .frame(frame)
        .desired_rows(rows)
        .desired_width(ui.available_width());
    ui.add(edit).accessible_name(name);
    bound(text, TEXT);
}

fn moment_field(ui: &mut Ui, name: &str, typed: &mut String, now: Timestamp) {
    let tokens = ui.tokens();
    label(ui, name);
    let parsed = parsed_moment(typed, now);
    TextField::new(typed, name).hint(tr("tasks.form.when_hint")).problem(parsed.is_err()).show(ui);
    bound(typed, 100);
    let words = match parsed {
        Ok(Some(at)) => crate::text::moment(at),
        Ok(None) => String::new(),
        Err(why) => why,
    };
    ui.label(tokens.rich(Type::Label, one_line(&words)));
}

fn agent(ui: &mut Ui, cx: &Cx<'_>, chosen: &mut Option<AgentId>) {
    let agents = cx.state.pages.tasks.agents.get().map_or(&[][..], Vec::as_slice);
    let mut names = vec![tr("tasks.form.nobody").to_owned()];
    names.extend(agents.iter().map(|agent| {
        let name = words::short(&agent.settings.name, 60);
        match agent.status {
            AgentStatus::Active => name,
            _ => tr_with("tasks.form.inactive", &[("name", &name)]),
        }
    }));
    let here = chosen.and_then(|id| agents.iter().position(|agent| agent.id == id)).map_or(0, |at| at + 1);
    if let Some(picked) = select(ui, tr("tasks.form.agent"), &names, here, 300.0) {
        *chosen = picked.checked_sub(1).and_then(|at| agents.get(at)).map(|agent| agent.id);
    }
}

/// Says which places in the input the agent may not touch.
fn places(ui: &mut Ui, input: &Value, agent: Option<&Agent>) {
    let Some(agent) = agent else { return };
    let mut found = Vec::new();
    texts(input, &mut found);
    let home = std::env::home_dir();
    let outside = found.into_iter().find(|text| {
        let place = match (text.strip_prefix("~/"), &home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => std::path::PathBuf::from(text),
        };
        place.is_absolute() && !agent.settings.folders.iter().any(|folder| place.starts_with(&folder.path))
    });
    if let Some(outside) = outside {
        let folders: Vec<String> = agent.settings.folders.iter().take(3).map(|folder| path(&folder.path)).collect();
        let key = if folders.is_empty() { "tasks.form.no_folders" } else { "tasks.form.outside" };
        let values: [(&str, &dyn std::fmt::Display); 3] = [
            ("path", &words::short(outside, 120)),
            ("agent", &words::short(&agent.settings.name, 60)),
            ("folders", &words::short(&folders.join(", "), 200)),
        ];
        states::banner(ui, Tone::Warn, Icon::Folder, &tr_with(key, &values));
    }
}

/// Texts that may be places in the file system.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    if found.len() >= PLACES {
        return;
    }
    match value {
        Value::String(text) if text.starts_with('/') || text.starts_with("~/") => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// The agent to begin with, where there is no choice.
fn only_agent(cx: &Cx<'_>) -> Option<AgentId> {
    let agents = cx.state.pages.tasks.agents.get()?;
    let mut active = agents.iter().filter(|agent| agent.status == AgentStatus::Active);
    let first = active.next()?;
    active.next().is_none().then_some(first.id)
}
