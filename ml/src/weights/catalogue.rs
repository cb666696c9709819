//! The models that the program can name and fetch: addresses, sizes and checksums, as data.

use serde::{Deserialize, Serialize};

use super::ModelKind;
use crate::device::Hardware;

/// Share of the machine's memory that a model may take; the rest is for the system and everything else.
const MEMORY_SHARE: f64 = 0.6;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogueFile {
    pub name: String,
    pub url: String,
    pub size_bytes: u64,
    /// Lower-case hex; empty where it is not known, then only the size is checked and the person is told so.
    #[serde(default)]
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogueModel {
    pub id: String,
    pub name: String,
    pub kind: ModelKind,
    pub family: String,
    pub quantisation: String,
    pub license: String,
    pub context_length: usize,
    /// Memory to run it with an 8k context, in bytes.
    pub memory_bytes: u64,
    /// True for models that show that it works, not what it can do.
    #[serde(default)]
    pub demonstration: bool,
    /// One sentence: what it is good for.
    pub summary: String,
    pub files: Vec<CatalogueFile>,
}

impl CatalogueModel {
    /// Bytes to download.
    pub fn download_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// A model for this machine, and why this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    pub model: CatalogueModel,
    /// One or two sentences for the person.
    pub reason: String,
}

/// The catalogue inside the executable (`assets/models.json`).
pub fn built_in() -> Vec<CatalogueModel> {
    const JSON: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/models.json"));
    serde_json::from_str(JSON).expect("the catalogue inside the executable is well formed; a test reads it")
}

/// The largest chat model of one of these families that fits this machine's memory and answers at a bearable speed.
/// None when even the smallest does not fit; demonstration models are never recommended.
pub fn recommend(hardware: &Hardware, families: &[&str]) -> Option<Recommendation> {
    recommend_from(built_in(), hardware, families)
}

fn recommend_from(models: Vec<CatalogueModel>, hardware: &Hardware, families: &[&str]) -> Option<Recommendation> {
    let memory = (hardware.memory_bytes as f64 * MEMORY_SHARE) as u64;
    let most = bearable_bytes(hardware);
    let mut candidates: Vec<CatalogueModel> = models
        .into_iter()
        .filter(|model| model.kind == ModelKind::Chat && !model.demonstration)
        .filter(|model| families.contains(&model.family.as_str()) && model.memory_bytes <= memory)
        .collect();
    let fitting = candidates.iter().map(CatalogueModel::download_bytes).max()?;
    let smallest = candidates.iter().map(CatalogueModel::download_bytes).min()?;
    candidates.retain(|model| model.download_bytes() <= most.max(smallest));
    let model = candidates.into_iter().max_by_key(CatalogueModel::download_bytes)?;
    let mut reason = format!(
        "It needs about {} of memory, and this computer has {}.",
        gigabytes(model.memory_bytes),
        gigabytes(hardware.memory_bytes)
    );
    if fitting > model.download_bytes() {
        let cores = hardware.cores;
        reason.push_str(&format!(" Larger ones would fit, but answer slowly on {cores} processor cores."));
    }
    Some(Recommendation { model, reason })
}

/// Each token reads the whole model once, so size sets the speed: about 5 tokens a second are wanted at least.
fn bearable_bytes(hardware: &Hardware) -> u64 {
    match hardware.cores {
        _ if !hardware.accelerators.is_empty() => u64::MAX,
        0..=2 => 1_200_000_000,
        3..=4 => 2_600_000_000,
        _ => 5_200_000_000,
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hardware(cores: usize, gigabytes: u64, accelerated: bool) -> Hardware {
        Hardware {
            cpu: "test".to_owned(),
            cores,
            vector_instructions: Vec::new(),
            memory_bytes: gigabytes * 1_000_000_000,
            memory_available_bytes: 0,
            accelerators: if accelerated { vec!["test".to_owned()] } else { Vec::new() },
        }
    }

    #[track_caller]
    fn check(hardware: &Hardware, families: &[&str], expected: Option<&str>) {
        let found = recommend(hardware, families);
        assert_eq!(found.as_ref().map(|found| found.model.id.as_str()), expected, "{found:?}");
    }

    #[test]
    fn every_entry_can_be_fetched_checked_and_named() {
        let models = built_in();
        for model in &models {
            assert!(!model.files.is_empty() && !model.summary.is_empty() && model.memory_bytes > 0, "{}", model.id);
            assert!(model.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c)));
            for file in &model.files {
                assert!(file.url.starts_with("https://") && file.url.ends_with(&file.name), "{}", file.url);
                assert!(file.size_bytes > 0 && (file.sha256.is_empty() || file.sha256.len() == 64), "{}", file.name);
                assert!(file.sha256.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase()));
                assert!(!file.name.contains("..") && !file.name.starts_with('/'));
            }
        }
        let mut ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), models.len());
        assert_eq!(models.iter().filter(|model| model.demonstration).count(), 1);
        assert!(models.iter().any(|model| model.kind == ModelKind::Encoder));
    }

    #[test]
    fn the_largest_that_fits_and_answers_in_time_is_recommended() {
        check(&hardware(2, 4, false), &["llama"], Some("llama-3.2-1b-instruct-q4_k_m"));
        check(&hardware(4, 8, false), &["llama"], Some("llama-3.2-3b-instruct-q4_k_m"));
        check(&hardware(4, 8, false), &["llama", "qwen3"], Some("qwen3-4b-q4_k_m"));
        check(&hardware(8, 16, false), &["llama"], Some("meta-llama-3.1-8b-instruct-q4_k_m"));
        check(&hardware(2, 64, true), &["llama"], Some("meta-llama-3.1-8b-instruct-q4_k_m"));
    }

    #[test]
    fn nothing_is_recommended_that_does_not_fit_or_cannot_run() {
        check(&hardware(2, 1, false), &["llama"], None);
        check(&hardware(16, 64, false), &[], None);
        check(&hardware(16, 64, false), &["bert"], None);
    }

    #[test]
    fn the_reason_names_the_memory_and_what_was_passed_over() {
        let reason = recommend(&hardware(4, 32, false), &["llama"]).unwrap().reason;
        assert!(
            reason.contains("3.3 GB") && reason.contains("32.0 GB") && reason.contains("4 processor cores"),
            "{reason}"
        );
        let reason = recommend(&hardware(8, 16, false), &["llama"]).unwrap().reason;
        assert!(!reason.contains("Larger"), "{reason}");
    }
}
