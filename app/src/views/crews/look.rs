//! How crews, steps and runs look and are called.

use egui::{Id, ScrollArea, Stroke, TextEdit, Ui};
use rspa_core::model::{
    Agent, AgentId, CrewProcess, CrewRun, CrewRunState, CrewRunStep, StepState, Timestamp, one_line,
};

use crate::design::{Icon, Type, UiExt};
use crate::state::pages::crews::{CrewsState, Doing};
use crate::text::{duration, tr, tr_count, tr_with};
use crate::widgets::Tone;
use crate::widgets::avatar::avatar;

/// Text of others on one line, bounded.
pub fn short(text: &str, letters: usize) -> String {
    let end = text.char_indices().nth(letters).map_or(text.len(), |(end, _)| end);
    let mut shown = one_line(&text[..end]).into_owned();
    if end < text.len() {
        shown.push('…');
    }
    shown
}

pub fn process(process: CrewProcess) -> &'static str {
    match process {
        CrewProcess::Sequential => tr("crews.process.sequential"),
        CrewProcess::Hierarchical => tr("crews.process.hierarchical"),
    }
}

pub fn step(state: StepState) -> (Icon, Tone, &'static str) {
    match state {
        StepState::Waiting => (Icon::CircleDashed, Tone::Neutral, tr("crews.state.waiting")),
        StepState::Running => (Icon::PlayCircle, Tone::Accent, tr("crews.state.running")),
        StepState::NeedsYou => (Icon::HandPalm, Tone::Warn, tr("crews.state.needs_you")),
        StepState::Completed => (Icon::CheckCircle, Tone::Ok, tr("crews.state.completed")),
        StepState::Failed => (Icon::XCircle, Tone::Bad, tr("crews.state.failed")),
        StepState::Cancelled => (Icon::Prohibit, Tone::Neutral, tr("crews.state.cancelled")),
        StepState::Recorded => (Icon::Record, Tone::Neutral, tr("crews.state.recorded")),
        StepState::Edited => (Icon::PencilSimple, Tone::Accent, tr("crews.state.edited")),
    }
}

/// The state of a run: a step that waits for the person is what matters most.
pub fn run(state: CrewRunState, needs_you: bool) -> (Icon, Tone, &'static str) {
    match state {
        CrewRunState::Running if needs_you => (Icon::HandPalm, Tone::Warn, tr("crews.state.needs_you")),
        CrewRunState::Running => (Icon::PlayCircle, Tone::Accent, tr("crews.state.running")),
        CrewRunState::Completed => (Icon::CheckCircle, Tone::Ok, tr("crews.state.completed")),
        CrewRunState::Failed => (Icon::XCircle, Tone::Bad, tr("crews.state.failed")),
        CrewRunState::Cancelled => (Icon::Prohibit, Tone::Neutral, tr("crews.state.cancelled")),
    }
}

pub fn needs_you(run: &CrewRun) -> bool {
    run.steps.iter().any(|step| step.state == StepState::NeedsYou)
}

/// "3 of 4 steps"
pub fn progress(run: &CrewRun) -> String {
    let done = run.steps.iter().filter(|step| step.state.is_done()).count();
    tr_with("crews.run.progress", &[("done", &done), ("steps", &tr_count("crews.steps", run.steps.len() as u64))])
}

/// How long it took, or goes on for already; none before it began.
pub fn took(started: Option<Timestamp>, ended: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let started = started?;
    let ms = ended.unwrap_or(now).0.saturating_sub(started.0).max(0);
    Some(match (ended, ms) {
        // What goes on counts whole seconds.
        (None, ms) => duration((ms / 1000) as f64),
        (Some(_), ms) => duration(ms as f64 / 1000.0),
    })
}

pub fn agent(page: &CrewsState, id: Option<AgentId>) -> Option<&Agent> {
    page.agent(id?)
}

/// Name and picture of the agent of a step; words where it has none.
pub fn agent_words(page: &CrewsState, id: Option<AgentId>) -> (Icon, String) {
    match (id, agent(page, id)) {
        (None, _) => (Icon::UserCircle, tr("crews.no_agent").to_owned()),
        (Some(_), Some(agent)) => (avatar(&agent.settings.avatar), short(&agent.settings.name, 60)),
        (Some(_), None) if page.agents.get().is_some() => (Icon::UserCircle, tr("crews.agent_gone").to_owned()),
        (Some(_), None) => (Icon::Robot, String::new()),
    }
}

/// The line below the title of a step in a run.
pub fn step_detail(step: &CrewRunStep, doing: Option<&Doing>) -> String {
    match (step.state, doing) {
        (StepState::Running, Some(doing)) if !doing.words.is_empty() => short(&doing.words, 60),
        (StepState::Failed, _) => step.error.as_ref().map_or_else(String::new, |error| short(&error.message, 60)),
        (StepState::NeedsYou, _) => tr("crews.state.needs_you").to_owned(),
        (StepState::Completed | StepState::Edited, _) => {
            let first =
                step.output.as_ref().and_then(|output| output.text.lines().find(|line| !line.trim().is_empty()));
            first.map_or_else(
                || short(&step.agent_name, 60),
                |line| short(line.trim_start_matches(['#', '*', '-', ' ']), 60),
            )
        }
        _ => short(&step.agent_name, 60),
    }
}

/// A field of several lines.
pub fn text_area(ui: &mut Ui, id: Id, name: &str, text: &mut String, rows: usize, most: f32) -> egui::Response {
    let tokens = ui.tokens();
    let focused = ui.memory(|memory| memory.has_focus(id));
    let line = if focused { tokens.color.accent } else { tokens.color.line };
    let frame = egui::Frame::new()
        .fill(tokens.color.bg0)
        .stroke(Stroke::new(1.0, line))
        .corner_radius(tokens.radius.control)
        .inner_margin(tokens.space.s as i8);
    let response = ScrollArea::vertical().id_salt(id).max_height(most).auto_shrink([false, true]).show(ui, |ui| {
        let edit = TextEdit::multiline(text)
            .id(id)
            .font(tokens.font(Type::Body))
            .frame(frame)
            .desired_rows(rows)
            .desired_width(ui.available_width());
        ui.add(edit).accessible_name(name)
    });
    response.inner
}

/// The name above a field.
pub fn label(ui: &mut Ui, words: &str) {
    let tokens = ui.tokens();
    ui.add_space(tokens.space.xs);
    ui.label(tokens.rich(Type::Secondary, words));
}

/// Letters that are kept while they are typed.
pub fn bound(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
    }
}
