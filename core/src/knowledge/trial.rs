//! Trials: retrieval tests are asked of the index in use, and of one that is made with other settings in a folder beside it,
//! over the same documents. The index in use is only read.

mod asked;
mod shadow;
pub mod wanted;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;

use super::KnowledgeError;
use super::chunk::Sizes;
use super::service::{Inner, Service};
use crate::model::{RetrievalFigures, RetrievalSettings, RetrievalTest, RetrievalTrial, Source, Timestamp};
use crate::storage::knowledge::Stamp;
use shadow::Shadow;
use wanted::Target;

/// The sample is the same for the same documents.
const SEED: u64 = 8;
/// Documents that a trial takes beside the wanted ones unless told otherwise.
pub const USUAL_DOCUMENTS: usize = 2_000;

/// What is tried, against what.
pub struct Plan<'a> {
    pub tests: &'a [RetrievalTest],
    /// In force now.
    pub old: RetrievalSettings,
    pub new: RetrievalSettings,
    /// The encoder of the new settings, loaded.
    pub encoder: Option<Arc<dyn Embedder>>,
    /// The folder of the trial: made here, removed at the end.
    pub scratch: &'a Path,
    /// Documents beside those that tests want.
    pub documents: usize,
}

/// A document that a trial takes.
struct Chosen {
    /// Among the sources.
    source: usize,
    key: Vec<u8>,
    stamp: Stamp,
    hash: [u8; 32],
}

/// Told the share that is done, from 0 to 1.
pub type Progress<'a> = &'a mut dyn FnMut(f64);

impl Service {
    /// Asks all tests of the index in use.
    ///
    /// # Errors
    /// `Cancelled`; what searching meets.
    pub fn ask_tests(
        &self,
        tests: &[RetrievalTest],
        settings: RetrievalSettings,
        progress: Progress<'_>,
        cancel: &Cancel,
    ) -> Result<RetrievalFigures, KnowledgeError> {
        let targets = wanted::targets(&self.inner, tests)?;
        asked::ask(self, tests, &targets, settings, progress, cancel)
    }

    /// Makes an index with other settings and asks all tests of both. The folder of the trial is gone afterwards, however
    /// this ends.
    ///
    /// # Errors
    /// `Cancelled`; the folder cannot be written; what reading and searching meet.
    pub fn try_settings(
        &self,
        plan: &Plan<'_>,
        at: Timestamp,
        progress: Progress<'_>,
        cancel: &Cancel,
    ) -> Result<RetrievalTrial, KnowledgeError> {
        clear(plan.scratch)?;
        let result = self.tried(plan, at, progress, cancel);
        let cleared = clear(plan.scratch);
        let trial = result?;
        cleared?;
        Ok(trial)
    }

    fn tried(
        &self,
        plan: &Plan<'_>,
        at: Timestamp,
        progress: Progress<'_>,
        cancel: &Cancel,
    ) -> Result<RetrievalTrial, KnowledgeError> {
        let begun = Instant::now();
        let inner = &self.inner;
        let sources = inner.searched_sources();
        let targets = wanted::targets(inner, plan.tests)?;
        let (chosen, all) = choose(inner, &sources, &targets, plan.documents)?;
        let sampled = chosen.len() < all;
        // Reading and embedding take nearly all of the time; copying and asking little.
        let part = |from: f64, share: f64| move |done: f64| from + share * done;
        let (copying, reading, asking) = (part(0.0, 0.1), part(0.1, 0.8), part(0.9, 0.1));
        let old = if sampled {
            let encoder = inner.load_encoder()?;
            let embedder = encoder.as_ref().map(|space| space.embedder.clone());
            let sizes = (inner.preferences)().sizes;
            let shadow = Shadow::open(inner, &plan.scratch.join("old"), &sources, embedder, sizes)?;
            let copied =
                shadow.copy(inner, encoder.as_ref(), &sources, &chosen, &mut |done| progress(copying(done)), cancel);
            let figures = copied.and_then(|()| {
                asked::ask(shadow.service(), plan.tests, &targets, plan.old.clone(), &mut |_| {}, cancel)
            });
            shadow.close();
            figures?
        } else {
            asked::ask(self, plan.tests, &targets, plan.old.clone(), &mut |done| progress(copying(done)), cancel)?
        };
        let sizes = Sizes::around(plan.new.chunk_size as usize);
        let shadow = Shadow::open(inner, &plan.scratch.join("new"), &sources, plan.encoder.clone(), sizes)?;
        let made = shadow.make(inner, &sources, &chosen, &mut |done| progress(reading(done)), cancel);
        let asked = made.and_then(|unread| {
            let mut progress = |done| progress(asking(done));
            let figures = asked::ask(shadow.service(), plan.tests, &targets, plan.new.clone(), &mut progress, cancel)?;
            Ok((unread, figures))
        });
        shadow.close();
        let (unread, new) = asked?;
        Ok(RetrievalTrial {
            at,
            documents: chosen.len() as u64,
            documents_all: all as u64,
            unread,
            seconds: begun.elapsed().as_secs_f64(),
            old,
            new,
        })
    }
}

/// Removes what a trial left behind.
///
/// # Errors
/// The folder is there and cannot be removed.
pub fn clear(scratch: &Path) -> Result<(), KnowledgeError> {
    match std::fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(KnowledgeError::Trial(error)),
        _ => Ok(()),
    }
}

/// The documents that tests want and as many others, at most, by chance; and how many there are.
fn choose(
    inner: &Inner,
    sources: &[Source],
    targets: &[Target],
    others: usize,
) -> Result<(Vec<Chosen>, usize), KnowledgeError> {
    let wanted: HashSet<(crate::model::SourceId, &[u8])> = targets.iter().filter_map(Target::document).collect();
    let (mut chosen, mut rest) = (Vec::new(), Vec::new());
    for (at, source) in sources.iter().enumerate() {
        let mut known: Vec<_> = inner.store.known_files(source.id)?.into_iter().collect();
        known.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (key, file) in known {
            let Some(hash) = file.hash else { continue };
            let is_wanted = wanted.contains(&(source.id, key.as_slice()));
            let one = Chosen { source: at, key, stamp: file.stamp, hash };
            if is_wanted { chosen.push(one) } else { rest.push(one) }
        }
    }
    let all = chosen.len() + rest.len();
    if rest.len() > others {
        let (sample, _) = rest.partial_shuffle(&mut StdRng::seed_from_u64(SEED), others);
        let sample = sample.len();
        // The chosen ones stand at the end.
        rest.drain(..rest.len() - sample);
    }
    chosen.append(&mut rest);
    chosen.sort_unstable_by(|a, b| (a.source, &a.key).cmp(&(b.source, &b.key)));
    Ok((chosen, all))
}
