//! What happens when nobody waits: vectors are loaded, graphs built, and an installed encoder embeds every passage.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::KnowledgeError;
use super::prepare::embedded_text;
use super::service::{Inner, Loaded, Space};
use super::vector::{Mark, Row};
use crate::model::{SourceId, SourceState};
use crate::storage::knowledge::DocumentRange;
use crate::storage::knowledge::read::Unembedded;

/// Passages of the first step of an encoder; the next ones are as long as its pace says.
const STEP: usize = 8;
const LEAST_STEP: usize = 2;
const MOST_STEP: usize = 256;
/// Seconds of work after which it can be stopped.
const STEP_SECONDS: f64 = 0.5;
/// Documents that are embedded before all others, because they are used most.
const MOST_USED: usize = 500;
/// The built-in embedder is a thousand times faster.
const STATIC_STEP: usize = 512;
/// The name that the person knows it by.
const PART: &str = "search by meaning";
/// Every embedder makes a vector of this, unless it fails at everything.
const PROBE: &str = "text";
/// A window draws its first frames before vectors are loaded.
const AFTER_START: Duration = Duration::from_secs(2);

/// Works until the board closes; sleeps while there is nothing to do.
pub(super) fn run(inner: &Inner) {
    if inner.eager {
        // Nothing ends this wait early but the end of the program.
        inner.board.wait_for(Some(AFTER_START), |board| board.is_closed().then_some(()));
    }
    let (mut seen, mut unwell) = (None, false);
    while !inner.stop.is_cancelled() {
        inner.reports.turn("embedder");
        let wishes = inner.board.lock().wishes;
        let settled = catch_unwind(AssertUnwindSafe(|| settle(inner)));
        let failed = match settled.unwrap_or_else(|_| Err(KnowledgeError::Keyword("the embedder failed".to_owned()))) {
            Ok(()) => {
                if std::mem::take(&mut unwell) {
                    inner.reports.health(PART, true, "passages are embedded again");
                }
                None
            }
            Err(KnowledgeError::Cancelled) => None,
            Err(error) => {
                tracing::error!(%error, "background work on vectors failed");
                inner.reports.health(PART, false, &error.to_string());
                unwell = true;
                Some(Arc::new(error))
            }
        };
        // Who waits for the encoder hears why it will not come to its end.
        inner.board.change(|board| (board.settled, board.unsettled) = (wishes, failed));
        // Until another scan has ended, or the encoder changed.
        let next = inner.board.wait_for(None, |board| {
            let now = (board.by_id.values().map(|running| running.ended).sum::<u64>(), board.by_id.len(), board.wishes);
            let quiet = board.scanning.is_none();
            (quiet && seen != Some(now)).then_some(now)
        });
        match next {
            Some(now) => seen = Some(now),
            None => return,
        }
    }
}

/// Brings everything up to date once.
fn settle(inner: &Inner) -> Result<(), KnowledgeError> {
    if let Some(space) = &inner.static_space {
        if inner.eager {
            inner.load_vectors(space, &inner.stop)?;
        }
        // Passages that were stored when there was no embedder, or another one.
        while step(inner, space, STATIC_STEP)? {}
        graph(inner, space)?;
    }
    // A command lets the encoder work only when somebody waits for it.
    if !inner.eager && inner.board.lock().wishes == 0 {
        return Ok(());
    }
    let Some(space) = inner.filled_encoder()? else {
        return finish(inner, None);
    };
    for space in inner.encoder_spaces() {
        inner.load_vectors(&space, &inner.stop)?;
    }
    // It may have come into force with a later question only.
    inner.load_vectors(&space, &inner.stop)?;
    inner.uses.keep(&inner.store)?;
    let mut first = most_used(inner, &space)?;
    let mut size = STEP;
    loop {
        let begun = Instant::now();
        let more = match first.is_empty() {
            true => step(inner, &space, size)?,
            false => {
                let next: Vec<u64> = first.drain(..first.len().min(size)).collect();
                let missing = inner.store.unembedded(space.index.space(), &next)?;
                let covered = inner.store.covered(space.index.space())?;
                embed_missing(inner, &space, &missing, covered)?;
                true
            }
        };
        size = next_size(size, begun.elapsed().as_secs_f64());
        finish(inner, Some(&space))?;
        if !more {
            inner.take_over(&space)?;
            break;
        }
        // Another encoder was chosen meanwhile: a window turns to that one.
        let is_it = |chosen: Space| chosen.embedder.id() == space.embedder.id();
        if inner.eager && !inner.filled_encoder()?.is_some_and(is_it) {
            return Ok(());
        }
        // A scan comes first: what it finds is searchable sooner.
        inner.board.wait_for(None, |board| board.scanning.is_none().then_some(()));
        if let Some(space) = &inner.static_space {
            graph(inner, space)?;
        }
    }
    graph(inner, &space)
}

fn graph(inner: &Inner, space: &Space) -> Result<(), KnowledgeError> {
    if space.index.wants_graph() {
        space.index.build_graph(&inner.stop)?;
    }
    // A command saves once, at its end.
    if inner.eager { Ok(space.index.save()?) } else { Ok(()) }
}

/// Embeds the next passages that lack a vector; false when none is left.
pub(super) fn step(inner: &Inner, space: &Space, limit: usize) -> Result<bool, KnowledgeError> {
    if inner.stop.is_cancelled() {
        return Err(KnowledgeError::Cancelled);
    }
    let of = space.index.space();
    let covered = inner.store.covered(of)?;
    if covered >= inner.store.last_passage()? {
        return Ok(false);
    }
    let (missing, looked) = inner.store.without_vector(of, covered, limit)?;
    embed_missing(inner, space, &missing, looked)?;
    Ok(looked < inner.store.last_passage()?)
}

/// As many passages as take half a second, coming near to it in a few steps.
fn next_size(size: usize, seconds: f64) -> usize {
    let wanted = size as f64 * STEP_SECONDS / seconds.max(0.001);
    (wanted as usize).clamp(size / 2, size * 2).clamp(LEAST_STEP, MOST_STEP)
}

/// The passages that lack a vector in the documents that are used most, the most used first.
fn most_used(inner: &Inner, space: &Space) -> Result<Vec<u64>, KnowledgeError> {
    let of = space.index.space();
    let covered = inner.store.covered(of)?;
    let mut ids = Vec::new();
    for range in inner.store.most_used(MOST_USED)? {
        // Below the mark everything has its vector.
        let above: Vec<u64> = range.ids().filter(|id| *id > covered).collect();
        ids.extend(inner.store.unembedded(of, &above)?.iter().map(|passage| passage.id));
    }
    Ok(ids)
}

/// Embeds these passages and stores that the space covers everything up to `covered`.
fn embed_missing(inner: &Inner, space: &Space, missing: &[Unembedded], covered: u64) -> Result<(), KnowledgeError> {
    let of = space.index.space();
    if inner.stop.is_cancelled() {
        return Err(KnowledgeError::Cancelled);
    }
    let texts: Vec<String> =
        missing.iter().map(|passage| embedded_text(passage.heading.as_deref(), &passage.text)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors: Vec<_> = match embed(inner, space, &texts) {
        Ok(vectors) => missing.iter().map(|passage| passage.id).zip(vectors).collect(),
        Err(KnowledgeError::Embedding(error)) => {
            tracing::warn!(%error, "passages could not be embedded together and are tried one by one");
            one_by_one(inner, space, missing.iter().map(|passage| passage.id).zip(texts))?
        }
        Err(error) => return Err(error),
    };
    let vectors = Arc::new(vectors);
    let order = inner.commits.lock().unwrap_or_else(PoisonError::into_inner);
    let stored = inner.store.put_vectors(of, vectors.clone(), covered)?;
    if space.index.is_loaded() {
        let documents = inner.store.document_ranges()?;
        let rows: Vec<(Row, &[f32])> = vectors
            .iter()
            .filter(|(id, _)| stored.contains(id))
            .filter_map(|(id, vector)| {
                let document = document_of(&documents, *id)?;
                let (source, kind, modified) = (document.source, document.kind, document.modified);
                Some((Row { id: *id, source, kind, modified }, vector.as_slice()))
            })
            .collect();
        space.index.apply(&[], &rows, Mark { change: None, covered: Some(covered) });
    }
    drop(order);
    if inner.eager && space.index.wants_save() {
        space.index.save()?;
    }
    Ok(())
}

fn embed(inner: &Inner, space: &Space, texts: &[&str]) -> Result<Vec<Vec<f32>>, KnowledgeError> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    // Beside a window on one thread, whose low priority holds; for a command that waits, as fast as it can be.
    let embedded = match inner.eager {
        true => space.embedder.embed_on_this_thread(texts, &inner.stop),
        false => space.embedder.embed(texts, &inner.stop),
    };
    embedded.map_err(|error| match error {
        rspa_ml::Error::Cancelled => KnowledgeError::Cancelled,
        other => KnowledgeError::Embedding(other),
    })
}

/// A passage that the embedder cannot take stays without a vector, so that those after it get theirs.
///
/// # Errors
/// When the embedder fails at any text, not just at some.
fn one_by_one<'a>(
    inner: &Inner,
    space: &Space,
    passages: impl Iterator<Item = (u64, &'a str)>,
) -> Result<Vec<(u64, Vec<f32>)>, KnowledgeError> {
    let mut vectors = Vec::new();
    let mut works = false;
    for (id, text) in passages {
        match embed(inner, space, &[text]) {
            Ok(of_one) => vectors.extend(of_one.into_iter().map(|vector| (id, vector))),
            Err(KnowledgeError::Embedding(error)) => {
                if !std::mem::replace(&mut works, true) {
                    embed(inner, space, &[PROBE])?;
                }
                tracing::warn!(passage = id, %error, "a passage stays without a vector");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(vectors)
}

fn document_of(documents: &[DocumentRange], id: u64) -> Option<&DocumentRange> {
    let after = documents.partition_point(|document| document.range.first <= id);
    documents[..after].last().filter(|document| document.range.ids().contains(&id))
}

/// Sources that the encoder has covered are ready.
fn finish(inner: &Inner, space: Option<&Space>) -> Result<(), KnowledgeError> {
    let covered = match space {
        Some(space) => inner.store.covered(space.index.space())?,
        None => u64::MAX,
    };
    let settled = [SourceState::Upgrading, SourceState::Ready];
    let all: Vec<SourceId> = inner
        .board
        .lock()
        .by_id
        .values()
        .filter(|running| settled.contains(&running.state))
        .map(|running| running.source.id)
        .collect();
    for id in all {
        let behind = inner.store.counts(id)?.last_passage > covered;
        let changed = inner.board.change(|board| match board.by_id.get_mut(&id) {
            Some(running) if settled.contains(&running.state) => {
                let state = if behind { SourceState::Upgrading } else { SourceState::Ready };
                std::mem::replace(&mut running.state, state) != state
            }
            _ => false,
        });
        if changed {
            inner.tell(id);
        }
    }
    Ok(())
}

impl Inner {
    /// The encoder that is searched with, with its space, loaded when needed.
    pub(super) fn load_encoder(&self) -> Result<Option<Space>, KnowledgeError> {
        self.filled_encoder()?;
        Ok(self.encoder())
    }

    /// The encoder that passages are embedded with: the chosen one. Where another one was searched with until now, that goes
    /// on until this one covers everything.
    pub(super) fn filled_encoder(&self) -> Result<Option<Space>, KnowledgeError> {
        let Some(embedder) = self.encoders.encoder() else {
            *self.encoders_loaded.write().unwrap_or_else(PoisonError::into_inner) = Loaded::default();
            return Ok(None);
        };
        let is_it = |space: &&Space| space.embedder.id() == embedder.id();
        {
            let loaded = self.encoders_loaded.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(space) = loaded.coming.as_ref().filter(is_it) {
                return Ok(Some(space.clone()));
            }
            if let Some(space) = loaded.searched.as_ref().filter(is_it)
                && loaded.coming.is_none()
            {
                return Ok(Some(space.clone()));
            }
        }
        let of = self.store.space(embedder.id(), embedder.dimensions())?;
        let mut loaded = self.encoders_loaded.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been quicker, or the person went back to the one before.
        let known = [&loaded.coming, &loaded.searched].into_iter().flatten().find(is_it).cloned();
        if let Some(space) = known {
            if loaded.searched.as_ref().is_some_and(|searched| is_it(&searched)) {
                loaded.coming = None;
            }
            return Ok(Some(space));
        }
        let space = Space { embedder, index: Arc::new(self.vector_index(of)) };
        let covers_all = self.store.covered(of)? >= self.store.last_passage()?;
        let former = match loaded.searched.take() {
            _ if covers_all => None,
            Some(former) => Some(former),
            None => self.former_encoder(of)?,
        };
        let used = |former: &Space| Ok::<bool, KnowledgeError>(self.store.covered(former.index.space())? > 0);
        *loaded = match former {
            Some(former) if used(&former)? => Loaded { searched: Some(former), coming: Some(space.clone()) },
            _ => Loaded { searched: Some(space.clone()), coming: None },
        };
        Ok(Some(space))
    }

    /// The encoder that was searched with when the program last ended, where that was another one than `of`.
    fn former_encoder(&self, of: crate::storage::knowledge::Space) -> Result<Option<Space>, KnowledgeError> {
        let Some((name, former)) = self.store.searched_space()?.filter(|(_, former)| *former != of) else {
            return Ok(None);
        };
        let embedder = self.encoders.former(&name).filter(|embedder| embedder.dimensions() == former.dimensions);
        Ok(embedder.map(|embedder| Space { embedder, index: Arc::new(self.vector_index(former)) }))
    }

    /// What covers everything is searched from now on, also after the next start.
    fn take_over(&self, space: &Space) -> Result<(), KnowledgeError> {
        let of = space.index.space();
        if self.store.covered(of)? < self.store.last_passage()? {
            return Ok(());
        }
        {
            let mut loaded = self.encoders_loaded.write().unwrap_or_else(PoisonError::into_inner);
            if loaded.coming.as_ref().is_some_and(|coming| coming.embedder.id() == space.embedder.id()) {
                *loaded = Loaded { searched: Some(space.clone()), coming: None };
            }
            if loaded.searched.as_ref().is_none_or(|searched| searched.embedder.id() != space.embedder.id()) {
                return Ok(());
            }
        }
        Ok(self.store.put_searched_space(of)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rspa_ml::Cancel;
    use rspa_ml::embed::Embedder;

    use super::super::reports::Silent;
    use super::super::{Config, Preferences, Service};
    use super::*;
    use crate::clock::SystemClock;
    use crate::inference::EncoderProvider;
    use crate::model::ProfileId;
    use crate::storage::{Db, DbOptions, tables};

    /// Fails at texts with a certain word, or at all.
    #[derive(Default)]
    struct Failing {
        at_all: AtomicBool,
    }

    impl Embedder for Failing {
        fn id(&self) -> &str {
            "failing"
        }

        fn dimensions(&self) -> usize {
            2
        }

        fn embed(&self, texts: &[&str], _cancel: &Cancel) -> rspa_ml::Result<Vec<Vec<f32>>> {
            if self.at_all.load(Ordering::SeqCst) || texts.iter().any(|text| text.contains("poison")) {
                return Err(rspa_ml::Error::Tokenizer("the text is odd".to_owned()));
            }
            Ok(vec![vec![1.0, 0.0]; texts.len()])
        }
    }

    struct Installed(Arc<Failing>);

    impl EncoderProvider for Installed {
        fn encoder(&self) -> Option<Arc<dyn Embedder>> {
            Some(self.0.clone())
        }
    }

    #[test]
    fn a_step_takes_about_half_a_second() {
        let mut size = STEP;
        // Two milliseconds a passage, then a hundred.
        for _ in 0..10 {
            size = next_size(size, size as f64 * 0.002);
        }
        assert_eq!(size, 250);
        for _ in 0..10 {
            size = next_size(size, size as f64 * 0.1);
        }
        assert_eq!(size, 5);
        assert_eq!(next_size(2, 60.0), LEAST_STEP);
    }

    #[test]
    fn one_bad_passage_stops_no_other_and_a_failing_encoder_ends_the_wait() {
        let folder = tempfile::tempdir().unwrap();
        let docs = folder.path().join("docs");
        std::fs::create_dir(&docs).unwrap();
        for number in 0..30 {
            let word = if number == 3 { "poison" } else { "bread" };
            std::fs::write(docs.join(format!("{number:02}.md")), format!("The {word} of day {number}.")).unwrap();
        }
        let failing = Arc::new(Failing::default());
        let service = Service::with_embedder(
            Config {
                profile: ProfileId(uuid::Uuid::from_u128(7)),
                main: Db::open(&folder.path().join("main"), &tables::MAIN, DbOptions::default()).unwrap(),
                knowledge: Db::open(&folder.path().join("know"), &tables::KNOWLEDGE, DbOptions::default()).unwrap(),
                data: folder.path().join("data"),
                index: folder.path().join("index"),
                samples: folder.path().join("samples"),
                preferences: Arc::new(Preferences::default),
                clock: Arc::new(SystemClock),
                reports: Arc::new(Silent),
                encoder: Arc::new(Installed(failing.clone())),
                eager: false,
                built_in: false,
                pages: folder.path().join("pages"),
                fetch: None,
            },
            None,
        )
        .unwrap();
        let id = service.add(&docs).unwrap().source.id;
        failing.at_all.store(true, Ordering::SeqCst);
        let error = service.wait(id, true, &Cancel::new()).unwrap_err();
        assert!(error.to_string().contains("the text is odd"), "{error}");
        failing.at_all.store(false, Ordering::SeqCst);
        service.wait(id, true, &Cancel::new()).unwrap();
        let space = service.inner.encoder().unwrap().index.space();
        let all: Vec<u64> = (1..=service.inner.store.last_passage().unwrap()).collect();
        assert_eq!((all.len(), service.inner.store.vectors(space, &all).unwrap().len()), (30, 29));
        service.stop();
    }

    /// Remembers what it embedded, in order.
    #[derive(Default)]
    struct Recording {
        texts: std::sync::Mutex<Vec<String>>,
    }

    impl Embedder for Recording {
        fn id(&self) -> &str {
            "recording"
        }

        fn dimensions(&self) -> usize {
            2
        }

        fn embed(&self, texts: &[&str], _cancel: &Cancel) -> rspa_ml::Result<Vec<Vec<f32>>> {
            self.texts.lock().unwrap().extend(texts.iter().map(|text| (*text).to_owned()));
            Ok(vec![vec![1.0, 0.0]; texts.len()])
        }
    }

    struct Later(Arc<Recording>);

    impl EncoderProvider for Later {
        fn encoder(&self) -> Option<Arc<dyn Embedder>> {
            Some(self.0.clone())
        }
    }

    #[test]
    fn the_most_used_documents_are_embedded_first_and_then_all_others_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let docs = folder.path().join("docs");
        std::fs::create_dir(&docs).unwrap();
        for number in 0..30 {
            std::fs::write(docs.join(format!("{number:02}.md")), format!("The bread of day {number:02}.")).unwrap();
        }
        let recording = Arc::new(Recording::default());
        let service = Service::with_embedder(
            Config {
                profile: ProfileId(uuid::Uuid::from_u128(7)),
                main: Db::open(&folder.path().join("main"), &tables::MAIN, DbOptions::default()).unwrap(),
                knowledge: Db::open(&folder.path().join("know"), &tables::KNOWLEDGE, DbOptions::default()).unwrap(),
                data: folder.path().join("data"),
                index: folder.path().join("index"),
                samples: folder.path().join("samples"),
                preferences: Arc::new(Preferences::default),
                clock: Arc::new(SystemClock),
                reports: Arc::new(Silent),
                encoder: Arc::new(Later(recording.clone())),
                eager: false,
                built_in: false,
                pages: folder.path().join("pages"),
                fetch: None,
            },
            None,
        )
        .unwrap();
        let id = service.add(&docs).unwrap().source.id;
        service.wait(id, false, &Cancel::new()).unwrap();
        // Opened twice, once, and shown.
        for (name, times) in [("27.md", 2), ("11.md", 1)] {
            for _ in 0..times {
                service.read_document(&docs.join(name), 1, 1, &Cancel::new()).unwrap();
            }
        }
        let query = crate::model::SearchQuery {
            text: "day 19".to_owned(),
            mode: crate::model::SearchMode::Keyword,
            ..crate::model::SearchQuery::default()
        };
        let found = service.search(&query, &Cancel::new()).unwrap();
        let shown = found.hits.iter().map(|hit| &hit.passage).filter(|passage| passage.path.ends_with("19.md"));
        service.shown(shown);
        service.wait(id, true, &Cancel::new()).unwrap();
        let days: Vec<String> = recording
            .texts
            .lock()
            .unwrap()
            .iter()
            .filter_map(|text| Some(text.strip_prefix("The bread of day ")?[..2].to_owned()))
            .collect();
        assert_eq!(days.len(), 30, "each is embedded once");
        assert_eq!(days[..3], ["27", "11", "19"]);
        let all: std::collections::BTreeSet<&String> = days.iter().collect();
        assert_eq!(all.len(), 30);
        service.stop();
    }

    /// Marks each text by whose vector it got.
    struct Named(&'static str);

    impl Embedder for Named {
        fn id(&self) -> &str {
            self.0
        }

        fn dimensions(&self) -> usize {
            2
        }

        fn embed(&self, texts: &[&str], _cancel: &Cancel) -> rspa_ml::Result<Vec<Vec<f32>>> {
            Ok(vec![vec![1.0, 0.0]; texts.len()])
        }
    }

    /// Two encoders are installed; one is chosen.
    struct Two(std::sync::Mutex<&'static str>);

    impl EncoderProvider for Two {
        fn encoder(&self) -> Option<Arc<dyn Embedder>> {
            Some(Arc::new(Named(*self.0.lock().unwrap())))
        }

        fn former(&self, id: &str) -> Option<Arc<dyn Embedder>> {
            ["first", "second"].into_iter().find(|known| *known == id).map(|known| Arc::new(Named(known)) as _)
        }
    }

    fn two(folder: &std::path::Path, chosen: Arc<Two>) -> Service {
        Service::with_embedder(
            Config {
                profile: ProfileId(uuid::Uuid::from_u128(7)),
                main: Db::open(&folder.join("main"), &tables::MAIN, DbOptions::default()).unwrap(),
                knowledge: Db::open(&folder.join("know"), &tables::KNOWLEDGE, DbOptions::default()).unwrap(),
                data: folder.join("data"),
                index: folder.join("index"),
                samples: folder.join("samples"),
                preferences: Arc::new(Preferences::default),
                clock: Arc::new(SystemClock),
                reports: Arc::new(Silent),
                encoder: chosen,
                eager: false,
                built_in: false,
                pages: folder.join("pages"),
                fetch: None,
            },
            None,
        )
        .unwrap()
    }

    #[test]
    fn the_encoder_before_is_searched_until_the_new_one_covers_everything() {
        let folder = tempfile::tempdir().unwrap();
        let docs = folder.path().join("docs");
        std::fs::create_dir(&docs).unwrap();
        for number in 0..30 {
            std::fs::write(docs.join(format!("{number:02}.md")), format!("The bread of day {number:02}.")).unwrap();
        }
        let chosen = Arc::new(Two(std::sync::Mutex::new("first")));
        let service = two(folder.path(), chosen.clone());
        let id = service.add(&docs).unwrap().source.id;
        service.wait(id, true, &Cancel::new()).unwrap();
        let searched = |service: &Service| {
            service.inner.load_encoder().unwrap().map(|space| space.embedder.id().to_owned()).unwrap()
        };
        assert_eq!(searched(&service), "first");
        *chosen.0.lock().unwrap() = "second";
        assert_eq!(searched(&service), "first");
        let filled = service.inner.filled_encoder().unwrap().unwrap();
        assert_eq!(filled.embedder.id(), "second");
        filled.index.load(&service.inner.store, &Cancel::new()).unwrap();
        assert!(step(&service.inner, &filled, 10).unwrap(), "there is more");
        assert_eq!(searched(&service), "first");
        service.stop();
        service.inner.main.close();
        drop(service);

        // Also after a restart in the middle, and back again without a word of the second.
        let service = two(folder.path(), chosen.clone());
        assert_eq!(searched(&service), "first");
        *chosen.0.lock().unwrap() = "first";
        assert_eq!(service.inner.filled_encoder().unwrap().unwrap().embedder.id(), "first");
        *chosen.0.lock().unwrap() = "second";
        assert_eq!(searched(&service), "first");
        service.wait(id, true, &Cancel::new()).unwrap();
        // What waits is told when all is covered; the worker notes it right after.
        let filled = service.inner.filled_encoder().unwrap().unwrap();
        service.inner.take_over(&filled).unwrap();
        assert_eq!(searched(&service), "second");
        assert_eq!(service.inner.store.searched_space().unwrap().unwrap().0, "second");
        service.stop();
    }
}
