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

/// Looks at the machine; nothing is cached. Amounts of memory are 0 where the system does not say them.
pub fn detect() -> Hardware {
    let (memory_bytes, memory_available_bytes) = memory();
    Hardware {
        cpu: cpu_name().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        vector_instructions: vector_instructions().into_iter().map(str::to_owned).collect(),
        memory_bytes,
        memory_available_bytes,
        accelerators: accelerators(),
    }
}

fn accelerators() -> Vec<String> {
    let mut names = Vec::new();
    if candle_core::utils::cuda_is_available() {
        names.push("CUDA".to_owned());
    }
    if candle_core::utils::metal_is_available() {
        names.push("Metal".to_owned());
    }
    names
}

/// The processor's own brand string (AMD64 and Intel manuals, CPUID leaves 0x8000_0002 to 4).
#[cfg(target_arch = "x86_64")]
fn cpu_name() -> Option<String> {
    use std::arch::x86_64::__cpuid;
    if __cpuid(0x8000_0000).eax < 0x8000_0004 {
        return None;
    }
    let mut bytes = Vec::with_capacity(48);
    for leaf in 0x8000_0002..=0x8000_0004 {
        let part = __cpuid(leaf);
        for register in [part.eax, part.ebx, part.ecx, part.edx] {
            bytes.extend(register.to_le_bytes());
        }
    }
    let name = String::from_utf8_lossy(&bytes).replace('\0', "").trim().to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name") || line.starts_with("Model"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

#[cfg(target_arch = "x86_64")]
fn vector_instructions() -> Vec<&'static str> {
    [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
        ("avx512_vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512_bf16", is_x86_feature_detected!("avx512bf16")),
        ("avx_vnni", is_x86_feature_detected!("avxvnni")),
    ]
    .into_iter()
    .filter_map(|(name, present)| present.then_some(name))
    .collect()
}

#[cfg(target_arch = "aarch64")]
fn vector_instructions() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected;
    [
        ("neon", is_aarch64_feature_detected!("neon")),
        ("dotprod", is_aarch64_feature_detected!("dotprod")),
        ("i8mm", is_aarch64_feature_detected!("i8mm")),
        ("bf16", is_aarch64_feature_detected!("bf16")),
        ("sve", is_aarch64_feature_detected!("sve")),
    ]
    .into_iter()
    .filter_map(|(name, present)| present.then_some(name))
    .collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn vector_instructions() -> Vec<&'static str> {
    Vec::new()
}

/// All memory and what is available without swapping, in bytes.
fn memory() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    (meminfo(&text, "MemTotal:"), meminfo(&text, "MemAvailable:"))
}

fn meminfo(text: &str, key: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    let kibibytes = value.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0);
    kibibytes.saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        let hardware = detect();
        assert!(hardware.cores >= 1);
        assert!(!hardware.cpu.is_empty());
        assert!(hardware.memory_available_bytes <= hardware.memory_bytes);
    }

    #[test]
    fn meminfo_is_read_in_bytes() {
        let text = "MemTotal:       24595684 kB\nMemFree:  1 kB\nMemAvailable:   23000000 kB\n";
        assert_eq!(meminfo(text, "MemTotal:"), 24_595_684 * 1024);
        assert_eq!(meminfo(text, "MemAvailable:"), 23_000_000 * 1024);
        assert_eq!(meminfo("nonsense", "MemTotal:"), 0);
    }
}
