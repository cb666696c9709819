//! What a model has read so far: its tokens and their keys and values in every layer.

use candle_core::{DType, Device, Tensor};

use crate::Result;

/// Room is made for this many tokens at first, then doubled, up to the context's length.
const FIRST_CAPACITY: usize = 256;

/// A model's memory of one text. It belongs to the weights that made it.
pub struct Session {
    tokens: Vec<u32>,
    layers: Vec<LayerCache>,
    shape: CacheShape,
    capacity: usize,
}

#[derive(Clone, Copy)]
pub(super) struct CacheShape {
    pub layers: usize,
    pub key_value_heads: usize,
    pub head_length: usize,
    pub context_length: usize,
}

/// Keys and values, each `[key_value_heads, capacity, head_length]`, f32.
struct LayerCache {
    keys: Tensor,
    values: Tensor,
}

impl Session {
    pub(super) fn new(shape: CacheShape) -> Self {
        Self { tokens: Vec::new(), layers: Vec::new(), shape, capacity: 0 }
    }

    /// The tokens it holds.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Memory of the keys and values, in bytes.
    pub fn size_bytes(&self) -> usize {
        2 * size_of::<f32>() * self.shape.layers * self.shape.key_value_heads * self.shape.head_length * self.capacity
    }

    /// Forgets all tokens after the first `length`; what remains need not be computed again.
    pub fn truncate(&mut self, length: usize) {
        self.tokens.truncate(length);
    }

    /// How many tokens at the start of `tokens` this session already holds.
    pub fn common_prefix(&self, tokens: &[u32]) -> usize {
        self.tokens.iter().zip(tokens).take_while(|(held, wanted)| held == wanted).count()
    }

    /// A session of its own that holds the same tokens.
    pub fn fork(&self) -> Result<Self> {
        let copy = |layer: &LayerCache| -> Result<LayerCache> {
            Ok(LayerCache { keys: layer.keys.copy()?, values: layer.values.copy()? })
        };
        let layers = self.layers.iter().map(copy).collect::<Result<_>>()?;
        Ok(Self { tokens: self.tokens.clone(), layers, shape: self.shape, capacity: self.capacity })
    }

    /// Makes room for `count` more tokens.
    pub(super) fn reserve(&mut self, count: usize, device: &Device) -> Result<()> {
        let needed = self.len() + count;
        if needed <= self.capacity {
            return Ok(());
        }
        let capacity = needed.max(FIRST_CAPACITY).next_power_of_two().min(self.shape.context_length.max(needed));
        let empty =
            || Tensor::zeros((self.shape.key_value_heads, capacity, self.shape.head_length), DType::F32, device);
        let mut layers = Vec::with_capacity(self.shape.layers);
        for layer in 0..self.shape.layers {
            let (keys, values) = (empty()?, empty()?);
            if let Some(old) = self.layers.get(layer).filter(|_| !self.is_empty()) {
                keys.slice_set(&old.keys.narrow(1, 0, self.len())?.contiguous()?, 1, 0)?;
                values.slice_set(&old.values.narrow(1, 0, self.len())?.contiguous()?, 1, 0)?;
            }
            layers.push(LayerCache { keys, values });
        }
        self.layers = layers;
        self.capacity = capacity;
        Ok(())
    }

    /// Writes a layer's keys and values (`[key_value_heads, count, head_length]`, contiguous) behind what the session
    /// holds, and returns views of all of them. They count only after [`Session::commit`].
    pub(super) fn append(&self, layer: usize, keys: &Tensor, values: &Tensor) -> candle_core::Result<(Tensor, Tensor)> {
        let cache = &self.layers[layer];
        let (start, count) = (self.len(), keys.dim(1)?);
        cache.keys.slice_set(keys, 1, start)?;
        cache.values.slice_set(values, 1, start)?;
        Ok((cache.keys.narrow(1, 0, start + count)?, cache.values.narrow(1, 0, start + count)?))
    }

    pub(super) fn commit(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
    }
}
