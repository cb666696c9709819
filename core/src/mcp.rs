//! Servers of tools over the Model Context Protocol: started or reached when they are needed, listed, called, ended.
//!
//! Whatever a server says is hostile text: its names, descriptions, results, its log, and what it calls harmless.
//! Nothing that it sends is kept without a limit, and nothing that it asks of this program is done but naming its folders.

mod connection;
pub mod http;
mod offer;
mod schema;
pub mod service;
pub mod stdio;
mod tools;
mod wire;
mod words;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use connection::Patience;
pub use service::{Parts, Servers};
pub use wire::Wire;

use crate::api::ApiError;
use crate::model::McpServerDraft;

/// What the names of all tools of servers begin with.
pub const PREFIX: &str = "mcp_";

/// Gives a line to a server: by a program that is started, or over the network.
pub trait Connect: Send + Sync {
    /// Blocks; called within the runtime.
    ///
    /// # Errors
    /// Why it cannot be started or reached, in words.
    fn connect(&self, settings: &McpServerDraft, log: &Arc<Log>) -> Result<Line, ApiError>;
}

/// A line to a server that has not said anything yet.
pub struct Line {
    pub wire: Wire,
    /// How it is confined; empty for one over HTTP.
    pub confinement: String,
    pub life: Arc<dyn Life>,
    /// What may be wrong if it does not begin; empty when nothing is suspected.
    pub hint: String,
}

/// What keeps a server alive.
pub trait Life: Send + Sync {
    /// Ends it with all that it started; blocks for some seconds at most. The second time it does nothing.
    fn end(&self);

    /// How it ended, as far as that is known, in words; empty when it is not. Blocks for a moment.
    fn fate(&self) -> String;
}

/// The last that a server wrote to standard error.
#[derive(Default)]
pub struct Log(Mutex<Vec<u8>>);

impl Log {
    /// In bytes.
    pub const MOST: usize = 16 << 10;

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn add(&self, bytes: &[u8]) {
        let mut kept = self.bytes();
        let newest = &bytes[bytes.len().saturating_sub(Self::MOST)..];
        let over = (kept.len() + newest.len()).saturating_sub(Self::MOST);
        kept.drain(..over);
        kept.extend_from_slice(newest);
    }

    pub fn clear(&self) {
        self.bytes().clear();
    }

    /// Without what would hide or reorder text.
    pub fn text(&self) -> String {
        crate::confine::visible(&String::from_utf8_lossy(&self.bytes()))
    }
}

#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
