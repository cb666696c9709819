//! `cargo xtask soak`: the tests once more with the large counts that take too long for every day (`RSPA_SOAK=1`).

use anyhow::Result;

use crate::{models, process, setup, verify};

pub fn run(arguments: &[String]) -> Result<()> {
    setup::ensure()?;
    let cache = models::cache_folder()?;
    models::fetch_missing(&cache, &models::default_pins()?)?;
    process::run(process::cargo().args(["build", "--workspace", "--bins", "--tests"]).args(verify::FEATURES))?;
    let program = process::target_folder()?.join("debug").join(format!("rspa{}", std::env::consts::EXE_SUFFIX));
    process::run(
        verify::tests()
            .args(verify::FEATURES)
            .args(arguments)
            .env("RSPA_SOAK", "1")
            .env("RSPA_TEST_EXE", program)
            .env("RSPA_MODELS_PATH", cache),
    )
}
