//! Import: a .gguf, a folder, a zip or a wheel becomes a model in the model folder, or nothing changes.

mod disk;
mod find;
mod source;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use find::{FoundMember, FoundModel};
use source::Source;

use super::{ModelInfo, ModelKind};
use crate::embed::cross::CrossEncoder;
use crate::embed::encoder::Encoder;
use crate::{Cancel, Error, Result};

/// Bytes copied between two looks at the cancel flag.
const BLOCK_BYTES: usize = 1 << 20;

/// Copies every model found at `path` into `models_folder` under its id: to a temporary name first, checked by
/// reading it, then renamed. `progress(done, total)` is in bytes. A failed or cancelled import leaves no half model.
/// A model that is there already under the same id is replaced in one step.
pub fn import(
    path: &Path,
    models_folder: &Path,
    progress: &mut dyn FnMut(u64, u64),
    cancel: &Cancel,
) -> Result<Vec<ModelInfo>> {
    let mut source = Source::open(path)?;
    let models = find::models(path, &mut source)?;
    if models.is_empty() {
        return Err(Error::NothingToImport(path.to_owned()));
    }
    fs::create_dir_all(models_folder).map_err(|error| Error::io(models_folder, error))?;
    disk::remove_abandoned(models_folder);
    let total = models.iter().flat_map(|model| &model.members).map(|member| member.size).sum();
    disk::require_free(models_folder, total)?;

    let staging = disk::Staging::create(models_folder)?;
    let mut copy = Copy { done: 0, total, progress, cancel };
    let mut staged = Vec::new();
    for model in &models {
        let place = staging.path().join(&model.target);
        copy.model(&mut source, model, &place)?;
        staged.push((place.clone(), verified(&place)?));
    }
    if cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    let mut imported = Vec::new();
    for (place, mut info) in staged {
        info.path = disk::publish(&place, models_folder)?;
        imported.push(info);
    }
    disk::sync_folder(models_folder)?;
    Ok(imported)
}

/// Moves a model that was read and found good, a file or a folder on the same disk, into `models_folder` under its own
/// name and returns its place. A model that is there already is replaced in one step; a replaced folder is left at
/// `staged`.
pub fn publish(staged: &Path, models_folder: &Path) -> Result<PathBuf> {
    let place = disk::publish(staged, models_folder)?;
    disk::sync_folder(models_folder)?;
    Ok(place)
}

/// Reads the model as the program will: a language model's header and tensor table, an encoder or a cross-encoder whole.
fn verified(place: &Path) -> Result<ModelInfo> {
    let info = super::inspect(place)?;
    match info.kind {
        ModelKind::Encoder => drop(Encoder::load(place)?),
        ModelKind::Reranker => drop(CrossEncoder::load(place)?),
        ModelKind::Chat => {}
    }
    Ok(info)
}

struct Copy<'a> {
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
    cancel: &'a Cancel,
}

impl Copy<'_> {
    fn model(&mut self, source: &mut Source, model: &FoundModel, place: &Path) -> Result<()> {
        for member in &model.members {
            let target = member.name.as_ref().map_or_else(|| place.to_owned(), |name| place.join(name));
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
            }
            let mut file = File::create_new(&target).map_err(|error| Error::io(&target, error))?;
            let mut reader = source.read(member)?;
            self.member(&mut reader, member, &mut file, &target)?;
            file.sync_all().map_err(|error| Error::io(&target, error))?;
        }
        Ok(())
    }

    /// Copies exactly the declared number of bytes; less or more means that the source lies.
    fn member(&mut self, from: &mut dyn Read, member: &FoundMember, to: &mut dyn Write, target: &Path) -> Result<()> {
        let mut block = vec![0; BLOCK_BYTES];
        let mut copied = 0_u64;
        loop {
            if self.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let count = fill(from, &mut block).map_err(|error| source::read_error(&member.shown, error))?;
            if copied == 0 && member.is_gguf && !block[..count].starts_with(b"GGUF") {
                return Err(Error::malformed(&member.shown, "it does not begin as a GGUF file does"));
            }
            copied += count as u64;
            if copied > member.size || (count < block.len() && copied < member.size) {
                let reason = format!(
                    "it should have {} bytes, but it has {}",
                    member.size,
                    if copied > member.size { "more" } else { "fewer" }
                );
                return Err(Error::malformed(&member.shown, reason));
            }
            to.write_all(&block[..count]).map_err(|error| disk::write_error(target, error))?;
            self.done += count as u64;
            (self.progress)(self.done, self.total);
            if count < block.len() {
                return Ok(());
            }
        }
    }
}

/// Reads until the block is full or the source ends.
fn fill(from: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match from.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
