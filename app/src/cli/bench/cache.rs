//! `rspa bench cache`: how long a stored answer takes, from memory and from the file, and how often one is found when
//! questions repeat.

use clap::Args;
use rspa_core::api::ApiError;
use rspa_core::inference::cache::bench;
use serde_json::json;

use super::{Context, Failure, print};

#[derive(Args)]
pub struct CacheArguments {
    /// Answers that are stored, of 200 bytes to 20 KB
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    entries: u64,
    /// Questions that are asked
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    questions: u64,
}

pub fn run(context: &Context, arguments: &CacheArguments) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("rspa-bench-").tempdir()?;
    let stop = || context.interrupt.check().is_err();
    let measured = bench::measure(folder.path(), arguments.entries, arguments.questions, &stop);
    context.interrupt.check()?;
    let measured = measured.map_err(|error| Failure::Api(ApiError::from(error)))?;
    let mut figures = serde_json::to_value(&measured)
        .map_err(|error| Failure::system(format!("cannot write JSON: {error}"), "Report this."))?;
    figures["bench"] = json!("cache");
    print(context, 1, figures)
}
