//! What a step of a run gave, says or waits for; what the whole run was given and gave where no step is chosen.

use egui::{Align, Id, Label, Layout, ScrollArea, Ui};
use rspa_core::api::ApiError;
use rspa_core::model::{CrewRun, CrewRunId, CrewRunStep, StepState};

use super::look;
use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::NoticeKind;
use crate::text::{path, sentence, tr, tr_with};
use crate::views::Cx;
use crate::widgets::action::text;
use crate::widgets::column::padded;
use crate::widgets::markdown::{MarkdownEvent, MarkdownView};
use crate::widgets::{Button, Chip, IconButton, Tone, fact, section_title, states};

/// Lines of what was changed outside that are shown.
const CHANGED: usize = 100;

#[derive(Default)]
pub struct Outcome {
    shown: Option<(CrewRunId, Option<usize>, StepState)>,
    output: MarkdownView,
    live: MarkdownView,
}

impl Outcome {
    /// Another step to show when the person asks for it; `Some(None)` shows the run again.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, run: &CrewRun, chosen: Option<usize>) -> Option<Option<usize>> {
        let step = chosen.and_then(|at| run.steps.get(at));
        let key = (run.id, chosen, step.map(|step| step.state).unwrap_or_default());
        if self.shown != Some(key) {
            *self = Self { shown: Some(key), ..Self::default() };
        }
        match step {
            Some(step) => self.step(ui, cx, step).then_some(None),
            None => self.run(ui, cx, run),
        }
    }

    fn step(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, step: &CrewRunStep) -> bool {
        let tokens = ui.tokens();
        let mut close = false;
        padded(ui, tokens.space.l, 6.0, |ui| {
            ui.horizontal(|ui| {
                ui.set_min_height(tokens.size.control);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.add(IconButton::new(Icon::X, tr("crews.step.close"))).clicked() {
                        close = true;
                    }
                    if let Some(task) = step.task {
                        let open = Button::new(tr("crews.run.open_task")).icon(Icon::Kanban).quiet();
                        if ui.add(open).clicked() {
                            cx.commands.push(UiCommand::OpenTask(task));
                        }
                        if let Some(approval) = cx.state.pages.approvals.of_task(task) {
                            let decide = Button::new(tr("crews.run.decide")).icon(Icon::HandPalm).primary();
                            if ui.add(decide).clicked() {
                                cx.commands.push(UiCommand::Approvals(ApprovalsCommand::Show(Some(approval.id))));
                            }
                        }
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let (icon, tone, state) = look::step(step.state);
                        let title = look::short(&step.title, 80);
                        let room = (ui.available_width() - 160.0).max(60.0);
                        ui.scope(|ui| {
                            ui.set_max_width(room);
                            let label = ui.add(Label::new(tokens.rich(Type::Title, &title)).truncate());
                            crate::widgets::speak_as(ui, &label, egui::Role::Heading, &title);
                        });
                        let words = match look::took(step.started, step.ended, cx.state.now) {
                            Some(took) if step.state != StepState::Recorded => format!("{state} · {took}"),
                            _ => state.to_owned(),
                        };
                        ui.add(Chip::new(words).icon(icon).tone(tone));
                    });
                });
            });
        });
        crate::widgets::hairline(ui);
        ScrollArea::vertical().id_salt(("step outcome", &step.key)).auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                let agent = look::short(&step.agent_name, 80);
                if !agent.is_empty() {
                    fact(ui, tr("crews.field.agent"), |ui| text(ui, Type::Body, &agent));
                }
                if let Some(error) = &step.error {
                    failed(ui, error);
                }
                if step.state == StepState::NeedsYou {
                    states::banner(ui, Tone::Warn, Icon::HandPalm, tr("crews.run.needs_you"));
                    ui.add_space(tokens.space.s);
                }
                if matches!(step.state, StepState::Running | StepState::NeedsYou) {
                    self.running(ui, cx, step);
                }
                if let Some(output) = &step.output {
                    ui.horizontal(|ui| {
                        section_title(ui, tr("crews.run.output"));
                        if ui.add(IconButton::new(Icon::Copy, tr("crews.run.copy")).small()).clicked() {
                            cx.commands.push(UiCommand::CopyText(output.text.clone()));
                        }
                    });
                    markdown(ui, cx, &mut self.output, Id::unique(("step output", &step.key)), &output.text);
                    if !output.changed.is_empty() {
                        ui.add_space(tokens.space.m);
                        section_title(ui, tr("crews.run.changed"));
                        for line in output.changed.iter().take(CHANGED) {
                            text(ui, Type::Body, line);
                        }
                    }
                } else if step.state == StepState::Waiting {
                    ui.label(tokens.rich(Type::Secondary, tr("crews.run.not_yet")));
                }
                ui.add_space(tokens.space.m);
                section_title(ui, tr("crews.field.instructions"));
                text(ui, Type::Secondary, &step.instructions);
            });
        });
        close
    }

    fn running(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, step: &CrewRunStep) {
        let tokens = ui.tokens();
        let page = &cx.state.pages.crews;
        let Some(doing) = step.task.and_then(|task| page.doing.get(&task)) else {
            ui.label(tokens.rich(Type::Secondary, tr("crews.run.at_work")));
            return;
        };
        if !doing.words.is_empty() {
            fact(ui, tr("crews.run.now"), |ui| text(ui, Type::Body, &look::short(&doing.words, 200)));
        }
        if !doing.said.is_empty() {
            section_title(ui, tr("crews.run.says"));
            let said = &doing.said;
            markdown(ui, cx, &mut self.live, Id::unique(("step live", &step.key)), said);
        }
    }

    /// What it was given, and what it gave.
    fn run(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, run: &CrewRun) -> Option<Option<usize>> {
        let tokens = ui.tokens();
        let mut wish = None;
        ScrollArea::vertical().id_salt("run outcome").auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                if let Some(error) = &run.error {
                    failed(ui, error);
                }
                let waiting = run.steps.iter().position(|step| step.state == StepState::NeedsYou);
                if let Some(at) = waiting {
                    let words =
                        tr_with("crews.run.waits_for_you", &[("title", &look::short(&run.steps[at].title, 60))]);
                    states::banner(ui, Tone::Warn, Icon::HandPalm, &words);
                    ui.add_space(tokens.space.xs);
                    if ui.add(Button::new(tr("crews.step.show")).icon(Icon::HandPalm)).clicked() {
                        wish = Some(Some(at));
                    }
                    ui.add_space(tokens.space.s);
                }
                ui.scope(|ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    fact(ui, tr("crews.run.state"), |ui| text(ui, Type::Body, &look::progress(run)));
                    if !run.input.is_empty() {
                        fact(ui, tr("crews.start.input"), |ui| text(ui, Type::Body, &bounded(&run.input)));
                    }
                    for (name, value) in run.variables.iter().filter(|(name, _)| *name != "input").take(40) {
                        fact(ui, &look::short(name, 40), |ui| text(ui, Type::Body, &bounded(value)));
                    }
                    if let Some(folder) = &run.folder {
                        fact(ui, tr("crews.field.folder"), |ui| text(ui, Type::Body, &path(folder)));
                    }
                    if run.offline {
                        fact(ui, tr("crews.run.network"), |ui| text(ui, Type::Body, tr("crews.run.offline_detail")));
                    }
                });
                if let Some(output) = &run.output {
                    ui.add_space(tokens.space.m);
                    ui.horizontal(|ui| {
                        section_title(ui, tr("crews.run.result"));
                        if ui.add(IconButton::new(Icon::Copy, tr("crews.run.copy")).small()).clicked() {
                            cx.commands.push(UiCommand::CopyText(output.clone()));
                        }
                    });
                    markdown(ui, cx, &mut self.output, Id::unique("run output"), output);
                }
            });
        });
        wish
    }
}

/// The beginning of a long text.
fn bounded(words: &str) -> String {
    let end = words.char_indices().nth(600).map_or(words.len(), |(end, _)| end);
    if end < words.len() { format!("{}…", &words[..end]) } else { words.to_owned() }
}

pub fn markdown(ui: &mut Ui, cx: &mut Cx<'_>, view: &mut MarkdownView, id: Id, words: &str) {
    let tokens = ui.tokens();
    let width = ui.available_width().min(tokens.size.text_column);
    let height = view.prepare(ui, words, &[], width);
    let (rect, _) = ui.allocate_exact_size(egui::vec2(width, height), egui::Sense::hover());
    for event in view.show(ui, id, rect) {
        match event {
            MarkdownEvent::Copy(text) => cx.commands.push(UiCommand::CopyText(text)),
            MarkdownEvent::Link(address) => {
                let (kind, title) = (NoticeKind::Info, tr("tasks.output.link").to_owned());
                cx.commands.push(UiCommand::Notify { kind, title, detail: look::short(&address, 400) });
            }
            MarkdownEvent::Citation(_) => {}
        }
    }
}

fn failed(ui: &mut Ui, error: &ApiError) {
    let tokens = ui.tokens();
    states::banner(ui, Tone::Bad, Icon::WarningCircle, &look::short(&sentence(&error.message), 2_000));
    if !error.advice.is_empty() {
        ui.add_space(tokens.space.xs);
        text(ui, Type::Secondary, &error.advice);
    }
    ui.add_space(tokens.space.m);
}
