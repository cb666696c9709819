//! Prints the outline of a file, or for folders how many files gave one and how fast.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rspa_ml::Cancel;
use rspa_syntax::{Language, Limits, outline};

#[derive(Default)]
struct Count {
    files: usize,
    bytes: usize,
    symbols: usize,
    /// Files in which something is not understood.
    broken: usize,
    stopped: usize,
    time: Duration,
    longest: (Duration, PathBuf),
}

fn main() {
    let mut counts: BTreeMap<Language, Count> = BTreeMap::new();
    for argument in std::env::args_os().skip(1) {
        let path = PathBuf::from(argument);
        if path.is_file() { print(&path) } else { visit(&path, &mut counts) }
    }
    for (language, count) in &counts {
        println!(
            "{:<20} {:>6} files {:>8.1} MB {:>8} symbols {:>5} broken {:>3} stopped {:>8.0} files/s {:>6.1} MB/s longest {:?} {}",
            language.name(),
            count.files,
            count.bytes as f64 / 1e6,
            count.symbols,
            count.broken,
            count.stopped,
            count.files as f64 / count.time.as_secs_f64(),
            count.bytes as f64 / 1e6 / count.time.as_secs_f64(),
            count.longest.0,
            count.longest.1.display()
        );
    }
}

fn print(path: &Path) {
    let Ok(source) = std::fs::read_to_string(path) else { return println!("{}: no text", path.display()) };
    let Some(language) = Language::of(Some(path), &source) else { return println!("{}: no grammar", path.display()) };
    match outline(language, &source, &Limits::default(), &Cancel::new()) {
        Ok(found) => {
            for symbol in &found.symbols {
                let (first, last, test) =
                    (symbol.first_line, symbol.last_line, if symbol.test { " (test)" } else { "" });
                println!("{first:>6}-{last:<6} {}{}{test}", "  ".repeat(usize::from(symbol.level) - 1), symbol.title);
            }
            for error in &found.errors {
                println!("{}:{}:{}: {}", path.display(), error.line, error.column, error.message);
            }
        }
        Err(why) => println!("{}: {why}", path.display()),
    }
}

fn visit(folder: &Path, counts: &mut BTreeMap<Language, Count>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            visit(&path, counts);
            continue;
        }
        if Language::of_path(&path).is_none() {
            continue;
        }
        let Ok(source) = std::fs::read_to_string(&path) else { continue };
        let Some(language) = Language::of(Some(&path), &source) else { continue };
        let started = Instant::now();
        let found = outline(language, &source, &Limits::default(), &Cancel::new());
        let time = started.elapsed();
        let count = counts.entry(language).or_default();
        count.files += 1;
        count.bytes += source.len();
        count.time += time;
        match found {
            Ok(found) => {
                count.symbols += found.symbols.len();
                count.broken += usize::from(!found.errors.is_empty());
            }
            Err(_) => count.stopped += 1,
        }
        if time > count.longest.0 {
            count.longest = (time, path);
        }
    }
}
