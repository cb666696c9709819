//! Qwen 2 and 2.5: llama with biases on queries, keys and values.

use super::decoder::Config;
use crate::Result;
use crate::weights::gguf::Gguf;

pub(super) fn config(gguf: &Gguf) -> Result<Config> {
    Ok(Config { attention_biases: true, ..Config::read(gguf, "qwen2")? })
}
