//! `rspa bench retrieval`: whether search finds the function that a doc comment spoke of, after the comment was removed.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use rspa_core::knowledge::bench::retrieval::{Plan, measure};
use rspa_core::ml::embed::Embedder;
use rspa_core::ml::embed::encoder::Encoder;

use super::{Context, Failure, all_threads, print};

#[derive(Args)]
pub struct RetrievalArguments {
    /// Folders of Rust crates
    #[arg(required = true)]
    crates: Vec<PathBuf>,
    /// Questions of each crate at most
    #[arg(long, default_value_t = 50)]
    questions: usize,
    /// Which questions are drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// minilm, or the folder of an encoder; without it words and the built-in embedder search alone
    #[arg(long, value_name = "minilm|FOLDER")]
    encoder: Option<PathBuf>,
    /// Milliseconds of each question for comparing the best passages closely; needs an encoder
    #[arg(long, value_name = "MS", default_value_t = 0)]
    compare_ms: u32,
    /// Write what each candidate is judged by here, one question a line
    #[arg(long, value_name = "FILE.jsonl")]
    features: Option<PathBuf>,
}

pub fn run(context: &Context, arguments: &RetrievalArguments) -> Result<(), Failure> {
    let scratch = tempfile::tempdir()?;
    let encoder = match &arguments.encoder {
        None => None,
        Some(name) => {
            let minilm = name.as_os_str() == "minilm";
            let folder = if minilm { super::find_model(context, "all-MiniLM-L6-v2")? } else { name.clone() };
            Some(Arc::new(Encoder::load(&folder)?) as Arc<dyn Embedder>)
        }
    };
    let plan = Plan {
        crates: &arguments.crates,
        questions: arguments.questions,
        seed: arguments.seed,
        encoder,
        compare_ms: arguments.compare_ms,
    };
    let mut out = arguments.features.as_ref().map(std::fs::File::create).transpose()?.map(BufWriter::new);
    let mut failed = None;
    let measured = measure(&plan, scratch.path(), &context.interrupt.cancel, |judged| {
        if let Some(out) = &mut out
            && let Ok(line) = serde_json::to_string(&judged)
            && let Err(error) = writeln!(out, "{line}")
        {
            failed = Some(error);
        }
    })
    .map_err(rspa_core::api::ApiError::from)?;
    if let Some(mut out) = out {
        out.flush()?;
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    let mut figures = serde_json::to_value(&measured).map_err(std::io::Error::from)?;
    if let Some(map) = figures.as_object_mut() {
        map.insert("bench".to_owned(), "retrieval".into());
    }
    print(context, all_threads(), figures)
}
