//! Writes of the knowledge store: batches of files, removal of a source, vectors of a later embedder.

use std::sync::Arc;

use half::f16;
use half::slice::HalfFloatSliceExt;
use redb::ReadableTable;

use super::{
    Applied, Batch, COUNTS, Counts, DOCUMENTS, FILES, FileChange, KnowledgeStore, LOG, NEXT_PASSAGE, NEXT_SPACE,
    NUMBERS, NewDocument, Outcome, PASSAGES, PROBLEMS, PassageRange, SPACES, Space, StoredChange, StoredDocument,
    StoredFile, StoredPassage, USES, VECTORS,
};
use crate::model::{SourceId, Timestamp};
use crate::storage::table::Table;
use crate::storage::{RecordReading, RecordWriting, StorageError, WriteTxn, decode};

const IDENTITY: &str = "identity";
pub(super) const SEARCHED: &str = "searched_space";
/// Rows of a removed source that go in one transaction.
const REMOVE_FILES: usize = 500;

impl KnowledgeStore {
    /// Writes all files of the batch in one transaction, durable when this returns.
    pub fn apply(&self, batch: Arc<Batch>) -> Result<Applied, StorageError> {
        self.db.write(move |txn| {
            let mut writing = Writing::open(txn, batch.source)?;
            for file in &batch.files {
                writing.file(file, &batch)?;
            }
            writing.finish(batch.trim_log)
        })
    }

    /// Removes some files of a source; call again until `removed` is empty of files.
    ///
    /// # Returns
    /// What was removed, and whether more is left.
    pub fn remove_some(&self, source: SourceId) -> Result<(Applied, bool), StorageError> {
        self.db.write(move |txn| {
            let owner = source.0.as_u128();
            let paths: Vec<Vec<u8>> = {
                let files = txn.table(FILES)?;
                let rows = files.range((owner, &[][..])..)?;
                let mut paths = Vec::new();
                for row in rows.take(REMOVE_FILES + 1) {
                    let (key, _) = row?;
                    let (of, path) = key.value();
                    if of != owner {
                        break;
                    }
                    paths.push(path.to_vec());
                }
                paths
            };
            let more = paths.len() > REMOVE_FILES;
            let mut writing = Writing::open(txn, source)?;
            for path in paths.iter().take(REMOVE_FILES) {
                writing.forget(path)?;
            }
            let mut applied = writing.finish(0)?;
            if !more {
                txn.table(COUNTS)?.remove(owner)?;
                let mut problems = txn.table(PROBLEMS)?;
                let left: Vec<Vec<u8>> = problems
                    .range((owner, &[][..])..)?
                    .take_while(|row| row.as_ref().is_ok_and(|(key, _)| key.value().0 == owner))
                    .map(|row| Ok(row?.0.value().1.to_vec()))
                    .collect::<Result<_, StorageError>>()?;
                for path in left {
                    problems.remove((owner, path.as_slice()))?;
                }
            }
            applied.change = txn.change();
            Ok((applied, more))
        })
    }

    /// The problems of folders (not of files, which keep theirs with the file), replaced by these.
    pub fn replace_folder_problems(
        &self,
        source: SourceId,
        problems: Vec<(Vec<u8>, String)>,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.db.write(move |txn| {
            let owner = source.0.as_u128();
            let mut table = txn.table(PROBLEMS)?;
            let files = txn.table(FILES)?;
            let mut stale = Vec::new();
            for row in table.range((owner, &[][..])..)? {
                let (key, _) = row?;
                let (of, path) = key.value();
                if of != owner {
                    break;
                }
                if files.get((owner, path))?.is_none() && !problems.iter().any(|(known, _)| known == path) {
                    stale.push(path.to_vec());
                }
            }
            let mut changed = -(stale.len() as i64);
            for path in &stale {
                table.remove((owner, path.as_slice()))?;
            }
            for (path, reason) in &problems {
                changed += i64::from(table.insert((owner, path.as_slice()), (reason.as_str(), at.0))?.is_none());
            }
            if changed != 0 {
                let mut counts = txn.table(COUNTS)?;
                let mut count: Counts = counts.record(owner)?.unwrap_or_default();
                count.problems = count.problems.saturating_add_signed(changed);
                counts.put(owner, &count)?;
            }
            Ok(())
        })
    }

    /// Notes that everything of the source was found up to date.
    pub fn mark_completed(&self, source: SourceId, at: Timestamp) -> Result<(), StorageError> {
        self.db.write(move |txn| {
            let mut counts = txn.table(COUNTS)?;
            let mut count: Counts = counts.record(source.0.as_u128())?.unwrap_or_default();
            count.completed = at.0;
            counts.put(source.0.as_u128(), &count)
        })
    }

    /// A number that tells this store from others; `fresh` becomes it when there is none.
    pub fn identity(&self, fresh: u64) -> Result<u64, StorageError> {
        self.db.write(move |txn| {
            let mut numbers = txn.table(NUMBERS)?;
            let known = numbers.get(IDENTITY)?.map(|number| number.value());
            if known.is_none() {
                numbers.insert(IDENTITY, fresh)?;
            }
            Ok(known.unwrap_or(fresh))
        })
    }

    /// The vector space of an embedder, made when it is new.
    pub fn space(&self, embedder: &str, dimensions: usize) -> Result<Space, StorageError> {
        if let Some(space) = self.known_space(embedder)? {
            return Ok(space);
        }
        let embedder = embedder.to_owned();
        let wide =
            u32::try_from(dimensions).map_err(|_too_large| StorageError::Refused("vectors that long".to_owned()))?;
        self.db.write(move |txn| {
            let mut numbers = txn.table(NUMBERS)?;
            let id = numbers.get(NEXT_SPACE)?.map_or(1, |number| number.value());
            numbers.insert(NEXT_SPACE, id + 1)?;
            let id =
                u32::try_from(id).map_err(|_too_large| StorageError::Refused("no more vector spaces".to_owned()))?;
            txn.table(SPACES)?.insert(embedder.as_str(), (id, wide))?;
            Ok(Space { id, dimensions })
        })
    }

    /// Notes the encoder's space that is searched: it covers everything.
    pub fn put_searched_space(&self, space: Space) -> Result<(), StorageError> {
        if self.searched_space()?.is_some_and(|(_, known)| known == space) {
            return Ok(());
        }
        self.db.write(move |txn| {
            txn.table(NUMBERS)?.insert(SEARCHED, u64::from(space.id))?;
            Ok(())
        })
    }

    /// Stores vectors of passages that still exist, and that the space covers all passages up to `covered`.
    ///
    /// # Returns
    /// The passages whose vectors were stored.
    pub fn put_vectors(
        &self,
        space: Space,
        vectors: Arc<Vec<(u64, Vec<f32>)>>,
        covered: u64,
    ) -> Result<Vec<u64>, StorageError> {
        self.db.write(move |txn| {
            let passages = txn.table(PASSAGES)?;
            let mut table = txn.table(VECTORS)?;
            let mut stored = Vec::with_capacity(vectors.len());
            for (passage, vector) in vectors.iter() {
                if passages.get(passage)?.is_some() {
                    table.insert((space.id, *passage), halves(vector).as_slice())?;
                    stored.push(*passage);
                }
            }
            txn.table(NUMBERS)?.insert(covered_name(space).as_str(), covered)?;
            Ok(stored)
        })
    }
}

pub(super) fn covered_name(space: Space) -> String {
    format!("covered:{}", space.id)
}

fn halves(vector: &[f32]) -> Vec<u8> {
    let mut short = vec![f16::ZERO; vector.len()];
    short.convert_from_f32_slice(vector);
    short.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The open tables of one write.
struct Writing<'a> {
    change: u64,
    owner: u128,
    files: Table<'a, (u128, &'static [u8]), &'static [u8]>,
    documents: Table<'a, u128, (u128, &'static [u8])>,
    passages: Table<'a, u64, &'static [u8]>,
    vectors: Table<'a, (u32, u64), &'static [u8]>,
    problems: Table<'a, (u128, &'static [u8]), (&'static str, i64)>,
    uses: Table<'a, (u128, &'static [u8]), u64>,
    numbers: Table<'a, &'static str, u64>,
    counts: Table<'a, u128, &'static [u8]>,
    log: Table<'a, u64, &'static [u8]>,
    spaces: u32,
    next: u64,
    count: Counts,
    entry: StoredChange,
}

impl<'a> Writing<'a> {
    fn open(txn: &WriteTxn<'a>, source: SourceId) -> Result<Self, StorageError> {
        let owner = source.0.as_u128();
        let numbers = txn.table(NUMBERS)?;
        let counts = txn.table(COUNTS)?;
        let next = numbers.get(NEXT_PASSAGE)?.map_or(1, |number| number.value());
        let spaces = numbers.get(NEXT_SPACE)?.map_or(1, |number| number.value());
        let count = counts.record(owner)?.unwrap_or_default();
        Ok(Self {
            change: txn.change(),
            owner,
            files: txn.table(FILES)?,
            documents: txn.table(DOCUMENTS)?,
            passages: txn.table(PASSAGES)?,
            vectors: txn.table(VECTORS)?,
            problems: txn.table(PROBLEMS)?,
            uses: txn.table(USES)?,
            numbers,
            counts,
            log: txn.table(LOG)?,
            spaces: u32::try_from(spaces).unwrap_or(u32::MAX),
            next,
            count,
            entry: StoredChange::default(),
        })
    }

    fn file(&mut self, change: &FileChange, batch: &Batch) -> Result<(), StorageError> {
        let path = change.path.as_slice();
        let mut remark = change.remark.clone();
        let document = match &change.outcome {
            Outcome::Gone => return self.forget(path),
            Outcome::Touched => {
                let known: Option<StoredFile> = self.files.record((self.owner, path))?;
                let document = known.and_then(|known| known.document);
                self.files.put(
                    (self.owner, path),
                    &StoredFile { stamp: change.stamp, document, preparation: change.preparation },
                )?;
                return Ok(());
            }
            Outcome::Indexed(new) => {
                self.forget_document(path)?;
                remark = remark.or_else(|| new.note.clone());
                Some(self.document(path, new, batch)?)
            }
            Outcome::Problem(reason) => {
                self.forget_document(path)?;
                remark = Some(reason.clone());
                None
            }
            Outcome::NoText => {
                self.forget_document(path)?;
                None
            }
        };
        self.files
            .put((self.owner, path), &StoredFile { stamp: change.stamp, document, preparation: change.preparation })?;
        self.problem(path, remark.as_deref(), batch.at)
    }

    fn document(&mut self, path: &[u8], new: &NewDocument, batch: &Batch) -> Result<StoredDocument, StorageError> {
        let range = PassageRange { first: self.next, count: u32::try_from(new.passages.len()).unwrap_or(u32::MAX) };
        let id = new.id.0.as_u128();
        for (at, (passage, number)) in new.passages.iter().zip(range.ids()).enumerate() {
            let stored = StoredPassage {
                document: id,
                start_line: passage.start_line,
                end_line: passage.end_line,
                page: passage.page,
                heading: passage.heading.clone(),
                text: passage.text.clone(),
                symbols: passage.symbols.clone(),
                anchor: new.anchors.get(at).copied().flatten(),
            };
            self.passages.put(number, &stored)?;
        }
        if let Some(space) = batch.space {
            for (vector, number) in new.vectors.iter().zip(range.ids()) {
                self.vectors.insert((space, number), halves(vector).as_slice())?;
            }
        }
        self.documents.insert(id, (self.owner, path))?;
        self.next += u64::from(range.count);
        self.count.documents += 1;
        self.count.passages += u64::from(range.count);
        if range.count > 0 {
            self.count.last_passage = self.next - 1;
        }
        self.entry.added.push(range);
        Ok(StoredDocument {
            id,
            kind: new.kind,
            hash: new.hash,
            passages: range,
            confidence: new.confidence,
            note: new.note.clone(),
            seconds: new.seconds,
            indexed: batch.at.0,
            title: new.title.clone(),
            metadata: new.metadata.clone(),
        })
    }

    fn problem(&mut self, path: &[u8], reason: Option<&str>, at: Timestamp) -> Result<(), StorageError> {
        let key = (self.owner, path);
        let before = match reason {
            Some(reason) => self.problems.insert(key, (reason, at.0))?.is_some(),
            None => self.problems.remove(key)?.is_some(),
        };
        match (before, reason.is_some()) {
            (true, false) => self.count.problems = self.count.problems.saturating_sub(1),
            (false, true) => self.count.problems += 1,
            _ => {}
        }
        Ok(())
    }

    /// Removes a file with everything that came from it.
    fn forget(&mut self, path: &[u8]) -> Result<(), StorageError> {
        self.forget_document(path)?;
        self.files.remove((self.owner, path))?;
        self.uses.remove((self.owner, path))?;
        self.problem(path, None, Timestamp(0))
    }

    fn forget_document(&mut self, path: &[u8]) -> Result<(), StorageError> {
        let known = match self.files.get((self.owner, path))? {
            Some(bytes) => decode::<StoredFile>(bytes.value())?,
            None => return Ok(()),
        };
        let Some(document) = known.document else { return Ok(()) };
        for number in document.passages.ids() {
            self.passages.remove(number)?;
            for space in 1..self.spaces {
                self.vectors.remove((space, number))?;
            }
        }
        self.documents.remove(document.id)?;
        self.count.documents = self.count.documents.saturating_sub(1);
        self.count.passages = self.count.passages.saturating_sub(u64::from(document.passages.count));
        self.entry.removed.push(document.passages);
        Ok(())
    }

    fn finish(mut self, trim_log: u64) -> Result<Applied, StorageError> {
        self.numbers.insert(NEXT_PASSAGE, self.next)?;
        self.counts.put(self.owner, &self.count)?;
        if !self.entry.added.is_empty() || !self.entry.removed.is_empty() {
            self.log.put(self.change, &self.entry)?;
        }
        if trim_log > 0 {
            self.log.retain_in(..=trim_log, |_, _| false)?;
            self.numbers.insert(super::read::TRIMMED, trim_log)?;
        }
        Ok(Applied { change: self.change, removed: self.entry.removed, added: self.entry.added })
    }
}
