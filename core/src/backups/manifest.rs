//! The first entry of a backup: what is in it, who made it, when and why, with a checksum of each entry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::model::{BackupReason, Timestamp};

pub const FORMAT: u64 = 1;
pub const NAME: &str = "manifest.json";
pub const DATABASE: &str = "main.redb";
pub const SETTINGS: [&str; 4] = ["settings.toml", "settings.json", "settings.yaml", "settings.yml"];
/// Folders whose files are backed up with all that lies below.
pub const FOLDERS: [&str; 2] = ["notes", CREDENTIALS];
pub const CREDENTIALS: &str = "credentials";
/// Says how the sealed files can be opened; no secret is in it.
pub const VAULT: &str = "credentials/vault.json";
const SEALED: &str = ".sealed";

/// A manifest is never larger, in bytes.
pub(super) const LARGEST: u64 = 16 << 20;
pub(super) const MOST_ENTRIES: usize = 100_000;
const LONGEST_NAME: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u64,
    /// Version of the program that wrote it.
    pub program: String,
    /// Version of the main database's schema.
    pub schema: u64,
    pub made: Timestamp,
    pub reason: BackupReason,
    /// By name.
    pub profiles: Vec<String>,
    /// Rows of each table of the main database.
    pub rows: BTreeMap<String, u64>,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// With `/` between folders.
    pub name: String,
    /// In bytes, unpacked.
    pub size: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    pub fn rows_of(&self, table: &str) -> u64 {
        self.rows.get(table).copied().unwrap_or(0)
    }

    /// Bytes of all entries, unpacked.
    pub fn size(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.size))
    }

    pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Self, BackupError> {
        #[derive(Deserialize)]
        struct Head {
            format: u64,
        }
        let no_manifest =
            |error: serde_json::Error| BackupError::not_a_backup(path, format!("its manifest is unreadable ({error})"));
        // The format first: of a newer one nothing else is known.
        let head: Head = serde_json::from_slice(bytes).map_err(no_manifest)?;
        if head.format > FORMAT {
            let path = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            return Err(BackupError::Newer { path, found: head.format, known: FORMAT });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(no_manifest)?;
        manifest.check().map_err(|detail| BackupError::damaged(path, detail))?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        if self.format == 0 {
            return Err("its format is 0".to_owned());
        }
        if self.entries.len() > MOST_ENTRIES {
            return Err(format!("it lists {} entries", self.entries.len()));
        }
        let mut seen = BTreeSet::new();
        for entry in &self.entries {
            if !is_allowed(&entry.name) {
                return Err(format!("the entry {:?} does not belong into a backup", shortened(&entry.name)));
            }
            // Where file names do not heed their case, two would become one.
            if !seen.insert(entry.name.to_lowercase()) {
                return Err(format!("the entry {:?} is in it twice", shortened(&entry.name)));
            }
        }
        if !self.entries.iter().any(|entry| entry.name == DATABASE) {
            return Err("it holds no database".to_owned());
        }
        Ok(())
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(80).collect()
}

/// Names that a backup may hold: none of them leads out of the folder that it is unpacked into.
pub(super) fn is_allowed(name: &str) -> bool {
    if name == DATABASE || SETTINGS.contains(&name) {
        return true;
    }
    let Some((folder, rest)) = name.split_once('/') else { return false };
    // The key of a vault is no part of a backup: who finds the backup must not be able to open what is sealed in it.
    if folder == CREDENTIALS && name != VAULT && (rest.contains('/') || !rest.ends_with(SEALED)) {
        return false;
    }
    FOLDERS.contains(&folder)
        && name.len() <= LONGEST_NAME
        && rest.split('/').count() <= super::write::DEEPEST
        && rest.split('/').all(is_plain)
}

/// One part of a path that means the same on every system.
fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && part != "."
        && part != ".."
        && !part.ends_with(['.', ' '])
        && !part.chars().any(|c| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_stay_inside_are_allowed() {
        for good in [
            "main.redb",
            "settings.toml",
            "notes/a.md",
            "notes/deep/er/ü b.md",
            "credentials/openai.sealed",
            "credentials/vault.json",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "",
            "other",
            "/etc/passwd",
            "../main.redb",
            "notes",
            "notes/",
            "notes//a",
            "notes/../main.redb",
            "notes/..",
            "notes/a/../../b",
            "notes\\a",
            "notes/a\\b",
            "notes/C:",
            "credentials/./a.sealed",
            "credentials/vault-0a.key",
            "credentials/a/b.sealed",
            "notes/a\0b",
            "logs/a",
            "Main.redb",
            "main.redb/x",
            "notes/a.",
            "notes/a\nb",
        ] {
            assert!(!is_allowed(bad), "{bad:?}");
        }
        assert!(!is_allowed(&format!("notes/{}", "a/".repeat(100) + "b")));
        assert!(!is_allowed(&format!("notes/{}", "a".repeat(2_000))));
    }
}
