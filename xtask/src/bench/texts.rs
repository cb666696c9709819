//! The texts that are measured on: this workspace's own sources and documents, so that everyone has the same.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Characters of a passage, about what the program's chunks have.
const PASSAGE: usize = 600;
const PASSAGES: usize = 5_000;

/// A JSON array of passages.
pub fn passages(root: &Path, work: &Path) -> Result<PathBuf> {
    let text = all_text(root);
    let characters: Vec<char> = text.chars().collect();
    let mut passages: Vec<String> = characters.chunks(PASSAGE).map(|chunk| chunk.iter().collect()).collect();
    // Repeated where there is too little, each time numbered so that no two passages are equal.
    let own = passages.len().max(1);
    for number in own..PASSAGES {
        passages.push(format!("{number} {}", passages[number % own]));
    }
    write(&work.join("texts.json"), &serde_json::to_string(&passages)?)
}

/// Running text for perplexity.
pub fn prose(root: &Path, work: &Path) -> Result<PathBuf> {
    write(&work.join("prose.txt"), &all_text(root))
}

fn write(path: &Path, text: &str) -> Result<PathBuf> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path.to_owned())
}

fn all_text(root: &Path) -> String {
    let mut files = Vec::new();
    for folder in ["app", "core", "ml", "docs", "tests", "xtask"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    files.iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = item.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            files.push(path);
        }
    }
}
