//! A log file that is put aside when it is full: `rs_pa.log`, then `rs_pa.log.1` (younger) to `rs_pa.log.4`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub struct RotatedFile {
    path: PathBuf,
    file: File,
    written: u64,
    largest: u64,
    files: u32,
}

impl RotatedFile {
    /// `largest` in bytes; `files` counts the current one too.
    pub fn open(path: &Path, largest: u64, files: u32) -> io::Result<Self> {
        let file = open(path)?;
        let written = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, written, largest, files })
    }

    /// Appends whole lines, first making room if they would not fit.
    pub fn append(&mut self, lines: &str) -> io::Result<()> {
        let bytes = lines.len() as u64;
        if self.written > 0 && self.written + bytes > self.largest {
            self.rotate()?;
        }
        self.file.write_all(lines.as_bytes())?;
        self.written += bytes;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let aside = |number: u32| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        let kept = self.files.saturating_sub(1);
        for number in (1..kept).rev() {
            rename_if_there(&aside(number), &aside(number + 1))?;
        }
        if kept > 0 {
            rename_if_there(&self.path, &aside(1))?;
        } else {
            std::fs::remove_file(&self.path)?;
        }
        self.file = open(&self.path)?;
        self.written = 0;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rs_pa.log");
        let mut log = RotatedFile::open(&path, 20, 3).unwrap();
        for number in 0..9 {
            log.append(&format!("line {number}\n")).unwrap();
        }
        drop(log);
        let mut log = RotatedFile::open(&path, 20, 3).unwrap();
        log.append("line 9\n").unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("rs_pa.log"), "line 8\nline 9\n");
        assert_eq!(read("rs_pa.log.1"), "line 6\nline 7\n");
        assert_eq!(read("rs_pa.log.2"), "line 4\nline 5\n");
        assert!(!folder.path().join("rs_pa.log.3").exists());
    }
}
