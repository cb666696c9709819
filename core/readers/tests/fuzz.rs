//! Every reader on sound files that were changed at random: it may refuse them, but never fail, hang or eat memory.
//!
//! Few rounds by default; `RSPA_SOAK=1` asks for many, `RSPA_SEED` for another beginning.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Cursor, Read as _};
use std::time::{Duration, Instant};

use common::*;
use rspa_readers::ReadError;

fn rounds() -> usize {
    if std::env::var_os("RSPA_SOAK").is_some_and(|value| value == "1") { 20_000 } else { 150 }
}

fn seed() -> u64 {
    std::env::var("RSPA_SEED").map_or(7, |text| text.parse().expect("RSPA_SEED is a whole number"))
}

/// Changes a part of an archive before it is packed, so that its check sums are right.
fn harm_inside(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut parts = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut data = Vec::new();
        entry.read_to_end(&mut data).unwrap();
        parts.push((entry.name().unwrap().into_owned(), data));
    }
    let which = chance.below(parts.len());
    chance.harm(&mut parts[which].1);
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, data)| (name.as_str(), data.as_slice())).collect();
    zipped(&parts)
}

fn fuzz(wanted: &str) {
    let (name, sound) = sound().into_iter().find(|(name, _)| *name == wanted).unwrap();
    let mut chance = Chance(seed());
    let (mut read_whole, mut doubted, mut refused) = (0, 0, 0);
    for round in 0..rounds() {
        let mut bytes = sound.clone();
        if bytes.starts_with(b"PK") && round % 4 != 0 {
            bytes = harm_inside(&bytes, &mut chance);
        } else {
            chance.harm(&mut bytes);
        }
        let started = Instant::now();
        match read(name, bytes) {
            Ok(extracted) if extracted.note.is_none() => read_whole += 1,
            Ok(_) => doubted += 1,
            Err(ReadError::Crashed | ReadError::TimedOut(_)) => panic!("{name}: round {round} of seed {}", seed()),
            Err(_) => refused += 1,
        }
        assert!(started.elapsed() < Duration::from_secs(25), "{name}: round {round} of seed {} is slow", seed());
    }
    if let Some(peak) = peak_megabytes() {
        assert!(peak < 1_200, "{name} took {peak} MB");
    }
    println!(
        "soak: fuzz {name} {} seed {} ({read_whole} whole, {doubted} doubted, {refused} refused)",
        rounds(),
        seed()
    );
}

macro_rules! readers {
    ($($test:ident $name:literal)*) => {
        $(#[test] fn $test() { fuzz($name); })*
    };
}

readers! {
    changed_pdf "a.pdf"
    changed_docx "a.docx"
    changed_xlsx "a.xlsx"
    changed_pptx "a.pptx"
    changed_epub "a.epub"
    changed_odt "a.odt"
    changed_html "a.html"
    changed_markdown "a.md"
    changed_csv "a.csv"
    changed_email "a.eml"
    changed_mbox "a.mbox"
    changed_text "a.txt"
}
