//! Batches, replacement, removal, replay and coverage of the knowledge store.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::model::{PageRequest, ProfileId, Source};
use crate::storage::{DbOptions, tables};

struct Fixture {
    store: KnowledgeStore,
    source: Source,
    ids: std::cell::Cell<u128>,
    _folder: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("knowledge.redb"), &tables::KNOWLEDGE, DbOptions::default()).unwrap();
    let source = Source {
        address: None,
        kind: crate::model::SourceKind::Folder,
        id: SourceId(Uuid::from_u128(5)),
        profile: ProfileId(Uuid::from_u128(1)),
        path: "/papers".into(),
        name: "papers".to_owned(),
        sample: false,
        paused: false,
        created: Timestamp(0),
        updated: Timestamp(0),
    };
    Fixture { store: KnowledgeStore::new(db), source, ids: std::cell::Cell::new(100), _folder: folder }
}

impl Fixture {
    fn document(&self, texts: &[&str]) -> Outcome {
        self.ids.set(self.ids.get() + 1);
        let passages = texts
            .iter()
            .zip(1..)
            .map(|(text, line)| NewPassage {
                symbols: Vec::new(),
                start_line: line,
                end_line: line,
                page: None,
                heading: Some("Top".to_owned()),
                text: (*text).to_owned(),
            })
            .collect();
        Outcome::Indexed(Box::new(NewDocument {
            anchors: Vec::new(),
            metadata: Vec::new(),
            title: None,
            id: DocumentId(Uuid::from_u128(self.ids.get())),
            kind: DocumentKind::Text,
            hash: [7; 32],
            confidence: 1.0,
            note: None,
            seconds: 0.1,
            passages,
            vectors: texts.iter().map(|_| vec![0.6, 0.8]).collect(),
        }))
    }

    fn apply(&self, path: &str, outcome: Outcome) -> Applied {
        let stamp = Stamp { size: 10, modified: 20 };
        let files = vec![FileChange { preparation: 0, path: path.as_bytes().to_vec(), stamp, outcome, remark: None }];
        let batch = Batch { source: self.source.id, at: Timestamp(1), space: Some(1), files, trim_log: 0 };
        self.store.apply(Arc::new(batch)).unwrap()
    }

    fn counts(&self) -> (u64, u64, u64) {
        let counts = self.store.counts(self.source.id).unwrap();
        (counts.documents, counts.passages, counts.problems)
    }

    fn texts(&self, ids: &[u64]) -> Vec<String> {
        let sources = [self.source.clone()];
        self.store.passages(ids, &sources).unwrap().into_iter().map(|passage| passage.text).collect()
    }
}

#[test]
fn a_changed_document_replaces_its_passages_and_ids_are_never_used_twice() {
    let fixture = fixture();
    let space = fixture.store.space("test", 2).unwrap();
    assert_eq!(fixture.store.space("test", 2).unwrap(), space);
    let first = fixture.apply("a.txt", fixture.document(&["one", "two"]));
    let second = fixture.apply("a.txt", fixture.document(&["three"]));
    assert_eq!(first.added, [PassageRange { first: 1, count: 2 }]);
    assert_eq!((second.removed, second.added), (first.added, vec![PassageRange { first: 3, count: 1 }]));
    assert_eq!(fixture.texts(&[1, 3, 2]), ["three"]);
    assert_eq!(fixture.counts(), (1, 1, 0));
    let mut vectors = Vec::new();
    fixture
        .store
        .each_vector(space, |id, document, vector| {
            vectors.push((id, document.kind, vector.to_vec()));
            true
        })
        .unwrap();
    assert_eq!(vectors.len(), 1);
    assert_eq!(vectors[0].0, 3);
    assert!((vectors[0].2[0] - 0.6).abs() < 1e-3);
}

#[test]
fn problems_come_and_go_with_their_file() {
    let fixture = fixture();
    fixture.apply("bad.md", Outcome::Problem("It is not text.".to_owned()));
    assert_eq!(fixture.counts(), (0, 0, 1));
    let problems = fixture.store.problems(std::slice::from_ref(&fixture.source), PageRequest::default()).unwrap();
    assert_eq!(problems.items[0].path, std::path::Path::new("/papers/bad.md"));
    let folders = vec![(b"locked".to_vec(), "no permission".to_owned())];
    fixture.store.replace_folder_problems(fixture.source.id, folders, Timestamp(2)).unwrap();
    assert_eq!(fixture.counts(), (0, 0, 2));
    fixture.store.replace_folder_problems(fixture.source.id, Vec::new(), Timestamp(2)).unwrap();
    fixture.apply("bad.md", fixture.document(&["fine now"]));
    assert_eq!(fixture.counts(), (1, 1, 0));
    fixture.apply("bad.md", Outcome::Gone);
    assert_eq!(fixture.counts(), (0, 0, 0));
}

#[test]
fn the_log_replays_and_says_when_it_cannot() {
    let fixture = fixture();
    let first = fixture.apply("a.txt", fixture.document(&["one"]));
    let second = fixture.apply("b.txt", fixture.document(&["two"]));
    let replay = fixture.store.replay_after(first.change).unwrap().unwrap();
    assert_eq!(replay.change, second.change);
    assert_eq!(replay.steps, [(Vec::new(), second.added.clone())]);
    assert!(fixture.store.replay_after(second.change + 5).unwrap().is_none());
    let batch =
        Batch { source: fixture.source.id, at: Timestamp(1), space: None, files: Vec::new(), trim_log: second.change };
    fixture.store.apply(Arc::new(batch)).unwrap();
    assert!(fixture.store.replay_after(first.change).unwrap().is_none());
    assert!(fixture.store.replay_after(second.change).unwrap().is_some());
}

#[test]
fn a_removed_source_leaves_nothing_behind() {
    let fixture = fixture();
    for number in 0..1_200 {
        fixture.apply(&format!("{number}.txt"), fixture.document(&["text"]));
    }
    let mut rounds = 1;
    while fixture.store.remove_some(fixture.source.id).unwrap().1 {
        rounds += 1;
    }
    assert_eq!(rounds, 3);
    assert_eq!(fixture.counts(), (0, 0, 0));
    assert_eq!(fixture.store.passage_count().unwrap(), 0);
    assert!(fixture.store.known_files(fixture.source.id).unwrap().is_empty());
}

#[test]
fn a_later_embedder_fills_what_is_missing() {
    let fixture = fixture();
    fixture.store.space("static", 2).unwrap();
    fixture.apply("a.txt", fixture.document(&["one", "two", "three"]));
    let late = fixture.store.space("late", 2).unwrap();
    let (missing, looked) = fixture.store.without_vector(late, 0, 2).unwrap();
    assert_eq!((missing.len(), looked), (2, 2));
    let vectors: Vec<_> = missing.iter().map(|passage| (passage.id, vec![1.0, 0.0])).collect();
    assert_eq!(fixture.store.put_vectors(late, Arc::new(vectors), looked).unwrap(), [1, 2]);
    assert_eq!(fixture.store.covered(late).unwrap(), 2);
    let (missing, looked) = fixture.store.without_vector(late, 2, 2).unwrap();
    assert_eq!((missing.len(), looked), (1, 3));
    fixture.apply("a.txt", Outcome::Gone);
    // Its document went in the meantime: the vector is not stored.
    assert!(fixture.store.put_vectors(late, Arc::new(vec![(3, vec![1.0, 0.0])]), 3).unwrap().is_empty());
}
