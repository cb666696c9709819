//! Whether a model fits the memory that is free now, so that loading it does not drive the machine into swap.

use rspa_ml::device;
use rspa_ml::weights::ModelInfo;

use crate::api::{ApiError, ErrorCategory};

/// Memory beside the weights: activations, the tokenizer, the program itself.
const FIXED_BYTES: u64 = 64 << 20;
/// Context that is reckoned with when none is set.
const USUAL_CONTEXT: usize = 8192;

/// # Errors
/// Category system, with both numbers, when the model needs more memory than is available.
pub fn require(info: &ModelInfo, max_context: usize) -> Result<(), ApiError> {
    check(info, max_context, device::detect().memory_available_bytes)
}

fn check(info: &ModelInfo, max_context: usize, available: u64) -> Result<(), ApiError> {
    let needed = needed(info, max_context);
    // 0 where the system does not say.
    if available == 0 || needed <= available {
        return Ok(());
    }
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    Err(ApiError::new(
        ErrorCategory::System,
        format!(
            "'{}' needs about {:.1} GB of memory, but only {:.1} GB are free",
            info.id,
            gigabytes(needed),
            gigabytes(available)
        ),
        "Close other programs, set a smaller context, or choose a smaller model.",
    ))
}

/// Weights and an estimate of the KV cache: a token takes about as many bytes as the square root of the number of weights, times four.
fn needed(info: &ModelInfo, max_context: usize) -> u64 {
    let context = match max_context {
        0 => info.context_length.min(USUAL_CONTEXT),
        limit => info.context_length.min(limit),
    };
    let per_token = (info.parameters as f64).sqrt() * 4.0;
    info.size_bytes.saturating_add(FIXED_BYTES).saturating_add((per_token * context as f64) as u64)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rspa_ml::weights::ModelKind;

    use super::*;

    #[test]
    fn a_model_that_does_not_fit_is_refused_with_the_numbers() {
        let info = ModelInfo {
            id: "big".to_owned(),
            name: "Big".to_owned(),
            kind: ModelKind::Chat,
            family: "llama".to_owned(),
            quantisation: "Q4_K_M".to_owned(),
            path: PathBuf::from("/m/big.gguf"),
            size_bytes: 40_000_000_000,
            context_length: 8192,
            parameters: 70_000_000_000,
            license: None,
            has_chat_template: true,
        };
        let error = check(&info, 0, 8_000_000_000).unwrap_err();
        assert!(error.message.contains("8.0 GB are free") && error.message.contains("GB of memory"), "{error}");
        assert!(check(&info, 0, 64_000_000_000).is_ok());
    }
}
