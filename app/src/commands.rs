//! What the person can do. Views and the palette put commands into a queue; the shell applies them at the frame's end.

mod action;
pub mod consent;
pub mod open;
pub mod pages;
pub mod palette;
mod shortcuts;

use std::path::PathBuf;

use rspa_core::model::{ChatId, JobId, MessageId, ModelId, PageRequest, Question, SearchQuery, SettingValue, SourceId};

pub use action::Action;
pub use shortcuts::Shortcuts;

use crate::state::{DocumentTarget, NoticeKind, Page};

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum UiCommand {
    /// Something of the palette.
    Run(Action),
    OpenPage(Page),
    /// Opens a page in a pane of its own beside the focused one.
    OpenPageBeside(Page),
    OpenDocument(DocumentTarget),
    CopyText(String),
    Notify {
        kind: NoticeKind,
        title: String,
        detail: String,
    },
    DismissNotice(u64),
    /// Asks first, says what will happen, and then does it.
    Confirm(Confirmation),
    /// Opens the picker; what is chosen becomes a command.
    Pick(PickPurpose),
    /// The welcome is done or left; the chat opens.
    FinishWelcome,

    // Chats
    /// Shows the empty, new chat.
    NewChat,
    OpenChat(ChatId),
    RenameChat {
        chat: ChatId,
        title: String,
    },
    DeleteChat(ChatId),
    /// Sends a question; without a chat one is made first and opened.
    Send {
        chat: Option<ChatId>,
        question: Question,
    },
    RetryAnswer {
        chat: ChatId,
        message: MessageId,
    },
    StopAnswer(MessageId),
    Chats(pages::chats::ChatsCommand),
    /// Opens the chat page with this text in the composer.
    Ask(String),

    // Knowledge
    Search(SearchQuery),
    /// Why a document is not among the hits: part of its path or title.
    ExplainMissing {
        query: SearchQuery,
        name: String,
    },
    /// Asks the same without filters, to tell what these leave out.
    SearchBeyond(SearchQuery),
    /// Opens the knowledge page and shows this document there: what it is and how it is built.
    ShowDocument(PathBuf),
    /// Reads how a document is built into `knowledge.outlines`.
    DescribeDocument(PathBuf),
    /// Opens the dialog for the address of a page.
    TypePage,
    /// Fetches a page; the person was shown the host, and agreed.
    AddPage {
        address: String,
        confirmed_host: String,
    },
    /// Opens the knowledge page and searches there.
    ShowSearch(String),
    AddSource(PathBuf),
    AddSampleSource,
    RemoveSource(SourceId),
    PauseSource {
        id: SourceId,
        paused: bool,
    },
    RescanSource(SourceId),
    ListDocuments {
        source: SourceId,
        filter: String,
        page: PageRequest,
    },
    ListProblems {
        source: Option<SourceId>,
        page: PageRequest,
    },
    /// Reads lines of a document into `knowledge.texts` under this target.
    ReadDocument {
        target: DocumentTarget,
        start_line: u32,
        end_line: u32,
    },

    // Models
    ImportModel(PathBuf),
    RemoveModel(ModelId),
    SetDefaultModel(ModelId),
    /// The person was shown the host and the size, and agreed.
    DownloadModel {
        catalogue_id: String,
        confirmed_host: String,
    },
    CancelJob(JobId),
    /// Looks at the model folders again.
    RefreshModels,

    // Settings
    /// Reads all settings again.
    RefreshSettings,
    SetSetting {
        key: String,
        value: SettingValue,
    },
    /// A setting or a group; none means all.
    ResetSetting(Option<String>),
    /// Takes over what a file was changed to while the program ran.
    AcceptSetting(String),
    /// Writes the settings to a file in this folder.
    ExportSettings(PathBuf),
    /// Shows what this file would change.
    PreviewImport(PathBuf),
    ImportSettings(PathBuf),
    /// The import that was shown is not wanted.
    LeaveImport,

    // Pages with commands of their own
    Activity(pages::activity::ActivityCommand),
    Logs(pages::logs::LogsCommand),
    Profiles(pages::profiles::ProfilesCommand),
    Credentials(pages::credentials::CredentialsCommand),
    Backups(pages::backups::BackupsCommand),
    Trash(pages::trash::TrashCommand),
    Agents(pages::agents::AgentsCommand),
    Approvals(pages::approvals::ApprovalsCommand),
    Dashboard(pages::dashboard::DashboardCommand),
    Notifications(pages::notifications::NotificationsCommand),
    Schedules(pages::schedules::SchedulesCommand),
    Usage(pages::usage::UsageCommand),
    Servers(pages::servers::ServersCommand),
    Providers(pages::providers::ProvidersCommand),
    Crews(pages::crews::CrewsCommand),
    Retrieval(pages::retrieval::RetrievalCommand),
    Tasks(pages::tasks::TasksCommand),
    /// Opens the page "Agents" at this one.
    OpenAgent(rspa_core::model::AgentId),
    /// Opens the page "Tasks" at this one.
    OpenTask(rspa_core::model::TaskId),
    OpenSchedule(rspa_core::model::ScheduleId),
    /// Opens the page "Crews" at this one.
    OpenCrew(rspa_core::model::CrewId),
}

/// A question before something that cannot be taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmation {
    pub title: String,
    /// What will happen, and what will not.
    pub consequence: String,
    /// The word on the button, such as "Delete".
    pub verb: String,
    /// Coloured as a danger.
    pub danger: bool,
    pub then: Box<UiCommand>,
}

/// What a file or folder is picked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickPurpose {
    SourceFolder,
    SourceFile,
    Model,
    /// Folder of the welcome: adds it and goes on to the chat.
    FirstFolder,
    /// Folder that the log is written into.
    LogFolder(rspa_core::model::LogFormat),
    /// The folder that a setting names.
    SettingFolder(String),
    SettingsExport,
    SettingsImport,
    /// Comes along with a question.
    AttachFile,
    AttachFolder,
    /// The folder that a chat is written into.
    ChatExport(ChatId, rspa_core::model::ChatFormat),
    /// A folder that an agent may use.
    AgentFolder,
    /// The file that an agent is made from.
    AgentImport,
    /// The folder that an agent is written into.
    AgentExport(rspa_core::model::AgentId),
    /// A folder that a crew's agents may read.
    CrewFolder,
    /// The file that a crew is made from.
    CrewImport,
    /// The folder that a crew is written into.
    CrewExport(rspa_core::model::CrewId),
    /// The folder that the figures of use are written into.
    UsageFolder(rspa_core::model::UsageFormat),
    /// The folder that the rows of the network ledger are written into.
    LedgerFolder(pages::profiles::LedgerFormat),
    /// A folder that a server of tools may see.
    ServerFolder,
}

/// Commands of this frame, in order.
#[derive(Debug, Default)]
pub struct CommandQueue(Vec<UiCommand>);

impl CommandQueue {
    pub fn push(&mut self, command: UiCommand) {
        self.0.push(command);
    }

    pub fn run(&mut self, action: Action) {
        self.0.push(UiCommand::Run(action));
    }

    pub fn take(&mut self) -> Vec<UiCommand> {
        std::mem::take(&mut self.0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
