//! Quantised matrix products and attention of our own, chosen at run time: scalar, AVX2, AVX-512 VNNI.
//!
//! Weights of Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K are packed once, at load, so that sixteen rows are
//! computed side by side; activations are quantised to 8 bits as GGML does it for the type of the weights, in blocks of 32
//! or 256. All kernels sum in one fixed order with fused multiply-adds: they give the same bits on every processor, for
//! every number of rows and threads.

mod activations;
mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod distance;
mod exponential;
pub mod gemm;
mod matrix;
mod scalar;

pub use activations::{Activations, Rounding};
pub use attention::attend;
pub use matrix::PackedMatrix;

/// Weights per block: one scale each.
const BLOCK: usize = 32;

/// Rows that are computed side by side.
const ROWS: usize = 16;

/// Columns of activations that are computed with one reading of the weights.
const TILE: usize = 8;

/// What a kernel computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

impl Instructions {
    /// The best of this processor for codes of so many bits.
    fn best(bits: matrix::Bits) -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni");
            if avx512 {
                return Self::Avx512Vnni;
            }
            if bits == matrix::Bits::Four
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
            {
                return Self::Avx2;
            }
        }
        let _ = bits;
        Self::Scalar
    }
}
