//! Recall against brute force, changes while loading, and the switch from scan to graph.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::model::{DocumentId, DocumentKind, SourceId, Timestamp};
use crate::storage::knowledge::{Batch, FileChange, NewDocument, NewPassage, Outcome, Stamp};
use crate::storage::{Db, DbOptions, tables};

const DIMENSIONS: usize = 32;

/// Unit vectors around a few centres, the same every time.
fn vectors(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f32 / (1_u64 << 31) as f32) - 0.5
    };
    let centres: Vec<Vec<f32>> = (0..40).map(|_| (0..DIMENSIONS).map(|_| next()).collect()).collect();
    (0..count)
        .map(|number| {
            let raw: Vec<f32> = centres[number % 40].iter().map(|value| value + next() * 0.8).collect();
            let length = raw.iter().map(|value| value * value).sum::<f32>().sqrt();
            raw.iter().map(|value| value / length).collect()
        })
        .collect()
}

fn source(number: u128) -> SourceId {
    SourceId(Uuid::from_u128(number))
}

struct Fixture {
    store: KnowledgeStore,
    space: Space,
    _folder: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("knowledge.redb"), &tables::KNOWLEDGE, DbOptions::default()).unwrap();
    let store = KnowledgeStore::new(db);
    let space = store.space("test", DIMENSIONS).unwrap();
    Fixture { store, space, _folder: folder }
}

impl Fixture {
    /// One document with these vectors; gives its range.
    fn add(&self, of: SourceId, path: &str, vectors: &[Vec<f32>]) -> PassageRange {
        let passage = |line| NewPassage {
            symbols: Vec::new(),
            start_line: line,
            end_line: line,
            page: None,
            heading: None,
            text: "x".to_owned(),
        };
        let document = NewDocument {
            anchors: Vec::new(),
            metadata: Vec::new(),
            title: None,
            id: DocumentId(Uuid::new_v4_like(path)),
            kind: DocumentKind::Text,
            hash: [0; 32],
            confidence: 1.0,
            note: None,
            seconds: 0.0,
            passages: (1..=vectors.len() as u32).map(passage).collect(),
            vectors: vectors.to_vec(),
        };
        let stamp = Stamp { size: 1, modified: 1 };
        let outcome = Outcome::Indexed(Box::new(document));
        let files = vec![FileChange { preparation: 0, path: path.as_bytes().to_vec(), stamp, outcome, remark: None }];
        let batch = Batch { source: of, at: Timestamp(1), space: Some(self.space.id), files, trim_log: 0 };
        self.store.apply(Arc::new(batch)).unwrap().added[0]
    }

    fn loaded(&self, graph_from: usize) -> VectorIndex {
        let index = VectorIndex::with_threshold(self.space, graph_from);
        index.load(&self.store, &Cancel::new()).unwrap();
        index
    }

    fn recall(&self, index: &VectorIndex, all: &[Vec<f32>], first: u64) -> f32 {
        let queries = vectors(50, 99);
        let mut hits = 0;
        for query in &queries {
            let mut exact: Vec<(u64, f32)> =
                all.iter().zip(first..).map(|(vector, id)| (id, cosine(query, vector))).collect();
            exact.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
            let found = index.search(&self.store, query, &Filter::default(), 10).unwrap();
            hits += exact[..10].iter().filter(|(id, _)| found.iter().any(|(known, _)| known == id)).count();
        }
        hits as f32 / (queries.len() * 10) as f32
    }
}

trait NamedId {
    fn new_v4_like(name: &str) -> Uuid;
}

impl NamedId for Uuid {
    /// The same id for the same name.
    fn new_v4_like(name: &str) -> Uuid {
        let number = name.bytes().fold(7_u128, |hash, byte| hash.wrapping_mul(31).wrapping_add(u128::from(byte)));
        Uuid::from_u128(number)
    }
}

#[test]
fn the_scan_is_exact_and_follows_the_store() {
    let fixture = fixture();
    let all = vectors(2_000, 3);
    let range = fixture.add(source(1), "a", &all);
    let index = fixture.loaded(GRAPH_FROM);
    assert!(!index.wants_graph());
    let recall = fixture.recall(&index, &all, range.first);
    assert!(recall > 0.995, "{recall}");

    let more = vectors(5, 77);
    let added = fixture.add(source(2), "b", &more);
    let rows: Vec<(Row, &[f32])> = added
        .ids()
        .zip(&more)
        .map(|(id, vector)| (Row { id, source: source(2), kind: DocumentKind::Text }, vector.as_slice()))
        .collect();
    index.apply(&[], &rows);
    let found = index.search(&fixture.store, &more[2], &Filter::default(), 3).unwrap();
    assert_eq!(found[0].0, added.first + 2);
    assert!((found[0].1 - 1.0).abs() < 2e-3);

    let only = Filter { sources: vec![source(2)], kinds: Vec::new() };
    let found = index.search(&fixture.store, &all[0], &only, 50).unwrap();
    assert_eq!(found.len(), 5);
    let none = Filter { sources: Vec::new(), kinds: vec![DocumentKind::Pdf] };
    assert!(index.search(&fixture.store, &all[0], &none, 50).unwrap().is_empty());

    index.apply(&[added], &[]);
    assert_eq!(index.len(), 2_000);
    assert!(index.search(&fixture.store, &more[2], &only, 3).unwrap().is_empty());
}

#[test]
fn above_the_threshold_a_graph_answers_with_high_recall() {
    let fixture = fixture();
    let all = vectors(3_000, 3);
    let range = fixture.add(source(1), "a", &all);
    let index = fixture.loaded(1_000);
    assert!(index.wants_graph());
    index.build_graph(&fixture.store, &Cancel::new()).unwrap();
    assert!(index.has_graph() && !index.wants_graph());
    let recall = fixture.recall(&index, &all, range.first);
    assert!(recall >= 0.98, "{recall}");

    // What is removed is not found any more, what is added is found before it is in the graph.
    let query = &all[40];
    let first = index.search(&fixture.store, query, &Filter::default(), 1).unwrap()[0].0;
    index.apply(&[PassageRange { first, count: 1 }], &[]);
    let found = index.search(&fixture.store, query, &Filter::default(), 5).unwrap();
    assert!(found.iter().all(|(id, _)| *id != first));
    let more = vectors(1, 5);
    let added = fixture.add(source(1), "b", &more);
    let row = Row { id: added.first, source: source(1), kind: DocumentKind::Text };
    index.apply(&[], &[(row, more[0].as_slice())]);
    assert_eq!(index.search(&fixture.store, &more[0], &Filter::default(), 1).unwrap()[0].0, added.first);
}

#[test]
fn odd_vectors_do_no_harm() {
    let fixture = fixture();
    let mut all = vectors(30, 3);
    all[3] = vec![0.0; DIMENSIONS];
    all[4] = vec![f32::NAN; DIMENSIONS];
    let range = fixture.add(source(1), "a", &all);
    let index = fixture.loaded(10);
    index.build_graph(&fixture.store, &Cancel::new()).unwrap();
    let found = index.search(&fixture.store, &all[7], &Filter::default(), 10).unwrap();
    assert_eq!(found[0].0, range.first + 7);
    assert!(index.search(&fixture.store, &[0.0; DIMENSIONS], &Filter::default(), 10).unwrap().is_empty());
    assert!(index.search(&fixture.store, &[1.0], &Filter::default(), 10).unwrap().is_empty());
}
