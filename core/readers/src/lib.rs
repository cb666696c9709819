//! Readers: one per format, all behind one trait, from a file's bytes to lines of text with structure.
//!
//! A document is untrusted. Each reader has limits, and those that lean on large parsers run on a thread of
//! their own (see [`guard`]) so that a panic, an endless loop or deep nesting takes nothing else down.

pub mod code;
pub mod csv;
pub mod detect;
pub mod docx;
pub mod email;
pub mod epub;
pub mod guard;
pub mod html;
pub mod lines;
pub mod markdown;
pub mod odf;
pub mod package;
pub mod pdf;
pub mod pptx;
pub mod text;
pub mod write;
pub mod xlsx;
pub mod xml;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use detect::{Format, format_of};
pub use lines::Lines;
use rspa_ml::Cancel;
pub use rspa_syntax::Symbol;
use serde::{Deserialize, Serialize};

/// What a document is, for people and for filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    Markdown,
    Text,
    Code,
    Html,
    Pdf,
    Docx,
    Xlsx,
    Pptx,
    Epub,
    Csv,
    Email,
    /// A commit of a repository.
    Commit,
    Chat,
    Task,
    Activity,
}

/// A heading, or a symbol of a source file, with its depth (1 is the outermost).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// From 1.
    pub line: u32,
    pub level: u8,
    pub title: String,
}

/// What a reader found in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    pub kind: DocumentKind,
    pub lines: Lines,
    /// In order of their lines.
    pub headings: Vec<Heading>,
    /// First and last line of blocks that belong together (code blocks, tables), from 1, inclusive.
    pub blocks: Vec<(u32, u32)>,
    /// First and last line of each table; they are among the blocks too.
    pub tables: Vec<(u32, u32)>,
    /// First line of each page (slide, sheet); empty for what has no pages.
    pub pages: Vec<u32>,
    /// What source code declares, in order of their lines.
    pub symbols: Vec<Symbol>,
    /// As the document calls itself.
    pub title: Option<String>,
    /// Author, date, sender and the like, as the document gives them: name and value.
    pub metadata: Vec<(String, String)>,
    /// 0 to 1: how much of the file could be read.
    pub confidence: f32,
    /// Why the confidence is below 1, in words.
    pub note: Option<String>,
}

impl Extracted {
    /// Plain text without structure, fully read.
    pub fn plain(kind: DocumentKind, lines: Lines) -> Self {
        Self {
            kind,
            lines,
            headings: Vec::new(),
            blocks: Vec::new(),
            tables: Vec::new(),
            pages: Vec::new(),
            symbols: Vec::new(),
            title: None,
            metadata: Vec::new(),
            confidence: 1.0,
            note: None,
        }
    }

    /// Lowers the confidence and says why; an earlier reason is kept in front.
    pub fn doubt(&mut self, confidence: f32, reason: &str) {
        self.confidence = self.confidence.min(confidence);
        self.note = Some(match self.note.take() {
            Some(before) => format!("{before} {reason}"),
            None => reason.to_owned(),
        });
    }
}

/// Why a file gave no text, in words for the person.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("It cannot be opened: {0}.")]
    Io(String),
    #[error("It is {0} large; files over {1} are not read. The limit can be raised in the settings.")]
    TooLarge(String, String),
    #[error("It is not text although its name says so (it holds binary data).")]
    Binary,
    #[error("It is locked with a password; save a copy without one to make it searchable.")]
    Encrypted,
    #[error("It is damaged or cut off and cannot be read: {0}.")]
    Damaged(String),
    #[error("It asks for more than a document should ({0}), so it was left out.")]
    Hostile(String),
    #[error("Reading took longer than {0} seconds, so it was left out.")]
    TimedOut(u64),
    #[error("Its reader failed; the file may be damaged.")]
    Crashed,
    #[error("stopped")]
    Cancelled,
}

/// What a reader may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Bytes of text that one document may give.
    pub text_bytes: usize,
    /// Seconds for one document in a guarded reader.
    pub seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 50 << 20, text_bytes: 64 << 20, seconds: 30 }
    }
}

/// One format.
pub trait Reader: Send + Sync {
    /// Turns the bytes of a file into text. May take long or panic when `isolated` says so.
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError>;

    /// Must run on a guarded thread with a large stack.
    fn isolated(&self) -> bool {
        false
    }
}

/// The reader of a format.
pub fn reader_for(format: Format) -> &'static dyn Reader {
    match format {
        Format::Markdown => &markdown::Markdown,
        Format::Text | Format::Unknown => &text::PlainText,
        Format::Code => &code::Code,
        Format::Html => &html::HtmlPage,
        Format::Pdf => &pdf::Pdf,
        Format::Docx => &docx::Docx,
        Format::Xlsx => &xlsx::Xlsx,
        Format::Pptx => &pptx::Pptx,
        Format::Odf => &odf::Odf,
        Format::Epub => &epub::Epub,
        Format::Csv => &csv::Csv,
        Format::Email => &email::Email,
        Format::Mbox => &email::Mbox,
    }
}

/// Reads a whole file, at most the allowed size. Never trusts the size that the folder entry gave.
pub fn load(path: &Path, limits: &Limits) -> Result<Vec<u8>, ReadError> {
    let io = |error: std::io::Error| ReadError::Io(words_of(&error));
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(ReadError::Io("it is not a regular file".to_owned()));
    }
    let too_large = |size: u64| ReadError::TooLarge(bytes_in_words(size), bytes_in_words(limits.file_bytes));
    if metadata.len() > limits.file_bytes {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(limits.file_bytes + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limits.file_bytes {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

/// Reads the bytes of a file with the reader of its format, or of the format that its bytes show. What that reader
/// cannot take, but is text, comes as plain text with a note.
pub fn extract(
    format: Format,
    bytes: std::sync::Arc<Vec<u8>>,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Extracted, ReadError> {
    let format = detect::settle(format, &bytes);
    let reader = reader_for(format);
    let read = if reader.isolated() {
        guard::read(reader, std::sync::Arc::clone(&bytes), *limits, cancel)
    } else {
        guard::catch(|| reader.read(&bytes, limits, cancel))
    };
    match read {
        Err(error @ (ReadError::Damaged(_) | ReadError::Crashed | ReadError::Hostile(_)))
            if !matches!(format, Format::Text | Format::Unknown | Format::Pdf) && !detect::is_binary(&bytes) =>
        {
            let mut extracted = guard::catch(|| text::decode_as(format.kind(), &bytes, limits))?;
            extracted.doubt(0.3, &format!("It was read as plain text. {error}"));
            Ok(extracted)
        }
        read => read,
    }
}

/// Reads the bytes of a file whose name tells more than its format: source code is read by its language.
pub fn extract_file(
    path: &Path,
    format: Format,
    bytes: std::sync::Arc<Vec<u8>>,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Extracted, ReadError> {
    match format {
        Format::Code => guard::catch(|| code::read(Some(path), &bytes, limits, cancel)),
        _ => extract(format, bytes, limits, cancel),
    }
}

/// An operating system's error in a person's words.
pub fn words_of(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "you do not have permission to read it".to_owned(),
        std::io::ErrorKind::NotFound => "it is not there any more".to_owned(),
        _ => error.to_string(),
    }
}

/// `52428800` as `50 MB`.
pub fn bytes_in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = usize::from(value < 10.0 && value.fract() > 0.05);
    format!("{value:.decimals$} {}", UNITS[unit])
}
