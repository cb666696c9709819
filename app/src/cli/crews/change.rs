//! Changes of crews: names, whole files, single steps.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rspa_core::api::request::agents::ListAgents;
use rspa_core::api::request::crews::UpdateCrew;
use rspa_core::model::{Agent, AgentFilter, AgentId, CrewDraft, CrewProcess, CrewStep};
use serde::Deserialize;

use super::{named, show};
use crate::cli::agents::draft::text_of_file;
use crate::cli::failure::Failure;
use crate::cli::output::one_line;
use crate::cli::session::Session;

#[derive(Args)]
pub struct EditArguments {
    crew: String,
    /// Give it another name
    #[arg(long, value_name = "NEW NAME")]
    name_it: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// Steps, members and variables from a file of the form that `rspa crews export` writes; its agents must be here
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What a run must be given, in place of what it was; an empty one alone takes all away
    #[arg(long = "variable", value_name = "NAME")]
    variables: Vec<String>,
    /// The members of a crew with a manager, by name, in place of those it has
    #[arg(long = "member", value_name = "AGENT")]
    members: Vec<String>,
    /// Its manager, by name
    #[arg(long, value_name = "AGENT")]
    manager: Option<String>,
}

#[derive(Subcommand)]
pub enum StepVerb {
    /// Add a step
    Add {
        crew: String,
        key: String,
        #[command(flatten)]
        given: StepArguments,
    },
    /// Change a step; what is not named stays as it is
    Set {
        crew: String,
        key: String,
        #[command(flatten)]
        given: StepArguments,
    },
    /// Remove a step; those that depend on it no longer do
    Remove { crew: String, key: String },
}

#[derive(Args)]
pub struct StepArguments {
    #[arg(long)]
    title: Option<String>,
    /// What is to be done: a text, or @FILE
    #[arg(long)]
    instructions: Option<String>,
    /// Who does it, by name
    #[arg(long)]
    agent: Option<String>,
    /// A step whose output it gets; an empty one alone takes all away
    #[arg(long = "after", value_name = "KEY")]
    after: Vec<String>,
}

/// A crew as a file says it. What its agents are made of is not looked at here.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    description: String,
    #[serde(default)]
    process: CrewProcess,
    #[serde(default)]
    variables: Vec<String>,
    #[serde(default)]
    members: Vec<String>,
    manager: Option<String>,
    #[serde(default)]
    steps: Vec<WrittenStep>,
}

#[derive(Deserialize)]
struct WrittenStep {
    key: String,
    title: String,
    #[serde(default)]
    instructions: String,
    agent: Option<String>,
    #[serde(default)]
    depends_on: Vec<String>,
    at: Option<(f32, f32)>,
}

fn agents(session: &Session) -> Result<Vec<Agent>, Failure> {
    session.call(ListAgents { filter: AgentFilter::default() })
}

fn agent(agents: &[Agent], name: &str) -> Result<AgentId, Failure> {
    let wanted = name.trim().to_lowercase();
    let found =
        agents.iter().find(|agent| agent.settings.name.to_lowercase() == wanted || agent.id.to_string() == wanted);
    found.map(|agent| agent.id).ok_or_else(|| {
        let shown = one_line(name);
        Failure::validation(format!("there is no agent '{shown}'"), "rspa agents list shows all.")
    })
}

pub fn edit(session: &Session, wanted: EditArguments) -> Result<(), Failure> {
    let crew = named(session, &wanted.crew)?;
    let all = agents(session)?;
    let mut draft = crew.settings;
    if let Some(file) = &wanted.file {
        let text = text_of_file(file, "crew")?;
        let written: Written = toml::from_str(&text).map_err(|error| {
            Failure::validation(
                format!("this is no crew: {}", one_line(&error.to_string())),
                "Give a file that `rspa crews export` wrote, or one of its form.",
            )
        })?;
        draft = drafted(draft.name, written, &all)?;
    }
    if let Some(name) = wanted.name_it {
        draft.name = name;
    }
    if let Some(description) = wanted.description {
        draft.description = description;
    }
    if !wanted.variables.is_empty() {
        draft.variables = wanted.variables.into_iter().filter(|name| !name.is_empty()).collect();
    }
    if !wanted.members.is_empty() {
        draft.members = wanted.members.iter().map(|name| agent(&all, name)).collect::<Result<_, _>>()?;
    }
    if let Some(manager) = &wanted.manager {
        draft.manager = Some(agent(&all, manager)?);
    }
    show::crew(session, &session.call(UpdateCrew { id: crew.id, draft })?)
}

fn drafted(name: String, written: Written, all: &[Agent]) -> Result<CrewDraft, Failure> {
    let one = |name: Option<&String>| name.map(|name| agent(all, name)).transpose();
    let mut steps = Vec::new();
    for step in written.steps {
        steps.push(CrewStep {
            agent: one(step.agent.as_ref())?,
            key: step.key,
            title: step.title,
            instructions: step.instructions,
            depends_on: step.depends_on,
            at: step.at,
        });
    }
    Ok(CrewDraft {
        name,
        description: written.description,
        process: written.process,
        steps,
        members: written.members.iter().map(|name| agent(all, name)).collect::<Result<_, _>>()?,
        manager: one(written.manager.as_ref())?,
        variables: written.variables,
    })
}

fn no_step(key: &str) -> Failure {
    let shown = one_line(key);
    Failure::validation(format!("this crew has no step '{shown}'"), "rspa crews show names them.")
}

pub fn step(session: &Session, verb: StepVerb) -> Result<(), Failure> {
    let (StepVerb::Add { crew, .. } | StepVerb::Set { crew, .. } | StepVerb::Remove { crew, .. }) = &verb;
    let crew = named(session, crew)?;
    let mut draft = crew.settings;
    if draft.process == CrewProcess::Hierarchical {
        return Err(Failure::validation(
            "this crew has a manager, who makes its steps anew in each run",
            "Change its members with rspa crews edit --member.",
        ));
    }
    match verb {
        StepVerb::Add { key, given, .. } => {
            if draft.steps.iter().any(|step| step.key == key) {
                let shown = one_line(&key);
                return Err(Failure::validation(
                    format!("this crew has a step '{shown}' already"),
                    "rspa crews step set changes it.",
                ));
            }
            let mut step = CrewStep {
                title: key.clone(),
                key,
                instructions: String::new(),
                agent: None,
                depends_on: Vec::new(),
                at: None,
            };
            take_over(session, &mut step, given)?;
            draft.steps.push(step);
        }
        StepVerb::Set { key, given, .. } => {
            let step = draft.steps.iter_mut().find(|step| step.key == key).ok_or_else(|| no_step(&key))?;
            take_over(session, step, given)?;
        }
        StepVerb::Remove { key, .. } => {
            let place = draft.steps.iter().position(|step| step.key == key).ok_or_else(|| no_step(&key))?;
            draft.steps.remove(place);
            draft.steps.iter_mut().for_each(|step| step.depends_on.retain(|on| *on != key));
        }
    }
    show::crew(session, &session.call(UpdateCrew { id: crew.id, draft })?)
}

fn take_over(session: &Session, step: &mut CrewStep, given: StepArguments) -> Result<(), Failure> {
    if let Some(title) = given.title {
        step.title = title;
    }
    if let Some(text) = given.instructions {
        step.instructions = match text.strip_prefix('@') {
            Some(file) => text_of_file(Path::new(file), "instructions")?,
            None => text,
        };
    }
    if let Some(name) = &given.agent {
        step.agent = Some(agent(&agents(session)?, name)?);
    }
    if !given.after.is_empty() {
        step.depends_on = given.after.into_iter().filter(|key| !key.is_empty()).collect();
    }
    Ok(())
}
