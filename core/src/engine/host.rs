//! What the tools of one run get from the program: its families, asked as anybody else asks them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::handlers::runs::crossed;
use super::{Context, handlers};
use crate::api::request::agents::{AgentsRequest, AgentsResponse, ListAgentData, PutAgentDatum};
use crate::api::request::knowledge::{KnowledgeRequest, KnowledgeResponse, ReadDocument, Search};
use crate::api::request::schedules::{CreateSchedule, SchedulesRequest, SchedulesResponse};
use crate::api::request::tasks::UpdateTask;
use crate::api::{ApiError, ErrorCategory};
use crate::model::{
    Activity, ActivityFilter, Agent, AgentDatum, AgentId, BoardColumn, CommandLimits, DocumentText, NetworkPolicy,
    PageRequest, RunId, Schedule, ScheduleDraft, SearchQuery, SearchResults, Task, TaskDraft, TaskFilter, TaskId,
    TaskSort, Timestamp,
};
use crate::storage::{activities, agents, approvals, ui_state};
use crate::tasks::state::Origin;
use crate::tools::Host;
use crate::trust::egress;

/// Belongs to one run of one agent.
pub struct EngineHost {
    ctx: Context,
    agent: AgentId,
    name: String,
    run: RunId,
}

impl EngineHost {
    pub fn new(ctx: Context, agent: &Agent, run: RunId) -> Self {
        Self { ctx, agent: agent.id, name: agent.settings.name.clone(), run }
    }

    fn token(&self) -> CancellationToken {
        self.ctx.shutdown.child_token()
    }

    fn agents(&self, request: AgentsRequest) -> Result<AgentsResponse, ApiError> {
        self.ctx.runtime.block_on(handlers::agents::handle(&self.ctx, self.token(), request))
    }

    /// An agent's data is its own.
    fn own(&self, agent: AgentId) -> Result<(), ApiError> {
        if agent == self.agent {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCategory::Authorisation,
            "an agent may use only its own data",
            "Hand the work over to the other agent.",
        ))
    }
}

/// As the settings say.
pub(super) fn command_limits(ctx: &Context) -> CommandLimits {
    let settings = &ctx.settings.current().agents;
    let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    CommandLimits {
        seconds: number(settings.command_seconds),
        memory_mb: number(settings.command_memory_mb),
        output_kb: number(settings.command_output_kb),
        disk_mb: number(settings.command_disk_mb),
        ..CommandLimits::default()
    }
}

/// The profile's network policy lets everything pass, and nothing else forbids it.
pub(super) fn network_open(ctx: &Context) -> bool {
    let status = ctx.egress.status();
    status.is_ok_and(|status| matches!(status.policy, NetworkPolicy::All) && !status.forbid_cloud)
}

impl Host for EngineHost {
    fn now(&self) -> Timestamp {
        self.ctx.clock.now()
    }

    fn search(&self, query: SearchQuery) -> Result<SearchResults, ApiError> {
        let request = KnowledgeRequest::Search(Search { query });
        match self.ctx.runtime.block_on(handlers::knowledge::handle(&self.ctx, self.token(), request))? {
            KnowledgeResponse::Search(results) => Ok(results),
            _ => Err(crossed()),
        }
    }

    fn read_document(&self, path: &Path, start_line: u32, end_line: u32) -> Result<DocumentText, ApiError> {
        let read = ReadDocument { path: path.to_owned(), start_line, end_line };
        let request = KnowledgeRequest::ReadDocument(read);
        match self.ctx.runtime.block_on(handlers::knowledge::handle(&self.ctx, self.token(), request))? {
            KnowledgeResponse::ReadDocument(text) => Ok(text),
            _ => Err(crossed()),
        }
    }

    fn request(&self, request: &egress::Request) -> Result<egress::Answer, ApiError> {
        let request = egress::Request { who: self.name.clone(), ..request.clone() };
        self.ctx.egress.request(&request, None)
    }

    fn command_limits(&self) -> CommandLimits {
        command_limits(&self.ctx)
    }

    fn unconfined_commands(&self) -> bool {
        self.ctx.settings.current().security.unconfined_commands
    }

    fn private_folders(&self) -> Vec<PathBuf> {
        vec![self.ctx.places.data().to_owned()]
    }

    fn network_open(&self) -> bool {
        network_open(&self.ctx)
    }

    fn create_task(&self, draft: TaskDraft, parent: Option<TaskId>) -> Result<Task, ApiError> {
        let made = self.ctx.tasks()?.create(vec![draft], Origin { parent, ..Origin::default() })?;
        made.into_iter().next().ok_or_else(crossed)
    }

    fn list_tasks(&self, filter: TaskFilter, page: PageRequest) -> Result<Vec<Task>, ApiError> {
        Ok(self.ctx.tasks()?.queue().list(&filter, TaskSort::default(), page)?.items)
    }

    fn update_task(&self, change: UpdateTask, column: Option<BoardColumn>) -> Result<Task, ApiError> {
        let service = self.ctx.tasks()?;
        let id = change.id.ok_or_else(|| ApiError::validation("no task is named", "Name one by its id."))?;
        let changes = UpdateTask { id: None, ..change.clone() } != UpdateTask::default();
        let task = if changes { service.queue().update(change)? } else { service.queue().get(id)? };
        match column {
            Some(column) => service.queue().shift(id, column, None),
            None => Ok(task),
        }
    }

    fn create_schedule(&self, draft: ScheduleDraft) -> Result<Schedule, ApiError> {
        let request = SchedulesRequest::CreateSchedule(CreateSchedule { draft });
        match self.ctx.runtime.block_on(handlers::schedules::handle(&self.ctx, self.token(), request))? {
            SchedulesResponse::CreateSchedule(schedule) => Ok(schedule),
            _ => Err(crossed()),
        }
    }

    fn activities(&self, filter: ActivityFilter, page: PageRequest) -> Result<Vec<Activity>, ApiError> {
        let main = self.ctx.databases.main();
        let cancelled = || self.ctx.shutdown.is_cancelled();
        let found = activities::list(main, self.ctx.profile, &filter, page, &cancelled)?;
        Ok(found.ok_or_else(ApiError::cancelled)?.items)
    }

    fn agent_named(&self, name: &str) -> Result<Agent, ApiError> {
        let found = agents::named(self.ctx.databases.main(), self.ctx.profile, name.trim())?;
        found.ok_or_else(|| {
            let shown: String = name.trim().chars().take(60).collect();
            ApiError::validation(format!("there is no agent named {shown:?}"), "Name one of the person's agents.")
        })
    }

    fn agent_data(&self, agent: AgentId) -> Result<Vec<AgentDatum>, ApiError> {
        self.own(agent)?;
        match self.agents(AgentsRequest::ListAgentData(ListAgentData { id: agent }))? {
            AgentsResponse::ListAgentData(data) => Ok(data),
            _ => Err(crossed()),
        }
    }

    fn put_agent_datum(&self, agent: AgentId, key: &str, value: Option<Value>) -> Result<(), ApiError> {
        self.own(agent)?;
        let put = PutAgentDatum { id: agent, key: key.to_owned(), value };
        self.agents(AgentsRequest::PutAgentDatum(put)).map(drop)
    }

    fn reply(&self, run: RunId) -> Option<String> {
        if run != self.run {
            return None;
        }
        approvals::last_reply(self.ctx.databases.main(), self.ctx.profile, run).unwrap_or_else(|error| {
            tracing::warn!(%error, "the person's answer cannot be read");
            None
        })
    }

    fn snapshot_session(&self) -> Result<String, ApiError> {
        let now = self.ctx.clock.now();
        let texts = ui_state::snapshot(self.ctx.databases.main(), self.ctx.profile, now)?;
        let name = jiff::Timestamp::from_millisecond(now.0).map(|at| at.to_string()).unwrap_or_default();
        Ok(format!("{name} ({texts} parts)"))
    }

    fn last_session(&self) -> Option<Timestamp> {
        let window = self.ctx.role == crate::api::Role::Window;
        ui_state::last_opened(self.ctx.databases.main(), self.ctx.profile, window).unwrap_or_else(|error| {
            tracing::warn!(%error, "when the window was last open cannot be read");
            None
        })
    }
}
