//! Cross-encoders: a question and a passage read together give one number, how well the passage answers.
//!
//! BERT with a pooler and a classifier of one output (Nogueira and Cho 2019, <https://arxiv.org/abs/1901.04085>), as the
//! cross-encoders of sentence-transformers are.

use std::path::Path;

use rayon::prelude::*;
use tokenizers::{Tokenizer, TruncationStrategy};

use super::bert::{Bert, Head, Sequence};
use super::encoder::{MAX_TEXT_BYTES, fingerprint, folder_name, read_config, read_tokenizer, require_finite};
use crate::kernels::gemm::Kernel;
use crate::{Cancel, Error, Result};

/// Tokens of a question and a passage at most, where the model could read more.
const MAX_TOKENS: usize = 512;
/// Pairs that one thread takes at once.
const PAIRS_PER_JOB: usize = 2;

/// Says how well passages answer a question.
pub trait Reranker: Send + Sync {
    /// Names the model, with a fingerprint of its weights.
    fn id(&self) -> &str;

    /// For each passage the logit that it answers the question: any real number, higher is better.
    fn score(&self, question: &str, passages: &[&str], cancel: &Cancel) -> Result<Vec<f32>>;
}

pub struct CrossEncoder {
    id: String,
    hidden: usize,
    tokenizer: Tokenizer,
    bert: Bert,
    head: Head,
}

impl CrossEncoder {
    /// Loads a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
    ///
    /// # Errors
    /// `Malformed` where a file is damaged or the model has more than one output or another activation than GELU.
    pub fn load(folder: &Path) -> Result<Self> {
        let config = read_config(folder)?;
        if !Bert::covers(&config) {
            let reason = format!("the activation {:?} is not supported in a reranker", config.hidden_act);
            return Err(Error::malformed(folder.join("config.json"), reason));
        }
        let most = MAX_TOKENS.min(config.max_position_embeddings);
        let weights = folder.join("model.safetensors");
        Ok(Self {
            id: format!("{}-{}", folder_name(folder), fingerprint(folder)?),
            hidden: config.hidden_size,
            // The question is kept whole where it can be; the longer of the two is cut.
            tokenizer: read_tokenizer(folder, most, TruncationStrategy::LongestFirst)?,
            head: Head::load(&weights, config.hidden_size)?,
            bert: Bert::load(&weights, &config, Kernel::best())?,
        })
    }

    fn score_some(&self, question: &str, passages: &[&str], cancel: &Cancel) -> Result<Vec<f32>> {
        let encode = |passage: &&str| {
            let passage = &passage[..passage.floor_char_boundary(MAX_TEXT_BYTES)];
            let encoded = self.tokenizer.encode_fast((question, passage), true);
            encoded.map_err(|error| Error::Tokenizer(error.to_string()))
        };
        let encodings = passages.iter().map(encode).collect::<Result<Vec<_>>>()?;
        let pairs: Vec<Sequence<'_>> = encodings
            .iter()
            .map(|encoding| {
                let first = encoding.get_type_ids().iter().take_while(|kind| **kind == 0).count();
                Sequence { ids: encoding.get_ids(), first }
            })
            .collect();
        self.bert.forward(&pairs, cancel, |mut states| {
            let mut scores = Vec::with_capacity(pairs.len());
            for pair in &pairs {
                let (own, rest) = states.split_at(pair.ids.len() * self.hidden);
                states = rest;
                let score = own.get(..self.hidden).map_or(f32::NEG_INFINITY, |state| self.head.score(state));
                require_finite(&[score])?;
                scores.push(score);
            }
            Ok(scores)
        })
    }
}

impl Reranker for CrossEncoder {
    fn id(&self) -> &str {
        &self.id
    }

    fn score(&self, question: &str, passages: &[&str], cancel: &Cancel) -> Result<Vec<f32>> {
        let question = &question[..question.floor_char_boundary(MAX_TEXT_BYTES)];
        let scored: Vec<Vec<f32>> = passages
            .par_chunks(PAIRS_PER_JOB)
            .map(|some| self.score_some(question, some, cancel))
            .collect::<Result<_>>()?;
        Ok(scored.concat())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::{DType, Device, Tensor};
    use candle_nn::VarBuilder;
    use candle_transformers::models::bert::BertModel;

    use super::*;
    use crate::embed::fixture;

    /// MiniLM with a made-up head: no cross-encoder can be had, and what is checked is the way to the number.
    fn folder() -> (tempfile::TempDir, HashMap<String, Tensor>) {
        let model = fixture::model("all-MiniLM-L6-v2");
        let folder = tempfile::tempdir().unwrap();
        for name in ["config.json", "tokenizer.json"] {
            std::os::unix::fs::symlink(model.join(name), folder.path().join(name)).unwrap();
        }
        let loaded = candle_core::safetensors::load(model.join("model.safetensors"), &Device::Cpu).unwrap();
        let mut tensors: HashMap<String, Tensor> =
            loaded.into_iter().map(|(name, tensor)| (format!("bert.{name}"), tensor)).collect();
        let wave = |count: usize, step: f32| {
            let values: Vec<f32> = (0..count).map(|at| (at as f32 * step).sin() * 0.2).collect();
            Tensor::from_vec(values, count, &Device::Cpu).unwrap()
        };
        tensors.insert("bert.pooler.dense.weight".into(), wave(384 * 384, 0.37).reshape((384, 384)).unwrap());
        tensors.insert("bert.pooler.dense.bias".into(), wave(384, 0.9));
        tensors.insert("classifier.weight".into(), wave(384, 1.3).reshape((1, 384)).unwrap());
        tensors.insert("classifier.bias".into(), wave(1, 1.0));
        candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
        (folder, tensors)
    }

    fn reference(folder: &Path, tensors: &HashMap<String, Tensor>, question: &str, passage: &str) -> f32 {
        let tokenizer = read_tokenizer(folder, MAX_TOKENS, TruncationStrategy::LongestFirst).unwrap();
        let config = read_config(folder).unwrap();
        let encoding = tokenizer.encode((question, passage), true).unwrap();
        let row = |values: &[u32]| Tensor::new(values, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let builder = VarBuilder::from_tensors(tensors.clone(), DType::F32, &Device::Cpu);
        let model = BertModel::load(builder.pp("bert"), &config).unwrap();
        let states = model.forward(&row(encoding.get_ids()), &row(encoding.get_type_ids()), None).unwrap();
        let first = states.narrow(1, 0, 1).unwrap().squeeze(0).unwrap();
        let linear = |input: &Tensor, name: &str| {
            let product = input.matmul(&tensors[&format!("{name}.weight")].t().unwrap()).unwrap();
            product.broadcast_add(&tensors[&format!("{name}.bias")]).unwrap()
        };
        let pooled = linear(&first, "bert.pooler.dense").tanh().unwrap();
        linear(&pooled, "classifier").flatten_all().unwrap().to_vec1::<f32>().unwrap()[0]
    }

    #[test]
    fn scores_are_those_of_candle() {
        let (folder, tensors) = folder();
        let reranker = CrossEncoder::load(folder.path()).unwrap();
        let question = "how is a backup restored";
        let long = "stop the service, then unpack the archive into the folder ".repeat(120);
        let passages = ["Stop the service and unpack the saved copy.", "", long.as_str(), "Bake it for forty minutes."];
        let scores = reranker.score(question, &passages, &Cancel::new()).unwrap();
        assert_eq!(scores.len(), passages.len());
        for (passage, score) in passages.iter().zip(&scores) {
            let expected = reference(folder.path(), &tensors, question, passage);
            assert!((score - expected).abs() < 0.05 * expected.abs().max(1.0), "{score} {expected}");
        }
    }

    #[test]
    fn a_folder_without_a_head_is_refused_in_words() {
        let error = CrossEncoder::load(&fixture::model("all-MiniLM-L6-v2")).err().unwrap();
        assert!(error.to_string().contains("classifier") || error.to_string().contains("pooler"), "{error}");
    }

    #[test]
    fn cancelled_work_says_so() {
        let (folder, _) = folder();
        let cancel = Cancel::new();
        cancel.cancel();
        let reranker = CrossEncoder::load(folder.path()).unwrap();
        assert!(matches!(reranker.score("a", &["b"], &cancel), Err(Error::Cancelled)));
    }
}
