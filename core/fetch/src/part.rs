//! The unfinished file beside the target: grows, survives restarts, and becomes the target only when it is right.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::FetchError;

/// The unfinished download, locked against other processes while it is open.
pub(crate) struct Part {
    file: File,
    path: PathBuf,
    /// Beside the part: the address it comes from and the server's name for that version (its strong ETag).
    origin_path: PathBuf,
    url: String,
    etag: Option<String>,
    len: u64,
}

impl Part {
    /// Opens what an earlier try left, or begins anew where that came from another address.
    pub(crate) fn open(target: &Path, url: &str) -> Result<Self, FetchError> {
        let path = with_suffix(target, ".part");
        let origin_path = with_suffix(target, ".part.origin");
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| FetchError::io(folder, error))?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| FetchError::io(&path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FetchError::Busy(path)),
            // Some network shares cannot lock; the checksum still guards the result.
            Err(TryLockError::Error(_)) => {}
        }
        let len = file.metadata().map_err(|error| FetchError::io(&path, error))?.len();
        let origin = fs::read_to_string(&origin_path).unwrap_or_default();
        let mut lines = origin.lines();
        let same_url = lines.next() == Some(url);
        let etag = lines.next().filter(|etag| !etag.is_empty()).map(str::to_owned);
        let mut part = Self { file, path, origin_path, url: url.to_owned(), etag, len };
        if !same_url {
            part.restart(None)?;
        }
        Ok(part)
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Empties it, for the version that the server calls `etag`.
    pub(crate) fn restart(&mut self, etag: Option<String>) -> Result<(), FetchError> {
        self.file.set_len(0).map_err(|error| FetchError::io(&self.path, error))?;
        self.len = 0;
        let origin = format!("{}\n{}\n", self.url, etag.as_deref().unwrap_or_default());
        fs::write(&self.origin_path, origin).map_err(|error| FetchError::io(&self.origin_path, error))?;
        self.etag = etag;
        Ok(())
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let mut write = || {
            self.file.seek(SeekFrom::Start(self.len))?;
            self.file.write_all(bytes)
        };
        write().map_err(|error| FetchError::io(&self.path, error))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Makes what is there survive a power cut.
    pub(crate) fn keep(&mut self) -> Result<(), FetchError> {
        self.file.sync_data().map_err(|error| FetchError::io(&self.path, error))
    }

    pub(crate) fn discard(&self) -> Result<(), FetchError> {
        for path in [&self.path, &self.origin_path] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(FetchError::io(path, error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks the whole and gives it the target's name.
    pub(crate) fn finish(
        mut self,
        target: &Path,
        sha256: Option<&str>,
        cancel: &dyn Fn() -> bool,
    ) -> Result<(), FetchError> {
        if let Some(expected) = sha256 {
            let found = self.sha256(cancel)?;
            if !found.eq_ignore_ascii_case(expected) {
                self.discard()?;
                return Err(FetchError::WrongChecksum { expected: expected.to_owned(), found });
            }
        }
        self.file.sync_all().map_err(|error| FetchError::io(&self.path, error))?;
        fs::rename(&self.path, target).map_err(|error| FetchError::io(target, error))?;
        if let Some(folder) = target.parent().filter(|_| cfg!(unix)) {
            // An empty parent is the current folder.
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| FetchError::io(folder, error))?;
        }
        match fs::remove_file(&self.origin_path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(FetchError::io(&self.origin_path, error)),
            _ => Ok(()),
        }
    }

    fn sha256(&mut self, cancel: &dyn Fn() -> bool) -> Result<String, FetchError> {
        let mut hash = Sha256::new();
        let mut block = vec![0; 1 << 20];
        self.file.seek(SeekFrom::Start(0)).map_err(|error| FetchError::io(&self.path, error))?;
        loop {
            if cancel() {
                return Err(FetchError::Cancelled);
            }
            let count = self.file.read(&mut block).map_err(|error| FetchError::io(&self.path, error))?;
            if count == 0 {
                return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
            }
            hash.update(&block[..count]);
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
