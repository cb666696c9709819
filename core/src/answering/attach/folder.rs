//! An attached folder: its tree of files, then their texts as far as they fit; links are never followed.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Desk, LIMITS, Taken, beginning, shown};
use crate::knowledge::readers::Limits;
use crate::knowledge::walk::{self, Obstacle, Options};

/// Entries that are looked at, and the time for that.
const ENTRIES: usize = 20_000;
const LOOKING: Duration = Duration::from_secs(5);
/// Files that are named, and bytes of their names.
const NAMED: usize = 500;
const NAMES: usize = 24 << 10;
/// Files whose texts are read at most, and bytes of each.
const READ: usize = 400;
const OF_ONE: usize = 32 << 10;
const FILE: u64 = 5 << 20;

pub(super) fn read(desk: &Desk<'_>, root: &Path, title: String, most: usize, until: Instant) -> Taken {
    let options = Options { follow_gitignore: true, skip: Some(desk.data.to_owned()) };
    let looking = (Instant::now() + LOOKING).min(until);
    let goes_on = |entries, _| entries < ENTRIES && Instant::now() < looking;
    let mut walked = match walk::walk_while(root, &options, desk.cancel, goes_on) {
        Ok(walked) => walked,
        Err(Obstacle::Missing) => return Taken::nothing(title, "It is not there.".to_owned()),
        Err(Obstacle::Unreadable(why)) => return Taken::nothing(title, format!("It cannot be opened: {why}.")),
        Err(Obstacle::Cancelled) => return Taken::nothing(title, "Stopped.".to_owned()),
    };
    // What lies higher up says more of a folder.
    walked.files.sort_by_cached_key(|file| (file.path.components().count(), file.path.clone()));
    let total = walked.files.len();
    let more = if walked.cut { " at least" } else { "" };
    let mut text = format!("Folder {title} with{more} {total} files:\n");
    let mut named = 0;
    for file in walked.files.iter().take(NAMED) {
        let line = format!("- {} ({} bytes)\n", shown(root, &file.path), file.stamp.size);
        if text.len() + line.len() > most.min(NAMES) {
            break;
        }
        text += &line;
        named += 1;
    }
    if named < total {
        text += &format!("- and {} more\n", total - named);
    }
    let limits = Limits { file_bytes: FILE, ..LIMITS };
    let characters = text.len() as u64 + walked.files.iter().map(|file| file.stamp.size).sum::<u64>();
    let (mut whole, mut unreadable) = (0, 0);
    for file in walked.files.iter().take(READ) {
        if Instant::now() >= until || desk.cancel.is_cancelled() {
            break;
        }
        // What would not fit is not read: it may be large, and there may be many.
        let head = format!("\n=== {} ===\n", shown(root, &file.path));
        let room = most.saturating_sub(text.len() + head.len() + 1).min(OF_ONE);
        if room < 200 {
            break;
        }
        let is_link = std::fs::symlink_metadata(&file.path).map_or(true, |metadata| !metadata.is_file());
        let Ok(extracted) = (if is_link { Err(()) } else { desk.extract(&file.path, limits).map_err(drop) }) else {
            unreadable += 1;
            continue;
        };
        let all = extracted.lines.text();
        let cut = beginning(all, room);
        text += &head;
        text += cut;
        text.push('\n');
        whole += usize::from(cut.len() == all.len());
    }
    let problem = (whole < total || walked.cut).then(|| {
        let mut words = format!("The whole texts of {whole} of{more} {total} files were taken");
        if unreadable > 0 {
            words += &format!("; {unreadable} cannot be read as text");
        }
        words + "."
    });
    Taken { title, text, characters, problem }
}
