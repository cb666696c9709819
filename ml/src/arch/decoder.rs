//! The decoder that llama and its relatives share: pre-norm blocks of grouped-query attention and a gated MLP.
//!
//! RMSNorm: Zhang & Sennrich 2019; gated MLP: Shazeer 2020. Weights stay quantised; activations are f32. Everything but
//! attention works on each token alone, so with quantised weights a token's result does not depend on its block.

mod attention;
mod linear;
mod rotary;

use candle_core::{Device, Tensor};
use candle_nn::ops::{rms_norm, silu};

use self::linear::{Input, Linear, Matrix};
pub(super) use self::rotary::RotaryStyle;
use self::rotary::{Angles, Rotary};
use super::session::CacheShape;
use super::{LanguageWeights, Logits, Session};
use crate::weights::gguf::Gguf;
use crate::{Error, Result};

const MAX_LAYERS: usize = 1024;
const MAX_WIDTH: usize = 1 << 20;
const MAX_CONTEXT: usize = 1 << 20;

/// What distinguishes a family and a size, from the file's metadata.
pub(super) struct Config {
    pub layers: usize,
    pub hidden: usize,
    pub feed_forward: usize,
    pub heads: usize,
    pub key_value_heads: usize,
    pub head_length: usize,
    pub context_length: usize,
    pub norm_epsilon: f32,
    pub rotary_base: f64,
    /// Positions are divided by this (linear scaling).
    pub rotary_scale: f64,
    pub rotary_style: RotaryStyle,
    /// Queries, keys and values have biases (qwen2).
    pub attention_biases: bool,
    /// Queries and keys are normalised per head (qwen3).
    pub head_norms: bool,
}

impl Config {
    /// Reads the keys that all families have, under `family.`.
    pub(super) fn read(gguf: &Gguf, family: &str) -> Result<Self> {
        let key = |name: &str| format!("{family}.{name}");
        let count = |name: &str| -> Result<usize> {
            let value = gguf.count(&key(name))?;
            match value {
                1..=MAX_WIDTH => Ok(value),
                _ => Err(gguf.malformed(format!("'{}' is {value}", key(name)))),
            }
        };
        if gguf.optional_count(&key("expert_count"))?.unwrap_or(0) > 0 {
            return Err(Error::UnknownFamily(format!("{family} with experts")));
        }
        let hidden = count("embedding_length")?;
        let heads = count("attention.head_count")?;
        let key_value_heads = gguf.optional_count(&key("attention.head_count_kv"))?.unwrap_or(heads);
        let head_length = gguf.optional_count(&key("attention.key_length"))?.unwrap_or(hidden / heads);
        let value_length = gguf.optional_count(&key("attention.value_length"))?.unwrap_or(head_length);
        let rotary_length = gguf.optional_count(&key("rope.dimension_count"))?.unwrap_or(head_length);
        let layers = count("block_count")?;
        let sane = layers <= MAX_LAYERS
            && (1..=heads).contains(&key_value_heads)
            && heads.is_multiple_of(key_value_heads)
            && (2..=4096).contains(&head_length)
            && head_length.is_multiple_of(2);
        if !sane {
            return Err(gguf.malformed("its numbers of layers and heads do not fit together"));
        }
        if value_length != head_length || rotary_length != head_length {
            return Err(Error::UnknownFamily(format!("{family} with partial rotary positions or unequal heads")));
        }
        let scaling = gguf.text(&key("rope.scaling.type")).unwrap_or("none");
        let rotary_scale = match scaling {
            "none" => 1.0,
            "linear" => gguf.optional_float(&key("rope.scaling.factor"))?.unwrap_or(1.0),
            other => return Err(Error::UnknownFamily(format!("{family} with {other} rotary scaling"))),
        };
        let rotary_base = gguf.optional_float(&key("rope.freq_base"))?.unwrap_or(10_000.0);
        let norm_epsilon = gguf.optional_float(&key("attention.layer_norm_rms_epsilon"))?.unwrap_or(1e-5) as f32;
        if rotary_scale <= 0.0 || rotary_base <= 0.0 || norm_epsilon <= 0.0 {
            return Err(gguf.malformed("its rotary positions or norms cannot be computed"));
        }
        Ok(Self {
            layers,
            hidden,
            feed_forward: count("feed_forward_length")?,
            heads,
            key_value_heads,
            head_length,
            context_length: match gguf.optional_count(&key("context_length"))? {
                None | Some(0) => 2048,
                Some(length) => length.min(MAX_CONTEXT),
            },
            norm_epsilon,
            rotary_base,
            rotary_scale,
            rotary_style: RotaryStyle::Halves,
            attention_biases: false,
            head_norms: false,
        })
    }
}

pub(super) struct Decoder {
    config: Config,
    device: Device,
    embeddings: Matrix,
    vocabulary_size: usize,
    layers: Vec<Layer>,
    output_norm: Norm,
    output: Matrix,
    rotary: Rotary,
}

struct Layer {
    attention_norm: Norm,
    queries: Linear,
    keys: Linear,
    values: Linear,
    query_norm: Option<Norm>,
    key_norm: Option<Norm>,
    attention_output: Linear,
    feed_forward_norm: Norm,
    gate: Linear,
    up: Linear,
    down: Linear,
}

struct Norm {
    weight: Tensor,
    epsilon: f32,
}

impl Norm {
    fn forward(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        rms_norm(input, &self.weight, self.epsilon)
    }
}

impl Decoder {
    pub(super) fn load(gguf: &Gguf, config: Config, device: &Device) -> Result<Self> {
        let norm = |name: &str, length: usize| -> Result<Norm> {
            let weight = gguf.tensor_of_shape(name, &[length], device)?.dequantize(device)?;
            Ok(Norm { weight, epsilon: config.norm_epsilon })
        };
        let linear = |name: &str, outputs: usize, inputs: usize, biased: bool| {
            Linear::load(gguf, name, [outputs, inputs], biased, device)
        };

        let (hidden, feed_forward) = (config.hidden, config.feed_forward);
        let query_width = config.heads * config.head_length;
        let key_width = config.key_value_heads * config.head_length;
        let mut layers = Vec::with_capacity(config.layers);
        for index in 0..config.layers {
            let name = |part: &str| format!("blk.{index}.{part}");
            let head_norm = |part: &str| -> Result<Option<Norm>> {
                config.head_norms.then(|| norm(&name(part), config.head_length)).transpose()
            };
            layers.push(Layer {
                attention_norm: norm(&name("attn_norm.weight"), hidden)?,
                queries: linear(&name("attn_q"), query_width, hidden, config.attention_biases)?,
                keys: linear(&name("attn_k"), key_width, hidden, config.attention_biases)?,
                values: linear(&name("attn_v"), key_width, hidden, config.attention_biases)?,
                query_norm: head_norm("attn_q_norm.weight")?,
                key_norm: head_norm("attn_k_norm.weight")?,
                attention_output: linear(&name("attn_output"), hidden, query_width, false)?,
                feed_forward_norm: norm(&name("ffn_norm.weight"), hidden)?,
                gate: linear(&name("ffn_gate"), feed_forward, hidden, false)?,
                up: linear(&name("ffn_up"), feed_forward, hidden, false)?,
                down: linear(&name("ffn_down"), hidden, feed_forward, false)?,
            });
        }

        let vocabulary_size = match gguf.raw("token_embd.weight", None)?.0.shape[..] {
            [rows, width] if width == hidden => rows,
            ref shape => return Err(gguf.malformed(format!("its token embeddings have shape {shape:?}"))),
        };
        let embeddings = Matrix::load(gguf, "token_embd.weight", [vocabulary_size, hidden], device)?;
        // Without a matrix of its own the output is tied to the embeddings.
        let output = if gguf.tensors().contains_key("output.weight") {
            Matrix::load(gguf, "output.weight", [vocabulary_size, hidden], device)?
        } else {
            embeddings.clone()
        };
        Ok(Self {
            output_norm: norm("output_norm.weight", hidden)?,
            output,
            rotary: Rotary::new(gguf, &config, device)?,
            device: device.clone(),
            embeddings,
            vocabulary_size,
            layers,
            config,
        })
    }

    fn attention(
        &self,
        layer: &Layer,
        index: usize,
        input: &Tensor,
        angles: &Angles,
        session: &Session,
    ) -> candle_core::Result<Tensor> {
        let Config { heads, key_value_heads, head_length, .. } = self.config;
        let count = input.dim(0)?;
        let split = |projected: Tensor, heads: usize| projected.reshape((count, heads, head_length));
        let normed = |split: Tensor, norm: &Option<Norm>| match norm {
            Some(norm) => norm.forward(&split),
            None => Ok(split),
        };
        // [heads, count, head_length]
        let input = Input::new(input);
        let queries = normed(split(layer.queries.forward(&input)?, heads)?, &layer.query_norm)?;
        let keys = normed(split(layer.keys.forward(&input)?, key_value_heads)?, &layer.key_norm)?;
        let values = split(layer.values.forward(&input)?, key_value_heads)?.transpose(0, 1)?.contiguous()?;
        let queries = angles.apply(&queries.transpose(0, 1)?.contiguous()?)?;
        let keys = angles.apply(&keys.transpose(0, 1)?.contiguous()?)?;
        let (keys, values) = session.append(index, &keys, &values)?;

        let attended = attention::attend(&queries, &keys, &values)?;
        layer.attention_output.forward(&Input::new(&attended))
    }

    fn hidden_states(&self, session: &Session, tokens: &[u32]) -> candle_core::Result<Tensor> {
        let angles = self.rotary.angles(session.len(), tokens.len(), &self.device)?;
        let mut hidden = self.embeddings.rows(tokens, &self.device)?;
        for (index, layer) in self.layers.iter().enumerate() {
            let attended = self.attention(layer, index, &layer.attention_norm.forward(&hidden)?, &angles, session)?;
            hidden = (hidden + attended)?;
            let normed = layer.feed_forward_norm.forward(&hidden)?;
            let normed = Input::new(&normed);
            let gated = (silu(&layer.gate.forward(&normed)?)? * layer.up.forward(&normed)?)?;
            hidden = (hidden + layer.down.forward(&Input::new(&gated))?)?;
        }
        Ok(hidden)
    }
}

impl LanguageWeights for Decoder {
    fn context_length(&self) -> usize {
        self.config.context_length
    }

    fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    fn new_session(&self) -> Session {
        Session::new(CacheShape {
            layers: self.config.layers,
            key_value_heads: self.config.key_value_heads,
            head_length: self.config.head_length,
            context_length: self.config.context_length,
        })
    }

    fn forward(&self, session: &mut Session, tokens: &[u32], logits: Logits) -> Result<Option<Tensor>> {
        let needed = session.len() + tokens.len();
        if needed > self.config.context_length {
            return Err(Error::PromptTooLong { prompt: needed, context: self.config.context_length });
        }
        if let Some(&token) = tokens.iter().find(|&&token| token as usize >= self.vocabulary_size) {
            return Err(Error::Tokenizer(format!("the token {token} is not in the model's vocabulary")));
        }
        if tokens.is_empty() {
            return Ok(None);
        }
        session.reserve(tokens.len(), &self.device)?;
        let hidden = self.hidden_states(session, tokens)?;
        let wanted = match logits {
            Logits::None => None,
            Logits::Last => Some(hidden.narrow(0, tokens.len() - 1, 1)?),
            Logits::All => Some(hidden),
        };
        let logits = match wanted {
            Some(hidden) => Some(self.output.forward(&Input::new(&self.output_norm.forward(&hidden)?))?),
            None => None,
        };
        session.commit(tokens);
        Ok(logits)
    }
}

#[cfg(test)]
mod tests;
