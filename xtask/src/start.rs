//! `cargo xtask run`: from a fresh clone to an open window.

use std::process::Command;

use anyhow::Result;

use crate::{models, process};

pub fn run(arguments: &[String]) -> Result<()> {
    let cache = models::cache_folder()?;
    // Search works with what is embedded, so a missing network stops nothing.
    if let Err(error) = models::fetch_missing(&cache, &models::default_pins()?) {
        eprintln!("note: the default models could not be fetched: {error:#}");
        eprintln!("note: the program starts with the embedded search model; chat needs a model (Models page, import).");
    }
    process::run(process::cargo().args(["build", "--release", "--package", "rspa"]))?;
    let program = process::target_folder()?.join("release").join(format!("rspa{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(program);
    command.args(arguments);
    if std::env::var_os("RSPA_MODELS_PATH").is_none() && cache.is_dir() {
        command.env("RSPA_MODELS_PATH", &cache);
    }
    process::run(&mut command)
}
