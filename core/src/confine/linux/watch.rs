//! How much a command has written, in all its files together.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::policy::Policy;
use super::sys;

/// Measuring a large folder may take this part of the time.
const SHARE: u32 = 8;

/// The same for a program that serves, and the least time between two measurements of what it may write.
const SHARE_OF_SERVER: u32 = 128;
const LEAST: Duration = Duration::from_millis(20);
const LEAST_OF_SERVER: Duration = Duration::from_secs(2);

/// What a command deletes while it has it open is seen only as space that the disk lost; others write there too.
const OTHERS: u64 = 64 << 20;

pub enum Watch {
    /// Everything lies in a file system of its own, which cannot grow: full is too much.
    Store(OwnedFd),
    Folders(Folders),
}

/// Real folders, measured again and again.
pub struct Folders {
    roots: Vec<PathBuf>,
    limit: u64,
    before: u64,
    /// Each root's file system, and what was free on it.
    disks: Vec<(OwnedFd, u64)>,
    store: Option<OwnedFd>,
    next: Instant,
    serves: bool,
}

impl Watch {
    pub fn store(store: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self::Store(store.try_clone_to_owned()?))
    }

    /// The folders that the command may write to, and the file system of its temporary files, if it has one.
    pub fn folders(policy: &Policy, store: Option<BorrowedFd<'_>>) -> io::Result<Self> {
        let mut roots: Vec<PathBuf> =
            policy.folders.iter().filter(|folder| folder.write).map(|folder| folder.path.clone()).collect();
        if store.is_none() {
            roots.push(policy.temporary.clone());
        }
        let mut disks = Vec::new();
        for root in &roots {
            let folder = OwnedFd::from(fs::File::open(root)?);
            let (free, _) = sys::free(folder.as_fd())?;
            disks.push((folder, free));
        }
        let before = roots.iter().map(|root| size(root)).sum();
        let limit = u64::from(policy.limits.disk_mb) << 20;
        let store = store.map(|store| store.try_clone_to_owned()).transpose()?;
        Ok(Self::Folders(Folders { roots, limit, before, disks, store, next: Instant::now(), serves: policy.serves() }))
    }

    pub fn exceeded(&mut self) -> bool {
        match self {
            Self::Store(store) => full(store.as_fd()),
            Self::Folders(folders) => folders.exceeded(),
        }
    }
}

impl Folders {
    fn exceeded(&mut self) -> bool {
        if self.store.as_ref().is_some_and(|store| full(store.as_fd())) {
            return true;
        }
        let lost = |(disk, before): &(OwnedFd, u64)| {
            sys::free(disk.as_fd()).is_ok_and(|(free, _)| before.saturating_sub(free) > self.limit + OTHERS)
        };
        if self.disks.iter().any(lost) {
            return true;
        }
        let now = Instant::now();
        if now < self.next {
            return false;
        }
        let size: u64 = self.roots.iter().map(|root| size(root)).sum();
        let (share, least) = if self.serves { (SHARE_OF_SERVER, LEAST_OF_SERVER) } else { (SHARE, LEAST) };
        self.next = now + (now.elapsed() * share).max(least);
        // Full is too much here too: one file ends at exactly the limit, and must not be taken for one that fits.
        size.saturating_sub(self.before) >= self.limit
    }
}

/// It takes no more bytes, or no more files.
fn full(store: BorrowedFd<'_>) -> bool {
    sys::free(store).is_ok_and(|(bytes, files)| bytes == 0 || files == 0)
}

/// What a tree takes on its disk; an empty file counts as one block.
fn size(root: &Path) -> u64 {
    const BLOCK: u64 = 4_096;
    let mut sum = 0u64;
    let mut next = vec![root.to_owned()];
    while let Some(folder) = next.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            // Of the entry itself: links are not followed.
            let Ok(data) = entry.metadata() else { continue };
            sum = sum.saturating_add((data.blocks() * 512).max(BLOCK));
            if data.is_dir() {
                next.push(entry.path());
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_files_count_and_holes_do_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(size(folder.path()), 0);
        fs::create_dir(folder.path().join("below")).unwrap();
        for index in 0..100 {
            fs::write(folder.path().join(format!("below/{index}")), b"").unwrap();
        }
        assert!(size(folder.path()) >= 101 * 4_096);
        let holes = fs::File::create(folder.path().join("holes")).unwrap();
        holes.set_len(1 << 40).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        assert!(size(folder.path()) < 2 << 20);
    }
}
