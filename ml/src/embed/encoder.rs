//! BERT-family sentence encoders (safetensors + tokenizer.json): on packed weights of our own, or through candle.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use rayon::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokenizers::{Encoding, Tokenizer, TruncationParams, TruncationStrategy};

use super::bert::{Bert, Sequence};
use super::{Embedder, TokenVectors};
use crate::kernels::gemm::Kernel;
use crate::{Cancel, Error, Result};

/// No configuration or tokenizer file is larger; the largest multilingual tokenizer has about 17 MB.
const MAX_JSON_BYTES: u64 = 64 << 20;
/// Tokens that are computed at once on packed weights: enough for each weight to be used often from the cache.
const TOKENS_PER_GROUP: usize = 256;
/// Tokens, with padding, that candle computes at once: bounds the attention's memory and keeps cancelling quick.
const TOKENS_PER_BATCH: usize = 2048;
/// Longest input in tokens where `sentence_bert_config.json` does not say.
const DEFAULT_MAX_TOKENS: usize = 256;
/// What comes after so many bytes of a text is not even tokenised; no model's window reaches so far.
pub(super) const MAX_TEXT_BYTES: usize = 256 << 10;

/// How token vectors become one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pooling {
    Mean,
    FirstToken,
}

/// What an encoder is computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computation {
    /// Our forward pass with this kernel.
    Packed(Kernel),
    /// candle's: the reference.
    Stock,
}

enum Model {
    /// Texts one after the other, on our kernels.
    Packed(Box<Bert>),
    /// What the packed model does not compute.
    Stock(Box<BertModel>),
}

/// Where the work is done.
#[derive(Clone, Copy, PartialEq)]
enum Threads {
    All,
    This,
}

/// Texts longer than the model's window (256 tokens where the model does not say) are cut at its end.
pub struct Encoder {
    id: String,
    dimensions: usize,
    pad_id: u32,
    pooling: Pooling,
    model: Model,
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
        Self::load_with(folder, Computation::Packed(Kernel::best()))
    }

    /// As [`Encoder::load`], computed in a chosen way; what packed weights do not cover goes through candle in any case.
    pub fn load_with(folder: &Path, computation: Computation) -> Result<Self> {
        let config = read_config(folder)?;
        let max_tokens = read_optional::<SentenceConfig>(&folder.join("sentence_bert_config.json"))?
            .and_then(|sentence| sentence.max_seq_length)
            .unwrap_or(DEFAULT_MAX_TOKENS)
            .clamp(8, config.max_position_embeddings);
        let tokenizer = read_tokenizer(folder, max_tokens, TruncationStrategy::LongestFirst)?;
        let weights = folder.join("model.safetensors");
        let model = match computation {
            Computation::Packed(kernel) if Bert::covers(&config) => {
                Model::Packed(Box::new(Bert::load(&weights, &config, kernel)?))
            }
            Computation::Packed(_) | Computation::Stock => Model::Stock(Box::new(load_stock(&weights, &config)?)),
        };
        if let Model::Packed(bert) = &model {
            tracing::debug!(bytes = bert.bytes(), "packed the encoder's weights");
        }
        Ok(Self {
            id: format!("{}-{}", folder_name(folder), fingerprint(folder)?),
            dimensions: config.hidden_size,
            pad_id: u32::try_from(config.pad_token_id).unwrap_or(0),
            pooling: read_pooling(folder)?,
            model,
            tokenizer,
        })
    }

    /// Tokens of each text, with where they are in it if `spans` is set.
    fn tokenise(&self, texts: &[&str], spans: bool, threads: Threads, cancel: &Cancel) -> Result<Vec<Encoding>> {
        let encode = |text: &&str| {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
            let encoding =
                if spans { self.tokenizer.encode(text, true) } else { self.tokenizer.encode_fast(text, true) };
            encoding.map_err(|error| Error::Tokenizer(error.to_string()))
        };
        match threads {
            Threads::All => texts.par_iter().map(encode).collect(),
            Threads::This => texts.iter().map(encode).collect(),
        }
    }

    /// What `take` makes of each text's last hidden states, `[tokens, dimensions]`; nothing for a text of nothing but
    /// special tokens.
    fn compute<T: Send>(
        &self,
        encodings: &[Encoding],
        threads: Threads,
        cancel: &Cancel,
        take: impl Fn(&Encoding, &[f32]) -> Result<T> + Sync,
    ) -> Result<Vec<Option<T>>> {
        let mut order: Vec<usize> =
            (0..encodings.len()).filter(|&at| encodings[at].get_special_tokens_mask().contains(&0)).collect();
        let length = |at: usize| encodings[at].len();
        let groups = match &self.model {
            Model::Packed(bert) => {
                let total: usize = order.iter().map(|&at| length(at)).sum();
                let share = if threads == Threads::All { rayon::current_num_threads() } else { 1 };
                let groups = split(&order, |group| {
                    let tokens: usize = group.iter().map(|&at| length(at)).sum();
                    tokens <= TOKENS_PER_GROUP.min(total.div_ceil(share))
                });
                let run = |group: &&[usize]| {
                    let ids: Vec<_> = group.iter().map(|&at| Sequence::one(encodings[at].get_ids())).collect();
                    bert.forward(&ids, cancel, |states| {
                        let mut rest = states;
                        let text = |&at: &usize| {
                            let (states, later) = rest.split_at(length(at) * self.dimensions);
                            rest = later;
                            Ok((at, take(&encodings[at], states)?))
                        };
                        group.iter().map(text).collect::<Result<Vec<_>>>()
                    })
                };
                match threads {
                    Threads::All => groups.par_iter().map(run).collect::<Result<Vec<_>>>()?,
                    Threads::This => groups.iter().map(run).collect::<Result<Vec<_>>>()?,
                }
            }
            Model::Stock(bert) => {
                // By length, so that little is padding.
                order.sort_by_key(|&at| length(at));
                let groups =
                    split(&order, |group| group.len() * group.last().map_or(0, |&at| length(at)) <= TOKENS_PER_BATCH);
                let run = |group: &[usize]| {
                    if cancel.is_cancelled() {
                        return Err(Error::Cancelled);
                    }
                    let batch: Vec<&Encoding> = group.iter().map(|&at| &encodings[at]).collect();
                    let states = self.padded(bert, &batch)?;
                    let row = states.len() / group.len();
                    let text = |(&at, states): (&usize, &[f32])| {
                        Ok((at, take(&encodings[at], &states[..length(at) * self.dimensions])?))
                    };
                    group.iter().zip(states.chunks_exact(row)).map(text).collect::<Result<Vec<_>>>()
                };
                groups.into_iter().map(run).collect::<Result<Vec<_>>>()?
            }
        };
        let mut results: Vec<Option<T>> = encodings.iter().map(|_| None).collect();
        for (at, result) in groups.into_iter().flatten() {
            results[at] = Some(result);
        }
        Ok(results)
    }

    /// Last hidden states of one padded batch, `[texts, longest, dimensions]`.
    fn padded(&self, model: &BertModel, batch: &[&Encoding]) -> Result<Vec<f32>> {
        let rows = batch.len();
        let width = batch.iter().map(|encoding| encoding.len()).max().unwrap_or(0);
        let mut ids = vec![self.pad_id; rows * width];
        let mut mask = vec![0.0_f32; rows * width];
        for (row, encoding) in batch.iter().enumerate() {
            let start = row * width;
            ids[start..start + encoding.len()].copy_from_slice(encoding.get_ids());
            mask[start..start + encoding.len()].fill(1.0);
        }
        let ids = Tensor::from_vec(ids, (rows, width), &model.device)?;
        let mask = Tensor::from_vec(mask, (rows, width), &model.device)?;
        Ok(model.forward(&ids, &ids.zeros_like()?, Some(&mask))?.flatten_all()?.to_vec1::<f32>()?)
    }

    fn embed_with(&self, texts: &[&str], threads: Threads, cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        let encodings = self.tokenise(texts, false, threads, cancel)?;
        let vectors = self.compute(&encodings, threads, cancel, |_, states| self.pool(states))?;
        Ok(vectors.into_iter().map(|vector| vector.unwrap_or_else(|| vec![0.0; self.dimensions])).collect())
    }

    /// One vector of unit length for a text's last hidden states.
    fn pool(&self, states: &[f32]) -> Result<Vec<f32>> {
        let mut rows = states.chunks_exact(self.dimensions);
        let mut vector = rows.next().map_or_else(|| vec![0.0; self.dimensions], <[f32]>::to_vec);
        if self.pooling == Pooling::Mean {
            // The sum: its length cancels out in the normalisation, so it need not be divided.
            for row in rows {
                vector.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
        require_finite(&vector)?;
        super::normalise(&mut vector);
        Ok(vector)
    }

    /// The tokens of a text that are no special ones, each scaled to unit length.
    fn tokens(&self, encoding: &Encoding, states: &[f32]) -> Result<TokenVectors> {
        require_finite(states)?;
        let mut tokens = TokenVectors { dimensions: self.dimensions, ..TokenVectors::default() };
        let rows = states.chunks_exact(self.dimensions).zip(encoding.get_offsets());
        for ((row, &(start, end)), &special) in rows.zip(encoding.get_special_tokens_mask()) {
            if special == 0 {
                let first = tokens.vectors.len();
                tokens.vectors.extend_from_slice(row);
                super::normalise(&mut tokens.vectors[first..]);
                tokens.weights.push(1.0);
                tokens.spans.push(start..end);
            }
        }
        Ok(tokens)
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
        self.embed_with(texts, Threads::All, cancel)
    }

    fn embed_on_this_thread(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        self.embed_with(texts, Threads::This, cancel)
    }

    fn embed_tokens(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<TokenVectors>> {
        let encodings = self.tokenise(texts, true, Threads::All, cancel)?;
        let tokens =
            self.compute(&encodings, Threads::All, cancel, |encoding, states| self.tokens(encoding, states))?;
        let none = || TokenVectors { dimensions: self.dimensions, ..TokenVectors::default() };
        Ok(tokens.into_iter().map(|tokens| tokens.unwrap_or_else(none)).collect())
    }
}

/// Cuts `order` into the longest runs that `fits` allows; each has at least one member.
fn split(order: &[usize], fits: impl Fn(&[usize]) -> bool) -> Vec<&[usize]> {
    let mut groups = Vec::new();
    let mut rest = order;
    while !rest.is_empty() {
        let count = (1..=rest.len()).take_while(|&count| count == 1 || fits(&rest[..count])).count();
        let (group, later) = rest.split_at(count);
        groups.push(group);
        rest = later;
    }
    groups
}

pub(super) fn require_finite(values: &[f32]) -> Result<()> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Error::Compute(candle_core::Error::Msg("the encoder gave a value that is no number".into())))
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

pub(super) fn read_config(folder: &Path) -> Result<Config> {
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

/// The tokenizer, without padding; `strategy` says which of a pair of texts is cut.
pub(super) fn read_tokenizer(folder: &Path, max_tokens: usize, strategy: TruncationStrategy) -> Result<Tokenizer> {
    let path = folder.join("tokenizer.json");
    let bytes = read_limited(&path)?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| Error::malformed(&path, error.to_string()))?;
    tokenizer.with_padding(None);
    tokenizer
        .with_truncation(Some(TruncationParams { max_length: max_tokens, strategy, ..TruncationParams::default() }))
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

fn load_stock(path: &Path, config: &Config) -> Result<BertModel> {
    // SAFETY: the map is read only while this function runs, and the model folder's files are replaced by renaming,
    // never written in place, so the mapped bytes do not change.
    let builder = unsafe { VarBuilder::from_mmaped_safetensors(&[path], DType::F32, &Device::Cpu) };
    builder
        .and_then(|builder| BertModel::load(builder, config))
        .map_err(|error| Error::malformed(path, error.to_string()))
}

pub(super) fn folder_name(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "encoder".to_owned(), |name| name.to_string_lossy().to_lowercase())
}

/// Hash of the configuration, the tokenizer, the weights' size and 64 blocks spread over the weights: tells models
/// apart without reading hundreds of megabytes.
pub(super) fn fingerprint(folder: &Path) -> Result<String> {
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
            assert!(cosine >= 0.9995, "{cosine} for {:?}", row.text);
        }
    }

    #[test]
    fn packed_weights_give_the_vectors_of_candle() {
        let folder = fixture::model("all-MiniLM-L6-v2");
        let texts = [
            include_str!("encoder.rs"),
            include_str!("bpe.rs").split_at(700).0,
            "Steps to bring back the data store from a saved copy.",
            "x",
            "",
            "日本語 текст 😀 naïve",
        ];
        let expected = Encoder::load_with(&folder, Computation::Stock).unwrap().embed(&texts, &Cancel::new()).unwrap();
        for kernel in [Kernel::best_f32(), Kernel::best()] {
            let encoder = Encoder::load_with(&folder, Computation::Packed(kernel)).unwrap();
            let least = if kernel.pairs() { 0.9995 } else { 0.999_999 };
            for (at, vector) in encoder.embed(&texts, &Cancel::new()).unwrap().iter().enumerate() {
                let cosine = fixture::dot(vector, &expected[at]);
                assert!(cosine >= least || texts[at].is_empty(), "{kernel:?}: {cosine} for {:?}", texts[at]);
            }
        }
    }

    #[test]
    fn one_thread_gives_the_vectors_of_many() {
        let encoder = encoder();
        let texts: Vec<String> = (0..40).map(|i| format!("text number {i} about {}", "words ".repeat(i))).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let alone = encoder.embed_on_this_thread(&texts, &Cancel::new()).unwrap();
        assert_eq!(alone, encoder.embed(&texts, &Cancel::new()).unwrap());
    }

    #[test]
    fn tokens_know_their_place_and_have_unit_length() {
        let text = "Naïve readers: fn parse_header(bytes)";
        let tokens = encoder().embed_tokens(&[text, "", " "], &Cancel::new()).unwrap();
        assert!(tokens[1].is_empty() && tokens[2].is_empty());
        let words: Vec<&str> = tokens[0].spans.iter().map(|span| &text[span.clone()]).collect();
        assert_eq!(words, ["Naïve", "readers", ":", "f", "n", "par", "se", "_", "header", "(", "bytes", ")"]);
        for token in 0..tokens[0].len() {
            let vector = tokens[0].vector(token);
            assert!((fixture::dot(vector, vector) - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn late_interaction_prefers_the_passage_that_answers() {
        let encoder = encoder();
        let query = encoder.embed_tokens(&["how to restore a backup"], &Cancel::new()).unwrap();
        let passages = [
            "Bake the cake for forty minutes at 180 degrees.",
            "Bring back the data from a saved copy: stop the service, then unpack the archive.",
        ];
        let passages = encoder.embed_tokens(&passages, &Cancel::new()).unwrap();
        let mut interaction = crate::embed::LateInteraction::new(&query[0]);
        let (far, near) = (interaction.score(&passages[0]), interaction.score(&passages[1]));
        assert!(near > far + 0.1, "{near} {far}");
        assert!((interaction.score(&query[0]) - 1.0).abs() < 1e-4);
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
    fn other_activations_go_through_candle() {
        let model = fixture::model("all-MiniLM-L6-v2");
        let folder = copy_of_model("config.json");
        let config = std::fs::read_to_string(model.join("config.json")).unwrap();
        let relu = config.replacen("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"relu\"", 1);
        std::fs::write(folder.path().join("config.json"), relu).unwrap();
        let encoder = Encoder::load(folder.path()).unwrap();
        assert!(matches!(encoder.model, Model::Stock(_)));
        assert_eq!(encoder.embed(&["some text"], &Cancel::new()).unwrap()[0].len(), 384);
        let tokens = encoder.embed_tokens(&["some text", "and a longer one"], &Cancel::new()).unwrap();
        assert_eq!((tokens[0].len(), tokens[1].len()), (2, 4));
    }

    #[test]
    fn cancelled_work_says_so() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(matches!(encoder().embed(&["a"], &cancel), Err(Error::Cancelled)));
    }

    #[test]
    fn work_that_runs_can_be_cancelled() {
        let encoder = encoder();
        let text = "many words that take long to embed ".repeat(40);
        let texts = vec![text.as_str(); 20_000];
        let cancel = Cancel::new();
        let answer = std::thread::scope(|scope| {
            let work = scope.spawn(|| encoder.embed_on_this_thread(&texts, &cancel));
            cancel.cancel();
            work.join().unwrap()
        });
        assert!(matches!(answer, Err(Error::Cancelled)));
    }
}
