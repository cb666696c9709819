//! Causal attention with grouped queries (Vaswani et al. 2017, Ainslie et al. 2023) over a session's keys and values.
//!
//! On the CPU each query is computed alone and in a fixed order, so that its result does not depend on the block that
//! it came in: a prompt read in one go, in blocks or behind a cached prefix gives the same bits, and so the same
//! seed gives the same text.

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use candle_nn::ops::softmax_last_dim;
use rayon::prelude::*;

use crate::kernels;

/// Below this many multiplications one thread is faster than waking others.
const PARALLEL_WORK: usize = 1 << 16;

/// `queries` `[heads, count, length]`, `keys` and `values` `[key_value_heads, total, length]`, of which the queries are
/// the last `count`. Returns `[count, heads * length]`.
pub(super) fn attend(queries: &Tensor, keys: &Tensor, values: &Tensor) -> Result<Tensor> {
    match queries.device() {
        Device::Cpu => queries.apply_op3_no_bwd(keys, values, &CpuAttention),
        device => on_device(queries, keys, values, device),
    }
}

struct CpuAttention;

impl CustomOp3 for CpuAttention {
    fn name(&self) -> &'static str {
        "causal-attention"
    }

    fn cpu_fwd(
        &self,
        queries: &CpuStorage,
        query_layout: &Layout,
        keys: &CpuStorage,
        key_layout: &Layout,
        values: &CpuStorage,
        value_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (heads, count, length) = query_layout.shape().dims3()?;
        let (key_value_heads, total, _) = key_layout.shape().dims3()?;
        let rows_are_contiguous = |layout: &Layout| layout.stride()[1..] == [length, 1];
        if !query_layout.is_contiguous()
            || !rows_are_contiguous(key_layout)
            || !rows_are_contiguous(value_layout)
            || key_layout.shape() != value_layout.shape()
            || key_layout.shape().dims3()?.2 != length
            || total < count
            || !heads.is_multiple_of(key_value_heads)
        {
            bail!("attention over {query_layout:?}, {key_layout:?} and {value_layout:?}")
        }
        let queries = &queries.as_slice::<f32>()?[query_layout.start_offset()..];
        let (keys, values) = (keys.as_slice::<f32>()?, values.as_slice::<f32>()?);
        let of_head = |layout: &Layout, head: usize| {
            let start = layout.start_offset() + head * layout.stride()[0];
            start..start + total * length
        };

        let group = heads / key_value_heads;
        let scale = 1.0 / (length as f32).sqrt();
        let mut output = vec![0f32; count * heads * length];
        let one = |scores: &mut Vec<f32>, (index, output): (usize, &mut [f32])| {
            let (row, head) = (index / heads, index % heads);
            let query = &queries[(head * count + row) * length..][..length];
            let visible = (total - count + row + 1) * length;
            let keys = &keys[of_head(key_layout, head / group)][..visible];
            let values = &values[of_head(value_layout, head / group)][..visible];
            kernels::attend(query, keys, values, scale, scores, output);
        };
        if heads * count * total * length < PARALLEL_WORK {
            let mut scores = Vec::new();
            output.chunks_exact_mut(length).enumerate().for_each(|item| one(&mut scores, item));
        } else {
            output.par_chunks_exact_mut(length).enumerate().for_each_init(Vec::new, one);
        }
        Ok((CpuStorage::F32(output), Shape::from((count, heads * length))))
    }
}

fn on_device(queries: &Tensor, keys: &Tensor, values: &Tensor, device: &Device) -> Result<Tensor> {
    let (heads, count, length) = queries.dims3()?;
    let (key_value_heads, total, _) = keys.dims3()?;
    let group = heads / key_value_heads;
    // The queries of one group share their keys: they are rows of one product, and nothing is repeated.
    let queries = (queries.reshape((key_value_heads, group * count, length))? * (1.0 / (length as f64).sqrt()))?;
    let scores = queries.matmul(&keys.t()?)?.reshape((heads, count, total))?;
    let scores = if count == 1 { scores } else { scores.broadcast_add(&causal_mask(count, total, device)?)? };
    let weights = softmax_last_dim(&scores)?.reshape((key_value_heads, group * count, total))?;
    let mixed = weights.matmul(values)?.reshape((heads, count, length))?;
    mixed.transpose(0, 1)?.reshape((count, heads * length))
}

/// `[count, total]`: 0 where a token may look, minus infinity at what comes after it.
fn causal_mask(count: usize, total: usize, device: &Device) -> Result<Tensor> {
    let before = total - count;
    let rows = (0..count)
        .flat_map(|row| (0..total).map(move |column| if column <= before + row { 0f32 } else { f32::NEG_INFINITY }));
    Tensor::from_iter(rows, device)?.reshape((count, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(shape: (usize, usize, usize), seed: u64) -> Tensor {
        use rand::{Rng, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<f32> = (0..shape.0 * shape.1 * shape.2).map(|_| random.random::<f32>() * 4.0 - 2.0).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn the_cpu_equals_tensor_operations() {
        for (heads, key_value_heads, count, total, length) in
            [(4, 2, 1, 1, 8), (9, 3, 1, 70, 64), (6, 1, 5, 5, 20), (4, 4, 7, 33, 64), (8, 2, 64, 200, 40)]
        {
            let queries = random((heads, count, length), 1);
            // Keys and values are views of a larger cache.
            let keys = random((key_value_heads, total + 13, length), 2).narrow(1, 0, total).unwrap();
            let values = random((key_value_heads, total + 13, length), 3).narrow(1, 0, total).unwrap();
            let ours: Vec<f32> = attend(&queries, &keys, &values).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let expected = on_device(&queries, &keys, &values, &Device::Cpu).unwrap();
            let expected: Vec<f32> = expected.flatten_all().unwrap().to_vec1().unwrap();
            let worst = ours.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-6, "{heads} heads, {count} of {total}: {worst}");
        }
    }
}
