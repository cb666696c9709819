//! What this machine can compute with.

use serde::{Deserialize, Serialize};

/// Processor, vector instructions and accelerators, as found at run time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hardware {
    pub cpu: String,
    pub cores: usize,
    /// Such as `avx2`, `avx512_vnni`.
    pub vector_instructions: Vec<String>,
    pub memory_bytes: u64,
    pub memory_available_bytes: u64,
    /// Names of accelerators that this build can use; empty means CPU.
    pub accelerators: Vec<String>,
}
