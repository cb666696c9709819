//! Retrieval tests as they are stored: limits, the trash, merging, the end of a profile.

use std::path::PathBuf;

use super::*;
use crate::model::{
    PageRequest, Profile, RetrievalFigures, RetrievalOutcome, RetrievalSettings, SourceId, TestPlace, TrashId,
};
use crate::storage::trash::{self, Deletion};
use crate::storage::{DbOptions, merge as merge_files, profiles, tables};

fn profile() -> ProfileId {
    ProfileId(Uuid::from_u128(1))
}

fn db(folder: &tempfile::TempDir, name: &str) -> Db {
    Db::open(&folder.path().join(name), &tables::MAIN, DbOptions::default()).unwrap()
}

fn test(number: u128) -> RetrievalTest {
    RetrievalTest {
        id: RetrievalTestId(Uuid::from_u128(number)),
        question: format!("question {number}"),
        wanted: WantedPassage {
            source: SourceId(Uuid::from_u128(9)),
            inside: PathBuf::from("a/b.md"),
            path: PathBuf::from("/home/ada/a/b.md"),
            address: None,
            heading: None,
            start_line: 3,
            end_line: 9,
            document_hash: "00".repeat(32),
            excerpt: "A lease is".to_owned(),
        },
        created: Timestamp(number as i64),
    }
}

fn figures(tests: &[RetrievalTest]) -> RetrievalFigures {
    let place = |test: &RetrievalTest| TestPlace { test: test.id, outcome: RetrievalOutcome::Found { place: 1 } };
    RetrievalFigures {
        settings: RetrievalSettings { chunk_size: 800, encoder: None },
        stages: Vec::new(),
        places: tests.iter().map(place).collect(),
        asked: 1,
        left_out: 0,
        passages: 3,
        p50_ms: 1.0,
        p95_ms: 2.0,
    }
}

fn deletion(number: u128) -> Deletion {
    Deletion { id: TrashId(Uuid::from_u128(number)), at: Timestamp(5), days: 30 }
}

#[test]
fn a_test_is_listed_goes_to_the_trash_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let main = db(&folder, "main.redb");
    let other = ProfileId(Uuid::from_u128(2));
    for number in [2, 1] {
        add(&main, profile(), &test(number)).unwrap();
    }
    assert_eq!(list(&main, profile()).unwrap(), [test(1), test(2)]);
    assert!(list(&main, other).unwrap().is_empty());
    let again = RetrievalTest { id: RetrievalTestId(Uuid::from_u128(3)), ..test(1) };
    assert!(add(&main, profile(), &again).is_err(), "the same twice");

    assert!(trash::retrieval_test(&main, other, test(1).id, deletion(90)).is_err());
    let item = trash::retrieval_test(&main, profile(), test(1).id, deletion(90)).unwrap();
    assert_eq!((item.title.as_str(), item.detail.as_str()), ("question 1", "/home/ada/a/b.md"));
    assert_eq!(list(&main, profile()).unwrap(), [test(2)]);
    trash::restore(&main, profile(), item.id, 30).unwrap();
    assert_eq!(list(&main, profile()).unwrap(), [test(1), test(2)]);

    // Saved again meanwhile: the old one stays in the trash.
    let item = trash::retrieval_test(&main, profile(), test(1).id, deletion(91)).unwrap();
    add(&main, profile(), &again).unwrap();
    assert!(trash::restore(&main, profile(), item.id, 30).is_err());
    assert_eq!(trash::list(&main, profile(), 30, PageRequest::default()).unwrap().total, 1);
    trash::erase(&main, profile(), item.id, 30).unwrap();
    assert_eq!(list(&main, profile()).unwrap().len(), 2);
}

#[test]
fn questions_and_their_number_have_limits() {
    assert_eq!(question("  what\u{1b}[2J\n happens ").unwrap(), "what [2J happens");
    assert!(question(" \n\t ").is_err());
    assert!(question(&"w".repeat(LONGEST_QUESTION)).is_ok());
    assert!(question(&"w".repeat(LONGEST_QUESTION + 1)).is_err());
    assert!(question(&"w ".repeat(10_000_000)).is_err());
    let folder = tempfile::tempdir().unwrap();
    let main = db(&folder, "main.redb");
    let full = profile();
    main.write(move |txn| {
        let mut table = txn.table(TESTS)?;
        for number in 0..MOST_TESTS as u128 {
            let one = test(number);
            let stored = StoredRetrievalTest { question: one.question, wanted: one.wanted, created: 0 };
            table.put((full.0.as_u128(), number), &stored)?;
        }
        Ok(())
    })
    .unwrap();
    let error = add(&main, profile(), &test(5_000)).unwrap_err();
    assert!(error.to_string().contains("1000"), "{error}");
}

#[test]
fn what_a_run_and_a_trial_gave_is_kept_until_the_profile_goes() {
    let folder = tempfile::tempdir().unwrap();
    let main = db(&folder, "main.redb");
    let ids = crate::clock::Ids::new(std::sync::Arc::new(crate::clock::SystemClock));
    let first = profiles::active_or_new(&main, &ids, Timestamp(1)).unwrap();
    let kept = first.id;
    let other = Profile { id: ProfileId(Uuid::from_u128(2)), name: "Other".to_owned(), ..first };
    let gone = profiles::create(&main, other).unwrap().id;
    for owner in [kept, gone] {
        add(&main, owner, &test(1)).unwrap();
        let figures = figures(&[test(1)]);
        let run_now = RetrievalRun { at: Timestamp(7), figures: figures.clone() };
        put_run(&main, owner, &run_now).unwrap();
        assert_eq!(run(&main, owner).unwrap(), Some(run_now));
        let now = RetrievalTrial {
            at: Timestamp(8),
            documents: 2,
            documents_all: 3,
            unread: 0,
            seconds: 0.5,
            old: figures.clone(),
            new: figures,
        };
        put_trial(&main, owner, &now).unwrap();
        assert_eq!(trial(&main, owner).unwrap(), Some(now));
    }
    profiles::delete(&main, gone, "Other".to_owned()).unwrap();
    assert!(list(&main, gone).unwrap().is_empty());
    assert!(run(&main, gone).unwrap().is_none() && trial(&main, gone).unwrap().is_none());
    assert!(list(&main, kept).unwrap().len() == 1 && trial(&main, kept).unwrap().is_some());
}

#[test]
fn merging_adds_what_is_missing_and_keeps_what_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (db(&folder, "here.redb"), db(&folder, "there.redb"));
    add(&here, profile(), &test(1)).unwrap();
    add(&there, profile(), &RetrievalTest { question: "other words".to_owned(), ..test(1) }).unwrap();
    add(&there, profile(), &test(2)).unwrap();
    let merged = merge_files::merge(&here, &there).unwrap();
    let of_tests = merged.iter().find(|one| one.kind == DataKind::RetrievalTests).unwrap();
    assert_eq!((of_tests.added, of_tests.kept), (1, 1));
    assert_eq!(list(&here, profile()).unwrap(), [test(1), test(2)]);
}
