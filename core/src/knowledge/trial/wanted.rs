//! The passage that a retrieval test wants: how it is taken down, and how it is known again in an index that cuts documents
//! in another way, or after its document has changed.

use std::path::{Path, PathBuf};

use crate::knowledge::KnowledgeError;
use crate::knowledge::service::{Inner, Service};
use crate::model::exact_path::bytes_of;
use crate::model::{Passage, PassageId, RetrievalOutcome, RetrievalTest, Source, SourceId, SourceKind, WantedPassage};
use crate::storage::retrieval::LONGEST_EXCERPT;

/// Passages of a document that are looked through for the wanted words.
const LOOKED: u64 = 5_000;
/// Shorter pieces of words are in too many passages.
const LEAST_PIECE: usize = 40;

/// What a test wants, in the index as it is now.
pub(super) enum Target {
    There(There),
    Gone(RetrievalOutcome),
}

pub(super) struct There {
    source: SourceId,
    key: Vec<u8>,
    path: PathBuf,
}

impl Target {
    /// Source and key of the wanted document.
    pub fn document(&self) -> Option<(SourceId, &[u8])> {
        match self {
            Self::There(there) => Some((there.source, &there.key)),
            Self::Gone(_) => None,
        }
    }
}

impl There {
    /// Whether a hit is what the test wants.
    pub fn is(&self, wanted: &WantedPassage, passage: &Passage) -> bool {
        passage.path == self.path && is(wanted, passage)
    }
}

impl Service {
    /// Takes down where a passage stands.
    ///
    /// # Errors
    /// It is not indexed any more.
    pub fn wanted(&self, id: PassageId) -> Result<WantedPassage, KnowledgeError> {
        let sources = self.inner.searched_sources();
        let passage = self.inner.store.passages(&[id.0], &sources)?.pop().ok_or(KnowledgeError::UnknownPassage)?;
        let source = sources.iter().find(|source| source.id == passage.source).ok_or(KnowledgeError::UnknownPassage)?;
        let inside = passage.path.strip_prefix(&source.path).map(Path::to_owned).unwrap_or_default();
        Ok(WantedPassage {
            source: source.id,
            inside,
            address: source.address.clone(),
            heading: passage.heading.map(|heading| heading.chars().take(LONGEST_EXCERPT).collect()),
            start_line: passage.start_line,
            end_line: passage.end_line,
            document_hash: passage.document_hash,
            excerpt: plain(&passage.text).chars().take(LONGEST_EXCERPT).collect(),
            path: passage.path,
        })
    }
}

/// Where each test's passage is now.
pub(super) fn targets(inner: &Inner, tests: &[RetrievalTest]) -> Result<Vec<Target>, KnowledgeError> {
    let sources = inner.searched_sources();
    tests.iter().map(|test| target(inner, &sources, &test.wanted)).collect()
}

fn target(inner: &Inner, sources: &[Source], wanted: &WantedPassage) -> Result<Target, KnowledgeError> {
    let Some((source, key)) = place(sources, wanted) else { return Ok(Target::Gone(RetrievalOutcome::SourceGone)) };
    let Some((document, range)) = inner.store.document_at(source, &key)? else {
        return Ok(Target::Gone(RetrievalOutcome::DocumentGone));
    };
    let there = There { source: source.id, path: document.path, key };
    if document.hash != wanted.document_hash {
        let ids: Vec<u64> = range.ids().take(LOOKED as usize).collect();
        let passages = inner.store.passages(&ids, std::slice::from_ref(source))?;
        if !passages.iter().any(|passage| is(wanted, passage)) {
            return Ok(Target::Gone(RetrievalOutcome::PassageGone));
        }
    }
    Ok(Target::There(there))
}

/// The source and the key within it: by the source itself, by the address of a page, or through another source that holds
/// the same path, such as the same folder added again.
fn place<'a>(sources: &'a [Source], wanted: &WantedPassage) -> Option<(&'a Source, Vec<u8>)> {
    if let Some(source) = sources.iter().find(|source| source.id == wanted.source) {
        return Some((source, bytes_of(&wanted.inside)));
    }
    if let Some(address) = &wanted.address {
        let source = sources.iter().find(|source| source.address.as_ref() == Some(address))?;
        return Some((source, bytes_of(&wanted.inside)));
    }
    let files = sources.iter().filter(|source| source.kind != SourceKind::Web);
    files
        .filter_map(|source| Some((source, bytes_of(wanted.path.strip_prefix(&source.path).ok()?))))
        .max_by_key(|(source, _)| source.path.as_os_str().len())
}

/// Whether a passage of the wanted document is the wanted one.
fn is(wanted: &WantedPassage, passage: &Passage) -> bool {
    if passage.document_hash != wanted.document_hash {
        return shares(&passage.text, &wanted.excerpt);
    }
    let overlaps = passage.start_line <= wanted.end_line && wanted.start_line <= passage.end_line;
    // Pieces of one long line share its number.
    let pieces = passage.start_line == passage.end_line && wanted.start_line == wanted.end_line;
    overlaps && (!pieces || shares(&passage.text, &wanted.excerpt))
}

/// Whether a text holds these words, or half of them: it may have been cut in their middle.
fn shares(text: &str, excerpt: &str) -> bool {
    let text = plain(text);
    if excerpt.is_empty() || text.contains(excerpt) {
        return true;
    }
    let middle = excerpt.char_indices().nth(excerpt.chars().count() / 2).map_or(0, |(at, _)| at);
    let (first, second) = excerpt.split_at(middle);
    [first, second].into_iter().map(str::trim).any(|half| half.chars().count() >= LEAST_PIECE && text.contains(half))
        || (text.chars().count() >= LEAST_PIECE && excerpt.contains(&text))
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{DocumentId, DocumentKind, Origin};

    fn wanted(lines: (u32, u32), excerpt: &str) -> WantedPassage {
        WantedPassage {
            source: SourceId(Uuid::nil()),
            inside: PathBuf::from("a.md"),
            path: PathBuf::from("/docs/a.md"),
            address: None,
            heading: None,
            start_line: lines.0,
            end_line: lines.1,
            document_hash: "same".to_owned(),
            excerpt: excerpt.to_owned(),
        }
    }

    fn passage(hash: &str, lines: (u32, u32), text: &str) -> Passage {
        Passage {
            id: PassageId(1),
            document: DocumentId(Uuid::nil()),
            source: SourceId(Uuid::nil()),
            path: PathBuf::from("/docs/a.md"),
            kind: DocumentKind::Markdown,
            start_line: lines.0,
            end_line: lines.1,
            page: None,
            heading: None,
            text: text.to_owned(),
            document_hash: hash.to_owned(),
            title: None,
            symbols: Vec::new(),
            origin: Origin::File,
        }
    }

    #[test]
    fn the_same_document_is_judged_by_lines_a_changed_one_by_words() {
        let words = "A task whose lease expired is queued again, and its attempt is counted as one that was lost.";
        let one = wanted((10, 20), words);
        assert!(is(&one, &passage("same", (20, 30), "other words")));
        assert!(!is(&one, &passage("same", (21, 30), words)));
        assert!(is(&one, &passage("other", (90, 95), &format!("Before.\n\n{words}\n  After."))));
        assert!(!is(&one, &passage("other", (10, 20), "other words")));
    }

    #[test]
    fn words_that_were_cut_in_two_are_known_by_either_half() {
        let words = "A task whose lease expired is queued again, and its attempt is counted as one that was lost.";
        let cut = words.find("and its").unwrap();
        assert!(shares(&format!("x y z. {}", &words[..cut + 20]), words));
        assert!(shares(&format!("{} And so on.", &words[cut - 5..]), words));
        assert!(!shares("A task", words), "too little to say");
        assert!(shares("fn a() {}", "fn a() {}") && !shares("fn b() {}", "fn a() {}"));
        assert!(!shares("", words));
    }

    #[test]
    fn pieces_of_one_long_line_are_told_apart() {
        let one = wanted((1, 1), "the second piece of a line that has no end at all, as machines write them");
        assert!(!is(&one, &passage("same", (1, 1), "the first piece of a line that has no end at all")));
        assert!(is(&one, &passage("same", (1, 1), &one.excerpt)));
    }

    #[test]
    fn a_document_is_found_through_its_source_or_through_the_same_folder_added_again() {
        let source = |number: u128, path: &str| Source {
            address: None,
            kind: SourceKind::Folder,
            id: SourceId(Uuid::from_u128(number)),
            profile: crate::model::ProfileId(Uuid::nil()),
            path: PathBuf::from(path),
            name: String::new(),
            sample: false,
            paused: false,
            created: crate::model::Timestamp(0),
            updated: crate::model::Timestamp(0),
        };
        let one = WantedPassage { source: SourceId(Uuid::from_u128(5)), ..wanted((1, 2), "") };
        let moved = [source(5, "/elsewhere")];
        assert_eq!(place(&moved, &one).map(|(source, key)| (source.id, key)), Some((moved[0].id, b"a.md".to_vec())));
        let again = [source(1, "/"), source(6, "/docs"), source(7, "/other")];
        assert_eq!(place(&again, &one).map(|(source, key)| (source.id, key)), Some((again[1].id, b"a.md".to_vec())));
        assert!(place(&[source(7, "/other")], &one).is_none());
        let page = WantedPassage { address: Some("https://a.example/b".to_owned()), ..one };
        assert!(place(&again, &page).is_none(), "a page is not looked for among files");
    }
}
