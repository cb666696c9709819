//! An index beside the one in use, in a folder of its own, over some documents of the same sources.

use std::path::Path;
use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;

use super::{Chosen, Progress};
use crate::knowledge::chunk::Sizes;
use crate::knowledge::kinds;
use crate::knowledge::reports::{Given, Silent};
use crate::knowledge::runtime::Running;
use crate::knowledge::service::{Config, Inner, Preferences, Service, Space};
use crate::knowledge::{KnowledgeError, upgrade};
use crate::model::{DocumentId, Source};
use crate::storage::knowledge::{Batch, FileChange, KnownFile, NewDocument, NewPassage, Outcome};
use crate::storage::{Db, DbOptions, tables};

/// A batch ends at so many documents or passages.
const BATCH_DOCUMENTS: usize = 128;
const BATCH_PASSAGES: usize = 4_000;
/// Passages that the encoder takes at once: short enough that a cancellation is heeded soon.
const STEP: usize = 32;
/// Of the time of a trial with an encoder, what reading takes.
const READING: f64 = 0.2;

pub(super) struct Shadow {
    service: Service,
    knowledge: Db,
}

impl Shadow {
    /// An empty index in a new folder.
    pub fn open(
        real: &Inner,
        folder: &Path,
        sources: &[Source],
        encoder: Option<Arc<dyn Embedder>>,
        sizes: Sizes,
    ) -> Result<Self, KnowledgeError> {
        crate::workspace::places::private_folder(folder).map_err(KnowledgeError::Trial)?;
        let options = DbOptions { cache_bytes: 32 << 20, ..DbOptions::default() };
        let knowledge = Db::open(&folder.join("knowledge.redb"), &tables::KNOWLEDGE, options)?;
        let preferences = Preferences { sizes, ..(real.preferences)() };
        let service = Service::with_embedder(
            Config {
                profile: real.profile,
                // Only read: chats and tasks are documents too.
                main: real.main.clone(),
                knowledge: knowledge.clone(),
                data: real.data.clone(),
                index: folder.join("index"),
                samples: folder.join("samples"),
                preferences: Arc::new(move || preferences),
                clock: real.clock.clone(),
                reports: Arc::new(Silent),
                encoder: Arc::new(Given(encoder)),
                eager: false,
                built_in: false,
                // Of its own: what lies there and belongs to no source would be removed.
                pages: folder.join("pages"),
                fetch: None,
            },
            real.static_space.as_ref().map(|space| space.embedder.clone()),
        )?;
        // The very sources of the index in use; nothing scans them here.
        service.inner.board.change(|board| {
            board.by_id.clear();
            for source in sources {
                board.by_id.insert(source.id, Running::new(source.clone()));
            }
        });
        service.inner.open_keyword(&service.inner.stop)?;
        Ok(Self { service, knowledge })
    }

    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Reads the documents with the settings of this index. Gives how many could not be read.
    pub fn make(
        &self,
        real: &Inner,
        sources: &[Source],
        chosen: &[Chosen],
        progress: Progress<'_>,
        cancel: &Cancel,
    ) -> Result<u64, KnowledgeError> {
        let inner = &self.service.inner;
        let encoder = inner.filled_encoder()?;
        let reading = if encoder.is_some() { READING } else { 1.0 };
        let preparer = inner.preparer();
        let (mut done, mut unread) = (0, 0);
        for of_source in chosen.chunk_by(|a, b| a.source == b.source) {
            let Some(source) = of_source.first().and_then(|one| sources.get(one.source)) else { continue };
            let kind = kinds::of(real, source);
            let mut loader = kind.loader();
            let mut filling = Filling::new(self, source);
            for one in of_source {
                if cancel.is_cancelled() {
                    return Err(KnowledgeError::Cancelled);
                }
                progress(reading * done as f64 / chosen.len() as f64);
                done += 1;
                let found = kinds::found(source, &one.key, one.stamp);
                let change = preparer.prepare(loader.as_mut(), &found, None::<&KnownFile>, cancel);
                let change = change.ok_or(KnowledgeError::Cancelled)?;
                match change.outcome {
                    Outcome::Indexed(_) => filling.take(change, Vec::new())?,
                    _ => unread += 1,
                }
            }
            filling.flush()?;
        }
        if let Some(space) = encoder {
            let last = inner.store.last_passage()?.max(1) as f64;
            loop {
                if cancel.is_cancelled() {
                    return Err(KnowledgeError::Cancelled);
                }
                let more = upgrade::step(inner, &space, STEP)?;
                progress(reading + (1.0 - reading) * inner.store.covered(space.index.space())? as f64 / last);
                if !more {
                    break;
                }
            }
        }
        self.finish(cancel)?;
        Ok(unread)
    }

    /// Takes over the documents as the index in use has them, with their vectors.
    pub fn copy(
        &self,
        real: &Inner,
        encoder: Option<&Space>,
        sources: &[Source],
        chosen: &[Chosen],
        progress: Progress<'_>,
        cancel: &Cancel,
    ) -> Result<(), KnowledgeError> {
        let inner = &self.service.inner;
        let mut done = 0;
        for of_source in chosen.chunk_by(|a, b| a.source == b.source) {
            let Some(source) = of_source.first().and_then(|one| sources.get(one.source)) else { continue };
            let mut filling = Filling::new(self, source);
            for one in of_source {
                if cancel.is_cancelled() {
                    return Err(KnowledgeError::Cancelled);
                }
                progress(done as f64 / chosen.len() as f64);
                done += 1;
                let Some((document, range)) = real.store.document_at(source, &one.key)? else { continue };
                let ids: Vec<u64> = range.ids().collect();
                let passages = real.store.passages(&ids, std::slice::from_ref(source))?;
                let ids: Vec<u64> = passages.iter().map(|passage| passage.id.0).collect();
                let vectors = match &real.static_space {
                    Some(space) => real.store.vectors(space.index.space(), &ids)?,
                    None => Vec::new(),
                };
                // One for each passage, or none.
                let vectors: Vec<Vec<f32>> = if vectors.len() == ids.len() {
                    vectors.into_iter().map(|(_, vector)| vector).collect()
                } else {
                    Vec::new()
                };
                let encoded = match encoder {
                    Some(space) => real.store.vectors(space.index.space(), &ids)?,
                    None => Vec::new(),
                };
                let encoded = encoded
                    .into_iter()
                    .filter_map(|(id, vector)| Some((ids.binary_search(&id).ok()?, vector)))
                    .collect();
                let passages = passages
                    .into_iter()
                    .map(|passage| NewPassage {
                        start_line: passage.start_line,
                        end_line: passage.end_line,
                        page: passage.page,
                        heading: passage.heading,
                        symbols: passage.symbols,
                        text: passage.text,
                    })
                    .collect();
                let copy = NewDocument {
                    id: DocumentId(inner.ids.next()),
                    kind: document.kind,
                    hash: one.hash,
                    confidence: document.confidence,
                    note: None,
                    seconds: 0.0,
                    title: document.title,
                    metadata: Vec::new(),
                    passages,
                    anchors: Vec::new(),
                    vectors,
                };
                let change = FileChange {
                    path: one.key.clone(),
                    stamp: one.stamp,
                    preparation: 0,
                    outcome: Outcome::Indexed(Box::new(copy)),
                    remark: None,
                };
                filling.take(change, encoded)?;
            }
            filling.flush()?;
        }
        if encoder.is_some()
            && let Some(space) = inner.filled_encoder()?
        {
            // What the index in use has not embedded is not embedded here either.
            let last = inner.store.last_passage()?;
            inner.store.put_vectors(space.index.space(), Arc::new(Vec::new()), last)?;
        }
        self.finish(cancel)
    }

    /// Lets all that was stored be found.
    fn finish(&self, cancel: &Cancel) -> Result<(), KnowledgeError> {
        let inner = &self.service.inner;
        inner.keyword.commit(inner.store.last_change())?;
        self.service.warm(cancel)
    }

    /// Closes its files, so that they can be removed.
    pub fn close(self) {
        self.service.stop();
        drop(self.service);
        self.knowledge.close();
    }
}

/// Documents of one source on their way into an index.
struct Filling<'a> {
    inner: &'a Inner,
    source: &'a Source,
    files: Vec<FileChange>,
    /// Of each document the encoder's vectors, by the place of their passage in it.
    encoded: Vec<Vec<(usize, Vec<f32>)>>,
    passages: usize,
}

impl<'a> Filling<'a> {
    fn new(shadow: &'a Shadow, source: &'a Source) -> Self {
        Self { inner: &shadow.service.inner, source, files: Vec::new(), encoded: Vec::new(), passages: 0 }
    }

    fn take(&mut self, change: FileChange, encoded: Vec<(usize, Vec<f32>)>) -> Result<(), KnowledgeError> {
        if let Outcome::Indexed(document) = &change.outcome {
            self.passages += document.passages.len();
        }
        self.files.push(change);
        self.encoded.push(encoded);
        if self.files.len() >= BATCH_DOCUMENTS || self.passages >= BATCH_PASSAGES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), KnowledgeError> {
        if self.files.is_empty() {
            return Ok(());
        }
        self.passages = 0;
        let encoded = std::mem::take(&mut self.encoded);
        let batch = Arc::new(Batch {
            source: self.source.id,
            at: self.inner.clock.now(),
            space: self.inner.static_space.as_ref().map(|space| space.index.space().id),
            files: std::mem::take(&mut self.files),
            trim_log: 0,
        });
        let applied = self.inner.store.apply(batch.clone())?;
        self.inner.follow(&applied, &batch.files, self.source.id)?;
        if encoded.iter().all(Vec::is_empty) {
            return Ok(());
        }
        if let Some(space) = self.inner.filled_encoder()? {
            let ranges = applied.added.iter().zip(encoded);
            let vectors = ranges
                .flat_map(|(range, encoded)| {
                    encoded.into_iter().map(|(at, vector)| (range.first + at as u64, vector)).collect::<Vec<_>>()
                })
                .collect();
            let space = space.index.space();
            self.inner.store.put_vectors(space, Arc::new(vectors), self.inner.store.last_passage()?)?;
        }
        Ok(())
    }
}
