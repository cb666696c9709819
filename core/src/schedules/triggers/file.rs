//! Files that are made or changed: what a folder holds now against what it held before, so that renames, editors that put
//! a new file in the place of the old one, and many changes at once all end in one list.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use globset::{GlobBuilder, GlobMatcher};

use super::{Found, MOST_SEEN, Watch};
use crate::schedules::template::Seen;

/// Files of a folder that are followed.
const MOST_FILES: usize = 20_000;
/// Entries that one look reads.
const MOST_ENTRIES: usize = 200_000;
const DEEPEST: usize = 32;
const INTERVAL: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    changed: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    number: u64,
}

pub(super) struct FileWatch {
    path: PathBuf,
    pattern: Option<GlobMatcher>,
    /// The pattern tells of folders below, too.
    deep: bool,
    before: Option<BTreeMap<PathBuf, Stamp>>,
}

impl FileWatch {
    pub fn new(path: &Path, pattern: &str) -> Result<Self, String> {
        let pattern = pattern.trim();
        let deep = pattern.contains('/') || pattern.contains("**");
        let matcher = (!pattern.is_empty())
            .then(|| {
                if pattern.len() > 500 {
                    return Err("the pattern is longer than 500 characters".to_owned());
                }
                let glob = GlobBuilder::new(pattern).literal_separator(true).build();
                glob.map(|glob| glob.compile_matcher())
                    .map_err(|error| format!("the pattern cannot be read: {}", error.kind()))
            })
            .transpose()?;
        Ok(Self { path: path.to_owned(), pattern: matcher, deep, before: None })
    }

    fn files(&self) -> Result<BTreeMap<PathBuf, Stamp>, String> {
        let mut found = BTreeMap::new();
        let Ok(about) = std::fs::metadata(&self.path) else {
            // A file that is not there yet is waited for, if its folder is there.
            let parent_is_there = self.path.parent().is_some_and(Path::is_dir);
            return match self.pattern.is_none() && parent_is_there {
                true => Ok(found),
                false => Err(format!("{} is not there.", self.path.display())),
            };
        };
        if about.is_file() {
            found.insert(self.path.clone(), stamp(&about));
            return Ok(found);
        }
        let mut folders = vec![(self.path.clone(), 0)];
        let mut entries = 0;
        while let Some((folder, depth)) = folders.pop() {
            let listed = match std::fs::read_dir(&folder) {
                Ok(listed) => listed,
                Err(error) if depth == 0 => return Err(format!("{} cannot be read: {error}.", folder.display())),
                // It went meanwhile, or may not be read.
                Err(_) => continue,
            };
            for entry in listed.flatten() {
                entries += 1;
                if entries > MOST_ENTRIES || found.len() > MOST_FILES {
                    return Err(format!("{} holds more files than can be watched.", self.path.display()));
                }
                let path = entry.path();
                let Ok(about) = entry.metadata() else { continue };
                if about.is_dir() {
                    if self.deep && depth < DEEPEST {
                        folders.push((path, depth + 1));
                    }
                } else if about.is_file() && self.takes(&path) {
                    found.insert(path, stamp(&about));
                }
            }
        }
        Ok(found)
    }

    fn takes(&self, path: &Path) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        let below = path.strip_prefix(&self.path).unwrap_or(path);
        pattern.is_match(below)
    }
}

fn stamp(about: &std::fs::Metadata) -> Stamp {
    Stamp {
        changed: about.modified().ok(),
        length: about.len(),
        #[cfg(unix)]
        number: std::os::unix::fs::MetadataExt::ino(about),
    }
}

impl Watch for FileWatch {
    fn look(&mut self) -> Result<Found, String> {
        let now = match self.files() {
            Ok(now) => now,
            Err(why) => {
                // What comes back was there before: nobody changed it.
                return Err(why);
            }
        };
        let mut seen = Seen::default();
        if let Some(before) = &self.before {
            let changed = now.iter().filter(|(path, stamp)| before.get(*path) != Some(*stamp));
            for (path, _) in changed {
                let one = Seen::one([("path", path.display().to_string())]);
                seen.join(one, MOST_SEEN);
            }
        }
        self.before = Some(now);
        Ok(Found { seen: (!seen.items.is_empty()).then_some(seen), mark: None })
    }

    fn folders(&self) -> Vec<(PathBuf, bool)> {
        if self.path.is_dir() {
            return vec![(self.path.clone(), self.deep)];
        }
        // Editors put a new file in the place of the old one: its folder sees that.
        self.path.parent().map(|parent| (parent.to_owned(), false)).into_iter().collect()
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }
}
