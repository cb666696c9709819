//! `rspa bench embed`: texts per second, and the vectors for a comparison.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use rspa_core::ml::embed::Embedder;
use rspa_core::ml::embed::bench::measure;
use rspa_core::ml::embed::encoder::Encoder;
use rspa_core::ml::embed::static_embedder::StaticEmbedder;
use serde_json::json;

use super::{Context, Failure, all_threads, print};
use crate::cli::output::path_text;

#[derive(Args)]
pub struct EmbedArguments {
    /// static, minilm, or the folder of an encoder
    #[arg(long, default_value = "static", value_name = "static|minilm|FOLDER")]
    embedder: PathBuf,
    /// A JSON array of strings
    #[arg(long, value_name = "FILE.json")]
    texts: PathBuf,
    /// Write the vectors here: little-endian f32, one row after the other
    #[arg(long, value_name = "FILE.f32")]
    out: Option<PathBuf>,
}

pub fn run(context: &Context, arguments: &EmbedArguments) -> Result<(), Failure> {
    let texts = read_texts(&arguments.texts)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let embedder = embedder(context, &arguments.embedder)?;
    let measured = measure(embedder.as_ref(), &texts, &context.interrupt.cancel)?;
    if let Some(out) = &arguments.out {
        let mut file = BufWriter::new(std::fs::File::create(out)?);
        for vector in &measured.vectors {
            for value in vector {
                file.write_all(&value.to_le_bytes())?;
            }
        }
        file.flush()?;
    }
    print(
        context,
        all_threads(),
        json!({
            "bench": "embed",
            "embedder": embedder.id(),
            "texts": texts.len(),
            "per_s": measured.texts_per_second,
            "dim": embedder.dimensions(),
        }),
    )
}

fn read_texts(path: &Path) -> Result<Vec<String>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::validation(format!("cannot read {}: {error}", path_text(path)), "Name a JSON file.")
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::validation(
            format!("{} is not a JSON array of strings: {error}", path_text(path)),
            "Name another file.",
        )
    })
}

fn embedder(context: &Context, name: &Path) -> Result<Box<dyn Embedder>, Failure> {
    if name == Path::new("static") {
        return Ok(Box::new(StaticEmbedder::built_in()?));
    }
    let folder =
        if name == Path::new("minilm") { super::find_model(context, "all-MiniLM-L6-v2")? } else { name.to_owned() };
    Ok(Box::new(Encoder::load(&folder)?))
}
