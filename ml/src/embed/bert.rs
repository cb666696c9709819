//! The forward pass of BERT (Devlin et al. 2018, <https://arxiv.org/abs/1810.04805>) on packed weights.
//!
//! The tokens of several texts lie one after the other, without padding: only attention looks at where a text begins
//! and ends. Each row's sums are the same whatever lies beside it, so a text's vectors do not depend on its company.

mod attention;
#[cfg(test)]
mod tests;
mod weights;

use std::path::Path;
use std::sync::Mutex;

use candle_transformers::models::bert::{Config, HiddenAct};

use crate::kernels::distance::floats as dot;
use crate::kernels::gemm::{Finish, Kernel, LayerNorm, Panels};
use crate::{Cancel, Error, Result};
use attention::Attention;

/// Rows that go through the feed-forward part together: what they need stays in the second-level cache.
const ROWS_PER_BLOCK: usize = 128;

/// A matrix with its bias: `output = input · weights + bias`.
struct Linear {
    weights: Panels,
    bias: Vec<f32>,
}

struct Layer {
    /// Queries, keys and values of all heads in one product.
    project: Linear,
    output: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    norm: LayerNorm,
}

/// What turns the first hidden state of a pair of texts into one number: how well they fit.
pub(super) struct Head {
    /// `[hidden, hidden]`, outputs first.
    pooler: Vec<f32>,
    pooler_bias: Vec<f32>,
    classifier: Vec<f32>,
    classifier_bias: f32,
}

impl Head {
    /// Reads it from the file that holds the encoder.
    pub(super) fn load(path: &Path, hidden: usize) -> Result<Self> {
        weights::load_head(path, hidden)
    }

    /// The logit for the first hidden state of a pair.
    pub(super) fn score(&self, state: &[f32]) -> f32 {
        let rows = self.pooler.chunks_exact(state.len()).zip(&self.pooler_bias);
        let pooled = rows.map(|(row, bias)| (dot(row, state) + bias).tanh());
        pooled.zip(&self.classifier).map(|(value, weight)| value * weight).sum::<f32>() + self.classifier_bias
    }
}

/// Weights of a BERT encoder, packed for one kernel.
pub(super) struct Bert {
    kernel: Kernel,
    hidden: usize,
    inner: usize,
    attention: Attention,
    /// `[vocabulary, hidden]`.
    words: Vec<f32>,
    /// `[positions, hidden]`, with the embedding of token type 0 added.
    positions: Vec<f32>,
    /// What token type 1 has more than type 0, `[hidden]`; empty where there is only one type.
    second: Vec<f32>,
    norm: LayerNorm,
    layers: Vec<Layer>,
    /// Buffers of earlier calls.
    spare: Mutex<Vec<Scratch>>,
}

/// The tokens of a text, or of two texts of which the second begins after `first` tokens.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    pub ids: &'a [u32],
    pub first: usize,
}

impl<'a> Sequence<'a> {
    /// One text.
    pub(super) fn one(ids: &'a [u32]) -> Self {
        Self { ids, first: ids.len() }
    }
}

/// Buffers of one forward pass, kept for the next.
#[derive(Default)]
struct Scratch {
    hidden: Vec<f32>,
    words: Vec<u32>,
    projected: Vec<u32>,
    context: Vec<u32>,
    inner: Vec<u32>,
    attention: attention::Scratch,
}

impl Bert {
    /// Whether [`Bert`] computes what this configuration says.
    pub(super) fn covers(config: &Config) -> bool {
        config.hidden_act == HiddenAct::Gelu
    }

    /// Reads and packs `model.safetensors`; every tensor must have the shape that `config` says.
    pub(super) fn load(path: &Path, config: &Config, kernel: Kernel) -> Result<Self> {
        weights::load(path, config, kernel)
    }

    /// Bytes that the weights take in memory.
    pub(super) fn bytes(&self) -> usize {
        let layers = self.layers.iter().flat_map(|layer| [&layer.project, &layer.output, &layer.up, &layer.down]);
        let packed: usize = layers.map(|linear| linear.weights.bytes() + linear.bias.len() * size_of::<f32>()).sum();
        packed + (self.words.len() + self.positions.len()) * size_of::<f32>()
    }

    /// Runs texts and gives `take` the last hidden states, `[tokens, hidden]`, of all of them.
    pub(super) fn forward<R>(
        &self,
        texts: &[Sequence<'_>],
        cancel: &Cancel,
        take: impl FnOnce(&[f32]) -> Result<R>,
    ) -> Result<R> {
        let mut scratch = self.spare.lock().map_or_else(|_| None, |mut spare| spare.pop()).unwrap_or_default();
        let result = self.run(texts, &mut scratch, cancel).and_then(|()| {
            let tokens: usize = texts.iter().map(|text| text.ids.len()).sum();
            take(&scratch.hidden[..tokens * self.hidden])
        });
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(scratch);
        }
        result
    }

    /// Leaves the last hidden states in `scratch.hidden`.
    fn run(&self, texts: &[Sequence<'_>], scratch: &mut Scratch, cancel: &Cancel) -> Result<()> {
        let kernel = self.kernel;
        let tokens: usize = texts.iter().map(|text| text.ids.len()).sum();
        let width = kernel.words(self.hidden);
        let attended = self.attention.context_words(kernel);
        let inner = kernel.words(self.inner);
        let Scratch { hidden, words, projected, context, inner: activated, attention } = scratch;
        let hidden = at_least(hidden, tokens * self.hidden);
        let words = at_least(words, tokens * width);
        let projected = at_least(projected, tokens * 3 * attended);
        let context = at_least(context, tokens * attended);
        let activated = at_least(activated, ROWS_PER_BLOCK.min(tokens) * inner);
        let check = || stop_if(cancel);

        self.look_up(texts, hidden)?;
        kernel.layer_norm(hidden, &self.norm, words);
        for layer in &self.layers {
            let blocks = words.chunks(ROWS_PER_BLOCK * width).zip(projected.chunks_mut(ROWS_PER_BLOCK * 3 * attended));
            for (input, output) in blocks {
                check()?;
                let rows = input.len() / width;
                let Linear { weights, bias } = &layer.project;
                let finish = Finish::Words { bias, gelu: false, output, stride: 3 * attended };
                kernel.multiply(input, width, rows, weights, finish);
            }
            let mut first = 0;
            for Sequence { ids, .. } in texts {
                let input = &projected[first * 3 * attended..][..ids.len() * 3 * attended];
                let output = &mut context[first * attended..][..ids.len() * attended];
                self.attention.run(kernel, input, output, attention, cancel)?;
                first += ids.len();
            }
            let blocks = hidden
                .chunks_mut(ROWS_PER_BLOCK * self.hidden)
                .zip(words.chunks_mut(ROWS_PER_BLOCK * width))
                .zip(context.chunks(ROWS_PER_BLOCK * attended));
            for ((hidden, words), context) in blocks {
                check()?;
                let rows = hidden.len() / self.hidden;
                let Layer { output, attention_norm, up, down, norm, .. } = layer;
                let finish = Finish::Add { bias: &output.bias, output: hidden, stride: self.hidden };
                kernel.multiply(context, attended, rows, &output.weights, finish);
                kernel.layer_norm(hidden, attention_norm, words);
                let finish = Finish::Words { bias: &up.bias, gelu: true, output: activated, stride: inner };
                kernel.multiply(words, width, rows, &up.weights, finish);
                check()?;
                let finish = Finish::Add { bias: &down.bias, output: hidden, stride: self.hidden };
                kernel.multiply(activated, inner, rows, &down.weights, finish);
                kernel.layer_norm(hidden, norm, words);
            }
        }
        Ok(())
    }

    /// Sums of word, position and type embeddings.
    fn look_up(&self, texts: &[Sequence<'_>], hidden: &mut [f32]) -> Result<()> {
        let refuse = |reason: String| Error::Tokenizer(reason);
        let mut rows = hidden.chunks_exact_mut(self.hidden);
        for &Sequence { ids, first } in texts {
            if ids.len() * self.hidden > self.positions.len() {
                let most = self.positions.len() / self.hidden;
                return Err(refuse(format!("it gave {} tokens, the model has {most} positions", ids.len())));
            }
            let positions = self.positions.chunks_exact(self.hidden);
            for (at, ((&id, position), row)) in ids.iter().zip(positions).zip(&mut rows).enumerate() {
                let from = id as usize * self.hidden;
                let Some(word) = self.words.get(from..from + self.hidden) else {
                    let most = self.words.len() / self.hidden;
                    return Err(refuse(format!("it gave the token {id}, the model has {most}")));
                };
                for ((value, word), position) in row.iter_mut().zip(word).zip(position) {
                    *value = word + position;
                }
                if at >= first {
                    row.iter_mut().zip(&self.second).for_each(|(value, second)| *value += second);
                }
            }
        }
        Ok(())
    }
}

/// The first `length` elements, grown to that where the buffer is shorter.
fn at_least<T: Clone + Default>(buffer: &mut Vec<T>, length: usize) -> &mut [T] {
    if buffer.len() < length {
        buffer.resize(length, T::default());
    }
    &mut buffer[..length]
}

fn stop_if(cancel: &Cancel) -> Result<()> {
    if cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
}
