//! The keyword index: BM25 over passages with tantivy. Derived from the store, never trusted, built again when damaged.
//!
//! The commit payload carries the last change number that was applied and whose store it was; at the start the rest
//! is replayed. A damaged or foreign index is deleted and built from the store.

pub mod query;

use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use rspa_ml::Cancel;
use serde::{Deserialize, Serialize};
use tantivy::collector::TopDocs;
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use self::query::Question;
use super::rank::Frequencies;
use super::words::WordTokenizer;
use crate::model::{DocumentKind, SourceId, Timestamp};
use crate::storage::StorageError;
use crate::storage::knowledge::read::IndexedPassage;
use crate::storage::knowledge::{KnowledgeStore, PassageRange};

/// Raised when fields or the tokenizer change: an index of another form is foreign.
const FORM: u32 = 2;
const TOKENIZER: &str = "words";
/// What tantivy may hold before it writes a segment; its least is 15 MB.
const WRITER_BYTES: usize = 24 << 20;
/// A larger index is not read whole at the start to check it; faults show while searching.
const CHECKED_BYTES: u64 = 64 << 20;

#[derive(Debug, thiserror::Error)]
pub enum KeywordError {
    #[error("the keyword index is damaged: {0}")]
    Damaged(String),
    #[error(transparent)]
    Store(#[from] StorageError),
    #[error("stopped")]
    Cancelled,
}

impl From<tantivy::TantivyError> for KeywordError {
    fn from(error: tantivy::TantivyError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Which passages may be found; empty lists mean all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub sources: Vec<SourceId>,
    pub kinds: Vec<DocumentKind>,
    /// Documents last changed at this time or later.
    pub after: Option<Timestamp>,
    /// Documents last changed before this time.
    pub before: Option<Timestamp>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.kinds.is_empty() && self.after.is_none() && self.before.is_none()
    }
}

/// What opening the index took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It was up to date but for so many changes.
    Replayed(usize),
    /// It was built from the store, and why.
    Rebuilt(String),
}

#[derive(Serialize, Deserialize)]
struct Payload {
    form: u32,
    /// The store's identity.
    store: u64,
    change: u64,
}

#[derive(Clone, Copy)]
pub struct Fields {
    text: Field,
    heading: Field,
    path: Field,
    /// Names that the passage declares.
    symbols: Field,
    /// How it declares them: the line up to the body.
    signature: Field,
    /// The passage's id.
    id: Field,
    /// First passage id of the document: what is deleted together.
    document: Field,
    source: Field,
    kind: Field,
    /// When the document was last changed; milliseconds since the Unix epoch.
    modified: Field,
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer(TOKENIZER).set_index_option(IndexRecordOption::WithFreqs);
    let words = TextOptions::default().set_indexing_options(indexing);
    let fields = Fields {
        text: builder.add_text_field("text", words.clone()),
        heading: builder.add_text_field("heading", words.clone()),
        path: builder.add_text_field("path", words.clone()),
        symbols: builder.add_text_field("symbols", words.clone()),
        signature: builder.add_text_field("signature", words),
        id: builder.add_u64_field("id", FAST),
        document: builder.add_u64_field("document", INDEXED),
        source: builder.add_text_field("source", STRING),
        kind: builder.add_u64_field("kind", INDEXED),
        modified: builder.add_i64_field("modified", FAST),
    };
    (builder.build(), fields)
}

/// How the passage declares its symbols: from the line that first holds the name to the body.
pub fn signatures<'a>(text: &'a str, symbols: &'a [String]) -> impl Iterator<Item = &'a str> {
    const MOST_BYTES: usize = 400;
    symbols.iter().filter(|symbol| !symbol.is_empty()).filter_map(move |symbol| {
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            let code = line.trim_start();
            let comment = code.starts_with("//") || code.starts_with('#') || code.starts_with('*');
            if !comment && line.contains(symbol.as_str()) {
                let rest = clip(&text[begin..], MOST_BYTES);
                let end = rest.find(['{', ';']).or_else(|| rest.find(":\n")).unwrap_or(rest.len());
                return Some(&rest[..end]);
            }
            begin += line.len();
        }
        None
    })
}

/// The beginning of a text, cut at a character.
fn clip(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

pub(super) fn kind_number(kind: DocumentKind) -> u64 {
    match kind {
        DocumentKind::Markdown => 1,
        DocumentKind::Text => 2,
        DocumentKind::Code => 3,
        DocumentKind::Html => 4,
        DocumentKind::Pdf => 5,
        DocumentKind::Docx => 6,
        DocumentKind::Xlsx => 7,
        DocumentKind::Pptx => 8,
        DocumentKind::Epub => 9,
        DocumentKind::Csv => 10,
        DocumentKind::Email => 11,
        DocumentKind::Commit => 12,
        DocumentKind::Chat => 13,
        DocumentKind::Task => 14,
        DocumentKind::Activity => 15,
    }
}

/// One passage as the index takes it.
pub struct Entry<'a> {
    pub id: u64,
    pub range: PassageRange,
    pub source: SourceId,
    pub kind: DocumentKind,
    /// Within its source.
    pub path: &'a Path,
    pub heading: Option<&'a str>,
    pub symbols: &'a [String],
    /// When the document was last changed; milliseconds since the Unix epoch.
    pub modified: i64,
    pub text: &'a str,
}

impl<'a> From<&'a IndexedPassage> for Entry<'a> {
    fn from(passage: &'a IndexedPassage) -> Self {
        Self {
            id: passage.id,
            range: passage.range,
            source: passage.source,
            kind: passage.kind,
            path: &passage.path,
            heading: passage.heading.as_deref(),
            symbols: &passage.symbols,
            modified: passage.modified,
            text: &passage.text,
        }
    }
}

/// The open index of one profile.
pub struct KeywordIndex {
    folder: PathBuf,
    store: u64,
    fields: Fields,
    open: Mutex<Option<Open>>,
    /// Beside it, so that a search does not wait for a commit.
    reader: RwLock<Option<IndexReader>>,
    /// Committed and visible.
    applied: AtomicU64,
}

struct Open {
    index: Index,
    reader: IndexReader,
    /// Made with the first write; it holds memory and threads.
    writer: Option<IndexWriter>,
    dirty: bool,
}

impl KeywordIndex {
    /// Nothing is opened yet. `store` identifies the store that the index belongs to.
    pub fn new(folder: PathBuf, store: u64) -> Self {
        let (open, reader) = (Mutex::new(None), RwLock::new(None));
        Self { folder, store, fields: schema().1, open, reader, applied: AtomicU64::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> Option<IndexReader> {
        self.reader.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_reader(&self, reader: Option<IndexReader>) {
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
    }

    pub fn is_open(&self) -> bool {
        self.reader().is_some()
    }

    /// Another thread opens, builds or repairs it just now.
    pub fn is_being_opened(&self) -> bool {
        !self.is_open() && matches!(self.open.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// The last change that a search sees; 0 while it is not open.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Opens it and brings it to the state of the store. None if it was open already.
    ///
    /// # Errors
    /// Only what a fresh index would fail with too: a full disk, a folder that cannot be written.
    pub fn open(&self, store: &KnowledgeStore, cancel: &Cancel) -> Result<Option<Opened>, KeywordError> {
        let mut slot = self.lock();
        if slot.is_some() {
            return Ok(None);
        }
        let reason = match self.open_existing(store, cancel) {
            Ok((open, steps)) => {
                self.set_reader(Some(open.reader.clone()));
                *slot = Some(open);
                return Ok(Some(Opened::Replayed(steps)));
            }
            Err(KeywordError::Damaged(reason)) => reason,
            Err(other) => return Err(other),
        };
        let open = self.rebuild(store, cancel)?;
        self.set_reader(Some(open.reader.clone()));
        *slot = Some(open);
        Ok(Some(Opened::Rebuilt(reason)))
    }

    /// Deletes the index and builds it from the store.
    pub fn repair(&self, store: &KnowledgeStore, cancel: &Cancel) -> Result<(), KeywordError> {
        let mut slot = self.lock();
        self.set_reader(None);
        drop(slot.take());
        let open = self.rebuild(store, cancel)?;
        self.set_reader(Some(open.reader.clone()));
        *slot = Some(open);
        Ok(())
    }

    fn open_existing(&self, store: &KnowledgeStore, cancel: &Cancel) -> Result<(Open, usize), KeywordError> {
        let damaged = |reason: &str| KeywordError::Damaged(reason.to_owned());
        if !self.folder.join("meta.json").exists() {
            return Err(damaged("there was none"));
        }
        let attempt = catch_unwind(AssertUnwindSafe(|| -> Result<(Index, Payload), KeywordError> {
            let index = Index::open_in_dir(&self.folder)?;
            let payload = index.load_metas()?.payload.and_then(|text| serde_json::from_str::<Payload>(&text).ok());
            let payload = payload.ok_or_else(|| damaged("it does not say what it holds"))?;
            if payload.form != FORM || index.schema() != schema().0 {
                return Err(damaged("it has another form"));
            }
            if payload.store != self.store {
                return Err(damaged("it belongs to another store"));
            }
            if size_of(&self.folder) <= CHECKED_BYTES && !index.validate_checksum()?.is_empty() {
                return Err(damaged("a checksum is wrong"));
            }
            Ok((index, payload))
        }));
        let (index, payload) = attempt.map_err(|_panic| damaged("it cannot be read"))??;
        let replay = store.replay_after(payload.change)?.ok_or_else(|| damaged("it is too old"))?;
        self.applied.store(payload.change, Ordering::Release);
        let mut open = self.start(index)?;
        let steps = replay.steps.len();
        for (removed, added) in replay.steps {
            if cancel.is_cancelled() {
                return Err(KeywordError::Cancelled);
            }
            open.remove(&self.fields, &removed)?;
            // What is replayed twice is there once.
            open.remove(&self.fields, &added)?;
            for range in added {
                let passages = store.passages_of(range)?;
                open.add(&self.fields, passages.iter().map(Entry::from))?;
            }
        }
        if steps > 0 {
            self.commit_open(&mut open, replay.change)?;
        }
        Ok((open, steps))
    }

    fn rebuild(&self, store: &KnowledgeStore, cancel: &Cancel) -> Result<Open, KeywordError> {
        let io = |error: std::io::Error| KeywordError::Damaged(error.to_string());
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(io)?;
        }
        fs::create_dir_all(&self.folder).map_err(io)?;
        let index = Index::create_in_dir(&self.folder, schema().0)?;
        let mut open = self.start(index)?;
        let mut failed = None;
        let change = store.each_passage(|passage| {
            if cancel.is_cancelled() {
                failed = Some(KeywordError::Cancelled);
            } else if let Err(error) = open.add(&self.fields, std::iter::once(Entry::from(&passage))) {
                failed = Some(error);
            }
            failed.is_none()
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        self.commit_open(&mut open, change)?;
        Ok(open)
    }

    fn start(&self, index: Index) -> Result<Open, KeywordError> {
        index.tokenizers().register(TOKENIZER, WordTokenizer::default());
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Open { index, reader, writer: None, dirty: false })
    }

    /// Follows the store. Becomes visible with [`KeywordIndex::commit`]. Does nothing while the index is not open:
    /// opening it replays.
    pub fn apply<'a>(
        &self,
        removed: &[PassageRange],
        added: impl Iterator<Item = Entry<'a>>,
    ) -> Result<(), KeywordError> {
        let mut slot = self.lock();
        let Some(open) = slot.as_mut() else { return Ok(()) };
        open.remove(&self.fields, removed)?;
        open.add(&self.fields, added)
    }

    /// Makes everything visible and durable, up to this change of the store.
    pub fn commit(&self, change: u64) -> Result<(), KeywordError> {
        match self.lock().as_mut() {
            Some(open) => self.commit_open(open, change),
            None => Ok(()),
        }
    }

    fn commit_open(&self, open: &mut Open, change: u64) -> Result<(), KeywordError> {
        let payload = Payload { form: FORM, store: self.store, change };
        let payload = serde_json::to_string(&payload).map_err(|error| KeywordError::Damaged(error.to_string()))?;
        let writer = open.writer()?;
        let mut prepared = writer.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        open.reader.reload()?;
        self.applied.store(change, Ordering::Release);
        open.dirty = false;
        Ok(())
    }

    /// Gives back the memory and threads of writing, after merges that run have ended.
    pub fn rest(&self) -> Result<(), KeywordError> {
        let writer = self.lock().as_mut().filter(|open| !open.dirty).and_then(|open| open.writer.take());
        if let Some(writer) = writer {
            writer.wait_merging_threads()?;
        }
        Ok(())
    }

    /// The best passages with their BM25 scores, best first.
    ///
    /// # Errors
    /// `Damaged` when the index cannot be read; then it should be repaired.
    pub fn search(&self, question: &Question, filter: &Filter, limit: usize) -> Result<Vec<(u64, f32)>, KeywordError> {
        let Some(reader) = self.reader() else { return Ok(Vec::new()) };
        let searcher = reader.searcher();
        let fields = self.fields;
        catch_unwind(AssertUnwindSafe(|| {
            let Some(query) = query::build(question, filter, &fields, &searcher)? else { return Ok(Vec::new()) };
            let top = searcher.search(&query, &TopDocs::with_limit(limit.max(1)).order_by_score())?;
            let mut found = Vec::with_capacity(top.len());
            for (score, address) in top {
                let column = searcher.segment_reader(address.segment_ord).fast_fields().u64("id")?;
                if let Some(id) = column.first(address.doc_id) {
                    found.push((id, score));
                }
            }
            Ok(found)
        }))
        .unwrap_or_else(|_panic| Err(KeywordError::Damaged("reading it failed".to_owned())))
    }

    /// How many passages hold the words of a question and of its translations.
    pub fn frequencies(&self, question: &Question) -> Result<Frequencies, KeywordError> {
        let mut frequencies = Frequencies { passages: self.count(), of: HashMap::new() };
        let Some(reader) = self.reader() else { return Ok(frequencies) };
        let searcher = reader.searcher();
        let words = question.words.iter().map(String::as_str).chain(question.translations().map(|(word, _)| word));
        for word in words {
            // A name or heading word may not stand in any text.
            let mut most = 0;
            for field in [self.fields.text, self.fields.path, self.fields.heading] {
                most = most.max(searcher.doc_freq(&Term::from_field_text(field, word))?);
            }
            frequencies.of.insert(word.to_owned(), most);
        }
        Ok(frequencies)
    }

    /// Passages that a search sees.
    pub fn count(&self) -> u64 {
        self.reader().map_or(0, |reader| reader.searcher().num_docs())
    }

    /// Closes the index; what was not committed is replayed at the next start.
    pub fn close(&self) {
        self.set_reader(None);
        drop(self.lock().take());
    }
}

impl Open {
    fn writer(&mut self) -> Result<&mut IndexWriter, KeywordError> {
        if self.writer.is_none() {
            self.writer = Some(self.index.writer_with_num_threads(1, WRITER_BYTES)?);
        }
        Ok(self.writer.as_mut().expect("made just now"))
    }

    fn remove(&mut self, fields: &Fields, ranges: &[PassageRange]) -> Result<(), KeywordError> {
        for range in ranges {
            self.dirty = true;
            self.writer()?.delete_term(Term::from_field_u64(fields.document, range.first));
        }
        Ok(())
    }

    fn add<'a>(&mut self, fields: &Fields, entries: impl Iterator<Item = Entry<'a>>) -> Result<(), KeywordError> {
        for entry in entries {
            let mut document = TantivyDocument::new();
            document.add_text(fields.text, entry.text);
            if let Some(heading) = entry.heading {
                document.add_text(fields.heading, heading);
            }
            document.add_text(fields.path, entry.path.to_string_lossy());
            for symbol in entry.symbols {
                document.add_text(fields.symbols, symbol);
            }
            for signature in signatures(entry.text, entry.symbols) {
                document.add_text(fields.signature, signature);
            }
            document.add_i64(fields.modified, entry.modified);
            document.add_u64(fields.id, entry.id);
            document.add_u64(fields.document, entry.range.first);
            document.add_text(fields.source, entry.source.to_string());
            document.add_u64(fields.kind, kind_number(entry.kind));
            self.dirty = true;
            self.writer()?.add_document(document)?;
        }
        Ok(())
    }
}

fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
