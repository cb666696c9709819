//! A weight matrix packed for the kernels, sixteen rows side by side.

mod formats;

use candle_core::quantized::GgmlDType;
use half::f16;
use rayon::prelude::*;

use self::formats::Format;
use super::{Activations, BLOCK, Instructions, ROWS, Rounding, TILE, scalar};

/// Below this many multiplications one thread is faster than waking others.
const PARALLEL_WORK: usize = 1 << 17;

/// Width of a code in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
    Four,
    Eight,
}

impl Bits {
    /// Lines of 64 bytes per block of sixteen rows.
    pub(super) fn lines(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// Sixteen rows, four bytes of each.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub [u8; 64]);

/// Blocks of one group of sixteen rows: what a kernel reads.
pub(super) struct Group<'a> {
    pub bits: Bits,
    /// Subtracted from each code.
    pub offset: i32,
    /// `[blocks, bits.lines()]`. Four bits: line j holds the values 4j..4j+4 of each row in the low and 16+4j..20+4j in
    /// the high halves of its bytes. Eight bits: line j holds the values 4j..4j+4.
    pub lines: &'a [Line],
    /// `[blocks, 16]`, or `[blocks, 2, 16]` with `halves`
    pub scales: &'a [f16],
    /// The first sixteen weights of a block and the others have scales of their own.
    pub halves: bool,
    /// `[blocks, 16]`, or empty: added to each weight.
    pub minima: &'a [f16],
}

/// A matrix `[rows, columns]` of quantised weights: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K.
pub struct PackedMatrix {
    rows: usize,
    columns: usize,
    bits: Bits,
    offset: i32,
    halves: bool,
    rounding: Rounding,
    lines: Vec<Line>,
    scales: Vec<f16>,
    minima: Vec<f16>,
    instructions: Instructions,
}

impl PackedMatrix {
    /// Packs the blocks of a GGUF tensor, row after row. None when there is no kernel for this type, or none on this
    /// processor that beats the stock one.
    pub fn pack(dtype: GgmlDType, bytes: &[u8], rows: usize, columns: usize) -> Option<Self> {
        match Instructions::best(Format::of(dtype)?.bits) {
            Instructions::Scalar => None,
            instructions => Self::pack_for(instructions, dtype, bytes, rows, columns),
        }
    }

    fn pack_for(
        instructions: Instructions,
        dtype: GgmlDType,
        bytes: &[u8],
        rows: usize,
        columns: usize,
    ) -> Option<Self> {
        let format = Format::of(dtype)?;
        let Format { bits, offset, halves, .. } = format;
        let blocks = columns / BLOCK;
        let fits = rows > 0
            && blocks > 0
            && columns.is_multiple_of(format.values)
            && rows.checked_mul(columns / format.values)?.checked_mul(format.bytes)? == bytes.len();
        if !fits {
            return None;
        }
        let groups = rows.div_ceil(ROWS);
        let per_block = if halves { 2 * ROWS } else { ROWS };
        let mut lines = vec![Line([0; 64]); groups * blocks * bits.lines()];
        let mut scales = vec![f16::ZERO; groups * blocks * per_block];
        let mut minima = vec![f16::ZERO; if format.minima { groups * blocks * ROWS } else { 0 }];
        let inner = format.values / BLOCK;
        for (index, source) in bytes.chunks_exact(format.bytes).enumerate() {
            for within in 0..inner {
                let (row, block) = (index / (blocks / inner), index % (blocks / inner) * inner + within);
                let at = (row / ROWS) * blocks + block;
                let lane = row % ROWS;
                let unpacked = (format.unpack)(source, within);
                scales[at * per_block + lane] = unpacked.scales[0];
                if halves {
                    scales[at * per_block + ROWS + lane] = unpacked.scales[1];
                }
                if format.minima {
                    minima[at * ROWS + lane] = unpacked.minimum;
                }
                let lines = &mut lines[at * bits.lines()..][..bits.lines()];
                for (number, line) in lines.iter_mut().enumerate() {
                    for byte in 0..4 {
                        let low = unpacked.codes[number * 4 + byte];
                        line.0[lane * 4 + byte] = match bits {
                            Bits::Four => low | unpacked.codes[16 + number * 4 + byte] << 4,
                            Bits::Eight => low,
                        };
                    }
                }
            }
        }
        let rounding = if format.values == BLOCK { Rounding::Blocks32 } else { Rounding::Blocks256 };
        Some(Self { rows, columns, bits, offset, halves, rounding, lines, scales, minima, instructions })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How activations are rounded that this is multiplied with, so that results equal GGML's.
    pub fn rounding(&self) -> Rounding {
        self.rounding
    }

    fn blocks(&self) -> usize {
        self.columns / BLOCK
    }

    fn group(&self, index: usize) -> Group<'_> {
        let lines = self.blocks() * self.bits.lines();
        let of = |values: &[f16]| -> std::ops::Range<usize> {
            let each = values.len() / self.rows.div_ceil(ROWS);
            index * each..(index + 1) * each
        };
        Group {
            bits: self.bits,
            offset: self.offset,
            halves: self.halves,
            lines: &self.lines[index * lines..(index + 1) * lines],
            scales: &self.scales[of(&self.scales)],
            minima: &self.minima[of(&self.minima)],
        }
    }

    /// Writes the weights of one row to `output`, which is `columns` long.
    pub fn dequantise_row(&self, row: usize, output: &mut [f32]) {
        assert!(row < self.rows && output.len() == self.columns, "a row of this matrix");
        let group = self.group(row / ROWS);
        let lane = row % ROWS;
        for (block, output) in output.chunks_exact_mut(BLOCK).enumerate() {
            let minimum = group.minima.get(block * ROWS + lane).map_or(0.0, |minimum| minimum.to_f32());
            for (at, output) in output.iter_mut().enumerate() {
                let code = scalar::code(&group, block, lane, at) - self.offset;
                *output = code as f32 * scalar::scale(&group, block, lane, at) + minimum;
            }
        }
    }

    /// `input` `[count, columns]` times the transposed matrix: writes `[count, rows]` to `output`.
    pub fn multiply(&self, input: &Activations, output: &mut [f32]) {
        assert_eq!(input.columns, self.columns, "the input is as wide as the matrix");
        assert_eq!(output.len(), input.count * self.rows, "the output has a row for each row of the input");
        let parallel = input.count * self.rows * self.columns >= PARALLEL_WORK;
        let threads = if parallel { rayon::current_num_threads() } else { 1 };
        if input.count == 1 {
            let groups = self.rows.div_ceil(ROWS).div_ceil(threads);
            let work = |(chunk, output): (usize, &mut [f32])| {
                for (at, output) in output.chunks_mut(ROWS).enumerate() {
                    self.tile(chunk * groups + at, input, 0, 1, output, 0);
                }
            };
            if parallel {
                output.par_chunks_mut(groups * ROWS).enumerate().for_each(work);
            } else {
                output.chunks_mut(groups * ROWS).enumerate().for_each(work);
            }
        } else {
            let share = input.count.div_ceil(threads).next_multiple_of(TILE);
            let work = |(chunk, output): (usize, &mut [f32])| {
                let first = chunk * share;
                let count = output.len() / self.rows;
                for group in 0..self.rows.div_ceil(ROWS) {
                    for at in (0..count).step_by(TILE) {
                        let columns = TILE.min(count - at);
                        self.tile(group, input, first + at, columns, &mut output[at * self.rows..], group * ROWS);
                    }
                }
            };
            if parallel {
                output.par_chunks_mut(share * self.rows).enumerate().for_each(work);
            } else {
                output.chunks_mut(share * self.rows).enumerate().for_each(work);
            }
        }
    }

    /// Computes one group of rows for `count` inputs from `first` on; row r of input c goes to
    /// `output[c * rows + offset + r]`, as far as `output` reaches for a single input.
    fn tile(&self, group: usize, input: &Activations, first: usize, count: usize, output: &mut [f32], offset: usize) {
        let rows = ROWS.min(self.rows - group * ROWS);
        let sums = self.sums(&self.group(group), input, first, count);
        for (at, sums) in sums[..count].iter().enumerate() {
            output[at * self.rows + offset..][..rows].copy_from_slice(&sums[..rows]);
        }
    }

    fn sums(&self, group: &Group<'_>, input: &Activations, first: usize, count: usize) -> [[f32; ROWS]; TILE] {
        match self.instructions {
            Instructions::Scalar => scalar::tile(group, input, first, count),
            // SAFETY: `Instructions::best`, or a test, found these instructions on this processor.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { super::avx2::tile(group, input, first, count) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni => unsafe { super::avx512::tile(group, input, first, count) },
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::{QTensor, ggml_file};
    use candle_core::{Device, Tensor};
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};

    use super::*;

    const TYPES: [GgmlDType; 8] = [
        GgmlDType::Q4_0,
        GgmlDType::Q4_1,
        GgmlDType::Q5_0,
        GgmlDType::Q5_1,
        GgmlDType::Q8_0,
        GgmlDType::Q4K,
        GgmlDType::Q5K,
        GgmlDType::Q6K,
    ];

    fn random(count: usize, seed: u64) -> Vec<f32> {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| random.random::<f32>() * 2.0 - 1.0).collect()
    }

    fn quantised(dtype: GgmlDType, rows: usize, columns: usize, seed: u64) -> QTensor {
        let weights = Tensor::from_vec(random(rows * columns, seed), (rows, columns), &Device::Cpu).unwrap();
        QTensor::quantize(&weights, dtype).unwrap()
    }

    fn available(bits: Bits) -> Vec<Instructions> {
        let mut all = vec![Instructions::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if bits == Bits::Four
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
            {
                all.push(Instructions::Avx2);
            }
            if Instructions::best(bits) == Instructions::Avx512Vnni {
                all.push(Instructions::Avx512Vnni);
            }
        }
        all
    }

    fn product(matrix: &PackedMatrix, input: &Activations) -> Vec<f32> {
        let mut output = vec![f32::NAN; input.count * matrix.rows];
        matrix.multiply(input, &mut output);
        output
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_kernel_gives_the_bits_of_the_scalar_one(
            rows in 1usize..70, blocks in 1usize..9, count in 1usize..20, kind in 0..TYPES.len(), seed in 0u64..1000,
        ) {
            let dtype = TYPES[kind];
            let format = Format::of(dtype).unwrap();
            let columns = if format.values == BLOCK { blocks * BLOCK } else { blocks.div_ceil(3) * format.values };
            let weights = quantised(dtype, rows, columns, seed);
            let bytes = weights.data().unwrap();
            let rounding = if format.values == BLOCK { Rounding::Blocks32 } else { Rounding::Blocks256 };
            let input = Activations::quantise_as(rounding, &random(count * columns, seed + 1), columns);
            let bits = format.bits;
            let expected = PackedMatrix::pack_for(Instructions::Scalar, dtype, &bytes, rows, columns).unwrap();
            let expected = product(&expected, &input);
            for instructions in available(bits) {
                let packed = PackedMatrix::pack_for(instructions, dtype, &bytes, rows, columns).unwrap();
                prop_assert_eq!(&product(&packed, &input), &expected, "{:?}", instructions);
            }
        }
    }

    #[test]
    fn products_are_those_of_the_weights_within_the_error_of_eight_bits() {
        for dtype in TYPES {
            let (rows, columns, count) = (50, if Format::of(dtype).unwrap().values == BLOCK { 576 } else { 512 }, 9);
            let weights = quantised(dtype, rows, columns, 7);
            let exact = weights.dequantize(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
            let packed = PackedMatrix::pack_for(Instructions::Scalar, dtype, &weights.data().unwrap(), rows, columns);
            let packed = packed.unwrap();
            let mut row = vec![0.0; columns];
            for (at, exact) in exact.iter().enumerate() {
                packed.dequantise_row(at, &mut row);
                let worst = row.iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                // Scales of the K types are products, rounded to 11 bits.
                let most = if columns == 512 { 2e-3 } else { 1e-6 };
                assert!(worst < most, "{dtype:?} row {at}: {worst}");
            }
            let values = random(count * columns, 8);
            let output = product(&packed, &Activations::quantise_as(packed.rounding(), &values, columns));
            for (at, output) in output.iter().enumerate() {
                let (input, row) = (&values[at / rows * columns..][..columns], &exact[at % rows]);
                let expected: f32 = input.iter().zip(row).map(|(a, b)| a * b).sum();
                // 576 products of values up to 1, each rounded by at most 1/254.
                assert!((output - expected).abs() < 0.12, "{dtype:?}: {output} instead of {expected}");
            }
        }
    }

    #[test]
    fn a_tensor_of_another_size_is_not_packed() {
        assert!(PackedMatrix::pack_for(Instructions::Scalar, GgmlDType::Q4_1, &[0; 19], 1, 32).is_none());
        assert!(PackedMatrix::pack_for(Instructions::Scalar, GgmlDType::Q4_1, &[], 0, 32).is_none());
        assert!(PackedMatrix::pack_for(Instructions::Scalar, GgmlDType::Q4_0, &[0; 18], usize::MAX, 32).is_none());
        assert!(PackedMatrix::pack_for(Instructions::Scalar, GgmlDType::Q6K, &[0; 210], 1, 128).is_none());
        assert!(PackedMatrix::pack(GgmlDType::Q2K, &[0; 84], 1, 256).is_none());
    }

    #[test]
    fn greatest_values_do_not_overflow() {
        let (rows, columns) = (16, 4096);
        let block: Vec<u8> = f16::ONE.to_le_bytes().into_iter().chain([0x7f; 32]).collect();
        let bytes = block.repeat(rows * columns / BLOCK);
        ggml_file::qtensor_from_ggml(GgmlDType::Q8_0, &bytes, vec![rows, columns], &Device::Cpu).unwrap();
        let input = Activations::quantise_as(Rounding::Blocks32, &vec![1.0; columns], columns);
        for instructions in available(Bits::Eight) {
            let packed = PackedMatrix::pack_for(instructions, GgmlDType::Q8_0, &bytes, rows, columns).unwrap();
            let output = product(&packed, &input);
            // The input's scale, 1/127, is rounded to 11 bits.
            let near = |value: &f32| (value / (127.0 * 4096.0) - 1.0).abs() < 1.0 / 2048.0;
            assert!(output.iter().all(near), "{instructions:?} {output:?}");
        }
    }
}
