//! The knowledge store: each profile's documents, passages and vectors, and the log of what the indexes must follow.
//!
//! A document's passages have contiguous ids, so a document is found from a range. Rows of a document, its
//! passages and its static vectors are always written together; a kill leaves whole documents only.

pub mod read;
mod sources;
mod uses;
mod write;

use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use super::{AnyTable, Db, ReadTxn, RecordReading, StorageError, decode, first_version};
use crate::model::{DocumentId, DocumentKind, SourceId, Timestamp};

/// `(source, path within it)` to the file's record. Paths are the system's own bytes.
const FILES: TableDefinition<(u128, &[u8]), &[u8]> = TableDefinition::new("files");
/// Document to the key of its file.
const DOCUMENTS: TableDefinition<u128, (u128, &[u8])> = TableDefinition::new("documents");
const PASSAGES: TableDefinition<u64, &[u8]> = TableDefinition::new("passages");
/// `(vector space, passage)` to half-precision values, little end first.
const VECTORS: TableDefinition<(u32, u64), &[u8]> = TableDefinition::new("vectors");
/// Embedder id to `(vector space, dimensions)`.
const SPACES: TableDefinition<&str, (u32, u32)> = TableDefinition::new("spaces");
/// Change number to the passages that came and went with it.
const LOG: TableDefinition<u64, &[u8]> = TableDefinition::new("log");
/// Source to its counts.
const COUNTS: TableDefinition<u128, &[u8]> = TableDefinition::new("counts");
/// `(source, path)` to `(reason, milliseconds since the epoch)`.
const PROBLEMS: TableDefinition<(u128, &[u8]), (&str, i64)> = TableDefinition::new("problems");
/// `(source, path)` to how much a document was used.
const USES: TableDefinition<(u128, &[u8]), u64> = TableDefinition::new("uses");
/// Counters, and how far each vector space covers the passages.
const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("numbers");

pub(super) const TABLES: &[&dyn AnyTable] =
    &[&FILES, &DOCUMENTS, &PASSAGES, &VECTORS, &SPACES, &LOG, &COUNTS, &PROBLEMS, &NUMBERS, &USES];
pub(super) use sources::{
    KIND as SOURCES_KIND, TABLES as SOURCE_TABLES, is_there as has_source, merge as merge_sources,
    put_back as put_source_back, remove_profile as remove_profile_sources, salvage as salvage_sources,
    take as take_source,
};
pub use sources::{list as list_sources, put as put_source};
pub use uses::Used;

const NEXT_PASSAGE: &str = "next_passage";
const NEXT_SPACE: &str = "next_space";

/// Documents, passages and vectors of one profile.
#[derive(Clone)]
pub struct KnowledgeStore {
    db: Db,
}

impl KnowledgeStore {
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

/// What tells whether a file changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub size: u64,
    /// Nanoseconds since the Unix epoch.
    pub modified: i64,
}

/// A file as it was last dealt with.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownFile {
    pub stamp: Stamp,
    /// None for files that hold no text or could not be read.
    pub hash: Option<[u8; 32]>,
    /// How it was read and cut; see [`FileChange::preparation`].
    pub preparation: u64,
}

/// A passage that has no id yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassage {
    /// From 1, inclusive.
    pub start_line: u32,
    /// From 1, inclusive.
    pub end_line: u32,
    /// From 1, for documents with pages.
    pub page: Option<u32>,
    /// `Storage › Backups`, `impl Db › fn write`.
    pub heading: Option<String>,
    /// Names that the passage declares, outermost first.
    pub symbols: Vec<String>,
    pub text: String,
}

/// A document that was read and cut.
#[derive(Clone, Debug)]
pub struct NewDocument {
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub hash: [u8; 32],
    /// 0 to 1.
    pub confidence: f32,
    pub note: Option<String>,
    pub seconds: f64,
    /// As the document calls itself.
    pub title: Option<String>,
    /// Author, date, sender and the like.
    pub metadata: Vec<(String, String)>,
    pub passages: Vec<NewPassage>,
    /// Of each passage the thing within the document that it begins in (a message of a chat); empty where there is none.
    pub anchors: Vec<Option<u128>>,
    /// One per passage, unit length; empty when there was no embedder.
    pub vectors: Vec<Vec<f32>>,
}

/// What became of a file.
#[derive(Clone, Debug)]
pub enum Outcome {
    Indexed(Box<NewDocument>),
    /// The same bytes under a newer date.
    Touched,
    /// Nothing of it can be searched; why, in words.
    Problem(String),
    /// It holds no text, as its name or content says.
    NoText,
    /// It is not there any more.
    Gone,
}

/// A file with its outcome, for a batch.
#[derive(Clone, Debug)]
pub struct FileChange {
    /// Within its source, as the system's own bytes; empty for a source that is one file.
    pub path: Vec<u8>,
    pub stamp: Stamp,
    /// Tells readers, cutting and their sizes apart: a file prepared in another way is read again.
    pub preparation: u64,
    pub outcome: Outcome,
    /// Something about the file that the person should know although it was read.
    pub remark: Option<String>,
}

/// Files of one source that become visible together.
#[derive(Clone, Debug)]
pub struct Batch {
    pub source: SourceId,
    pub at: Timestamp,
    /// The vector space of the documents' vectors.
    pub space: Option<u32>,
    pub files: Vec<FileChange>,
    /// All indexes have followed up to here: older log entries are dropped.
    pub trim_log: u64,
}

/// Passages with contiguous ids that belong to one version of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassageRange {
    pub first: u64,
    pub count: u32,
}

impl PassageRange {
    pub fn ids(&self) -> std::ops::Range<u64> {
        self.first..self.first + u64::from(self.count)
    }
}

/// What a write did to the passages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    pub change: u64,
    pub removed: Vec<PassageRange>,
    /// In the order of the batch's indexed files.
    pub added: Vec<PassageRange>,
}

/// Figures of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub documents: u64,
    pub passages: u64,
    pub problems: u64,
    /// Highest passage id of the source, ever.
    pub last_passage: u64,
    /// When all was last found up to date; 0 for never.
    #[serde(default)]
    pub completed: i64,
}
first_version!(Counts, "source count");

/// What indexes need to know about the passages of a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DocumentRange {
    pub range: PassageRange,
    pub source: SourceId,
    pub kind: DocumentKind,
    /// When the file was last changed; milliseconds since the Unix epoch.
    pub modified: i64,
}

/// A vector space: the vectors of one embedder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    pub id: u32,
    pub dimensions: usize,
}

#[derive(Serialize, Deserialize)]
struct StoredFile {
    stamp: Stamp,
    document: Option<StoredDocument>,
    #[serde(default)]
    preparation: u64,
}
first_version!(StoredFile, "file");

#[derive(Serialize, Deserialize)]
struct StoredDocument {
    id: u128,
    kind: DocumentKind,
    hash: [u8; 32],
    passages: PassageRange,
    confidence: f32,
    note: Option<String>,
    seconds: f64,
    indexed: i64,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    metadata: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct StoredPassage {
    document: u128,
    start_line: u32,
    end_line: u32,
    page: Option<u32>,
    heading: Option<String>,
    text: String,
    #[serde(default)]
    symbols: Vec<String>,
    #[serde(default)]
    anchor: Option<u128>,
}
first_version!(StoredPassage, "passage");

/// One entry of the log.
#[derive(Default, Serialize, Deserialize)]
struct StoredChange {
    removed: Vec<PassageRange>,
    added: Vec<PassageRange>,
}
first_version!(StoredChange, "change");

/// What does not fit together among the tables of a knowledge file, in words.
pub(super) fn broken(txn: &ReadTxn) -> Result<Vec<String>, StorageError> {
    let mut broken = Vec::new();
    let (documents, passages) = (txn.table(DOCUMENTS)?, txn.table(PASSAGES)?);
    let (mut of_files, mut of_passages) = (0_usize, 0_usize);
    let mut sums: std::collections::BTreeMap<u128, Counts> = std::collections::BTreeMap::new();
    for row in txn.table(FILES)?.iter()? {
        let (key, value) = row?;
        let (source, path) = key.value();
        let stored: StoredFile = decode(value.value())?;
        let Some(document) = stored.document else { continue };
        let back = documents.get(document.id)?;
        if back.is_none_or(|back| back.value() != (source, path)) {
            broken.push("a file's document is not listed".to_owned());
        }
        for number in document.passages.ids() {
            let passage: Option<StoredPassage> = passages.record(number)?;
            if passage.is_none_or(|passage| passage.document != document.id) {
                broken.push("a document lacks a passage".to_owned());
            }
        }
        let sum = sums.entry(source).or_default();
        sum.documents += 1;
        sum.passages += u64::from(document.passages.count);
        of_files += 1;
        of_passages += document.passages.count as usize;
    }
    if documents.iter()?.count() != of_files || passages.iter()?.count() != of_passages {
        broken.push("documents or passages belong to no file".to_owned());
    }
    for row in txn.table(COUNTS)?.iter()? {
        let (key, value) = row?;
        let (count, sum): (Counts, Counts) = (decode(value.value())?, sums.remove(&key.value()).unwrap_or_default());
        if (count.documents, count.passages) != (sum.documents, sum.passages) {
            broken.push("a source counts its documents wrongly".to_owned());
        }
    }
    for row in txn.table(VECTORS)?.iter()? {
        if passages.get(row?.0.value().1)?.is_none() {
            broken.push("a vector belongs to no passage".to_owned());
        }
    }
    Ok(broken)
}

pub(crate) fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
