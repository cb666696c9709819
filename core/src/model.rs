//! Plain domain values: ids and records as everything above storage sees them. No behaviour that touches a disk.

pub mod activity;
pub mod agent;
pub mod answer;
pub mod approval;
pub mod backup;
pub mod chart;
pub mod chat;
pub mod check;
pub mod consent;
pub mod credential;
pub mod crew;
pub mod dashboard;
pub mod document;
pub mod exact_path;
pub mod ids;
pub mod job;
pub mod log;
pub mod mcp;
pub mod mention;
pub mod models;
pub mod network;
pub mod notification;
pub mod overview;
pub mod passage;
pub mod profile;
pub mod provider;
pub mod retrieval;
pub mod run;
pub mod schedule;
pub mod search;
pub mod secret;
pub mod setting;
pub mod source;
pub mod task;
pub mod tool;
pub mod trash;
pub mod usage;

pub use activity::*;
pub use agent::*;
pub use answer::*;
pub use approval::*;
pub use backup::*;
pub use chart::*;
pub use chat::*;
pub use check::*;
pub use consent::*;
pub use credential::*;
pub use crew::*;
pub use dashboard::*;
pub use document::*;
pub use ids::*;
pub use job::*;
pub(crate) use log::fold;
pub use log::*;
pub use mcp::*;
pub use mention::*;
pub use models::*;
pub use network::*;
pub use notification::*;
pub use overview::*;
pub use passage::*;
pub use profile::*;
pub use provider::*;
pub use retrieval::*;
pub use run::*;
pub use schedule::*;
pub use search::*;
pub use secret::*;
pub use setting::*;
pub use source::*;
pub use task::*;
pub use tool::*;
pub use trash::*;
pub use usage::*;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// One page of a longer list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Items in the whole list, not only in this page.
    pub total: u64,
    /// Index of the first item of this page.
    pub offset: u64,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    pub offset: u64,
    pub limit: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { offset: 0, limit: 200 }
    }
}
