//! A request on its way: whose it is, where it came from, whether somebody still waits, and the way back.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{ApiError, Request, Response};
use crate::model::ProfileId;

/// Where a request came from: decides whether the person is asked first.
#[derive(Clone, Debug)]
pub enum Origin {
    /// This process: the window, or a command that asks at its terminal.
    Here,
    /// This process, for a request about which the owner's window is to ask the person. Where no window does, what only
    /// the person may allow is refused.
    Unasked,
    /// Another process, through the local socket.
    Socket(Arc<Asker>),
}

/// A process at the other end of the local socket.
#[derive(Debug)]
pub struct Asker {
    /// Command line, process id and program, for people.
    pub who: String,
}

type Reply = Box<dyn FnOnce(Result<Response, ApiError>) + Send + Sync>;

pub(crate) struct Parcel {
    /// None is the profile that is active when the request is carried out.
    pub profile: Option<ProfileId>,
    pub request: Request,
    pub origin: Origin,
    /// Triggered when nobody waits for the reply any more.
    pub cancel: CancellationToken,
    reply: Reply,
}

impl Parcel {
    pub fn new(
        profile: Option<ProfileId>,
        request: Request,
        origin: Origin,
        cancel: CancellationToken,
        reply: impl FnOnce(Result<Response, ApiError>) + Send + Sync + 'static,
    ) -> Self {
        Self { profile, request, origin, cancel, reply: Box::new(reply) }
    }

    pub fn answer(self, result: Result<Response, ApiError>) {
        (self.reply)(result);
    }
}
