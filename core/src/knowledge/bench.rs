//! What `rspa bench index|search|vectors` measures: the same code as everyday work, on a data folder of its own.

mod corpus;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hnsw_rs::prelude::{DistL2, Hnsw};
use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::static_embedder::StaticEmbedder;
use serde::Serialize;
use uuid::Uuid;

use super::reports::Silent;
use super::vector::graph::{EF_CONSTRUCTION, NEIGHBOURS};
use super::{Config, KnowledgeError, Preferences, Service};
use crate::clock::SystemClock;
use crate::model::{DocumentId, DocumentKind, ProfileId, SearchMode, SearchQuery, Source, SourceId, Timestamp};
use crate::storage::knowledge::{self as stored, Batch, FileChange, KnowledgeStore, NewDocument, Outcome, Stamp};
use crate::storage::{Db, DbOptions, tables};

#[derive(Clone, Debug, Serialize)]
pub struct IndexMeasurement {
    pub files: u64,
    pub bytes: u64,
    pub chunks: u64,
    pub seconds: f64,
    pub files_per_s: f64,
    pub mb_per_s: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct SearchMeasurement {
    pub chunks: u64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct VectorMeasurement {
    pub rows: u64,
    pub build_s: f64,
    pub ef: u64,
    pub recall10: f64,
    pub qps: f64,
}

/// Opens a service with everything under `scratch` (an empty folder).
fn service(scratch: &Path) -> Result<(Service, KnowledgeStore, Db), KnowledgeError> {
    let main = Db::open(&scratch.join("main.redb"), &tables::MAIN, DbOptions::default())?;
    let options = DbOptions { cache_bytes: 64 << 20, ..DbOptions::default() };
    let knowledge = Db::open(&scratch.join("knowledge.redb"), &tables::KNOWLEDGE, options)?;
    let store = KnowledgeStore::new(knowledge.clone());
    let service = Service::new(Config {
        profile: PROFILE,
        main: main.clone(),
        knowledge,
        data: scratch.to_owned(),
        index: scratch.join("index"),
        samples: scratch.join("samples"),
        preferences: Arc::new(Preferences::default),
        clock: Arc::new(SystemClock),
        reports: Arc::new(Silent),
        encoder: Arc::new(Silent),
        eager: false,
        built_in: false,
        pages: scratch.join("pages"),
        fetch: None,
    })?;
    Ok((service, store, main))
}

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));

/// Indexes a folder until it is searchable by words and static vectors. `scratch` is an empty folder.
pub fn index(folder: &Path, scratch: &Path, cancel: &Cancel) -> Result<IndexMeasurement, KnowledgeError> {
    let (service, _, _) = service(scratch)?;
    let started = Instant::now();
    let status = service.add(folder)?;
    let status = service.wait(status.source.id, false, cancel)?;
    let seconds = started.elapsed().as_secs_f64();
    let page = crate::model::PageRequest { offset: 0, limit: u32::MAX };
    let documents = service.documents(status.source.id, "", page)?;
    let bytes: u64 = documents.items.iter().map(|document| document.size_bytes).sum();
    service.stop();
    Ok(IndexMeasurement {
        files: status.documents,
        bytes,
        chunks: status.passages,
        seconds,
        files_per_s: status.documents as f64 / seconds,
        mb_per_s: bytes as f64 / 1e6 / seconds,
    })
}

/// Searches as a person types, over so many passages of generated text. `scratch` is an empty folder.
pub fn search(chunks: u64, scratch: &Path, cancel: &Cancel) -> Result<SearchMeasurement, KnowledgeError> {
    const PER_DOCUMENT: u64 = 20;
    const QUESTIONS: u64 = 60;
    let main = Db::open(&scratch.join("main.redb"), &tables::MAIN, DbOptions::default())?;
    let source = Source {
        address: None,
        kind: crate::model::SourceKind::Folder,
        id: SourceId(Uuid::from_u128(2)),
        profile: PROFILE,
        path: scratch.join("corpus"),
        name: "corpus".to_owned(),
        sample: false,
        paused: false,
        created: Timestamp(0),
        updated: Timestamp(0),
    };
    stored::put_source(&main, &source)?;
    drop(main);
    let (service, store, _main) = service(scratch)?;
    let embedder = StaticEmbedder::built_in()?;
    let space = store.space(embedder.id(), embedder.dimensions())?;
    let mut made = 0;
    let mut corpus = corpus::Corpus::new(7);
    while made < chunks {
        let mut files = Vec::new();
        while files.len() < 100 && made < chunks {
            let count = PER_DOCUMENT.min(chunks - made);
            let passages = corpus.passages(count);
            let texts: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
            let vectors = embedder.embed(&texts, cancel)?;
            files.push(FileChange {
                preparation: 0,
                path: format!("folder {}/document {made}.md", made % 97).into_bytes(),
                stamp: Stamp { size: 1, modified: 1 },
                outcome: Outcome::Indexed(Box::new(NewDocument {
                    anchors: Vec::new(),
                    metadata: Vec::new(),
                    title: None,
                    id: DocumentId(Uuid::from_u128(u128::from(made) + 10)),
                    kind: DocumentKind::Markdown,
                    hash: [0; 32],
                    confidence: 1.0,
                    note: None,
                    seconds: 0.0,
                    passages,
                    vectors,
                })),
                remark: None,
            });
            made += count;
        }
        store.apply(Arc::new(Batch {
            source: source.id,
            at: Timestamp(0),
            space: Some(space.id),
            files,
            trim_log: 0,
        }))?;
    }
    service.warm(cancel)?;
    let mut times = Vec::new();
    for question in 0..QUESTIONS {
        let text = corpus.question(question);
        // Each letter of the last word is a search of its own.
        let typed = text.rfind(' ').map_or(0, |space| space + 1);
        for end in typed + 1..=text.len() {
            let Some(part) = text.get(..end) else { continue };
            let query = SearchQuery { text: part.to_owned(), mode: SearchMode::Hybrid, ..SearchQuery::default() };
            times.push(service.search(&query, cancel)?.ms);
        }
    }
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let measured = SearchMeasurement { chunks: made, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) };
    service.stop();
    Ok(measured)
}

/// Builds an HNSW graph over rows of `dimensions` values and searches it on one thread; the first 1,000 rows are the
/// questions. Cosine; recall against a full scan. None when there are too few rows.
pub fn vectors(values: &[f32], dimensions: usize) -> Option<Vec<VectorMeasurement>> {
    const QUESTIONS: usize = 1_000;
    if dimensions == 0 || values.len() / dimensions <= QUESTIONS + 10 {
        return None;
    }
    let unit: Vec<Vec<f32>> = values.chunks_exact(dimensions).map(unit).collect();
    let (questions, rows) = unit.split_at(QUESTIONS);
    let truth: Vec<Vec<usize>> = questions.iter().map(|question| nearest(question, rows)).collect();
    let started = Instant::now();
    let graph = Hnsw::<f32, DistL2>::new(NEIGHBOURS, rows.len(), 16, EF_CONSTRUCTION, DistL2);
    let numbered: Vec<(&Vec<f32>, usize)> = rows.iter().zip(0..).collect();
    graph.parallel_insert(&numbered);
    let build_s = started.elapsed().as_secs_f64();
    let measure = |ef: usize| {
        let started = Instant::now();
        let found: Vec<_> = questions.iter().map(|question| graph.search(question, 10, ef)).collect();
        let seconds = started.elapsed().as_secs_f64();
        let hits: usize = found
            .iter()
            .zip(&truth)
            .map(|(found, truth)| found.iter().filter(|point| truth.contains(&point.d_id)).count())
            .sum();
        VectorMeasurement {
            rows: rows.len() as u64,
            build_s,
            ef: ef as u64,
            recall10: hits as f64 / (QUESTIONS * 10) as f64,
            qps: QUESTIONS as f64 / seconds,
        }
    };
    Some([32, 64, 128, 256].map(measure).to_vec())
}

fn unit(row: &[f32]) -> Vec<f32> {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    row.iter().map(|value| if value.is_finite() { value / length } else { 0.0 }).collect()
}

fn nearest(question: &[f32], rows: &[Vec<f32>]) -> Vec<usize> {
    let mut scored: Vec<(f32, usize)> =
        rows.iter().zip(0..).map(|(row, at)| (super::vector::cosine(question, row), at)).collect();
    scored.select_nth_unstable_by(9, |a, b| b.0.total_cmp(&a.0));
    scored[..10].iter().map(|(_, at)| *at).collect()
}
