//! Snapshots: back as they were, after kills at any moment, and refused or harmless whatever their bytes are.

use std::fs;
use std::path::Path;

use super::*;
use crate::format::{Header, PAGE, SECTIONS, Section};

fn kept(folder: &Path) -> Options {
    Options { folder: Some(folder.to_owned()), ..options(500) }
}

fn open(folder: &Path) -> (Index, Opened) {
    Index::open(kept(folder))
}

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with(end));
    found
}

/// An index with a graph, a tail and rows that went, and its queries' answers.
fn saved(folder: &Path) -> Vec<Vec<(u64, f32)>> {
    let (index, opened) = open(folder);
    assert_eq!(opened, Opened::Absent);
    let all = vectors(2_000, 1);
    add(&index, 0, &all[..1_900]);
    index.fold(&|| false).unwrap();
    add(&index, 1_900, &all[1_900..]);
    index.apply(&[50..60, 1_950..1_960], &[], Mark { change: Some(2_500), covered: Some(1_999) });
    index.save().unwrap();
    assert_eq!((index.unsaved(), index.durable()), (0, Some(2_500)));
    answers(&index)
}

fn answers(index: &Index) -> Vec<Vec<(u64, f32)>> {
    let filter = Filter { sources: &[2], ..Filter::default() };
    let queries = vectors(20, 77);
    let plain = queries.iter().map(|query| index.search(query, &Filter::default(), 10));
    plain.chain(queries.iter().map(|query| index.search(query, &filter, 10))).collect()
}

#[test]
fn a_snapshot_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let before = saved(folder.path());
    let (index, opened) = open(folder.path());
    assert_eq!(opened, Opened::Snapshot(Mark { change: Some(2_500), covered: Some(1_999) }));
    assert_eq!((index.len(), index.has_graph()), (1_980, true));
    assert_eq!(answers(&index), before);
    assert_eq!(Index::peek(&kept(folder.path())), Some(2_500));
    assert_eq!(least_change(folder.path(), 7), Some(2_500));
    assert_eq!(least_change(folder.path(), 8), None);
    // Another space, another store, other dimensions.
    for other in [
        Options { identity: Identity { store: 8, space: 3 }, ..kept(folder.path()) },
        Options { dimensions: 12, ..kept(folder.path()) },
    ] {
        assert_eq!(Index::peek(&other), None);
    }
    // More of it, and folded in.
    add(&index, 3_000, &vectors(300, 5));
    index.fold(&|| false).unwrap();
    let after = answers(&index);
    drop(index);
    assert_eq!((files(folder.path(), ".rows").len(), files(folder.path(), ".tail").len()), (1, 1));
    assert_eq!(answers(&open(folder.path()).0), after);
}

#[test]
fn a_kill_at_any_moment_of_writing_leaves_the_old_or_the_new_state() {
    let folder = tempfile::tempdir().unwrap();
    let before = saved(folder.path());
    let (rows, tail) = (files(folder.path(), ".rows").remove(0), files(folder.path(), ".tail").remove(0));
    let (old_rows, old_tail) = (fs::read(&rows).unwrap(), fs::read(&tail).unwrap());
    let (index, _) = open(folder.path());
    add(&index, 3_000, &vectors(300, 5));
    index.fold(&|| false).unwrap();
    let after = answers(&index);
    drop(index);
    let (new_rows, new_tail) = (files(folder.path(), ".rows").remove(0), files(folder.path(), ".tail").remove(0));
    let (new_rows_bytes, new_tail_bytes) = (fs::read(&new_rows).unwrap(), fs::read(&new_tail).unwrap());
    let part = |bytes: &[u8]| bytes[..bytes.len() / 3].to_vec();
    let temporary = |name: &str| PathBuf::from(format!("vectors-3.{name}.tmp"));
    // What lies there after each step of a fold, and the change that opening gives.
    let name = |path: &Path| PathBuf::from(path.file_name().unwrap());
    type Extra = Vec<(PathBuf, Vec<u8>)>;
    let stages: Vec<(Extra, u64)> = vec![
        (vec![(temporary("rows"), part(&new_rows_bytes))], 2_500),
        (vec![(temporary("rows"), new_rows_bytes.clone())], 2_500),
        (vec![(name(&new_rows), new_rows_bytes.clone())], 2_500),
        (vec![(name(&new_rows), new_rows_bytes.clone()), (temporary("tail"), part(&new_tail_bytes))], 2_500),
        (vec![(name(&new_rows), new_rows_bytes.clone()), (name(&new_tail), new_tail_bytes.clone())], 3_000),
    ];
    for (stage, (extra, change)) in stages.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name(&rows)), &old_rows).unwrap();
        fs::write(folder.path().join(name(&tail)), &old_tail).unwrap();
        for (name, bytes) in extra {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let (index, opened) = open(folder.path());
        let Opened::Snapshot(mark) = opened else { panic!("stage {stage}: {opened:?}") };
        assert_eq!(mark.change, Some(change), "stage {stage}");
        assert_eq!(answers(&index), if change == 2_500 { before.clone() } else { after.clone() }, "stage {stage}");
        assert!(files(folder.path(), ".tmp").is_empty(), "stage {stage}");
        assert_eq!(files(folder.path(), ".rows").len(), 1, "stage {stage}");
    }
    // The file that was frozen last survives its tail.
    fs::remove_file(&new_tail).unwrap();
    let (index, opened) = open(folder.path());
    assert_eq!(opened, Opened::Snapshot(Mark { change: Some(3_000), covered: Some(1_999) }));
    assert_eq!(index.len(), 2_280);
    // A tail alone is nothing.
    drop(index);
    fs::remove_file(&new_rows).unwrap();
    fs::write(&new_tail, &new_tail_bytes).unwrap();
    let (index, opened) = open(folder.path());
    assert!(matches!(opened, Opened::Empty(_)) && index.is_empty(), "{opened:?}");
    assert!(files(folder.path(), ".tail").is_empty());
}

/// How many rounds of a fuzz test: few, or many with RSPA_SOAK=1.
fn rounds(usual: u64) -> u64 {
    if std::env::var_os("RSPA_SOAK").is_some_and(|value| value == "1") { usual * 100 } else { usual }
}

/// Everything that an index can do.
fn use_all(index: &Index) {
    answers(index);
    index.contains(5);
    let all = vectors(150, 9);
    add(index, 100, &all);
    index.apply(&[0..120], &[], Mark::default());
    answers(index);
    index.fold(&|| false).unwrap();
    answers(index);
}

#[test]
fn damaged_bytes_are_refused_or_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let mut random = Random(5);
    let paths = [files(folder.path(), ".rows").remove(0), files(folder.path(), ".tail").remove(0)];
    let right = paths.clone().map(|path| fs::read(path).unwrap());
    for round in 0..rounds(60) {
        let at = round as usize % 2;
        let mut bytes = right[at].clone();
        let flips = 1 + random.next() % 8;
        match random.next() % 4 {
            0 => bytes.truncate(random.next() as usize % bytes.len()),
            1 => bytes.extend((0..random.next() % 9_000).map(|byte| byte as u8)),
            // Most in the header, where it matters.
            kind => (0..flips).for_each(|_| {
                let within = if kind == 2 { 700 } else { bytes.len() };
                let place = random.next() as usize % within;
                bytes[place] = random.next() as u8;
            }),
        }
        paths.iter().zip(&right).for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
        fs::write(&paths[at], bytes).unwrap();
        let (index, _) = open(folder.path());
        use_all(&index);
        drop(index);
        fs::read_dir(folder.path()).unwrap().for_each(|entry| fs::remove_file(entry.unwrap().path()).unwrap());
    }
}

/// Files of the right form and with right checksums, whose numbers are anything.
#[test]
fn hostile_numbers_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let mut random = Random(6);
    let paths = [files(folder.path(), ".rows").remove(0), files(folder.path(), ".tail").remove(0)];
    let right = paths.clone().map(|path| fs::read(path).unwrap());
    for round in 0..rounds(60) {
        let at = round as usize % 2;
        let mut bytes = right[at].clone();
        let (header, mut places) = Header::decode(&bytes, bytes.len() as u64).unwrap();
        for _ in 0..1 + random.next() % 3 {
            let section = random.next() as usize % SECTIONS.len();
            let place = &mut places[section];
            let range = place.offset as usize..(place.offset + place.length) as usize;
            if range.is_empty() {
                continue;
            }
            match random.next() % 4 {
                0 => bytes[range.clone()].fill(0xff),
                1 => bytes[range.clone()].fill(0),
                _ => {
                    for _ in 0..1 + random.next() % 500 {
                        let place = range.start + random.next() as usize % range.len();
                        bytes[place] = random.next() as u8;
                    }
                }
            }
            place.checksum = crate::checksum::Checksum::of(&bytes[range]);
        }
        bytes[..PAGE].copy_from_slice(&header.encode(&places));
        paths.iter().zip(&right).for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
        fs::write(&paths[at], bytes).unwrap();
        let (index, _) = open(folder.path());
        use_all(&index);
        drop(index);
        fs::read_dir(folder.path()).unwrap().for_each(|entry| fs::remove_file(entry.unwrap().path()).unwrap());
    }
}

#[test]
fn absurd_counts_are_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let right = fs::read(files(folder.path(), ".rows").remove(0)).unwrap();
    let (header, places) = Header::decode(&right, right.len() as u64).unwrap();
    assert_eq!(places[Section::Ids as usize].length, 1_900 * 8);
    let absurd = [
        Header { rows: u64::MAX, ..header.clone() },
        Header { rows: 0, ..header.clone() },
        Header { dimensions: 0, ..header.clone() },
        Header { dimensions: u32::MAX, ..header.clone() },
        Header { names: u64::MAX, ..header.clone() },
        Header { dead: u64::MAX / 8, ..header.clone() },
        Header { counts: vec![u32::MAX], ..header.clone() },
        Header { counts: vec![1, 2], ..header.clone() },
        Header { counts: vec![1_900, 0], ..header.clone() },
        Header { counts: vec![1; 16], ..header.clone() },
        Header { rows: header.rows + 1, ..header.clone() },
    ];
    for header in absurd {
        let mut bytes = right.clone();
        bytes[..PAGE].copy_from_slice(&header.encode(&places));
        assert!(Header::decode(&bytes, bytes.len() as u64).is_err(), "{header:?}");
    }
    for length in [0, 1, PAGE - 1, PAGE] {
        assert!(Header::decode(&right[..length], length as u64).is_err());
    }
}
