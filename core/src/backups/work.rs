//! Long work on files: told how far it is, stopped when nobody wants it any more, in pieces of bounded size.

use std::io::{Read, Write};

use sha2::{Digest, Sha256};

use super::BackupError;

/// Bytes that are held at a time.
const PIECE: usize = 128 << 10;

/// Who waits for the work.
pub trait Watch {
    fn is_cancelled(&self) -> bool;

    /// Bytes done, of all.
    fn progress(&self, done: u64, total: u64);
}

/// Nobody.
pub struct Unwatched;

impl Watch for Unwatched {
    fn is_cancelled(&self) -> bool {
        false
    }

    fn progress(&self, _done: u64, _total: u64) {}
}

/// Bytes done so far over several files.
pub(super) struct Progress<'a> {
    watch: &'a dyn Watch,
    done: u64,
    total: u64,
}

impl<'a> Progress<'a> {
    pub fn new(watch: &'a dyn Watch, total: u64) -> Self {
        Self { watch, done: 0, total }
    }

    fn step(&mut self, bytes: usize) -> Result<(), BackupError> {
        if self.watch.is_cancelled() {
            return Err(BackupError::Cancelled);
        }
        self.done = self.done.saturating_add(bytes as u64);
        self.watch.progress(self.done.min(self.total), self.total);
        Ok(())
    }
}

/// What was copied.
pub(super) struct Copied {
    pub size: u64,
    /// SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// Why a copy ended early: told apart, since the two ends belong to different files.
pub(super) enum CopyError {
    Reading(std::io::Error),
    Writing(std::io::Error),
    /// There is more to read than `most`.
    TooLong,
    Stopped(BackupError),
}

/// Copies all that can be read, at most `most` bytes.
pub(super) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    most: u64,
    progress: &mut Progress<'_>,
) -> Result<Copied, CopyError> {
    let mut piece = vec![0; PIECE];
    let mut hash = Sha256::new();
    let mut size = 0_u64;
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok(Copied { size, sha256: hex(&hash.finalize()) }),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Reading(error)),
        };
        size += read as u64;
        if size > most {
            return Err(CopyError::TooLong);
        }
        hash.update(&piece[..read]);
        to.write_all(&piece[..read]).map_err(CopyError::Writing)?;
        progress.step(read).map_err(CopyError::Stopped)?;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
