//! Runs begin, are cancelled, resumed and replayed.

use std::collections::BTreeMap;

use super::Crews;
use super::go::found;
use crate::api::ApiError;
use crate::crews::{delegate, fill, graph};
use crate::model::{
    Agent, AgentId, Crew, CrewId, CrewProcess, CrewRun, CrewRunDraft, CrewRunId, CrewRunState, CrewRunStep, Page,
    PageRequest, ReplayDraft, StepState, TaskOutput,
};
use crate::storage::crews::{self as stored, KeptRun, Member};

/// Of an output that the person wrote, in bytes.
const LARGEST_EDIT: usize = 64 << 10;

/// A step that nobody can do.
pub(super) fn nobody(key: &str) -> ApiError {
    ApiError::validation(format!("{key}: no agent is named for it"), "Name one in the crew.")
}

impl Crews {
    /// Newest first; none lists those of all crews.
    ///
    /// # Errors
    /// What the store says.
    pub fn runs(&self, crew: Option<CrewId>, page: PageRequest) -> Result<Page<CrewRun>, ApiError> {
        Ok(stored::runs(&self.parts.main, self.parts.profile, crew, page)?)
    }

    /// # Errors
    /// Not found.
    pub fn get_run(&self, id: CrewRunId) -> Result<CrewRun, ApiError> {
        Ok(stored::run(&self.parts.main, self.parts.profile, id)?.run)
    }

    /// Begins a run; it is stored when this returns, and its first steps are queued.
    ///
    /// # Errors
    /// An agent is missing, or what the run was given is not what the crew takes; not found.
    pub fn run(&self, id: CrewId, draft: CrewRunDraft) -> Result<CrewRun, ApiError> {
        let crew = self.get(id)?;
        if let Some(folder) = &draft.folder {
            self.parts.agents.check_folder(folder)?;
        }
        let values = fill::values(&crew.settings.variables, &draft.variables, &draft.input)?;
        let agents = self.parts.agents.all()?;
        let (steps, members) = match crew.settings.process {
            CrewProcess::Sequential => (sequence(&crew, &values, &agents)?, Vec::new()),
            CrewProcess::Hierarchical => self.managed(&crew, &values, &agents)?,
        };
        let run = CrewRun {
            id: CrewRunId(self.parts.ids.next()),
            number: 0,
            crew: id,
            crew_name: crew.settings.name,
            process: crew.settings.process,
            state: CrewRunState::Running,
            input: draft.input,
            variables: draft.variables,
            folder: draft.folder,
            steps,
            replay_of: None,
            offline: draft.offline,
            output: None,
            error: None,
            created: self.now(),
            ended: None,
        };
        self.begin(KeptRun { run, members, cancelling: false, revision: 0 })
    }

    fn begin(&self, kept: KeptRun) -> Result<CrewRun, ApiError> {
        let profile = self.parts.profile;
        let kept = self.parts.main.write(move |txn| stored::add_run(txn, profile, kept.clone()))?;
        self.tell(&kept.run, None);
        // From here on it is the service's: what does not begin now begins at its next turn.
        if let Err(error) = self.go_on(kept.run.id) {
            tracing::warn!(%error, run = kept.run.number, "a run of a crew did not begin yet");
        }
        self.get_run(kept.run.id)
    }

    /// The first step of a crew with a manager, which is made where the crew has lost its own.
    fn managed(
        &self,
        crew: &Crew,
        values: &BTreeMap<String, String>,
        agents: &[Agent],
    ) -> Result<(Vec<CrewRunStep>, Vec<Member>), ApiError> {
        let settings = &crew.settings;
        let of = |id: &AgentId| agents.iter().find(|agent| agent.id == *id);
        let there: Vec<&Agent> = settings.members.iter().filter_map(of).collect();
        if there.is_empty() {
            return Err(nobody("members"));
        }
        let manager = match settings.manager.as_ref().and_then(of) {
            Some(manager) => (manager.id, manager.settings.name.clone()),
            None => {
                let model = there[0].settings.model.clone();
                let id = self.make_manager(&settings.name, model, agents)?;
                let with = crate::model::CrewDraft { manager: Some(id), ..settings.clone() };
                stored::update(&self.parts.main, self.parts.profile, crew.id, with, self.now())?;
                (id, format!("{} · Manager", settings.name))
            }
        };
        let member = |agent: &&Agent| Member { agent: agent.id, name: agent.settings.name.clone() };
        let members: Vec<Member> = there.iter().map(member).collect();
        let abouts: Vec<String> = there
            .iter()
            .map(|agent| match agent.settings.system_prompt.lines().find(|line| !line.trim().is_empty()) {
                Some(first) => first.chars().take(200).collect(),
                None => agent.settings.description.chars().take(200).collect(),
            })
            .collect();
        let goal = fill::fill(&settings.description, values)?;
        Ok((vec![delegate::plan((manager.0, &manager.1), &goal, &members, &abouts)], members))
    }

    /// Nothing new begins, what runs is told to stop.
    ///
    /// # Errors
    /// Not found.
    pub fn cancel(&self, id: CrewRunId) -> Result<CrewRun, ApiError> {
        let kept = self.store(id, |kept| {
            kept.cancelling = kept.cancelling || !kept.run.state.is_final();
            Ok(())
        })?;
        if !kept.run.state.is_final() {
            self.go_on(id)?;
        }
        self.get_run(id)
    }

    /// Tries the steps again that failed or were cancelled; completed ones stay.
    ///
    /// # Errors
    /// It runs, or is completed; not found.
    pub fn resume(&self, id: CrewRunId) -> Result<CrewRun, ApiError> {
        let run = self.get_run(id)?;
        match run.state {
            CrewRunState::Running => {
                return Err(ApiError::validation("this run has not ended", "Wait for it, or cancel it first."));
            }
            CrewRunState::Completed => {
                return Err(ApiError::validation(
                    "this run is completed: there is nothing to try again",
                    "Run the crew once more, or replay this run.",
                ));
            }
            CrewRunState::Failed | CrewRunState::Cancelled => {}
        }
        let queue = self.queue()?;
        let again = |state| matches!(state, StepState::Failed | StepState::Cancelled);
        let mut kept_tasks = Vec::new();
        for task in run.steps.iter().filter(|step| again(step.state)).filter_map(|step| step.task) {
            // The tasks first: a run that goes on over tasks that have failed would end again at once.
            if found(queue.retry(vec![task]))?.is_some() {
                kept_tasks.push(task);
            }
        }
        self.store(id, |kept| {
            if !kept.run.state.is_final() {
                return Ok(());
            }
            kept.cancelling = false;
            kept.run.state = CrewRunState::Running;
            kept.run.error = None;
            kept.run.ended = None;
            for step in kept.run.steps.iter_mut().filter(|step| again(step.state)) {
                step.error = None;
                step.ended = None;
                step.task = step.task.filter(|task| kept_tasks.contains(task));
                step.state = if step.task.is_some() { StepState::Running } else { StepState::Waiting };
            }
            Ok(())
        })?;
        self.go_on(id)?;
        self.get_run(id)
    }

    /// A new run without a network: what does not follow from an edited step is taken over.
    ///
    /// # Errors
    /// It has not ended, or nothing of it is edited; not found.
    pub fn replay(&self, draft: ReplayDraft) -> Result<CrewRun, ApiError> {
        let before = stored::run(&self.parts.main, self.parts.profile, draft.run)?;
        if !before.run.state.is_final() {
            return Err(ApiError::validation("this run has not ended", "Wait for it, or cancel it; then replay it."));
        }
        if draft.edited.is_empty() {
            return Err(ApiError::validation("no output is edited", "Name a step, and what it is to have given."));
        }
        let steps = replayed(&before.run, &draft.edited)?;
        let run = CrewRun {
            id: CrewRunId(self.parts.ids.next()),
            number: 0,
            state: CrewRunState::Running,
            steps,
            replay_of: Some(draft.run),
            offline: true,
            output: None,
            error: None,
            created: self.now(),
            ended: None,
            ..before.run
        };
        self.begin(KeptRun { run, members: before.members, cancelling: false, revision: 0 })
    }
}

/// The steps of a crew in order, with what the run was given in their texts.
fn sequence(crew: &Crew, values: &BTreeMap<String, String>, agents: &[Agent]) -> Result<Vec<CrewRunStep>, ApiError> {
    let steps = &crew.settings.steps;
    let order = graph::order(&graph::edges(steps)).map_err(|circle| {
        ApiError::validation(format!("its steps depend on each other: {}", circle.join(" → ")), "Change the crew.")
    })?;
    let mut run = Vec::with_capacity(steps.len());
    for place in order {
        let step = &steps[place];
        let agent = agents.iter().find(|agent| Some(agent.id) == step.agent).ok_or_else(|| nobody(&step.key))?;
        let title = fill::fill(&step.title, values)?;
        run.push(CrewRunStep {
            key: step.key.clone(),
            title: title.split_whitespace().collect::<Vec<_>>().join(" "),
            instructions: fill::fill(&step.instructions, values)?,
            agent: Some(agent.id),
            agent_name: agent.settings.name.clone(),
            depends_on: step.depends_on.clone(),
            at: step.at,
            state: StepState::Waiting,
            task: None,
            output: None,
            error: None,
            started: None,
            ended: None,
        });
    }
    Ok(run)
}

/// The steps of a run as its replay begins with them.
fn replayed(run: &CrewRun, edited: &BTreeMap<String, String>) -> Result<Vec<CrewRunStep>, ApiError> {
    if let Some(key) = edited.keys().find(|key| !run.steps.iter().any(|step| step.key == **key)) {
        let all: Vec<&str> = run.steps.iter().map(|step| step.key.as_str()).collect();
        let shown: String = key.chars().take(60).collect();
        return Err(ApiError::validation(
            format!("this run has no step {shown:?}"),
            format!("Its steps are: {}.", all.join(", ")),
        ));
    }
    if let Some((key, _)) = edited.iter().find(|(_, text)| text.len() > LARGEST_EDIT) {
        return Err(ApiError::validation(
            format!("{key}: the new output has more than {} KB", LARGEST_EDIT >> 10),
            "Shorten it.",
        ));
    }
    let edges: Vec<(&str, &[String])> =
        run.steps.iter().map(|step| (step.key.as_str(), step.depends_on.as_slice())).collect();
    let follows = graph::downstream(&edges, &|key| edited.contains_key(key));
    let plans = run.process == CrewProcess::Hierarchical && edited.keys().any(|key| delegate::is_plan(key));
    let mut steps = Vec::with_capacity(run.steps.len());
    for (step, follows) in run.steps.iter().zip(follows) {
        // What another plan gives out is made of that plan.
        if plans && follows && !edited.contains_key(&step.key) {
            continue;
        }
        let mut new = CrewRunStep {
            state: StepState::Waiting,
            task: None,
            output: None,
            error: None,
            started: None,
            ended: None,
            ..step.clone()
        };
        if let Some(text) = edited.get(&step.key) {
            new.state = StepState::Edited;
            new.output = Some(TaskOutput { text: text.clone(), ..TaskOutput::default() });
        } else if let Some(output) = step.output.clone().filter(|_| !follows && step.state.is_done()) {
            new.state = StepState::Recorded;
            new.output = Some(output);
        }
        steps.push(new);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests;
