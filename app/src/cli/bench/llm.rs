//! `rspa bench llm`: tokens per second read and written, and the time to the first one.

use std::path::PathBuf;

use clap::Args;
use rspa_core::ml::bench::{LlmOptions, llm};
use serde_json::{Value, json};

use super::{Context, Failure, print, read_text, threads};

#[derive(Args)]
pub struct LlmArguments {
    /// The model
    #[arg(long, value_name = "FILE.gguf")]
    model: PathBuf,
    /// Text of the prompt, repeated to its length; a sentence about a fox when absent
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Length of the prompt
    #[arg(long, default_value_t = 512, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    prompt_tokens: u32,
    /// Length of the answer
    #[arg(long, default_value_t = 64, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    generate: u32,
    /// Threads to compute with; 0 means all
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

pub fn run(context: &Context, arguments: &LlmArguments) -> Result<(), Failure> {
    let options = LlmOptions {
        model: arguments.model.clone(),
        prompt: arguments.prompt.as_deref().map(read_text).transpose()?,
        prompt_tokens: arguments.prompt_tokens as usize,
        generate: arguments.generate as usize,
        threads: arguments.threads,
    };
    let report = llm(&options, &context.interrupt.cancel)?;
    let mut figures: Value = json!(report);
    figures["bench"] = json!("llm");
    print(context, threads(arguments.threads), figures)
}
