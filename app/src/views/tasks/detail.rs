//! One task whole: its state and what can be done, what it gave, its steps, what it was given, what happened to it.

use egui::{Id, Label, Layout, ScrollArea, Ui};
use rspa_core::api::ApiError;
use rspa_core::model::{Task, TaskDetail, TaskId, TaskOutput, TaskStatus, Wait};

use super::run::RunView;
use super::{actions, timeline, words};
use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::NoticeKind;
use crate::state::pages::tasks::Editing;
use crate::text::{moment, sentence, tr, tr_with};
use crate::views::Cx;
use crate::widgets::action::text;
use crate::widgets::column::padded;
use crate::widgets::exact::{ExactView, Shown};
use crate::widgets::markdown::{MarkdownEvent, MarkdownView};
use crate::widgets::{Button, Chip, IconButton, ListRow, Tone, card, fact, plot, section_title, states};

/// Charts that are drawn, and lines of what was changed.
const CHARTS: usize = 8;
const CHANGED: usize = 200;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Output,
    Steps,
    Input,
    Timeline,
    Links,
}

#[derive(Default)]
pub struct DetailView {
    section: Section,
    /// The task that was shown last: another one begins at its output.
    shown: Option<TaskId>,
    output: MarkdownView,
    table: MarkdownView,
    input: ExactView,
    data: ExactView,
    run: RunView,
}

impl DetailView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let tasks = &cx.state.pages.tasks;
        let Some(id) = tasks.chosen() else { return };
        let top = ui.max_rect();
        ui.painter().hline(top.x_range(), top.top() + 0.5, egui::Stroke::new(1.0, tokens.color.line));
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        if self.shown != Some(id) {
            let runs = tasks.task(id).is_some_and(|task| task.status == TaskStatus::Running);
            // Of what goes on there is no output yet, and steps to follow.
            let section = if runs && self.section == Section::Output { Section::Steps } else { self.section };
            *self = Self { shown: Some(id), section, ..Self::default() };
        }
        let Some(task) = tasks.task(id) else {
            match tasks.detail.error() {
                Some(error) => gone(ui, cx, error),
                None => states::loading(ui, tr("tasks.detail.loading")),
            }
            return;
        };
        header(ui, cx, task);
        self.sections(ui, cx, task);
        let detail = tasks.detail.get();
        if let (None, Some(error)) = (detail, tasks.detail.error()) {
            gone(ui, cx, error);
            return;
        }
        if self.section == Section::Steps {
            self.run.ui(ui, cx);
            return;
        }
        ScrollArea::vertical().id_salt(("task detail", id.0, self.section as u8)).auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                ui.set_max_width(ui.available_width().min(960.0));
                match self.section {
                    Section::Output => self.output(ui, cx, task),
                    Section::Input => self.input(ui, cx, task),
                    Section::Timeline => match detail {
                        Some(detail) => timeline::ui(ui, detail),
                        None => states::loading(ui, tr("tasks.detail.loading")),
                    },
                    Section::Links => links(ui, cx, detail),
                    Section::Steps => {}
                }
            });
        });
    }

    fn sections(&mut self, ui: &mut Ui, cx: &Cx<'_>, task: &Task) {
        let tokens = ui.tokens();
        let detail = cx.state.pages.tasks.detail.get();
        let runs = detail.map_or(0, |detail| detail.runs.len());
        let links = detail.map_or(task.depends_on.len(), |detail| detail.depends_on.len() + detail.dependents.len());
        let counted = |name: &str, count: usize| if count > 1 { format!("{name} {count}") } else { name.to_owned() };
        let names = [
            (Section::Output, tr("tasks.section.output").to_owned()),
            (Section::Steps, tr("tasks.section.steps").to_owned()),
            (Section::Input, tr("tasks.section.input").to_owned()),
            (Section::Timeline, tr("tasks.section.timeline").to_owned()),
            (Section::Links, counted(tr("tasks.section.links"), links.max(1))),
        ];
        padded(ui, tokens.space.m, tokens.space.xs, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.xs;
                for (section, name) in names {
                    let button = Button::new(name).quiet().small().selected(self.section == section);
                    if ui.add(button).clicked() {
                        self.section = section;
                    }
                }
                if runs > 1 {
                    ui.label(tokens.rich(Type::Label, tr_with("tasks.attempts", &[("n", &runs)])));
                }
            });
        });
    }

    fn output(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, task: &Task) {
        waiting(ui, cx, task);
        if let Some(error) = &task.error {
            failed(ui, error);
        }
        facts(ui, cx, task);
        let Some(output) = &task.output else {
            if task.error.is_none() && !matches!(task.waits, Some(Wait::Repeat { .. } | Wait::Approval { .. })) {
                let words = match task.status {
                    TaskStatus::Running => "tasks.output.not_yet",
                    _ if task.agent.is_none() => "tasks.output.yours",
                    _ => "tasks.output.none",
                };
                ui.label(ui.tokens().rich(Type::Secondary, tr(words)));
            }
            return;
        };
        self.given(ui, cx, output);
    }

    fn given(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, output: &TaskOutput) {
        let tokens = ui.tokens();
        let id = Id::unique("task output");
        if !output.text.is_empty() {
            ui.horizontal(|ui| {
                section_title(ui, tr("tasks.output.title"));
                if ui.add(IconButton::new(Icon::Copy, tr("tasks.output.copy")).small()).clicked() {
                    cx.commands.push(UiCommand::CopyText(output.text.clone()));
                }
            });
            let width = ui.available_width().min(tokens.size.text_column);
            let height = self.output.prepare(ui, &output.text, &[], width);
            let (rect, _) = ui.allocate_exact_size(egui::vec2(width, height), egui::Sense::hover());
            for event in self.output.show(ui, id, rect) {
                match event {
                    MarkdownEvent::Copy(text) => cx.commands.push(UiCommand::CopyText(text)),
                    MarkdownEvent::Link(address) => {
                        let (kind, title) = (NoticeKind::Info, tr("tasks.output.link").to_owned());
                        cx.commands.push(UiCommand::Notify { kind, title, detail: words::short(&address, 400) });
                    }
                    MarkdownEvent::Citation(_) => {}
                }
            }
            ui.add_space(tokens.space.m);
        }
        let table = output.table();
        if let Some(table) = &table {
            section_title(ui, tr("tasks.output.table"));
            if !table.summary.is_empty() {
                text(ui, Type::Body, &table.summary);
            }
            let width = ui.available_width();
            let height = self.table.prepare(ui, &table.markdown(), &[], width);
            let (rect, _) = ui.allocate_exact_size(egui::vec2(width, height), egui::Sense::hover());
            for event in self.table.show(ui, id.with("table"), rect) {
                if let MarkdownEvent::Copy(text) = event {
                    cx.commands.push(UiCommand::CopyText(text));
                }
            }
            ui.add_space(tokens.space.m);
        }
        for (number, chart) in output.charts.iter().take(CHARTS).enumerate() {
            card(ui, |ui| plot::chart(ui, id.with(("chart", number)), chart, 220.0));
            ui.add_space(tokens.space.m);
        }
        if !output.changed.is_empty() {
            section_title(ui, tr("tasks.output.changed"));
            for line in output.changed.iter().take(CHANGED) {
                ui.horizontal_top(|ui| {
                    ui.label(Icon::PencilSimple.rich(14.0).color(tokens.color.text_3));
                    text(ui, Type::Body, line);
                });
            }
            ui.add_space(tokens.space.m);
        }
        if !output.data.is_null() && table.is_none() {
            section_title(ui, tr("tasks.output.data"));
            let pretty = serde_json::to_string_pretty(&output.data).unwrap_or_default();
            self.data.show(ui, id.with("data"), tr("tasks.output.data"), &pretty, Shown::Plain, 300.0);
        }
    }

    fn input(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, task: &Task) {
        let tokens = ui.tokens();
        if !task.description.is_empty() {
            section_title(ui, tr("tasks.form.description"));
            text(ui, Type::Body, &task.description);
            ui.add_space(tokens.space.m);
        }
        if task.input.is_null() {
            ui.label(tokens.rich(Type::Secondary, tr("tasks.input.none")));
            return;
        }
        let pretty = serde_json::to_string_pretty(&task.input).unwrap_or_default();
        ui.horizontal(|ui| {
            section_title(ui, tr("tasks.section.input"));
            if ui.add(IconButton::new(Icon::Copy, tr("tasks.input.copy")).small()).clicked() {
                cx.commands.push(UiCommand::CopyText(pretty.clone()));
            }
        });
        self.input.show(ui, Id::unique("task input"), tr("tasks.section.input"), &pretty, Shown::Plain, 4_000.0);
    }
}

/// Title, state and what can be done.
fn header(ui: &mut Ui, cx: &mut Cx<'_>, task: &Task) {
    let tokens = ui.tokens();
    padded(ui, tokens.space.l, 6.0, |ui| {
        ui.horizontal(|ui| {
            ui.set_min_height(tokens.size.control);
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.xs;
                if ui.add(IconButton::new(Icon::X, tr("tasks.detail.close"))).clicked() {
                    actions::push(cx.commands, TasksCommand::Select(None));
                }
                let quiet = |icon, name: &'static str| Button::new(name).icon(icon).quiet();
                if actions::can_delete(task) && ui.add(IconButton::new(Icon::Trash, tr("tasks.delete"))).clicked() {
                    actions::delete(cx.commands, vec![task.id]);
                }
                if actions::can_edit(task) && ui.add(quiet(Icon::PencilSimple, tr("tasks.edit"))).clicked() {
                    actions::push(cx.commands, TasksCommand::Edit(Editing::Change(Box::new(task.clone()))));
                }
                if task.status.is_final() && ui.add(quiet(Icon::Copy, tr("tasks.again"))).clicked() {
                    actions::run_again(cx.commands, task);
                }
                if actions::can_retry(task) && ui.add(quiet(Icon::ArrowClockwise, tr("tasks.retry"))).clicked() {
                    actions::push(cx.commands, TasksCommand::Retry(vec![task.id]));
                }
                if actions::can_cancel(task) && ui.add(quiet(Icon::Stop, tr("tasks.cancel"))).clicked() {
                    actions::cancel(cx.commands, vec![task.id]);
                }
                if task.agent.is_none() && !task.status.is_final() {
                    let done = Button::new(tr("tasks.mark_done")).icon(Icon::Check);
                    if ui.add(done).clicked() {
                        let column = rspa_core::model::BoardColumn::Done;
                        actions::push(cx.commands, TasksCommand::Move { id: task.id, column, before: None });
                    }
                }
                ui.with_layout(Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.spacing_mut().item_spacing.x = tokens.space.s;
                    let (tone, state) = words::state(task);
                    let chip = match words::took(task, cx.state.now) {
                        Some(took) => format!("{state} · {took}"),
                        None => state.to_owned(),
                    };
                    let title = words::title(task);
                    // The chip keeps its place however long the title is.
                    let width = ui.available_width();
                    let room = (width - 150.0).max(60.0);
                    ui.scope(|ui| {
                        ui.set_max_width(room);
                        let label = ui.add(Label::new(tokens.rich(Type::Title, &title)).truncate());
                        crate::widgets::speak_as(ui, &label, egui::Role::Heading, &title);
                    });
                    ui.add(Chip::new(chip).tone(tone));
                });
            });
        });
    });
}

/// What it waits for, with what the person can do about it.
fn waiting(ui: &mut Ui, cx: &mut Cx<'_>, task: &Task) {
    let tokens = ui.tokens();
    match &task.waits {
        Some(Wait::Repeat { done }) => repeat(ui, cx, task, done),
        Some(Wait::Approval { id }) => {
            states::banner(ui, Tone::Warn, Icon::HandPalm, tr("tasks.wait.approval_detail"));
            ui.add_space(tokens.space.xs);
            if ui.add(Button::new(tr("approvals.show")).icon(Icon::HandPalm)).clicked() {
                cx.commands.push(UiCommand::Approvals(ApprovalsCommand::Show(Some(*id))));
            }
            ui.add_space(tokens.space.m);
        }
        Some(waits) if !task.status.is_final() => {
            let words = words::wait(waits, &cx.state.pages.tasks, cx.state.now);
            states::banner(ui, Tone::Neutral, Icon::Hourglass, &tr_with("tasks.wait.why", &[("why", &words)]));
            ui.add_space(tokens.space.m);
        }
        _ => {}
    }
}

/// It was cut off in the middle: what it had done, and what each answer leads to.
fn repeat(ui: &mut Ui, cx: &mut Cx<'_>, task: &Task, done: &[String]) {
    let tokens = ui.tokens();
    card(ui, |ui| {
        section_title(ui, tr("tasks.repeat.title"));
        ui.add(Label::new(tokens.rich(Type::Body, tr("tasks.repeat.why"))).wrap());
        ui.add_space(tokens.space.s);
        for line in done.iter().take(CHANGED) {
            ui.horizontal_top(|ui| {
                ui.label(Icon::Check.rich(14.0).color(tokens.color.text_3));
                text(ui, Type::Code, line);
            });
        }
        ui.add_space(tokens.space.m);
        for (repeat, name, detail) in [
            (true, tr("tasks.repeat.yes"), tr("tasks.repeat.yes_detail")),
            (false, tr("tasks.repeat.no"), tr("tasks.repeat.no_detail")),
        ] {
            ui.horizontal_top(|ui| {
                if ui.add(Button::new(name)).clicked() {
                    actions::push(cx.commands, TasksCommand::AllowRepeat { id: task.id, repeat });
                }
                ui.add(Label::new(tokens.rich(Type::Secondary, detail)).wrap());
            });
            ui.add_space(tokens.space.xs);
        }
    });
    ui.add_space(tokens.space.m);
}

fn failed(ui: &mut Ui, error: &ApiError) {
    let tokens = ui.tokens();
    states::banner(ui, Tone::Bad, Icon::WarningCircle, &words::short(&sentence(&error.message), 2_000));
    if !error.advice.is_empty() {
        ui.add_space(tokens.space.xs);
        text(ui, Type::Secondary, &error.advice);
    }
    ui.add_space(tokens.space.m);
}

/// When and by whom, in a few lines.
fn facts(ui: &mut Ui, cx: &mut Cx<'_>, task: &Task) {
    let tokens = ui.tokens();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        fact(ui, tr("tasks.table.agent"), |ui| {
            ui.horizontal(|ui| {
                text(ui, Type::Body, &words::agent(task));
                if let Some(id) = task.agent
                    && ui.add(IconButton::new(Icon::ArrowSquareOut, tr("tasks.open_agent")).small()).clicked()
                {
                    cx.commands.push(UiCommand::OpenAgent(id));
                }
            });
        });
        fact(ui, tr("tasks.table.number"), |ui| {
            let words = format!("#{} · {}", task.number, words::priority(task.priority));
            ui.label(tokens.rich(Type::Body, words));
        });
        if task.status == TaskStatus::Running
            && let Some(progress) = words::progress(task)
        {
            fact(ui, tr("tasks.detail.now"), |ui| text(ui, Type::Body, &progress));
        }
        for (name, at) in [
            (tr("tasks.table.due"), task.due),
            (tr("tasks.form.not_before"), task.not_before),
            (tr("tasks.detail.started"), task.started),
            (tr("tasks.detail.completed"), task.completed),
        ] {
            if let Some(at) = at {
                fact(ui, name, |ui| {
                    ui.label(tokens.rich(Type::Body, moment(at)));
                });
            }
        }
        if task.retries > 0 {
            fact(ui, tr("tasks.detail.tries"), |ui| {
                let words = tr_with("tasks.detail.tries_of", &[("n", &task.retries), ("most", &task.max_retries)]);
                ui.label(tokens.rich(Type::Body, words));
            });
        }
        if !task.labels.is_empty() {
            fact(ui, tr("tasks.table.labels"), |ui| {
                ui.horizontal_wrapped(|ui| {
                    for label in task.labels.iter().take(20) {
                        ui.add(Chip::new(words::short(label, 40)));
                    }
                });
            });
        }
    });
    ui.add_space(tokens.space.m);
}

/// Those it waits for, and those that wait for it.
fn links(ui: &mut Ui, cx: &mut Cx<'_>, detail: Option<&TaskDetail>) {
    let tokens = ui.tokens();
    let Some(detail) = detail else {
        states::loading(ui, tr("tasks.detail.loading"));
        return;
    };
    let parts = [(tr("tasks.links.after"), &detail.depends_on), (tr("tasks.links.before"), &detail.dependents)];
    if parts.iter().all(|(_, tasks)| tasks.is_empty()) {
        ui.label(tokens.rich(Type::Secondary, tr("tasks.links.none")));
    }
    for (name, tasks) in parts {
        if tasks.is_empty() {
            continue;
        }
        section_title(ui, name);
        for task in tasks.iter().take(100) {
            let (_, state) = words::state(task);
            let row = ListRow::new(format!("#{}  {}", task.number, words::title(task))).icon(Icon::Kanban).right(state);
            if ui.add(row).clicked() {
                actions::push(cx.commands, TasksCommand::Select(Some(task.id)));
            }
        }
        ui.add_space(tokens.space.m);
    }
}

fn gone(ui: &mut Ui, cx: &mut Cx<'_>, error: &ApiError) {
    let tokens = ui.tokens();
    padded(ui, tokens.space.l, tokens.space.m, |ui| {
        failed(ui, error);
        if ui.add(Button::new(tr("common.close"))).clicked() {
            actions::push(cx.commands, TasksCommand::Select(None));
        }
    });
}
