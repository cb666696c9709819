//! `rspa docs`: the documents of the index, their text, and how they are built.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rspa_core::api::request::knowledge::{DescribeDocument, ListDocuments, ListSources, ReadDocument};
use rspa_core::model::{Document, DocumentOutline, SourceId};
use serde_json::{Value, json};

use super::Context;
use super::activities::moment;
use super::failure::Failure;
use super::index::all_pages;
use super::output::{Output, one_line, path_text, size, with_path};
use super::session::Session;
use super::typed;

/// Lines asked for at once.
const AT_ONCE: u32 = 2_000;

#[derive(Args)]
pub struct DocsArguments {
    #[command(subcommand)]
    verb: DocsVerb,
}

#[derive(Subcommand)]
enum DocsVerb {
    /// List the documents of all sources, or of one
    List {
        /// Path, address or id of a source
        source: Option<PathBuf>,
        /// Only those whose path or title contains this
        #[arg(long, default_value = "", value_name = "TEXT")]
        filter: String,
    },
    /// Show the readable text of a document
    Show {
        /// As docs list or search shows it
        path: PathBuf,
        /// Only these lines, from 1, inclusive
        #[arg(long, value_name = "A-B", value_parser = lines)]
        lines: Option<(u32, u32)>,
    },
    /// Show how a document is built: headings, symbols, tables, pages, and how well it could be read
    Outline {
        /// As docs list or search shows it
        path: PathBuf,
    },
}

/// `91-104`, `91-` or `91`.
fn lines(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("{text:?} is no range of lines; write 91-104, 91- or 91");
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| *number > 0);
    let (first, last) = match text.split_once('-') {
        Some((first, "")) => (number(first), Some(u32::MAX)),
        Some((first, last)) => (number(first), number(last)),
        None => (number(text), number(text)),
    };
    first.zip(last).filter(|(first, last)| first <= last).ok_or_else(wrong)
}

pub fn run(context: &Context, arguments: DocsArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    match arguments.verb {
        DocsVerb::List { source, filter } => {
            let sources = match source {
                Some(source) => vec![typed::source_of(&session, &source)?],
                None => session.call(ListSources {})?.iter().map(|status| status.source.id).collect(),
            };
            list(&session, &sources, &filter)
        }
        DocsVerb::Show { path, lines } => show(&session, &place(&path), lines),
        DocsVerb::Outline { path } => outline(session.output, &session.call(DescribeDocument { path: place(&path) })?),
    }
}

/// The path as the index has it. What is no file, such as `rspa:chats/ID` or a commit, stays as it was typed.
fn place(path: &Path) -> PathBuf {
    if path.to_str().is_some_and(|text| text.starts_with("rspa:")) {
        return path.to_owned();
    }
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

fn list(session: &Session, sources: &[SourceId], filter: &str) -> Result<(), Failure> {
    let mut all: Vec<Document> = Vec::new();
    for &source in sources {
        all.extend(all_pages(|page| session.call(ListDocuments { source, filter: filter.to_owned(), page }))?);
    }
    let output = session.output;
    if output.json {
        return output.json_line(&all.iter().map(document_json).collect::<Vec<_>>());
    }
    if all.is_empty() {
        output.note("No documents. Add a folder: rspa index add PATH");
    }
    all.iter().try_for_each(|document| {
        let title = document.title.as_deref().map(|title| format!("  {}", one_line(title))).unwrap_or_default();
        output.line(&format!("{}{title}  ({})", path_text(&document.path), figures(document)))
    })
}

/// `kind, 3 passages, 12 KB, half read: …`.
fn figures(document: &Document) -> String {
    let kind = serde_json::to_value(document.kind).ok();
    let mut parts = vec![kind.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()];
    parts.push(format!("{} passages", document.passages));
    if document.size_bytes > 0 {
        parts.push(size(document.size_bytes));
    }
    if document.confidence < 1.0 {
        let why = document.note.as_deref().map(|note| format!(": {}", one_line(note))).unwrap_or_default();
        parts.push(format!("{:.0} % readable{why}", document.confidence * 100.0));
    }
    parts.join(", ")
}

fn document_json(document: &Document) -> Value {
    with_path(
        &document.path,
        json!({
            "id": document.id,
            "source": document.source,
            "kind": document.kind,
            "title": document.title,
            "metadata": metadata_json(document),
            "size_bytes": document.size_bytes,
            "modified": document.modified,
            "indexed": document.indexed,
            "hash": document.hash,
            "passages": document.passages,
            "confidence": document.confidence,
            "note": document.note,
            "seconds": document.seconds,
        }),
    )
}

fn metadata_json(document: &Document) -> Vec<Value> {
    document.metadata.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn show(session: &Session, path: &Path, wanted: Option<(u32, u32)>) -> Result<(), Failure> {
    let (first, last) = wanted.unwrap_or((1, u32::MAX));
    let (mut at, mut read) = (first, Vec::new());
    let (mut total, mut changed, mut kind);
    loop {
        let end = last.min(at.saturating_add(AT_ONCE - 1));
        let text = session.call(ReadDocument { path: path.to_owned(), start_line: at, end_line: end })?;
        (total, changed, kind) = (text.total_lines, text.changed, text.kind);
        // A first line beyond the end is moved to the last one.
        if text.first_line == at {
            read.extend(text.lines);
        }
        at = end.saturating_add(1);
        if end >= last || at > total {
            break;
        }
    }
    let output = session.output;
    if output.json {
        let fields =
            json!({ "kind": kind, "first_line": first, "lines": read, "total_lines": total, "changed": changed });
        return output.json_line(&with_path(path, fields));
    }
    if changed {
        output.note("It has changed since it was indexed; lines may be others now.");
    }
    read.iter().try_for_each(|line| output.line(line))
}

fn outline(output: Output, outline: &DocumentOutline) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&json!({
            "document": document_json(&outline.document),
            "changed": outline.changed,
            "total_lines": outline.total_lines,
            "headings": outline.headings,
            "symbols": outline.symbols,
            "tables": outline.tables.iter().map(|(first, last)| json!([first, last])).collect::<Vec<_>>(),
            "pages": outline.pages,
        }));
    }
    let document = &outline.document;
    output.line(&path_text(&document.path))?;
    let mut facts = vec![
        ("title", document.title.clone().unwrap_or_default()),
        ("is", format!("{}, {} lines", figures(document), outline.total_lines)),
        ("indexed", format!("{}, in {:.0} ms", moment(document.indexed), document.seconds * 1_000.0)),
    ];
    if outline.changed {
        facts.push(("changed", "since it was indexed".to_owned()));
    }
    facts.extend(document.metadata.iter().map(|(name, value)| (name.as_str(), value.clone())));
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(&format!("  {}: {}", one_line(name), one_line(value)))?;
    }
    for heading in &outline.headings {
        let indent = "  ".repeat(usize::from(heading.level.clamp(1, 8)));
        output.line(&format!("{:>7}{indent}{}", heading.line, one_line(&heading.title)))?;
    }
    if !outline.symbols.is_empty() {
        output.line("symbols")?;
    }
    for symbol in &outline.symbols {
        let indent = "  ".repeat(usize::from(symbol.level.clamp(1, 8)));
        output.line(&format!("{:>7}{indent}{}", symbol.line, one_line(&symbol.title)))?;
    }
    for (number, (first, last)) in outline.tables.iter().enumerate() {
        output.line(&format!("table {}: lines {first}-{last}", number + 1))?;
    }
    for (number, line) in outline.pages.iter().enumerate() {
        output.line(&format!("page {}: from line {line}", number + 1))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_lines_are_read() {
        assert_eq!(lines("91-104"), Ok((91, 104)));
        assert_eq!(lines("91-"), Ok((91, u32::MAX)));
        assert_eq!(lines("91"), Ok((91, 91)));
        for wrong in ["", "-3", "0-2", "9-3", "a-b"] {
            assert!(lines(wrong).is_err(), "{wrong}");
        }
    }
}
