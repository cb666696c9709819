//! Tools: what an agent can do beside talking. One file per tool below, behind one trait.
//!
//! A call goes through three doors, in this order: [`Tool::propose`] says exactly what would happen and changes nothing,
//! `agents::approvals` decides whether it may, and [`Tool::run`] does what was proposed, or nothing.
//! Arguments come from a model and are hostile until `propose` has checked them.

mod args;
mod ask_user;
mod beneath;
mod create_schedule;
mod data;
mod draw_chart;
mod explore_table;
mod folders;
mod http_request;
mod json_query;
mod list_activities;
mod list_folder;
mod output;
mod read_file;
mod read_page;
mod read_passage;
mod regression;
mod run_command;
mod schema;
mod search_files;
mod search_knowledge;
mod snapshot_session;
mod statistics;
mod store;
mod table_query;
mod tasks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod watch_report;
pub(crate) mod web;
mod web_search;
mod when;
mod write_file;

use std::borrow::Cow;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::tasks::UpdateTask;
use crate::model::{
    Activity, ActivityFilter, Agent, AgentDatum, AgentId, BoardColumn, CommandLimits, DocumentText, PageRequest,
    Permission, ProposedAction, RunId, Schedule, ScheduleDraft, SearchQuery, SearchResults, Task, TaskDraft,
    TaskFilter, TaskId, Timestamp, ToolEffect, ToolOutput,
};
use crate::trust::egress;

/// What a tool is called, needs and touches.
#[derive(Clone, Debug)]
pub struct ToolSpec {
    /// Letters, digits and underscores; never changed once it was given.
    pub name: Cow<'static, str>,
    pub title: Cow<'static, str>,
    /// For the model and the person: one or two sentences.
    pub description: Cow<'static, str>,
    pub effect: ToolEffect,
    /// What an agent gets that is given this tool and nothing more is said.
    pub default: Permission,
    /// Doing it twice does no more than doing it once: after a crash it may be repeated without the person's word.
    pub repeatable: bool,
    /// JSON Schema of the arguments: an object.
    pub parameters: Value,
}

/// One tool. Calls may block; they run on threads of their own.
pub trait Tool: Send + Sync {
    fn spec(&self) -> ToolSpec;

    /// Why it cannot work on this computer, if it cannot.
    fn unavailable(&self) -> Option<String> {
        None
    }

    /// Checks the arguments and says what the call would do, exactly. Changes nothing.
    ///
    /// # Errors
    /// Category validation for arguments that make no sense, authorisation for what lies outside of the agent's folders.
    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError>;

    /// Does what was proposed, if it is still the same; `proposal` is what `propose` gave and the person saw.
    ///
    /// # Errors
    /// When it cannot be done, or the world has changed since it was proposed.
    fn run(&self, arguments: &Value, proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError>;
}

/// What a call would do, and what "always here" would cover.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// For people, short: "Write report.md".
    pub title: String,
    pub action: ProposedAction,
    /// None when it may not be allowed once for all.
    pub always: Option<RuleScope>,
    /// It changes nothing outside of what the agent may read: no approval is needed unless the tool is set to ask.
    pub harmless: bool,
}

/// What a rule covers: compared exactly, and the same in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleScope {
    /// Such as `folder:/home/a/q4`, `host:example.org`, `command:cargo test`.
    pub scope: String,
    /// "writes in /home/a/q4"
    pub words: String,
}

/// For whom and within which bounds a tool works.
#[derive(Clone)]
pub struct Scope {
    pub agent: Arc<Agent>,
    pub task: Option<TaskId>,
    pub run: RunId,
    /// Triggered when the task is cancelled, its time is over, or the program ends. Tools look at it often.
    pub cancel: CancellationToken,
    pub host: Arc<dyn Host>,
}

/// What tools get from the rest of the program; a test gives its own.
pub trait Host: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Searches what the profile has indexed.
    fn search(&self, query: SearchQuery) -> Result<SearchResults, ApiError>;

    /// Lines of an indexed document (from 1, inclusive); only of what is indexed.
    fn read_document(&self, path: &Path, start_line: u32, end_line: u32) -> Result<DocumentText, ApiError>;

    /// Sends a request through the door, under the profile's policy. The person has approved the address by then; that
    /// does not widen the policy.
    fn request(&self, request: &egress::Request) -> Result<egress::Answer, ApiError>;

    fn command_limits(&self) -> CommandLimits;

    /// The settings let commands run where they cannot be confined.
    fn unconfined_commands(&self) -> bool;

    /// What commands may never see: the program's own data folder.
    fn private_folders(&self) -> Vec<PathBuf>;

    /// The profile's network policy lets everything pass, and nothing else forbids it.
    fn network_open(&self) -> bool;

    fn create_task(&self, draft: TaskDraft, parent: Option<TaskId>) -> Result<Task, ApiError>;

    fn list_tasks(&self, filter: TaskFilter, page: PageRequest) -> Result<Vec<Task>, ApiError>;

    /// Changes a task that does not run; then moves it, where a column is given.
    fn update_task(&self, change: UpdateTask, column: Option<BoardColumn>) -> Result<Task, ApiError>;

    fn create_schedule(&self, draft: ScheduleDraft) -> Result<Schedule, ApiError>;

    fn activities(&self, filter: ActivityFilter, page: PageRequest) -> Result<Vec<Activity>, ApiError>;

    /// The agent of this name, whatever the case.
    fn agent_named(&self, name: &str) -> Result<Agent, ApiError>;

    fn agent_data(&self, agent: AgentId) -> Result<Vec<AgentDatum>, ApiError>;

    /// None removes it.
    fn put_agent_datum(&self, agent: AgentId, key: &str, value: Option<Value>) -> Result<(), ApiError>;

    /// What the person answered to the proposal's question.
    fn reply(&self, run: RunId) -> Option<String>;

    /// Keeps how the window stands now: open pages, the chat, the layout; its name.
    fn snapshot_session(&self) -> Result<String, ApiError>;

    /// When the window was opened the last time before this one.
    fn last_session(&self) -> Option<Timestamp>;
}

/// A tool that was found by its name: one of the program's own, or one of a server, which may be gone tomorrow.
#[derive(Clone)]
pub enum Found {
    Own(&'static dyn Tool),
    Served(Arc<dyn Tool>),
}

impl Deref for Found {
    type Target = dyn Tool;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Own(tool) => *tool,
            Self::Served(tool) => tool.as_ref(),
        }
    }
}

/// All tools of the program's own, by name.
pub fn all() -> &'static [&'static dyn Tool] {
    &[
        &list_folder::ListFolder,
        &read_file::ReadFile,
        &write_file::WriteFile,
        &search_files::SearchFiles,
        &search_knowledge::SearchKnowledge,
        &read_passage::ReadPassage,
        &run_command::RunCommand,
        &explore_table::ExploreTable,
        &table_query::TableQuery,
        &statistics::Statistics,
        &regression::Regression,
        &json_query::JsonQuery,
        &draw_chart::DrawChart,
        &draw_chart::SaveChart,
        &http_request::HttpRequest,
        &read_page::ReadPage,
        &web_search::WebSearch,
        &tasks::CreateTask,
        &tasks::ListTasks,
        &tasks::UpdateTaskTool,
        &tasks::HandOver,
        &create_schedule::CreateSchedule,
        &ask_user::AskUser,
        &store::StoreGet,
        &store::StorePut,
        &list_activities::ListActivities,
        &watch_report::WatchReport,
        &snapshot_session::SnapshotSession,
    ]
}

/// The program's own tool of this name.
pub fn find(name: &str) -> Option<&'static dyn Tool> {
    all().iter().copied().find(|tool| tool.spec().name == name)
}
