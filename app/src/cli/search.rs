//! `rspa search`: passages that fit a query.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rspa_core::api::request::knowledge::Search;
use rspa_core::model::{SearchHit, SearchMode, SearchQuery, SearchResults};
use serde_json::{Value, json};

use super::Context;
use super::failure::Failure;
use super::output::{one_line, path_text, with_path};
use super::session::Session;
use super::typed;

#[derive(Args)]
pub struct SearchArguments {
    /// What to look for; - reads it from standard input
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// How many passages at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// By words, by meaning, or both fused
    #[arg(long, value_enum, default_value = "hybrid")]
    mode: Mode,
    /// Search only in this source; may be given several times
    #[arg(long, value_name = "PATH")]
    source: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    Hybrid,
    Keyword,
    Vector,
}

pub fn run(context: &Context, arguments: SearchArguments) -> Result<(), Failure> {
    let text = typed::text_of(&arguments.query, "query")?;
    let session = Session::start(context)?;
    let query = SearchQuery {
        text,
        mode: match arguments.mode {
            Mode::Hybrid => SearchMode::Hybrid,
            Mode::Keyword => SearchMode::Keyword,
            Mode::Vector => SearchMode::Vector,
        },
        limit: arguments.limit,
        sources: typed::sources_of(&session, &arguments.source)?,
        kinds: Vec::new(),
    };
    let results = session.call(Search { query })?;
    if context.output.json {
        return context.output.json_line(&as_json(&results));
    }
    for hit in &results.hits {
        let passage = &hit.passage;
        let heading = passage.heading.as_deref().map(one_line).unwrap_or_default();
        context.output.line(&format!(
            "{}:{}-{}  {:.3}  {heading}",
            path_text(&passage.path),
            passage.start_line,
            passage.end_line,
            hit.score
        ))?;
        context
            .output
            .line(&format!("    {}", one_line(&hit.snippet.split_whitespace().collect::<Vec<_>>().join(" "))))?;
    }
    if context.output.watched() {
        context.output.note(&format!(
            "{} of {} passages in {:.1} ms",
            results.hits.len(),
            results.searched,
            results.ms
        ));
    }
    Ok(())
}

fn as_json(results: &SearchResults) -> Value {
    json!({
        "query": results.query,
        "ms": results.ms,
        "searched": results.searched,
        "keyword_ms": results.keyword_ms,
        "vector_ms": results.vector_ms,
        "hits": results.hits.iter().map(hit_json).collect::<Vec<_>>(),
    })
}

fn hit_json(hit: &SearchHit) -> Value {
    let passage = &hit.passage;
    with_path(
        &passage.path,
        json!({
            "start_line": passage.start_line,
            "end_line": passage.end_line,
            "score": hit.score,
            "kind": passage.kind,
            "text": passage.text,
            "id": passage.id,
            "page": passage.page,
            "heading": passage.heading,
            "snippet": hit.snippet,
            "keyword": hit.keyword,
            "static_vector": hit.static_vector,
            "encoder_vector": hit.encoder_vector,
        }),
    )
}
