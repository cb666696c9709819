//! Turns events into what the views read.

use rspa_core::api::{Event, EventEnvelope};
use rspa_core::model::{
    Approval, Author, JobKind, JobState, MessageState, Notification, NotificationKind, ProfileId, SourceState, one_line,
};

use super::{AppState, NoticeAction, NoticeKind};
use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::text::{tr, tr_with};

/// What has to be read again after an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stale {
    pub chats: bool,
    pub models: bool,
    pub overview: bool,
    pub sources: bool,
    pub everything: bool,
    /// The person works in this profile now.
    pub switched: Option<ProfileId>,
}

impl std::ops::BitOrAssign for Stale {
    fn bitor_assign(&mut self, other: Self) {
        self.chats |= other.chats;
        self.models |= other.models;
        self.overview |= other.overview;
        self.sources |= other.sources;
        self.everything |= other.everything;
        self.switched = other.switched.or(self.switched);
    }
}

/// Finished jobs that are kept for the list.
const KEPT_JOBS: usize = 50;

impl AppState {
    /// Nothing more will come.
    pub(crate) fn core_closed(&self) -> bool {
        matches!(self.core, super::CoreStatus::Closed)
    }

    /// Applies one event and says what must be asked for anew.
    pub(crate) fn apply(&mut self, envelope: EventEnvelope) -> Stale {
        let mut stale = Stale::default();
        // Only what belongs to the shown profile, or to the whole program, is shown.
        let other = self.profile.is_some() && envelope.profile.is_some_and(|profile| Some(profile) != self.profile);
        if other {
            match envelope.event {
                // The files of models are everybody's, and so is the ledger.
                Event::ModelsChanged => stale.models = true,
                Event::NetworkChanged { .. } => self.pages.profiles.ledger_changed(),
                _ => {}
            }
            return stale;
        }
        self.pages.hear(&envelope.event);
        self.chats.hear(&envelope.event);
        match envelope.event {
            Event::SourceChanged { status } => {
                stale.overview = status.state == SourceState::Ready;
                if let Some(sources) = self.knowledge.sources.get_mut() {
                    match sources.iter_mut().find(|s| s.source.id == status.source.id) {
                        Some(known) => *known = status,
                        None => sources.push(status),
                    }
                } else {
                    stale.sources = true;
                }
                // A list that is on its way may be older than this, and would put it back.
                stale.sources |= self.knowledge.sources.is_waiting();
            }
            Event::SourceRemoved { id } => {
                stale.overview = true;
                if let Some(sources) = self.knowledge.sources.get_mut() {
                    sources.retain(|s| s.source.id != id);
                }
                self.chats.source_removed(id);
                self.knowledge.documents.remove(&id);
                self.knowledge.problems.clear();
                self.knowledge.outlines.clear();
            }
            Event::DocumentsChanged { changes } => {
                // Who looks at one of them asks again.
                for change in &changes {
                    self.knowledge.outlines.remove(&change.path);
                }
                self.chats.documents_changed(&changes);
            }
            Event::MessageChanged { message } => {
                stale.overview = matches!(message.state, MessageState::Complete) && message.author == Author::Model;
                // The list shows how the last message begins.
                stale.chats |= stale.overview;
                self.chats.reading.remove(&message.id);
                if message.stats.is_some() {
                    self.chats.search_ms.remove(&message.id);
                }
                self.chats.put_message(message);
            }
            Event::PassagesFound { chat, message, passages, ms } => {
                self.chats.search_ms.insert(message, ms);
                if let Some(message) = self.chats.message_mut(chat, message) {
                    message.passages = passages;
                }
            }
            Event::AnswerDelta { chat, message, text } => {
                self.chats.reading.remove(&message);
                if let Some(message) = self.chats.message_mut(chat, message) {
                    message.text.push_str(&text);
                    message.state = MessageState::Streaming;
                }
            }
            Event::AnswerProgress { message, done, total, .. } => {
                self.chats.reading.insert(message, (done, total));
            }
            Event::ChatsChanged => stale.chats = true,
            Event::JobChanged { job } => {
                if job.state != JobState::Running {
                    self.tell_of_job(&envelope.at, &job);
                }
                match self.jobs.iter_mut().find(|known| known.id == job.id) {
                    Some(known) => *known = job,
                    None => self.jobs.push(job),
                }
                let finished = self.jobs.iter().filter(|job| job.state != JobState::Running).count();
                if finished > KEPT_JOBS
                    && let Some(oldest) = self.jobs.iter().position(|job| job.state != JobState::Running)
                {
                    self.jobs.remove(oldest);
                }
            }
            Event::ModelsChanged => stale.models = true,
            Event::SettingChanged { entry } => {
                if entry.held.is_some() && self.setting(&entry.key).is_none_or(|known| known.held != entry.held) {
                    let title = tr_with("settings.held_notice", &[("label", &entry.label)]);
                    let detail = entry.problem.clone().unwrap_or_default();
                    self.notices.push(envelope.at, NoticeKind::Warning, title, detail);
                }
                if let Some(known) =
                    self.settings.get_mut().and_then(|all| all.iter_mut().find(|known| known.key == entry.key))
                {
                    *known = entry;
                }
                self.adopt_look();
            }
            Event::NetworkChanged { status } => {
                if let Some(overview) = self.overview.get_mut() {
                    overview.network = status.clone();
                }
                self.network = Some(status);
            }
            Event::ActivityCreated { activity } => {
                if let Some(overview) = self.overview.get_mut() {
                    overview.recent.insert(0, activity);
                    overview.recent.truncate(50);
                }
                stale.overview = true;
            }
            Event::Health { part, healthy, detail } => {
                self.degraded.retain(|(known, _)| *known != part);
                if !healthy {
                    self.notices.push(envelope.at, NoticeKind::Warning, detail.clone(), "");
                    self.degraded.push((part, detail));
                }
            }
            // The pages look at these themselves.
            Event::TrashChanged
            | Event::ProfilesChanged
            | Event::CredentialsChanged
            | Event::BackupsChanged
            | Event::AgentsChanged
            | Event::AgentStatusChanged { .. }
            | Event::TaskChanged { .. }
            | Event::TasksChanged
            | Event::RunStepped { .. }
            | Event::RunText { .. }
            | Event::SchedulesChanged
            | Event::ProvidersChanged
            | Event::CrewsChanged
            | Event::CrewRunChanged { .. }
            | Event::McpChanged
            | Event::RetrievalTestsChanged
            | Event::NotificationsChanged => {}
            Event::NotificationAdded { notification } => self.tell_of(notification),
            Event::ApprovalAsked { approval } => self.tell_of_approval(&approval),
            Event::ApprovalEnded { approval } => {
                self.notices.dismiss_where(&UiCommand::Approvals(ApprovalsCommand::Show(Some(approval.id))))
            }
            Event::ProfileSwitched { profile } => stale.switched = Some(profile),
            Event::RestartNeeded { why } => self.restart_wanted = Some(why),
            Event::ConsentAsked { question } => self.consents.asked(question),
            Event::ConsentEnded { id } => self.consents.ended(id),
            Event::WindowWanted => self.window_wanted = true,
            Event::ShuttingDown => self.core = super::CoreStatus::Closed,
        }
        stale
    }

    /// Calmly, at the edge: whoever types goes on typing.
    fn tell_of_approval(&mut self, approval: &Approval) {
        let short = |text: &str| one_line(text).chars().take(160).collect::<String>();
        let title = tr_with("approvals.toast", &[("agent", &short(&approval.agent_name))]);
        let then = Box::new(UiCommand::Approvals(ApprovalsCommand::Show(Some(approval.id))));
        let action = NoticeAction { label: tr("approvals.show").to_owned(), then };
        self.notices.push_with(self.now, NoticeKind::Warning, title, short(&approval.title), action);
    }

    /// A toast for what finished; what waits for the person is asked in its own place.
    fn tell_of(&mut self, told: Notification) {
        let kind = match told.kind {
            NotificationKind::Done => NoticeKind::Done,
            NotificationKind::Failed => NoticeKind::Error,
            NotificationKind::Info => NoticeKind::Info,
            NotificationKind::NeedsYou => return,
        };
        let then = told.task.map(UiCommand::OpenTask).or(told.agent.map(UiCommand::OpenAgent));
        let action = then.map(|then| NoticeAction { label: tr("notifications.show").to_owned(), then: Box::new(then) });
        self.notices.pass(told.at, kind, told.title, told.detail, action);
    }

    fn tell_of_job(&mut self, at: &rspa_core::model::Timestamp, job: &rspa_core::model::Job) {
        match (&job.state, job.kind) {
            (JobState::Failed(error), _) => {
                let title = tr_with("job.failed", &[("label", &job.label), ("why", &error.message)]);
                self.notices.push(*at, NoticeKind::Error, title, error.advice.clone());
            }
            (JobState::Done, JobKind::Import | JobKind::Download) => {
                self.notices.push(*at, NoticeKind::Done, tr_with("job.done", &[("label", &job.label)]), "");
            }
            (JobState::Cancelled, JobKind::Import | JobKind::Download) => {
                self.notices.push(*at, NoticeKind::Info, job.label.clone(), tr("job.cancelled"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use rspa_core::api::Pending;
    use tokio::sync::oneshot;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::fixtures;

    #[test]
    fn a_list_of_sources_that_is_on_its_way_is_read_once_more_after_a_change() {
        let mut state = fixtures::state();
        let status = fixtures::source(11, "papers", 3_200);
        let envelope = |status| EventEnvelope {
            number: 1,
            at: fixtures::NOW,
            profile: None,
            event: Event::SourceChanged { status },
        };
        assert!(!state.apply(envelope(status.clone())).sources, "the event says it all");
        let (_send, receive) = oneshot::channel();
        state.knowledge.sources.ask(Pending::new(receive, CancellationToken::new()));
        assert!(state.apply(envelope(status)).sources, "what comes may be older");
    }
}
