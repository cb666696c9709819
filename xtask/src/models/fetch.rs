//! Takes the pinned files from their own addresses, where there is no pip.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Pin, unpack};

/// Fetches each file into `work`. What is cut off stays in the cache's `.downloads` folder and goes on there next time.
pub fn files(pin: &Pin, cache: &Path, work: &Path) -> Result<()> {
    for file in &pin.files {
        let partial = cache.join(".downloads").join(&file.sha256);
        let mut shown = 0;
        let mut progress = |done: u64, total: Option<u64>| {
            let percent = done * 100 / total.unwrap_or(file.size).max(1);
            if percent >= shown + 10 {
                shown = percent;
                eprintln!("{}: {percent} %", file.target);
            }
        };
        rspa_fetch::fetch(&file.url, &partial, Some(file.size), Some(&file.sha256), &mut progress, &|| false)
            .map_err(|error| anyhow::anyhow!("{error}. {}", error.advice()))
            .with_context(|| format!("{} could not be fetched", file.target))?;
        let place = unpack::place(work, file)?;
        fs::rename(&partial, &place).with_context(|| format!("{} cannot be moved", partial.display()))?;
    }
    // Empty by now unless another download was cut; then it stays.
    if let Err(error) = fs::remove_dir(cache.join(".downloads"))
        && error.kind() != std::io::ErrorKind::DirectoryNotEmpty
    {
        eprintln!("warning: the download folder could not be removed: {error}");
    }
    Ok(())
}
