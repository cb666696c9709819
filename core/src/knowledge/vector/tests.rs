//! Recall against brute force, the switch from scan to graph, and snapshots that heal by replay.

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
        let index = VectorIndex::new(self.space).with_threshold(graph_from);
        index.load(&self.store, &Cancel::new()).unwrap();
        index
    }

    fn recall(&self, index: &VectorIndex, all: &[Vec<f32>], first: u64) -> f32 {
        let queries = vectors(50, 99);
        let mut hits = 0;
        for query in &queries {
            let mut exact: Vec<(u64, f32)> = all
                .iter()
                .zip(first..)
                .map(|(vector, id)| (id, rspa_ml::kernels::distance::floats(query, vector)))
                .collect();
            exact.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
            let found = index.search(query, &Filter::default(), 10);
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
        .map(|(id, vector)| (Row { id, source: source(2), kind: DocumentKind::Text, modified: 1 }, vector.as_slice()))
        .collect();
    index.apply(&[], &rows, Mark::default());
    let found = index.search(&more[2], &Filter::default(), 3);
    assert_eq!(found[0].0, added.first + 2);
    assert!((found[0].1 - 1.0).abs() < 2e-3);

    let only = Filter { after: None, before: None, sources: vec![source(2)], kinds: Vec::new() };
    let found = index.search(&all[0], &only, 50);
    assert_eq!(found.len(), 5);
    let none = Filter { after: None, before: None, sources: Vec::new(), kinds: vec![DocumentKind::Pdf] };
    assert!(index.search(&all[0], &none, 50).is_empty());

    index.apply(&[added], &[], Mark::default());
    assert_eq!(index.len(), 2_000);
    assert!(index.search(&more[2], &only, 3).is_empty());
}

#[test]
fn above_the_threshold_a_graph_answers_with_high_recall() {
    let fixture = fixture();
    let all = vectors(3_000, 3);
    let range = fixture.add(source(1), "a", &all);
    let index = fixture.loaded(1_000);
    assert!(index.wants_graph());
    index.build_graph(&Cancel::new()).unwrap();
    assert!(index.has_graph() && !index.wants_graph());
    let recall = fixture.recall(&index, &all, range.first);
    assert!(recall >= 0.98, "{recall}");

    // What is removed is not found any more, what is added is found before it is in the graph.
    let query = &all[40];
    let first = index.search(query, &Filter::default(), 1)[0].0;
    index.apply(&[PassageRange { first, count: 1 }], &[], Mark::default());
    let found = index.search(query, &Filter::default(), 5);
    assert!(found.iter().all(|(id, _)| *id != first));
    let more = vectors(1, 5);
    let added = fixture.add(source(1), "b", &more);
    let row = Row { id: added.first, source: source(1), kind: DocumentKind::Text, modified: 1 };
    index.apply(&[], &[(row, more[0].as_slice())], Mark::default());
    assert_eq!(index.search(&more[0], &Filter::default(), 1)[0].0, added.first);
}

#[test]
fn odd_vectors_do_no_harm() {
    let fixture = fixture();
    let mut all = vectors(30, 3);
    all[3] = vec![0.0; DIMENSIONS];
    all[4] = vec![f32::NAN; DIMENSIONS];
    let range = fixture.add(source(1), "a", &all);
    let index = fixture.loaded(10);
    index.build_graph(&Cancel::new()).unwrap();
    let found = index.search(&all[7], &Filter::default(), 10);
    assert_eq!(found[0].0, range.first + 7);
    assert!(index.search(&[0.0; DIMENSIONS], &Filter::default(), 10).is_empty());
    assert!(index.search(&[1.0], &Filter::default(), 10).is_empty());
}

impl Fixture {
    fn kept(&self, folder: &std::path::Path) -> VectorIndex {
        VectorIndex::kept(self.space, Some(folder.to_owned()), 5).with_threshold(1_000)
    }

    fn found(&self, index: &VectorIndex, query: &[f32]) -> u64 {
        index.search(query, &Filter::default(), 1)[0].0
    }
}

#[test]
fn a_snapshot_heals_by_replay_and_a_damaged_one_is_made_again() {
    let fixture = fixture();
    let folder = tempfile::tempdir().unwrap();
    let all = vectors(3_000, 3);
    let first = fixture.add(source(1), "a", &all);
    let index = fixture.kept(folder.path());
    assert_eq!(index.durable(), None);
    let loaded = index.load(&fixture.store, &Cancel::new()).unwrap();
    assert_eq!(loaded, Some(Loaded::Read));
    index.build_graph(&Cancel::new()).unwrap();
    let written = index.durable().unwrap();
    drop(index);

    // What comes and goes while nobody follows, in a file that is changed, too.
    let more = vectors(20, 77);
    let second = fixture.add(source(1), "b", &more);
    let changed = vectors(2, 78);
    let third = fixture.add(source(1), "a", &changed);
    let late =
        fixture.store.put_vectors(fixture.space, Arc::new(vec![(third.first + 1, all[9].clone())]), third.first + 1);
    assert_eq!(late.unwrap(), [third.first + 1]);
    let index = fixture.kept(folder.path());
    assert_eq!(index.durable(), Some(written));
    assert_eq!(index.load(&fixture.store, &Cancel::new()).unwrap(), Some(Loaded::Replayed(2)));
    assert_eq!(index.len(), 22);
    assert_eq!(fixture.found(&index, &more[3]), second.first + 3);
    assert_eq!(fixture.found(&index, &changed[0]), third.first);
    assert_eq!(fixture.found(&index, &all[9]), third.first + 1);
    assert!(index.search(&all[5], &Filter::default(), 30).iter().all(|(id, _)| !first.ids().contains(id)));
    index.save().unwrap();
    assert!(index.durable().unwrap() > written);
    drop(index);
    let index = fixture.kept(folder.path());
    assert_eq!(index.load(&fixture.store, &Cancel::new()).unwrap(), Some(Loaded::Replayed(0)));
    assert_eq!(index.len(), 22);
    drop(index);

    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 5_000.min(bytes.len() / 2);
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let index = fixture.kept(folder.path());
    let loaded = index.load(&fixture.store, &Cancel::new()).unwrap().unwrap();
    assert!(matches!(loaded, Loaded::Rebuilt(_)), "{loaded:?}");
    assert_eq!(index.len(), 22);
}

#[test]
fn a_trimmed_log_makes_an_old_snapshot_useless() {
    let fixture = fixture();
    let folder = tempfile::tempdir().unwrap();
    fixture.add(source(1), "a", &vectors(10, 3));
    let index = fixture.kept(folder.path());
    index.load(&fixture.store, &Cancel::new()).unwrap();
    index.save().unwrap();
    drop(index);
    fixture.add(source(1), "b", &vectors(10, 4));
    let trim_log = fixture.store.last_change();
    let batch = Batch { source: source(1), at: Timestamp(1), space: None, files: Vec::new(), trim_log };
    fixture.store.apply(Arc::new(batch)).unwrap();
    let index = fixture.kept(folder.path());
    let loaded = index.load(&fixture.store, &Cancel::new()).unwrap();
    assert_eq!(loaded, Some(Loaded::Rebuilt("it is too old".to_owned())));
    assert_eq!(index.len(), 20);
}
