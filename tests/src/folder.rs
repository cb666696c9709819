//! A data folder as a whole: its files, their bytes, copies of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files below a folder, by their path in it, in order. Locks and sockets are left out: they hold nothing.
///
/// # Panics
/// When a folder cannot be read.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(inside) = open.pop() {
        for item in fs::read_dir(&inside).expect("a folder of the test can be read").flatten() {
            let kind = item.file_type().expect("its kind is known");
            if kind.is_dir() {
                open.push(item.path());
            } else if kind.is_file() {
                found.push(item.path().strip_prefix(folder).expect("it lies below").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// What each file holds.
///
/// # Panics
/// When a file cannot be read.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| {
        let bytes = fs::read(folder.join(&path)).expect("a file of the test can be read");
        (path, bytes)
    };
    files(folder).into_iter().map(read).collect()
}

/// Makes `to` a copy of `from`; what was there is gone.
///
/// # Panics
/// When something cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("a folder of the test can be removed");
    }
    fs::create_dir_all(to).expect("a folder can be made");
    for path in files(from) {
        let target = to.join(&path);
        fs::create_dir_all(target.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::copy(from.join(&path), target).expect("a file can be copied");
    }
}
