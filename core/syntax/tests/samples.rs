//! A small source of each language gives the symbols that are written beside it.

#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rspa_ml::Cancel;
use rspa_syntax::{Language, Limits, Outline, outline};

/// `Method lease | fn lease | 23-24-24`: kind, name, title, first line, line of the name, last line.
fn written(found: &Outline) -> String {
    let mut text = String::new();
    for symbol in &found.symbols {
        writeln!(
            text,
            "{}{:?} {} | {} | {}-{}-{}{}",
            "  ".repeat(usize::from(symbol.level) - 1),
            symbol.kind,
            symbol.name,
            symbol.title,
            symbol.first_line,
            symbol.line,
            symbol.last_line,
            if symbol.test { " test" } else { "" }
        )
        .unwrap();
    }
    for error in &found.errors {
        writeln!(text, "error {}:{} {}", error.line, error.column, error.message).unwrap();
    }
    text
}

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "outline"));
    paths.sort();
    paths
}

#[test]
fn each_language_gives_its_symbols() {
    let mut wrong = String::new();
    let mut languages = Vec::new();
    for path in samples() {
        let source = std::fs::read_to_string(&path).unwrap();
        let language = Language::of(Some(&path), &source).unwrap();
        languages.push(language);
        let found = outline(language, &source, &Limits::default(), &Cancel::new()).unwrap();
        let expected = std::fs::read_to_string(format!("{}.outline", path.display())).unwrap();
        let found = written(&found);
        if found != expected {
            write!(wrong, "{}:\n{found}", path.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for language in Language::ALL {
        assert!(languages.contains(&language), "{language:?} has no sample");
    }
}

/// The same with the line endings of another system.
#[test]
fn carriage_returns_change_no_line() {
    for path in samples() {
        let source = std::fs::read_to_string(&path).unwrap();
        // A backslash at the end of a line must stand before the newline itself.
        if source.contains("\\\n") {
            continue;
        }
        let language = Language::of(Some(&path), &source).unwrap();
        let of = |source: &str| written(&outline(language, source, &Limits::default(), &Cancel::new()).unwrap());
        assert_eq!(of(&source), of(&source.replace('\n', "\r\n")), "{}", path.display());
    }
}
