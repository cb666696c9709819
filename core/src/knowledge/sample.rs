//! The sample folder: a few short documents inside the executable, so that search can be tried at once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub const NAME: &str = "Sample folder";

macro_rules! samples {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/sample/", $name)))),*]
    };
}

const DOCUMENTS: &[(&str, &str)] = samples![
    "Welcome.md",
    "Questions and answers.md",
    "Privacy.md",
    "cooking/Bread.md",
    "garden/Tomatoes.md",
    "travel/Packing list.txt",
    "science/Tides.html",
    "code/word_count.py",
];

/// Writes the documents that are not there yet; what the person changed stays. Gives the folder.
pub fn write(parent: &Path) -> io::Result<PathBuf> {
    let folder = parent.join(NAME);
    for (name, text) in DOCUMENTS {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        if !path.exists() {
            fs::write(path, text)?;
        }
    }
    Ok(folder)
}
