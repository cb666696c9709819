//! The durable queue: which task runs next, its tries, its time, its end, whatever happens to the process.
//!
//! The queue knows nothing of agents: it hands an [`Attempt`] to an [`Executor`] and stores what comes back. A task that
//! runs holds a lease in the store; leases that nobody holds any more are found at the next start.

mod attempt;
pub mod backoff;
pub mod draft;
pub mod needs;
mod queue;
pub mod state;

pub use queue::{Parts, Queue, QueueSettings};

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::model::{AgentId, RunId, Task, TaskOutput, TaskProgress, Wait};
use crate::storage::{StorageError, WriteTxn};

/// Does what tasks say. Called on a thread of its own for each attempt; blocks until the attempt has ended.
pub trait Executor: Send + Sync {
    /// # Errors
    /// [`Failure`], which says whether another try makes sense.
    fn execute(&self, attempt: &Attempt<'_>) -> Result<TaskOutput, Failure>;
}

/// Why an attempt did not give a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub error: ApiError,
    /// It may go better the next time.
    pub retry: bool,
    /// What there is of a result.
    pub partial: Option<Box<TaskOutput>>,
}

/// One try of a task.
pub struct Attempt<'a> {
    pub task: Task,
    /// From 1.
    pub number: u32,
    /// The run of the attempt that was cut off and is taken up again: its recorded steps are not done again.
    pub resumes: Option<RunId>,
    /// The person allows the call that was cut off to be made again.
    pub may_repeat: bool,
    /// Triggered by the person, by the time limit, and when the program ends.
    pub cancel: CancellationToken,
    pub queue: &'a dyn Progress,
}

/// What an attempt tells the queue while it goes on. Each of these is durable when it returns.
pub trait Progress: Send + Sync {
    fn progress(&self, progress: TaskProgress);

    /// The run that records this attempt.
    fn runs(&self, run: RunId) -> Result<(), ApiError>;

    /// It waits (for the person), or goes on (none). Meanwhile it takes no place among the running and no time.
    fn waits(&self, wait: Option<Wait>) -> Result<(), ApiError>;

    /// Something outside of the program begins to change now and may not be done twice; in words. After a crash between
    /// this and [`Progress::effect_ended`] the task asks the person before it goes on.
    fn effect_begins(&self, words: &str) -> Result<(), ApiError>;

    fn effect_ended(&self) -> Result<(), ApiError>;
}

/// What the queue asks about agents.
pub trait Agents: Send + Sync {
    /// Whether it takes new tasks now.
    ///
    /// # Errors
    /// Why not, in words.
    fn takes_tasks(&self, agent: AgentId) -> Result<(), String>;

    /// What it is called.
    ///
    /// # Errors
    /// There is no such agent.
    fn name(&self, agent: AgentId) -> Result<String, ApiError>;

    /// A task has ended for good: counts it with its agent, in the same commit.
    ///
    /// # Errors
    /// Of the store; then nothing is stored.
    fn ended(&self, txn: &WriteTxn<'_>, task: &Task) -> Result<(), StorageError>;
}

#[cfg(test)]
mod tests;
