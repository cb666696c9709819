//! What the page "Providers" reads: the providers, the models of one, how models are chosen, and the response cache.

use std::collections::BTreeSet;

use rspa_core::api::request::agents::ListAgents;
use rspa_core::api::request::credentials::ListCredentials;
use rspa_core::api::request::providers::{GetCacheStats, GetRouting, ListProviderModels, ListProviders};
use rspa_core::api::{Core, Event};
use rspa_core::model::{
    Agent, AgentFilter, CacheStats, CredentialList, JobId, JobState, MessageState, ProviderId, ProviderModel,
    ProviderState, ProviderStatus, Routing,
};

use super::PageState;
use crate::state::Slot;

/// The parts of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    #[default]
    Servers,
    Routing,
    Cache,
}

/// What the form is open for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Editing {
    New,
    Change(ProviderId),
}

#[derive(Default)]
pub struct ProvidersState {
    /// This program first, then by name.
    pub list: Slot<Vec<ProviderStatus>>,
    /// Of the one that is chosen.
    pub models: Slot<Vec<ProviderModel>>,
    /// Of all that can be used.
    pub all_models: Slot<Vec<ProviderModel>>,
    pub routing: Slot<Routing>,
    pub cache: Slot<CacheStats>,
    /// The services that have a key.
    pub keys: Slot<CredentialList>,
    pub agents: Slot<Vec<Agent>>,
    /// Those that are being asked how they are.
    pub checking: BTreeSet<ProviderId>,
    /// Models that are being fetched: by which server, in which job.
    pub pulls: Vec<(ProviderId, JobId)>,
    pub editing: Option<Editing>,
    /// Rises with each opening of the form.
    pub form: u64,
    /// The form waits for core.
    pub saving: bool,
    pub part: Part,
    chosen: Option<ProviderId>,
    open: bool,
    list_stale: bool,
    keys_stale: bool,
    cache_stale: bool,
    routing_stale: bool,
    /// The routing's lists of models and agents.
    choices_stale: bool,
    models_stale: bool,
    /// The server itself is asked, not the memory of its last answer.
    fresh: bool,
}

impl ProvidersState {
    /// The one that is shown: the first, until another is chosen.
    pub fn chosen(&self) -> Option<&ProviderStatus> {
        let list = self.list.get()?;
        let own = self.chosen.as_ref().and_then(|id| list.iter().find(|one| one.id == *id));
        own.or_else(|| list.first())
    }

    /// Somebody chose one, which is there.
    pub fn is_chosen(&self) -> bool {
        self.chosen.is_some()
    }

    pub fn provider(&self, id: &ProviderId) -> Option<&ProviderStatus> {
        self.list.get()?.iter().find(|one| one.id == *id)
    }

    pub(crate) fn select(&mut self, id: Option<ProviderId>) {
        if self.chosen != id {
            self.models.clear();
            self.chosen = id;
            self.models_stale = true;
        }
    }

    pub(crate) fn show_part(&mut self, part: Part) {
        self.part = part;
        self.cache_stale |= part == Part::Cache;
        self.routing_stale |= part == Part::Routing;
        self.choices_stale |= part == Part::Routing;
    }

    pub(crate) fn edit(&mut self, editing: Editing) {
        self.part = Part::Servers;
        self.editing = Some(editing);
        self.form += 1;
        self.saving = false;
        self.keys_stale = true;
    }

    pub(crate) fn close_form(&mut self) {
        self.editing = None;
        self.saving = false;
    }

    /// A changed one, before the list comes anew.
    pub(crate) fn put(&mut self, status: ProviderStatus) {
        self.checking.remove(&status.id);
        if let Some(list) = self.list.get_mut() {
            match list.iter_mut().find(|known| known.id == status.id) {
                Some(known) => *known = status,
                None => list.push(status),
            }
        }
        self.list_stale = true;
    }

    /// The models of the chosen one are asked of the server itself.
    pub(crate) fn list_models(&mut self) {
        self.models_stale = true;
        self.fresh = true;
    }
}

impl PageState for ProvidersState {
    fn opened(&mut self) {
        self.open = true;
        self.list_stale = true;
        self.keys_stale = true;
        self.show_part(self.part);
    }

    fn hear(&mut self, event: &Event) {
        if !self.open {
            return;
        }
        match event {
            Event::ProvidersChanged => {
                self.list_stale = true;
                self.routing_stale |= self.part == Part::Routing;
                self.cache_stale |= self.part == Part::Cache;
            }
            // What the policy forbids shows in the state of each.
            Event::NetworkChanged { .. } => self.list_stale = true,
            Event::CredentialsChanged => {
                self.list_stale = true;
                self.keys_stale = true;
            }
            // What was fetched is there now.
            Event::JobChanged { job } if job.state == JobState::Done => {
                let own = self.pulls.iter().find(|(_, known)| *known == job.id);
                if own.is_some_and(|(id, _)| self.chosen().is_some_and(|status| status.id == *id)) {
                    self.list_models();
                }
            }
            Event::AgentsChanged => self.choices_stale |= self.part == Part::Routing,
            Event::SettingChanged { entry } => self.cache_stale |= entry.group == "cache",
            Event::MessageChanged { message } => {
                self.cache_stale |= self.part == Part::Cache && message.state == MessageState::Complete;
            }
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list_stale |= self.list.poll() && self.list.take_stale();
        self.models.poll();
        self.all_models.poll();
        self.routing_stale |= self.routing.poll() && self.routing.take_stale();
        self.cache_stale |= self.cache.poll() && self.cache.take_stale();
        self.keys.poll();
        self.agents.poll();
        let Some(core) = core.filter(|_| self.open) else { return };
        if std::mem::take(&mut self.list_stale) {
            self.list.refresh(|| core.call(ListProviders {}));
        }
        if std::mem::take(&mut self.keys_stale) {
            self.keys.refresh(|| core.call(ListCredentials {}));
        }
        if std::mem::take(&mut self.cache_stale) {
            self.cache.refresh(|| core.call(GetCacheStats {}));
        }
        if std::mem::take(&mut self.routing_stale) {
            self.routing.refresh(|| core.call(GetRouting {}));
        }
        if std::mem::take(&mut self.choices_stale) {
            self.all_models.refresh(|| core.call(ListProviderModels { id: None, fresh: false }));
            self.agents.refresh(|| core.call(ListAgents { filter: AgentFilter::default() }));
        }
        let Some(chosen) = self.chosen() else { return };
        // Nothing is asked of a server that was not found ready: each try would be one more request.
        let wanted = self.fresh || (chosen.state == ProviderState::Ready && self.models.is_untouched());
        let id = chosen.id.clone();
        if id.is_embedded() || !wanted {
            self.models_stale = false;
            self.fresh = false;
        } else if !self.models.is_waiting() {
            let fresh = std::mem::take(&mut self.fresh);
            self.models_stale = false;
            self.models.ask(core.call(ListProviderModels { id: Some(id), fresh }));
        }
    }
}
