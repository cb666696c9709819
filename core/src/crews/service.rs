//! The service: keeps crews, begins their runs, and lets each run go on whenever one of its tasks has changed.

mod go;
mod keep;
mod read;
mod start;

use std::sync::Arc;

use tokio::sync::watch;

use super::KnowsAgents;
use crate::api::{ApiError, Event};
use crate::clock::{Clock, Ids};
use crate::model::{Crew, CrewRun, CrewRunState, Happening, ProfileId, Timestamp};
use crate::storage::Db;
use crate::tasks::Queue;
use crate::tasks::state::Defaults;

/// Gives the queue, which may be made only when it is needed.
pub type FindQueue = Arc<dyn Fn() -> Result<Queue, ApiError> + Send + Sync>;

/// What the service works with.
#[derive(Clone)]
pub struct Parts {
    pub main: Db,
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub publish: Arc<dyn Fn(Event) + Send + Sync>,
    /// Keeps what happened.
    pub happened: Arc<dyn Fn(Happening) + Send + Sync>,
    pub agents: Arc<dyn KnowsAgents>,
    pub queue: FindQueue,
    /// What the settings say for tasks.
    pub defaults: Arc<dyn Fn() -> Defaults + Send + Sync>,
}

/// A handle to the service; clones share it.
#[derive(Clone)]
pub struct Crews {
    parts: Parts,
    changes: Arc<watch::Sender<()>>,
}

impl Crews {
    pub fn new(parts: Parts) -> Self {
        Self { parts, changes: Arc::new(watch::Sender::new(())) }
    }

    /// Changes whenever a run has changed.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    fn queue(&self) -> Result<Queue, ApiError> {
        (self.parts.queue)()
    }

    /// Tells what became of a run; `before` is the state that was told last.
    fn tell(&self, run: &CrewRun, before: Option<CrewRunState>) {
        let name = &run.crew_name;
        let (kind, what) = match run.state {
            CrewRunState::Running => ("crew.run.started", "began"),
            CrewRunState::Completed => ("crew.run.completed", "is done"),
            CrewRunState::Failed => ("crew.run.failed", "failed"),
            CrewRunState::Cancelled => ("crew.run.cancelled", "was cancelled"),
        };
        if before != Some(run.state) {
            let title = match before {
                Some(_) if run.state == CrewRunState::Running => format!("Run {} of “{name}” goes on", run.number),
                _ => format!("Run {} of “{name}” {what}", run.number),
            };
            let words = match (&run.error, &run.output) {
                (Some(error), _) => error.message.clone(),
                (None, Some(output)) => output.lines().find(|line| !line.trim().is_empty()).unwrap_or("").to_owned(),
                (None, None) => String::new(),
            };
            let happening = Happening::new(kind, title).describe(words.chars().take(300).collect::<String>());
            (self.parts.happened)(happening.with("crew", run.crew).with("run", run.id).with("number", run.number));
            (self.parts.publish)(Event::CrewsChanged);
        }
        (self.parts.publish)(Event::CrewRunChanged { run: Box::new(run.clone()) });
        self.changes.send_replace(());
    }

    fn tell_crew(&self, crew: &Crew, kind: &str, what: &str) {
        let title = format!("The crew “{}” {what}", crew.settings.name);
        (self.parts.happened)(Happening::new(kind, title).with("crew", crew.id));
        (self.parts.publish)(Event::CrewsChanged);
    }
}
