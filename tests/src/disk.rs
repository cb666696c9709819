//! A disk of a few megabytes for a data folder: filled to leave as much as a test says, made read-only, taken away again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::is_root;

/// A tmpfs over a folder. Only root can make one.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// None, with words, where this process may not mount; the folder is made.
    ///
    /// # Panics
    /// When root cannot mount either.
    pub fn over(folder: &Path, megabytes: u32) -> Option<Self> {
        if !is_root() {
            println!("skipped: only root can mount a small file system");
            return None;
        }
        fs::create_dir_all(folder).expect("a folder can be made");
        let size = format!("size={megabytes}m,mode=700");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "rspa-test"]).arg(folder).status();
        assert!(status.is_ok_and(|status| status.success()), "root can mount a tmpfs");
        Some(Self { folder: folder.to_owned() })
    }

    /// Leaves so many bytes free, by a file beside the data.
    pub fn fill(&self, leave: u64) {
        self.empty();
        let path = self.filler();
        let mut file = File::create(path).expect("an empty file fits");
        let mut rest = self.free().saturating_sub(leave);
        let block = vec![1_u8; 1 << 16];
        while rest > 0 {
            let part = usize::try_from(rest.min(1 << 16)).expect("a block is small");
            match file.write(&block[..part]) {
                Ok(written) if written > 0 => rest -= written as u64,
                _ => return,
            }
        }
    }

    /// Gives the space back.
    pub fn empty(&self) {
        fs::remove_file(self.filler()).ok();
    }

    pub fn read_only(&self, read_only: bool) {
        let how = if read_only { "remount,ro" } else { "remount,rw" };
        let status = Command::new("mount").args(["-o", how]).arg(&self.folder).status();
        assert!(status.is_ok_and(|status| status.success()), "{how} of {}", self.folder.display());
    }

    pub fn free(&self) -> u64 {
        let path = std::ffi::CString::new(self.folder.as_os_str().as_encoded_bytes()).expect("a path has no zero byte");
        let mut figures = std::mem::MaybeUninit::<libc::statvfs>::uninit();
        // SAFETY: `path` ends with a zero byte and `figures` has room for the one struct that the call fills.
        let result = unsafe { libc::statvfs(path.as_ptr(), figures.as_mut_ptr()) };
        assert_eq!(result, 0, "the disk can be asked");
        // SAFETY: the call succeeded, so the struct is filled.
        let figures = unsafe { figures.assume_init() };
        figures.f_bavail * figures.f_frsize
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler of the test")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.folder).status().ok();
    }
}
