//! Opening the indexes: what was missing since the last end is replayed, what is damaged is made again; told with its time.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;

use super::KnowledgeError;
use super::keyword::Opened;
use super::service::{Inner, Service, Space};
use super::vector::Loaded;

impl Service {
    /// What opening the indexes had to mend since the start, in words with the time it took.
    pub fn healed(&self) -> Vec<String> {
        self.inner.healed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Inner {
    /// Opens the keyword index if that has not happened yet; repairs it when it is damaged.
    pub(super) fn open_keyword(&self, cancel: &Cancel) -> Result<(), KnowledgeError> {
        if self.keyword.is_open() {
            return Ok(());
        }
        let started = Instant::now();
        match self.keyword.open(&self.store, cancel)? {
            Some(Opened::Rebuilt(reason)) if self.store.passage_count()? > 0 => {
                self.rebuilt("keyword index", &reason, started.elapsed());
            }
            Some(Opened::Replayed(changes)) if changes > 0 => {
                self.replayed("keyword index", changes, started.elapsed());
            }
            opened => tracing::debug!(?opened, "the keyword index is open"),
        }
        Ok(())
    }

    /// Loads the vectors of an embedder if that has not happened yet.
    pub(super) fn load_vectors(&self, space: &Space, cancel: &Cancel) -> Result<(), KnowledgeError> {
        if space.index.is_loaded() {
            return Ok(());
        }
        let started = Instant::now();
        let name = format!("vectors of {}", space.embedder.id());
        match space.index.load(&self.store, cancel)? {
            Some(Loaded::Rebuilt(reason)) => self.rebuilt(&name, &reason, started.elapsed()),
            Some(Loaded::Replayed(changes)) if changes > 0 => self.replayed(&name, changes, started.elapsed()),
            loaded => tracing::debug!(?loaded, "{name} are loaded"),
        }
        Ok(())
    }

    fn rebuilt(&self, what: &str, reason: &str, took: Duration) {
        self.mended(what, &format!("made again from the store in {} ms: {reason}", took.as_millis()));
    }

    fn replayed(&self, what: &str, changes: usize, took: Duration) {
        self.mended(what, &format!("caught up with {changes} changes in {} ms", took.as_millis()));
    }

    fn mended(&self, what: &str, how: &str) {
        tracing::info!("{what}: {how}");
        self.reports.health(what, true, how);
        self.healed.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{what}: {how}"));
    }
}
