//! `rspa bench search`: hybrid searches over a generated collection, prefix by prefix, as somebody types.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use rspa_core::api::request::knowledge::{AddSource, Search, WaitFor, WaitForSource};
use rspa_core::model::{SearchMode, SearchQuery};
use serde_json::json;
use std::time::Instant;

use super::{Context, Failure, Throwaway, percentile, print};

#[derive(Args)]
pub struct SearchArguments {
    /// About how many chunks to search
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=2_000_000))]
    chunks: u64,
}

const SECTIONS_PER_FILE: u64 = 200;
const WORDS_PER_SECTION: usize = 90;
const QUERIES: u64 = 40;

pub fn run(context: &Context, arguments: &SearchArguments) -> Result<(), Failure> {
    let throwaway = Throwaway::start(context)?;
    let folder = throwaway.folder.path().join("texts");
    write_collection(context, &folder, arguments.chunks)?;
    let session = &throwaway.session;
    let source = session.call(AddSource { path: folder })?.source.id;
    let status = session.call(WaitForSource { id: source, until: WaitFor::Searchable })?;
    let mut words = Words::new(7);
    let mut milliseconds = Vec::new();
    for round in 0..QUERIES {
        let query = words.text(3);
        for end in typed_prefixes(&query) {
            let query = SearchQuery { text: query[..end].to_owned(), mode: SearchMode::Hybrid, ..Default::default() };
            let started = Instant::now();
            session.call(Search { query })?;
            // The first query opens files and warms caches.
            if round > 0 {
                milliseconds.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    milliseconds.sort_by(f64::total_cmp);
    print(
        context,
        1,
        json!({
            "bench": "search",
            "chunks": status.passages,
            "searches": milliseconds.len(),
            "p50_ms": percentile(&milliseconds, 0.50),
            "p95_ms": percentile(&milliseconds, 0.95),
            "p99_ms": percentile(&milliseconds, 0.99),
        }),
    )
}

/// Ends of the query after each third typed character, and the whole.
fn typed_prefixes(query: &str) -> Vec<usize> {
    let mut ends: Vec<usize> = query.char_indices().map(|(at, _)| at).filter(|at| *at > 0).step_by(3).collect();
    ends.push(query.len());
    ends
}

/// Markdown files whose sections become about one chunk each.
fn write_collection(context: &Context, folder: &Path, chunks: u64) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let mut words = Words::new(1);
    let mut written = 0;
    while written < chunks {
        context.interrupt.check()?;
        let mut text = String::new();
        for _ in 0..SECTIONS_PER_FILE.min(chunks - written) {
            writeln!(text, "# {}\n\n{}\n", words.text(4), words.text(WORDS_PER_SECTION))
                .expect("writing to a String cannot fail");
            written += 1;
        }
        std::fs::write(folder.join(format!("text-{written:07}.md")), text)?;
    }
    Ok(())
}

/// Made-up words, few of them frequent and many rare, as in real text; the same ones for the same seed.
struct Words(u64);

impl Words {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn text(&mut self, count: usize) -> String {
        const SYLLABLES: [&str; 16] =
            ["ra", "mo", "ti", "lek", "san", "vor", "du", "pel", "qui", "nos", "bar", "fen", "gol", "hy", "cer", "win"];
        let mut text = String::new();
        for at in 0..count {
            if at > 0 {
                text.push(' ');
            }
            // Zipf's law: rank r about as often as 1/r, among 60,000 words.
            let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
            let mut rank = 60_000_f64.powf(share) as usize;
            for _ in 0..2 + rank % 2 {
                text.push_str(SYLLABLES[rank % 16]);
                rank /= 16;
            }
            if rank > 0 {
                text.push_str(SYLLABLES[rank % 16]);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_words_are_the_same_for_a_seed_and_follow_zipf() {
        let text = Words::new(3).text(5_000);
        assert_eq!(text, Words::new(3).text(5_000));
        let mut counts = std::collections::BTreeMap::new();
        for word in text.split(' ') {
            *counts.entry(word).or_insert(0) += 1;
        }
        assert!(counts.len() > 1_500, "{} different words", counts.len());
        assert!(counts.values().max() > Some(&100));
    }

    #[test]
    fn a_query_is_searched_while_it_is_typed() {
        assert_eq!(typed_prefixes("ab cdef"), [1, 4, 7]);
        assert_eq!(typed_prefixes("ä"), [2]);
    }
}
