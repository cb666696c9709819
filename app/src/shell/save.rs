//! Files that the person has written: under a name that is free, readable for their owner only.

use std::fs::File;
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// Writes `text` as `NAME ENDING` into the folder; a number is put between them while the name is taken.
pub fn write_new(folder: &Path, name: &str, ending: &str, text: &str) -> Result<PathBuf> {
    let stem: String = name.chars().map(|c| if c.is_alphanumeric() || "-_ ".contains(c) { c } else { '_' }).collect();
    for number in 1..100 {
        let own = if number == 1 { format!("{stem}{ending}") } else { format!("{stem} {number}{ending}") };
        let path = folder.join(own);
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => return file.write_all(text.as_bytes()).map(|()| path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let first = write_new(folder.path(), "a/b", ".csv", "one").unwrap();
        let second = write_new(folder.path(), "a/b", ".csv", "two").unwrap();
        assert_eq!((first.file_name(), second.file_name()), (Some("a_b.csv".as_ref()), Some("a_b 2.csv".as_ref())));
        assert_eq!(std::fs::read_to_string(first).unwrap(), "one");
    }
}
