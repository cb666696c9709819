//! Lines that are added to a log and match a regular expression. Begins at the end; follows rotation and truncation.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::bytes::{Regex, RegexBuilder};

use super::{Found, MOST_SEEN, Watch};
use crate::schedules::template::Seen;

/// Bytes of a line that are kept; the rest of it is skipped.
const LONGEST_LINE: usize = 16 * 1024;
/// Bytes that one look reads; if more were added, the next look goes on.
const MOST_READ: u64 = 8 * 1024 * 1024;
const INTERVAL: Duration = Duration::from_secs(5);

pub(super) struct LogWatch {
    path: PathBuf,
    pattern: Regex,
    at: Option<Place>,
    /// The beginning of a line that has not ended yet.
    begun: Vec<u8>,
    /// There is more to read at once.
    more: bool,
}

struct Place {
    offset: u64,
    file: Option<u64>,
}

/// Tells one file from another of the same name.
fn identity(about: &Metadata) -> Option<u64> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::MetadataExt::ino(about));
    #[cfg(not(unix))]
    {
        let made = about.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        u64::try_from(made.as_nanos()).ok()
    }
}

impl LogWatch {
    pub fn new(path: &Path, pattern: &str) -> Result<Self, String> {
        if pattern.trim().is_empty() {
            return Err("say which lines count, such as \"ERROR\"".to_owned());
        }
        let pattern = RegexBuilder::new(pattern).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(100).build();
        let pattern = pattern.map_err(|error| {
            let error = error.to_string();
            format!("this regular expression cannot be used: {}", error.lines().last().unwrap_or_default().trim())
        })?;
        Ok(Self { path: path.to_owned(), pattern, at: None, begun: Vec::new(), more: false })
    }

    fn take(&mut self, bytes: &[u8], seen: &mut Seen) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.grow(&rest[..end]);
            let line = std::mem::take(&mut self.begun);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if self.pattern.is_match(line) {
                let text = String::from_utf8_lossy(line).into_owned();
                let path = self.path.display().to_string();
                let mut one = Seen::one([("line", text), ("path", path)]);
                // Two equal lines are two.
                if seen.items.len() < MOST_SEEN {
                    seen.items.append(&mut one.items);
                } else {
                    seen.more += 1;
                }
            }
            rest = &rest[end + 1..];
        }
        self.grow(rest);
    }

    fn grow(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Watch for LogWatch {
    fn look(&mut self) -> Result<Found, String> {
        self.more = false;
        let opened = File::open(&self.path).and_then(|file| file.metadata().map(|about| (file, about)));
        let (mut file, about) = match opened {
            Ok((file, about)) if about.is_file() => (file, about),
            Ok(_) => return Err(format!("{} is no file.", self.path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Between two files of a rotation; the next one is read from its beginning.
                if let Some(at) = &mut self.at {
                    *at = Place { offset: 0, file: None };
                    self.begun.clear();
                }
                return Err(format!("{} is not there.", self.path.display()));
            }
            Err(error) => return Err(format!("{} cannot be read: {error}.", self.path.display())),
        };
        let id = identity(&about);
        let Some(at) = &mut self.at else {
            // Nothing that was there before counts.
            self.at = Some(Place { offset: about.len(), file: id });
            return Ok(Found { seen: None, mark: None });
        };
        if (at.file.is_some() && at.file != id) || about.len() < at.offset {
            at.offset = 0;
            self.begun.clear();
        }
        at.file = id;
        let from = at.offset;
        let failed = |error: std::io::Error| format!("{} cannot be read: {error}.", self.path.display());
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut bytes = Vec::new();
        let read = file.take(MOST_READ).read_to_end(&mut bytes).map_err(failed)? as u64;
        at.offset += read;
        self.more = read == MOST_READ;
        let mut seen = Seen::default();
        self.take(&bytes, &mut seen);
        Ok(Found { seen: (!seen.items.is_empty()).then_some(seen), mark: None })
    }

    fn folders(&self) -> Vec<(PathBuf, bool)> {
        self.path.parent().map(|parent| (parent.to_owned(), false)).into_iter().collect()
    }

    fn interval(&self) -> Duration {
        if self.more { Duration::from_millis(100) } else { INTERVAL }
    }
}
