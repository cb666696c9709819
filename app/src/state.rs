//! What the views read: plain values, filled by replies and events, never by views.

pub mod chats;
pub mod consents;
mod look;
mod notices;
pub mod pages;
pub mod persisted;
mod projection;
mod slot;

use std::collections::HashMap;
use std::path::PathBuf;

use rspa_core::api::ApiError;
use rspa_core::model::CatalogueModel;
use rspa_core::model::{
    ChatId, Document, DocumentOutline, DocumentProblem, DocumentText, Job, JobId, JobState, Mentioned, Message,
    MessageId, ModelList, NetworkStatus, Overview, Page as ListPage, ProfileId, Recommendation, SearchQuery,
    SearchResults, SettingEntry, SourceId, SourceStatus, Timestamp, WhyNot,
};
use rspa_core::recovery::{Exported, Recovery};
use serde::{Deserialize, Serialize};

pub use chats::ChatsState;
pub use notices::{Notice, NoticeAction, NoticeKind, Notices};
pub use persisted::Persisted;
pub(crate) use projection::Stale;
pub use slot::Slot;

/// A page of the rail (and the gallery, which only the palette opens).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    Dashboard,
    Chat,
    Agents,
    Tasks,
    Schedules,
    Usage,
    Servers,
    Providers,
    Crews,
    Knowledge,
    Models,
    Activity,
    Logs,
    Profiles,
    Credentials,
    Backups,
    Trash,
    Settings,
    Gallery,
}

impl Page {
    /// What it is called where its openings are counted.
    pub fn key(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Chat => "chat",
            Self::Agents => "agents",
            Self::Tasks => "tasks",
            Self::Schedules => "schedules",
            Self::Usage => "usage",
            Self::Servers => "servers",
            Self::Providers => "providers",
            Self::Crews => "crews",
            Self::Knowledge => "knowledge",
            Self::Models => "models",
            Self::Activity => "activity",
            Self::Logs => "logs",
            Self::Profiles => "profiles",
            Self::Credentials => "credentials",
            Self::Backups => "backups",
            Self::Trash => "trash",
            Self::Settings => "settings",
            Self::Gallery => "gallery",
        }
    }
}

/// A place in a document, as a citation or a search hit names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DocumentTarget {
    pub path: PathBuf,
    /// From 1, inclusive; the lines to mark.
    pub start_line: u32,
    pub end_line: u32,
    /// SHA-256 of the document when the passage was made; empty where it is not known.
    pub hash: String,
}

/// How the engine is doing, as far as the window knows.
#[derive(Clone, Debug, Default)]
pub enum CoreStatus {
    /// The data folder is being opened.
    #[default]
    Starting,
    Ready,
    Failed(ApiError),
    Closed,
}

/// Something that a view reacts to in the one frame in which it is present.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    FocusComposer,
    /// Puts this text into the composer and focuses it.
    Compose(String),
    /// Brings these along with the question in the composer.
    Attach(Vec<Mentioned>),
    /// Scrolls the open chat to this message.
    ShowMessage(ChatId, MessageId),
    FocusSearch,
    /// Shows the results of this search, with the text in the field.
    ShowSearch(String),
    /// Shows what this document is and how it is built.
    ShowDocument(PathBuf),
    /// Shows the activities of this day, and the one that this line of the day's text speaks of.
    ShowDay(String, Option<String>),
}

#[derive(Default)]
pub struct KnowledgeState {
    pub sources: Slot<Vec<SourceStatus>>,
    /// What was last searched for.
    pub query: SearchQuery,
    pub results: Slot<SearchResults>,
    /// What was last searched for, without its filters: asked when they left nothing.
    pub beyond: Option<(SearchQuery, Slot<SearchResults>)>,
    /// Why a named document is not among them.
    pub why_not: Slot<WhyNot>,
    /// Documents of the source that was last listed.
    pub documents: HashMap<SourceId, Slot<ListPage<Document>>>,
    /// By source; none is all sources.
    pub problems: HashMap<Option<SourceId>, Slot<ListPage<DocumentProblem>>>,
    pub texts: HashMap<DocumentTarget, Slot<DocumentText>>,
    /// How the documents that were last looked at are built.
    pub outlines: HashMap<PathBuf, Slot<DocumentOutline>>,
    /// The page that is being fetched, or why it could not be.
    pub page: Slot<SourceStatus>,
}

#[derive(Default)]
pub struct ModelsState {
    pub list: Slot<ModelList>,
    pub recommendation: Slot<Recommendation>,
    pub catalogue: Slot<Vec<CatalogueModel>>,
}

/// The way on when the core could not start because its database is damaged.
#[derive(Clone, Debug, Default)]
pub enum Rescuing {
    /// The database is not damaged, or nobody has looked.
    #[default]
    Nothing,
    /// The data folder is being looked at.
    Looking,
    Found {
        recovery: Box<Recovery>,
        /// Where what can be read is saved, unless the person names another folder.
        target: PathBuf,
        work: RescueWork,
    },
}

/// What recovery does or did last.
#[derive(Clone, Debug, Default)]
pub enum RescueWork {
    #[default]
    Idle,
    Running,
    Saved(Exported),
    Failed(ApiError),
}

/// All that views may read.
#[derive(Default)]
pub struct AppState {
    pub core: CoreStatus,
    /// The profile whose content is shown; none until the core runs.
    pub profile: Option<ProfileId>,
    pub rescuing: Rescuing,
    /// The time of this frame.
    pub now: Timestamp,
    pub network: Option<NetworkStatus>,
    pub overview: Slot<Overview>,
    pub chats: ChatsState,
    pub knowledge: KnowledgeState,
    pub models: ModelsState,
    pub settings: Slot<Vec<SettingEntry>>,
    pub pages: pages::Pages,
    /// Running and finished, in order of start.
    pub jobs: Vec<Job>,
    pub notices: Notices,
    /// Parts that work less well than they should: part and detail.
    pub degraded: Vec<(String, String)>,
    pub signals: Vec<Signal>,
    /// Questions of other processes that wait for the person, oldest first.
    pub consents: consents::Consents,
    /// The program was started once more: this window comes to the front.
    pub window_wanted: bool,
    /// What survives a restart.
    pub ui: Persisted,
    /// What the window kept for the profile that was just switched to, until the shell takes it.
    pub entered: Option<Option<String>>,
    /// Changes of the look that core has not confirmed yet.
    pub look_waits: u32,
    /// The engine must start again, and why.
    pub restart_wanted: Option<String>,
}

impl AppState {
    /// Lets go of everything that came from core: it starts again, perhaps with other data. The window's own stays.
    pub(crate) fn forget_data(&mut self) {
        let old = std::mem::take(self);
        *self = Self { now: old.now, notices: old.notices, ui: old.ui, ..Self::default() };
    }

    pub fn has_signal(&self, signal: &Signal) -> bool {
        self.signals.contains(signal)
    }

    /// The model that answers, if one is installed.
    pub fn chat_model(&self) -> Option<&rspa_core::model::InstalledModel> {
        let models = &self.models.list.get()?.models;
        let chat = |m: &&rspa_core::model::InstalledModel| m.info.kind == rspa_core::model::ModelKind::Chat;
        models.iter().filter(chat).find(|m| m.is_default).or_else(|| models.iter().find(chat))
    }

    pub fn running_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.state == JobState::Running)
    }

    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    pub fn source(&self, id: SourceId) -> Option<&SourceStatus> {
        self.knowledge.sources.get()?.iter().find(|status| status.source.id == id)
    }

    /// Nobody has added a source yet: there are only those that every profile has by itself.
    pub fn has_no_sources(&self) -> bool {
        self.knowledge.sources.get().is_some_and(|all| all.iter().all(|status| status.source.kind.is_built_in()))
    }

    /// The messages of the open chat; empty for a new one.
    pub fn open_messages(&self) -> &[Message] {
        self.chats.open.and_then(|id| self.chats.messages.get(&id)).and_then(Slot::get).map_or(&[], Vec::as_slice)
    }

    /// Forgets everything that belongs to the profile that was shown; this one is shown from now on.
    pub(crate) fn enter_profile(&mut self, profile: ProfileId) {
        self.profile = Some(profile);
        self.network = None;
        self.overview.clear();
        self.chats = ChatsState::default();
        self.knowledge = KnowledgeState::default();
        self.models.list.clear();
        self.jobs.clear();
        self.notices.clear();
        self.signals.clear();
        self.pages = pages::Pages::default();
        // Those that would say that it is done are dropped with the requests of the other profile.
        self.look_waits = 0;
    }

    /// The value of a setting, once settings are known.
    pub fn setting(&self, key: &str) -> Option<&SettingEntry> {
        self.settings.get()?.iter().find(|entry| entry.key == key)
    }
}
