//! Takes over what a command wrote apart, from the upper layer of an overlay to the real folder.
//!
//! Names come from the command and are hostile: everything is done in open folders, name by name, and no link is ever
//! followed. The format of the upper layer is the kernel's (Documentation/filesystems/overlayfs.rst): a name that was
//! removed is a character device 0/0, a folder that replaced another one is marked opaque.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::super::report::Changes;
use super::sys;

/// Folders in folders; each takes an open file.
const DEPTH: usize = 200;

/// Paths that are told, and letters of each.
const TOLD: usize = 100;
const LETTERS: usize = 300;

/// An empty file or folder takes so much of the limit.
const BLOCK: u64 = 4_096;

/// A folder that was written apart.
pub struct Apart {
    pub path: PathBuf,
    pub upper: OwnedFd,
    pub lower: OwnedFd,
}

/// Takes all over; none when it is more than may be written, and nothing was done.
pub fn keep(folders: &[Apart], limit: u64) -> Option<Changes> {
    let mut size = 0;
    for folder in folders {
        if let Err(error) = measure(folder.upper.as_fd(), 0, &mut size) {
            return Some(Changes::Failed(error.to_string()));
        }
    }
    if size > limit {
        return None;
    }
    let mut keeper = Keeper::default();
    for folder in folders {
        let kept = keeper.folder(folder);
        if let Err(error) = kept {
            let done = if keeper.count == 0 { String::new() } else { format!(" (after {} changes)", keeper.count) };
            return Some(Changes::Failed(format!("{}: {error}{done}", folder.path.display())));
        }
    }
    let Keeper { written, removed, count, skipped, .. } = keeper;
    Some(Changes::Kept { written, removed, count, skipped })
}

#[derive(Default)]
struct Keeper {
    written: Vec<String>,
    removed: Vec<String>,
    count: u64,
    skipped: u64,
    /// The file system that the folder lies on; what is mounted in it is left alone.
    device: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Removed,
    Folder,
    File,
    Link,
    Other,
}

fn kind(stat: &libc::stat) -> Kind {
    match stat.st_mode & libc::S_IFMT {
        libc::S_IFDIR => Kind::Folder,
        libc::S_IFREG => Kind::File,
        libc::S_IFLNK => Kind::Link,
        libc::S_IFCHR if stat.st_rdev == 0 => Kind::Removed,
        _ => Kind::Other,
    }
}

/// What all names take, also those that are names of the same file: each becomes a file of its own.
fn measure(folder: BorrowedFd<'_>, depth: usize, size: &mut u64) -> io::Result<()> {
    for name in names(folder)? {
        let stat = sys::stat_at(folder, &name)?;
        match kind(&stat) {
            Kind::Removed | Kind::Other => {}
            Kind::Folder => {
                *size = size.saturating_add(BLOCK);
                measure(open(folder, &name, depth)?.as_fd(), depth + 1, size)?;
            }
            Kind::File | Kind::Link => *size = size.saturating_add((stat.st_blocks.unsigned_abs() * 512).max(BLOCK)),
        }
    }
    Ok(())
}

fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(at(folder))?;
    entries.map(|entry| Ok(entry?.file_name())).collect()
}

/// A path to an open folder.
fn at(folder: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", folder.as_raw_fd())
}

fn open(folder: BorrowedFd<'_>, name: &OsStr, depth: usize) -> io::Result<OwnedFd> {
    if depth >= DEPTH {
        return Err(io::Error::other(format!("there are more than {DEPTH} folders in one another")));
    }
    sys::open_at(folder, name, libc::O_RDONLY | libc::O_DIRECTORY, 0)
}

impl Keeper {
    fn folder(&mut self, folder: &Apart) -> io::Result<()> {
        self.device = sys::stat_at(folder.lower.as_fd(), OsStr::new("."))?.st_dev;
        self.merge(folder.upper.as_fd(), folder.lower.as_fd(), &folder.path, 0)
    }

    fn merge(&mut self, upper: BorrowedFd<'_>, lower: BorrowedFd<'_>, path: &Path, depth: usize) -> io::Result<()> {
        let names = names(upper)?;
        if sys::attribute(upper, c"user.overlay.opaque").is_some_and(|value| value == b"y") {
            for name in self::names(lower)? {
                if !names.contains(&name) {
                    self.remove(lower, &name, &path.join(&name), depth)?;
                }
            }
        }
        for name in names {
            let stat = sys::stat_at(upper, &name)?;
            let path = path.join(&name);
            match kind(&stat) {
                Kind::Removed => self.remove(lower, &name, &path, depth)?,
                Kind::Folder => {
                    let upper = open(upper, &name, depth)?;
                    let mode = stat.st_mode & 0o1777;
                    let lower = self.folder_for(lower, &name, &path, depth)?;
                    self.merge(upper.as_fd(), lower.as_fd(), &path, depth + 1)?;
                    let lower = File::from(lower);
                    if lower.metadata()?.permissions().mode() & 0o1777 != mode {
                        lower.set_permissions(Permissions::from_mode(mode))?;
                    }
                }
                Kind::File => {
                    let part = self.copy(upper, lower, &name, &stat)?;
                    self.put(lower, &part, &name, &path, depth)?;
                }
                Kind::Link => {
                    let text = fs::read_link(Path::new(&at(upper)).join(&name))?;
                    let part = free_name(&stat, |part| sys::link_text_at(lower, part, &text))?.0;
                    self.put(lower, &part, &name, &path, depth)?;
                }
                Kind::Other => self.skipped += 1,
            }
        }
        Ok(())
    }

    /// The folder of this name below, made where there is none.
    fn folder_for(&mut self, lower: BorrowedFd<'_>, name: &OsStr, path: &Path, depth: usize) -> io::Result<OwnedFd> {
        match sys::stat_at(lower, name) {
            Ok(stat) if kind(&stat) == Kind::Folder => {
                self.same_device(&stat)?;
                return open(lower, name, depth);
            }
            Ok(_) => sys::remove_at(lower, name, false)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        sys::make_folder_at(lower, name, 0o700)?;
        self.tell(path, false);
        open(lower, name, depth)
    }

    /// A copy beside, with its holes, without rights that a file gives.
    fn copy(
        &self,
        upper: BorrowedFd<'_>,
        lower: BorrowedFd<'_>,
        name: &OsStr,
        stat: &libc::stat,
    ) -> io::Result<OsString> {
        let mut source = File::from(sys::open_at(upper, name, libc::O_RDONLY, 0)?);
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
        let (part, target) = free_name(stat, |part| sys::open_at(lower, part, flags, 0o600))?;
        let copied = fill(&mut source, &mut File::from(target), stat);
        if copied.is_err() {
            sys::remove_at(lower, &part, false).ok();
        }
        copied.map(|()| part)
    }

    /// Gives the part its name, in place of what has it now.
    fn put(&mut self, lower: BorrowedFd<'_>, part: &OsStr, name: &OsStr, path: &Path, depth: usize) -> io::Result<()> {
        let place = match sys::stat_at(lower, name) {
            Ok(stat) if kind(&stat) == Kind::Folder => self.remove(lower, name, path, depth),
            _ => Ok(()),
        };
        let put = place.and_then(|()| sys::rename_at(lower, part, name));
        match &put {
            Ok(()) => self.tell(path, false),
            Err(_) => {
                sys::remove_at(lower, part, false).ok();
            }
        }
        put
    }

    fn remove(&mut self, lower: BorrowedFd<'_>, name: &OsStr, path: &Path, depth: usize) -> io::Result<()> {
        let stat = match sys::stat_at(lower, name) {
            // It was made and removed again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            stat => stat?,
        };
        if kind(&stat) == Kind::Folder {
            self.same_device(&stat)?;
            let folder = open(lower, name, depth)?;
            for inner in names(folder.as_fd())? {
                self.remove(folder.as_fd(), &inner, &path.join(&inner), depth + 1)?;
            }
            sys::remove_at(lower, name, true)?;
        } else {
            sys::remove_at(lower, name, false)?;
        }
        self.tell(path, true);
        Ok(())
    }

    fn same_device(&self, stat: &libc::stat) -> io::Result<()> {
        match stat.st_dev == self.device {
            true => Ok(()),
            false => Err(io::Error::other("another file system is mounted in it")),
        }
    }

    fn tell(&mut self, path: &Path, removed: bool) {
        self.count += 1;
        let list = if removed { &mut self.removed } else { &mut self.written };
        if list.len() < TOLD {
            list.push(path.to_string_lossy().chars().take(LETTERS).collect());
        }
    }
}

/// A name that is not taken, and what was made under it.
fn free_name<T>(stat: &libc::stat, mut make: impl FnMut(&OsStr) -> io::Result<T>) -> io::Result<(OsString, T)> {
    for number in 0..1_000 {
        let name = OsString::from(format!(".rspa-{:x}-{number}.part", stat.st_ino));
        match make(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|made| (name, made)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn fill(source: &mut File, target: &mut File, stat: &libc::stat) -> io::Result<()> {
    let mut at = 0;
    while let Some(data) = sys::seek(source.as_fd(), at, true) {
        let end = sys::seek(source.as_fd(), data, false).unwrap_or(stat.st_size);
        if end <= data {
            break;
        }
        source.seek(SeekFrom::Start(data.unsigned_abs()))?;
        target.seek(SeekFrom::Start(data.unsigned_abs()))?;
        io::copy(&mut source.take((end - data).unsigned_abs()), target)?;
        at = end;
    }
    target.set_len(stat.st_size.unsigned_abs())?;
    target.set_times(FileTimes::new().set_modified(source.metadata()?.modified()?))?;
    target.set_permissions(Permissions::from_mode(stat.st_mode & 0o777))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folders {
        place: tempfile::TempDir,
    }

    impl Folders {
        fn new() -> Self {
            let place = tempfile::tempdir().unwrap();
            for name in ["upper", "lower"] {
                fs::create_dir(place.path().join(name)).unwrap();
            }
            Self { place }
        }

        fn upper(&self, name: &str) -> PathBuf {
            self.place.path().join("upper").join(name)
        }

        fn lower(&self, name: &str) -> PathBuf {
            self.place.path().join("lower").join(name)
        }

        fn keep(&self, limit: u64) -> Option<Changes> {
            let open = |path: PathBuf| OwnedFd::from(File::open(path).unwrap());
            let apart =
                Apart { path: PathBuf::from("/work"), upper: open(self.upper("")), lower: open(self.lower("")) };
            keep(&[apart], limit)
        }
    }

    #[test]
    fn files_folders_and_links_are_taken_over_with_their_holes() {
        let folders = Folders::new();
        fs::create_dir_all(folders.upper("a/b")).unwrap();
        fs::write(folders.upper("a/b/new"), b"new").unwrap();
        fs::create_dir(folders.lower("a")).unwrap();
        fs::write(folders.lower("a/old"), b"old").unwrap();
        fs::write(folders.lower("changed"), b"before").unwrap();
        fs::write(folders.upper("changed"), b"after").unwrap();
        fs::set_permissions(folders.upper("changed"), Permissions::from_mode(0o4755)).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folders.upper("link")).unwrap();
        File::create(folders.upper("holes")).unwrap().set_len(1 << 36).unwrap();
        let Some(Changes::Kept { written, removed, count, skipped }) = folders.keep(1 << 20) else { panic!() };
        assert_eq!((written.len(), removed.len(), count, skipped), (5, 0, 5, 0), "{written:?}");
        assert!(written.contains(&"/work/a/b/new".to_owned()), "{written:?}");
        assert_eq!(fs::read(folders.lower("a/b/new")).unwrap(), b"new");
        assert_eq!(fs::read(folders.lower("a/old")).unwrap(), b"old");
        assert_eq!(fs::read(folders.lower("changed")).unwrap(), b"after");
        assert_eq!(fs::metadata(folders.lower("changed")).unwrap().permissions().mode() & 0o7777, 0o755);
        assert_eq!(fs::read_link(folders.lower("link")).unwrap(), Path::new("/etc/passwd"));
        let holes = fs::metadata(folders.lower("holes")).unwrap();
        assert_eq!((holes.len(), std::os::unix::fs::MetadataExt::blocks(&holes)), (1 << 36, 0));
    }

    #[test]
    fn no_link_below_is_followed() {
        let folders = Folders::new();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("kept"), b"kept").unwrap();
        std::os::unix::fs::symlink(outside.path(), folders.lower("folder")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("kept"), folders.lower("file")).unwrap();
        fs::create_dir(folders.upper("folder")).unwrap();
        fs::write(folders.upper("folder/kept"), b"mine").unwrap();
        fs::write(folders.upper("file"), b"mine").unwrap();
        folders.keep(1 << 20).unwrap();
        assert_eq!(fs::read(outside.path().join("kept")).unwrap(), b"kept");
        assert_eq!(fs::read(folders.lower("folder/kept")).unwrap(), b"mine");
        assert_eq!(fs::read(folders.lower("file")).unwrap(), b"mine");
    }

    #[test]
    fn names_of_one_file_count_each_and_too_much_changes_nothing() {
        let folders = Folders::new();
        fs::write(folders.upper("0"), vec![1u8; 100_000]).unwrap();
        for index in 1..20 {
            fs::hard_link(folders.upper("0"), folders.upper(&index.to_string())).unwrap();
        }
        assert_eq!(folders.keep(1 << 20), None);
        assert_eq!(fs::read_dir(folders.lower("")).unwrap().count(), 0);
        assert!(matches!(folders.keep(4 << 20), Some(Changes::Kept { count: 20, .. })));
    }

    #[test]
    fn a_file_takes_the_place_of_a_folder_and_deep_trees_end_with_words() {
        let folders = Folders::new();
        fs::create_dir_all(folders.lower("x/y")).unwrap();
        fs::write(folders.lower("x/y/z"), b"z").unwrap();
        fs::write(folders.upper("x"), b"file").unwrap();
        let Some(Changes::Kept { removed, .. }) = folders.keep(1 << 20) else { panic!() };
        assert_eq!(removed, ["/work/x/y/z", "/work/x/y", "/work/x"]);
        assert_eq!(fs::read(folders.lower("x")).unwrap(), b"file");
        fs::create_dir_all(folders.upper(&"d/".repeat(DEPTH + 2))).unwrap();
        let Some(Changes::Failed(why)) = folders.keep(8 << 20) else { panic!() };
        assert!(why.contains("folders in one another"), "{why}");
    }
}
