//! BERT-family sentence encoders (safetensors + tokenizer.json) through candle.

use std::path::Path;

use candle_core::{DType, Device, IndexOp, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use rayon::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

use super::Embedder;
use crate::{Cancel, Error, Result};

/// No configuration or tokenizer file is larger; the largest multilingual tokenizer has about 17 MB.
const MAX_JSON_BYTES: u64 = 64 << 20;
/// Tokens, with padding, that are computed at once: bounds the attention's memory and keeps cancelling quick.
const TOKENS_PER_BATCH: usize = 2048;
/// Longest input in tokens where `sentence_bert_config.json` does not say.
const DEFAULT_MAX_TOKENS: usize = 256;

/// How token vectors become one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pooling {
    Mean,
    FirstToken,
}

pub struct Encoder {
    id: String,
    dimensions: usize,
    pad_id: u32,
    pooling: Pooling,
    model: BertModel,
    tokenizer: Tokenizer,
}

#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
}

#[derive(Deserialize)]
struct PoolingConfig {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
}

impl Encoder {
    /// Loads a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
    pub fn load(folder: &Path) -> Result<Self> {
        let config = read_config(folder)?;
        let max_tokens = read_optional::<SentenceConfig>(&folder.join("sentence_bert_config.json"))?
            .and_then(|sentence| sentence.max_seq_length)
            .unwrap_or(DEFAULT_MAX_TOKENS)
            .clamp(8, config.max_position_embeddings);
        let tokenizer = read_tokenizer(folder, max_tokens)?;
        let weights = folder.join("model.safetensors");
        let model = load_weights(&weights, &config)?;
        Ok(Self {
            id: format!("{}-{}", folder_name(folder), fingerprint(folder)?),
            dimensions: config.hidden_size,
            pad_id: u32::try_from(config.pad_token_id).unwrap_or(0),
            pooling: read_pooling(folder)?,
            model,
            tokenizer,
        })
    }

    /// Token vectors of one padded batch, pooled and normalised; a row per encoding.
    fn embed_batch(&self, batch: &[&Encoding]) -> Result<Vec<Vec<f32>>> {
        let rows = batch.len();
        let width = batch.iter().map(|encoding| encoding.len()).max().unwrap_or(0);
        let mut ids = vec![self.pad_id; rows * width];
        let mut mask = vec![0.0_f32; rows * width];
        for (row, encoding) in batch.iter().enumerate() {
            let start = row * width;
            ids[start..start + encoding.len()].copy_from_slice(encoding.get_ids());
            mask[start..start + encoding.len()].fill(1.0);
        }
        let device = &self.model.device;
        let ids = Tensor::from_vec(ids, (rows, width), device)?;
        let mask = Tensor::from_vec(mask, (rows, width), device)?;
        let tokens = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let pooled = match self.pooling {
            // The sum: its length cancels out in the normalisation, so it need not be divided.
            Pooling::Mean => tokens.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?,
            Pooling::FirstToken => tokens.i((.., 0))?.contiguous()?,
        };
        let mut vectors = pooled.to_vec2::<f32>()?;
        for vector in &mut vectors {
            if !vector.iter().all(|value| value.is_finite()) {
                return Err(Error::Compute(candle_core::Error::Msg(
                    "the encoder gave a value that is no number".into(),
                )));
            }
            super::normalise(vector);
        }
        Ok(vectors)
    }
}

impl Embedder for Encoder {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn embed(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        let encode = |text: &&str| {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.tokenizer.encode_fast(*text, true).map_err(|error| Error::Tokenizer(error.to_string()))
        };
        let encodings = texts.par_iter().map(encode).collect::<Result<Vec<_>>>()?;
        let mut vectors = vec![vec![0.0; self.dimensions]; texts.len()];
        // Texts of nothing but special tokens keep their zeros; the rest goes by length, so that little is padding.
        let mut order: Vec<usize> =
            (0..texts.len()).filter(|&at| encodings[at].get_special_tokens_mask().contains(&0)).collect();
        order.sort_by_key(|&at| encodings[at].len());
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let count = batch_size(rest, |at| encodings[at].len());
            let (now, later) = rest.split_at(count);
            let batch: Vec<&Encoding> = now.iter().map(|&at| &encodings[at]).collect();
            for (&at, vector) in now.iter().zip(self.embed_batch(&batch)?) {
                vectors[at] = vector;
            }
            rest = later;
        }
        Ok(vectors)
    }
}

/// How many of `order`, sorted by rising length, fit into one batch; at least one.
fn batch_size(order: &[usize], length: impl Fn(usize) -> usize) -> usize {
    (1..=order.len()).take_while(|&count| count == 1 || count * length(order[count - 1]) <= TOKENS_PER_BATCH).count()
}

fn read_limited(path: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path).map_err(|error| Error::io(path, error))?.len();
    if size > MAX_JSON_BYTES {
        return Err(Error::malformed(path, format!("it has {size} bytes, far more than such a file needs")));
    }
    std::fs::read(path).map_err(|error| Error::io(path, error))
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    serde_json::from_slice(&read_limited(path)?).map_err(|error| Error::malformed(path, error.to_string()))
}

fn read_optional<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>> {
    if path.exists() { read_json(path).map(Some) } else { Ok(None) }
}

fn read_config(folder: &Path) -> Result<Config> {
    let path = folder.join("config.json");
    let value: serde_json::Value = read_json(&path)?;
    let family = value.get("model_type").and_then(|family| family.as_str()).unwrap_or("bert").to_owned();
    if family != "bert" {
        return Err(Error::UnknownFamily(family));
    }
    let config: Config = serde_json::from_value(value).map_err(|error| Error::malformed(&path, error.to_string()))?;
    let sizes = [
        ("vocab_size", config.vocab_size, 4 << 20),
        ("hidden_size", config.hidden_size, 1 << 14),
        ("num_hidden_layers", config.num_hidden_layers, 256),
        ("num_attention_heads", config.num_attention_heads, 1 << 10),
        ("intermediate_size", config.intermediate_size, 1 << 16),
        ("max_position_embeddings", config.max_position_embeddings, 1 << 17),
        ("type_vocab_size", config.type_vocab_size, 1 << 10),
    ];
    for (name, value, most) in sizes {
        if value == 0 || value > most {
            return Err(Error::malformed(path, format!("{name} is {value}, outside 1 to {most}")));
        }
    }
    if config.max_position_embeddings < 8 || !config.hidden_size.is_multiple_of(config.num_attention_heads) {
        return Err(Error::malformed(path, "its sizes do not fit together"));
    }
    Ok(config)
}

fn read_tokenizer(folder: &Path, max_tokens: usize) -> Result<Tokenizer> {
    let path = folder.join("tokenizer.json");
    let bytes = read_limited(&path)?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| Error::malformed(&path, error.to_string()))?;
    tokenizer.with_padding(None);
    tokenizer
        .with_truncation(Some(TruncationParams { max_length: max_tokens, ..TruncationParams::default() }))
        .map_err(|error| Error::malformed(&path, error.to_string()))?;
    Ok(tokenizer)
}

fn read_pooling(folder: &Path) -> Result<Pooling> {
    let path = folder.join("1_Pooling/config.json");
    match read_optional::<PoolingConfig>(&path)? {
        None => Ok(Pooling::Mean),
        Some(pooling) if pooling.pooling_mode_mean_tokens => Ok(Pooling::Mean),
        Some(pooling) if pooling.pooling_mode_cls_token => Ok(Pooling::FirstToken),
        Some(_) => Err(Error::malformed(path, "only mean and first-token pooling are supported")),
    }
}

fn load_weights(path: &Path, config: &Config) -> Result<BertModel> {
    // SAFETY: the map is read only while this function runs, and the model folder's files are replaced by renaming,
    // never written in place, so the mapped bytes do not change.
    let builder = unsafe { VarBuilder::from_mmaped_safetensors(&[path], DType::F32, &Device::Cpu) };
    builder
        .and_then(|builder| BertModel::load(builder, config))
        .map_err(|error| Error::malformed(path, error.to_string()))
}

fn folder_name(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "encoder".to_owned(), |name| name.to_string_lossy().to_lowercase())
}

/// Hash of the configuration, the tokenizer, the weights' size and 64 blocks spread over the weights: tells models
/// apart without reading hundreds of megabytes.
fn fingerprint(folder: &Path) -> Result<String> {
    use std::io::{Read, Seek, SeekFrom};
    const BLOCKS: u64 = 64;
    let mut hash = Sha256::new();
    for name in ["config.json", "tokenizer.json"] {
        hash.update(Sha256::digest(read_limited(&folder.join(name))?));
    }
    let path = folder.join("model.safetensors");
    let mut sample = || -> std::io::Result<()> {
        let mut file = std::fs::File::open(&path)?;
        let size = file.metadata()?.len();
        hash.update(size.to_le_bytes());
        for block in 0..BLOCKS {
            let mut bytes = Vec::with_capacity(4096);
            file.seek(SeekFrom::Start(size / BLOCKS * block))?;
            file.by_ref().take(4096).read_to_end(&mut bytes)?;
            hash.update(&bytes);
        }
        Ok(())
    };
    sample().map_err(|error| Error::io(&path, error))?;
    Ok(hash.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::fixture;

    fn encoder() -> Encoder {
        Encoder::load(&fixture::model("all-MiniLM-L6-v2")).unwrap()
    }

    fn copy_of_model(without: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let model = fixture::model("all-MiniLM-L6-v2");
        for name in ["config.json", "tokenizer.json", "model.safetensors"] {
            if name != without {
                std::os::unix::fs::symlink(model.join(name), folder.path().join(name)).unwrap();
            }
        }
        folder
    }

    #[test]
    fn vectors_equal_an_independent_implementation() {
        let encoder = encoder();
        let rows = fixture::rows();
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        let vectors = encoder.embed(&texts, &Cancel::new()).unwrap();
        for (row, vector) in rows.iter().zip(vectors) {
            if row.encoder_tokens <= 2 {
                assert!(vector.iter().all(|&value| value == 0.0), "{:?} has no token", row.text);
                continue;
            }
            let cosine = fixture::dot(&vector, &row.encoder_vector());
            assert!(cosine >= 0.9999, "{cosine} for {:?}", row.text);
        }
    }

    #[test]
    fn a_batch_gives_the_vectors_of_single_texts() {
        let encoder = encoder();
        let texts = ["short", "a somewhat longer sentence about nothing at all", "", "mid length text here"];
        let batch = encoder.embed(&texts, &Cancel::new()).unwrap();
        for (text, vector) in texts.iter().zip(batch) {
            let single = &encoder.embed(&[text], &Cancel::new()).unwrap()[0];
            assert!(single.iter().zip(&vector).all(|(left, right)| (left - right).abs() < 1e-4), "{text:?}");
        }
    }

    #[test]
    fn a_paraphrase_is_nearer_than_another_subject() {
        let texts = [
            "How do I restore a backup of the database?",
            "Steps to bring back the data store from a saved copy.",
            "Bake the cake for forty minutes at 180 degrees.",
        ];
        let vectors = encoder().embed(&texts, &Cancel::new()).unwrap();
        let (near, far) = (fixture::dot(&vectors[0], &vectors[1]), fixture::dot(&vectors[0], &vectors[2]));
        assert!(near > far + 0.3, "{near} {far}");
    }

    #[test]
    fn ids_tell_weights_apart_and_stay_the_same_for_the_same_weights() {
        let model = fixture::model("all-MiniLM-L6-v2");
        let folder = copy_of_model("config.json");
        let config = std::fs::read_to_string(model.join("config.json")).unwrap();
        std::fs::write(folder.path().join("config.json"), format!("{config}\n")).unwrap();
        assert_eq!(fingerprint(&model).unwrap(), fingerprint(&model).unwrap());
        assert_ne!(fingerprint(&model).unwrap(), fingerprint(folder.path()).unwrap());
    }

    #[test]
    fn hostile_configurations_are_refused_in_words() {
        let model = fixture::model("all-MiniLM-L6-v2");
        let config = std::fs::read_to_string(model.join("config.json")).unwrap();
        for (from, to) in [
            ("\"hidden_size\": 384", "\"hidden_size\": 99999999999"),
            ("\"num_attention_heads\": 12", "\"num_attention_heads\": 0"),
            ("\"num_attention_heads\": 12", "\"num_attention_heads\": 7"),
            ("\"hidden_size\": 384", "\"hidden_size\": 768"),
            ("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"strange\""),
            ("{", "["),
        ] {
            let folder = copy_of_model("config.json");
            std::fs::write(folder.path().join("config.json"), config.replacen(from, to, 1)).unwrap();
            let error = Encoder::load(folder.path()).err().unwrap();
            assert!(matches!(error, Error::Malformed { .. }), "{to}: {error}");
        }
        let folder = copy_of_model("config.json");
        let other = config.replacen("\"model_type\": \"bert\"", "\"model_type\": \"gpt9\"", 1);
        std::fs::write(folder.path().join("config.json"), other).unwrap();
        assert!(matches!(Encoder::load(folder.path()), Err(Error::UnknownFamily(family)) if family == "gpt9"));
    }

    #[test]
    fn cut_or_missing_weights_are_refused_in_words() {
        let model = fixture::model("all-MiniLM-L6-v2");
        let bytes = std::fs::read(model.join("model.safetensors")).unwrap();
        for half in [&bytes[..bytes.len() / 2], &bytes[..5], b"\xff\xff\xff\xff\xff\xff\xff\x7f{}", b""] {
            let folder = copy_of_model("model.safetensors");
            std::fs::write(folder.path().join("model.safetensors"), half).unwrap();
            assert!(matches!(Encoder::load(folder.path()), Err(Error::Malformed { .. })));
        }
        let folder = copy_of_model("model.safetensors");
        assert!(Encoder::load(folder.path()).is_err());
    }

    #[test]
    fn cancelled_work_says_so() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(matches!(encoder().embed(&["a"], &cancel), Err(Error::Cancelled)));
    }
}
