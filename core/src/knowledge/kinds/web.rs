//! Pages of the web: fetched with the person's leave through the one door, kept in the data folder, read like any file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rspa_ml::Cancel;

use super::folder::Files;
use super::{Kind, Load, Look};
use crate::api::ApiError;
use crate::knowledge::readers::{Format, format_of, words_of};
use crate::knowledge::walk::{Found, Obstacle, Walked, stamp_of};
use crate::model::Timestamp;
use crate::workspace::places;

/// Of the name of a kept page.
const NAME: usize = 80;

/// What came back.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub bytes: Vec<u8>,
    /// What it is, as its bytes say: `html`, `pdf`, `md` or `txt`.
    pub extension: &'static str,
}

/// Fetches a page through the door. The engine implements it.
pub trait FetchPage: Send + Sync {
    /// `confirmed` is the host that the person agreed to just now, if somebody asked them.
    ///
    /// # Errors
    /// It is no address that may be asked, the policy refuses it, or nothing readable came.
    fn fetch(&self, address: &str, confirmed: Option<&str>, cancel: &Cancel) -> Result<Fetched, ApiError>;
}

pub struct Web {
    /// Holds the kept page.
    pub folder: PathBuf,
    pub address: String,
    pub fetch: Option<Arc<dyn FetchPage>>,
}

impl Kind for Web {
    fn list(&self, look: &mut Look<'_>) -> Result<Walked, Obstacle> {
        let mut walked = Walked::default();
        if look.again
            && let Some(fetch) = &self.fetch
        {
            let kept = fetch.fetch(&self.address, None, look.cancel).map_err(|error| error.to_string());
            let kept =
                kept.and_then(|page| keep_page(&self.folder, &self.address, &page).map_err(|error| words_of(&error)));
            if let Err(reason) = kept {
                let words = format!("It could not be fetched again: {reason}. What was kept before is still searched.");
                walked.problems.push((Vec::new(), words));
            }
        }
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Err(Obstacle::Missing) };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let name = entry.file_name();
            if metadata.is_file() && !name.as_encoded_bytes().starts_with(b".") {
                let path = entry.path();
                walked.files.push(Found {
                    relative: name.as_encoded_bytes().to_vec(),
                    stamp: stamp_of(&metadata),
                    format: format_of(&path).unwrap_or(Format::Unknown),
                    path,
                });
            }
        }
        if walked.files.is_empty() {
            return Err(Obstacle::Missing);
        }
        Ok(walked)
    }

    fn is_made(&self, _key: &[u8]) -> bool {
        false
    }

    fn loader(&self) -> Box<dyn Load + '_> {
        Box::new(Files)
    }
}

/// What an address is called in lists: without scheme and without a slash at its end.
pub fn address_of_page(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let mut name = rest.trim_end_matches('/').to_owned();
    super::clip(&mut name, NAME);
    name
}

/// When the kept page was fetched; none where there is none.
pub fn kept_at(folder: &Path) -> Option<Timestamp> {
    let kept = std::fs::read_dir(folder).ok()?.flatten().filter(|entry| {
        let is_part = entry.file_name().as_encoded_bytes().starts_with(b".");
        !is_part && entry.file_type().is_ok_and(|kind| kind.is_file())
    });
    let times = kept.filter_map(|entry| entry.metadata().ok()?.modified().ok());
    let newest = times.max()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(newest.as_millis()).ok().map(Timestamp)
}

/// Puts a page into the place of the one that was kept before.
pub fn keep_page(folder: &Path, address: &str, page: &Fetched) -> std::io::Result<()> {
    places::private_folder(folder)?;
    let mut name: String = address_of_page(address)
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_') { letter } else { '-' })
        .collect();
    name = name.trim_matches(['.', '-']).to_owned();
    for ending in [".html", ".htm", ".pdf", ".md", ".txt"] {
        name = name.strip_suffix(ending).map(str::to_owned).unwrap_or(name);
    }
    let name = format!("{}.{}", if name.is_empty() { "page" } else { &name }, page.extension);
    let (target, part) = (folder.join(&name), folder.join(".part"));
    let mut file = std::fs::File::create(&part)?;
    file.write_all(&page.bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&part, &target)?;
    // It was of another kind before.
    for entry in std::fs::read_dir(folder)?.flatten() {
        if entry.file_name() != std::ffi::OsStr::new(&name) && entry.path().is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
