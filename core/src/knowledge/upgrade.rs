//! What happens when nobody waits: vectors are loaded, graphs built, and an installed encoder embeds every passage.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::KnowledgeError;
use super::prepare::embedded_text;
use super::service::{Inner, Space};
use super::vector::VectorIndex;
use super::vector::exact::Row;
use crate::model::{SourceId, SourceState};
use crate::storage::knowledge::DocumentRange;

/// Passages per step of the encoder: about a second of work, after which it can be stopped.
const STEP: usize = 12;
/// The built-in embedder is a thousand times faster.
const STATIC_STEP: usize = 512;
/// A window draws its first frames before vectors are loaded.
const AFTER_START: Duration = Duration::from_secs(2);

/// Works until the board closes; sleeps while there is nothing to do.
pub(super) fn run(inner: &Inner) {
    if inner.eager {
        // Nothing ends this wait early but the end of the program.
        inner.board.wait_for(Some(AFTER_START), |board| board.is_closed().then_some(()));
    }
    let mut seen = None;
    while !inner.stop.is_cancelled() {
        if let Err(error) = settle(inner)
            && !matches!(error, KnowledgeError::Cancelled)
        {
            tracing::error!(%error, "background work on vectors failed");
            inner.reports.health("search by meaning", false, &error.to_string());
        }
        // Until another scan has ended, or the encoder changed.
        let next = inner.board.wait_for(None, |board| {
            let now = (board.by_id.values().map(|running| running.ended).sum::<u64>(), board.by_id.len(), board.wishes);
            let quiet = board.scanning.is_none();
            (quiet && seen != Some(now)).then_some(now)
        });
        match next {
            Some(now) => seen = Some(now),
            None => return,
        }
    }
}

/// Brings everything up to date once.
fn settle(inner: &Inner) -> Result<(), KnowledgeError> {
    if let Some(space) = &inner.static_space {
        if inner.eager {
            space.index.load(&inner.store, &inner.stop)?;
        }
        // Passages that were stored when there was no embedder, or another one.
        while step(inner, space, STATIC_STEP)? {}
        graph(inner, space)?;
    }
    // A command lets the encoder work only when somebody waits for it.
    if !inner.eager && inner.board.lock().wishes == 0 {
        return Ok(());
    }
    let Some(space) = inner.load_encoder()? else {
        return finish(inner, None);
    };
    space.index.load(&inner.store, &inner.stop)?;
    loop {
        let more = step(inner, &space, STEP)?;
        finish(inner, Some(&space))?;
        if !more {
            break;
        }
        // A scan comes first: what it finds is searchable sooner.
        inner.board.wait_for(None, |board| board.scanning.is_none().then_some(()));
        if let Some(space) = &inner.static_space {
            graph(inner, space)?;
        }
    }
    graph(inner, &space)
}

fn graph(inner: &Inner, space: &Space) -> Result<(), KnowledgeError> {
    if space.index.wants_graph() {
        space.index.build_graph(&inner.store, &inner.stop)?;
    }
    Ok(())
}

/// Embeds the next passages that lack a vector; false when none is left.
fn step(inner: &Inner, space: &Space, limit: usize) -> Result<bool, KnowledgeError> {
    if inner.stop.is_cancelled() {
        return Err(KnowledgeError::Cancelled);
    }
    let of = space.index.space();
    let covered = inner.store.covered(of)?;
    if covered >= inner.store.last_passage()? {
        return Ok(false);
    }
    let (missing, looked) = inner.store.without_vector(of, covered, limit)?;
    let texts: Vec<String> =
        missing.iter().map(|passage| embedded_text(passage.heading.as_deref(), &passage.text)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = match texts.is_empty() {
        true => Vec::new(),
        false => space.embedder.embed(&texts, &inner.stop).map_err(|error| match error {
            rspa_ml::Error::Cancelled => KnowledgeError::Cancelled,
            other => KnowledgeError::Embedding(other),
        })?,
    };
    let vectors: Arc<Vec<_>> = Arc::new(missing.iter().map(|passage| passage.id).zip(vectors).collect());
    let _order = inner.commits.lock().unwrap_or_else(PoisonError::into_inner);
    let stored = inner.store.put_vectors(of, vectors.clone(), looked)?;
    if space.index.is_loaded() {
        let documents = inner.store.document_ranges()?;
        let rows: Vec<(Row, &[f32])> = vectors
            .iter()
            .filter(|(id, _)| stored.contains(id))
            .filter_map(|(id, vector)| {
                let document = document_of(&documents, *id)?;
                Some((Row { id: *id, source: document.source, kind: document.kind }, vector.as_slice()))
            })
            .collect();
        space.index.apply(&[], &rows);
    }
    Ok(looked < inner.store.last_passage()?)
}

fn document_of(documents: &[DocumentRange], id: u64) -> Option<&DocumentRange> {
    let after = documents.partition_point(|document| document.range.first <= id);
    documents[..after].last().filter(|document| document.range.ids().contains(&id))
}

/// Sources that the encoder has covered are ready.
fn finish(inner: &Inner, space: Option<&Space>) -> Result<(), KnowledgeError> {
    let covered = match space {
        Some(space) => inner.store.covered(space.index.space())?,
        None => u64::MAX,
    };
    let settled = [SourceState::Upgrading, SourceState::Ready];
    let all: Vec<SourceId> = inner
        .board
        .lock()
        .by_id
        .values()
        .filter(|running| settled.contains(&running.state))
        .map(|running| running.source.id)
        .collect();
    for id in all {
        let behind = inner.store.counts(id)?.last_passage > covered;
        let changed = inner.board.change(|board| match board.by_id.get_mut(&id) {
            Some(running) if settled.contains(&running.state) => {
                let state = if behind { SourceState::Upgrading } else { SourceState::Ready };
                std::mem::replace(&mut running.state, state) != state
            }
            _ => false,
        });
        if changed {
            inner.tell(id);
        }
    }
    Ok(())
}

impl Inner {
    /// The installed encoder with its space, loaded when needed.
    pub(super) fn load_encoder(&self) -> Result<Option<Space>, KnowledgeError> {
        let Some(embedder) = self.encoders.encoder() else {
            *self.encoder_space.write().unwrap_or_else(PoisonError::into_inner) = None;
            return Ok(None);
        };
        if let Some(space) = self.encoder()
            && space.embedder.id() == embedder.id()
        {
            return Ok(Some(space));
        }
        let of = self.store.space(embedder.id(), embedder.dimensions())?;
        let mut slot = self.encoder_space.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been quicker.
        if let Some(space) = slot.as_ref()
            && space.embedder.id() == embedder.id()
        {
            return Ok(Some(space.clone()));
        }
        let space = Space { embedder, index: Arc::new(VectorIndex::new(of)) };
        *slot = Some(space.clone());
        Ok(Some(space))
    }
}
