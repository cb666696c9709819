//! Golden records: bytes of each record and version as they were once stored, read by today's code for ever.
//!
//! They lie in `tests/fixtures/records`, one file per record and version: `bytes` in hexadecimal digits, and `record`,
//! what they say. For a new record or version write the file with `record` alone and run the test once with
//! `RSPA_GOLDEN=make`: it fills in the bytes. Bytes that are there are never changed.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Record, decode, encode};
use crate::soak::{self, Chance};

fn file(name: &str, version: u16) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/records");
    folder.join(format!("{}.{version}.json", name.replace(' ', "-")))
}

/// Reads the golden bytes of all versions of a record.
pub(crate) fn check<R: Record>() {
    for version in 1..=R::VERSION {
        let path = file(R::NAME, version);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_missing| {
            panic!("{} is missing: the golden record of version {version} (see storage/golden.rs)", path.display())
        });
        let mut golden: Value = serde_json::from_str(&text).unwrap();
        if golden["bytes"].is_null() {
            assert!(
                version == R::VERSION && std::env::var("RSPA_GOLDEN").as_deref() == Ok("make"),
                "{} has no bytes; make them with RSPA_GOLDEN=make",
                path.display()
            );
            let record: R = serde_json::from_value(golden["record"].clone()).unwrap();
            golden["bytes"] = json!(hex(&encode(&record).unwrap()));
            std::fs::write(&path, serde_json::to_string_pretty(&golden).unwrap() + "\n").unwrap();
        }
        let bytes = bytes(golden["bytes"].as_str().unwrap());
        assert_eq!(bytes[..2], version.to_le_bytes(), "{} holds another version", path.display());
        let record: R = decode(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if version == R::VERSION {
            holds(&serde_json::to_value(&record).unwrap(), &golden["record"], R::NAME);
        }
        fuzz::<R>(&bytes);
    }
}

/// Harmed bytes of a record and any bytes are read or refused: never a panic, never more memory than they fill.
fn fuzz<R: Record>(golden: &[u8]) {
    let seed = soak::seed(13);
    let mut chance = Chance(seed);
    let rounds = soak::count(200, 10_000);
    for round in 0..rounds {
        let mut bytes = if round % 8 == 0 { chance.bytes(200) } else { golden.to_vec() };
        chance.harm(&mut bytes);
        if round % 2 == 0
            && let Some(version) = bytes.first_chunk_mut::<2>()
        {
            *version = R::VERSION.to_le_bytes();
        }
        match decode::<R>(&bytes) {
            // What can be read can be stored again.
            Ok(record) => drop(encode(&record).unwrap()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    soak::report("fuzzed records", rounds, seed);
}

/// That all of `expected` is in `found`; fields that came later may be there too.
fn holds(found: &Value, expected: &Value, place: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (name, expected) in expected {
                let place = format!("{place}.{name}");
                let found = found.get(name).unwrap_or_else(|| panic!("{place} is lost"));
                holds(found, expected, &place);
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{place}");
            for (found, expected) in found.iter().zip(expected) {
                holds(found, expected, place);
            }
        }
        (found, expected) => assert_eq!(found, expected, "{place}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A record without a golden test would change its form unseen.
#[test]
fn every_record_has_its_golden_test() {
    fn look(folder: &std::path::Path, missing: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, missing);
                continue;
            }
            // Records of tests alone.
            if path.ends_with("tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for after in code.split("Record for ").skip(1) {
                let name: String = after.chars().take_while(|c| c.is_alphanumeric()).collect();
                let own = !matches!(name.as_str(), "" | "NoEarlier");
                if own && !code.contains(&format!("golden_record!({name})")) {
                    missing.push(format!("{name} in {}", path.display()));
                }
            }
        }
    }
    let mut missing = Vec::new();
    look(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src"), &mut missing);
    assert!(missing.is_empty(), "no golden_record! for: {missing:?}");
}
