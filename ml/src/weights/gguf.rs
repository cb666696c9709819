//! GGUF container: header, metadata and tensor table, checked before anything is allocated.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3, little endian. The file is
//! mapped, not read: opening a model of many gigabytes costs its header alone.

mod header;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::{GgmlDType, QTensor, ggml_file};
use memmap2::Mmap;

use crate::{Error, Result};

/// A metadata value; integers and floats of all widths are widened.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    String(String),
    Array(Vec<Value>),
}

impl Value {
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Unsigned(value) => Some(*value),
            Self::Signed(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Unsigned(value) => i64::try_from(*value).ok(),
            Self::Signed(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }
}

/// Where a tensor lies and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorInfo {
    pub dtype: GgmlDType,
    /// Row-major: the last dimension is contiguous.
    pub shape: Vec<usize>,
    /// Bytes from the start of the file.
    pub offset: usize,
    pub size_bytes: usize,
}

impl TensorInfo {
    /// Number of weights.
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|&dimension| dimension as u64).product()
    }
}

/// The checked header of a GGUF file.
#[derive(Clone, Debug, Default)]
pub struct Header {
    pub metadata: HashMap<String, Value>,
    pub tensors: HashMap<String, TensorInfo>,
}

impl Header {
    /// Reads and checks the header in `bytes`, which are a whole file. Errors say what is wrong in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        header::parse(bytes)
    }
}

/// An opened GGUF file.
pub struct Gguf {
    path: PathBuf,
    map: Mmap,
    header: Header,
}

impl Gguf {
    /// Maps the file and checks its header and tensor table.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        // SAFETY: the map is private to this value and read as plain bytes, for which every bit pattern is valid.
        // Another process that truncates the file while it is mapped could fault; model files are replaced by
        // renaming, never rewritten in place.
        let map = unsafe { Mmap::map(&file) }.map_err(|error| Error::io(path, error))?;
        let header = Header::parse(&map).map_err(|reason| Error::malformed(path, reason))?;
        Ok(Self { path: path.to_owned(), map, header })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn size_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    pub fn tensors(&self) -> &HashMap<String, TensorInfo> {
        &self.header.tensors
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.header.metadata.get(key)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// A count that must be there and fit in memory.
    pub fn count(&self, key: &str) -> Result<usize> {
        self.optional_count(key)?.ok_or_else(|| self.malformed(format!("'{key}' is missing")))
    }

    pub fn optional_count(&self, key: &str) -> Result<Option<usize>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|&count| count <= 1 << 32);
        count.map(Some).ok_or_else(|| self.malformed(format!("'{key}' is not a count")))
    }

    pub fn optional_float(&self, key: &str) -> Result<Option<f64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let float = value.as_f64().filter(|float| float.is_finite());
        float.map(Some).ok_or_else(|| self.malformed(format!("'{key}' is not a number")))
    }

    pub fn malformed(&self, reason: impl Into<String>) -> Error {
        Error::malformed(&self.path, reason)
    }

    /// A tensor as it lies in the file; its shape must be the given one, if any.
    pub fn raw(&self, name: &str, shape: Option<&[usize]>) -> Result<(&TensorInfo, &[u8])> {
        let info =
            self.header.tensors.get(name).ok_or_else(|| self.malformed(format!("the tensor '{name}' is missing")))?;
        if let Some(shape) = shape
            && info.shape != shape
        {
            let found = &info.shape;
            return Err(self.malformed(format!("the tensor '{name}' has shape {found:?}, expected {shape:?}")));
        }
        let bytes = self
            .map
            .get(info.offset..info.offset + info.size_bytes)
            .ok_or_else(|| self.malformed(format!("the tensor '{name}' lies outside the file")))?;
        Ok((info, bytes))
    }

    /// Loads a tensor of this shape onto the device, in the form it has in the file.
    pub fn tensor_of_shape(&self, name: &str, shape: &[usize], device: &Device) -> Result<QTensor> {
        let (info, bytes) = self.raw(name, Some(shape))?;
        Ok(ggml_file::qtensor_from_ggml(info.dtype, bytes, info.shape.clone(), device)?)
    }
}

/// Name of a tensor type as people write it, such as `Q4_K`.
pub fn dtype_name(dtype: GgmlDType) -> &'static str {
    match dtype {
        GgmlDType::F32 => "F32",
        GgmlDType::F16 => "F16",
        GgmlDType::BF16 => "BF16",
        GgmlDType::Q4_0 => "Q4_0",
        GgmlDType::Q4_1 => "Q4_1",
        GgmlDType::Q5_0 => "Q5_0",
        GgmlDType::Q5_1 => "Q5_1",
        GgmlDType::Q8_0 => "Q8_0",
        GgmlDType::Q8_1 => "Q8_1",
        GgmlDType::Q2K => "Q2_K",
        GgmlDType::Q3K => "Q3_K",
        GgmlDType::Q4K => "Q4_K",
        GgmlDType::Q5K => "Q5_K",
        GgmlDType::Q6K => "Q6_K",
        GgmlDType::Q8K => "Q8_K",
    }
}
