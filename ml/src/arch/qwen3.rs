//! Qwen 3 (dense): llama with a norm on each head's queries and keys.

use super::decoder::Config;
use crate::Result;
use crate::weights::gguf::Gguf;

pub(super) fn config(gguf: &Gguf) -> Result<Config> {
    Ok(Config { head_norms: true, ..Config::read(gguf, "qwen3")? })
}
