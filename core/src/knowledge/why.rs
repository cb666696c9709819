//! Why a named document is not among the hits: from the file on disk to its place in the last order.

use std::collections::HashSet;
use std::path::{Component, Path};
use std::time::Instant;

use rspa_ml::Cancel;

use super::KnowledgeError;
use super::keyword::query::Question;
use super::rank::holds_phrases;
use super::search::filter_of;
use super::service::{Inner, Service};
use super::words::words;
use crate::model::exact_path::bytes_of;
use crate::model::{Document, MissingReason, PageRequest, Passage, SearchFilter, SearchQuery, Source, WhyNot};
use crate::storage::knowledge::PassageRange;

/// Hits that are looked through for the document.
const LOOKED: u32 = 200;
/// Passages of the document that are looked at.
const MOST_PASSAGES: u64 = 2_000;

impl Service {
    /// Why the document at `path` (absolute, or part of a name or title) is not among the hits of a search.
    pub fn why_not(&self, query: &SearchQuery, path: &Path, cancel: &Cancel) -> Result<WhyNot, KnowledgeError> {
        let started = Instant::now();
        let mut why = WhyNot {
            reason: MissingReason::OutsideSources,
            document: None,
            missing_words: Vec::new(),
            best: None,
            needed: None,
            ms: 0.0,
        };
        match self.inner.document_at(path)? {
            Found::Document(source, document, range) => {
                self.compare(query, &source, &document, range, &mut why, cancel)?;
                why.document = Some(*document);
            }
            Found::Nothing(reason) => why.reason = reason,
        }
        why.ms = started.elapsed().as_secs_f64() * 1_000.0;
        Ok(why)
    }

    fn compare(
        &self,
        query: &SearchQuery,
        source: &Source,
        document: &Document,
        range: PassageRange,
        why: &mut WhyNot,
        cancel: &Cancel,
    ) -> Result<(), KnowledgeError> {
        let question = Question::understand(&query.text);
        let ids: Vec<u64> = range.ids().take(MOST_PASSAGES as usize).collect();
        let passages = self.inner.store.passages(&ids, std::slice::from_ref(source))?;
        why.missing_words = missing(&query.text, &question, &passages);
        if let Some(by) = left_out_by(query, document, &question, &passages) {
            why.reason = MissingReason::Filtered { by };
            return Ok(());
        }
        let wide = SearchQuery { limit: LOOKED, ..query.clone() };
        let mut hits = self.search(&wide, cancel)?.hits;
        let shown = if query.limit == 0 { super::search::USUAL_LIMIT } else { query.limit.min(LOOKED) };
        why.needed = hits.get((shown as usize).min(hits.len()).wrapping_sub(1)).map(|hit| hit.score);
        if let Some(at) = hits.iter().position(|hit| hit.passage.document == document.id) {
            let rank = u32::try_from(at + 1).unwrap_or(u32::MAX);
            why.reason = if rank <= shown { MissingReason::Shown { rank } } else { MissingReason::Below { rank } };
            why.best = Some(hits.swap_remove(at));
            return Ok(());
        }
        // As if nothing else were there.
        why.best = self.search_among(&wide, &ids, cancel)?.into_iter().next();
        why.reason = match &why.best {
            None => MissingReason::NothingInCommon,
            Some(_) => MissingReason::BeyondStages { depth: hits.len() as u32 },
        };
        Ok(())
    }
}

enum Found {
    Document(Source, Box<Document>, PassageRange),
    Nothing(MissingReason),
}

impl Inner {
    fn document_at(&self, path: &Path) -> Result<Found, KnowledgeError> {
        if path.components().any(|part| part == Component::ParentDir) {
            return Ok(Found::Nothing(MissingReason::OutsideSources));
        }
        let sources = self.searched_sources();
        if !path.is_absolute() {
            return self.document_named(path, &sources);
        }
        let mut within = None;
        for source in sources {
            let Ok(relative) = path.strip_prefix(&source.path) else { continue };
            let relative = bytes_of(relative);
            if let Some((document, range)) = self.store.document_at(&source, &relative)? {
                return Ok(Found::Document(source, Box::new(document), range));
            }
            if let Some(why) = self.store.problem_at(source.id, &relative)? {
                return Ok(Found::Nothing(MissingReason::Unreadable { why }));
            }
            within = Some(source.id);
        }
        let Some(source) = within else { return Ok(Found::Nothing(MissingReason::OutsideSources)) };
        let busy = self.board.lock().by_id.get(&source).is_some_and(|running| running.is_busy());
        Ok(Found::Nothing(match (path.exists(), busy) {
            (false, _) => MissingReason::NoFile,
            (true, true) => MissingReason::NotYet,
            (true, false) => MissingReason::LeftOut,
        }))
    }

    /// By the end of its path, or a part of its name or title.
    fn document_named(&self, name: &Path, sources: &[Source]) -> Result<Found, KnowledgeError> {
        let first = PageRequest { offset: 0, limit: 1 };
        for source in sources {
            let page = self.store.documents(source, &name.to_string_lossy(), first)?;
            let Some(document) = page.items.into_iter().next() else { continue };
            let key = document.path.strip_prefix(&source.path).map(bytes_of).unwrap_or_default();
            if let Some((document, range)) = self.store.document_at(source, &key)? {
                return Ok(Found::Document(source.clone(), Box::new(document), range));
            }
        }
        Ok(Found::Nothing(MissingReason::OutsideSources))
    }
}

/// Words of the question that no passage holds, as they were typed.
fn missing(text: &str, question: &Question, passages: &[Passage]) -> Vec<String> {
    let mut held: HashSet<String> = HashSet::new();
    for passage in passages {
        let name = passage.path.file_name().map(|name| name.to_string_lossy());
        let parts = [Some(passage.text.as_str()), passage.heading.as_deref(), name.as_deref()];
        held.extend(parts.into_iter().flatten().flat_map(words).map(|word| word.text));
    }
    let mut missing: Vec<String> = Vec::new();
    for word in words(text) {
        let typed = &text[word.from..word.to];
        if question.words.contains(&word.text)
            && !held.contains(&word.text)
            && !missing.iter().any(|known| known == typed)
        {
            missing.push(typed.to_owned());
        }
    }
    missing
}

fn left_out_by(
    query: &SearchQuery,
    document: &Document,
    question: &Question,
    passages: &[Passage],
) -> Option<SearchFilter> {
    let filter = filter_of(query);
    if !filter.sources.is_empty() && !filter.sources.contains(&document.source) {
        return Some(SearchFilter::Source);
    }
    if !filter.kinds.is_empty() && !filter.kinds.contains(&document.kind) {
        return Some(SearchFilter::Kind);
    }
    let early = filter.after.is_some_and(|after| document.modified < after);
    if early || filter.before.is_some_and(|before| document.modified >= before) {
        return Some(SearchFilter::Time);
    }
    let phrase = !question.phrases.is_empty() && !passages.iter().any(|passage| holds_phrases(question, passage));
    phrase.then_some(SearchFilter::Phrase)
}
