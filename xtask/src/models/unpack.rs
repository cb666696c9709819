//! Unpacks a checked wheel and moves the result into the cache in one step for each file or folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::{Pin, PinnedFile, hex, is_disk_full};

/// Unpacked files wait here, inside the work folder, until all of them are right.
const READY: &str = "ready";

/// Unpacks the pinned members of a wheel into `work` and checks each.
pub fn wheel(wheel: &Path, pin: &Pin, work: &Path) -> Result<()> {
    let file = File::open(wheel).with_context(|| format!("{} cannot be read", wheel.display()))?;
    let mut archive = zip::ZipArchive::new(io::BufReader::new(file)).context("the package is not a zip archive")?;
    for file in &pin.files {
        let member = archive.by_name(&file.member).with_context(|| format!("the package has no {}", file.member))?;
        let place = place(work, file)?;
        let found = copy(member.take(file.size + 1), &place).map_err(|error| written(&place, file, error))?;
        if found != file.sha256 {
            bail!(
                "wrong checksum: {} should have SHA-256 {}, but it has {found}; nothing of it was kept",
                file.target,
                file.sha256
            );
        }
    }
    Ok(())
}

/// Where `file` waits in the work folder; its folder is made.
pub fn place(work: &Path, file: &PinnedFile) -> Result<PathBuf> {
    let inside = Path::new(&file.target).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside {
        bail!("{} points outside of the model cache", file.target);
    }
    let place = work.join(READY).join(&file.target);
    let folder = place.parent().unwrap_or(work);
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(place)
}

/// Copies, makes it survive a power cut, and returns the checksum.
fn copy(mut from: impl Read, place: &Path) -> io::Result<String> {
    let mut to = File::create(place)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match from.read(&mut block)? {
            0 => break,
            count => {
                hash.update(&block[..count]);
                to.write_all(&block[..count])?;
            }
        }
    }
    to.sync_all()?;
    Ok(hex(&hash.finalize()))
}

fn written(place: &Path, file: &PinnedFile, error: io::Error) -> anyhow::Error {
    if is_disk_full(&error) {
        return anyhow::anyhow!(
            "the disk is full: {} needs {} MB ({error})",
            file.target,
            file.size.div_ceil(1_000_000)
        );
    }
    anyhow::Error::new(error).context(format!("{} cannot be written", place.display()))
}

/// Moves what is ready into the cache: a file or a whole folder at a time, replacing what is wrong there.
pub fn publish(pin: &Pin, work: &Path, cache: &Path) -> Result<()> {
    let top = |file: &PinnedFile| file.target.split('/').next().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = pin.files.iter().map(top).collect();
    for name in names {
        let (from, to) = (work.join(READY).join(&name), cache.join(&name));
        if to.is_dir() {
            fs::remove_dir_all(&to).with_context(|| format!("{} cannot be replaced", to.display()))?;
        }
        fs::rename(&from, &to).with_context(|| format!("{} cannot be moved into place", to.display()))?;
    }
    if cfg!(unix) {
        File::open(cache).and_then(|folder| folder.sync_all()).context("the model cache cannot be written")?;
    }
    Ok(())
}
