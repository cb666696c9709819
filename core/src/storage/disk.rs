//! The disk as storage sees it: files, folders, renames and what makes them durable. A test puts a simulated one here,
//! whose power can be cut between any two operations.

use std::fs;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

#[doc(hidden)]
pub mod simulated;

/// A file that is being written.
pub trait DiskWrite: Write + Send {
    /// Returns when all that was written would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is being read.
pub trait DiskRead: Read + Seek + Send {}

impl<R: Read + Seek + Send> DiskRead for R {}

/// What lies at a path; links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskKind {
    File,
    Folder,
    /// A link, a device and the like.
    Other,
}

/// The file of a database as redb reads and writes it, or why it cannot be had.
pub type DatabasePages = Result<Box<dyn redb::StorageBackend>, redb::DatabaseError>;

/// All operations on files outside of an open database go through one of these.
pub trait Disk: Send + Sync {
    /// Makes a file, readable for its owner only; what was there is gone.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>>;

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskRead>>;

    /// Opens a file that is there to write over its bytes where they lie, without making it shorter first.
    fn overwrite(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>> {
        self.create(path)
    }

    /// Bytes of a file.
    fn len(&self, path: &Path) -> io::Result<u64>;

    fn exists(&self, path: &Path) -> bool;

    /// None when nothing lies there.
    fn kind(&self, path: &Path) -> Option<DiskKind>;

    /// The names in a folder, in order of the alphabet.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;

    /// Makes a folder with its parents, readable for their owner only.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// Replaces what is at `to`. Durable after [`Disk::sync_folder`] of both folders.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder with all in it.
    fn remove_folder(&self, folder: &Path) -> io::Result<()>;

    /// Makes what was created, renamed and removed in this folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Waits until nobody else has this turn (a file at `path` stands for it, also between processes) and takes it; it
    /// ends when the value is dropped.
    fn turn(&self, path: &Path) -> io::Result<Box<dyn Send>>;

    /// The pages of a database that is open elsewhere, to read them alone.
    fn pages(&self, path: &Path) -> DatabasePages;

    /// What a database keeps its pages in; an empty file is made when there is none.
    fn database(&self, path: &Path) -> DatabasePages;
}

/// The computer's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl DiskWrite for fs::File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl Disk for SystemDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskRead>> {
        Ok(Box::new(fs::File::open(path)?))
    }

    fn overwrite(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>> {
        Ok(Box::new(fs::OpenOptions::new().write(true).open(path)?))
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        fs::metadata(path).map(|metadata| metadata.len())
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn kind(&self, path: &Path) -> Option<DiskKind> {
        let found = fs::symlink_metadata(path).ok()?.file_type();
        Some(match (found.is_file(), found.is_dir()) {
            (true, _) => DiskKind::File,
            (_, true) => DiskKind::Folder,
            _ => DiskKind::Other,
        })
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut names =
            fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        crate::workspace::places::private_folder(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        fs::remove_dir_all(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        // Windows knows no such thing: there a rename is written through.
        if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn turn(&self, path: &Path) -> io::Result<Box<dyn Send>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        loop {
            let file = options.open(path)?;
            file.lock()?;
            // Whoever had the turn before took the name away: a lock on what has lost its name keeps nobody out.
            if still_named(&file, path)? {
                return Ok(Box::new(Turn { path: path.to_owned(), file }));
            }
        }
    }

    fn pages(&self, path: &Path) -> DatabasePages {
        let file = fs::File::open(path).map_err(redb::StorageError::from)?;
        Ok(Box::new(redb::backends::FileBackend::new(file)?))
    }

    fn database(&self, path: &Path) -> DatabasePages {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(redb::StorageError::from)?;
        Ok(Box::new(redb::backends::FileBackend::new(file)?))
    }
}

/// Whether the path leads to this open file.
fn still_named(file: &fs::File, path: &Path) -> io::Result<bool> {
    let named = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let open = file.metadata()?;
        Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
    }
    #[cfg(not(unix))]
    {
        // A name of an open file is not given anew there before the file is closed.
        let _ = (file, named);
        Ok(true)
    }
}

/// A lock on a file that is there only for it.
struct Turn {
    path: PathBuf,
    file: fs::File,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // First the name: whoever waits for this file, or makes a later one of its name, sees what was done in this turn.
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::debug!(path = %self.path.display(), %error, "an empty file stays behind");
            }
            _ => {}
        }
        // Closing it would unlock it too.
        self.file.unlock().ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_one_has_the_turn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turn");
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let turn = SystemDisk.turn(&path).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "another one is inside");
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(turn);
                    }
                });
            }
        });
        assert!(!path.exists());
    }
}
