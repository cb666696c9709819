//! What the engine tells everybody who listens: one closed enum, numbered, bounded.

use serde::{Deserialize, Serialize};

use crate::model::{
    Activity, AgentId, AgentStatus, Approval, ChatId, ConsentId, ConsentQuestion, CrewRun, DocumentChange, Job,
    Message, MessageId, NetworkStatus, Notification, Passage, ProfileId, RunId, RunStep, SettingEntry, SourceId,
    SourceStatus, Task, TaskId, TaskStatus, Timestamp,
};

/// An event with its number. Numbers rise by one; a gap means that the listener was too slow and must read again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventEnvelope {
    pub number: u64,
    pub at: Timestamp,
    /// None for what concerns the whole program.
    pub profile: Option<ProfileId>,
    pub event: Event,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "messages come seldom beside the pieces of their text, and are moved")]
pub enum Event {
    SourceChanged {
        status: SourceStatus,
    },
    SourceRemoved {
        id: SourceId,
    },
    /// Documents that were searched before were read again with other bytes, or are gone: what cites them is stale.
    DocumentsChanged {
        changes: Vec<DocumentChange>,
    },
    /// A message began, changed state, or is complete with its citations. Carries the whole message.
    MessageChanged {
        message: Message,
    },
    /// The passages for an answer are there; the model starts now.
    PassagesFound {
        chat: ChatId,
        message: MessageId,
        passages: Vec<Passage>,
        ms: f64,
    },
    /// The next piece of a streaming answer.
    AnswerDelta {
        chat: ChatId,
        message: MessageId,
        text: String,
    },
    /// The model reads the prompt: tokens done, of all. 0 of 0: another answer is being made first.
    AnswerProgress {
        chat: ChatId,
        message: MessageId,
        done: u32,
        total: u32,
    },
    /// A chat was made, renamed, or deleted: read the list again.
    ChatsChanged,
    JobChanged {
        job: Job,
    },
    ModelsChanged,
    SettingChanged {
        entry: SettingEntry,
    },
    NetworkChanged {
        status: NetworkStatus,
    },
    /// Something works less well than it should, or works again (`healthy`), in words.
    Health {
        part: String,
        healthy: bool,
        detail: String,
    },
    /// Something happened and was kept.
    ActivityCreated {
        activity: Activity,
    },
    /// Something went into the trash, came back, or went for good: read the list again.
    TrashChanged,
    /// A profile was made, renamed, deleted, or its policy changed: read the list again.
    ProfilesChanged,
    /// The person works in this profile now: everything shown belongs to another one.
    ProfileSwitched {
        profile: ProfileId,
    },
    /// A credential was set, removed, tested, or the vault was locked or unlocked: read the list again.
    CredentialsChanged,
    /// A backup was made or removed: read the list again.
    BackupsChanged,
    /// A restore is prepared: the core must be started again to finish it.
    RestartNeeded {
        why: String,
    },
    /// A request from outside waits for the person.
    ConsentAsked {
        question: ConsentQuestion,
    },
    /// A question was answered, or whoever asked has gone.
    ConsentEnded {
        id: ConsentId,
    },
    /// An agent was made, changed, deleted, or its figures changed: read the list again.
    AgentsChanged,
    AgentStatusChanged {
        agent: AgentId,
        name: String,
        status: AgentStatus,
    },
    /// A task was made, changed, moved, goes on or ended. Carries the whole task.
    TaskChanged {
        task: Box<Task>,
    },
    /// Many tasks changed at once, or were deleted: read the list again.
    TasksChanged,
    /// A step of a run was recorded, or changed since.
    RunStepped {
        run: RunId,
        task: Option<TaskId>,
        step: Box<RunStep>,
    },
    /// The next piece of what a run's model says.
    RunText {
        run: RunId,
        task: Option<TaskId>,
        text: String,
    },
    /// An agent waits for the person's word.
    ApprovalAsked {
        approval: Box<Approval>,
    },
    /// It was answered, or nobody needs it any more.
    ApprovalEnded {
        approval: Box<Approval>,
    },
    /// A schedule was made, changed, ran or was deleted: read the list again.
    SchedulesChanged,
    /// The person is told something, now and in the notification centre.
    NotificationAdded {
        notification: Notification,
    },
    /// Notifications were read or cleared: read the list again.
    NotificationsChanged,
    /// A provider was added, changed, removed, or is in another state; or the routing changed: read the list again.
    ProvidersChanged,
    /// A crew was made, changed or deleted: read the list again.
    CrewsChanged,
    /// A run of a crew began, went on or ended. Carries the whole run.
    CrewRunChanged {
        run: Box<CrewRun>,
    },
    /// A server of tools was added, changed, removed, or is in another state: read the list again.
    McpChanged,
    /// A retrieval test was saved or removed, or they were asked: read the list again.
    RetrievalTestsChanged,
    /// The program was started once more: the window comes to the front.
    WindowWanted,
    ShuttingDown,
}

impl Event {
    /// What it is called in logs and outside of the program; never changed once it was given.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SourceChanged { .. } => "source.changed",
            Self::SourceRemoved { .. } => "source.removed",
            Self::DocumentsChanged { .. } => "documents.changed",
            Self::MessageChanged { .. } => "message.changed",
            Self::PassagesFound { .. } => "answer.passages.found",
            Self::AnswerDelta { .. } => "answer.delta",
            Self::AnswerProgress { .. } => "answer.progress",
            Self::ChatsChanged => "chats.changed",
            Self::JobChanged { .. } => "job.changed",
            Self::ModelsChanged => "models.changed",
            Self::SettingChanged { .. } => "setting.changed",
            Self::NetworkChanged { .. } => "network.changed",
            Self::Health { healthy: true, .. } => "health.restored",
            Self::Health { healthy: false, .. } => "health.degraded",
            Self::ActivityCreated { .. } => "activity.created",
            Self::TrashChanged => "trash.changed",
            Self::ProfilesChanged => "profiles.changed",
            Self::ProfileSwitched { .. } => "profile.switched",
            Self::CredentialsChanged => "credentials.changed",
            Self::BackupsChanged => "backups.changed",
            Self::RestartNeeded { .. } => "restart.needed",
            Self::ConsentAsked { .. } => "consent.asked",
            Self::ConsentEnded { .. } => "consent.ended",
            Self::AgentsChanged => "agents.changed",
            Self::AgentStatusChanged { .. } => "agent.status.changed",
            Self::TaskChanged { task } => match task.status {
                TaskStatus::Pending => "task.changed",
                TaskStatus::Running => "task.started",
                TaskStatus::Completed => "task.completed",
                TaskStatus::Failed => "task.failed",
                TaskStatus::Cancelled => "task.cancelled",
            },
            Self::TasksChanged => "tasks.changed",
            Self::RunStepped { .. } => "run.step",
            Self::RunText { .. } => "run.delta",
            Self::ApprovalAsked { .. } => "approval.asked",
            Self::ApprovalEnded { .. } => "approval.ended",
            Self::SchedulesChanged => "schedules.changed",
            Self::NotificationAdded { .. } => "notification.added",
            Self::NotificationsChanged => "notifications.changed",
            Self::ProvidersChanged => "providers.changed",
            Self::CrewsChanged => "crews.changed",
            Self::CrewRunChanged { .. } => "crew.run.changed",
            Self::McpChanged => "mcp.changed",
            Self::RetrievalTestsChanged => "retrieval.changed",
            Self::WindowWanted => "window.wanted",
            Self::ShuttingDown => "core.stopping",
        }
    }
}
