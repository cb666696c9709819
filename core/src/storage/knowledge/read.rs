//! Reads of the knowledge store: what is known of files, passages for hits, lists, and what indexes replay.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use half::f16;
use half::slice::HalfFloatSliceExt;
use redb::ReadableTableMetadata;
use uuid::Uuid;

use super::{
    COUNTS, Counts, DOCUMENTS, DocumentRange, FILES, KnowledgeStore, KnownFile, LOG, NEXT_PASSAGE, NUMBERS, PASSAGES,
    PROBLEMS, PassageRange, SPACES, Space, StoredChange, StoredDocument, StoredFile, StoredPassage, VECTORS, hex,
    write,
};
use crate::model::exact_path::path_of;
use crate::model::{
    ChatId, Document, DocumentId, DocumentKind, DocumentProblem, MessageId, Origin, Page, PageRequest, Passage,
    PassageId, Source, SourceId, SourceKind, TaskId, Timestamp,
};
use crate::storage::{ReadTxn, RecordReading, StorageError, decode};

pub(super) const TRIMMED: &str = "trimmed";

/// The path of a file of a source.
pub fn absolute(root: &Path, relative: &[u8]) -> PathBuf {
    match path_of(relative) {
        Some(path) if !path.as_os_str().is_empty() => root.join(path),
        _ => root.to_owned(),
    }
}

/// A passage with what the indexes need beside its text.
#[derive(Clone, Debug)]
pub struct IndexedPassage {
    pub id: u64,
    pub range: PassageRange,
    pub source: SourceId,
    pub kind: crate::model::DocumentKind,
    /// Within its source.
    pub path: PathBuf,
    pub heading: Option<String>,
    pub symbols: Vec<String>,
    /// When the file was last changed; milliseconds since the Unix epoch.
    pub modified: i64,
    pub text: String,
}

/// A passage that an embedder has not seen yet.
#[derive(Clone, Debug)]
pub struct Unembedded {
    pub id: u64,
    pub heading: Option<String>,
    pub text: String,
}

/// The document of a passage, with its source and its path there.
type Owner<'a> = (&'a Source, Vec<u8>, StoredDocument);

/// What changed after a change number.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// The state that the replay leads to.
    pub change: u64,
    /// In order; a removed range may be one that was added before.
    pub steps: Vec<(Vec<PassageRange>, Vec<PassageRange>)>,
}

impl KnowledgeStore {
    pub fn last_change(&self) -> u64 {
        self.db.last_change()
    }

    /// All files of a source that were dealt with, by their path within it.
    pub fn known_files(&self, source: SourceId) -> Result<HashMap<Vec<u8>, KnownFile>, StorageError> {
        let mut known = HashMap::new();
        self.each_file(source, |path, file| {
            let hash = file.document.map(|document| document.hash);
            known.insert(path.to_vec(), KnownFile { stamp: file.stamp, hash, preparation: file.preparation });
        })?;
        Ok(known)
    }

    /// Calls `visit` with each file of a source, by path within it.
    fn each_file(&self, source: SourceId, mut visit: impl FnMut(&[u8], StoredFile)) -> Result<(), StorageError> {
        let txn = self.db.read()?;
        let table = txn.table(FILES)?;
        let owner = source.0.as_u128();
        for row in table.range((owner, &[][..])..)? {
            let (key, value) = row?;
            let (of, path) = key.value();
            if of != owner {
                break;
            }
            visit(path, decode(value.value())?);
        }
        Ok(())
    }

    pub fn known_file(&self, source: SourceId, path: &[u8]) -> Result<Option<KnownFile>, StorageError> {
        let file: Option<StoredFile> = self.db.read()?.table(FILES)?.record((source.0.as_u128(), path))?;
        Ok(file.map(|file| KnownFile {
            preparation: file.preparation,
            stamp: file.stamp,
            hash: file.document.map(|document| document.hash),
        }))
    }

    /// Sources that have files, problems or figures here.
    pub fn known_sources(&self) -> Result<Vec<SourceId>, StorageError> {
        let txn = self.db.read()?;
        let table = txn.table(COUNTS)?;
        table.iter()?.map(|row| Ok(SourceId(Uuid::from_u128(row?.0.value())))).collect()
    }

    pub fn counts(&self, source: SourceId) -> Result<Counts, StorageError> {
        Ok(self.db.read()?.table(COUNTS)?.record(source.0.as_u128())?.unwrap_or_default())
    }

    /// Passages of the whole profile.
    pub fn passage_count(&self) -> Result<u64, StorageError> {
        Ok(self.db.read()?.table(PASSAGES)?.len()?)
    }

    /// The highest passage id given so far; 0 for none.
    pub fn last_passage(&self) -> Result<u64, StorageError> {
        Ok(self.db.read()?.table(NUMBERS)?.get(NEXT_PASSAGE)?.map_or(0, |next| next.value() - 1))
    }

    /// Passages by id, in the order asked for; those that are gone, or of sources not given, are left out.
    pub fn passages(&self, ids: &[u64], sources: &[Source]) -> Result<Vec<Passage>, StorageError> {
        let txn = self.db.read()?;
        let (passages, documents, files) = (txn.table(PASSAGES)?, txn.table(DOCUMENTS)?, txn.table(FILES)?);
        let mut found = Vec::with_capacity(ids.len());
        // Candidates of a search often lie in the same documents.
        let mut known: HashMap<u128, Option<Owner<'_>>> = HashMap::new();
        let find = |document: u128| -> Result<_, StorageError> {
            let Some(key) = documents.get(document)? else { return Ok(None) };
            let (owner, path) = key.value();
            let Some(source) = sources.iter().find(|source| source.id.0.as_u128() == owner) else { return Ok(None) };
            let file = files.record::<StoredFile>((owner, path))?;
            Ok(file.and_then(|file| file.document).map(|document| (source, path.to_vec(), document)))
        };
        for id in ids {
            let Some(stored) = passages.record::<StoredPassage>(*id)? else { continue };
            let owner = match known.entry(stored.document) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(find(stored.document)?),
            };
            let Some((source, path, document)) = owner else { continue };
            found.push(Passage {
                id: PassageId(*id),
                document: DocumentId(Uuid::from_u128(stored.document)),
                source: source.id,
                path: absolute(&source.path, path),
                kind: document.kind,
                start_line: stored.start_line,
                end_line: stored.end_line,
                page: stored.page,
                heading: stored.heading,
                text: stored.text,
                document_hash: hex(&document.hash),
                title: document.title.clone(),
                symbols: stored.symbols,
                origin: origin(source, path, document.kind, stored.anchor),
            });
        }
        Ok(found)
    }

    /// The document at a path within a source.
    pub fn document(&self, source: &Source, path: &[u8]) -> Result<Option<Document>, StorageError> {
        let file: Option<StoredFile> = self.db.read()?.table(FILES)?.record((source.id.0.as_u128(), path))?;
        Ok(file.and_then(|file| document_of(source, path, file)))
    }

    /// Documents of a source by path; `filter` is part of the path, any case.
    pub fn documents(&self, source: &Source, filter: &str, page: PageRequest) -> Result<Page<Document>, StorageError> {
        let filter = filter.trim().to_lowercase();
        let (mut items, mut total) = (Vec::new(), 0_u64);
        self.each_file(source.id, |path, file| {
            let Some(document) = &file.document else { return };
            let says = |text: &str| text.to_lowercase().contains(&filter);
            let titled = document.title.as_deref().is_some_and(says);
            if !filter.is_empty() && !titled && !says(&String::from_utf8_lossy(path)) {
                return;
            }
            if total >= page.offset && (items.len() as u64) < u64::from(page.limit) {
                items.extend(document_of(source, path, file));
            }
            total += 1;
        })?;
        Ok(Page { items, total, offset: page.offset })
    }

    /// The document that is indexed under a path of a source, with its passages.
    pub fn document_at(&self, source: &Source, path: &[u8]) -> Result<Option<(Document, PassageRange)>, StorageError> {
        let file: Option<StoredFile> = self.db.read()?.table(FILES)?.record((source.id.0.as_u128(), path))?;
        let Some(file) = file else { return Ok(None) };
        let range = file.document.as_ref().map(|document| document.passages);
        Ok(document_of(source, path, file).zip(range))
    }

    /// Why a file of a source could not be read, or only in part.
    pub fn problem_at(&self, source: SourceId, path: &[u8]) -> Result<Option<String>, StorageError> {
        let txn = self.db.read()?;
        let table = txn.table(PROBLEMS)?;
        Ok(table.get((source.0.as_u128(), path))?.map(|row| row.value().0.to_owned()))
    }

    /// Problems of these sources, by path.
    pub fn problems(&self, sources: &[Source], page: PageRequest) -> Result<Page<DocumentProblem>, StorageError> {
        let txn = self.db.read()?;
        let table = txn.table(PROBLEMS)?;
        let (mut items, mut total) = (Vec::new(), 0_u64);
        for source in sources {
            let owner = source.id.0.as_u128();
            for row in table.range((owner, &[][..])..)? {
                let (key, value) = row?;
                let (of, path) = key.value();
                if of != owner {
                    break;
                }
                if total >= page.offset && (items.len() as u64) < u64::from(page.limit) {
                    let (reason, at) = value.value();
                    items.push(DocumentProblem {
                        source: source.id,
                        path: absolute(&source.path, path),
                        reason: reason.to_owned(),
                        at: Timestamp(at),
                    });
                }
                total += 1;
            }
        }
        Ok(Page { items, total, offset: page.offset })
    }

    /// Every document's passages, for an index that is loaded or built again, and the change number of this view.
    pub fn document_ranges(&self) -> Result<Vec<DocumentRange>, StorageError> {
        ranges(&self.db.read()?)
    }

    /// Calls `visit` for each passage in order of ids, until it says false. Gives the change number of this view.
    pub fn each_passage(&self, mut visit: impl FnMut(IndexedPassage) -> bool) -> Result<u64, StorageError> {
        let change = self.db.last_change();
        let txn = self.db.read()?;
        let table = txn.table(FILES)?;
        let passages = txn.table(PASSAGES)?;
        for row in table.iter()? {
            let (key, value) = row?;
            let (owner, path) = key.value();
            let file: StoredFile = decode(value.value())?;
            let Some(document) = file.document else { continue };
            let source = SourceId(Uuid::from_u128(owner));
            for id in document.passages.ids() {
                let Some(passage) = passages.record::<StoredPassage>(id)? else { continue };
                let indexed = IndexedPassage {
                    id,
                    range: document.passages,
                    source,
                    kind: document.kind,
                    path: path_of(path).unwrap_or_default(),
                    heading: passage.heading,
                    symbols: passage.symbols,
                    modified: file.stamp.modified / 1_000_000,
                    text: passage.text,
                };
                if !visit(indexed) {
                    return Ok(change);
                }
            }
        }
        Ok(change)
    }

    /// The passages of one document's range, for a replay; empty when they are gone.
    pub fn passages_of(&self, range: PassageRange) -> Result<Vec<IndexedPassage>, StorageError> {
        let txn = self.db.read()?;
        let (passages, documents, files) = (txn.table(PASSAGES)?, txn.table(DOCUMENTS)?, txn.table(FILES)?);
        let mut found = Vec::new();
        for id in range.ids() {
            let Some(passage) = passages.record::<StoredPassage>(id)? else { continue };
            let Some(key) = documents.get(passage.document)? else { continue };
            let (owner, path) = key.value();
            let Some(file) = files.record::<StoredFile>((owner, path))? else { continue };
            let Some(document) = file.document else { continue };
            found.push(IndexedPassage {
                id,
                range,
                source: SourceId(Uuid::from_u128(owner)),
                kind: document.kind,
                path: path_of(path).unwrap_or_default(),
                heading: passage.heading,
                symbols: passage.symbols,
                modified: file.stamp.modified / 1_000_000,
                text: passage.text,
            });
        }
        Ok(found)
    }

    /// The document of a range, while it is there.
    pub fn document_of(&self, range: PassageRange) -> Result<Option<DocumentRange>, StorageError> {
        let txn = self.db.read()?;
        let (passages, documents, files) = (txn.table(PASSAGES)?, txn.table(DOCUMENTS)?, txn.table(FILES)?);
        let Some(passage) = passages.record::<StoredPassage>(range.first)? else { return Ok(None) };
        let Some(key) = documents.get(passage.document)? else { return Ok(None) };
        let (owner, path) = key.value();
        let Some(file) = files.record::<StoredFile>((owner, path))? else { return Ok(None) };
        let modified = file.stamp.modified / 1_000_000;
        let source = SourceId(Uuid::from_u128(owner));
        Ok(file.document.map(|document| DocumentRange { range, source, kind: document.kind, modified }))
    }

    /// What came after a change; none when the log does not reach back that far.
    pub fn replay_after(&self, applied: u64) -> Result<Option<Replay>, StorageError> {
        // The number is read first: what is committed in between is replayed twice at most, which does no harm.
        let change = self.db.last_change();
        let txn = self.db.read()?;
        let trimmed = txn.table(NUMBERS)?.get(TRIMMED)?.map_or(0, |number| number.value());
        if applied < trimmed || applied > change {
            return Ok(None);
        }
        let log = txn.table(LOG)?;
        let mut steps = Vec::new();
        for row in log.range((Bound::Excluded(applied), Bound::Unbounded))? {
            let entry: StoredChange = decode(row?.1.value())?;
            steps.push((entry.removed, entry.added));
        }
        Ok(Some(Replay { change, steps }))
    }

    pub(super) fn known_space(&self, embedder: &str) -> Result<Option<Space>, StorageError> {
        let txn = self.db.read()?;
        let table = txn.table(SPACES)?;
        Ok(table.get(embedder)?.map(|value| {
            let (id, dimensions) = value.value();
            Space { id, dimensions: dimensions as usize }
        }))
    }

    /// The encoder's space that last covered everything, with the name of its embedder.
    pub fn searched_space(&self) -> Result<Option<(String, Space)>, StorageError> {
        let txn = self.db.read()?;
        let Some(wanted) = txn.table(NUMBERS)?.get(write::SEARCHED)?.map(|number| number.value()) else {
            return Ok(None);
        };
        for row in txn.table(SPACES)?.iter()? {
            let (name, value) = row?;
            let (id, dimensions) = value.value();
            if u64::from(id) == wanted {
                return Ok(Some((name.value().to_owned(), Space { id, dimensions: dimensions as usize })));
            }
        }
        Ok(None)
    }

    /// Up to which passage id a space covers everything.
    pub fn covered(&self, space: Space) -> Result<u64, StorageError> {
        let txn = self.db.read()?;
        let table = txn.table(NUMBERS)?;
        Ok(table.get(write::covered_name(space).as_str())?.map_or(0, |number| number.value()))
    }

    /// The next passages above `after` without a vector in the space, at most `limit`, and the id up to which was looked.
    pub fn without_vector(
        &self,
        space: Space,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Unembedded>, u64), StorageError> {
        let txn = self.db.read()?;
        let (passages, vectors) = (txn.table(PASSAGES)?, txn.table(VECTORS)?);
        let mut found = Vec::new();
        let mut looked = after;
        for row in passages.range((Bound::Excluded(after), Bound::Unbounded))? {
            let (key, value) = row?;
            if found.len() >= limit {
                return Ok((found, looked));
            }
            looked = key.value();
            if vectors.get((space.id, looked))?.is_none() {
                let passage: StoredPassage = decode(value.value())?;
                found.push(Unembedded { id: looked, heading: passage.heading, text: passage.text });
            }
        }
        let last = txn.table(NUMBERS)?.get(NEXT_PASSAGE)?.map_or(0, |next| next.value() - 1);
        Ok((found, looked.max(last)))
    }

    /// Which of these passages lack a vector in the space, in the order given.
    pub fn unembedded(&self, space: Space, ids: &[u64]) -> Result<Vec<Unembedded>, StorageError> {
        let txn = self.db.read()?;
        let (passages, vectors) = (txn.table(PASSAGES)?, txn.table(VECTORS)?);
        let mut found = Vec::new();
        for id in ids {
            if vectors.get((space.id, *id))?.is_none()
                && let Some(passage) = passages.record::<StoredPassage>(*id)?
            {
                found.push(Unembedded { id: *id, heading: passage.heading, text: passage.text });
            }
        }
        Ok(found)
    }

    /// Vectors of these passages, as stored; those without one are left out.
    pub fn vectors(&self, space: Space, ids: &[u64]) -> Result<Vec<(u64, Vec<f32>)>, StorageError> {
        let txn = self.db.read()?;
        let table = txn.table(VECTORS)?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(bytes) = table.get((space.id, *id))?
                && let Some(vector) = floats(bytes.value(), space.dimensions)
            {
                found.push((*id, vector));
            }
        }
        Ok(found)
    }

    /// Calls `visit` with each stored vector of a space whose document exists, in order of passage ids.
    pub fn each_vector(
        &self,
        space: Space,
        visit: impl FnMut(u64, &DocumentRange, &[f32]) -> bool,
    ) -> Result<(), StorageError> {
        self.each_vector_above(space, 0, visit)
    }

    /// As [`KnowledgeStore::each_vector`], for passages above this id.
    pub fn each_vector_above(
        &self,
        space: Space,
        above: u64,
        mut visit: impl FnMut(u64, &DocumentRange, &[f32]) -> bool,
    ) -> Result<(), StorageError> {
        let txn = self.db.read()?;
        let ranges = ranges(&txn)?;
        let table = txn.table(VECTORS)?;
        let mut at = 0;
        for row in table.range((space.id, above.saturating_add(1))..=(space.id, u64::MAX))? {
            let (key, value) = row?;
            let id = key.value().1;
            while ranges.get(at).is_some_and(|document| document.range.ids().end <= id) {
                at += 1;
            }
            let Some(document) = ranges.get(at).filter(|document| document.range.first <= id) else { continue };
            let Some(values) = floats(value.value(), space.dimensions) else { continue };
            if !visit(id, document, &values) {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn document_of(source: &Source, path: &[u8], file: StoredFile) -> Option<Document> {
    let document = file.document?;
    Some(Document {
        id: DocumentId(Uuid::from_u128(document.id)),
        source: source.id,
        path: absolute(&source.path, path),
        kind: document.kind,
        size_bytes: file.stamp.size,
        modified: Timestamp(file.stamp.modified / 1_000_000),
        hash: hex(&document.hash),
        passages: document.passages.count,
        indexed: Timestamp(document.indexed),
        confidence: document.confidence,
        note: document.note,
        seconds: document.seconds,
        title: document.title,
        metadata: document.metadata,
    })
}

/// What a document is made from, by the kind of its source and its path within it.
fn origin(source: &Source, path: &[u8], kind: DocumentKind, anchor: Option<u128>) -> Origin {
    let name = || std::str::from_utf8(path).ok();
    let id = || name().and_then(|name| Uuid::parse_str(name).ok());
    let made = match source.kind {
        SourceKind::Chats => {
            let message = anchor.map(|id| MessageId(Uuid::from_u128(id)));
            id().map(|id| Origin::Chat { id: ChatId(id), message })
        }
        SourceKind::Tasks => id().map(|id| Origin::Task { id: TaskId(id) }),
        SourceKind::Activities => name().map(|day| Origin::Activity { day: day.to_owned() }),
        SourceKind::Web => source.address.clone().map(|address| Origin::Page { address }),
        SourceKind::Repository if kind == DocumentKind::Commit => {
            let hash = name().and_then(|name| name.rsplit('/').next());
            hash.map(|hash| Origin::Commit { hash: hash.to_owned() })
        }
        SourceKind::Folder | SourceKind::File | SourceKind::Repository | SourceKind::Vault => None,
    };
    made.unwrap_or_default()
}

/// None for bytes of another length.
fn floats(bytes: &[u8], dimensions: usize) -> Option<Vec<f32>> {
    if bytes.len() != dimensions * 2 {
        return None;
    }
    let halves: Vec<f16> = bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut values = vec![0.0; dimensions];
    halves.convert_to_f32_slice(&mut values);
    Some(values)
}

/// In order of passage ids.
fn ranges(txn: &ReadTxn) -> Result<Vec<DocumentRange>, StorageError> {
    let table = txn.table(FILES)?;
    let mut found = Vec::new();
    for row in table.iter()? {
        let (key, value) = row?;
        let file: StoredFile = decode(value.value())?;
        if let Some(document) = file.document.filter(|document| document.passages.count > 0) {
            let source = SourceId(Uuid::from_u128(key.value().0));
            let modified = file.stamp.modified / 1_000_000;
            found.push(DocumentRange { range: document.passages, source, kind: document.kind, modified });
        }
    }
    found.sort_unstable_by_key(|document| document.range.first);
    Ok(found)
}
