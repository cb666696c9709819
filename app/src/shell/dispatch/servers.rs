//! Commands of the page "Tool servers".

use rspa_core::api::request::mcp::{
    AddMcpServer, CallMcpTool, GetMcpPrompt, ReadMcpResource, RemoveMcpServer, StartMcpServer, StopMcpServer,
    UpdateMcpServer,
};
use rspa_core::model::McpServer;

use crate::commands::pages::servers::ServersCommand;
use crate::shell::Shell;
use crate::state::pages::servers::Editing;
use crate::state::{AppState, NoticeKind, Page};
use crate::text::{short, tr_with};

impl Shell {
    pub(super) fn servers(&mut self, command: ServersCommand) {
        use ServersCommand as S;
        let page = &mut self.state.pages.servers;
        match command {
            S::Refresh => self.state.pages.opened(Page::Servers),
            S::Select(id) => page.select(id),
            S::Edit(editing) => page.edit(editing),
            S::CloseForm => page.close_form(),
            S::Add(draft) => {
                page.saving = true;
                let request = AddMcpServer { draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, server| saved(state, server), not_saved);
            }
            S::Update { id, draft } => {
                page.saving = true;
                let request = UpdateMcpServer { id, draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, server| saved(state, server), not_saved);
            }
            S::Remove(id) => {
                let name = page.server(id).map(|server| short(&server.settings.name, 60)).unwrap_or_default();
                self.engine.send(&mut self.state, RemoveMcpServer { id }, move |state, _, ()| {
                    let page = &mut state.pages.servers;
                    page.select(None);
                    if let Some(list) = page.list.get_mut() {
                        list.retain(|known| known.id != id);
                    }
                    let title = tr_with("servers.told.removed", &[("name", &name)]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                });
            }
            S::Start(id) => {
                page.busy.insert(id);
                let done = |state: &mut AppState, _: &mut crate::commands::CommandQueue, server| {
                    state.pages.servers.put(server);
                };
                self.engine.send_or(&mut self.state, StartMcpServer { id }, done, move |state| {
                    state.pages.servers.busy.remove(&id);
                    state.pages.opened(Page::Servers);
                });
            }
            S::Stop(id) => {
                page.busy.insert(id);
                let done = |state: &mut AppState, _: &mut crate::commands::CommandQueue, server| {
                    state.pages.servers.put(server);
                };
                self.engine.send_or(&mut self.state, StopMcpServer { id }, done, move |state| {
                    state.pages.servers.busy.remove(&id);
                });
            }
            S::Call { id, tool, arguments } => {
                if let Some(core) = self.engine.core() {
                    page.call(core, CallMcpTool { id, tool, arguments });
                }
            }
            S::Read { id, uri } => {
                if let Some(core) = self.engine.core() {
                    page.read(core, ReadMcpResource { id, uri });
                }
            }
            S::Prompt { id, name, arguments } => {
                if let Some(core) = self.engine.core() {
                    page.prompt(core, GetMcpPrompt { id, name, arguments });
                }
            }
            S::CloseResult => page.close_result(),
            S::FolderPicked(path) => page.pick(path),
        }
    }

    /// Opens the page "Tool servers" with the form for a new one.
    pub(super) fn new_server(&mut self) {
        self.open_page(Page::Servers);
        self.state.pages.servers.edit(Editing::New);
    }
}

fn saved(state: &mut AppState, server: McpServer) {
    let title = tr_with("servers.told.saved", &[("name", &short(&server.settings.name, 60))]);
    state.notices.push(state.now, NoticeKind::Done, title, "");
    let page = &mut state.pages.servers;
    page.close_form();
    page.select(Some(server.id));
    page.put(server);
}

fn not_saved(state: &mut AppState) {
    state.pages.servers.saving = false;
}
