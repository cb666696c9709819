//! Agents: what they are made from, the loop in which they work, what they are allowed, and what is recorded of it.
//!
//! A run is the list of its recorded steps: what the model reads, what is left of the budget and what comes next are
//! all computed from that list. So a run that was cut off goes on from its steps as if nothing had happened.

pub mod approvals;
pub mod budget;
pub mod context;
pub mod definition;
pub mod executor;
pub mod next;
pub mod portable;
pub mod prompt;
pub mod protocol;
pub mod recorder;
pub mod routine;
pub mod sample;
pub mod select;
pub mod turn;
pub mod types;
pub mod validate;

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::answering::{ChatModels, Publish};
use crate::api::ApiError;
use crate::clock::{Clock, Ids};
use crate::crews::StepWork;
use crate::model::{Agent, AgentId, AgentType, Happening, Permission, ProfileId, RunId, Task, TaskId};
use crate::storage::Db;
use crate::tools::{Found, Host};

/// What the loop asks about agents and tasks; their services stand behind it.
pub trait Directory: Send + Sync {
    fn agent(&self, id: AgentId) -> Result<Agent, ApiError>;

    /// The type of this id, if there is one.
    fn kind(&self, id: &str) -> Result<Option<AgentType>, ApiError>;

    /// What the profile says of a tool; none leaves it to the agent.
    fn policy(&self, tool: &str) -> Result<Option<Permission>, ApiError>;

    fn task(&self, id: TaskId) -> Result<Task, ApiError>;

    /// What an agent gets beside a task that is a step of a crew's run; none for any other task.
    fn crew_step(&self, task: &Task) -> Result<Option<StepWork>, ApiError>;

    /// The last tasks of an agent that have ended, the latest first, each in a sentence or two.
    fn outcomes(&self, agent: AgentId, most: u32) -> Result<Vec<String>, ApiError>;
}

/// Gives the tool of a name. One of a server may start it when it is asked whether it is there.
pub type FindTool = Arc<dyn Fn(&str) -> Option<Found> + Send + Sync>;

/// Gives what the tools of one run get from the program.
pub type MakeHost = Arc<dyn Fn(&Agent, RunId) -> Arc<dyn Host> + Send + Sync>;

/// What the loop works with.
#[derive(Clone)]
pub struct Parts {
    pub main: Db,
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub publish: Publish,
    /// Keeps what happened.
    pub happened: Arc<dyn Fn(Happening) + Send + Sync>,
    pub models: Arc<dyn ChatModels>,
    pub directory: Arc<dyn Directory>,
    pub tools: FindTool,
    pub host: MakeHost,
    /// Waits for answers of the person while a run's own thread blocks.
    pub runtime: Handle,
    /// Triggered when the program ends or the profile is closed: then what waits for the person goes on waiting.
    pub ending: CancellationToken,
}

#[cfg(test)]
pub(crate) mod testing;
