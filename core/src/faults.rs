//! Where tests make workers fail: each supervised worker passes here at the start of each turn of its loop.

use std::sync::Arc;

/// Given to a core by a test; the program itself gives none.
pub trait Faults: Send + Sync {
    /// Called on the worker's own thread: a panic in it is a panic of the worker.
    fn at(&self, place: &'static str);
}

/// Every supervised worker. A test goes through this list and lets each of them panic; another one checks that no worker
/// is missing here.
pub const PLACES: &[&str] = &[
    "database",
    "settings",
    "maintenance",
    "daily backup",
    "credentials",
    "indexer",
    "embedder",
    "watcher",
    "knowledge events",
    "logs",
    "answer",
    "notifications",
    "schedules",
    "triggers",
    "crews",
    "queue",
    "queue events",
    "tool servers",
];

/// What a worker calls.
#[derive(Clone, Default)]
pub struct Turns(pub Option<Arc<dyn Faults>>);

impl Turns {
    pub fn at(&self, place: &'static str) {
        if let Some(faults) = &self.0 {
            faults.at(place);
        }
    }
}
