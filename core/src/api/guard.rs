//! Which requests only the person may make: asked for in the window before they are carried out for anybody else.
//!
//! The local socket can be reached by every process of the same user, also by one that an agent started. What would let
//! such a process help itself (approvals, the network, credentials, unlocking, what cannot be taken back) is guarded.

use super::Request;
use crate::model::ProfileId;

/// Whether a request from outside the window may be carried out at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    Open,
    /// The person must agree in the window first; the sentence says what will happen.
    Person(String),
    /// Never for anybody but the window itself.
    Window,
}

impl Guard {
    pub(crate) fn person(what: impl Into<String>) -> Self {
        Self::Person(what.into())
    }
}

impl Request {
    pub fn guard(&self) -> Guard {
        self.guard_in(&|_unknown| None)
    }

    /// As [`Request::guard`], with the names of profiles in the sentence.
    pub fn guard_in(&self, names: &dyn Fn(ProfileId) -> Option<String>) -> Guard {
        match self {
            Self::Activities(request) => request.guard(),
            Self::Agents(request) => request.guard(),
            Self::Approvals(request) => request.guard(),
            Self::Backups(request) => request.guard(),
            Self::Chats(request) => request.guard(),
            Self::Consents(request) => request.guard(),
            Self::Credentials(request) => request.guard(),
            Self::Dashboard(request) => request.guard(),
            Self::Knowledge(request) => request.guard(),
            Self::Logs(request) => request.guard(),
            Self::Models(request) => request.guard(),
            Self::Notifications(request) => request.guard(),
            Self::Profiles(request) => request.guard(names),
            Self::Runs(request) => request.guard(),
            Self::Crews(request) => request.guard(),
            Self::Mcp(request) => request.guard(),
            Self::Providers(request) => request.guard(),
            Self::Usage(request) => request.guard(),
            Self::Schedules(request) => request.guard(),
            Self::Settings(request) => request.guard(),
            Self::System(request) => request.guard(),
            Self::Tasks(request) => request.guard(),
            Self::Trash(request) => request.guard(),
        }
    }
}
