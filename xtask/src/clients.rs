//! `cargo xtask clients`: the vendors' own clients and the public reference servers, pinned, in a folder of their own.
//!
//! `FOLDER/python` is a virtual environment, `FOLDER/node/node_modules` holds the npm packages. Which registries they come
//! from is the business of pip and npm on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::process;

#[derive(Debug, Deserialize)]
struct Pins {
    /// As pip takes them.
    python: Vec<String>,
    /// Names and versions.
    node: BTreeMap<String, String>,
}

pub fn run(arguments: &[String]) -> Result<()> {
    let folder = folder()?;
    match arguments {
        [] => install(&folder),
        [check] if check == "--check" => match is_installed(&folder)? {
            true => {
                println!("all clients are present in {}", folder.display());
                Ok(())
            }
            false => {
                bail!("the clients in {} are missing or old; `cargo xtask clients` installs them", folder.display())
            }
        },
        [other, ..] => bail!("clients does not know '{other}'"),
    }
}

/// Where they are kept between builds.
pub fn folder() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = from("RSPA_CLIENTS_PATH") {
        return Ok(folder);
    }
    let cache =
        from("XDG_CACHE_HOME").or_else(|| from("HOME").or_else(|| from("USERPROFILE")).map(|home| home.join(".cache")));
    Ok(cache.context("neither RSPA_CLIENTS_PATH nor HOME is set")?.join("rspa-clients"))
}

fn pins_text() -> Result<String> {
    let path = process::root().join("xtask/clients.json");
    fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Installs what is missing; does nothing when everything is there as pinned.
pub fn install(folder: &Path) -> Result<()> {
    if is_installed(folder)? {
        eprintln!("the vendors' clients are in {}", folder.display());
        return Ok(());
    }
    let text = pins_text()?;
    let pins: Pins = serde_json::from_str(&text).context("xtask/clients.json is not a list of packages")?;
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    python(folder, &pins.python)?;
    node(folder, &pins.node)?;
    fs::write(marker(folder), mark(&text))
        .with_context(|| format!("{} cannot be written", marker(folder).display()))?;
    println!("the vendors' clients are in {}", folder.display());
    Ok(())
}

fn is_installed(folder: &Path) -> Result<bool> {
    let marked = fs::read_to_string(marker(folder)).is_ok_and(|found| found == mark(&pins_text().unwrap_or_default()));
    Ok(marked && python_in(folder).is_file() && folder.join("node/node_modules").is_dir())
}

/// Written last: says that everything of these pins was installed.
fn marker(folder: &Path) -> PathBuf {
    folder.join("installed")
}

fn mark(pins: &str) -> String {
    Sha256::digest(pins.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn python_in(folder: &Path) -> PathBuf {
    match cfg!(windows) {
        true => folder.join("python/Scripts/python.exe"),
        false => folder.join("python/bin/python"),
    }
}

fn python(folder: &Path, packages: &[String]) -> Result<()> {
    let python = python_in(folder);
    if !process::succeeds(Command::new(&python).args(["-m", "pip", "--version"])) {
        let found =
            ["python3", "python"].into_iter().find(|name| process::succeeds(Command::new(name).arg("--version")));
        let found = found.context("no Python was found; install python3 with its venv module")?;
        process::run(Command::new(found).args(["-m", "venv", "--clear"]).arg(folder.join("python")))
            .context("no virtual environment could be made; Debian has its module in python3-venv")?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]).args(packages);
    process::run(&mut install).context("pip could not install the clients; see its own words above")
}

fn node(folder: &Path, packages: &BTreeMap<String, String>) -> Result<()> {
    let folder = folder.join("node");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let manifest =
        serde_json::json!({"name": "rspa-clients", "version": "1.0.0", "private": true, "dependencies": packages});
    let path = folder.join("package.json");
    fs::write(&path, manifest.to_string()).with_context(|| format!("{} cannot be written", path.display()))?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    if !process::succeeds(Command::new(npm).arg("--version")) {
        bail!("no npm was found; install Node.js");
    }
    // Scripts of packages are code of strangers that runs at once; these need none.
    let mut install = Command::new(npm);
    install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]).current_dir(&folder);
    process::run(&mut install).context("npm could not install the reference servers; see its own words above")
}
