//! Reads a backup that may be anything: sizes are bounded before they are believed, checksums are compared.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use zip::CompressionMethod;
use zip::result::ZipError;

use super::BackupError;
use super::manifest::{self, Entry, Manifest};
use super::work::{self, CopyError, Progress};
use crate::storage::disk::{Disk, DiskRead};

/// Deflate cannot shrink further (RFC 1951: 258 bytes in 2 bits at best).
const MOST_SHRUNK: u64 = 1_040;
/// Bytes of the list of entries at the end of the file.
const LARGEST_DIRECTORY: u64 = 64 << 20;
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const END_64_PLACE: [u8; 4] = *b"PK\x06\x07";

/// An opened backup whose manifest was read and whose list of entries fits it.
pub struct Archive {
    path: PathBuf,
    zip: zip::ZipArchive<Box<dyn DiskRead>>,
    pub manifest: Manifest,
    /// Of the file, in bytes.
    pub size: u64,
}

impl Archive {
    /// # Errors
    /// Not there, not a backup, of a newer format, or damaged in what can be seen without unpacking it.
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Self, BackupError> {
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => BackupError::NotFound(path.display().to_string()),
            _ => BackupError::io("read", path, &error),
        };
        let mut file = disk.open(path).map_err(unreadable)?;
        let size = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        check_end(&mut file, path, size)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let mut zip = zip::ZipArchive::new(file).map_err(|error| broken(path, &error))?;
        if zip.len() > manifest::MOST_ENTRIES + 1 || zip.has_duplicate_names() {
            return Err(BackupError::damaged(path, "its list of entries is not as a backup has it"));
        }
        let manifest = read_manifest(&mut zip, path)?;
        let mut archive = Self { path: path.to_owned(), zip, manifest, size };
        archive.check_entries()?;
        Ok(archive)
    }

    /// The manifest and the file must name the same entries, of sizes that can be true.
    fn check_entries(&mut self) -> Result<(), BackupError> {
        if self.zip.len() != self.manifest.entries.len() + 1 {
            return Err(BackupError::damaged(&self.path, "its manifest does not list what is in it"));
        }
        for entry in &self.manifest.entries {
            let found = self.zip.by_name_raw(entry.name.as_bytes());
            let found = found
                .map_err(|_missing| BackupError::damaged(&self.path, format!("the entry {} is missing", entry.name)))?;
            let (method, packed) = (found.compression(), found.compressed_size());
            if !matches!(method, CompressionMethod::Deflated | CompressionMethod::Stored) || found.encrypted() {
                return Err(BackupError::damaged(&self.path, format!("{} is packed in an unknown way", entry.name)));
            }
            if packed > self.size || entry.size > packed.saturating_mul(MOST_SHRUNK).saturating_add(64) {
                let detail = format!("{} claims to hold {} bytes, which cannot be", entry.name, entry.size);
                return Err(BackupError::damaged(&self.path, detail));
            }
        }
        Ok(())
    }

    /// Unpacks one entry into `to` and compares size and checksum.
    pub(super) fn copy_entry(
        &mut self,
        entry: &Entry,
        to: &mut dyn Write,
        to_path: &Path,
        progress: &mut Progress<'_>,
    ) -> Result<(), BackupError> {
        let path = &self.path;
        let damaged = |detail: &str| BackupError::damaged(path, format!("{} {detail}", entry.name));
        let mut file = self.zip.by_name(&entry.name).map_err(|error| broken(path, &error))?;
        let copied = work::copy(&mut file, to, entry.size, progress).map_err(|error| match error {
            CopyError::Reading(error) => damaged(&format!("cannot be unpacked ({error})")),
            CopyError::Writing(error) => BackupError::io("written", to_path, &error),
            CopyError::TooLong => damaged("is longer than its manifest says"),
            CopyError::Stopped(error) => error,
        })?;
        match (copied.size == entry.size, copied.sha256 == entry.sha256) {
            (true, true) => Ok(()),
            (false, _) => Err(damaged("is shorter than its manifest says")),
            (true, false) => Err(damaged("has another checksum than when it was written")),
        }
    }

    /// Reads all entries and compares them with the manifest.
    pub(super) fn check_content(&mut self, progress: &mut Progress<'_>) -> Result<(), BackupError> {
        for entry in self.manifest.entries.clone() {
            let path = self.path.clone();
            self.copy_entry(&entry, &mut std::io::sink(), &path, progress)?;
        }
        Ok(())
    }
}

fn read_manifest(zip: &mut zip::ZipArchive<Box<dyn DiskRead>>, path: &Path) -> Result<Manifest, BackupError> {
    let none = || BackupError::not_a_backup(path, "it has no manifest");
    let file = zip.by_index(0).map_err(|error| match error {
        ZipError::Io(error) => BackupError::io("read", path, &error),
        _ => none(),
    })?;
    if file.name_raw() != manifest::NAME.as_bytes() {
        return Err(none());
    }
    let mut bytes = Vec::new();
    file.take(manifest::LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| BackupError::damaged(path, format!("its manifest cannot be unpacked ({error})")))?;
    if bytes.len() as u64 > manifest::LARGEST {
        return Err(BackupError::damaged(path, "its manifest is too long"));
    }
    Manifest::read(path, &bytes)
}

fn broken(path: &Path, error: &ZipError) -> BackupError {
    match error {
        ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            BackupError::damaged(path, error.to_string())
        }
        other => BackupError::damaged(path, format!("it is cut off or changed ({other})")),
    }
}

/// Looks at the end of the file before the list of entries is read into memory: how long it claims to be.
fn check_end(file: &mut dyn DiskRead, path: &Path, size: u64) -> Result<(), BackupError> {
    const LENGTH: u64 = 22;
    if size < LENGTH {
        return Err(BackupError::not_a_backup(path, "it is too short"));
    }
    let mut start = [0; 4];
    let end = read_at::<22>(file, path, size - LENGTH)?;
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.read_exact(&mut start))
        .map_err(|e| BackupError::io("read", path, &e))?;
    if start[..2] != *b"PK" {
        return Err(BackupError::not_a_backup(path, "it begins differently"));
    }
    if end[..4] != END {
        return Err(BackupError::damaged(path, "its end is missing"));
    }
    let (mut entries, mut directory) = (u64::from(u16_at(&end, 10)), u64::from(u32_at(&end, 12)));
    let offset = u32_at(&end, 16);
    if (entries == 0xffff || directory == 0xffff_ffff || offset == u32::MAX) && size >= LENGTH + 20 {
        let place = read_at::<20>(file, path, size - LENGTH - 20)?;
        if place[..4] == END_64_PLACE {
            let at = u64_at(&place, 8);
            if at > size - LENGTH {
                return Err(BackupError::damaged(path, "its end points beyond it"));
            }
            let record = read_at::<56>(file, path, at)?;
            if record[..4] != END_64 {
                return Err(BackupError::damaged(path, "its end is not as a backup has it"));
            }
            (entries, directory) = (u64_at(&record, 32), u64_at(&record, 40));
        }
    }
    if entries > manifest::MOST_ENTRIES as u64 + 1 || directory > LARGEST_DIRECTORY || directory > size {
        return Err(BackupError::damaged(path, format!("it claims to hold {entries} entries")));
    }
    Ok(())
}

fn read_at<const N: usize>(file: &mut dyn DiskRead, path: &Path, at: u64) -> Result<[u8; N], BackupError> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut bytes)).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => BackupError::damaged(path, "its end is cut off"),
        _ => BackupError::io("read", path, &error),
    })?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
