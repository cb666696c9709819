//! Commands of the page "Agents".

use std::io::Read;
use std::path::{Path, PathBuf};

use rspa_core::api::ApiError;
use rspa_core::api::request::agents::{
    AddSampleData, CreateAgent, DeleteAgent, DuplicateAgent, ExportAgent, ImportAgent, PutAgentDatum, RemoveSampleData,
    SetAgentStatus, SetToolPolicy, UpdateAgent,
};
use rspa_core::model::{Agent, AgentId};

use crate::commands::pages::agents::AgentsCommand;
use crate::shell::Shell;
use crate::state::pages::agents::Editing;
use crate::state::{AppState, NoticeKind, Page};
use crate::text::{tr, tr_count, tr_with};

/// Of a file that is imported, in bytes.
const LARGEST: u64 = 1 << 20;

impl Shell {
    pub(super) fn agents(&mut self, command: AgentsCommand) {
        let page = &mut self.state.pages.agents;
        match command {
            AgentsCommand::Refresh => self.state.pages.opened(Page::Agents),
            AgentsCommand::Select(id) => page.select(id),
            AgentsCommand::Edit(editing) => page.edit(editing),
            AgentsCommand::CloseForm => page.close_form(),
            AgentsCommand::Create(draft) => {
                page.saving = true;
                let request = CreateAgent { draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, agent| saved(state, agent), not_saved);
            }
            AgentsCommand::Update { id, draft } => {
                page.saving = true;
                let request = UpdateAgent { id, draft: *draft };
                self.engine.send_or(&mut self.state, request, |state, _, agent| saved(state, agent), not_saved);
            }
            AgentsCommand::SetStatus { id, status } => {
                let request = SetAgentStatus { id, status };
                self.engine.send(&mut self.state, request, |state, _, agent| state.pages.agents.put(agent));
            }
            AgentsCommand::Duplicate(id) => {
                self.engine.send(&mut self.state, DuplicateAgent { id }, |state, _, agent| {
                    let title = tr_with("agents.told.copied", &[("name", &agent.settings.name)]);
                    state.notices.push(state.now, NoticeKind::Done, title, tr("agents.told.copied_detail"));
                    show(state, agent);
                });
            }
            AgentsCommand::Delete(id) => {
                self.engine.send(&mut self.state, DeleteAgent { id }, move |state, _, item| {
                    state.pages.agents.select(None);
                    state.pages.opened(Page::Agents);
                    super::trash::offer_undo(state, &item, None);
                })
            }
            AgentsCommand::Export { id, folder } => self.export_agent(id, folder),
            AgentsCommand::Import(path) => self.import_agent(&path),
            AgentsCommand::PutDatum { id, key, value } => {
                let request = PutAgentDatum { id, key, value };
                self.engine.send(&mut self.state, request, |state, _, data| state.pages.agents.data.set(data));
            }
            AgentsCommand::ShowDays(days) => page.show_days(days),
            AgentsCommand::SetPolicy { tool, permission } => {
                let request = SetToolPolicy { tool, permission };
                self.engine.send(&mut self.state, request, |state, _, tools| state.pages.agents.tools.set(tools));
            }
            AgentsCommand::FolderPicked(path) => page.pick(path),
            AgentsCommand::AddSample => self.engine.send(&mut self.state, AddSampleData {}, |state, _, count| {
                let title = tr_count("agents.told.sample_added", count);
                state.notices.push(state.now, NoticeKind::Done, title, tr("agents.told.sample_detail"));
            }),
            AgentsCommand::RemoveSample => self.engine.send(&mut self.state, RemoveSampleData {}, |state, _, count| {
                let title = tr_count("agents.told.sample_removed", count);
                state.notices.push(state.now, NoticeKind::Done, title, "");
            }),
        }
    }

    fn export_agent(&mut self, id: AgentId, folder: PathBuf) {
        let name = self.state.pages.agents.agent(id).map(|agent| agent.settings.name.clone()).unwrap_or_default();
        self.engine.send(
            &mut self.state,
            ExportAgent { id },
            move |state, _, text| match crate::shell::save::write_new(&folder, &name, ".agent.toml", &text) {
                Ok(path) => {
                    let title = tr("agents.told.exported");
                    state.notices.push(state.now, NoticeKind::Done, title, crate::text::path(&path));
                }
                Err(error) => {
                    let words = tr_with("agents.told.not_exported", &[("why", &error)]);
                    state.notices.error(state.now, &ApiError::validation(words, tr("agents.told.another_place")));
                }
            },
        );
    }

    fn import_agent(&mut self, path: &Path) {
        match read(path) {
            Ok(text) => self.engine.send(&mut self.state, ImportAgent { text }, |state, _, agent| {
                let title = tr_with("agents.told.imported", &[("name", &agent.settings.name)]);
                state.notices.push(state.now, NoticeKind::Done, title, tr("agents.told.imported_detail"));
                show(state, agent);
            }),
            Err(why) => {
                let words = tr_with("agents.told.not_imported", &[("why", &why)]);
                let error = ApiError::validation(words, tr("agents.told.another_file"));
                self.state.notices.error(self.state.now, &error);
            }
        }
    }

    /// Opens the page "Agents" at this one.
    pub(super) fn show_agent(&mut self, id: AgentId) {
        self.open_page(Page::Agents);
        self.state.pages.agents.close_form();
        self.state.pages.agents.select(Some(id));
    }

    /// Opens the page "Agents" with the form for a new one.
    pub(super) fn new_agent(&mut self) {
        self.open_page(Page::Agents);
        self.state.pages.agents.edit(Editing::New);
    }
}

fn saved(state: &mut AppState, agent: Agent) {
    let title = tr_with("agents.told.saved", &[("name", &agent.settings.name)]);
    state.notices.push(state.now, NoticeKind::Done, title, "");
    show(state, agent);
}

fn not_saved(state: &mut AppState) {
    state.pages.agents.saving = false;
}

fn show(state: &mut AppState, agent: Agent) {
    let page = &mut state.pages.agents;
    let id = agent.id;
    page.close_form();
    page.put(agent);
    page.select(Some(id));
}

/// The text of a plain, small file.
fn read(path: &Path) -> std::io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}
