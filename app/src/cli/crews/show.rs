//! Crews and their runs in words, for the terminal.

use rspa_core::api::request::agents::ListAgents;
use rspa_core::crews::graph;
use rspa_core::model::{
    AgentFilter, AgentId, Crew, CrewProcess, CrewRun, CrewRunState, CrewTemplate, StepState, Timestamp,
};

use crate::cli::activities::moment;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line, path_text};
use crate::cli::session::Session;

pub fn line(output: Output, crew: &Crew) -> Result<(), Failure> {
    let what = match crew.settings.process {
        CrewProcess::Sequential => format!("{} steps", crew.settings.steps.len()),
        CrewProcess::Hierarchical => format!("{} members and a manager", crew.settings.members.len()),
    };
    let last = crew.last_run.map_or_else(String::new, |at| format!("  last {}", moment(at)));
    output.line(&format!("{}  {what}  {} runs{last}", one_line(&crew.settings.name), crew.runs))
}

pub fn templates(output: Output, all: &[CrewTemplate]) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&all);
    }
    for template in all {
        output.line(&format!("{}  {}: {}", template.id, one_line(&template.name), one_line(&template.description)))?;
        let steps: Vec<(&str, &[String])> =
            template.steps.iter().map(|step| (step.key.as_str(), step.depends_on.as_slice())).collect();
        layered(output, &steps, &|place| {
            let step = &template.steps[place];
            format!("{}  [{}]", one_line(&step.title), one_line(&step.role))
        })?;
    }
    Ok(())
}

/// Steps with those of each layer under each other, further in than the layer before.
fn layered(output: Output, steps: &[(&str, &[String])], words: &dyn Fn(usize) -> String) -> Result<(), Failure> {
    let layers = graph::layers(steps);
    let deepest = layers.iter().max().copied().unwrap_or(0);
    for layer in 0..=deepest {
        let places = (0..steps.len()).filter(|place| layers[*place] == layer);
        for place in places {
            let (key, on) = steps[place];
            let from = if on.is_empty() { String::new() } else { format!("  ← {}", one_line(&on.join(", "))) };
            output.line(&format!("  {}{}  {}{from}", "  ".repeat(layer), one_line(key), words(place)))?;
        }
    }
    Ok(())
}

/// All of a crew, with its graph.
pub fn crew(session: &Session, crew: &Crew) -> Result<(), Failure> {
    let output = session.output;
    if output.json {
        return output.json_line(crew);
    }
    let agents = session.call(ListAgents { filter: AgentFilter::default() })?;
    let name = |id: Option<AgentId>| {
        let found = agents.iter().find(|agent| Some(agent.id) == id);
        found.map_or_else(|| "nobody".to_owned(), |agent| one_line(&agent.settings.name))
    };
    let settings = &crew.settings;
    line(output, crew)?;
    if !settings.description.is_empty() {
        output.line(&format!("  {}", one_line(&settings.description)))?;
    }
    if !settings.variables.is_empty() {
        output.line(&format!("  takes: {}", one_line(&settings.variables.join(", "))))?;
    }
    match settings.process {
        CrewProcess::Sequential => layered(output, &graph::edges(&settings.steps), &|place| {
            let step = &settings.steps[place];
            format!("{}  [{}]", one_line(&step.title), name(step.agent))
        })?,
        CrewProcess::Hierarchical => {
            output.line(&format!("  manager: {}", name(settings.manager)))?;
            for member in &settings.members {
                output.line(&format!("    {}", name(Some(*member))))?;
            }
        }
    }
    output.line(&format!("  id: {}", crew.id))
}

fn state(state: CrewRunState) -> &'static str {
    match state {
        CrewRunState::Running => "running",
        CrewRunState::Completed => "completed",
        CrewRunState::Failed => "failed",
        CrewRunState::Cancelled => "cancelled",
    }
}

pub fn step_state(state: StepState) -> &'static str {
    match state {
        StepState::Waiting => "waiting",
        StepState::Running => "running",
        StepState::NeedsYou => "needs you",
        StepState::Completed => "completed",
        StepState::Failed => "failed",
        StepState::Cancelled => "cancelled",
        StepState::Recorded => "taken over",
        StepState::Edited => "edited",
    }
}

pub fn seconds(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    match (from, to) {
        #[expect(clippy::cast_precision_loss, reason = "a duration in milliseconds")]
        (Some(from), Some(to)) => format!("  {:.1} s", (to.0 - from.0).max(0) as f64 / 1_000.0),
        _ => String::new(),
    }
}

pub fn run_line(output: Output, run: &CrewRun) -> Result<(), Failure> {
    let done = run.steps.iter().filter(|step| step.state.is_done()).count();
    let replay = if run.replay_of.is_some() { "  replay" } else { "" };
    output.line(&format!(
        "#{:<4} {:<9}  {}  {done} of {} steps{}{replay}  {}",
        run.number,
        state(run.state),
        one_line(&run.crew_name),
        run.steps.len(),
        seconds(Some(run.created), run.ended),
        moment(run.created),
    ))
}

/// How a run stands, step by step.
pub fn run(output: Output, run: &CrewRun) -> Result<(), Failure> {
    if output.json {
        return output.json_line(run);
    }
    run_line(output, run)?;
    if !run.input.trim().is_empty() {
        output.line(&format!("  input: {}", one_line(&run.input)))?;
    }
    if let Some(folder) = &run.folder {
        output.line(&format!("  folder: {}", path_text(folder)))?;
    }
    if run.offline {
        output.line("  offline")?;
    }
    let steps: Vec<(&str, &[String])> =
        run.steps.iter().map(|step| (step.key.as_str(), step.depends_on.as_slice())).collect();
    layered(output, &steps, &|place| {
        let step = &run.steps[place];
        let why = step.error.as_ref().map_or_else(String::new, |error| format!("  ({})", one_line(&error.message)));
        let time = seconds(step.started, step.ended);
        let agent = one_line(&step.agent_name);
        format!("{}  {}  [{agent}]{time}{why}", step_state(step.state), one_line(&step.title))
    })?;
    match &run.error {
        Some(error) => output.line(&format!("  {}  {}", one_line(&error.message), one_line(&error.advice))),
        None => Ok(()),
    }
}

/// What a run or a step gave.
pub fn output(output: Output, run: &CrewRun, step: Option<&str>) -> Result<(), Failure> {
    let text = match step {
        Some(key) => {
            let found = run.steps.iter().find(|step| step.key == key).ok_or_else(|| {
                let all: Vec<&str> = run.steps.iter().map(|step| step.key.as_str()).collect();
                let shown = one_line(key);
                Failure::validation(
                    format!("this run has no step '{shown}'"),
                    format!("Its steps are: {}.", all.join(", ")),
                )
            })?;
            if let (true, Some(given)) = (output.json, &found.output) {
                return output.json_line(given);
            }
            found.output.as_ref().map(|output| output.text.clone())
        }
        None => run.output.clone(),
    };
    match text {
        Some(text) if output.json => output.json_line(&text),
        Some(text) => output.line(text.trim_end()),
        None => Err(Failure::validation(
            "there is no output yet",
            "`rspa crews status` shows how the run stands; --step names a step that is completed.",
        )),
    }
}
