//! What knowledge tells the rest of the program while it works. The engine implements it; services know no engine.

use std::sync::Arc;

use rspa_ml::embed::Embedder;

use super::KnowledgeError;
use crate::inference::EncoderProvider;
use crate::model::{DocumentChange, Happening, SourceId, SourceStatus};

/// Hears what happens.
pub trait Reports: Send + Sync {
    fn source_changed(&self, status: SourceStatus);

    fn source_removed(&self, id: SourceId);

    /// Documents that were searched before were read again with other bytes, or are gone.
    fn documents_changed(&self, _changes: Vec<DocumentChange>) {}

    /// A part works less well than it should, or works again.
    fn health(&self, part: &str, healthy: bool, detail: &str);

    /// Long work began.
    fn job(&self, label: &str) -> Box<dyn JobReport>;

    /// Something that is worth keeping, such as `source.indexed`.
    fn happened(&self, happening: Happening);

    /// A worker begins a turn of its loop. A test may let it panic here.
    fn turn(&self, _worker: &'static str) {}

    /// A worker panicked for so many times in a row.
    fn worker_failed(&self, _worker: &'static str, _failures: u32, _why: &str) {}
}

/// How long work goes on.
pub trait JobReport: Send + Sync {
    /// In files.
    fn progress(&self, done: u64, total: u64);

    /// The person wants it to stop.
    fn is_cancelled(&self) -> bool;

    fn finish(self: Box<Self>, result: Result<(), KnowledgeError>);
}

/// Nobody listens and no encoder is installed: for benchmarks and tests.
pub struct Silent;

impl Reports for Silent {
    fn source_changed(&self, _status: SourceStatus) {}

    fn source_removed(&self, _id: SourceId) {}

    fn health(&self, _part: &str, _healthy: bool, _detail: &str) {}

    fn job(&self, _label: &str) -> Box<dyn JobReport> {
        Box::new(Self)
    }

    fn happened(&self, _happening: Happening) {}
}

impl JobReport for Silent {
    fn progress(&self, _done: u64, _total: u64) {}

    fn is_cancelled(&self) -> bool {
        false
    }

    fn finish(self: Box<Self>, _result: Result<(), KnowledgeError>) {}
}

impl EncoderProvider for Silent {
    fn encoder(&self) -> Option<Arc<dyn Embedder>> {
        None
    }
}

/// The encoder that was given, if any.
pub(super) struct Given(pub Option<Arc<dyn Embedder>>);

impl EncoderProvider for Given {
    fn encoder(&self) -> Option<Arc<dyn Embedder>> {
        self.0.clone()
    }
}
