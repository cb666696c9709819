//! The vectors that the peers gave for a set of texts (`tests/fixtures/make_embedding_fixture.py`), and where models are.

use std::path::{Path, PathBuf};

use half::f16;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) static_ids: Vec<u16>,
    #[serde(rename = "static")]
    static_hex: String,
    pub(super) encoder_tokens: usize,
    #[serde(rename = "encoder")]
    encoder_hex: String,
}

impl Row {
    pub(super) fn static_vector(&self) -> Vec<f32> {
        unpack(&self.static_hex)
    }

    pub(super) fn encoder_vector(&self) -> Vec<f32> {
        unpack(&self.encoder_hex)
    }
}

pub(super) fn rows() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/embedding.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// The folder of a model that `cargo xtask models` fetches.
pub(crate) fn model(name: &str) -> PathBuf {
    let folder = std::env::var_os("RSPA_MODELS_PATH").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/rspa-models"),
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: run `cargo xtask models` first", path.display());
    path
}

fn unpack(hex: &str) -> Vec<f32> {
    (0..hex.len() / 4)
        .map(|at| u16::from_str_radix(&hex[at * 4..at * 4 + 4], 16).unwrap().swap_bytes())
        .map(|bits| f16::from_bits(bits).to_f32())
        .collect()
}
