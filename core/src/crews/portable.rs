//! Crews as files: TOML with the crew, its steps, and what its agents are made of; without folders, models' secrets and runs.

use serde::{Deserialize, Serialize};

use crate::agents::definition::Definition;
use crate::agents::portable;
use crate::api::{ApiError, ErrorCategory};
use crate::model::{Agent, AgentDraft, AgentId, AgentType, CrewDraft, CrewProcess, CrewStep};

const HEAD: &str = "# A crew of RS Personal Agent. `rspa crews import FILE` makes it again; what its agents would be allowed is asked.\n";
/// Of a file, in bytes.
const LARGEST: usize = 2 << 20;
const MOST_AGENTS: usize = 60;

/// A crew as a file says it; agents are named.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    process: CrewProcess,
    #[serde(default)]
    variables: Vec<String>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manager: Option<String>,
    #[serde(default)]
    steps: Vec<CarriedStep>,
    #[serde(default)]
    agents: Vec<Definition>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CarriedStep {
    key: String,
    title: String,
    #[serde(default)]
    instructions: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(default)]
    depends_on: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<(f32, f32)>,
}

/// The text of a file that [`read`] reads.
///
/// # Errors
/// Something has no form in TOML.
pub fn text_of(draft: &CrewDraft, agents: &[Agent]) -> Result<String, ApiError> {
    let of = |id: &AgentId| agents.iter().find(|agent| agent.id == *id);
    let name = |id: &AgentId| of(id).map(|agent| agent.settings.name.clone());
    let used = draft.steps.iter().filter_map(|step| step.agent).chain(draft.members.iter().copied());
    let mut own: Vec<AgentId> = Vec::new();
    for id in used.chain(draft.manager) {
        if !own.contains(&id) {
            own.push(id);
        }
    }
    let definition = |agent: &Agent| {
        let mut definition = Definition::of(&agent.settings);
        for word in definition.tools.values_mut() {
            // TOML has no null: nothing is said instead.
            word.0.settings.retain(|_, value| !value.is_null());
        }
        definition
    };
    let carried = Carried {
        name: draft.name.clone(),
        description: draft.description.clone(),
        process: draft.process,
        variables: draft.variables.clone(),
        members: draft.members.iter().filter_map(name).collect(),
        manager: draft.manager.as_ref().and_then(name),
        steps: draft
            .steps
            .iter()
            .map(|step| CarriedStep {
                key: step.key.clone(),
                title: step.title.clone(),
                instructions: step.instructions.clone(),
                agent: step.agent.as_ref().and_then(name),
                depends_on: step.depends_on.clone(),
                at: step.at,
            })
            .collect(),
        agents: own.iter().filter_map(of).map(definition).collect(),
    };
    let text = toml::to_string_pretty(&carried).map_err(|error| {
        ApiError::new(
            ErrorCategory::Processing,
            format!("{} cannot be written as TOML: {error}", draft.name),
            "Look at the settings of its agents' tools.",
        )
    })?;
    Ok(format!("{HEAD}{text}"))
}

/// # Errors
/// The text is no crew; with line and column.
pub fn read(text: &str) -> Result<Carried, ApiError> {
    const ADVICE: &str = "Give a file that `rspa crews export` wrote, or one of its form.";
    if text.len() > LARGEST {
        return Err(ApiError::validation(format!("the file has more than {} MB", LARGEST >> 20), ADVICE));
    }
    let carried: Carried = toml::from_str(text)
        .map_err(|error| ApiError::validation(format!("this is no crew: {}", error.to_string().trim_end()), ADVICE))?;
    if carried.agents.len() > MOST_AGENTS {
        return Err(ApiError::validation(format!("it describes more than {MOST_AGENTS} agents"), ADVICE));
    }
    Ok(carried)
}

impl Carried {
    fn describes(&self, name: &str) -> bool {
        let wanted = name.trim().to_lowercase();
        self.agents.iter().any(|agent| agent.name.trim().to_lowercase() == wanted)
    }

    /// Whether all of it can be made.
    ///
    /// # Errors
    /// It names an agent that it does not describe and that is not here; its graph cannot be.
    pub fn check(&self, is_here: impl Fn(&str) -> bool) -> Result<(), ApiError> {
        let named = self.steps.iter().filter_map(|step| step.agent.as_ref()).chain(&self.members).chain(&self.manager);
        for name in named {
            if !is_here(name) && !self.describes(name) {
                let shown: String = name.chars().take(80).collect();
                return Err(ApiError::validation(
                    format!("it names the agent {shown:?}, which is not here and which it does not describe"),
                    "Make that agent first, or add it to the file.",
                ));
            }
        }
        let nobody = AgentId(uuid::Uuid::nil());
        let mut number = 0;
        let draft = self.draft(|_| {
            number += 1;
            Some(AgentId(uuid::Uuid::from_u128(nobody.0.as_u128() + number)))
        })?;
        super::graph::checked(draft).map(drop)
    }

    /// Its agents, with nothing allowed that is not asked.
    ///
    /// # Errors
    /// One of them is no agent.
    pub fn agents(&self, find: impl Fn(&str) -> Option<AgentType>) -> Result<Vec<AgentDraft>, ApiError> {
        let draft = |definition: &Definition| {
            let text = toml::to_string(definition)
                .map_err(|error| ApiError::validation(format!("{}: {error}", definition.name), "Look at the file."))?;
            portable::draft_of(&text, &find)
        };
        self.agents.iter().map(draft).collect()
    }

    /// The crew, with the agents that `find` knows by name.
    pub fn draft(&self, mut find: impl FnMut(&str) -> Option<AgentId>) -> Result<CrewDraft, ApiError> {
        let steps = self.steps.iter().map(|step| CrewStep {
            key: step.key.clone(),
            title: step.title.clone(),
            instructions: step.instructions.clone(),
            agent: step.agent.as_deref().and_then(&mut find),
            depends_on: step.depends_on.clone(),
            at: step.at,
        });
        let steps = steps.collect();
        let members = self.members.iter().filter_map(|name| find(name)).collect();
        Ok(CrewDraft {
            name: self.name.clone(),
            description: self.description.clone(),
            process: self.process,
            steps,
            members,
            manager: self.manager.as_deref().and_then(find),
            variables: self.variables.clone(),
        })
    }
}
