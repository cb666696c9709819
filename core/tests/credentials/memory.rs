//! Searches a process's memory and a folder's files for a text.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::child::Running;
use super::stand_in::StandIn;

/// How often the text stands in the readable memory of a process, and where: the names of its mappings.
fn found_in(pid: u32, text: &str) -> (usize, Vec<String>) {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let (mut searched, mut places) = (0, Vec::new());
    for map in maps.lines() {
        let mut fields = map.split_whitespace();
        let (Some(range), Some(rights)) = (fields.next(), fields.next()) else { continue };
        let name = fields.last().unwrap_or_default();
        if !rights.starts_with('r') || matches!(name, "[vvar]" | "[vsyscall]" | "[vvar_vclock]") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut block = vec![0; (1 << 20) + text.len()];
        let mut at = start;
        while at < end {
            let wanted = usize::try_from(end - at).unwrap().min(block.len());
            // What cannot be read (a mapping of a device) holds nothing of ours.
            let Ok(count) = memory.read_at(&mut block[..wanted], at) else { break };
            if count == 0 {
                break;
            }
            searched += count;
            let first = text.as_bytes()[0];
            let hits = (0..count.saturating_sub(text.len() - 1))
                .filter(|index| block[*index] == first && block[*index..].starts_with(text.as_bytes()));
            places.extend(hits.map(|index| format!("{:#x} {rights} {name}", at + index as u64)));
            at += (count.saturating_sub(text.len() - 1)).max(1) as u64;
        }
    }
    (searched, places)
}

/// Searches all files below a folder; those that were searched.
///
/// # Panics
/// When one holds the text.
pub fn files_without(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut searched = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            searched.extend(files_without(&path, text));
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else { continue };
        assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{} holds it", path.display());
        searched.push(path);
    }
    searched
}

/// Different in each run, and nowhere in this program's text.
fn unique(prefix: &str) -> String {
    let id = uuid::Uuid::now_v7().simple().to_string();
    format!("{prefix}{}", id.chars().rev().collect::<String>())
}

#[test]
fn the_search_finds_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Running::start("keep", folder.path(), "");
    let (passphrase, key) = (unique("words-"), unique("sk-canary-"));
    child.tell(&passphrase);
    child.tell(&key);
    child.hear("kept");
    let (searched, places) = found_in(child.child.id(), &key);
    println!("{} MiB searched, found at {places:?}", searched >> 20);
    assert!(!places.is_empty());
}

#[test]
fn after_a_lock_neither_the_key_nor_the_passphrase_is_in_memory_or_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let stand_in = StandIn::answering("200 OK", r#"{"data":[{}]}"#);
    let mut child = Running::start("use", folder.path(), &stand_in.base_url());
    let (passphrase, key) = (unique("words-"), unique("sk-canary-"));
    child.tell(&passphrase);
    child.tell(&key);
    child.hear("locked");
    assert!(stand_in.request().contains(&key), "it was used");
    for text in [&key, &passphrase] {
        let (searched, places) = found_in(child.child.id(), text);
        println!("{} MiB searched", searched >> 20);
        assert!(searched > 4 << 20, "only {searched} bytes were searched");
        assert!(places.is_empty(), "{places:?}");
    }
    files_without(folder.path(), &key);
    files_without(folder.path(), &passphrase);
}
