//! Crews made, changed, copied, carried and put away.

use std::path::Path;

use super::Crews;
use crate::agents::portable::free_name;
use crate::agents::validate::LONGEST_NAME;
use crate::api::request::crews::CreateCrewFromTemplate;
use crate::api::{ApiError, Event};
use crate::crews::{graph, portable, templates};
use crate::model::{
    Agent, AgentDraft, AgentId, AgentMemory, AllowedFolder, Budget, Crew, CrewDraft, CrewId, CrewProcess, CrewStep,
    ModelId, TemplateStep, ToolRule, TrashItem,
};
use crate::storage::crews as stored;
use crate::storage::trash::{self, Deletion};
use crate::tools;

/// Of agents that are made for a crew: a step is a small thing.
const STEPS: u32 = 8;
const MOST_TOKENS: u32 = 768;
const MANAGER: &str = "Manager";
const MANAGER_PROMPT: &str = include_str!("../../../../assets/crews/manager.md");

impl Crews {
    /// By name. Agents that were deleted are named no more.
    ///
    /// # Errors
    /// What the store says.
    pub fn list(&self) -> Result<Vec<Crew>, ApiError> {
        let mut crews = stored::list(&self.parts.main, self.parts.profile)?;
        let agents = self.parts.agents.all()?;
        crews.iter_mut().for_each(|crew| forget_deleted(&mut crew.settings, &agents));
        Ok(crews)
    }

    /// # Errors
    /// Not found.
    pub fn get(&self, id: CrewId) -> Result<Crew, ApiError> {
        let mut crew = stored::get(&self.parts.main, self.parts.profile, id)?;
        forget_deleted(&mut crew.settings, &self.parts.agents.all()?);
        Ok(crew)
    }

    /// The draft as it can be stored; a manager is made where one is needed.
    fn checked(&self, draft: CrewDraft) -> Result<CrewDraft, ApiError> {
        let mut draft = graph::checked(draft)?;
        let agents = self.parts.agents.all()?;
        let is_there = |id: &AgentId| agents.iter().any(|agent| agent.id == *id);
        if let Some(step) = draft.steps.iter().find(|step| step.agent.as_ref().is_some_and(|id| !is_there(id))) {
            return Err(gone(&step.key));
        }
        if draft.members.iter().any(|id| !is_there(id)) {
            return Err(gone("members"));
        }
        if draft.manager.as_ref().is_some_and(|id| !is_there(id)) {
            return Err(gone("manager"));
        }
        if draft.process == CrewProcess::Hierarchical && draft.manager.is_none() {
            let first = agents.iter().find(|agent| draft.members.first() == Some(&agent.id));
            let model = first.and_then(|agent| agent.settings.model.clone());
            draft.manager = Some(self.make_manager(&draft.name, model, &agents)?);
        }
        Ok(draft)
    }

    pub(super) fn make_manager(
        &self,
        crew: &str,
        model: Option<ModelId>,
        agents: &[Agent],
    ) -> Result<AgentId, ApiError> {
        let step = TemplateStep {
            key: String::new(),
            title: String::new(),
            instructions: String::new(),
            depends_on: Vec::new(),
            role: MANAGER.to_owned(),
            agent_type: "conversational".to_owned(),
            system_prompt: MANAGER_PROMPT.trim().to_owned(),
            tools: Vec::new(),
        };
        let mut names = names_of(agents);
        self.make_agent(crew, &step, None, model, &mut names)
    }

    /// Makes the agent of a role; its name joins those that are taken.
    fn make_agent(
        &self,
        crew: &str,
        step: &TemplateStep,
        folder: Option<&Path>,
        model: Option<ModelId>,
        names: &mut Vec<String>,
    ) -> Result<AgentId, ApiError> {
        let kind = self.parts.agents.kind(&step.agent_type).ok_or_else(|| {
            ApiError::validation(
                format!("there is no agent type \"{}\"", step.agent_type),
                "Bring its folder back, or restart rspa.",
            )
        })?;
        let role: String = step.role.chars().take(LONGEST_NAME / 3).collect();
        let crew: String = crew.chars().take(LONGEST_NAME - role.chars().count() - 10).collect();
        let name = free_name(&format!("{} · {role}", crew.trim()), |name| names.contains(&name.to_lowercase()));
        let tool = |name: &String| {
            let permission = tools::find(name)?.spec().default;
            Some((name.clone(), ToolRule { permission, settings: std::collections::BTreeMap::new() }))
        };
        let draft = AgentDraft {
            name: name.clone(),
            description: format!("{} in the crew {crew}", step.role),
            model,
            max_tokens: MOST_TOKENS,
            system_prompt: step.system_prompt.clone(),
            tools: step.tools.iter().filter_map(tool).collect(),
            folders: folder.map(|path| AllowedFolder { path: path.to_owned(), write: false }).into_iter().collect(),
            budget: Budget { steps: STEPS, ..kind.defaults.budget },
            // A run is to depend on what it is given alone.
            memory: AgentMemory { store: false, last_tasks: 0 },
            ..kind.defaults
        };
        let made = self.parts.agents.make(draft)?;
        names.push(name.to_lowercase());
        Ok(made.id)
    }

    /// # Errors
    /// It cannot be so, its name is taken.
    pub fn create(&self, draft: CrewDraft) -> Result<Crew, ApiError> {
        self.name_is_free(&draft.name)?;
        let draft = self.checked(draft)?;
        self.add(draft, "was made")
    }

    fn add(&self, draft: CrewDraft, what: &str) -> Result<Crew, ApiError> {
        let id = CrewId(self.parts.ids.next());
        stored::create(&self.parts.main, self.parts.profile, id, draft, self.now())?;
        let crew = self.get(id)?;
        self.tell_crew(&crew, "crew.created", what);
        Ok(crew)
    }

    /// Before agents are made that nobody would need.
    fn name_is_free(&self, name: &str) -> Result<(), ApiError> {
        let wanted = name.trim().to_lowercase();
        if self.names()?.contains(&wanted) {
            return Err(ApiError::validation(
                format!("name: there is already a crew named \"{}\"", name.trim()),
                "Give it another name.",
            ));
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, ApiError> {
        let all = stored::list(&self.parts.main, self.parts.profile)?;
        Ok(all.into_iter().map(|crew| crew.settings.name.to_lowercase()).collect())
    }

    fn free_name(&self, name: &str) -> Result<String, ApiError> {
        let names = self.names()?;
        let cut: String = name.trim().chars().take(50).collect();
        Ok(free_name(&cut, |name| names.contains(&name.to_lowercase())))
    }

    /// # Errors
    /// It cannot be so, its name is taken; not found.
    pub fn update(&self, id: CrewId, draft: CrewDraft) -> Result<Crew, ApiError> {
        let before = self.get(id)?;
        let draft = self.checked(draft)?;
        if draft == before.settings {
            return Ok(before);
        }
        stored::update(&self.parts.main, self.parts.profile, id, draft, self.now())?;
        let crew = self.get(id)?;
        self.tell_crew(&crew, "crew.changed", "was changed");
        Ok(crew)
    }

    /// # Errors
    /// Not found.
    pub fn duplicate(&self, id: CrewId) -> Result<Crew, ApiError> {
        let mut draft = self.get(id)?.settings;
        draft.name = self.free_name(&format!("{} copy", draft.name))?;
        self.add(draft, "was made as a copy")
    }

    /// # Errors
    /// Not found.
    pub fn delete(&self, id: CrewId, deletion: Deletion) -> Result<TrashItem, ApiError> {
        let crew = self.get(id)?;
        let item = trash::crew(&self.parts.main, self.parts.profile, id, deletion)?;
        self.tell_crew(&crew, "crew.deleted", "was deleted");
        (self.parts.publish)(Event::TrashChanged);
        Ok(item)
    }

    /// Makes the crew and an agent for each of its roles.
    ///
    /// # Errors
    /// There is no such template; its name is taken, the folder cannot be given.
    pub fn from_template(&self, wanted: CreateCrewFromTemplate) -> Result<Crew, ApiError> {
        let template = templates::find(&wanted.template).ok_or_else(|| {
            let all: Vec<&str> = templates::all().iter().map(|template| template.id.as_str()).collect();
            let shown: String = wanted.template.chars().take(60).collect();
            ApiError::validation(format!("there is no template {shown:?}"), format!("There are: {}.", all.join(", ")))
        })?;
        let name = match &wanted.name {
            Some(name) => {
                self.name_is_free(name)?;
                name.trim().to_owned()
            }
            None => self.free_name(&template.name)?,
        };
        if let Some(folder) = &wanted.folder {
            self.parts.agents.check_folder(folder)?;
        }
        let process = wanted.process.unwrap_or(template.process);
        let mut draft = CrewDraft {
            name,
            description: template.description.clone(),
            process,
            variables: template.variables.clone(),
            ..CrewDraft::default()
        };
        // Whether it can be at all is known before its agents are made.
        graph::checked(CrewDraft { process: CrewProcess::Sequential, steps: steps_of(template), ..draft.clone() })?;
        let mut names = names_of(&self.parts.agents.all()?);
        for (step, template) in steps_of(template).into_iter().zip(&template.steps) {
            let (folder, model) = (wanted.folder.as_deref(), wanted.model.clone());
            let agent = self.make_agent(&draft.name, template, folder, model, &mut names)?;
            draft.steps.push(CrewStep { agent: Some(agent), ..step });
            draft.members.push(agent);
        }
        let draft = self.checked(draft)?;
        self.add(draft, "was made from a template")
    }

    /// As TOML, with what its agents are made of.
    ///
    /// # Errors
    /// Not found; something in it has no form in TOML.
    pub fn export(&self, id: CrewId) -> Result<String, ApiError> {
        portable::text_of(&self.get(id)?.settings, &self.parts.agents.all()?)
    }

    /// Makes the crew, and those of its agents that do not exist; what these would be allowed is asked.
    ///
    /// # Errors
    /// The text is no crew, or names agents that it does not describe and that are not here.
    pub fn import(&self, text: &str) -> Result<Crew, ApiError> {
        let carried = portable::read(text)?;
        let agents = self.parts.agents.all()?;
        let mut known: Vec<(String, AgentId)> =
            agents.iter().map(|agent| (agent.settings.name.to_lowercase(), agent.id)).collect();
        let find = |known: &[(String, AgentId)], name: &str| {
            let wanted = name.trim().to_lowercase();
            known.iter().find(|(name, _)| *name == wanted).map(|(_, id)| *id)
        };
        // Nothing is made before all of it is known to be well.
        carried.check(|name| find(&known, name).is_some())?;
        for draft in carried.agents(|kind| self.parts.agents.kind(kind))? {
            if find(&known, &draft.name).is_none() {
                let made = self.parts.agents.make(draft)?;
                known.push((made.settings.name.to_lowercase(), made.id));
            }
        }
        let mut draft = carried.draft(|name| find(&known, name))?;
        draft.name = self.free_name(&draft.name)?;
        let draft = self.checked(draft)?;
        self.add(draft, "was imported")
    }
}

fn names_of(agents: &[Agent]) -> Vec<String> {
    agents.iter().map(|agent| agent.settings.name.to_lowercase()).collect()
}

fn steps_of(template: &crate::model::CrewTemplate) -> Vec<CrewStep> {
    let step = |step: &TemplateStep| CrewStep {
        key: step.key.clone(),
        title: step.title.clone(),
        instructions: step.instructions.clone(),
        agent: None,
        depends_on: step.depends_on.clone(),
        at: None,
    };
    template.steps.iter().map(step).collect()
}

fn gone(place: &str) -> ApiError {
    ApiError::validation(format!("{place}: its agent is not there"), "Name one of those that `rspa agents list` shows.")
}

fn forget_deleted(settings: &mut CrewDraft, agents: &[Agent]) {
    let is_there = |id: &AgentId| agents.iter().any(|agent| agent.id == *id);
    for step in &mut settings.steps {
        step.agent = step.agent.filter(|id| is_there(id));
    }
    settings.members.retain(is_there);
    settings.manager = settings.manager.filter(|id| is_there(id));
}
