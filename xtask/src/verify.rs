//! `cargo xtask test`: everything that must pass, cheapest first, the tests last.

use std::process::Command;

use anyhow::Result;

use crate::{clients, dependencies, documents, models, process, setup};

/// One feature set for everything, so that the window libraries are compiled once.
pub const FEATURES: [&str; 2] = ["--features", "rspa/inspection"];

pub fn run() -> Result<()> {
    process::run(process::cargo().args(["fmt", "--all", "--", "--check"]))?;
    dependencies::run()?;
    documents::run()?;
    setup::ensure()?;
    let cache = models::cache_folder()?;
    models::fetch_missing(&cache, &models::default_pins()?)?;
    let vendors = clients::folder()?;
    clients::install(&vendors)?;
    process::run(
        process::cargo().args(["clippy", "--workspace", "--all-targets"]).args(FEATURES).args(["--", "-D", "warnings"]),
    )?;
    process::run(
        process::cargo()
            .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
            .args(FEATURES)
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    // The tests start this executable. Built together with the tests: alone, it would get other features of its libraries.
    process::run(process::cargo().args(["build", "--workspace", "--bins", "--tests"]).args(FEATURES))?;
    let program = process::target_folder()?.join("debug").join(format!("rspa{}", std::env::consts::EXE_SUFFIX));
    process::run(
        tests()
            .args(FEATURES)
            .env("RSPA_TEST_EXE", program)
            .env("RSPA_MODELS_PATH", cache)
            .env("RSPA_CLIENTS_PATH", vendors),
    )
}

/// The test runner: nextest where it is installed, else cargo's own.
pub fn tests() -> Command {
    let mut command = process::cargo();
    // Pictures and texts show local times.
    command.env("TZ", "UTC");
    if process::succeeds(process::cargo().args(["nextest", "--version"])) {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    } else {
        eprintln!("note: cargo-nextest is not installed; using cargo test");
        command.args(["test", "--workspace", "--no-fail-fast"]);
    }
    command
}
