//! Dense matrix products for encoders, with what surrounds them fused in: bias, GELU, residual, layer norm, softmax.
//!
//! The inner dimension is read in *words* of 32 bits: one f32, or two bf16 where the processor multiplies those
//! (`vdpbf16ps`). Inputs are rows of words; the other side is packed into panels of up to 48 columns, so that each step
//! reads whole cache lines. Sums are f32 and run over the inner dimension in order: a row's result does not depend on
//! the rows computed beside it. Chosen at run time: AVX-512 bf16, AVX-512 f32, AVX2 with FMA, and plain code.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod elementwise;
mod panels;
mod scalar;
#[cfg(test)]
mod tests;

pub use panels::Panels;

use elementwise::gelu;

/// Columns of a full panel.
const PANEL: usize = 48;
/// Lanes that every width is a multiple of.
const LANES: usize = 16;
/// Rows that are computed with one reading of a panel.
const TILE: usize = 8;

/// Results of one panel for up to [`TILE`] rows.
type Tile = [[f32; PANEL]; TILE];

/// What products are computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
}

impl Kernel {
    /// The fastest of this processor: bf16 inputs where it multiplies those, else f32.
    pub fn best() -> Self {
        Self::available().pop().expect("plain code is always there")
    }

    /// The fastest of this processor that keeps inputs in f32.
    pub fn best_f32() -> Self {
        Self::available().into_iter().rfind(|kernel| !kernel.pairs()).expect("plain code is always there")
    }

    /// All that this processor can run, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self(Instructions::Scalar)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self(Instructions::Avx2));
            }
            if is_x86_feature_detected!("avx512f") {
                all.push(Self(Instructions::Avx512));
                if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512bf16") {
                    all.push(Self(Instructions::Avx512Bf16));
                }
            }
        }
        all
    }

    /// Whether a word holds two bf16 rather than one f32.
    pub fn pairs(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.0 == Instructions::Avx512Bf16 {
            return true;
        }
        false
    }

    /// Words that hold so many values.
    pub fn words(self, values: usize) -> usize {
        if self.pairs() { values.div_ceil(2) } else { values }
    }

    /// Writes `values` as words; the half of a last word without a value is zero.
    pub fn to_words(self, values: &[f32], words: &mut [u32]) {
        assert_eq!(words.len(), self.words(values.len()), "a word for each value or pair");
        self.run(ToWords { values, words });
    }

    /// `input` (rows of `stride` words, of which the panels' steps are read) times the panels; what becomes of the
    /// results says `finish`.
    pub fn multiply(self, input: &[u32], stride: usize, rows: usize, panels: &Panels, finish: Finish<'_>) {
        assert!(stride >= panels.steps() && (rows == 0 || input.len() >= (rows - 1) * stride + panels.steps()));
        self.run(Product { input, stride, rows, panels, finish });
    }

    /// Layer norm of each row of `values`, in place, and the same as words: `(x - mean) / √(variance + epsilon) · gain +
    /// bias`, as in Ba et al. 2016 (<https://arxiv.org/abs/1607.06450>).
    pub fn layer_norm(self, values: &mut [f32], norm: &LayerNorm, words: &mut [u32]) {
        self.run(elementwise::Normalise { values, norm, words });
    }

    /// Softmax of the first `count` of `width` scores of each row, times `scale`, as words that are still to be divided
    /// by their sum; `inverse` gets one over it. What comes after `count` counts as nothing.
    pub fn softmax(
        self,
        scores: &mut [f32],
        width: usize,
        count: usize,
        scale: f32,
        words: &mut [u32],
        inverse: &mut [f32],
    ) {
        assert!(width.is_multiple_of(LANES) && count <= width);
        self.run(elementwise::Softmax { scores, width, count, scale, words, inverse });
    }

    fn run<O: Operation>(self, operation: O) {
        match self.0 {
            Instructions::Scalar => operation.run::<scalar::Scalar>(),
            // SAFETY: `Kernel::available` found these instructions on this processor; there is no other way to a value.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::enter(operation) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::enter(operation) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Bf16 => unsafe { avx512::enter_bf16(operation) },
        }
    }
}

/// What becomes of a product. `stride` is the length of an output row.
pub enum Finish<'a> {
    /// `output = product`, as f32.
    Store { output: &'a mut [f32], stride: usize },
    /// `output += product + bias`: the residual.
    Add { bias: &'a [f32], output: &'a mut [f32], stride: usize },
    /// `product + bias` as words, through GELU (with the error function) where `gelu` is set.
    Words { bias: &'a [f32], gelu: bool, output: &'a mut [u32], stride: usize },
    /// `product · factors[row]` as words.
    Scaled { factors: &'a [f32], output: &'a mut [u32], stride: usize },
}

/// Parameters of a layer norm over rows as long as `gain`.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    pub gain: Vec<f32>,
    pub bias: Vec<f32>,
    pub epsilon: f32,
}

/// Instructions that the operations are compiled for.
trait Isa {
    /// Whether a word holds two bf16.
    const PAIRS: bool;

    /// `a · b + c`, rounded once where the processor does that as fast.
    fn mul_add(a: f32, b: f32, c: f32) -> f32;

    /// `values` as words.
    fn store(values: &[f32], words: &mut [u32]);

    /// The first `ROWS` rows of `tile`: `ROWS` rows of words, `stride` apart, times `steps` steps of a panel that is
    /// `VECTORS · 16` wide.
    ///
    /// # Safety
    /// `input` must be readable for `(ROWS - 1) · stride + steps` words and `panel` for `steps · VECTORS · 16`, aligned
    /// to 64 bytes; the processor must have the instructions.
    unsafe fn tile<const ROWS: usize, const VECTORS: usize>(
        input: *const u32,
        stride: usize,
        panel: *const u32,
        steps: usize,
        tile: &mut Tile,
    );
}

/// Work that is compiled once for each [`Isa`], inside a function that has its instructions.
trait Operation {
    fn run<I: Isa>(self);
}

struct ToWords<'a> {
    values: &'a [f32],
    words: &'a mut [u32],
}

impl Operation for ToWords<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        I::store(self.values, self.words);
    }
}

struct Product<'a> {
    input: &'a [u32],
    stride: usize,
    rows: usize,
    panels: &'a Panels,
    finish: Finish<'a>,
}

impl Operation for Product<'_> {
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let mut tile = [[0.0; PANEL]; TILE];
        for index in 0..self.panels.count() {
            let (panel, width) = self.panels.panel(index);
            let first = index * PANEL;
            let used = width.min(self.panels.columns() - first);
            let mut row = 0;
            while row < self.rows {
                let left = self.rows - row;
                let count = if left >= TILE { TILE } else { 1 << left.ilog2() };
                match width / LANES {
                    3 => self.tile::<I, 3>(row, count, panel, &mut tile),
                    2 => self.tile::<I, 2>(row, count, panel, &mut tile),
                    _ => self.tile::<I, 1>(row, count, panel, &mut tile),
                }
                // The usual widths as constants, so that the loops over them have no rest.
                match used {
                    PANEL => self.finish.write::<I>(&mut tile[..count], row, first, PANEL),
                    32 => self.finish.write::<I>(&mut tile[..count], row, first, 32),
                    _ => self.finish.write::<I>(&mut tile[..count], row, first, used),
                }
                row += count;
            }
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn tile<I: Isa, const VECTORS: usize>(&self, row: usize, count: usize, panel: &[u32], tile: &mut Tile) {
        let steps = self.panels.steps();
        assert!(panel.len() == steps * VECTORS * LANES);
        let input = &self.input[row * self.stride..(row + count - 1) * self.stride + steps];
        let (input, panel) = (input.as_ptr(), panel.as_ptr());
        // SAFETY: both slices were just checked to be as long as the tile reads, panels are aligned, and this code runs
        // only inside the `enter` of `I`, whose caller found the instructions.
        unsafe {
            match count {
                8 => I::tile::<8, VECTORS>(input, self.stride, panel, steps, tile),
                4 => I::tile::<4, VECTORS>(input, self.stride, panel, steps, tile),
                2 => I::tile::<2, VECTORS>(input, self.stride, panel, steps, tile),
                _ => I::tile::<1, VECTORS>(input, self.stride, panel, steps, tile),
            }
        }
    }
}

impl Finish<'_> {
    /// Takes over the first `used` results of each row of `tile`, which begin at row `row` and column `first`.
    #[inline(always)]
    fn write<I: Isa>(&mut self, tile: &mut [[f32; PANEL]], row: usize, first: usize, used: usize) {
        let (word, words) = if I::PAIRS { (first / 2, used.div_ceil(2)) } else { (first, used) };
        for (at, results) in tile.iter_mut().enumerate() {
            let (row, results) = (row + at, &mut results[..used]);
            match self {
                Self::Store { output, stride } => {
                    output[row * *stride + first..][..used].copy_from_slice(results);
                }
                Self::Add { bias, output, stride } => {
                    let output = &mut output[row * *stride + first..][..used];
                    for ((output, result), bias) in output.iter_mut().zip(results).zip(&bias[first..][..used]) {
                        *output += *result + bias;
                    }
                }
                Self::Words { bias, gelu: activate, output, stride } => {
                    for (result, bias) in results.iter_mut().zip(&bias[first..][..used]) {
                        *result += bias;
                    }
                    if *activate {
                        results.iter_mut().for_each(|result| *result = gelu::<I>(*result));
                    }
                    I::store(results, &mut output[row * *stride + word..][..words]);
                }
                Self::Scaled { factors, output, stride } => {
                    let factor = factors[row];
                    results.iter_mut().for_each(|result| *result *= factor);
                    I::store(results, &mut output[row * *stride + word..][..words]);
                }
            }
        }
    }
}
