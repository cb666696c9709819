//! Text that a person or a script hands over: words on the command line, or standard input for `-`.

use std::io::Read;
use std::path::{Path, PathBuf};

use rspa_core::api::request::knowledge::ListSources;
use rspa_core::model::{SourceId, SourceStatus};

use super::failure::Failure;
use super::output::path_text;
use super::session::Session;

/// No question or query is longer than this, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// The words as one text; a single `-` reads standard input.
///
/// # Errors
/// Category validation when there is nothing in it, or too much, or no text.
pub fn text_of(words: &[String], what: &str) -> Result<String, Failure> {
    let text = if words.len() == 1 && words[0] == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(MAX_TEXT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        decode(bytes, what)?
    } else {
        words.join(" ")
    };
    check(text, what)
}

/// Bytes of a file or a pipe as text.
pub fn decode(bytes: Vec<u8>, what: &str) -> Result<String, Failure> {
    String::from_utf8(bytes)
        .map_err(|error| Failure::validation(format!("the {what} is not UTF-8 text ({error})"), "Send it as UTF-8."))
}

/// Not empty, and within the limit.
pub fn check(text: String, what: &str) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::validation(format!("the {what} is empty"), "Type what you want to know."));
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(Failure::validation(
            format!("the {what} is longer than {MAX_TEXT_BYTES} bytes"),
            "Put long material into a file, index it, and ask about it.",
        ));
    }
    Ok(text)
}

/// Sources by id or path.
pub fn sources_of(session: &Session, given: &[PathBuf]) -> Result<Vec<SourceId>, Failure> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let known = session.call(ListSources {})?;
    given.iter().map(|one| find(&known, one)).collect()
}

/// One source by id, path or address.
pub fn source_of(session: &Session, given: &Path) -> Result<SourceId, Failure> {
    find(&session.call(ListSources {})?, given)
}

fn find(known: &[SourceStatus], given: &Path) -> Result<SourceId, Failure> {
    let id = given.to_str().and_then(|text| text.parse::<SourceId>().ok());
    let absolute = given.canonicalize().or_else(|_| std::path::absolute(given)).ok();
    known
        .iter()
        .map(|status| &status.source)
        .find(|source| {
            let known = source.path == given || Some(&source.path) == absolute.as_ref();
            Some(source.id) == id || known || source.address.as_deref().is_some_and(|at| given.to_str() == Some(at))
        })
        .map(|source| source.id)
        .ok_or_else(|| {
            Failure::validation(
                format!("{} is not among the sources", path_text(given)),
                "Run rspa index list to see them, rspa index add PATH to add one.",
            )
        })
}
