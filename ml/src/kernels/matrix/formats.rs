//! How GGML writes blocks of weights (ggml-common.h, ggml-quants.c of llama.cpp), read as blocks of 32 codes.

use candle_core::quantized::GgmlDType;
use half::f16;

use super::Bits;
use crate::kernels::BLOCK;

/// Thirty-two weights: `scale * (code - offset) + minimum`, the offset being that of the [`Format`].
pub(super) struct Unpacked {
    pub codes: [u8; BLOCK],
    /// Of the first sixteen weights and of the others; the same where the format has one for all.
    pub scales: [f16; 2],
    pub minimum: f16,
}

/// One type of weights.
#[derive(Clone, Copy)]
pub(super) struct Format {
    pub bits: Bits,
    /// Taken from each code.
    pub offset: i32,
    pub minima: bool,
    /// Sixteen weights have a scale of their own.
    pub halves: bool,
    /// Weights in one block of the file.
    pub values: usize,
    /// Bytes of one block of the file.
    pub bytes: usize,
    /// Thirty-two weights of a block of the file, by their place in it.
    pub unpack: fn(&[u8], usize) -> Unpacked,
}

impl Format {
    /// None where no kernel knows the type.
    pub fn of(dtype: GgmlDType) -> Option<Self> {
        let small = |bits, offset, minima, bytes, unpack| {
            Some(Self { bits, offset, minima, halves: false, values: BLOCK, bytes, unpack })
        };
        let large = |bits, offset, minima, halves, bytes, unpack| {
            Some(Self { bits, offset, minima, halves, values: 256, bytes, unpack })
        };
        match dtype {
            GgmlDType::Q4_0 => small(Bits::Four, 8, false, 18, q4_0),
            GgmlDType::Q4_1 => small(Bits::Four, 0, true, 20, q4_1),
            GgmlDType::Q5_0 => small(Bits::Eight, 16, false, 22, q5_0),
            GgmlDType::Q5_1 => small(Bits::Eight, 0, true, 24, q5_1),
            GgmlDType::Q8_0 => small(Bits::Eight, 128, false, 34, q8_0),
            GgmlDType::Q4K => large(Bits::Four, 0, true, false, 144, q4_k),
            GgmlDType::Q5K => large(Bits::Eight, 0, true, false, 176, q5_k),
            GgmlDType::Q6K => large(Bits::Eight, 32, false, true, 210, q6_k),
            _ => None,
        }
    }
}

fn half(bytes: &[u8], at: usize) -> f16 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Value i in the low half of byte i, value 16 + i in its high half.
fn nibbles(bytes: &[u8]) -> [u8; BLOCK] {
    std::array::from_fn(|at| if at < 16 { bytes[at] & 0x0f } else { bytes[at - 16] >> 4 })
}

fn plain(codes: [u8; BLOCK], scale: f16) -> Unpacked {
    Unpacked { codes, scales: [scale; 2], minimum: f16::ZERO }
}

fn q4_0(bytes: &[u8], _at: usize) -> Unpacked {
    plain(nibbles(&bytes[2..18]), half(bytes, 0))
}

fn q4_1(bytes: &[u8], _at: usize) -> Unpacked {
    Unpacked { minimum: half(bytes, 2), ..plain(nibbles(&bytes[4..20]), half(bytes, 0)) }
}

/// The fifth bits of 32 codes lie in four bytes, in order.
fn fifth(codes: [u8; BLOCK], bits: &[u8]) -> [u8; BLOCK] {
    std::array::from_fn(|at| codes[at] | (bits[at / 8] >> (at % 8) & 1) << 4)
}

fn q5_0(bytes: &[u8], _at: usize) -> Unpacked {
    plain(fifth(nibbles(&bytes[6..22]), &bytes[2..6]), half(bytes, 0))
}

fn q5_1(bytes: &[u8], _at: usize) -> Unpacked {
    let codes = fifth(nibbles(&bytes[8..24]), &bytes[4..8]);
    Unpacked { minimum: half(bytes, 2), ..plain(codes, half(bytes, 0)) }
}

/// Signed codes become unsigned ones, which the offset takes back.
fn q8_0(bytes: &[u8], _at: usize) -> Unpacked {
    plain(std::array::from_fn(|at| bytes[2 + at] ^ 0x80), half(bytes, 0))
}

/// Scale and minimum of one of eight blocks, of six bits each, from twelve bytes.
fn six_bits(scales: &[u8], at: usize) -> (u8, u8) {
    if at < 4 {
        (scales[at] & 63, scales[at + 4] & 63)
    } else {
        let low = scales[at + 4];
        (low & 0x0f | scales[at - 4] >> 6 << 4, low >> 4 | scales[at] >> 6 << 4)
    }
}

/// The block `at` of a K type with minima: two blocks share 32 bytes, one in their low and one in their high halves.
fn k_with_minima(bytes: &[u8], at: usize, codes: &[u8]) -> Unpacked {
    let (scale, minimum) = six_bits(&bytes[4..16], at);
    let pair = &codes[at / 2 * BLOCK..][..BLOCK];
    let codes = std::array::from_fn(|value| if at.is_multiple_of(2) { pair[value] & 0x0f } else { pair[value] >> 4 });
    let scale = f16::from_f32(half(bytes, 0).to_f32() * f32::from(scale));
    Unpacked { minimum: f16::from_f32(-half(bytes, 2).to_f32() * f32::from(minimum)), ..plain(codes, scale) }
}

fn q4_k(bytes: &[u8], at: usize) -> Unpacked {
    k_with_minima(bytes, at, &bytes[16..144])
}

fn q5_k(bytes: &[u8], at: usize) -> Unpacked {
    let block = k_with_minima(bytes, at, &bytes[48..176]);
    // Bit b of byte i is the fifth bit of value i of block b.
    let codes = std::array::from_fn(|value| block.codes[value] | (bytes[16 + value] >> at & 1) << 4);
    Unpacked { codes, ..block }
}

fn q6_k(bytes: &[u8], at: usize) -> Unpacked {
    // Four blocks share 64 bytes with the low four bits of their codes, and 32 bytes with the two high ones.
    let (group, quarter) = (at / 4, at % 4);
    let low = &bytes[group * 64 + quarter % 2 * BLOCK..][..BLOCK];
    let high = &bytes[128 + group * BLOCK..][..BLOCK];
    let codes = std::array::from_fn(|value| {
        let low = if quarter < 2 { low[value] & 0x0f } else { low[value] >> 4 };
        low | (high[value] >> (2 * quarter) & 3) << 4
    });
    let scale = half(bytes, 208).to_f32();
    let of = |at: usize| f16::from_f32(scale * f32::from(bytes[192 + at] as i8));
    let first = group * 8 + quarter * 2;
    Unpacked { codes, scales: [of(first), of(first + 1)], minimum: f16::ZERO }
}
