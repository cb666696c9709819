//! The chosen schedule: what it means, its next times, what became of it, and what can be done with it.

use egui::{Label, ScrollArea, Ui, vec2};
use rspa_core::model::{Missed, Schedule, ScheduleOutcome, ScheduleRun, Timing};

use super::rows::{icon, next};
use super::{form, push};
use crate::commands::UiCommand;
use crate::commands::pages::schedules::SchedulesCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{moment, sentence, since, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{
    Button, Chip, IconButton, Tone, TwoLineRow, column_header, fact, hairline, section_title, speak_as, states,
};

/// True when it is to be edited.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, one: &Schedule) -> bool {
    let tokens = ui.tokens();
    let mut edit = false;
    column_header(ui, tr("schedules.detail"), |ui| {
        if ui.add(IconButton::new(Icon::X, tr("schedules.close"))).clicked() {
            push(cx, SchedulesCommand::Choose(None));
        }
        if ui.add(IconButton::new(Icon::Trash, tr("schedules.delete"))).clicked() {
            push(cx, SchedulesCommand::Delete(one.id));
        }
        if ui.add(IconButton::new(Icon::PencilSimple, tr("schedules.edit"))).clicked() {
            edit = true;
        }
    });
    ScrollArea::vertical().id_salt("schedule").auto_shrink(false).show(ui, |ui| {
        padded(ui, tokens.space.l, tokens.space.l, |ui| {
            let name = ui.add(Label::new(tokens.rich(Type::Heading, &one.settings.name)).wrap());
            speak_as(ui, &name, egui::Role::Heading, &one.settings.name);
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(tokens.space.xs, tokens.space.xs);
                ui.label(icon(&one.settings.timing).rich(tokens.size.icon).color(tokens.color.text_2));
                ui.add(Label::new(tokens.rich(Type::Body, &one.words)).wrap());
            });
            if let Some(kind) = &one.background {
                ui.add(Chip::new(tr_with("schedules.of_background", &[("kind", kind)])).tone(Tone::Accent));
            }
            if let Some(problem) = &one.problem {
                ui.add_space(tokens.space.xs);
                states::banner(ui, Tone::Warn, Icon::Warning, &sentence(problem));
            }
            ui.add_space(tokens.space.s);
            if ui.add(Button::new(tr("schedules.run_now")).icon(Icon::Play)).clicked() {
                push(cx, SchedulesCommand::RunNow(one.id));
            }
            ui.add_space(tokens.space.m);
            facts(ui, cx, one);
            let when = matches!(one.settings.timing, Timing::When { .. });
            if one.settings.enabled && !when {
                ui.add_space(tokens.space.m);
                section_title(ui, tr("schedules.next_times"));
                form::preview(ui, cx, &one.settings.timing);
            }
            ui.add_space(tokens.space.m);
            section_title(ui, tr("schedules.history"));
        });
        history(ui, cx);
    });
    edit
}

fn facts(ui: &mut Ui, cx: &mut Cx<'_>, one: &Schedule) {
    let tokens = ui.tokens();
    let text = |ui: &mut Ui, words: &str| {
        ui.add(Label::new(tokens.rich(Type::Body, words)).wrap());
    };
    let template = &one.settings.template;
    fact(ui, tr("schedules.task"), |ui| text(ui, &template.title));
    fact(ui, tr("schedules.agent"), |ui| match template.agent.filter(|_| !one.agent_name.is_empty()) {
        Some(agent) => {
            let link = ui.link(tokens.rich(Type::Body, &one.agent_name));
            if link.clicked() {
                cx.commands.push(UiCommand::OpenAgent(agent));
            }
        }
        None => text(ui, tr("schedules.yours")),
    });
    fact(ui, tr("schedules.next"), |ui| text(ui, &next(one, cx)));
    if let Some(last) = one.last_run {
        let words = tr_with("schedules.last_words", &[("when", &since(last, cx.state.now)), ("runs", &one.runs)]);
        fact(ui, tr("schedules.last"), |ui| text(ui, &words));
    }
    if !matches!(one.settings.timing, Timing::When { .. }) {
        fact(ui, tr("schedules.missed"), |ui| text(ui, missed_words(one.settings.missed)));
    }
    for (name, value) in &one.settings.variables {
        fact(ui, &format!("{{{name}}}"), |ui| text(ui, value));
    }
}

pub fn missed_words(missed: Missed) -> &'static str {
    match missed {
        Missed::Skip => tr("schedules.missed_skip"),
        Missed::RunOnce => tr("schedules.missed_once"),
        Missed::RunAll => tr("schedules.missed_all"),
    }
}

fn history(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let slot = &cx.state.pages.schedules.runs;
    let Some(runs) = slot.get() else {
        padded(ui, tokens.space.l, 0.0, |ui| {
            let words = slot.error().map_or(tr("schedules.loading"), |error| error.message.as_str());
            ui.label(tokens.rich(Type::Secondary, words));
        });
        return;
    };
    if runs.items.is_empty() {
        padded(ui, tokens.space.l, 0.0, |ui| {
            ui.label(tokens.rich(Type::Secondary, tr("schedules.no_runs")));
        });
        return;
    }
    hairline(ui);
    for (index, run) in runs.items.iter().enumerate() {
        ui.push_id(index, |ui| history_row(ui, cx, run));
    }
    if runs.total > runs.items.len() as u64 {
        let words = tr_count("schedules.older", runs.total - runs.items.len() as u64);
        padded(ui, tokens.space.l, tokens.space.s, |ui| ui.label(tokens.rich(Type::Secondary, words)));
    }
}

fn history_row(ui: &mut Ui, cx: &mut Cx<'_>, run: &ScheduleRun) {
    let tokens = ui.tokens();
    let (icon, words, ink, task) = match &run.outcome {
        ScheduleOutcome::Ran { task, late } => {
            let words = if *late { tr("schedules.ran_late") } else { tr("schedules.made_task") };
            (Icon::CheckCircle, words.to_owned(), tokens.color.text_2, Some(*task))
        }
        ScheduleOutcome::Missed { times } => {
            (Icon::ClockCountdown, tr_count("schedules.missed_times", *times), tokens.color.warn, None)
        }
        ScheduleOutcome::Failed { why } => (Icon::Warning, sentence(why).into_owned(), tokens.color.bad, None),
    };
    let open = if task.is_some() { tr("schedules.open_task") } else { "" };
    let row = TwoLineRow::new(moment(run.planned), words).icon(icon).detail_color(ink).right(open);
    if ui.add(row).clicked()
        && let Some(task) = task
    {
        cx.commands.push(UiCommand::OpenTask(task));
    }
}
