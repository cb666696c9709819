//! Reads a BERT encoder from a safetensors file: names, shapes and types are checked, then the weights are packed.

use std::path::Path;
use std::sync::Mutex;

use candle_transformers::models::bert::Config;
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};

use super::{Attention, Bert, Head, Layer, Linear};
use crate::kernels::gemm::{Kernel, LayerNorm, Panels};
use crate::{Error, Result};

/// Reads what a cross-encoder has above its BERT: the pooler, and a classifier with one output.
pub(super) fn load_head(path: &Path, hidden: usize) -> Result<Head> {
    with_tensors(path, |tensors| {
        Ok(Head {
            pooler: tensors.read("pooler.dense.weight", &[hidden, hidden])?,
            pooler_bias: tensors.read("pooler.dense.bias", &[hidden])?,
            classifier: tensors.read_named("classifier.weight", &[1, hidden])?,
            classifier_bias: tensors.read_named("classifier.bias", &[1])?[0],
        })
    })
}

/// The tensors of a file, under the prefix that they have there.
struct Tensors<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
    prefix: &'static str,
}

fn with_tensors<R>(path: &Path, read: impl FnOnce(&Tensors<'_>) -> Result<R>) -> Result<R> {
    let file = std::fs::File::open(path).map_err(|error| Error::io(path, error))?;
    // SAFETY: the map is read only while this function runs, and the model folder's files are replaced by renaming,
    // never written in place, so the mapped bytes do not change.
    let bytes = unsafe { Mmap::map(&file) }.map_err(|error| Error::malformed(path, error.to_string()))?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|error| Error::malformed(path, format!("its header: {error}")))?;
    read(&Tensors::new(path, tensors)?)
}

pub(super) fn load(path: &Path, config: &Config, kernel: Kernel) -> Result<Bert> {
    with_tensors(path, |tensors| bert(tensors, config, kernel))
}

fn bert(tensors: &Tensors<'_>, config: &Config, kernel: Kernel) -> Result<Bert> {
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let attention = Attention::new(hidden, config.num_attention_heads);
    let epsilon = config.layer_norm_eps as f32;

    let words = tensors.read("embeddings.word_embeddings.weight", &[config.vocab_size, hidden])?;
    let mut positions =
        tensors.read("embeddings.position_embeddings.weight", &[config.max_position_embeddings, hidden])?;
    let types = tensors.read("embeddings.token_type_embeddings.weight", &[config.type_vocab_size, hidden])?;
    for row in positions.chunks_exact_mut(hidden) {
        row.iter_mut().zip(&types).for_each(|(position, kind)| *position += kind);
    }
    let second = match types.get(hidden..2 * hidden) {
        Some(second) => second.iter().zip(&types).map(|(second, first)| second - first).collect(),
        None => Vec::new(),
    };
    let layers = (0..config.num_hidden_layers).map(|index| {
        let at = |name: &str| format!("encoder.layer.{index}.{name}");
        Ok(Layer {
            project: tensors.projections(&at("attention.self"), &attention, hidden, kernel)?,
            output: tensors.attention_output(&at("attention.output.dense"), &attention, hidden, kernel)?,
            attention_norm: tensors.norm(&at("attention.output.LayerNorm"), hidden, epsilon)?,
            up: tensors.linear(&at("intermediate.dense"), inner, hidden, kernel)?,
            down: tensors.linear(&at("output.dense"), hidden, inner, kernel)?,
            norm: tensors.norm(&at("output.LayerNorm"), hidden, epsilon)?,
        })
    });
    Ok(Bert {
        kernel,
        hidden,
        inner,
        words,
        positions,
        second,
        norm: tensors.norm("embeddings.LayerNorm", hidden, epsilon)?,
        layers: layers.collect::<Result<_>>()?,
        attention,
        spare: Mutex::default(),
    })
}

impl<'a> Tensors<'a> {
    fn new(path: &'a Path, tensors: SafeTensors<'a>) -> Result<Self> {
        const FIRST: &str = "embeddings.word_embeddings.weight";
        let prefix = ["", "bert."].into_iter().find(|prefix| tensors.tensor(&format!("{prefix}{FIRST}")).is_ok());
        match prefix {
            Some(prefix) => Ok(Self { path, tensors, prefix }),
            None => Err(Error::malformed(path, format!("it has no tensor {FIRST}"))),
        }
    }

    /// Values of one tensor, which must have this shape.
    fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.read_named(&format!("{}{name}", self.prefix), shape)
    }

    /// As [`Self::read`], whatever the prefix of the others.
    fn read_named(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let tensor =
            self.tensors.tensor(name).map_err(|error| Error::malformed(self.path, format!("{name}: {error}")))?;
        if tensor.shape() != shape {
            return Err(Error::malformed(
                self.path,
                format!("{name} has the shape {:?} instead of {shape:?}", tensor.shape()),
            ));
        }
        let bytes = tensor.data();
        let halves = bytes.as_chunks::<2>().0.iter();
        match tensor.dtype() {
            Dtype::F32 => Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()),
            Dtype::F16 => Ok(halves.map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect()),
            Dtype::BF16 => Ok(halves.map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect()),
            other => Err(Error::malformed(self.path, format!("{name} has the type {other:?}, which is no float"))),
        }
    }

    fn linear(&self, name: &str, outputs: usize, inputs: usize, kernel: Kernel) -> Result<Linear> {
        let weights = self.read(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = self.read(&format!("{name}.bias"), &[outputs])?;
        Ok(Linear { weights: Panels::pack(kernel, &weights, outputs, inputs), bias })
    }

    /// Queries, keys and values under each other; each head fills its slot with zeros.
    fn projections(&self, name: &str, attention: &Attention, hidden: usize, kernel: Kernel) -> Result<Linear> {
        let (slot, width) = (attention.slot, hidden / attention.heads);
        let outputs = 3 * attention.heads * slot;
        let (mut weights, mut bias) = (vec![0.0; outputs * hidden], vec![0.0; outputs]);
        for (part, kind) in ["query", "key", "value"].into_iter().enumerate() {
            let from = self.read(&format!("{name}.{kind}.weight"), &[hidden, hidden])?;
            let from_bias = self.read(&format!("{name}.{kind}.bias"), &[hidden])?;
            for head in 0..attention.heads {
                let to = (part * attention.heads + head) * slot;
                let from = &from[head * width * hidden..][..width * hidden];
                weights[to * hidden..][..from.len()].copy_from_slice(from);
                bias[to..][..width].copy_from_slice(&from_bias[head * width..][..width]);
            }
        }
        Ok(Linear { weights: Panels::pack(kernel, &weights, outputs, hidden), bias })
    }

    /// The output of attention, whose input has a slot for each head.
    fn attention_output(&self, name: &str, attention: &Attention, hidden: usize, kernel: Kernel) -> Result<Linear> {
        let (slot, width) = (attention.slot, hidden / attention.heads);
        let from = self.read(&format!("{name}.weight"), &[hidden, hidden])?;
        let bias = self.read(&format!("{name}.bias"), &[hidden])?;
        let inputs = attention.heads * slot;
        let mut weights = vec![0.0; hidden * inputs];
        for (to, from) in weights.chunks_exact_mut(slot).zip(from.chunks_exact(width)) {
            to[..width].copy_from_slice(from);
        }
        Ok(Linear { weights: Panels::pack(kernel, &weights, hidden, inputs), bias })
    }

    /// Gain and bias, under the names of today or those of the first models.
    fn norm(&self, name: &str, width: usize, epsilon: f32) -> Result<LayerNorm> {
        let read = |today: &str, first: &str| {
            let old = format!("{name}.{first}");
            let is_old = self.tensors.tensor(&format!("{}{old}", self.prefix)).is_ok();
            self.read(&if is_old { old } else { format!("{name}.{today}") }, &[width])
        };
        Ok(LayerNorm { gain: read("weight", "gamma")?, bias: read("bias", "beta")?, epsilon })
    }
}
