//! The llama family in GGUF form: also Mistral, SmolLM, Yi and others that are written as `llama`.

use super::decoder::{Config, RotaryStyle};
use crate::Result;
use crate::weights::gguf::Gguf;

pub(super) fn config(gguf: &Gguf) -> Result<Config> {
    // Converters reorder the query and key rows of this family, so that neighbours turn together.
    Ok(Config { rotary_style: RotaryStyle::Neighbours, ..Config::read(gguf, "llama")? })
}
