//! `rspa bench perplexity`: how well a model predicts a text.

use std::path::PathBuf;

use clap::Args;
use rspa_core::ml::bench::perplexity;
use serde_json::{Value, json};

use super::{Context, Failure, print, read_text, threads};

#[derive(Args)]
pub struct PerplexityArguments {
    /// The model
    #[arg(long, value_name = "FILE.gguf")]
    model: PathBuf,
    /// The text to predict
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// How many tokens of it, in windows of 512 that do not overlap
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(2..))]
    tokens: u32,
    /// Threads to compute with; 0 means all
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

pub fn run(context: &Context, arguments: &PerplexityArguments) -> Result<(), Failure> {
    let text = read_text(&arguments.text)?;
    let cancel = &context.interrupt.cancel;
    let report = perplexity(&arguments.model, &text, arguments.tokens as usize, arguments.threads, cancel)?;
    let mut figures: Value = json!(report);
    figures["bench"] = json!("perplexity");
    print(context, threads(arguments.threads), figures)
}
