//! Kinds of sources behind one trait: what lists their items with stamps, and what loads an item's bytes or text.
//!
//! An item is a file, or something that this program makes a document of: a commit, a chat, a task, a day. Such items
//! have keys as files have paths, and no key of theirs ever reaches the file system.

mod activities;
mod built_in;
mod chats;
mod folder;
mod repository;
mod tasks;
mod vault;
mod web;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rspa_ml::Cancel;
use sha2::{Digest, Sha256};

pub use activities::day_of;
pub use built_in::built_in;
pub use web::{FetchPage, Fetched};

use super::KnowledgeError;
use super::readers::{self, DocumentKind, Extracted, Format, Heading, Limits, Lines, ReadError, detect, format_of};
use super::service::Inner;
use super::walk::{Found, Obstacle, Options, Walked};
use crate::model::{Source, SourceKind};
use crate::storage::knowledge::Stamp;

/// Of a title, in characters.
const TITLE: usize = 300;
/// Of the rest, so that a document's row stays small whatever its author wrote into it.
const MOST_FIELDS: usize = 40;
const FIELD: usize = 500;
const FIELD_NAME: usize = 60;

/// How a source is looked through.
pub struct Look<'a> {
    pub options: &'a Options,
    pub cancel: &'a Cancel,
    /// Told the number of items found so far, now and then.
    pub progress: &'a mut dyn FnMut(usize),
    /// The person wants it looked at again: what was fetched is fetched again.
    pub again: bool,
}

/// A kind of source, for one source.
pub trait Kind: Send + Sync {
    /// All items with their stamps. What cannot be seen this time is named in `unseen`.
    fn list(&self, look: &mut Look<'_>) -> Result<Walked, Obstacle>;

    /// One item that is made here; none when it is not there (any more).
    fn find(&self, _key: &[u8]) -> Result<Option<Found>, KnowledgeError> {
        Ok(None)
    }

    /// Whether the item with this key is made here, and is no file.
    fn is_made(&self, key: &[u8]) -> bool;

    /// What loads items; each thread has its own.
    fn loader(&self) -> Box<dyn Load + '_>;
}

/// Loads items.
pub trait Load {
    /// None when the item has gone since it was listed.
    fn load(&mut self, found: &Found, limits: &Limits) -> Result<Option<Loaded>, ReadError>;
}

/// An item before it is read.
pub enum Loaded {
    Bytes(Bytes),
    Made(Box<Made>),
}

/// Bytes for a reader.
pub struct Bytes {
    /// Its name tells the language of code; the bytes lie here already.
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    pub format: Format,
    /// Of the item as it is, whatever was done to the bytes since.
    pub hash: [u8; 32],
    /// What the source itself says of it; goes before what the reader finds.
    pub title: Option<String>,
    pub metadata: Vec<(String, String)>,
}

/// A document that this program wrote itself.
pub struct Made {
    pub hash: [u8; 32],
    pub text: Extracted,
    /// First lines of the things in it, in order, with their ids.
    pub anchors: Vec<(u32, u128)>,
}

impl Bytes {
    pub fn new(path: &Path, bytes: Vec<u8>, format: Format) -> Self {
        let hash = Sha256::digest(&bytes).into();
        Self { path: path.to_owned(), bytes, format, hash, title: None, metadata: Vec::new() }
    }
}

impl Loaded {
    pub fn hash(&self) -> [u8; 32] {
        match self {
            Self::Bytes(bytes) => bytes.hash,
            Self::Made(made) => made.hash,
        }
    }

    /// Reads it. None when it holds no text, as its name or content says.
    pub fn extract(self, limits: &Limits, cancel: &Cancel) -> Result<Option<Extracted>, ReadError> {
        let loaded = match self {
            Self::Made(made) => return Ok(Some(made.text)),
            Self::Bytes(bytes) => bytes,
        };
        let mut format = loaded.format;
        if format == Format::Unknown {
            if detect::looks_binary(&loaded.bytes) {
                return Ok(None);
            }
            if detect::has_shebang(&loaded.bytes) {
                format = Format::Code;
            }
        }
        let mut extracted = readers::extract_file(&loaded.path, format, Arc::new(loaded.bytes), limits, cancel)?;
        let mut metadata = loaded.metadata;
        let said: Vec<String> = metadata.iter().map(|(name, _)| name.to_lowercase()).collect();
        metadata.extend(extracted.metadata.drain(..).filter(|(name, _)| !said.contains(&name.to_lowercase())));
        metadata.truncate(MOST_FIELDS);
        for (name, value) in &mut metadata {
            clip(name, FIELD_NAME);
            clip(value, FIELD);
        }
        extracted.metadata = metadata;
        extracted.title = loaded.title.or(extracted.title).map(|title| one_line(&title)).filter(|t| !t.is_empty());
        Ok(Some(extracted))
    }

    pub fn anchors(&self) -> Vec<(u32, u128)> {
        match self {
            Self::Bytes(_) => Vec::new(),
            Self::Made(made) => made.anchors.clone(),
        }
    }
}

fn clip(text: &mut String, most: usize) {
    if let Some((at, _)) = text.char_indices().nth(most) {
        text.truncate(at);
        text.push('…');
    }
}

fn one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    clip(&mut line, TITLE);
    line
}

/// The kind of a source with what it needs.
pub fn of(inner: &Inner, source: &Source) -> Box<dyn Kind> {
    let root = source.path.clone();
    match source.kind {
        SourceKind::Folder | SourceKind::File => Box::new(folder::Folder { root }),
        SourceKind::Repository => Box::new(repository::Repository { root }),
        SourceKind::Vault => Box::new(vault::Vault { root }),
        SourceKind::Web => Box::new(web::Web {
            folder: root,
            address: source.address.clone().unwrap_or_default(),
            fetch: inner.fetch.clone(),
        }),
        SourceKind::Chats => Box::new(chats::Chats { main: inner.main.clone(), profile: inner.profile }),
        SourceKind::Tasks => Box::new(tasks::Tasks { main: inner.main.clone(), profile: inner.profile }),
        SourceKind::Activities => Box::new(activities::Activities { main: inner.main.clone(), profile: inner.profile }),
    }
}

/// What kind of source a path is.
pub fn detect(path: &Path) -> SourceKind {
    if path.is_file() {
        SourceKind::File
    } else if path.join(".obsidian").is_dir() {
        SourceKind::Vault
    } else if repository::is_repository(path) {
        SourceKind::Repository
    } else {
        SourceKind::Folder
    }
}

/// An item of a source by its key.
pub fn found(source: &Source, key: &[u8], stamp: Stamp) -> Found {
    let path = crate::storage::knowledge::read::absolute(&source.path, key);
    let format = format_of(&path).unwrap_or(Format::Unknown);
    Found { relative: key.to_vec(), path, stamp, format }
}

pub use web::{address_of_page, keep_page, kept_at};

/// Writes the text of a document that is made here.
struct Writer {
    text: String,
    line: u32,
    headings: Vec<Heading>,
    anchors: Vec<(u32, u128)>,
}

impl Writer {
    fn new() -> Self {
        Self { text: String::new(), line: 1, headings: Vec::new(), anchors: Vec::new() }
    }

    /// Lines of a text as they are.
    fn lines(&mut self, text: &str) {
        // Other ends of lines would be counted differently when the text is read again.
        for line in text.split(['\n', '\r']) {
            self.text.push_str(line);
            self.text.push('\n');
            self.line += 1;
        }
    }

    fn heading(&mut self, level: u8, title: &str) {
        let title = one_line(title);
        self.headings.push(Heading { line: self.line, level, title: title.clone() });
        self.lines(&title);
    }

    /// What follows belongs to this thing.
    fn anchor(&mut self, id: u128) {
        self.anchors.push((self.line, id));
    }

    fn finish(self, kind: DocumentKind, title: &str, metadata: Vec<(String, String)>) -> Loaded {
        let mut hash = Sha256::new();
        hash.update(title.as_bytes());
        hash.update([0]);
        hash.update(self.text.as_bytes());
        let mut text = Extracted::plain(kind, Lines::new(self.text));
        text.headings = self.headings;
        text.title = Some(one_line(title)).filter(|title| !title.is_empty());
        text.metadata = metadata;
        Loaded::Made(Box::new(Made { hash: hash.finalize().into(), text, anchors: self.anchors }))
    }
}

/// A date and a time of day as the clock on the wall says.
fn moment(at: crate::model::Timestamp) -> String {
    zoned(at).map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

fn zoned(at: crate::model::Timestamp) -> Option<jiff::Zoned> {
    let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::system()))
}

/// A stamp that differs when the time or any of the words does.
fn stamp(at: crate::model::Timestamp, words: &[&str]) -> Stamp {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut low = [0; 8];
    low.copy_from_slice(&digest[..8]);
    // Below a millisecond there is room for it.
    let rest = i64::try_from(u64::from_le_bytes(low) % 1_000_000).unwrap_or(0);
    Stamp { size: 0, modified: at.0.saturating_mul(1_000_000).saturating_add(rest) }
}

fn unreadable(error: &dyn std::fmt::Display) -> Obstacle {
    Obstacle::Unreadable(error.to_string())
}
