//! What a model file or folder says about itself, without reading its weights.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use memmap2::Mmap;
use serde::Deserialize;

use super::gguf::{Gguf, dtype_name};
use super::{ModelInfo, ModelKind};
use crate::{Error, Result};

const MAX_CONFIG_BYTES: u64 = 1 << 20;

pub(super) fn gguf_file(gguf: &Gguf) -> Result<ModelInfo> {
    let family = gguf.text("general.architecture").unwrap_or_default().to_owned();
    if family.is_empty() {
        return Err(gguf.malformed("'general.architecture' is missing"));
    }
    if gguf.tensors().is_empty() {
        return Err(gguf.malformed("it holds no weights, only a vocabulary"));
    }
    let id = id_of(gguf.path());
    let told = gguf.text("general.name").map(str::trim).filter(|name| !name.is_empty());
    Ok(ModelInfo {
        name: readable_name(gguf.path()).unwrap_or_else(|| told.unwrap_or(&id).to_owned()),
        kind: ModelKind::Chat,
        quantisation: quantisation(gguf),
        path: gguf.path().to_owned(),
        size_bytes: gguf.size_bytes(),
        context_length: gguf.optional_count(&format!("{family}.context_length"))?.unwrap_or(0),
        parameters: gguf.tensors().values().map(|tensor| tensor.elements()).fold(0, u64::saturating_add),
        license: gguf.text("general.license").map(str::to_owned),
        has_chat_template: gguf.text("tokenizer.chat_template").is_some(),
        family,
        id,
    })
}

/// `general.file_type` by its name in llama.cpp's `llama_ftype`, else the type that holds most of the bytes.
fn quantisation(gguf: &Gguf) -> String {
    let by_file_type = match gguf.get("general.file_type").and_then(|value| value.as_u64()) {
        Some(0) => Some("F32"),
        Some(1) => Some("F16"),
        Some(2) => Some("Q4_0"),
        Some(3) => Some("Q4_1"),
        Some(7) => Some("Q8_0"),
        Some(8) => Some("Q5_0"),
        Some(9) => Some("Q5_1"),
        Some(10) => Some("Q2_K"),
        Some(11) => Some("Q3_K_S"),
        Some(12) => Some("Q3_K_M"),
        Some(13) => Some("Q3_K_L"),
        Some(14) => Some("Q4_K_S"),
        Some(15) => Some("Q4_K_M"),
        Some(16) => Some("Q5_K_S"),
        Some(17) => Some("Q5_K_M"),
        Some(18) => Some("Q6_K"),
        Some(32) => Some("BF16"),
        _ => None,
    };
    if let Some(name) = by_file_type {
        return name.to_owned();
    }
    let mut bytes: BTreeMap<&str, u64> = BTreeMap::new();
    for tensor in gguf.tensors().values() {
        *bytes.entry(dtype_name(tensor.dtype)).or_default() += tensor.size_bytes as u64;
    }
    bytes.into_iter().max_by_key(|&(_, bytes)| bytes).map(|(name, _)| name.to_owned()).unwrap_or_default()
}

#[derive(Deserialize)]
struct EncoderConfig {
    #[serde(default)]
    model_type: String,
    #[serde(default)]
    max_position_embeddings: usize,
    #[serde(default)]
    architectures: Vec<String>,
}

impl EncoderConfig {
    /// What puts a text, or two, into classes is a cross-encoder.
    fn kind(&self) -> ModelKind {
        let classifies = self.architectures.iter().any(|name| name.ends_with("ForSequenceClassification"));
        if classifies { ModelKind::Reranker } else { ModelKind::Encoder }
    }
}

#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: usize,
}

pub(super) fn encoder_folder(folder: &Path) -> Result<ModelInfo> {
    let weights = folder.join("model.safetensors");
    let config_path = folder.join("config.json");
    if !weights.is_file() || !config_path.is_file() || !folder.join("tokenizer.json").is_file() {
        return Err(Error::NothingToImport(folder.to_owned()));
    }
    let config = read_limited(&config_path, MAX_CONFIG_BYTES)?;
    let config: EncoderConfig =
        serde_json::from_slice(&config).map_err(|error| Error::malformed(&config_path, error.to_string()))?;
    // sentence-transformers cuts texts earlier than the encoder could read.
    let sentence_path = folder.join("sentence_bert_config.json");
    let sentence: Option<SentenceConfig> = if sentence_path.is_file() {
        serde_json::from_slice(&read_limited(&sentence_path, MAX_CONFIG_BYTES)?).ok()
    } else {
        None
    };
    let context_length = match sentence {
        Some(sentence) => sentence.max_seq_length.min(config.max_position_embeddings),
        None => config.max_position_embeddings,
    };

    let (parameters, quantisation) = safetensors_header(&weights)?;
    let size_bytes = std::fs::metadata(&weights).map_err(|error| Error::io(&weights, error))?.len();
    Ok(ModelInfo {
        id: id_of(folder),
        name: folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        kind: config.kind(),
        family: config.model_type,
        quantisation,
        path: folder.to_owned(),
        size_bytes,
        context_length,
        parameters,
        license: None,
        has_chat_template: false,
    })
}

/// Number of weights and the most used element type; refuses a file that its tensors do not fill.
fn safetensors_header(path: &Path) -> Result<(u64, String)> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    // SAFETY: the map is read as plain bytes and dropped before this function returns; model files are replaced by
    // renaming, never rewritten in place.
    let map = unsafe { Mmap::map(&file) }.map_err(|error| Error::io(path, error))?;
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&map)
        .map_err(|error| Error::malformed(path, format!("its header cannot be read: {error}")))?;
    let mut parameters = 0u64;
    let mut elements_by_type: BTreeMap<String, u64> = BTreeMap::new();
    for tensor in metadata.tensors().values() {
        let elements = tensor.shape.iter().fold(1u64, |product, &length| product.saturating_mul(length as u64));
        parameters = parameters.saturating_add(elements);
        *elements_by_type.entry(format!("{:?}", tensor.dtype)).or_default() += elements;
    }
    let quantisation = elements_by_type.into_iter().max_by_key(|(_, elements)| *elements).map(|(name, _)| name);
    Ok((parameters, quantisation.unwrap_or_default()))
}

fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| Error::io(path, error))?;
    if bytes.len() as u64 > limit {
        return Err(Error::malformed(path, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// The file name without `.gguf`, or the folder name: lower case, everything but `a-z0-9.-_` turned into `-`.
pub(crate) fn id_of(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gguf").unwrap_or(&name);
    let mut id = String::with_capacity(name.len());
    for character in name.chars() {
        let kept = matches!(character, 'a'..='z' | '0'..='9' | '.' | '-' | '_');
        if kept {
            id.push(character);
        } else if !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_matches(['-', '.']);
    if id.is_empty() { "model".to_owned() } else { id.to_owned() }
}

/// What people call a model, from its file name: without the quantisation, in words; none where the file name says
/// nothing. `general.name` is often what a converter made of a training run ("8k Lc100K Mix1 Ep2").
fn readable_name(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_string_lossy();
    let stem = match file.len().checked_sub(5) {
        Some(at) if file.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(".gguf")) => &file[..at],
        _ => &file,
    };
    let cut = stem.rfind(['.', '-']).filter(|&at| is_quantisation(&stem[at + 1..])).unwrap_or(stem.len());
    let stem = &stem[..cut];
    let lower_case = !stem.chars().any(char::is_uppercase);
    let words: Vec<String> = stem
        .split(|character: char| matches!(character, '-' | '_') || character.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| if lower_case { capitalised(word) } else { word.to_owned() })
        .collect();
    let name = words.join(" ");
    let generic = ["", "model", "ggml model"].contains(&name.to_lowercase().as_str());
    (!generic && name.chars().any(char::is_alphabetic)).then_some(name)
}

/// `Q4_K_M`, `iq3_xs`, `f16`, `BF16`, ...
fn is_quantisation(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    if matches!(word.as_str(), "f16" | "f32" | "bf16" | "fp16" | "fp32") {
        return true;
    }
    let rest = word.strip_prefix("iq").or_else(|| word.strip_prefix('q')).unwrap_or_default();
    let mut rest = rest.chars();
    rest.next().is_some_and(|digit| digit.is_ascii_digit()) && matches!(rest.next(), None | Some('_'))
}

/// `instruct` as `Instruct`, `1.5b` as `1.5B`.
fn capitalised(word: &str) -> String {
    if word.starts_with(|first: char| first.is_ascii_digit()) {
        return word.to_uppercase();
    }
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn ids_hold_only_safe_characters() {
        let check = |path: &str, expected: &str| assert_eq!(id_of(Path::new(path)), expected);
        check("/m/SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct.q4_1");
        check("all-MiniLM-L6-v2", "all-minilm-l6-v2");
        check("Mein Modell (neu).GGUF", "mein-modell-neu");
        check("模型.gguf", "model");
        check("...gguf", "model");
    }

    #[test]
    fn a_model_is_named_by_its_file_in_words() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(readable_name(Path::new(path)).as_deref(), expected, "{path}");
        };
        check("/m/SmolLM2-135M-Instruct.Q4_1.gguf", Some("SmolLM2 135M Instruct"));
        check("Llama-3.2-1B-Instruct-Q4_K_M.gguf", Some("Llama 3.2 1B Instruct"));
        check("qwen2.5-1.5b-instruct-q4_k_m.GGUF", Some("Qwen2.5 1.5B Instruct"));
        check("Qwen3-4B-bf16.gguf", Some("Qwen3 4B"));
        check("Mein Modell.gguf", Some("Mein Modell"));
        check("模型-IQ3_XS.gguf", Some("模型"));
        check("qwen3.gguf", Some("Qwen3"));
        check("ggml-model-q4_0.gguf", None);
        check("model.gguf", None);
        check("12345.gguf", None);
    }

    #[test]
    fn an_encoder_folder_is_read_and_a_cut_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Tiny");
        std::fs::create_dir(&path).unwrap();
        let header = br#"{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#;
        let mut weights = (header.len() as u64).to_le_bytes().to_vec();
        weights.extend(header);
        weights.extend([0; 24]);
        std::fs::write(path.join("model.safetensors"), &weights).unwrap();
        std::fs::write(path.join("config.json"), r#"{"model_type":"bert","max_position_embeddings":512}"#).unwrap();
        assert!(matches!(crate::weights::inspect(&path), Err(Error::NothingToImport(_))));
        std::fs::write(path.join("tokenizer.json"), "{}").unwrap();
        let info = crate::weights::inspect(&path).unwrap();
        assert_eq!((info.parameters, info.quantisation.as_str(), info.context_length), (6, "F32", 512));
        assert_eq!((info.id.as_str(), info.family.as_str(), info.kind), ("tiny", "bert", ModelKind::Encoder));
        let classifier = r#"{"model_type":"bert","architectures":["BertForSequenceClassification"]}"#;
        std::fs::write(path.join("config.json"), classifier).unwrap();
        assert_eq!(crate::weights::inspect(&path).unwrap().kind, ModelKind::Reranker);

        std::fs::write(path.join("model.safetensors"), &weights[..weights.len() - 1]).unwrap();
        let (models, failures) = crate::weights::discover(&[folder.path().to_owned(), "/no/such/folder".into()]);
        assert!(models.is_empty());
        assert!(matches!(failures.as_slice(), [(_, Error::Malformed { .. })]));
    }
}
