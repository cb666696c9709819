//! Linear layers: our packed kernels on the processor where there is one for the weights' type, candle's elsewhere.

use std::cell::OnceCell;
use std::sync::Arc;

use candle_core::quantized::{QMatMul, QTensor};
use candle_core::{Device, Module, Result as TensorResult, Tensor};

use crate::kernels::{Activations, PackedMatrix, Rounding};
use crate::weights::gguf::Gguf;
use crate::{Error, Result};

/// A layer's input, `[count, width]`, which several matrices may read; it is quantised once for each rounding, when first
/// needed.
pub(super) struct Input<'a> {
    tensor: &'a Tensor,
    small: OnceCell<Activations>,
    large: OnceCell<Activations>,
}

impl<'a> Input<'a> {
    pub(super) fn new(tensor: &'a Tensor) -> Self {
        Self { tensor, small: OnceCell::new(), large: OnceCell::new() }
    }

    fn quantised(&self, width: usize, rounding: Rounding) -> TensorResult<&Activations> {
        let cell = match rounding {
            Rounding::Blocks32 => &self.small,
            Rounding::Blocks256 => &self.large,
        };
        if let Some(quantised) = cell.get() {
            return Ok(quantised);
        }
        let values = self.tensor.flatten_all()?.to_vec1::<f32>()?;
        Ok(cell.get_or_init(|| Activations::quantise_as(rounding, &values, width)))
    }
}

/// A weight matrix `[outputs, inputs]`.
#[derive(Clone)]
pub(super) enum Matrix {
    Packed(Arc<PackedMatrix>),
    Stock(Arc<QTensor>, QMatMul),
}

impl Matrix {
    /// Loads a tensor, whose shape must be this one.
    pub(super) fn load(gguf: &Gguf, name: &str, shape: [usize; 2], device: &Device) -> Result<Self> {
        if matches!(device, Device::Cpu) {
            let (info, bytes) = gguf.raw(name, Some(&shape))?;
            if let Some(packed) = PackedMatrix::pack(info.dtype, bytes, shape[0], shape[1]) {
                return Ok(Self::Packed(Arc::new(packed)));
            }
        }
        let tensor = Arc::new(gguf.tensor_of_shape(name, &shape, device)?);
        Ok(Self::Stock(tensor.clone(), QMatMul::from_arc(tensor)?))
    }

    pub(super) fn forward(&self, input: &Input<'_>) -> TensorResult<Tensor> {
        match self {
            Self::Packed(matrix) => {
                let activations = input.quantised(matrix.columns(), matrix.rounding())?;
                let count = activations.count();
                let mut output = vec![0f32; count * matrix.rows()];
                matrix.multiply(activations, &mut output);
                Tensor::from_vec(output, (count, matrix.rows()), input.tensor.device())
            }
            Self::Stock(_, matrix) => matrix.forward(input.tensor),
        }
    }

    /// The rows of these indexes, `[indexes, inputs]`, f32.
    pub(super) fn rows(&self, indexes: &[u32], device: &Device) -> TensorResult<Tensor> {
        match self {
            Self::Packed(matrix) => {
                let width = matrix.columns();
                let mut rows = vec![0f32; indexes.len() * width];
                for (row, index) in rows.chunks_exact_mut(width).zip(indexes) {
                    matrix.dequantise_row(*index as usize, row);
                }
                Tensor::from_vec(rows, (indexes.len(), width), device)
            }
            Self::Stock(tensor, _) => tensor.embedding(&Tensor::new(indexes, device)?),
        }
    }
}

/// A matrix, and a bias where the family has one.
pub(super) struct Linear {
    matrix: Matrix,
    bias: Option<Tensor>,
}

impl Linear {
    /// Loads `name.weight` `[outputs, inputs]` and, for `biased`, `name.bias` `[outputs]`.
    pub(super) fn load(gguf: &Gguf, name: &str, shape: [usize; 2], biased: bool, device: &Device) -> Result<Self> {
        let matrix = Matrix::load(gguf, &format!("{name}.weight"), shape, device)?;
        let bias = |name: String| -> Result<Tensor, Error> {
            Ok(gguf.tensor_of_shape(&name, &shape[..1], device)?.dequantize(device)?)
        };
        Ok(Self { matrix, bias: biased.then(|| bias(format!("{name}.bias"))).transpose()? })
    }

    pub(super) fn forward(&self, input: &Input<'_>) -> TensorResult<Tensor> {
        let output = self.matrix.forward(input)?;
        match &self.bias {
            Some(bias) => output.broadcast_add(bias),
            None => Ok(output),
        }
    }
}
