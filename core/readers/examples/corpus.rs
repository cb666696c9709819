//! Measures the readers on a corpus of real files against the texts of other programs, format by format.
//!
//! `corpus.sh` beside this file makes the corpus: files of Debian packages, and files that LibreOffice and pandoc made
//! of Debian's documentation; reference texts by pdftotext, pandoc, LibreOffice and Python's email package.
//!
//! `cargo run -p rspa-readers --example corpus -- DIR [FORMAT...] [--worst N]` reads `DIR/raw/FORMAT/*` and
//! `DIR/ref/FORMAT/*.txt`. Share is the part of the reference's words that are also in ours, precision the reverse;
//! words are runs of letters and digits in small letters, counted as often as they occur.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rspa_ml::Cancel;
use rspa_readers::{Limits, extract, format_of};

struct Measured {
    name: String,
    share: f64,
    precision: f64,
    milliseconds: f64,
    bytes: usize,
    confidence: f32,
    problem: Option<String>,
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let worst = match arguments.iter().position(|argument| argument == "--worst") {
        Some(at) => {
            let count = arguments.get(at + 1).and_then(|count| count.parse().ok()).unwrap_or(10);
            arguments.drain(at..(at + 2).min(arguments.len()));
            count
        }
        None => 0,
    };
    let [directory, formats @ ..] = arguments.as_slice() else {
        println!("corpus DIR [FORMAT...] [--worst N]");
        return;
    };
    let all = ["pdf", "docx", "odt", "xlsx", "ods", "pptx", "epub", "html", "eml"].map(str::to_owned);
    let formats = if formats.is_empty() { &all } else { formats };
    println!("format  files  share: median mean  p10   precision: median mean   ms: median p95   no text   doubtful");
    for format in formats {
        measure(Path::new(directory), format, worst);
    }
}

fn measure(directory: &Path, format: &str, worst: usize) {
    let mut files: Vec<_> = std::fs::read_dir(directory.join("raw").join(format))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let mut measured = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let reference = directory.join("ref").join(format).join(format!("{name}.txt"));
        let Ok(reference) = std::fs::read(reference) else { continue };
        let reference = words(&String::from_utf8_lossy(&reference));
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let size = bytes.len();
        let Some(format) = format_of(&file) else { continue };
        let started = Instant::now();
        let read = extract(format, Arc::new(bytes), &Limits::default(), &Cancel::new());
        let milliseconds = started.elapsed().as_secs_f64() * 1_000.0;
        if reference.is_empty() {
            // Nothing to compare with: pictures, or the other program failed.
            continue;
        }
        let (text, confidence, problem) = match read {
            Ok(read) => (read.lines.text().to_owned(), read.confidence, read.note),
            Err(error) => (String::new(), 0.0, Some(error.to_string())),
        };
        let ours = words(&text);
        measured.push(Measured {
            name,
            share: common(&reference, &ours),
            precision: common(&ours, &reference),
            milliseconds,
            bytes: size,
            confidence,
            problem,
        });
    }
    if measured.is_empty() {
        println!("{format:7} no files");
        return;
    }
    let at = |values: &mut Vec<f64>, share: f64| {
        values.sort_by(f64::total_cmp);
        values[((values.len() - 1) as f64 * share).round() as usize]
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut shares: Vec<f64> = measured.iter().map(|file| file.share).collect();
    let mut precisions: Vec<f64> = measured.iter().map(|file| file.precision).collect();
    let mut times: Vec<f64> = measured.iter().map(|file| file.milliseconds).collect();
    let failed = measured.iter().filter(|file| file.problem.is_some() && file.confidence == 0.0).count();
    let doubtful = measured.iter().filter(|file| file.problem.is_some() && file.confidence > 0.0).count();
    println!(
        "{format:7} {:5}         {:.4} {:.4} {:.3}              {:.4} {:.4}     {:7.1} {:7.1}   {failed:5}   {doubtful:5}",
        measured.len(),
        at(&mut shares, 0.5),
        mean(&shares),
        at(&mut shares, 0.1),
        at(&mut precisions, 0.5),
        mean(&precisions),
        at(&mut times, 0.5),
        at(&mut times, 0.95),
    );
    let list = |title: &str, files: &[Measured]| {
        println!("  {title}");
        for file in files.iter().take(worst) {
            println!(
                "    {:.3} {:.3} {:8.0} ms {:6} KB  {}  {}",
                file.share,
                file.precision,
                file.milliseconds,
                file.bytes / 1024,
                file.name,
                file.problem.as_deref().unwrap_or_default()
            );
        }
    };
    if worst > 0 {
        measured.sort_by(|a, b| a.share.total_cmp(&b.share));
        list("lowest share", &measured);
        measured.sort_by(|a, b| a.precision.total_cmp(&b.precision));
        list("lowest precision", &measured);
        measured.sort_by(|a, b| b.milliseconds.total_cmp(&a.milliseconds));
        list("longest", &measured);
    }
}

/// Words of a text, each as often as it occurs.
fn words(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    let mut word = String::new();
    for letter in text.chars().chain([' ']) {
        match letter {
            '\u{FB00}' => word.push_str("ff"),
            '\u{FB01}' => word.push_str("fi"),
            '\u{FB02}' => word.push_str("fl"),
            '\u{FB03}' => word.push_str("ffi"),
            '\u{FB04}' => word.push_str("ffl"),
            '\u{AD}' | '\u{200B}'..='\u{200F}' => {}
            // Scripts without spaces: each letter is a word.
            '\u{2E80}'..='\u{D7AF}' => *counts.entry(letter.to_string()).or_default() += 1,
            _ if letter.is_alphanumeric() => word.extend(letter.to_lowercase()),
            _ if !word.is_empty() => *counts.entry(std::mem::take(&mut word)).or_default() += 1,
            _ => {}
        }
    }
    counts
}

/// The share of the first text's words that are in the second.
fn common(first: &HashMap<String, usize>, second: &HashMap<String, usize>) -> f64 {
    let all: usize = first.values().sum();
    let both: usize = first.iter().map(|(word, count)| *count.min(second.get(word).unwrap_or(&0))).sum();
    if all == 0 { 1.0 } else { both as f64 / all as f64 }
}
