//! Backup files made or changed by somebody else: clear errors, bounded memory and disk, never a panic.

use std::io::{Cursor, Write};

use sha2::{Digest, Sha256};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

const FILE: &str = "/data/backups/2026-11-20T09-15-00Z-manual.rspa-backup";

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A zip with these entries.
fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn entry(name: &str, bytes: &[u8]) -> Entry {
    Entry { name: name.to_owned(), size: bytes.len() as u64, sha256: hash(bytes) }
}

fn manifest(entries: Vec<Entry>) -> Manifest {
    Manifest {
        format: 1,
        program: "0".to_owned(),
        schema: 1,
        made: START,
        reason: BackupReason::Manual,
        profiles: Vec::new(),
        rows: BTreeMap::new(),
        entries,
    }
}

/// A backup whose manifest says this and whose entries are those.
fn backup_of(manifest: &Manifest, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let text = serde_json::to_vec(manifest).unwrap();
    let mut all = vec![("manifest.json", text.as_slice())];
    all.extend(entries);
    zip_of(&all)
}

fn check(bytes: Vec<u8>) -> Result<Manifest, BackupError> {
    let disk = SimulatedDisk::new();
    disk.create_folder(Path::new("/data/backups")).unwrap();
    disk.put(Path::new(FILE), bytes);
    let before = used(&disk);
    let result = verify::verify(&disk, Path::new(FILE), Path::new("/data/working"), 1 << 30, &Unwatched);
    assert_eq!(used(&disk), before, "something was left on the disk");
    result
}

#[track_caller]
fn refused(bytes: Vec<u8>, words: &str) {
    let error = check(bytes).expect_err("it is refused").to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn what_is_no_backup_is_said_to_be_none() {
    refused(Vec::new(), "too short");
    refused(b"PK".to_vec(), "too short");
    refused(b"just some text that is long enough for an end".to_vec(), "begins differently");
    refused(zip_of(&[("readme.txt", b"hello")]), "it has no manifest");
    refused(zip_of(&[]), "");
    refused(zip_of(&[("manifest.json", b"{}")]), "manifest is unreadable");
    refused(zip_of(&[("manifest.json", b"[[[[[[[[[")]), "manifest is unreadable");
    refused(zip_of(&[("manifest.json", br#"{"format":7,"new":true}"#)]), "made by a newer rspa (format 7");
    refused(backup_of(&manifest(vec![]), &[]), "holds no database");
    refused(backup_of(&manifest(vec![entry("main.redb", b"none")]), &[("main.redb", b"none")]), "main.redb");
}

#[test]
fn names_that_lead_out_and_sizes_that_cannot_be_are_refused() {
    for name in ["../main.redb", "/etc/passwd", "notes/../../x", "notes\\..\\x", "C:/x", "logs/a", "notes/a\nb"] {
        let bytes = backup_of(
            &manifest(vec![entry("main.redb", b"x"), entry(name, b"y")]),
            &[("main.redb", b"x"), (name, b"y")],
        );
        refused(bytes, "does not belong into a backup");
    }
    let twice = manifest(vec![entry("main.redb", b"x"), entry("notes/A", b"y"), entry("notes/a", b"z")]);
    refused(backup_of(&twice, &[("main.redb", b"x"), ("notes/A", b"y"), ("notes/a", b"z")]), "twice");
    let more = backup_of(&manifest(vec![entry("main.redb", b"x")]), &[("main.redb", b"x"), ("notes/b", b"y")]);
    refused(more, "does not list what is in it");
    let other = backup_of(
        &manifest(vec![entry("main.redb", b"x"), entry("notes/a", b"y")]),
        &[("main.redb", b"x"), ("notes/b", b"y")],
    );
    refused(other, "is missing");
    // More than the packed bytes can hold.
    let claimed = Entry { size: 1 << 50, ..entry("main.redb", b"x") };
    refused(backup_of(&manifest(vec![claimed]), &[("main.redb", b"x")]), "cannot be");
    // A bomb that holds what it claims, but more than there is room for.
    let zeros = vec![0; 8 << 20];
    let entries: Vec<_> = ["main.redb", "notes/a"].iter().map(|name| entry(name, &zeros)).collect();
    let bomb = backup_of(&manifest(entries), &[("main.redb", &zeros), ("notes/a", &zeros)]);
    let disk = SimulatedDisk::new();
    disk.create_folder(Path::new("/data/backups")).unwrap();
    disk.put(Path::new(FILE), bomb);
    let error = verify::verify(&disk, Path::new(FILE), Path::new("/data/working"), 4 << 20, &Unwatched).unwrap_err();
    assert!(matches!(error, BackupError::NoRoom { .. }), "{error}");
    // A bomb that holds more than it claims is read no further than that.
    let short = Entry { size: 100, ..entry("main.redb", &zeros) };
    refused(backup_of(&manifest(vec![short]), &[("main.redb", &zeros)]), "longer than its manifest says");
    let wrong = Entry { sha256: hash(b"y"), ..entry("main.redb", b"x") };
    refused(backup_of(&manifest(vec![wrong]), &[("main.redb", b"x")]), "another checksum");
}

#[test]
fn a_claim_of_countless_entries_is_refused_before_it_is_believed() {
    let mut bytes = backup_of(&manifest(vec![entry("main.redb", b"x")]), &[("main.redb", b"x")]);
    let end = bytes.len() - 22;
    bytes[end + 10..end + 12].copy_from_slice(&[0xfe, 0xff]);
    bytes[end + 12..end + 16].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    refused(bytes, "it claims to hold");
}

/// A good backup of a database with some rows.
fn good() -> Vec<u8> {
    let world = World::new(&[]);
    for number in 0..20 {
        add_chat(world.main(), number, &format!("chat {number}"));
    }
    let path = world.backup(BackupReason::Manual).info.path;
    world.disk.read_all(&path).unwrap()
}

#[test]
fn a_backup_that_was_cut_off_or_changed_is_found_out() {
    let good = good();
    let original = check(good.clone()).unwrap();
    let (rounds, seed) = (soak::count(300, 60_000), soak::seed(0x5eed));
    let mut state = seed;
    let mut random = move |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    let (mut found_out, mut harmless) = (0, 0);
    for round in 0..rounds {
        let mut bytes = good.clone();
        match round % 5 {
            0 => bytes.truncate(random(good.len())),
            1 => {
                let at = random(bytes.len());
                bytes[at] ^= 1 << random(8);
            }
            2 => {
                for _ in 0..1 + random(20) {
                    let at = random(bytes.len());
                    bytes[at] = random(256) as u8;
                }
            }
            3 => {
                let (at, length) = (random(bytes.len()), random(400));
                bytes.drain(at..(at + length).min(good.len()));
            }
            // Most of what is believed stands at the end.
            _ => {
                let at = bytes.len() - 1 - random(300.min(bytes.len()));
                bytes[at] = bytes[at].wrapping_add(1 + random(255) as u8);
            }
        }
        match check(bytes) {
            Err(_) => found_out += 1,
            // A changed date or attribute of an entry: the content is what it was.
            Ok(manifest) => {
                assert_eq!(manifest, original, "round {round}");
                harmless += 1;
            }
        }
    }
    println!("{found_out} found out, {harmless} harmless of {rounds}");
    soak::report("fuzzed backup files", rounds, seed);
    assert!(found_out > rounds * 8 / 10, "{found_out} of {rounds}");
}

#[test]
fn any_manifest_is_read_or_refused() {
    let text = serde_json::to_string(&manifest(vec![entry("main.redb", b"x")])).unwrap();
    let (rounds, seed) = (soak::count(2_000, 150_000), soak::seed(7));
    let mut state = seed;
    for _ in 0..rounds {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 20) as u8;
        }
        if let Ok(manifest) = Manifest::read(Path::new("a"), &bytes) {
            assert!(manifest.entries.iter().all(|entry| manifest::is_allowed(&entry.name)));
        }
    }
    soak::report("fuzzed manifests of backups", rounds, seed);
}
