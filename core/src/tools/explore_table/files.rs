//! Which file in the allowed folders a question is about, told by the words in its name.

use std::ffi::OsString;

use super::choose::words;
use crate::api::ApiError;
use crate::tools::Scope;
use crate::tools::beneath::Kind;
use crate::tools::folders::{self, Place, is_secret};
use crate::tools::output::plain;

const MOST_DEPTH: usize = 4;
/// Entries that are looked at, in all folders.
const MOST_SEEN: usize = 20_000;
const MOST_OTHERS: usize = 12;

struct Found {
    place: Place,
    /// The higher, the likelier.
    rank: usize,
}

/// The likeliest table, and the names of some others; none when there is none.
pub fn find(scope: &Scope, question: &str) -> Result<Option<(Place, Vec<String>)>, ApiError> {
    let mut search =
        Search { scope, question: question.to_lowercase(), asked: words(question), seen: 0, found: Vec::new() };
    for folder in &scope.agent.settings.folders {
        let Some(path) = folder.path.to_str() else { continue };
        // A folder that is gone or may not be read does not hide the others.
        let Ok(place) = folders::find(scope, path) else { continue };
        search.folder(&place, &mut Vec::new())?;
    }
    let mut found = search.found;
    found.sort_by(|a, b| {
        b.rank
            .cmp(&a.rank)
            .then_with(|| a.place.path().components().count().cmp(&b.place.path().components().count()))
            .then_with(|| a.place.path().cmp(b.place.path()))
    });
    found.dedup_by(|a, b| a.place.path() == b.place.path());
    let mut found = found.into_iter().map(|found| found.place);
    let Some(first) = found.next() else { return Ok(None) };
    Ok(Some((first, found.take(MOST_OTHERS).map(|place| plain(&place.shown())).collect())))
}

struct Search<'a> {
    scope: &'a Scope,
    question: String,
    asked: Vec<String>,
    seen: usize,
    found: Vec<Found>,
}

impl Search<'_> {
    fn folder(&mut self, root: &Place, names: &mut Vec<OsString>) -> Result<(), ApiError> {
        if self.scope.cancel.is_cancelled() {
            return Err(ApiError::cancelled());
        }
        let Ok((entries, _)) = root.below(names).entries() else { return Ok(()) };
        for entry in entries {
            self.seen += 1;
            if self.seen > MOST_SEEN {
                return Ok(());
            }
            if is_secret(&entry.name) || entry.name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            names.push(entry.name);
            match entry.kind {
                Kind::Folder if names.len() < MOST_DEPTH => self.folder(root, names)?,
                Kind::File => self.file(root.below(names)),
                _ => {}
            }
            names.pop();
        }
        Ok(())
    }

    fn file(&mut self, place: Place) {
        let Some(name) = place.path().to_str().map(|_| place.name().to_lowercase()) else { return };
        let Some((stem, ending)) = name.rsplit_once('.') else { return };
        let ending = match ending {
            "csv" | "tsv" => 3,
            "jsonl" | "ndjson" => 2,
            // As often settings as a table.
            "json" => 0,
            _ => return,
        };
        let named = self.question.contains(&name);
        let shared = words(stem).iter().filter(|word| self.asked.contains(word)).count();
        self.found.push(Found { place, rank: ending + shared.min(9) * 10 + usize::from(named) * 1_000 });
    }
}
