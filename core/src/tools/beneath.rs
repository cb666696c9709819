//! Folders held open, so that what lies beneath them is reached name by name and no link leads out, also not one that
//! is put there in the meantime.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Folder,
    File,
    Link,
    /// A device, pipe or socket.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: OsString,
    pub kind: Kind,
}

#[cfg(unix)]
pub use unix::Dir;

#[cfg(not(unix))]
pub use other::Dir;

/// Entries of a folder that are read at most.
pub const MOST_ENTRIES: usize = 100_000;

fn kind_of(kind: io::Result<std::fs::FileType>) -> Kind {
    match kind {
        Ok(kind) if kind.is_dir() => Kind::Folder,
        Ok(kind) if kind.is_file() => Kind::File,
        Ok(kind) if kind.is_symlink() => Kind::Link,
        _ => Kind::Other,
    }
}

/// The entries of an open listing, bounded; true when there were more.
fn collect(listing: std::fs::ReadDir) -> io::Result<(Vec<Entry>, bool)> {
    let mut entries = Vec::new();
    for entry in listing {
        let entry = entry?;
        if entries.len() == MOST_ENTRIES {
            return Ok((entries, true));
        }
        entries.push(Entry { kind: kind_of(entry.file_type()), name: entry.file_name() });
    }
    Ok((entries, false))
}

/// Only a plain file is given away: opening a pipe or a device can hang or do things.
fn plain_file(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

#[cfg(unix)]
mod unix {
    use std::ffi::CString;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    /// An open folder.
    #[derive(Debug)]
    pub struct Dir {
        handle: OwnedFd,
        path: PathBuf,
    }

    impl Dir {
        /// Opens a folder that the person named; links in its own path are followed.
        pub fn open(path: &Path) -> io::Result<Self> {
            use std::os::unix::fs::OpenOptionsExt;
            let mut options = std::fs::OpenOptions::new();
            let file = options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_CLOEXEC).open(path)?;
            Ok(Self { handle: file.into(), path: path.to_owned() })
        }

        /// Where it was when it was opened.
        pub fn path(&self) -> &Path {
            &self.path
        }

        /// A folder in this one; a link is refused.
        pub fn folder(&self, name: &OsStr) -> io::Result<Self> {
            let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
            Ok(Self { handle: self.open_at(name, flags, 0)?, path: self.path.join(name) })
        }

        /// A file in this folder, for reading; a link, a device, a pipe and a socket are refused.
        pub fn file(&self, name: &OsStr) -> io::Result<File> {
            // Without waiting: a pipe would hang until somebody writes.
            let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
            plain_file(self.open_at(name, flags, 0)?.into())
        }

        /// A new file in this folder: for its owner only, or for whom new files usually are.
        pub fn create(&self, name: &OsStr, private: bool) -> io::Result<File> {
            let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW | libc::O_CLOEXEC;
            Ok(self.open_at(name, flags, if private { 0o600 } else { 0o666 })?.into())
        }

        pub fn make_folder(&self, name: &OsStr) -> io::Result<()> {
            let name = c_name(name)?;
            // SAFETY: the descriptor is open as long as `self` lives and `name` ends with a zero byte.
            succeeded(unsafe { libc::mkdirat(self.handle.as_raw_fd(), name.as_ptr(), 0o777) })
        }

        /// Puts `from` in the place of `to`, both in this folder, in one step.
        pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            let (from, to) = (c_name(from)?, c_name(to)?);
            let handle = self.handle.as_raw_fd();
            // SAFETY: the descriptor is open as long as `self` lives and both names end with a zero byte.
            succeeded(unsafe { libc::renameat(handle, from.as_ptr(), handle, to.as_ptr()) })
        }

        pub fn remove(&self, name: &OsStr) -> io::Result<()> {
            let name = c_name(name)?;
            // SAFETY: the descriptor is open as long as `self` lives and `name` ends with a zero byte.
            succeeded(unsafe { libc::unlinkat(self.handle.as_raw_fd(), name.as_ptr(), 0) })
        }

        /// What of this name is here, links not followed; none when nothing is.
        pub fn kind(&self, name: &OsStr) -> Option<Kind> {
            let name = c_name(name).ok()?;
            let mut figures = std::mem::MaybeUninit::<libc::stat>::uninit();
            // SAFETY: the descriptor is open, `name` ends with a zero byte, and `figures` has room for the one struct.
            let result = unsafe {
                libc::fstatat(self.handle.as_raw_fd(), name.as_ptr(), figures.as_mut_ptr(), libc::AT_SYMLINK_NOFOLLOW)
            };
            if result != 0 {
                return None;
            }
            // SAFETY: the call succeeded, so the struct is filled.
            let figures = unsafe { figures.assume_init() };
            Some(match figures.st_mode & libc::S_IFMT {
                libc::S_IFDIR => Kind::Folder,
                libc::S_IFREG => Kind::File,
                libc::S_IFLNK => Kind::Link,
                _ => Kind::Other,
            })
        }

        pub fn entries(&self) -> io::Result<(Vec<Entry>, bool)> {
            // By the open folder where the system can; its path could have become another one.
            #[cfg(target_os = "linux")]
            let listing = std::fs::read_dir(format!("/proc/self/fd/{}", self.handle.as_raw_fd()));
            #[cfg(not(target_os = "linux"))]
            let listing = std::fs::read_dir(&self.path);
            collect(listing?)
        }

        /// Makes a rename last through a power cut.
        pub fn sync(&self) -> io::Result<()> {
            File::from(self.handle.try_clone()?).sync_all()
        }

        fn open_at(&self, name: &OsStr, flags: libc::c_int, mode: libc::c_uint) -> io::Result<OwnedFd> {
            let name = c_name(name)?;
            // SAFETY: the descriptor is open as long as `self` lives and `name` ends with a zero byte.
            let handle = unsafe { libc::openat(self.handle.as_raw_fd(), name.as_ptr(), flags, mode) };
            if handle < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the call has just given this descriptor, and nobody else has it.
            Ok(unsafe { OwnedFd::from_raw_fd(handle) })
        }
    }

    /// One name, never a path.
    fn c_name(name: &OsStr) -> io::Result<CString> {
        let bytes = name.as_bytes();
        if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a name"));
        }
        Ok(CString::new(bytes)?)
    }

    fn succeeded(result: libc::c_int) -> io::Result<()> {
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

#[cfg(not(unix))]
mod other {
    use super::*;

    /// A folder by its resolved path; each step looks again whether it is still where it was.
    #[derive(Debug)]
    pub struct Dir {
        path: PathBuf,
        resolved: PathBuf,
    }

    impl Dir {
        pub fn open(path: &Path) -> io::Result<Self> {
            let resolved = path.canonicalize()?;
            if !resolved.is_dir() {
                return Err(io::Error::from(io::ErrorKind::NotADirectory));
            }
            Ok(Self { path: path.to_owned(), resolved })
        }

        pub fn path(&self) -> &Path {
            &self.path
        }

        pub fn folder(&self, name: &OsStr) -> io::Result<Self> {
            let resolved = self.resolved.join(one(name)?);
            match self.kind(name) {
                Some(Kind::Folder) => Ok(Self { path: self.path.join(name), resolved: self.still_beneath(&resolved)? }),
                None => Err(io::Error::from(io::ErrorKind::NotFound)),
                Some(_) => Err(io::Error::from(io::ErrorKind::NotADirectory)),
            }
        }

        pub fn file(&self, name: &OsStr) -> io::Result<File> {
            let resolved = self.resolved.join(one(name)?);
            match self.kind(name) {
                Some(Kind::File) => {}
                None => return Err(io::Error::from(io::ErrorKind::NotFound)),
                Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
            }
            let file = plain_file(File::open(&resolved)?)?;
            self.still_beneath(&resolved)?;
            Ok(file)
        }

        pub fn create(&self, name: &OsStr, _private: bool) -> io::Result<File> {
            let resolved = self.resolved.join(one(name)?);
            let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&resolved)?;
            self.still_beneath(&resolved)?;
            Ok(file)
        }

        pub fn make_folder(&self, name: &OsStr) -> io::Result<()> {
            std::fs::create_dir(self.resolved.join(one(name)?))
        }

        pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            std::fs::rename(self.resolved.join(one(from)?), self.resolved.join(one(to)?))
        }

        pub fn remove(&self, name: &OsStr) -> io::Result<()> {
            std::fs::remove_file(self.resolved.join(one(name)?))
        }

        pub fn kind(&self, name: &OsStr) -> Option<Kind> {
            let metadata = std::fs::symlink_metadata(self.resolved.join(one(name).ok()?)).ok()?;
            Some(kind_of(Ok(metadata.file_type())))
        }

        pub fn entries(&self) -> io::Result<(Vec<Entry>, bool)> {
            collect(std::fs::read_dir(&self.resolved)?)
        }

        pub fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        /// Where it really is; a link or junction that was put there since would lead elsewhere.
        fn still_beneath(&self, path: &Path) -> io::Result<PathBuf> {
            let resolved = path.canonicalize()?;
            if resolved.parent() == Some(self.resolved.as_path()) {
                return Ok(resolved);
            }
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it leads out of its folder"))
        }
    }

    /// One plain name: no path, no stream of a file, none of the names that the system reads as another one.
    fn one(name: &OsStr) -> io::Result<&OsStr> {
        let text = name.to_string_lossy();
        let odd = text.is_empty()
            || text == "."
            || text == ".."
            || text.contains(['/', '\\', ':', '~'])
            || text.ends_with(['.', ' ']);
        if odd { Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a name")) } else { Ok(name) }
    }
}
