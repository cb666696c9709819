//! Takes a pinned wheel through pip, which knows the mirrors that are set up on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Pin, sha256_of};
use crate::process;

/// How pip is called here.
pub struct Pip(&'static [&'static str]);

pub fn find() -> Option<Pip> {
    const CALLS: [&[&str]; 4] = [&["pip"], &["pip3"], &["python3", "-m", "pip"], &["python", "-m", "pip"]];
    CALLS.into_iter().map(Pip).find(|pip| process::succeeds(pip.command().arg("--version")))
}

impl Pip {
    fn command(&self) -> Command {
        let mut command = Command::new(self.0[0]);
        command.args(&self.0[1..]);
        command
    }

    /// Downloads the wheel into `folder` and checks it.
    pub fn download(&self, pin: &Pin, folder: &Path) -> Result<PathBuf> {
        let requirement = format!("{}=={}", pin.package, pin.version);
        eprintln!("$ {} download {requirement}", self.0.join(" "));
        let output = self
            .command()
            .args(["download", "--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--disable-pip-version-check"])
            .arg("--dest")
            .arg(folder)
            .arg(&requirement)
            // pip unpacks beside its target, so that a full disk is this disk and nothing stays behind.
            .env("TMPDIR", folder)
            .output()
            .with_context(|| format!("{} could not be started", self.0.join(" ")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("No space left") || said.contains("File too large") || said.contains("quota exceeded") {
                bail!("the disk is full: {requirement} could not be downloaded to {}", folder.display());
            }
            let last: Vec<&str> = said.lines().rev().take(4).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            bail!("pip could not download {requirement}:\n{}", last.join("\n"));
        }
        let wheel = folder.join(&pin.wheel);
        if !wheel.is_file() {
            bail!("pip brought another file than {} for {requirement}", pin.wheel);
        }
        let found = sha256_of(&wheel)?;
        if found != pin.sha256 {
            bail!(
                "wrong checksum: {} should have SHA-256 {}, but it has {found}; nothing of it was kept",
                pin.wheel,
                pin.sha256
            );
        }
        Ok(wheel)
    }
}
