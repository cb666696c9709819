//! What goes over the local socket.

use serde::{Deserialize, Serialize};

use super::{MAGIC, PROTOCOL};
use crate::api::{ApiError, EventEnvelope, Request, Response, Role};
use crate::model::ProfileId;

/// The first frame of a connection. Its first three fields never change their meaning; all others may be missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    pub magic: String,
    pub protocol: u32,
    /// Of the program.
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub role: Option<Role>,
    #[serde(default)]
    pub pid: u32,
    /// What the process says of itself; the owner looks for itself where the system lets it.
    #[serde(default)]
    pub executable: String,
    /// The profile that the client works in; none is the active one.
    #[serde(default)]
    pub profile: Option<ProfileId>,
}

impl Hello {
    /// The greeting of this process.
    pub fn of(role: Role, profile: Option<ProfileId>) -> Self {
        let executable = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
        Self {
            magic: MAGIC.to_owned(),
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            role: Some(role),
            pid: std::process::id(),
            executable,
            profile,
        }
    }
}

/// The answer to a [`Hello`]. Its fields never change their meaning; a variant may be added.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Greeting {
    Welcome(Welcome),
    Refused(Refused),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Welcome {
    pub protocol: u32,
    pub version: String,
    pub role: Role,
    pub pid: u32,
    /// The profile that the person works in.
    pub profile: ProfileId,
    /// What a window would have to wait for, a few words for each.
    #[serde(default)]
    pub busy: Vec<String>,
    /// Its `RSPA_MODELS_PATH`.
    #[serde(default)]
    pub models_path: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refused {
    pub protocol: u32,
    pub version: String,
    pub why: Refusal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The client is older than the owner.
    ClientTooOld,
    /// The client is newer than the owner.
    ClientTooNew,
    /// Too many clients are connected.
    Busy,
    /// The owner ends: the folder is free soon.
    Leaving,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are calls")]
pub enum FromClient {
    Call {
        /// Chosen by the client; used once on a connection.
        id: u64,
        profile: Option<ProfileId>,
        request: Request,
    },
    /// Nobody waits for this reply any more.
    Cancel { id: u64 },
    /// Events from now on.
    Subscribe,
    /// The window comes to the front.
    Raise,
    /// A window wants the data folder; it stays connected until it has opened it.
    TakeOver,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "made once per frame and moved, not kept")]
pub enum FromOwner {
    Reply {
        id: u64,
        result: Result<Response, ApiError>,
    },
    Event(EventEnvelope),
    /// So many events were lost; 0 when nobody counted.
    Gap(u64),
    Raised,
    /// What the window that wants the data folder waits for now, a few words for each.
    BusyWith(Vec<String>),
    /// The owner ends, or gives the folder away, and this connection ends with this message. What was not answered was
    /// not begun, or may be done twice: it may be sent to the next owner. Not so these requests, which are still under
    /// way and will not be waited for.
    Leaving {
        unfinished: Vec<u64>,
    },
    /// The data folder is closed here: the window may open it.
    Released,
}
