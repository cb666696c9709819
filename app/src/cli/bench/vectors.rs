//! `rspa bench vectors`: the vector index on given vectors: building, recall and queries per second.

use std::path::{Path, PathBuf};

use clap::Args;
use rspa_core::knowledge::bench::{QUESTIONS, WANTED, vectors};
use serde_json::{Value, json};

use super::{Context, Failure, print};
use crate::cli::output::path_text;

#[derive(Args)]
pub struct VectorsArguments {
    /// Little-endian f32, one row after the other; the first 1,000 rows are the queries
    #[arg(long, value_name = "FILE.f32")]
    vectors: PathBuf,
    /// Values in a row
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    dim: u32,
}

pub fn run(context: &Context, arguments: &VectorsArguments) -> Result<(), Failure> {
    let values = read(&arguments.vectors, arguments.dim as usize)?;
    let measured = vectors(&values, arguments.dim as usize, &context.interrupt.cancel);
    context.interrupt.check()?;
    for line in measured.unwrap_or_default() {
        let mut figures: Value = json!(line);
        figures["bench"] = json!("vectors");
        print(context, 1, figures)?;
    }
    Ok(())
}

fn read(path: &Path, dimensions: usize) -> Result<Vec<f32>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::validation(format!("cannot read {}: {error}", path_text(path)), "Name a file of vectors.")
    })?;
    let row_bytes = dimensions * size_of::<f32>();
    let least = QUESTIONS + WANTED + 1;
    if !bytes.len().is_multiple_of(row_bytes) || bytes.len() < least * row_bytes {
        return Err(Failure::validation(
            format!("{} does not hold at least {least} whole rows of {dimensions} values", path_text(path)),
            "Check --dim, and that the file is little-endian f32.",
        ));
    }
    let (values, _) = bytes.as_chunks::<4>();
    Ok(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
}
