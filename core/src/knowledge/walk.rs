//! Finds the files of a source: .gitignore respected, hidden ones left out, links not followed, every obstacle said in words.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use ignore::{DirEntry, WalkBuilder};
use rspa_ml::Cancel;

use super::ignored::Rules;
use super::readers::{Format, format_of, words_of};
use crate::model::exact_path::bytes_of;
use crate::storage::knowledge::Stamp;

/// Folders inside each other beyond which nothing is searched.
const MOST_DEPTH: usize = 128;
/// Obstacles that are listed; a folder of a million broken links needs no million rows.
const MOST_PROBLEMS: usize = 2_000;

/// What git and Obsidian keep for themselves, whatever rules of the person's say.
const NEVER: [&str; 3] = [".git", ".obsidian", ".trash"];

/// A file that may hold text.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Within the source, as the system's own bytes; empty for a source that is one file.
    pub relative: Vec<u8>,
    pub path: PathBuf,
    pub stamp: Stamp,
    pub format: Format,
}

#[derive(Debug, Default)]
pub struct Walked {
    pub files: Vec<Found>,
    /// Folders and links that could not be followed, with the reason.
    pub problems: Vec<(Vec<u8>, String)>,
    /// What lies under these could not be seen: it must not be taken as deleted.
    pub unseen: Vec<Vec<u8>>,
    /// All folders that were read, for watching.
    pub folders: Vec<PathBuf>,
    /// There is more: it was told to stop.
    pub cut: bool,
}

/// Why a source cannot be walked at all.
#[derive(Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not there (an unplugged drive, say).
    Missing,
    Unreadable(String),
    Cancelled,
}

/// What is left out.
#[derive(Clone, Debug)]
pub struct Options {
    pub follow_gitignore: bool,
    /// The program's own data: it changes by being read.
    pub skip: Option<PathBuf>,
}

/// Walks a folder, or looks at a single file. Calls `progress` with the number of files found, now and then.
pub fn walk(
    root: &Path,
    options: &Options,
    cancel: &Cancel,
    mut progress: impl FnMut(usize),
) -> Result<Walked, Obstacle> {
    walk_while(root, options, cancel, |_, files| {
        progress(files);
        true
    })
}

/// As [`walk`], as long as `goes_on` says yes to the number of entries that were looked at and of files found; it is
/// asked now and then.
pub fn walk_while(
    root: &Path,
    options: &Options,
    cancel: &Cancel,
    mut goes_on: impl FnMut(usize, usize) -> bool,
) -> Result<Walked, Obstacle> {
    let metadata = check(root)?;
    let mut walked = Walked::default();
    if metadata.is_file() {
        let format = format_of(root).unwrap_or(Format::Unknown);
        walked.files.push(Found { relative: Vec::new(), path: root.to_owned(), stamp: stamp_of(&metadata), format });
        return Ok(walked);
    }
    std::fs::read_dir(root).map_err(|error| Obstacle::Unreadable(words_of(&error)))?;
    // The walker would open files of rules whatever they are and however long; so they are read here.
    let rules = options.follow_gitignore.then(|| Arc::new(Mutex::new(Rules::of(root))));
    let walker = WalkBuilder::new(root)
        .standard_filters(false)
        .follow_links(false)
        .same_file_system(false)
        .max_depth(Some(MOST_DEPTH))
        .filter_entry({
            let (skip, rules) = (options.skip.clone(), rules.clone());
            move |entry| {
                let path = entry.path();
                if skip.as_deref() == Some(path)
                    || (entry.depth() > 0 && NEVER.iter().any(|name| entry.file_name() == *name))
                {
                    return false;
                }
                let Some(rules) = &rules else { return !is_hidden(entry) };
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                let mut rules = rules.lock().unwrap_or_else(PoisonError::into_inner);
                !rules.leaves_out(path, entry.depth(), is_folder, is_hidden(entry))
            }
        })
        .build();
    for (number, entry) in walker.enumerate() {
        if number.is_multiple_of(256) {
            if cancel.is_cancelled() {
                return Err(Obstacle::Cancelled);
            }
            if !goes_on(number, walked.files.len()) {
                walked.cut = true;
                break;
            }
        }
        match entry {
            Ok(entry) => walked.entry(root, entry),
            Err(error) => walked.obstacle(root, &error),
        }
    }
    if let Some(rules) = rules {
        let refused = std::mem::take(&mut rules.lock().unwrap_or_else(PoisonError::into_inner).refused);
        for (path, reason) in refused {
            if path.starts_with(root) {
                walked.problem(relative(root, &path), reason);
            } else {
                // It lies above the source, which is then what has the problem.
                walked.problem(Vec::new(), format!("{}: {reason}", path.display()));
            }
        }
    }
    // A folder that went away while it was walked must not look like an empty one.
    check(root)?;
    Ok(walked)
}

/// Whether the system does not show an entry unless asked to.
fn is_hidden(entry: &DirEntry) -> bool {
    #[cfg(windows)]
    {
        use std::os::windows::fs::MetadataExt;
        /// FILE_ATTRIBUTE_HIDDEN
        const HIDDEN: u32 = 2;
        if entry.metadata().is_ok_and(|metadata| metadata.file_attributes() & HIDDEN != 0) {
            return true;
        }
    }
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn check(root: &Path) -> Result<Metadata, Obstacle> {
    std::fs::metadata(root).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Obstacle::Missing,
        _ => Obstacle::Unreadable(words_of(&error)),
    })
}

impl Walked {
    fn entry(&mut self, root: &Path, entry: DirEntry) {
        let Some(kind) = entry.file_type() else { return };
        if kind.is_dir() {
            self.folders.push(entry.into_path());
        } else if kind.is_symlink() {
            self.link(root, entry.path());
        } else if kind.is_file() {
            let Some(format) = format_of(entry.path()) else { return };
            let relative = relative(root, entry.path());
            match entry.metadata() {
                Ok(metadata) => {
                    self.files.push(Found { relative, stamp: stamp_of(&metadata), format, path: entry.into_path() });
                }
                Err(error) => {
                    self.unseen.push(relative.clone());
                    self.problem(relative, format!("It cannot be looked at: {error}."));
                }
            }
        }
    }

    /// Links are not followed; those whose content is found nowhere else are named.
    fn link(&mut self, root: &Path, path: &Path) {
        let reason = match path.canonicalize() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "It is a link that leads nowhere.",
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                "It is a link into a folder that you may not read."
            }
            Err(_) => "It is a link that leads in a circle, so it was not followed.",
            Ok(target) => {
                let home = root.canonicalize().unwrap_or_else(|_| root.to_owned());
                let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
                if parent.is_some_and(|parent| parent.starts_with(&target)) {
                    "It is a link back to a folder above it, a circle, so it was not followed."
                } else if target.starts_with(&home) {
                    return;
                } else {
                    "It is a link that leads out of this source, so it was not followed; add its target as a source of its own."
                }
            }
        };
        self.problem(relative(root, path), reason.to_owned());
    }

    fn obstacle(&mut self, root: &Path, error: &ignore::Error) {
        let Some(path) = path_of(error) else {
            tracing::warn!(%error, "a part of a source could not be walked");
            return;
        };
        let relative = relative(root, path);
        self.unseen.push(relative.clone());
        let reason = match error.io_error() {
            Some(io) => format!("It cannot be opened: {}.", words_of(io)),
            None => format!("It cannot be read: {error}."),
        };
        self.problem(relative, reason);
    }

    fn problem(&mut self, relative: Vec<u8>, reason: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push((relative, reason));
        }
    }

    /// Whether a path lies where nothing could be seen this time.
    pub fn is_unseen(&self, relative: &[u8]) -> bool {
        self.unseen.iter().any(|folder| {
            relative.strip_prefix(folder.as_slice()).is_some_and(|rest| {
                rest.is_empty() || folder.is_empty() || rest.starts_with(b"/") || rest.starts_with(b"\\")
            })
        })
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        ignore::Error::Partial(errors) => errors.iter().find_map(path_of),
        _ => None,
    }
}

fn relative(root: &Path, path: &Path) -> Vec<u8> {
    bytes_of(path.strip_prefix(root).unwrap_or(path))
}

/// Size and date as the system gives them.
pub fn stamp_of(metadata: &Metadata) -> Stamp {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
    Stamp { size: metadata.len(), modified }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ALL: Options = Options { follow_gitignore: true, skip: None };

    fn names(walked: &Walked) -> Vec<String> {
        let mut names: Vec<_> =
            walked.files.iter().map(|file| String::from_utf8_lossy(&file.relative).into_owned()).collect();
        names.sort();
        names
    }

    fn walked(root: &Path) -> Walked {
        walk(root, &ALL, &Cancel::new(), |_| {}).unwrap()
    }

    #[test]
    fn ignored_hidden_and_binary_files_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["a.md", "b.log", "c.png", ".hidden/d.md", "target/e.md", "src/f.rs", ".git/config"] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        fs::write(root.join(".gitignore"), "*.log\ntarget/\n").unwrap();
        let found = walked(root);
        assert_eq!(names(&found), ["a.md", "src/f.rs"]);
        assert!(found.problems.is_empty());
        assert_eq!(found.folders.len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn links_in_circles_and_out_of_the_source_are_named() {
        use std::os::unix::fs::symlink;
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path();
        fs::create_dir(root.join("sub")).unwrap();
        fs::write(root.join("sub/a.md"), "text").unwrap();
        symlink(root, root.join("sub/loop")).unwrap();
        symlink("self", root.join("self")).unwrap();
        symlink(other.path(), root.join("outside")).unwrap();
        symlink(root.join("sub/a.md"), root.join("same.md")).unwrap();
        let found = walked(root);
        assert_eq!(names(&found), ["sub/a.md"]);
        let mut problems: Vec<_> = found
            .problems
            .iter()
            .map(|(path, why)| (String::from_utf8_lossy(path).into_owned(), why.as_str()))
            .collect();
        problems.sort();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].1.contains("out of this source"), "{problems:?}");
        assert!(problems[1].1.contains("circle") && problems[2].1.contains("circle"), "{problems:?}");
    }

    #[test]
    fn deeper_rules_override_those_above() {
        let (folder, write) = tree();
        write(".gitignore", "*.log\n/build/\n!.shown.md\n");
        write("sub/.gitignore", "!keep.log\n*.md\n");
        write("sub/deep/.ignore", "!*.md\n");
        write(".git/info/exclude", "private.md\n");
        for name in ["a.md", "a.log", "build/b.md", "private.md", ".shown.md", "sub/build/c.rs", "sub/keep.log"] {
            write(name, "text");
        }
        for name in ["sub/other.log", "sub/d.md", "sub/deep/e.md", "sub/deep/keep.log", "z.md"] {
            write(name, "text");
        }
        let found = walked(folder.path());
        let expected =
            [".shown.md", "a.md", "sub/build/c.rs", "sub/deep/e.md", "sub/deep/keep.log", "sub/keep.log", "z.md"];
        assert_eq!(names(&found), expected);
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        // Rules above a source hold in it; without rules only hidden files are left out.
        let sub = walked(&folder.path().join("sub"));
        assert_eq!(names(&sub), ["build/c.rs", "deep/e.md", "deep/keep.log", "keep.log"]);
        let all = Options { follow_gitignore: false, skip: None };
        let all = walk(folder.path(), &all, &Cancel::new(), |_| {}).unwrap();
        assert_eq!(all.files.len(), 11);
    }

    #[cfg(unix)]
    #[test]
    fn files_of_rules_that_are_no_short_files_are_refused_in_words() {
        use std::os::unix::fs::symlink;
        let (folder, write) = tree();
        let root = folder.path();
        for name in ["a.log", "long/b.log", "many/c.log", "pipe/d.log"] {
            write(name, "text");
        }
        symlink("/dev/zero", root.join(".gitignore")).unwrap();
        write("long/.gitignore", &"*.log\n".repeat(400_000));
        write("many/.ignore", &"*.log\n".repeat(20_000));
        let pipe = std::process::Command::new("mkfifo").arg(root.join("pipe/.gitignore")).status().unwrap();
        assert!(pipe.success());
        let found = walked(root);
        assert_eq!(names(&found), ["a.log", "long/b.log", "many/c.log", "pipe/d.log"]);
        let reason = |name: &str| {
            let found = found.problems.iter().find(|(path, _)| path == name.as_bytes());
            found.unwrap_or_else(|| panic!("{name} is not named in {:?}", found)).1.clone()
        };
        assert!(reason(".gitignore").contains("it is a link"));
        assert!(reason("long/.gitignore").contains("larger than 1 MB"));
        assert!(reason("many/.ignore").contains("more than 10000 patterns"));
        assert!(reason("pipe/.gitignore").contains("not a file"));
        assert_eq!(found.problems.len(), 4);
    }

    fn tree() -> (tempfile::TempDir, impl Fn(&str, &str)) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let write = move |name: &str, text: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        (folder, write)
    }

    #[test]
    fn a_source_that_is_not_there_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(walk(&folder.path().join("gone"), &ALL, &Cancel::new(), |_| {}).unwrap_err(), Obstacle::Missing);
        fs::write(folder.path().join("one.md"), "x").unwrap();
        let found = walked(&folder.path().join("one.md"));
        assert_eq!(found.files[0].relative, b"");
    }

    #[test]
    fn what_could_not_be_seen_is_known() {
        let walked = Walked { unseen: vec![b"locked".to_vec()], ..Walked::default() };
        assert!(walked.is_unseen(b"locked/a.md") && walked.is_unseen(b"locked"));
        assert!(!walked.is_unseen(b"locked2/a.md") && !walked.is_unseen(b"a.md"));
    }
}
