//! What knowledge tells the rest of the program while it works. The engine implements it; services know no engine.

use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;

use crate::model::{SourceId, SourceStatus};

/// Hears what happens.
pub trait Reports: Send + Sync {
    fn source_changed(&self, status: SourceStatus);

    fn source_removed(&self, id: SourceId);

    /// A part works less well than it should, or works again.
    fn health(&self, part: &str, healthy: bool, detail: &str);

    /// Long work began; `cancel` is triggered when the person stops it.
    fn job(&self, label: &str, cancel: Cancel) -> Box<dyn JobReport>;
}

/// How long work goes on.
pub trait JobReport: Send {
    /// In files.
    fn progress(&mut self, done: u64, total: u64, seconds_left: Option<f64>);

    fn finish(self: Box<Self>, ending: JobEnding);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnding {
    Done,
    Cancelled,
    Failed(String),
}

/// Gives the encoder that is installed, loading it when needed (may block). None without one.
pub trait EncoderProvider: Send + Sync {
    fn encoder(&self) -> Option<Arc<dyn Embedder>>;
}

/// Nobody listens and no encoder is installed: for benchmarks and tests.
pub struct Silent;

impl Reports for Silent {
    fn source_changed(&self, _status: SourceStatus) {}

    fn source_removed(&self, _id: SourceId) {}

    fn health(&self, _part: &str, _healthy: bool, _detail: &str) {}

    fn job(&self, _label: &str, _cancel: Cancel) -> Box<dyn JobReport> {
        Box::new(Self)
    }
}

impl JobReport for Silent {
    fn progress(&mut self, _done: u64, _total: u64, _seconds_left: Option<f64>) {}

    fn finish(self: Box<Self>, _ending: JobEnding) {}
}

impl EncoderProvider for Silent {
    fn encoder(&self) -> Option<Arc<dyn Embedder>> {
        None
    }
}
