//! `rspa bench search`: hybrid searches over a collection, prefix by prefix, as somebody types.

mod texts;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use rspa_core::api::request::knowledge::{AddSource, RescanSource, Search, WaitFor, WaitForSource};
use rspa_core::model::{SearchMode, SearchQuery};
use serde_json::json;

use self::texts::{Real, Words, write_made};
use super::{Context, Failure, Throwaway, percentile, print};
use crate::measure::resident_bytes;

#[derive(Args)]
pub struct SearchArguments {
    /// About how many chunks to search
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=2_000_000))]
    chunks: u64,
    /// Text files of this folder, repeated and perturbed, in place of generated text
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
}

const QUERIES: u64 = 40;

pub fn run(context: &Context, arguments: &SearchArguments) -> Result<(), Failure> {
    let throwaway = Throwaway::start(context)?;
    let folder = throwaway.folder.path().join("texts");
    let session = &throwaway.session;
    let mut real = match &arguments.from {
        Some(from) => Some(Real::read(context, from)?),
        None => None,
    };
    std::fs::create_dir_all(&folder)?;
    match &real {
        Some(real) => real.write(context, &folder, 0, 1.0)?,
        None => write_made(context, &folder, arguments.chunks)?,
    }
    let started = Instant::now();
    let source = session.call(AddSource { path: folder.clone() })?.source.id;
    let mut status = session.call(WaitForSource { id: source, until: WaitFor::Searchable })?;
    let mut index_s = started.elapsed().as_secs_f64();
    if let Some(real) = &real {
        // How many chunks a copy makes is known now.
        let copies = arguments.chunks as f64 / status.passages.max(1) as f64;
        let mut round = 1;
        while (round as f64) < copies {
            real.write(context, &folder, round, (copies - round as f64).min(1.0))?;
            round += 1;
        }
        if round > 1 {
            let started = Instant::now();
            session.call(RescanSource { id: source })?;
            status = session.call(WaitForSource { id: source, until: WaitFor::Searchable })?;
            index_s += started.elapsed().as_secs_f64();
        }
    }
    let mut words = Words::new(7);
    let mut milliseconds = Vec::new();
    let mut stages = [0.0; 3];
    for round in 0..QUERIES {
        let query = match &mut real {
            Some(real) => real.query(),
            None => words.query(),
        };
        for end in typed_prefixes(&query) {
            let query = SearchQuery { text: query[..end].to_owned(), mode: SearchMode::Hybrid, ..Default::default() };
            let started = Instant::now();
            let results = session.call(Search { query })?;
            // The first query opens files and warms caches.
            if round > 0 {
                milliseconds.push(started.elapsed().as_secs_f64() * 1e3);
                stages[0] += results.keyword_ms;
                stages[1] += results.vector_ms;
                stages[2] += results.rerank_ms;
            }
        }
    }
    let mean = |stage: usize| stages[stage] / milliseconds.len().max(1) as f64;
    let mut figures = json!({
        "bench": "search",
        "chunks": status.passages,
        "searches": milliseconds.len(),
        "keyword_ms": mean(0),
        "vector_ms": mean(1),
        "rerank_ms": mean(2),
        "index_s": index_s,
        "rss_bytes": resident_bytes(),
    });
    milliseconds.sort_by(f64::total_cmp);
    for (name, share) in [("p50_ms", 0.50), ("p95_ms", 0.95), ("p99_ms", 0.99)] {
        figures[name] = json!(percentile(&milliseconds, share));
    }
    print(context, 1, figures)
}

/// Ends of the query after each third typed character, and the whole.
fn typed_prefixes(query: &str) -> Vec<usize> {
    let mut ends: Vec<usize> = query.char_indices().map(|(at, _)| at).filter(|at| *at > 0).step_by(3).collect();
    ends.push(query.len());
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_searched_while_it_is_typed() {
        assert_eq!(typed_prefixes("ab cdef"), [1, 4, 7]);
        assert_eq!(typed_prefixes("ä"), [2]);
    }
}
