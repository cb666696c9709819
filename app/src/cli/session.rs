//! One core for one verb: started, called and listened to so that an interrupt always gets through, and shut down.

use std::collections::BTreeMap;
use std::sync::Arc;

use rspa_core::api::request::profiles::ListProfiles;
use rspa_core::api::{Call, Core, CoreOptions, Heard, Pending, Role};
use rspa_core::clock::SystemClock;
use rspa_core::model::Profile;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::failure::Failure;
use super::interrupt::Interrupt;
use super::output::Output;
use super::{Context, arguments::Global};

pub struct Session {
    pub core: Core,
    pub output: Output,
    pub interrupt: Interrupt,
    runtime: Runtime,
}

impl Session {
    pub fn start(context: &Context) -> Result<Self, Failure> {
        Self::with_options(context, options(&context.global, Role::Command))
    }

    pub fn with_options(context: &Context, options: CoreOptions) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let core = Core::start(options)?;
        let mut session = Self { core, output: context.output, interrupt: context.interrupt.clone(), runtime };
        if let Some(name) = &context.global.profile {
            let profile = session.profile_named(name)?;
            session.core = session.core.in_profile(profile.id);
        }
        Ok(session)
    }

    /// The profile of this name, whatever the case.
    pub fn profile_named(&self, name: &str) -> Result<Profile, Failure> {
        let wanted = name.trim().to_lowercase();
        let known = self.call(ListProfiles {})?.profiles;
        known.into_iter().find(|profile| profile.name.to_lowercase() == wanted).ok_or_else(|| {
            let shown = super::output::one_line(name);
            Failure::validation(format!("there is no profile '{shown}'"), "Run rspa profiles list to see all.")
        })
    }

    /// Asks the core and waits for the reply, or for an interrupt.
    pub fn call<C: Call>(&self, request: C) -> Result<C::Reply, Failure> {
        self.wait(self.core.call(request))
    }

    pub fn wait<T>(&self, pending: Pending<T>) -> Result<T, Failure> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                reply = pending => reply.map_err(Failure::from),
                interrupted = self.interrupt.wait() => Err(interrupted),
            }
        })
    }

    /// Waits for a reply and shows events meanwhile.
    pub fn wait_hearing<T>(
        &self,
        pending: Pending<T>,
        events: &mut Events,
        mut hear: impl FnMut(&Heard),
    ) -> Result<T, Failure> {
        let mut pending = pending;
        self.runtime.block_on(async {
            let mut listening = true;
            loop {
                tokio::select! {
                    biased;
                    reply = &mut pending => return reply.map_err(Failure::from),
                    interrupted = self.interrupt.wait() => return Err(interrupted),
                    heard = events.receiver.recv(), if listening => match heard {
                        Some(heard) => hear(&heard),
                        None => listening = false,
                    },
                }
            }
        })
    }

    /// Everything that the core tells from now on.
    pub fn events(&self) -> Result<Events, Failure> {
        let mut subscription = self.core.subscribe();
        let (sender, receiver) = mpsc::channel(1024);
        std::thread::Builder::new().name("events".to_owned()).spawn(move || {
            loop {
                let heard = subscription.next();
                let closed = matches!(heard, Heard::Closed);
                if sender.blocking_send(heard).is_err() || closed {
                    return;
                }
            }
        })?;
        Ok(Events { receiver })
    }

    /// The next event, or an error when interrupted.
    pub fn next_event(&self, events: &mut Events) -> Result<Heard, Failure> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                interrupted = self.interrupt.wait() => Err(interrupted),
                heard = events.receiver.recv() => Ok(heard.unwrap_or(Heard::Closed)),
            }
        })
    }

    /// The next line from another thread (such as the one that reads standard input), none when it has ended.
    pub fn next_of<T>(&self, receiver: &mut mpsc::Receiver<T>) -> Result<Option<T>, Failure> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                interrupted = self.interrupt.wait() => Err(interrupted),
                item = receiver.recv() => Ok(item),
            }
        })
    }
}

/// Whatever way a verb ends, workers and writers are waited for.
impl Drop for Session {
    fn drop(&mut self) {
        self.core.shutdown();
    }
}

pub struct Events {
    receiver: mpsc::Receiver<Heard>,
}

/// What the global arguments and the environment say.
pub fn options(global: &Global, role: Role) -> CoreOptions {
    CoreOptions {
        role,
        data_folder: global.data_dir.clone(),
        overrides: global.overrides(),
        environment: environment(),
        console_level: global.console_level(),
        chat_model: None,
        clock: Arc::new(SystemClock),
        faults: None,
    }
}

/// The environment, without what is no text.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
