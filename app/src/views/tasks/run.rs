//! The recorded steps of an attempt, stepped through one by one: what the model said, what a tool would do and gave.

use egui::{Color32, Id, Key, Layout, Modifiers, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{Run, RunId, RunOutcome, RunStep, StepKind, Verdict};

use super::words;
use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::tasks::Stepping;
use crate::text::{duration, moment, number, sentence, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::action::{ActionView, text};
use crate::widgets::column::{column, padded};
use crate::widgets::exact::{ExactView, Shown};
use crate::widgets::{Button, Chip, IconButton, Tone, focus_ring, list, plot, select, states};

const ROW: f32 = 30.0;
const LIST: f32 = 300.0;
/// Points that one long part of a step may take before it scrolls by itself.
const PART: f32 = 320.0;
/// Bytes of a call that is read for its reason.
const LONGEST_CALL: usize = 4_000;

#[derive(Default)]
pub struct RunView {
    /// The step that is shown; none follows the newest.
    at: Option<u32>,
    shown: Option<(RunId, u32)>,
    said: ExactView,
    prompt: ExactView,
    arguments: ExactView,
    output: ExactView,
    data: ExactView,
    live: ExactView,
    action: ActionView,
    /// What the model was given is long; it is shown when asked for.
    with_prompt: bool,
    bring: bool,
}

impl RunView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let tasks = &cx.state.pages.tasks;
        let (stepping, runs) = (&tasks.stepping, tasks.detail.get().map_or(&[][..], |detail| &detail.runs));
        if runs.is_empty() {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                let words = if tasks.detail.get().is_some() { "tasks.steps.no_run" } else { "tasks.detail.loading" };
                ui.label(tokens.rich(Type::Secondary, tr(words)));
            });
            return;
        }
        let Some(run) = runs.iter().find(|run| Some(run.id) == stepping.run).or(runs.last()) else { return };
        if self.shown.is_some_and(|(id, _)| id != run.id) {
            *self = Self::default();
        }
        self.bar(ui, cx, runs, run);
        self.keys(ui, cx, stepping);
        if stepping.steps.is_empty() && stepping.live.is_empty() {
            padded(ui, tokens.space.l, tokens.space.m, |ui| match &stepping.error {
                Some(error) => text(ui, Type::Secondary, &format!("{} {}", sentence(&error.message), error.advice)),
                None if stepping.is_waiting() => {
                    ui.label(tokens.rich(Type::Secondary, tr("tasks.steps.loading")));
                }
                None => {
                    ui.label(tokens.rich(Type::Secondary, tr("tasks.steps.none")));
                }
            });
            return;
        }
        let all = ui.available_rect_before_wrap();
        let wide = all.width() > LIST * 2.2;
        let split = if wide { all.left() + LIST } else { all.right() };
        if wide {
            let left = Rect::from_min_max(all.min, pos2(split, all.bottom()));
            column(ui, "steps", left, true, |ui| self.list(ui, stepping));
        }
        let right = Rect::from_min_max(pos2(if wide { split } else { all.left() }, all.top()), all.max);
        column(ui, "step", right, false, |ui| {
            let id = Id::unique(("step", run.id.0, self.place(stepping)));
            ScrollArea::vertical().id_salt(id).auto_shrink(false).show(ui, |ui| {
                padded(ui, tokens.space.l, tokens.space.m, |ui| self.step(ui, cx, stepping, run, id));
            });
        });
    }

    /// Which attempt, what it used, and the way from step to step.
    fn bar(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, runs: &[Run], run: &Run) {
        let tokens = ui.tokens();
        let stepping = &cx.state.pages.tasks.stepping;
        padded(ui, tokens.space.l, tokens.space.xs, |ui| {
            ui.horizontal(|ui| {
                ui.set_min_height(tokens.size.control);
                let last = stepping.steps.len().saturating_sub(1);
                let place = self.place(stepping) as usize;
                if ui.add(IconButton::new(Icon::CaretLeft, tr("tasks.steps.previous")).enabled(place > 0)).clicked() {
                    self.go(stepping, place.saturating_sub(1));
                }
                let shown = if stepping.steps.is_empty() { 0 } else { place + 1 };
                let words = tr_with("tasks.steps.place", &[("n", &shown), ("all", &stepping.steps.len())]);
                ui.label(tokens.rich(Type::Secondary, words));
                let next = IconButton::new(Icon::CaretRight, tr("tasks.steps.next")).enabled(place < last);
                if ui.add(next).clicked() {
                    self.go(stepping, place + 1);
                }
                if runs.len() > 1 {
                    let names: Vec<String> = runs
                        .iter()
                        .map(|run| tr_with("tasks.steps.attempt", &[("n", &run.attempt), ("how", &outcome(run).1)]))
                        .collect();
                    let chosen = runs.iter().position(|known| known.id == run.id).unwrap_or(0);
                    if let Some(picked) = select(ui, tr("tasks.steps.which"), &names, chosen, 190.0) {
                        cx.commands.push(UiCommand::Tasks(TasksCommand::ChooseRun(runs[picked].id)));
                    }
                } else {
                    let (tone, words) = outcome(run);
                    ui.add(Chip::new(words).tone(tone));
                }
                ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                    let tokens_used = tr_with(
                        "tasks.steps.used",
                        &[
                            ("in", &number(run.prompt_tokens)),
                            ("out", &number(run.answer_tokens)),
                            ("time", &duration(run.worked_ms as f64 / 1000.0)),
                        ],
                    );
                    let words = format!("{} · {tokens_used}", words::short(&run.model, 40));
                    ui.add(egui::Label::new(tokens.rich(Type::Label, words)).truncate());
                });
            });
        });
    }

    fn place(&self, stepping: &Stepping) -> u32 {
        let last = stepping.steps.len().saturating_sub(1) as u32;
        self.at.map_or(last, |at| at.min(last))
    }

    fn go(&mut self, stepping: &Stepping, to: usize) {
        let last = stepping.steps.len().saturating_sub(1);
        // At the end it follows what comes.
        self.at = (to < last).then_some(to as u32);
        self.bring = true;
    }

    fn keys(&mut self, ui: &Ui, cx: &Cx<'_>, stepping: &Stepping) {
        let free = ui.memory(|memory| memory.focused().is_none());
        if !cx.focused || !free || cx.state.pages.tasks.editing.is_some() {
            return;
        }
        let keys = [Key::ArrowLeft, Key::ArrowRight];
        let [previous, next] = ui.input_mut(|input| keys.map(|key| input.consume_key(Modifiers::NONE, key)));
        let place = self.place(stepping) as usize;
        if previous {
            self.go(stepping, place.saturating_sub(1));
        }
        if next {
            self.go(stepping, place + 1);
        }
    }

    fn list(&mut self, ui: &mut Ui, stepping: &Stepping) {
        let tokens = ui.tokens();
        let here = self.place(stepping);
        let count = stepping.steps.len() + usize::from(!stepping.live.is_empty());
        let mut scroll = ScrollArea::vertical().id_salt("step list").auto_shrink(false);
        if std::mem::take(&mut self.bring) {
            let top = here as f32 * ROW - ui.available_height() / 2.0;
            scroll = scroll.vertical_scroll_offset(top.max(0.0));
        }
        let rows = scroll.show_rows(ui, ROW, count, |ui, range| {
            let mut wanted = None;
            for index in range {
                let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
                let Some(step) = stepping.steps.get(index) else {
                    let at = rect.left() + tokens.space.l;
                    let words = tr("tasks.steps.live");
                    list::line(ui, at, rect.right(), rect.center().y, words, Type::Secondary, tokens.color.accent);
                    continue;
                };
                let (icon, tone, words) = line(step);
                let selected = here as usize == index;
                let spoken = tr_with("tasks.steps.spoken", &[("n", &(index + 1)), ("what", &words)]);
                response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, &spoken));
                let fill = match (selected, response.hovered()) {
                    (true, _) => tokens.color.selection,
                    (false, true) => tokens.color.bg3,
                    _ => Color32::TRANSPARENT,
                };
                ui.painter().rect_filled(rect, 0.0, fill);
                if response.has_focus() {
                    focus_ring(ui, rect.shrink(3.0));
                }
                let middle = rect.center().y;
                let ink = if tone == Tone::Neutral { tokens.color.text_2 } else { tone.ink(tokens) };
                let x = rect.left() + tokens.space.l;
                let font = Icon::font(14.0);
                ui.painter().text(pos2(x, middle), egui::Align2::LEFT_CENTER, icon.code(), font, ink);
                let time = duration(step.ms as f64 / 1000.0);
                let at = pos2(rect.right() - tokens.space.m, middle);
                let font = tokens.font(Type::Label);
                let left = ui.painter().text(at, egui::Align2::RIGHT_CENTER, time, font, tokens.color.text_3).left();
                list::line(ui, x + 22.0, left - tokens.space.s, middle, &words, Type::Secondary, tokens.color.text);
                if response.clicked() {
                    wanted = Some(index);
                }
            }
            wanted
        });
        if let Some(index) = rows.inner {
            self.go(stepping, index);
            self.bring = false;
        }
    }

    fn step(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, stepping: &Stepping, run: &Run, id: Id) {
        let tokens = ui.tokens();
        let place = self.place(stepping);
        if self.shown != Some((run.id, place)) {
            self.shown = Some((run.id, place));
            self.action = ActionView::default();
        }
        if let Some(step) = stepping.steps.get(place as usize) {
            let (icon, tone, words) = line(step);
            ui.horizontal(|ui| {
                let ink = if tone == Tone::Neutral { tokens.color.text_2 } else { tone.ink(tokens) };
                ui.label(icon.rich(tokens.size.icon).color(ink));
                let title = ui.add(egui::Label::new(tokens.rich(Type::Strong, &words)).truncate());
                crate::widgets::speak_as(ui, &title, Role::Heading, &words);
            });
            let when = format!("{} · {}", moment(step.at), duration(step.ms as f64 / 1000.0));
            ui.label(tokens.rich(Type::Label, when));
            ui.add_space(tokens.space.s);
            self.kind(ui, cx, step, id);
        }
        if self.at.is_none() && !stepping.live.is_empty() {
            ui.add_space(tokens.space.m);
            ui.label(tokens.rich(Type::Label, tr("tasks.steps.live")));
            self.live.show(ui, id.with("live"), tr("tasks.steps.live"), &stepping.live, Shown::Plain, PART);
        }
    }

    fn kind(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, step: &RunStep, id: Id) {
        let tokens = ui.tokens();
        match &step.kind {
            StepKind::Model { prompt, said, prompt_tokens, answer_tokens, ttft_ms, constrained } => {
                if !said.is_empty() {
                    ui.label(tokens.rich(Type::Label, tr("tasks.steps.said")));
                    self.said.show(ui, id.with("said"), tr("tasks.steps.said"), said, Shown::Plain, PART);
                    ui.add_space(tokens.space.xs);
                    let figures = tr_with(
                        "tasks.steps.figures",
                        &[
                            ("in", &number(u64::from(*prompt_tokens))),
                            ("out", &number(u64::from(*answer_tokens))),
                            ("first", &duration(ttft_ms / 1000.0)),
                        ],
                    );
                    ui.label(tokens.rich(Type::Label, figures));
                }
                if *constrained {
                    ui.label(tokens.rich(Type::Label, tr("tasks.steps.constrained")));
                }
                ui.add_space(tokens.space.s);
                let words = if self.with_prompt { "tasks.steps.hide_prompt" } else { "tasks.steps.show_prompt" };
                if ui.add(Button::new(tr(words)).quiet().small()).clicked() {
                    self.with_prompt = !self.with_prompt;
                }
                if self.with_prompt {
                    self.prompt.show(ui, id.with("prompt"), tr("tasks.steps.prompt"), prompt, Shown::Plain, PART);
                }
            }
            StepKind::Plan { text: words } | StepKind::Note { text: words } | StepKind::Answer { text: words } => {
                self.said.show(ui, id.with("words"), tr("tasks.steps.text"), words, Shown::Plain, 4_000.0);
            }
            StepKind::Tool { call, action, verdict, output, error } => {
                let (tone, words) = verdict_words(verdict);
                states::banner(ui, tone, Icon::ShieldCheck, &words);
                if let Verdict::Waits { approval } = verdict {
                    ui.add_space(tokens.space.xs);
                    if ui.add(Button::new(tr("approvals.show")).icon(Icon::HandPalm)).clicked() {
                        cx.commands.push(UiCommand::Approvals(ApprovalsCommand::Show(Some(*approval))));
                    }
                }
                ui.add_space(tokens.space.s);
                ui.label(tokens.rich(Type::Label, tr("tasks.steps.arguments")));
                let pretty = serde_json::to_string_pretty(&call.arguments).unwrap_or_default();
                self.arguments.show(ui, id.with("arguments"), tr("tasks.steps.arguments"), &pretty, Shown::Plain, PART);
                ui.add_space(tokens.space.s);
                ui.label(tokens.rich(Type::Label, tr("tasks.steps.action")));
                self.action.show(ui, id.with("action"), action, PART);
                ui.add_space(tokens.space.s);
                if let Some(error) = error {
                    states::banner(ui, Tone::Bad, Icon::WarningCircle, &words::short(&sentence(&error.message), 2_000));
                    text(ui, Type::Secondary, &error.advice);
                }
                let Some(output) = output else { return };
                ui.label(tokens.rich(Type::Label, tr("tasks.steps.result")));
                self.output.show(ui, id.with("output"), tr("tasks.steps.result"), &output.text, Shown::Plain, PART);
                if !output.changed.is_empty() {
                    text(ui, Type::Secondary, &output.changed);
                }
                if let Some(chart) = &output.chart {
                    plot::chart(ui, id.with("chart"), chart, 200.0);
                }
                if let Some(data) = &output.data {
                    ui.label(tokens.rich(Type::Label, tr("tasks.output.data")));
                    let pretty = serde_json::to_string_pretty(data).unwrap_or_default();
                    self.data.show(ui, id.with("data"), tr("tasks.output.data"), &pretty, Shown::Plain, PART);
                }
            }
        }
    }
}

/// What a call says of its reason: easier to read than the call.
fn thought(said: &str) -> Option<String> {
    if said.len() > LONGEST_CALL || !said.starts_with('{') {
        return None;
    }
    let call: serde_json::Value = serde_json::from_str(said).ok()?;
    let thought = call.get("thought")?.as_str()?.trim();
    (!thought.is_empty()).then(|| thought.to_owned())
}

/// A step in one line.
fn line(step: &RunStep) -> (Icon, Tone, String) {
    match &step.kind {
        StepKind::Model { said, answer_tokens, .. } => {
            let words = match (said.trim(), answer_tokens) {
                ("", 0) => tr("tasks.steps.asks").to_owned(),
                ("", tokens) => tr_count("tasks.steps.tokens", u64::from(*tokens)),
                (said, _) => words::short(&thought(said).unwrap_or_else(|| said.to_owned()), 100),
            };
            (Icon::Brain, Tone::Neutral, words)
        }
        StepKind::Plan { text } => (Icon::ListChecks, Tone::Neutral, words::short(text.trim(), 100)),
        StepKind::Tool { call, verdict, output, error, .. } => {
            let tone = match (verdict, error, output) {
                (Verdict::Waits { .. }, ..) => Tone::Warn,
                (Verdict::Denied { .. } | Verdict::Refused { .. }, ..) | (_, Some(_), _) => Tone::Bad,
                (_, None, Some(_)) => Tone::Ok,
                (_, None, None) => Tone::Accent,
            };
            (Icon::Wrench, tone, words::short(&call.tool, 80))
        }
        StepKind::Note { text } => (Icon::Info, Tone::Neutral, words::short(text.trim(), 100)),
        StepKind::Answer { text } => (Icon::CheckCircle, Tone::Ok, words::short(text.trim(), 100)),
    }
}

fn verdict_words(verdict: &Verdict) -> (Tone, String) {
    match verdict {
        Verdict::Allowed => (Tone::Neutral, tr("tasks.verdict.allowed").to_owned()),
        Verdict::Rule => (Tone::Neutral, tr("tasks.verdict.rule").to_owned()),
        Verdict::Person { allowed: true, .. } => (Tone::Ok, tr("tasks.verdict.person_yes").to_owned()),
        Verdict::Person { reason, .. } if reason.is_empty() => (Tone::Bad, tr("tasks.verdict.person_no").to_owned()),
        Verdict::Person { reason, .. } => {
            (Tone::Bad, tr_with("tasks.verdict.person_no_why", &[("why", &words::short(reason, 400))]))
        }
        Verdict::Denied { why } => (Tone::Bad, tr_with("tasks.verdict.denied", &[("why", &words::short(why, 400))])),
        Verdict::Refused { why } => (Tone::Bad, tr_with("tasks.verdict.refused", &[("why", &words::short(why, 400))])),
        Verdict::Waits { .. } => (Tone::Warn, tr("tasks.verdict.waits").to_owned()),
    }
}

fn outcome(run: &Run) -> (Tone, &'static str) {
    match &run.outcome {
        None => (Tone::Accent, tr("tasks.status.running")),
        Some(RunOutcome::Completed) => (Tone::Ok, tr("tasks.status.completed")),
        Some(RunOutcome::Failed { .. }) => (Tone::Bad, tr("tasks.status.failed")),
        Some(RunOutcome::Cancelled) => (Tone::Neutral, tr("tasks.status.cancelled")),
        Some(RunOutcome::CutOff) => (Tone::Warn, tr("tasks.steps.cut_off")),
    }
}
