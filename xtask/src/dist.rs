//! `cargo xtask dist`: builds what is shipped, proves what is not in it, and writes its checksum.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::process;

/// Names that only test builds may contain: with them a local client could read and drive the window.
const FORBIDDEN: [&str; 2] = ["egui_inspection", "EGUI_INSPECTION"];

pub fn run() -> Result<()> {
    process::run(process::cargo().args(["build", "--profile", "dist", "--package", "rspa", "--locked"]))?;
    let folder = process::target_folder()?.join("dist");
    let name = format!("rspa{}", std::env::consts::EXE_SUFFIX);
    let program = folder.join(&name);
    let bytes = fs::read(&program).with_context(|| format!("{} cannot be read", program.display()))?;
    check_absent(&bytes, &program)?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let sums = folder.join("SHA256SUMS");
    fs::write(&sums, format!("{digest}  {name}\n")).with_context(|| format!("{} cannot be written", sums.display()))?;
    println!("{}: {:.1} MB, SHA-256 {digest}", program.display(), bytes.len() as f64 / 1e6);
    Ok(())
}

fn check_absent(bytes: &[u8], program: &Path) -> Result<()> {
    for name in FORBIDDEN {
        if bytes.windows(name.len()).any(|window| window == name.as_bytes()) {
            bail!("{} contains '{name}': it was built with the inspection feature", program.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_the_inspection_feature_is_refused() {
        assert!(check_absent(b"\0\x7fELF plain program", Path::new("rspa")).is_ok());
        let error = check_absent(b"\0..egui_inspection::server..", Path::new("rspa")).unwrap_err();
        assert!(error.to_string().contains("inspection"), "{error}");
    }
}
