//! Writes a backup: under a temporary name, synced, read back whole, and only then under its own.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::archive::Archive;
use super::manifest::{self, Entry, FORMAT, Manifest};
use super::work::{self, CopyError, Progress, Watch};
use super::{BackupError, folder};
use crate::model::{BackupReason, Timestamp};
use crate::storage::disk::{Disk, DiskKind, DiskWrite};
use crate::storage::examine;

/// Folders within folders that are backed up.
pub(super) const DEEPEST: usize = 16;

/// What is to be written.
pub struct Order<'a> {
    /// Settings, notes and credentials are read from here.
    pub data: &'a Path,
    /// A closed copy of the main database that nobody changes meanwhile.
    pub database: &'a Path,
    pub folder: &'a Path,
    pub reason: BackupReason,
    pub made: Timestamp,
}

/// A backup that was written and read back.
pub struct Written {
    pub path: PathBuf,
    pub manifest: Manifest,
    /// Of the file, in bytes.
    pub size: u64,
}

/// How often a backup is written again because a file beside the database changed meanwhile.
const RETRIES: u32 = 4;

/// # Errors
/// What reading and writing meets; nothing of the new file is left then, and no older one was touched.
pub fn write(disk: &dyn Disk, order: &Order<'_>, watch: &dyn Watch) -> Result<Written, BackupError> {
    folder::make(disk, order.folder)?;
    let path = folder::free_name(disk, order.folder, order.made, order.reason);
    let part = folder::part_of(&path);
    let mut made = write_part(disk, order, &part, watch);
    // Settings or credentials that were changed between their checksum and their copy: once more.
    for _again in 0..RETRIES {
        if matches!(made, Err(BackupError::Damaged { .. })) {
            folder::remove_quietly(disk, &part);
            made = write_part(disk, order, &part, watch);
        }
    }
    let written = made.and_then(|(manifest, size)| {
        disk.rename(&part, &path).map_err(|error| BackupError::io("written", &path, &error))?;
        disk.sync_folder(order.folder).map_err(|error| BackupError::io("written", &path, &error))?;
        Ok(Written { path: path.clone(), manifest, size })
    });
    if written.is_err() {
        folder::remove_quietly(disk, &part);
    }
    written
}

fn write_part(
    disk: &dyn Disk,
    order: &Order<'_>,
    part: &Path,
    watch: &dyn Watch,
) -> Result<(Manifest, u64), BackupError> {
    let examined = examine::examine(disk, order.database)?;
    let files = files(disk, order)?;
    let mut total = 0_u64;
    for (_, path) in &files {
        total = total.saturating_add(disk.len(path).map_err(|error| BackupError::io("read", path, &error))?);
    }
    // Read for the checksums, read to be packed, read back.
    let mut progress = Progress::new(watch, total.saturating_mul(3));
    let mut entries = Vec::new();
    for (name, path) in &files {
        let mut file = disk.open(path).map_err(|error| BackupError::io("read", path, &error))?;
        let copied = work::copy(&mut file, &mut io::sink(), u64::MAX, &mut progress).map_err(|e| reading(path, e))?;
        entries.push(Entry { name: name.clone(), size: copied.size, sha256: copied.sha256 });
    }
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: examined.schema,
        made: order.made,
        reason: order.reason,
        profiles: examined.profiles,
        rows: examined.rows,
        entries,
    };
    let file = disk.create(part).map_err(|error| BackupError::io("written", part, &error))?;
    let mut file = pack(disk, &manifest, &files, Careful::new(file), part, &mut progress)?;
    file.sync().map_err(|error| BackupError::io("written", part, &error))?;
    drop(file);
    let mut archive = Archive::open(disk, part)?;
    if archive.manifest != manifest {
        return Err(BackupError::damaged(part, "it is not what was written"));
    }
    archive.check_content(&mut progress)?;
    Ok((manifest, archive.size))
}

fn pack(
    disk: &dyn Disk,
    manifest: &Manifest,
    files: &[(String, PathBuf)],
    out: Careful,
    part: &Path,
    progress: &mut Progress<'_>,
) -> Result<Box<dyn DiskWrite>, BackupError> {
    let failed = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) => BackupError::io("written", part, &error),
        other => BackupError::Io { doing: "written", path: part.display().to_string(), detail: other.to_string() },
    };
    let writing = |error: io::Error| BackupError::io("written", part, &error);
    let packed = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(0o600);
    let mut zip = ZipWriter::new_stream(out);
    zip.start_file(manifest::NAME, packed).map_err(failed)?;
    let text = serde_json::to_vec_pretty(manifest)
        .map_err(|error| BackupError::Refused(format!("the manifest cannot be written: {error}")))?;
    zip.write_all(&text).map_err(writing)?;
    for ((name, path), entry) in files.iter().zip(&manifest.entries) {
        // ZIP64 where the sizes need it, packed or not.
        zip.start_file(name, packed.large_file(entry.size >= 0xf000_0000)).map_err(failed)?;
        let mut file = disk.open(path).map_err(|error| BackupError::io("read", path, &error))?;
        // A note that changed since its checksum was taken is found when the backup is read back.
        work::copy(&mut file, &mut zip, u64::MAX, progress).map_err(|error| match error {
            CopyError::Writing(error) => writing(error),
            other => reading(path, other),
        })?;
    }
    zip.finish().map_err(failed)?.into_inner().finish().map_err(writing)
}

fn reading(path: &Path, error: CopyError) -> BackupError {
    match error {
        CopyError::Reading(error) | CopyError::Writing(error) => BackupError::io("read", path, &error),
        CopyError::TooLong => BackupError::damaged(path, "it is too long"),
        CopyError::Stopped(error) => error,
    }
}

/// What goes into a backup, by name: the database first.
fn files(disk: &dyn Disk, order: &Order<'_>) -> Result<Vec<(String, PathBuf)>, BackupError> {
    let mut found = vec![(manifest::DATABASE.to_owned(), order.database.to_owned())];
    found.extend(kept_files(disk, order.data)?.into_iter().map(|name| {
        let path = order.data.join(&name);
        (name, path)
    }));
    if found.len() > manifest::MOST_ENTRIES {
        return Err(BackupError::Refused(format!("there are {} notes and credentials, too many", found.len())));
    }
    Ok(found)
}

/// The files beside the database that a backup holds and a restore replaces, by name.
pub(super) fn kept_files(disk: &dyn Disk, data: &Path) -> Result<BTreeSet<String>, BackupError> {
    let mut names: BTreeSet<String> =
        manifest::SETTINGS.iter().filter(|name| disk.exists(&data.join(name))).map(|name| (*name).to_owned()).collect();
    for folder in manifest::FOLDERS {
        if disk.exists(&data.join(folder)) {
            collect(disk, &data.join(folder), folder, DEEPEST, &mut names)?;
        }
    }
    names.retain(|name| manifest::is_allowed(name));
    Ok(names)
}

fn collect(
    disk: &dyn Disk,
    folder: &Path,
    prefix: &str,
    deeper: usize,
    names: &mut BTreeSet<String>,
) -> Result<(), BackupError> {
    for path in disk.list(folder).map_err(|error| BackupError::io("read", folder, &error))? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            tracing::warn!(path = %path.display(), "left out of the backup: its name is no text");
            continue;
        };
        let name = format!("{prefix}/{name}");
        match disk.kind(&path) {
            Some(DiskKind::Folder) if deeper > 1 => collect(disk, &path, &name, deeper - 1, names)?,
            Some(DiskKind::File) if names.len() <= manifest::MOST_ENTRIES => {
                names.insert(name);
            }
            _ => tracing::debug!(path = %path.display(), "left out of the backup"),
        }
    }
    Ok(())
}

/// Keeps the first error and takes everything after it without a word: the packer writes once more when it is dropped.
struct Careful {
    out: io::BufWriter<Box<dyn DiskWrite>>,
    failed: bool,
}

impl Careful {
    fn new(file: Box<dyn DiskWrite>) -> Self {
        Self { out: io::BufWriter::with_capacity(256 << 10, file), failed: false }
    }

    fn finish(self) -> io::Result<Box<dyn DiskWrite>> {
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }

    fn keep<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.failed |= result.is_err();
        result
    }
}

impl Write for Careful {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.keep(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.keep(flushed)
    }
}
