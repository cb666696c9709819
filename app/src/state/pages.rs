//! What each page reads of core: asked for when the page opens, asked again when an event says that it is out of date.

pub mod activity;
pub mod agents;
pub mod approvals;
pub mod backups;
pub mod credentials;
pub mod crews;
pub mod dashboard;
pub mod logs;
pub mod notifications;
pub mod profiles;
pub mod providers;
pub mod retrieval;
pub mod schedules;
pub mod servers;
pub mod settings;
pub mod tasks;
pub mod trash;
pub mod usage;

use rspa_core::api::{Core, Event};

use super::Page;

/// The part of the state that one page reads.
pub(crate) trait PageState {
    /// The page is opened: what it shows must be asked for.
    fn opened(&mut self);

    /// Looks at an event that may put what is shown out of date. Called for each event, so it must be quick.
    fn hear(&mut self, event: &Event);

    /// Takes replies that have come, and asks core for what is out of date. Called once a frame: does nothing when nothing is.
    fn poll(&mut self, core: Option<&Core>);
}

/// The states of all pages.
#[derive(Default)]
pub struct Pages {
    pub activity: activity::ActivityState,
    pub logs: logs::LogsState,
    pub profiles: profiles::ProfilesState,
    pub credentials: credentials::CredentialsState,
    pub backups: backups::BackupsState,
    pub trash: trash::TrashState,
    pub settings: settings::SettingsState,
    pub agents: agents::AgentsState,
    pub approvals: approvals::ApprovalsState,
    pub dashboard: dashboard::DashboardState,
    pub notifications: notifications::NotificationsState,
    pub schedules: schedules::SchedulesState,
    pub usage: usage::UsageState,
    pub servers: servers::ServersState,
    pub providers: providers::ProvidersState,
    pub crews: crews::CrewsState,
    pub retrieval: retrieval::RetrievalState,
    pub tasks: tasks::TasksState,
}

impl Pages {
    fn all(&mut self) -> [&mut dyn PageState; 18] {
        [
            &mut self.activity,
            &mut self.logs,
            &mut self.profiles,
            &mut self.credentials,
            &mut self.backups,
            &mut self.trash,
            &mut self.settings,
            &mut self.agents,
            &mut self.approvals,
            &mut self.dashboard,
            &mut self.notifications,
            &mut self.schedules,
            &mut self.usage,
            &mut self.servers,
            &mut self.providers,
            &mut self.crews,
            &mut self.retrieval,
            &mut self.tasks,
        ]
    }

    pub(crate) fn opened(&mut self, page: Page) {
        match page {
            Page::Activity => self.activity.opened(),
            Page::Logs => self.logs.opened(),
            Page::Profiles => self.profiles.opened(),
            Page::Credentials => self.credentials.opened(),
            Page::Backups => self.backups.opened(),
            Page::Trash => self.trash.opened(),
            Page::Settings => self.settings.opened(),
            Page::Dashboard => self.dashboard.opened(),
            Page::Agents => self.agents.opened(),
            Page::Tasks => self.tasks.opened(),
            Page::Schedules => self.schedules.opened(),
            Page::Usage => self.usage.opened(),
            Page::Servers => self.servers.opened(),
            Page::Providers => self.providers.opened(),
            Page::Crews => self.crews.opened(),
            Page::Knowledge => self.retrieval.opened(),
            Page::Chat | Page::Models | Page::Gallery => {}
        }
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        for page in self.all() {
            page.hear(event);
        }
    }

    pub(crate) fn poll(&mut self, core: Option<&Core>) {
        for page in self.all() {
            page.poll(core);
        }
    }
}
