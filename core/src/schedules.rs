//! Schedules: when a task is due, in every time zone and over every change of the clocks, and what else sets one off.

mod background;
mod cron;
mod missed;
mod service;
mod template;
#[cfg(test)]
mod testing;
mod timing;
mod triggers;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::api::ApiError;
use crate::model::{AgentId, Task};
use crate::storage::schedules::Made;
use crate::storage::{StorageError, WriteTxn};

pub use service::{Parts, Scheduler};
pub use timing::{Rule, TimingError};

/// The queue, as schedules use it.
pub trait MakesTasks: Send + Sync {
    /// Stores a task within the change that moves its schedule on: both happen or none.
    ///
    /// # Errors
    /// `Refused` or `NotFound` when such a task cannot be; else what the store says.
    fn make(&self, txn: &WriteTxn<'_>, made: &Made) -> Result<Task, StorageError>;

    /// These are stored now.
    fn made(&self, tasks: &[Task]);
}

/// The agents, as schedules use them.
pub trait KnowsAgents: Send + Sync {
    /// How they are called now.
    fn names(&self) -> BTreeMap<AgentId, String>;

    /// Makes an agent of this type, active, that may read these folders, for a background agent.
    ///
    /// # Errors
    /// There is no such type, or it cannot be made so.
    fn make(&self, kind: &str, folders: &[PathBuf]) -> Result<AgentId, ApiError>;
}

/// The zone of this computer, or a test's own.
pub type Here = Arc<dyn Fn() -> jiff::tz::TimeZone + Send + Sync>;
