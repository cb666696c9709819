//! `rspa search`: passages that fit a query.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rspa_core::api::request::knowledge::{ExplainMissing, Search};
use rspa_core::model::{
    DocumentKind, MissingReason, SearchFilter, SearchHit, SearchMode, SearchQuery, SearchResults, Timestamp,
};
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
    /// Only documents of this kind, such as code, pdf or chat; may be given several times
    #[arg(long, value_name = "KIND", value_parser = kind_of)]
    kind: Vec<DocumentKind>,
    /// Only documents changed at or after this date or time
    #[arg(long, value_name = "TIME", value_parser = super::activities::time)]
    after: Option<Timestamp>,
    /// Only documents changed before this date or time
    #[arg(long, value_name = "TIME", value_parser = super::activities::time)]
    before: Option<Timestamp>,
    /// Milliseconds for comparing the best passages closely, where an encoder or a cross-encoder is installed; 0 for none
    #[arg(long, value_name = "MS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(0..=60_000))]
    compare_ms: u32,
    /// Say why this document is not among the hits
    #[arg(long, value_name = "PATH")]
    why_not: Option<PathBuf>,
}

/// A kind by its name.
fn kind_of(text: &str) -> Result<DocumentKind, String> {
    serde_json::from_value(Value::String(text.to_lowercase())).map_err(|_unknown| {
        "kinds are markdown, text, code, html, pdf, docx, xlsx, pptx, epub, csv, email, commit, chat, task, activity".to_owned()
    })
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
        kinds: arguments.kind,
        after: arguments.after,
        before: arguments.before,
        compare_ms: arguments.compare_ms,
    };
    if let Some(path) = &arguments.why_not {
        return why_not(context, &session, query, path);
    }
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

fn why_not(context: &Context, session: &Session, query: SearchQuery, path: &Path) -> Result<(), Failure> {
    // A name that is no file from here is looked for among the documents.
    let path = if path.exists() { std::path::absolute(path)? } else { path.to_owned() };
    let shown = query.limit;
    let why = session.call(ExplainMissing { query, path: path.clone() })?;
    if context.output.json {
        let fields = json!({
            "reason": why.reason,
            "missing_words": why.missing_words,
            "best": why.best.as_ref().map(hit_json),
            "needed": why.needed,
            "ms": why.ms,
        });
        return context.output.json_line(&with_path(&path, fields));
    }
    context.output.line(&reason(&why.reason, shown))?;
    if !why.missing_words.is_empty() {
        context.output.line(&format!("It holds nowhere: {}", why.missing_words.join(", ")))?;
    }
    if let Some(best) = &why.best {
        let needed = why.needed.map(|needed| format!(", the last hit shown has {needed:.3}")).unwrap_or_default();
        let (from, to) = (best.passage.start_line, best.passage.end_line);
        context.output.line(&format!("Its best passage, lines {from}-{to}, has {:.3}{needed}", best.score))?;
    }
    Ok(())
}

fn reason(reason: &MissingReason, shown: u32) -> String {
    match reason {
        MissingReason::Shown { rank } => format!("It is among the hits, in place {rank}."),
        MissingReason::OutsideSources => "It lies in no source. Add its folder: rspa index add PATH".to_owned(),
        MissingReason::NoFile => "There is no such file.".to_owned(),
        MissingReason::LeftOut => "It was left out when its source was read: it is hidden, ignored by rules such as \
            .gitignore, or holds no text."
            .to_owned(),
        MissingReason::Unreadable { why } => format!("It could not be read. {why}"),
        MissingReason::NotYet => "Its source has not been read to the end yet.".to_owned(),
        MissingReason::Filtered { by } => {
            let by = match by {
                SearchFilter::Source => "source",
                SearchFilter::Kind => "kind",
                SearchFilter::Time => "time",
                SearchFilter::Phrase => "phrase in quotation marks",
            };
            format!("The {by} that was asked for leaves it out.")
        }
        MissingReason::NothingInCommon => {
            "It shares no word with the question, and its meaning is far from it.".to_owned()
        }
        MissingReason::BeyondStages { depth } => format!("{depth} other passages fit better by words and by meaning."),
        MissingReason::Below { rank } => format!("It stands in place {rank}; {shown} were asked for."),
    }
}

fn as_json(results: &SearchResults) -> Value {
    json!({
        "query": results.query,
        "ms": results.ms,
        "searched": results.searched,
        "keyword_ms": results.keyword_ms,
        "vector_ms": results.vector_ms,
        "rerank_ms": results.rerank_ms,
        "candidates": results.candidates,
        "compare_ms": results.compare_ms,
        "compared": results.compared,
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
            "fusion": hit.fusion,
            "rerank": hit.rerank,
            "compared": hit.compared,
            "symbols": passage.symbols,
            "title": passage.title,
        }),
    )
}
