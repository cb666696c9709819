//! One core for one verb: started, called and listened to so that an interrupt always gets through, and shut down.

use std::collections::BTreeMap;
use std::sync::Arc;

use rspa_core::api::request::profiles::ListProfiles;
use rspa_core::api::request::settings::ListSettings;
use rspa_core::api::{Call, Core, CoreOptions, Guard, Heard, Pending, Request, Role, WorksIn};
use rspa_core::clock::SystemClock;
use rspa_core::model::Profile;
use rspa_core::settings::schema;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::failure::Failure;
use super::interrupt::Interrupt;
use super::output::{Output, one_line};
use super::settings::value_text;
use super::{Context, arguments::Global, confirm};

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
        let variables = set_variables(&options.environment);
        let core = Core::start(options)?;
        let mut session = Self { core, output: context.output, interrupt: context.interrupt.clone(), runtime };
        if let Some(name) = &context.global.profile {
            let profile = session.profile_named(name)?;
            session.core = session.core.in_profile(profile.id);
        }
        session.tell_what_does_not_apply(&variables)?;
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

    /// Asks the core and waits for the reply, or for an interrupt. What only the person may allow is confirmed first:
    /// at the terminal, or in the window that has the data folder.
    pub fn call<C: Call>(&self, request: C) -> Result<C::Reply, Failure> {
        self.ask(request, false)
    }

    /// As [`Session::call`], where the person has said yes already (`--yes`, or a question with more detail).
    pub fn call_confirmed<C: Call>(&self, request: C) -> Result<C::Reply, Failure> {
        self.ask(request, true)
    }

    fn ask<C: Call>(&self, request: C, confirmed: bool) -> Result<C::Reply, Failure> {
        let request = request.into_request();
        if request.guard() == Guard::Open {
            return self.wait(self.core.send::<C>(request));
        }
        let confirmed = confirmed && !confirm::only_in_person(&request);
        if self.core.works_in() == WorksIn::Here {
            if !confirmed {
                confirm::allow(self, &request, &self.in_words(&request))?;
            }
            return self.wait(self.core.send::<C>(request));
        }
        if self.asks_in_window() {
            self.output.note(&format!("Waiting for your answer in the window: {}", self.in_words(&request)));
        }
        // Who has the folder may change from one moment to the next.
        self.wait(if confirmed { self.core.send::<C>(request) } else { self.core.send_unasked::<C>(request) })
    }

    /// What will happen, with the names of profiles.
    fn in_words(&self, request: &Request) -> String {
        let profiles = match request {
            Request::Profiles(_) => self.call(ListProfiles {}).map(|list| list.profiles).unwrap_or_default(),
            _ => Vec::new(),
        };
        let name = |id| profiles.iter().find(|profile| profile.id == id).map(|profile| profile.name.clone());
        match request.guard_in(&name) {
            Guard::Person(what) => what,
            Guard::Open | Guard::Window => String::new(),
        }
    }

    /// A window has the data folder: it asks the person what only the person may allow.
    pub fn asks_in_window(&self) -> bool {
        self.core.works_in() == WorksIn::Other(Role::Window)
    }

    /// Another process does the work with its own settings: variables of this one that say otherwise are named.
    fn tell_what_does_not_apply(&self, variables: &[(String, String, String)]) -> Result<(), Failure> {
        if self.core.models_path_does_not_apply() {
            self.output.note(
                "RSPA_MODELS_PATH does not apply: another rspa has this data folder open and works with its own models",
            );
        }
        if variables.is_empty() || !matches!(self.core.works_in(), WorksIn::Other(_)) {
            return Ok(());
        }
        let entries = self.call(ListSettings {})?;
        for (key, variable, value) in variables {
            let in_force = entries.iter().find(|entry| entry.key == *key).map(|entry| value_text(&entry.value));
            if in_force.as_ref().is_some_and(|in_force| in_force != value) {
                self.output.note(&format!(
                    "{variable} does not apply: another rspa has this data folder open and works with {key} = {}",
                    one_line(&in_force.unwrap_or_default())
                ));
            }
        }
        Ok(())
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

/// Settings that the environment names: key, variable, value.
fn set_variables(environment: &BTreeMap<String, String>) -> Vec<(String, String, String)> {
    let set = |variable: String, key: &str| {
        environment.get(&variable).map(|value| (key.to_owned(), variable.clone(), value.trim().to_owned()))
    };
    schema().iter().filter_map(|setting| set(setting.variable(), &setting.key)).collect()
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
