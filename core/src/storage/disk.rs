//! The disk as storage sees it: files, folders, renames and what makes them durable. A test puts a simulated one here,
//! whose power can be cut between any two operations.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A file that is being written.
pub trait DiskWrite: Write + Send {
    /// Returns when all that was written would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;
}

/// All operations on files outside of an open database go through one of these.
pub trait Disk: Send + Sync {
    /// Makes a file, readable for its owner only; what was there is gone.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>>;

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// Opens a file that is there to write over its bytes where they lie, without making it shorter first.
    fn overwrite(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>> {
        self.create(path)
    }

    /// Bytes of a file.
    fn len(&self, path: &Path) -> io::Result<u64>;

    fn exists(&self, path: &Path) -> bool;

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

    /// What a database keeps its pages in.
    fn database(&self, path: &Path) -> Result<Box<dyn redb::StorageBackend>, redb::DatabaseError>;
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

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
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

    fn database(&self, path: &Path) -> Result<Box<dyn redb::StorageBackend>, redb::DatabaseError> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(redb::StorageError::from)?;
        Ok(Box::new(redb::backends::FileBackend::new(file)?))
    }
}
