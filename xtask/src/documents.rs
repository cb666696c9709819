//! Checks that links between the project's own documents lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process;

const SKIPPED: [&str; 3] = ["target", ".git", "rspa-data"];

pub fn run() -> Result<()> {
    let broken = broken_links(&process::root());
    if !broken.is_empty() {
        bail!("links that lead nowhere:\n  {}", broken.join("\n  "));
    }
    Ok(())
}

/// `document: target` for each relative link whose file is missing.
fn broken_links(root: &Path) -> Vec<String> {
    let mut documents = Vec::new();
    collect(root, &mut documents);
    documents.sort();
    let mut broken = Vec::new();
    for document in documents {
        let Ok(text) = fs::read_to_string(&document) else { continue };
        let folder = document.parent().unwrap_or(root);
        for target in targets(&text) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            if !path.is_empty() && !folder.join(path).exists() {
                broken.push(format!("{}: {target}", document.strip_prefix(root).unwrap_or(&document).display()));
            }
        }
    }
    broken
}

fn collect(folder: &Path, documents: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (item.path(), item.file_name());
        if item.file_type().is_ok_and(|kind| kind.is_dir()) {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                collect(&path, documents);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
}

/// Relative targets of `[text](target)` outside code blocks.
fn targets(text: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let starts = line.match_indices("](").map(|(at, found)| &line[at + found.len()..]);
            targets.extend(starts.filter_map(|rest| rest.split(')').next()).filter(|target| {
                !target.contains("://") && !target.starts_with(['#', '<']) && !target.starts_with("mailto:")
            }));
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_missing_file_is_found_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("there.md"), "# There").unwrap();
        let text = "[a](there.md#part) [b](missing.md) [c](https://example.org) [d](#here)\n```\n[e](code.md)\n```\n";
        fs::write(folder.path().join("index.md"), text).unwrap();
        assert_eq!(broken_links(folder.path()), ["index.md: missing.md"]);
    }
}
