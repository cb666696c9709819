//! Rotary position embedding (Su et al. 2021): the angles of positions, and turning queries and keys by them.

use candle_core::{Device, Tensor};
use candle_nn::rotary_emb::{rope, rope_i};

use super::Config;
use crate::Result;
use crate::weights::gguf::Gguf;

/// Which two values of a head turn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::arch) enum RotaryStyle {
    /// Neighbours 2i and 2i+1: how GGUF files of the llama family are written.
    Neighbours,
    /// i and i + half.
    Halves,
}

/// How fast each pair of values turns, in radians per position.
pub(super) struct Rotary {
    frequencies: Vec<f64>,
    style: RotaryStyle,
}

impl Rotary {
    pub(super) fn new(gguf: &Gguf, config: &Config, device: &Device) -> Result<Self> {
        let half = config.head_length / 2;
        // Llama 3.1 and later stretch each frequency by a factor of its own.
        let factors = if gguf.tensors().contains_key("rope_freqs.weight") {
            gguf.tensor_of_shape("rope_freqs.weight", &[half], device)?.dequantize(device)?.to_vec1::<f32>()?
        } else {
            vec![1.0; half]
        };
        let frequency = |(at, &factor): (usize, &f32)| {
            let plain = config.rotary_base.powf(-2.0 * at as f64 / config.head_length as f64);
            plain / (f64::from(factor) * config.rotary_scale)
        };
        Ok(Self { frequencies: factors.iter().enumerate().map(frequency).collect(), style: config.rotary_style })
    }

    /// The angles of `count` positions from `start`.
    pub(super) fn angles(&self, start: usize, count: usize, device: &Device) -> candle_core::Result<Angles> {
        let table = |function: fn(f64) -> f64| {
            let positions = (start..start + count).map(|position| position as f64);
            let values: Vec<f32> = positions
                .flat_map(|position| {
                    self.frequencies.iter().map(move |frequency| function(position * frequency) as f32)
                })
                .collect();
            Tensor::from_vec(values, (count, self.frequencies.len()), device)
        };
        Ok(Angles { cosines: table(f64::cos)?, sines: table(f64::sin)?, style: self.style })
    }
}

/// Cosines and sines of some positions, each `[count, head_length / 2]`.
pub(super) struct Angles {
    cosines: Tensor,
    sines: Tensor,
    style: RotaryStyle,
}

impl Angles {
    /// Turns `[heads, count, head_length]`, contiguous.
    pub(super) fn apply(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        let input = input.unsqueeze(0)?;
        let turned = match self.style {
            RotaryStyle::Neighbours => rope_i(&input, &self.cosines, &self.sines)?,
            RotaryStyle::Halves => rope(&input, &self.cosines, &self.sines)?,
        };
        turned.squeeze(0)
    }
}
