//! What the page "Tool servers" reads: the servers, what the chosen one offers, and what it gave last.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rspa_core::api::request::credentials::ListCredentials;
use rspa_core::api::request::mcp::{CallMcpTool, GetMcpOffer, GetMcpPrompt, ListMcpServers, ReadMcpResource};
use rspa_core::api::{Core, Event};
use rspa_core::model::{CredentialList, McpContent, McpOffer, McpServer, McpServerId, McpState};

use super::PageState;
use crate::state::Slot;

/// What the form is open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Editing {
    New,
    Change(McpServerId),
}

/// What a server was asked for: whose answer is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Tool { name: String, arguments: serde_json::Value },
    Resource { uri: String },
    Prompt { name: String },
}

#[derive(Default)]
pub struct ServersState {
    /// By name.
    pub list: Slot<Vec<McpServer>>,
    /// Of the one that is chosen.
    pub offer: Slot<McpOffer>,
    /// What it was asked last.
    pub asked: Option<Asked>,
    pub result: Slot<McpContent>,
    /// The services that have a key.
    pub keys: Slot<CredentialList>,
    /// Those that are being started or stopped.
    pub busy: BTreeSet<McpServerId>,
    pub editing: Option<Editing>,
    /// Rises with each opening of the form.
    pub form: u64,
    /// The form waits for core.
    pub saving: bool,
    /// The folder that was picked last for the form; the number rises with each.
    pub picked: Option<(u64, PathBuf)>,
    chosen: Option<McpServerId>,
    /// Whose offer is kept.
    offer_of: Option<McpServerId>,
    open: bool,
    list_stale: bool,
    keys_stale: bool,
    offer_stale: bool,
}

impl ServersState {
    /// The one that is shown: the first, until another is chosen.
    pub fn chosen(&self) -> Option<&McpServer> {
        let list = self.list.get()?;
        let own = self.chosen.and_then(|id| list.iter().find(|server| server.id == id));
        own.or_else(|| list.first())
    }

    /// Somebody chose one.
    pub fn is_chosen(&self) -> bool {
        self.chosen.is_some()
    }

    pub fn server(&self, id: McpServerId) -> Option<&McpServer> {
        self.list.get()?.iter().find(|server| server.id == id)
    }

    pub(crate) fn select(&mut self, id: Option<McpServerId>) {
        if self.chosen != id {
            self.chosen = id;
            self.offer.clear();
            self.close_result();
        }
    }

    pub(crate) fn edit(&mut self, editing: Editing) {
        self.editing = Some(editing);
        self.form += 1;
        self.saving = false;
        self.picked = None;
        self.keys_stale = true;
    }

    pub(crate) fn close_form(&mut self) {
        self.editing = None;
        self.saving = false;
    }

    pub(crate) fn close_result(&mut self) {
        self.asked = None;
        self.result.clear();
    }

    pub(crate) fn pick(&mut self, path: PathBuf) {
        let number = self.picked.as_ref().map_or(0, |(number, _)| *number) + 1;
        self.picked = Some((number, path));
    }

    /// A changed one, before the list comes anew.
    pub(crate) fn put(&mut self, server: McpServer) {
        self.busy.remove(&server.id);
        if let Some(list) = self.list.get_mut() {
            match list.iter_mut().find(|known| known.id == server.id) {
                Some(known) => *known = server,
                None => list.push(server),
            }
        }
        self.list_stale = true;
        self.offer_stale = true;
    }

    pub(crate) fn call(&mut self, core: &Core, request: CallMcpTool) {
        self.asked = Some(Asked::Tool { name: request.tool.clone(), arguments: request.arguments.clone() });
        self.result.clear();
        self.result.ask(core.call(request));
    }

    pub(crate) fn read(&mut self, core: &Core, request: ReadMcpResource) {
        self.asked = Some(Asked::Resource { uri: request.uri.clone() });
        self.result.clear();
        self.result.ask(core.call(request));
    }

    pub(crate) fn prompt(&mut self, core: &Core, request: GetMcpPrompt) {
        self.asked = Some(Asked::Prompt { name: request.name.clone() });
        self.result.clear();
        self.result.ask(core.call(request));
    }
}

impl PageState for ServersState {
    fn opened(&mut self) {
        self.open = true;
        self.list_stale = true;
        self.keys_stale = true;
        self.offer_stale = true;
    }

    fn hear(&mut self, event: &Event) {
        if !self.open {
            return;
        }
        match event {
            Event::McpChanged => {
                self.list_stale = true;
                self.offer_stale = true;
            }
            Event::CredentialsChanged => self.keys_stale = true,
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list_stale |= self.list.poll() && self.list.take_stale();
        self.offer.poll();
        self.result.poll();
        self.keys.poll();
        let Some(core) = core.filter(|_| self.open) else { return };
        if std::mem::take(&mut self.list_stale) {
            self.list.refresh(|| core.call(ListMcpServers {}));
        }
        if std::mem::take(&mut self.keys_stale) {
            self.keys.refresh(|| core.call(ListCredentials {}));
        }
        let Some((id, ready)) = self.chosen().map(|one| (one.id, matches!(one.state, McpState::Ready { .. }))) else {
            return;
        };
        if self.offer_of.is_some_and(|of| of != id) {
            self.offer.clear();
            self.close_result();
        }
        self.offer_of = Some(id);
        // To ask a server that does not run would start it: the person does that.
        if !ready {
            self.offer.clear();
        } else if (std::mem::take(&mut self.offer_stale) || self.offer.is_untouched()) && !self.offer.is_waiting() {
            self.offer.ask(core.call(GetMcpOffer { id }));
        }
    }
}
