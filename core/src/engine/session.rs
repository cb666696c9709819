//! Whether the program ended properly last time: a small file lies in the data folder while it runs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Role;
use crate::model::Timestamp;
use crate::workspace::places::{Places, write_private};

const LARGEST: u64 = 4 << 10;

/// The run of the program that owns the data folder now.
pub struct Session {
    file: PathBuf,
    pub running: Running,
    /// The run before this one, when nothing ended it properly: a crash, a kill, a power cut.
    pub cut_off: Option<Running>,
}

/// A run of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    /// `window` or `command`.
    pub role: String,
    pub started: Timestamp,
    pub version: String,
}

impl Session {
    /// Called by the owner of the data folder, once its database is open.
    pub fn begin(places: &Places, role: Role, now: Timestamp) -> Self {
        let file = places.running();
        let cut_off = read(&file);
        let role = match role {
            Role::Window => "window",
            Role::Command => "command",
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let running = Running { pid: std::process::id(), role: role.to_owned(), started: now, version };
        let text = serde_json::to_vec(&running).unwrap_or_default();
        if let Err(error) = write_private(&file, &text) {
            tracing::warn!(%error, "a crash of this run could not be noticed by the next one");
        }
        Self { file, running, cut_off }
    }

    /// The run ends as it should. Called while the database is still ours, so that it is never another's file.
    pub fn end(&self) {
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "the next start will take this end for a crash");
            }
            _ => {}
        }
    }
}

/// Who says that it runs on this data folder.
pub(super) fn owner(places: &Places) -> Option<Running> {
    read(&places.running()).filter(|running| running.pid != 0)
}

/// None when there is no such file; one that cannot be read still tells that a run was cut off.
fn read(file: &std::path::Path) -> Option<Running> {
    let metadata = std::fs::metadata(file).ok()?;
    let unknown = Running { pid: 0, role: "unknown".to_owned(), started: Timestamp(0), version: String::new() };
    if metadata.len() > LARGEST {
        return Some(unknown);
    }
    let read = std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Some(read.unwrap_or(unknown))
}
