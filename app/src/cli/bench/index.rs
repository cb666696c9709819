//! `rspa bench index`: how fast a folder becomes searchable, in a data folder of its own.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use rspa_core::api::request::knowledge::{AddSource, ListDocuments, WaitFor, WaitForSource};
use rspa_core::model::PageRequest;
use serde_json::json;

use super::{Context, Failure, Throwaway, all_threads, print};
use crate::cli::output::path_text;

#[derive(Args)]
pub struct IndexArguments {
    /// The folder to index
    #[arg(long, value_name = "FOLDER")]
    path: PathBuf,
}

pub fn run(context: &Context, arguments: &IndexArguments) -> Result<(), Failure> {
    let path = arguments.path.canonicalize().map_err(|error| {
        Failure::validation(format!("cannot use {}: {error}", path_text(&arguments.path)), "Name a folder that exists.")
    })?;
    let throwaway = Throwaway::start(context)?;
    let session = &throwaway.session;
    let started = Instant::now();
    let source = session.call(AddSource { path })?.source.id;
    let status = session.call(WaitForSource { id: source, until: WaitFor::Searchable })?;
    let seconds = started.elapsed().as_secs_f64();
    let mut bytes = 0;
    let mut files = 0;
    loop {
        let page = PageRequest { offset: files, limit: 1000 };
        let documents = session.call(ListDocuments { source, filter: String::new(), page })?;
        files += documents.items.len() as u64;
        bytes += documents.items.iter().map(|document| document.size_bytes).sum::<u64>();
        if documents.items.is_empty() || files >= documents.total {
            break;
        }
    }
    print(
        context,
        all_threads(),
        json!({
            "bench": "index",
            "files": files,
            "bytes": bytes,
            "chunks": status.passages,
            "seconds": seconds,
            "files_per_s": files as f64 / seconds,
            "mb_per_s": bytes as f64 / 1e6 / seconds,
        }),
    )
}
