//! Finds who works: opens the data folder, or the process that owns it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::switch::{Switch, ended};
use super::{CoreOptions, Role};
use crate::api::ApiError;
use crate::engine::{Engine, Events, StartError};
use crate::local::client::{Client, NoOwner};
use crate::local::message::Hello;
use crate::local::net::Net;
use crate::local::place::Place;
use crate::workspace::places::Places;

/// How long a folder may be locked without anybody who answers, when a process starts: an owner that starts or ends.
const SILENCE: Duration = Duration::from_secs(5);
/// The same for a process that has worked before: its owner may take as long to end as the engine's patience.
const SILENCE_AGAIN: Duration = Duration::from_secs(15);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a window may take to say that it comes to the front.
const RAISING: Duration = Duration::from_secs(5);

/// Why somebody is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// The process starts.
    Start,
    /// The process has worked before.
    Again,
}

pub(super) enum Found {
    /// The folder is open here; taken over from `from`, which waits to hear that it is served.
    Owner {
        engine: Engine,
        from: Option<Client>,
    },
    There(Client),
    Raised,
}

impl Switch {
    /// Blocks until somebody works, or nobody can.
    pub(super) fn find(self: &Arc<Self>, intent: Intent) -> Result<Found, ApiError> {
        let silence = if intent == Intent::Start { SILENCE } else { SILENCE_AGAIN };
        let mut silent_until = Instant::now() + silence;
        let mut from: Option<Client> = None;
        loop {
            if self.closing.is_cancelled() {
                return Err(ended());
            }
            let in_use = match Engine::start(self.options.clone()) {
                Ok(engine) => return Ok(Found::Owner { engine, from }),
                Err(StartError::InUse(error)) => error,
                Err(StartError::Other(error)) => return Err(error),
            };
            let events = Events::new(self.options.clock.clone());
            let hello = Hello::of(self.options.role, None);
            match Client::connect(&self.net, &self.place, hello, events) {
                Ok(client) if self.options.role == Role::Command => {
                    if intent == Intent::Start {
                        self.check_overrides()?;
                    }
                    return Ok(Found::There(client));
                }
                Ok(client) if client.welcome.role == Role::Window => {
                    client.raise(&self.net, RAISING);
                    client.close();
                    return Ok(Found::Raised);
                }
                Ok(client) => {
                    tracing::info!(pid = client.welcome.pid, "asking a command for the data folder");
                    client.take_over();
                    let mut told = None;
                    while !client.released(&self.net, PAUSE * 4) {
                        let busy = client.busy();
                        if let Some(watch) = &self.watch.waits_for
                            && told.as_ref() != Some(&busy)
                        {
                            watch(busy.clone());
                            told = Some(busy);
                        }
                        if self.closing.is_cancelled() {
                            return Err(ended());
                        }
                    }
                    // Kept until the folder is open here: by its end the command sees that it can go on.
                    from = Some(client);
                    silent_until = Instant::now() + SILENCE_AGAIN;
                    continue;
                }
                // It sees to it that it ends.
                Err(NoOwner::Leaving) => silent_until = Instant::now() + silence,
                Err(NoOwner::Nobody) if Instant::now() < silent_until => {}
                Err(NoOwner::Nobody) => return Err(in_use),
                Err(NoOwner::Refused(error)) => return Err(error),
            }
            self.pause(PAUSE / 2 + self.some_of(PAUSE));
        }
    }

    /// Waits, or until this core ends.
    pub(super) fn pause(&self, time: Duration) {
        let closing = self.closing.clone();
        // Cut short or not: whoever waits looks again.
        self.net.wait(time, async move { closing.cancelled().await });
    }

    /// What is set for one run cannot reach the process that does the work.
    fn check_overrides(&self) -> Result<(), ApiError> {
        let Some(key) = self.options.overrides.keys().next() else { return Ok(()) };
        Err(ApiError::validation(
            format!("--set {key} cannot apply: another rspa has this data folder open and does the work"),
            "Close it first, leave --set out, or change the setting itself (rspa settings set).",
        ))
    }
}

/// Asks the window that has the folder to come to the front; false when there is none, or it is of another version.
pub(super) fn raise_window(options: &CoreOptions) -> bool {
    let executable = std::env::current_exe().ok();
    let Ok(places) = Places::find(&options.environment, options.data_folder.as_deref(), executable.as_deref()) else {
        return false;
    };
    let place = Place::of(&options.environment, places.data());
    if !place.may_be_served() {
        return false;
    }
    let Ok(net) = Net::start() else { return false };
    match Client::connect(&net, &place, Hello::of(Role::Window, None), Events::new(options.clock.clone())) {
        Ok(client) => {
            let raised = client.welcome.role == Role::Window && client.raise(&net, RAISING);
            client.close();
            raised
        }
        Err(NoOwner::Nobody | NoOwner::Leaving | NoOwner::Refused(_)) => false,
    }
}
