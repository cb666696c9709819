//! Parses a GGUF header from hostile bytes: every length is checked against what is left before it is believed.

use std::collections::hash_map::Entry;

use candle_core::quantized::GgmlDType;

use super::{Header, TensorInfo, Value};

const MAGIC: &[u8; 4] = b"GGUF";
/// Real models stay far below each of these; a file beyond them is damaged or hostile.
const MAX_TENSORS: u64 = 65_536;
const MAX_KEYS: u64 = 16_384;
const MAX_STRING_BYTES: u64 = 8 << 20;
const MAX_ALL_STRING_BYTES: u64 = 256 << 20;
const MAX_ALL_VALUES: u64 = 8 << 20;
const MAX_DIMENSIONS: u32 = 4;
const MAX_ARRAY_DEPTH: usize = 4;
const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_ALIGNMENT: u64 = 65_536;

type Parsed<T> = Result<T, String>;

pub(super) fn parse(bytes: &[u8]) -> Parsed<Header> {
    let mut reader = Reader { bytes, at: 0, values_left: MAX_ALL_VALUES, string_bytes_left: MAX_ALL_STRING_BYTES };
    if reader.take(4)? != MAGIC {
        return Err("it does not begin with the GGUF mark".into());
    }
    match reader.u32()? {
        2 | 3 => {}
        version if version.swap_bytes() == 3 => return Err("it is written for big-endian machines".into()),
        version => return Err(format!("its GGUF version {version} is not supported")),
    }
    let tensor_count = reader.u64()?;
    let key_count = reader.u64()?;
    if tensor_count > MAX_TENSORS || key_count > MAX_KEYS {
        return Err(format!("its header claims {tensor_count} tensors and {key_count} keys"));
    }

    let mut header = Header::default();
    for _ in 0..key_count {
        let key = reader.string()?;
        let kind = reader.u32()?;
        let value = reader.value(kind, 0)?;
        match header.metadata.entry(key) {
            Entry::Occupied(entry) => return Err(format!("the key '{}' occurs twice", entry.key())),
            Entry::Vacant(entry) => entry.insert(value),
        };
    }

    let mut tensors = Vec::new();
    for _ in 0..tensor_count {
        tensors.push(reader.tensor_info()?);
    }

    let alignment = match header.metadata.get("general.alignment") {
        None => DEFAULT_ALIGNMENT,
        Some(value) => value
            .as_u64()
            .filter(|alignment| alignment.is_power_of_two() && (8..=MAX_ALIGNMENT).contains(alignment))
            .ok_or("its alignment is not a power of two from 8 to 65536")?,
    };
    let data_start = (reader.at as u64).next_multiple_of(alignment);
    let file_size = bytes.len() as u64;
    let mut extents = Vec::with_capacity(tensors.len());
    for (name, mut info) in tensors {
        let offset = info.offset as u64;
        if !offset.is_multiple_of(alignment) {
            return Err(format!("the tensor '{name}' is not aligned"));
        }
        let start =
            data_start.checked_add(offset).ok_or_else(|| format!("the tensor '{name}' lies outside the file"))?;
        let end = start.checked_add(info.size_bytes as u64).filter(|&end| end <= file_size);
        let end = end.ok_or_else(|| format!("the tensor '{name}' lies outside the file; it may be cut off"))?;
        info.offset = start as usize;
        extents.push((start, end));
        match header.tensors.entry(name) {
            Entry::Occupied(entry) => return Err(format!("the tensor '{}' occurs twice", entry.key())),
            Entry::Vacant(entry) => entry.insert(info),
        };
    }
    // Otherwise a small file could ask for the memory of thousands of tensors.
    extents.sort_unstable();
    if extents.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err("two of its tensors overlap".into());
    }
    Ok(header)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    values_left: u64,
    string_bytes_left: u64,
}

impl<'a> Reader<'a> {
    fn left(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    fn take(&mut self, count: usize) -> Parsed<&'a [u8]> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or("it ends inside its header; it may be cut off")?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let mut fixed = [0; N];
        fixed.copy_from_slice(self.take(N)?);
        Ok(fixed)
    }

    fn u32(&mut self) -> Parsed<u32> {
        Ok(u32::from_le_bytes(self.fixed()?))
    }

    fn u64(&mut self) -> Parsed<u64> {
        Ok(u64::from_le_bytes(self.fixed()?))
    }

    fn string(&mut self) -> Parsed<String> {
        let length = self.u64()?;
        if length > MAX_STRING_BYTES || length > self.string_bytes_left || length > self.left() {
            return Err(format!("a text in its header claims {length} bytes"));
        }
        self.string_bytes_left -= length;
        // Some converters cut vocabulary entries inside a character.
        Ok(String::from_utf8_lossy(self.take(length as usize)?).into_owned())
    }

    fn value(&mut self, kind: u32, depth: usize) -> Parsed<Value> {
        self.values_left = self.values_left.checked_sub(1).ok_or("its header holds too many values")?;
        Ok(match kind {
            0 => Value::Unsigned(u8::from_le_bytes(self.fixed()?).into()),
            1 => Value::Signed(i8::from_le_bytes(self.fixed()?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.fixed()?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.fixed()?).into()),
            4 => Value::Unsigned(self.u32()?.into()),
            5 => Value::Signed(i32::from_le_bytes(self.fixed()?).into()),
            6 => Value::Float(f32::from_le_bytes(self.fixed()?).into()),
            7 => match self.fixed::<1>()? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [other] => return Err(format!("a yes-or-no value in its header is {other}")),
            },
            8 => Value::String(self.string()?),
            9 => self.array(depth)?,
            10 => Value::Unsigned(self.u64()?),
            11 => Value::Signed(i64::from_le_bytes(self.fixed()?)),
            12 => Value::Float(f64::from_le_bytes(self.fixed()?)),
            other => return Err(format!("its header holds a value of unknown kind {other}")),
        })
    }

    fn array(&mut self, depth: usize) -> Parsed<Value> {
        if depth >= MAX_ARRAY_DEPTH {
            return Err("its header nests arrays too deeply".into());
        }
        let kind = self.u32()?;
        let length = self.u64()?;
        let smallest = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => 12,
            other => return Err(format!("its header holds an array of unknown kind {other}")),
        };
        if length > self.values_left || length.saturating_mul(smallest) > self.left() {
            return Err(format!("an array in its header claims {length} values"));
        }
        let mut values = Vec::with_capacity(length as usize);
        for _ in 0..length {
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    /// The offset is still relative to the tensor data.
    fn tensor_info(&mut self) -> Parsed<(String, TensorInfo)> {
        let name = self.string()?;
        let dimensions = self.u32()?;
        if dimensions == 0 || dimensions > MAX_DIMENSIONS {
            return Err(format!("the tensor '{name}' has {dimensions} dimensions"));
        }
        let mut shape = Vec::with_capacity(dimensions as usize);
        for _ in 0..dimensions {
            let length = self.u64()?;
            let length = usize::try_from(length).ok().filter(|&length| length > 0);
            shape.push(length.ok_or_else(|| format!("the tensor '{name}' has an impossible shape"))?);
        }
        shape.reverse();
        let dtype =
            dtype(self.u32()?).map_err(|kind| format!("the tensor '{name}' has the unsupported type {kind}"))?;
        let offset = self.u64()?;
        let offset =
            usize::try_from(offset).ok().ok_or_else(|| format!("the tensor '{name}' lies outside the file"))?;

        let row = shape.last().copied().unwrap_or(0);
        let elements = shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
        let size_bytes = elements.and_then(|elements| (elements / dtype.block_size()).checked_mul(dtype.type_size()));
        let size_bytes = size_bytes.filter(|&size| size <= self.bytes.len());
        let size_bytes = size_bytes.ok_or_else(|| format!("the tensor '{name}' is larger than the file"))?;
        if !row.is_multiple_of(dtype.block_size()) {
            return Err(format!("the rows of the tensor '{name}' are not whole blocks"));
        }
        Ok((name, TensorInfo { dtype, shape, offset, size_bytes }))
    }
}

fn dtype(kind: u32) -> Result<GgmlDType, u32> {
    Ok(match kind {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        other => return Err(other),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(out: &mut Vec<u8>, value: &str) {
        out.extend((value.len() as u64).to_le_bytes());
        out.extend(value.as_bytes());
    }

    /// A small valid file with every kind of value, one f32 and one Q8_0 tensor.
    fn sample() -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend(2u64.to_le_bytes());
        out.extend(4u64.to_le_bytes());
        text(&mut out, "general.architecture");
        out.extend(8u32.to_le_bytes());
        text(&mut out, "llama");
        text(&mut out, "a.count");
        out.extend(4u32.to_le_bytes());
        out.extend(7u32.to_le_bytes());
        text(&mut out, "a.list");
        out.extend(9u32.to_le_bytes());
        out.extend(8u32.to_le_bytes());
        out.extend(2u64.to_le_bytes());
        text(&mut out, "x");
        text(&mut out, "yz");
        text(&mut out, "a.nested");
        out.extend(9u32.to_le_bytes());
        out.extend(9u32.to_le_bytes());
        out.extend(1u64.to_le_bytes());
        out.extend(7u32.to_le_bytes());
        out.extend(2u64.to_le_bytes());
        out.extend([0, 1]);
        for (name, shape, kind, offset) in [("f", [2u64, 4], 0u32, 0u64), ("q", [32, 1], 8, 32)] {
            text(&mut out, name);
            out.extend(2u32.to_le_bytes());
            out.extend(shape[0].to_le_bytes());
            out.extend(shape[1].to_le_bytes());
            out.extend(kind.to_le_bytes());
            out.extend(offset.to_le_bytes());
        }
        out.resize(out.len().next_multiple_of(32) + 32 + 34, 0);
        out
    }

    #[test]
    fn a_valid_header_is_read() {
        let header = parse(&sample()).unwrap();
        assert_eq!(header.metadata["general.architecture"].as_str(), Some("llama"));
        assert_eq!(header.metadata["a.count"].as_u64(), Some(7));
        assert_eq!(header.metadata["a.list"].as_array().unwrap().len(), 2);
        assert_eq!(header.tensors["f"].shape, [4, 2]);
        assert_eq!(header.tensors["q"].size_bytes, 34);
    }

    #[test]
    fn every_shorter_file_is_refused() {
        let whole = sample();
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length} of {} bytes were accepted", whole.len());
        }
    }

    #[test]
    fn absurd_counts_are_refused() {
        for at in [8, 16] {
            for count in [u64::MAX, 1 << 40, MAX_TENSORS + 1] {
                let mut bytes = sample();
                bytes[at..at + 8].copy_from_slice(&count.to_le_bytes());
                assert!(parse(&bytes).is_err());
            }
        }
    }

    #[test]
    fn overlapping_tensors_are_refused() {
        let mut bytes = sample();
        let name = bytes.windows(9).rposition(|window| window == b"\x01\0\0\0\0\0\0\0q").unwrap();
        let offset = name + 9 + 4 + 16 + 4;
        assert_eq!(bytes[offset], 32);
        bytes[offset] = 0;
        assert_eq!(parse(&bytes).unwrap_err(), "two of its tensors overlap");
    }

    #[test]
    fn deeply_nested_arrays_are_refused() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        text(&mut bytes, "a");
        bytes.extend(9u32.to_le_bytes());
        for _ in 0..10_000 {
            bytes.extend(9u32.to_le_bytes());
            bytes.extend(1u64.to_le_bytes());
        }
        assert_eq!(parse(&bytes).unwrap_err(), "its header nests arrays too deeply");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

        /// Whatever bytes are changed, the answer is a header whose tensors lie in the file, or an error.
        #[test]
        fn changed_bytes_never_panic(
            changes in prop::collection::vec((0usize..400, prop_oneof![Just(0u8), Just(1), Just(0x7f), Just(0xff), any::<u8>()]), 1..6),
            cut in prop::option::of(0usize..400),
        ) {
            let mut bytes = sample();
            for (at, value) in changes {
                let length = bytes.len();
                bytes[at % length] = value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut);
            }
            if let Ok(header) = parse(&bytes) {
                for info in header.tensors.values() {
                    prop_assert!(info.offset + info.size_bytes <= bytes.len());
                }
            }
        }
    }
}
