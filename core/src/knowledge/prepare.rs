//! From an item of a source to a document ready to store: read, cut, embedded. Runs on reader threads.

use std::sync::Arc;
use std::time::Instant;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;

use super::chunk::{self, Chunk, Sizes};
use super::kinds::Load;
use super::readers::{self, Limits, ReadError};
use super::walk::Found;
use crate::clock::Ids;
use crate::model::DocumentId;
use crate::storage::knowledge::{FileChange, KnownFile, NewDocument, Outcome, Stamp};

/// Texts embedded at once: below the number from which the static embedder takes other threads' time.
const EMBED_BATCH: usize = 32;
/// A date that no file has: the file is looked at again next time.
const LOOK_AGAIN: i64 = i64::MIN;

/// What the reader threads share.
pub struct Preparer {
    pub limits: Limits,
    pub sizes: Sizes,
    pub embedder: Option<Arc<dyn Embedder>>,
    pub ids: Arc<Ids>,
}

impl Preparer {
    /// None when cancelled.
    pub fn prepare(
        &self,
        loader: &mut dyn Load,
        found: &Found,
        known: Option<&KnownFile>,
        cancel: &Cancel,
    ) -> Option<FileChange> {
        let started = Instant::now();
        let change = |stamp: Stamp, outcome: Outcome| {
            let remark = std::str::from_utf8(&found.relative).is_err().then(|| {
                "Its name holds characters that are no valid text; it is shown with replacement characters.".to_owned()
            });
            let remark = remark.filter(|_| matches!(outcome, Outcome::Indexed(_)));
            Some(FileChange {
                preparation: self.sizes.preparation(),
                path: found.relative.clone(),
                stamp,
                outcome,
                remark,
            })
        };
        // Whatever goes wrong with one file stays with that file.
        match readers::guard::catch(|| self.document(loader, found, known, started, cancel)) {
            Ok(outcome) => change(found.stamp, outcome),
            Err(ReadError::Cancelled) => None,
            // What stands in the way may be removed without touching the file.
            Err(error @ (ReadError::Io(_) | ReadError::TimedOut(_) | ReadError::TooLarge(..))) => {
                let stamp = Stamp { modified: LOOK_AGAIN, ..found.stamp };
                change(stamp, Outcome::Problem(error.to_string()))
            }
            Err(error) => change(found.stamp, Outcome::Problem(error.to_string())),
        }
    }

    fn document(
        &self,
        loader: &mut dyn Load,
        found: &Found,
        known: Option<&KnownFile>,
        started: Instant,
        cancel: &Cancel,
    ) -> Result<Outcome, ReadError> {
        // Gone between the listing and now.
        let Some(loaded) = loader.load(found, &self.limits)? else { return Ok(Outcome::Gone) };
        let hash = loaded.hash();
        if known.is_some_and(|known| known.hash == Some(hash) && known.preparation == self.sizes.preparation()) {
            return Ok(Outcome::Touched);
        }
        let anchors = loaded.anchors();
        let Some(extracted) = loaded.extract(&self.limits, cancel)? else { return Ok(Outcome::NoText) };
        let passages = chunk::chunk(&extracted, self.sizes);
        let mut note = extracted.note;
        if passages.len() >= chunk::MOST_CHUNKS {
            note = Some(format!("Only its first {} passages are searchable.", chunk::MOST_CHUNKS));
        }
        let vectors = self.vectors(&passages, cancel)?;
        Ok(Outcome::Indexed(Box::new(NewDocument {
            anchors: begins_in(&passages, &anchors),
            metadata: extracted.metadata,
            title: extracted.title,
            id: DocumentId(self.ids.next()),
            kind: extracted.kind,
            hash,
            confidence: extracted.confidence,
            note,
            seconds: started.elapsed().as_secs_f64(),
            passages,
            vectors,
        })))
    }

    fn vectors(&self, passages: &[Chunk], cancel: &Cancel) -> Result<Vec<Vec<f32>>, ReadError> {
        let Some(embedder) = &self.embedder else { return Ok(Vec::new()) };
        let mut vectors = Vec::with_capacity(passages.len());
        for batch in passages.chunks(EMBED_BATCH) {
            let texts: Vec<String> =
                batch.iter().map(|passage| embedded_text(passage.heading.as_deref(), &passage.text)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            match embedder.embed(&texts, cancel) {
                Ok(more) => vectors.extend(more),
                Err(rspa_ml::Error::Cancelled) => return Err(ReadError::Cancelled),
                // Words still find it; the vectors are made up for later.
                Err(error) => {
                    tracing::warn!(%error, "a document could not be embedded");
                    return Ok(Vec::new());
                }
            }
        }
        Ok(vectors)
    }
}

/// Of each passage the thing that it begins in; empty where there are none.
fn begins_in(passages: &[Chunk], anchors: &[(u32, u128)]) -> Vec<Option<u128>> {
    if anchors.is_empty() {
        return Vec::new();
    }
    let of = |passage: &Chunk| {
        let after = anchors.partition_point(|(line, _)| *line <= passage.start_line);
        anchors[..after].last().map(|(_, id)| *id)
    };
    passages.iter().map(of).collect()
}

/// What is embedded for a passage: the heading says what the text is about.
pub fn embedded_text(heading: Option<&str>, text: &str) -> String {
    match heading {
        Some(heading) => format!("{heading}\n{text}"),
        None => text.to_owned(),
    }
}
