//! The pages. A page is a function of read-only state that puts commands into a queue.
//!
//! How a page is written: a struct for what only the page needs (drafts, scroll places, caches), and
//! `impl View`. It reads `cx.state`, draws with `crate::widgets` and `ui.tokens()`, takes its words from
//! `crate::text::tr`, and says what is to be done with `cx.commands.push(UiCommand::…)`. The command is
//! applied at the end of the frame; its result appears in the state of a later frame. Nothing here calls
//! core, blocks, or asks for repaints while nothing happens. A `Signal` in `cx.state.signals` is there for
//! one frame: it tells a page to focus its field or to take a text over.

mod activity;
mod agents;
mod backups;
mod chat;
mod credentials;
mod crews;
mod dashboard;
mod document;
mod gallery;
mod knowledge;
mod logs;
mod models;
mod profiles;
mod providers;
pub mod recovery;
mod schedules;
mod servers;
mod settings;
mod tasks;
mod trash;
mod usage;
pub mod welcome;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use egui::Ui;
use rspa_core::model::{DocumentKind, DocumentText};

use crate::commands::{Action, CommandQueue};
use crate::design::Icon;
use crate::layout::Pane;
use crate::state::{AppState, Page};
use crate::text::tr;
use crate::widgets::citation::title_of;

/// What a page gets in each frame.
pub struct Cx<'a> {
    pub state: &'a AppState,
    pub commands: &'a mut CommandQueue,
    /// The keyboard is in this pane: only then react to keys and signals.
    pub focused: bool,
}

pub trait View {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>);
}

/// All pages and open documents with what they keep between frames.
#[derive(Default)]
pub struct Views {
    chat: chat::ChatView,
    agents: agents::AgentsView,
    tasks: tasks::TasksView,
    schedules: schedules::SchedulesView,
    usage: usage::UsageView,
    servers: servers::ServersView,
    providers: providers::ProvidersView,
    crews: crews::CrewsView,
    knowledge: knowledge::KnowledgeView,
    dashboard: dashboard::DashboardView,
    models: models::ModelsView,
    settings: settings::SettingsView,
    activity: activity::ActivityView,
    logs: logs::LogsView,
    profiles: profiles::ProfilesView,
    credentials: credentials::CredentialsView,
    backups: backups::BackupsView,
    trash: trash::TrashView,
    gallery: gallery::GalleryView,
    documents: HashMap<PathBuf, document::DocumentView>,
}

impl Views {
    pub fn show(&mut self, pane: &Pane, ui: &mut Ui, cx: &mut Cx<'_>) {
        match pane {
            Pane::Page(Page::Dashboard) => self.dashboard.ui(ui, cx),
            Pane::Page(Page::Chat) => self.chat.ui(ui, cx),
            Pane::Page(Page::Agents) => self.agents.ui(ui, cx),
            Pane::Page(Page::Tasks) => self.tasks.ui(ui, cx),
            Pane::Page(Page::Schedules) => self.schedules.ui(ui, cx),
            Pane::Page(Page::Usage) => self.usage.ui(ui, cx),
            Pane::Page(Page::Servers) => self.servers.ui(ui, cx),
            Pane::Page(Page::Providers) => self.providers.ui(ui, cx),
            Pane::Page(Page::Crews) => self.crews.ui(ui, cx),
            Pane::Page(Page::Knowledge) => self.knowledge.ui(ui, cx),
            Pane::Page(Page::Models) => self.models.ui(ui, cx),
            Pane::Page(Page::Settings) => self.settings.ui(ui, cx),
            Pane::Page(Page::Activity) => self.activity.ui(ui, cx),
            Pane::Page(Page::Logs) => self.logs.ui(ui, cx),
            Pane::Page(Page::Profiles) => self.profiles.ui(ui, cx),
            Pane::Page(Page::Credentials) => self.credentials.ui(ui, cx),
            Pane::Page(Page::Backups) => self.backups.ui(ui, cx),
            Pane::Page(Page::Trash) => self.trash.ui(ui, cx),
            Pane::Page(Page::Gallery) => self.gallery.ui(ui, cx),
            Pane::Document(target) => {
                let view = self.documents.entry(target.path.clone()).or_default();
                view.show(target, ui, cx);
            }
        }
    }

    /// Drops what closed documents kept.
    pub fn retain_documents(&mut self, panes: &[&Pane]) {
        self.documents.retain(|path, _| panes.iter().any(|pane| matches!(pane, Pane::Document(t) if t.path == *path)));
    }
}

/// The pages of the rail, in order, in groups.
pub const RAIL: [&[(Page, Action)]; 3] = [
    &[
        (Page::Dashboard, Action::OpenDashboard),
        (Page::Chat, Action::OpenChat),
        (Page::Agents, Action::OpenAgents),
        (Page::Crews, Action::OpenCrews),
        (Page::Tasks, Action::OpenTasks),
        (Page::Schedules, Action::OpenSchedules),
    ],
    &[
        (Page::Knowledge, Action::OpenKnowledge),
        (Page::Activity, Action::OpenActivity),
        (Page::Logs, Action::OpenLogs),
        (Page::Models, Action::OpenModels),
        (Page::Providers, Action::OpenProviders),
        (Page::Servers, Action::OpenServers),
        (Page::Usage, Action::OpenUsage),
    ],
    &[
        (Page::Profiles, Action::OpenProfiles),
        (Page::Credentials, Action::OpenCredentials),
        (Page::Backups, Action::OpenBackups),
        (Page::Trash, Action::OpenTrash),
        (Page::Settings, Action::OpenSettings),
    ],
];

/// What a tab says.
pub fn title(pane: &Pane, state: &AppState) -> String {
    match pane {
        Pane::Page(page) => page_title(*page).to_owned(),
        Pane::Document(target) => {
            let text = state.knowledge.texts.get(target).and_then(|slot| slot.get());
            document_title(&target.path, text)
        }
    }
}

/// What an open document is called: what is no file by its title, as soon as its text is there.
fn document_title(path: &Path, text: Option<&DocumentText>) -> String {
    let (kind, title) = text.map_or((DocumentKind::Text, None), |text| (text.kind, text.title.as_deref()));
    title_of(path, kind, title)
}

pub fn page_title(page: Page) -> &'static str {
    match page {
        Page::Dashboard => tr("page.dashboard"),
        Page::Chat => tr("page.chat"),
        Page::Agents => tr("page.agents"),
        Page::Tasks => tr("page.tasks"),
        Page::Schedules => tr("page.schedules"),
        Page::Usage => tr("page.usage"),
        Page::Servers => tr("page.servers"),
        Page::Providers => tr("page.providers"),
        Page::Crews => tr("page.crews"),
        Page::Knowledge => tr("page.knowledge"),
        Page::Models => tr("page.models"),
        Page::Settings => tr("page.settings"),
        Page::Activity => tr("page.activity"),
        Page::Logs => tr("page.logs"),
        Page::Profiles => tr("page.profiles"),
        Page::Credentials => tr("page.credentials"),
        Page::Backups => tr("page.backups"),
        Page::Trash => tr("page.trash"),
        Page::Gallery => tr("page.gallery"),
    }
}

pub fn icon(pane: &Pane) -> Icon {
    match pane {
        Pane::Page(Page::Dashboard) => Icon::SquaresFour,
        Pane::Page(Page::Chat) => Icon::ChatCircle,
        Pane::Page(Page::Agents) => Icon::Robot,
        Pane::Page(Page::Tasks) => Icon::Kanban,
        Pane::Page(Page::Schedules) => Icon::Clock,
        Pane::Page(Page::Usage) => Icon::ChartLineUp,
        Pane::Page(Page::Servers) => Icon::Plugs,
        Pane::Page(Page::Providers) => Icon::PlugsConnected,
        Pane::Page(Page::Crews) => Icon::UsersFour,
        Pane::Page(Page::Knowledge) => Icon::Books,
        Pane::Page(Page::Models) => Icon::Cpu,
        Pane::Page(Page::Settings) => Icon::GearSix,
        Pane::Page(Page::Activity) => Icon::Pulse,
        Pane::Page(Page::Logs) => Icon::Article,
        Pane::Page(Page::Profiles) => Icon::ShareNetwork,
        Pane::Page(Page::Credentials) => Icon::Key,
        Pane::Page(Page::Backups) => Icon::HardDrive,
        Pane::Page(Page::Trash) => Icon::Trash,
        Pane::Page(Page::Gallery) => Icon::Palette,
        Pane::Document(_) => Icon::FileText,
    }
}
