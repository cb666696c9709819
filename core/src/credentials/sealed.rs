//! Sealed files: one per service, each sealed with XChaCha20-Poly1305 under a random data key, which is itself sealed by
//! a key made of a passphrase (Argon2id, RFC 9106) or kept in a file that only this user may read.
//!
//! `vault.json` says how the data key is kept. While the key is renewed it lists the new and the old one, so that a power
//! cut at any point leaves every credential readable; the next use finishes what was begun.

mod cipher;
mod header;
mod store;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{CredentialError, Item, Vault};
use crate::clock::Clock;
use crate::model::{Protection, SecretText, Timestamp};
use crate::storage::disk::Disk;
use cipher::{Key, KeyId};
use header::{Header, Kept, SealedKey};

pub use cipher::{Random, system_random};
pub use header::Kdf;

const HEADER: &str = "vault.json";
const SEALED: &str = "sealed";

/// The vault of sealed files.
pub struct SealedFiles {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    random: Random,
    kdf: Kdf,
    clock: Arc<dyn Clock>,
    /// The keys while the vault is open.
    ring: Mutex<Option<Ring>>,
}

/// The open keys.
struct Ring {
    header: Header,
    /// What the data keys are sealed with.
    outer: Key,
    /// As in the header: the first one seals, all of them open.
    keys: Vec<(KeyId, Key)>,
}

/// How the files are kept, as `vault.json` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    pub protection: Protection,
    /// When the data key was made.
    pub key_created: Option<Timestamp>,
}

impl SealedFiles {
    pub fn new(folder: PathBuf, disk: Arc<dyn Disk>, random: Random, kdf: Kdf, clock: Arc<dyn Clock>) -> Self {
        Self { folder, disk, random, kdf, clock, ring: Mutex::default() }
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Option<Ring>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn inspect(&self) -> Result<Inspection, CredentialError> {
        let Some(header) = self.read_header()? else {
            return Ok(Inspection { protection: Protection::KeyFile, key_created: None });
        };
        let created = header.keys.first().map(|key| Timestamp(key.created));
        Ok(Inspection { protection: header.kept.protection(), key_created: created })
    }

    /// The keys are in memory.
    pub fn is_open(&self) -> bool {
        self.ring().is_some()
    }

    /// Overwrites the keys in memory.
    pub fn lock(&self) {
        drop(self.ring().take());
    }

    /// Opens the vault with its passphrase. False when the passphrase is wrong.
    ///
    /// # Errors
    /// When there is no vault with a passphrase, or its files cannot be read.
    pub fn unlock(&self, passphrase: &SecretText) -> Result<bool, CredentialError> {
        let mut ring = self.ring();
        let header = self.read_header()?;
        let Some((header, kdf, salt)) = header.and_then(|header| match &header.kept {
            Kept::Passphrase { kdf, salt } => {
                let (kdf, salt) = (*kdf, *salt);
                Some((header, kdf, salt))
            }
            Kept::KeyFile { .. } => None,
        }) else {
            return Err(CredentialError::invalid("the vault has no passphrase", "It needs no unlocking."));
        };
        let outer = kdf.derive(passphrase, &salt)?;
        let Some(opened) = Ring::open(header, outer)? else { return Ok(false) };
        *ring = Some(opened);
        self.finish(&mut ring);
        Ok(true)
    }

    /// Whether this is the passphrase, without opening anything.
    pub fn is_passphrase(&self, passphrase: &SecretText) -> Result<bool, CredentialError> {
        let Some(header) = self.read_header()? else { return Ok(false) };
        let Kept::Passphrase { kdf, salt } = header.kept else { return Ok(false) };
        let outer = kdf.derive(passphrase, &salt)?;
        Ok(Ring::open(header, outer)?.is_some())
    }

    /// Makes a new data key and seals everything with it; with `passphrase`, also changes what the key is kept under
    /// (none: a key file). A failure or a power cut at any point leaves every credential readable.
    pub fn renew(&self, passphrase: Option<Option<&SecretText>>) -> Result<(), CredentialError> {
        let mut ring = self.ring();
        self.ensure_open(&mut ring)?;
        // An earlier renewal that was cut off comes first, so that keys never pile up.
        self.finish_now(&mut ring)?;
        let now = self.clock.now();
        let open = ring.as_ref().ok_or(CredentialError::Locked)?;
        let (kept, outer) = match (passphrase, &open.header.kept) {
            (Some(Some(passphrase)), _) => {
                let salt = self.random_array::<16>()?;
                (Kept::Passphrase { kdf: self.kdf, salt }, self.kdf.derive(passphrase, &salt)?)
            }
            (None, kept @ Kept::Passphrase { .. }) => (kept.clone(), open.outer.copy()),
            (Some(None), _) | (None, Kept::KeyFile { .. }) => {
                let id = KeyId(self.random_array()?);
                let key = Key::random(self.random)?;
                self.write_key_file(id, &key)?;
                (Kept::KeyFile { id }, key)
            }
        };
        let fresh = (KeyId(self.random_array()?), Key::random(self.random)?);
        let mut keys = vec![fresh];
        let mut sealed = vec![SealedKey::seal(keys[0].0, now, &keys[0].1, &outer, self.random)?];
        for ((id, key), before) in open.keys.iter().zip(&open.header.keys) {
            sealed.push(SealedKey::seal(*id, Timestamp(before.created), key, &outer, self.random)?);
            keys.push((*id, key.copy()));
        }
        let header = Header { kept, keys: sealed };
        self.write_header(&header)?;
        *ring = Some(Ring { header, outer, keys });
        self.finish_now(&mut ring)
    }

    /// Seals what is left under older keys, then forgets those; errors wait for the next time.
    fn finish(&self, ring: &mut Option<Ring>) {
        if let Err(error) = self.finish_now(ring) {
            tracing::warn!(%error, "the renewal of the vault's key could not be finished yet");
        }
    }

    fn finish_now(&self, ring: &mut Option<Ring>) -> Result<(), CredentialError> {
        let Some(ring) = ring else { return Ok(()) };
        if ring.keys.len() > 1 {
            for service in self.services()? {
                self.seal_again(ring, &service)?;
            }
            ring.header.keys.truncate(1);
            self.write_header(&ring.header)?;
            ring.keys.truncate(1);
        }
        self.remove_strays(&ring.header)
    }

    /// What cannot be opened stays as it is: no key helps it.
    fn seal_again(&self, ring: &Ring, service: &str) -> Result<(), CredentialError> {
        let path = self.path_of(service);
        let Some(bytes) = store::read(self.disk.as_ref(), &path)? else { return Ok(()) };
        if cipher::key_of(&bytes) == Some(ring.keys[0].0) {
            return Ok(());
        }
        match self.open_file(ring, service, &bytes) {
            Ok(secret) => self.seal_file(ring, service, &secret),
            Err(error) => {
                tracing::warn!(%error, service, "a sealed credential cannot be opened and keeps its old key");
                Ok(())
            }
        }
    }

    fn open_file(&self, ring: &Ring, service: &str, bytes: &[u8]) -> Result<SecretText, CredentialError> {
        let damaged = |why| CredentialError::damaged(format!("{service}.{SEALED}"), why);
        let id =
            cipher::key_of(bytes).ok_or_else(|| damaged("it is not a sealed credential of a version known here"))?;
        let (_, key) = ring
            .keys
            .iter()
            .find(|(known, _)| *known == id)
            .ok_or_else(|| damaged("it is sealed with a key that this vault does not have any more"))?;
        let text = cipher::open(bytes, service, key).ok_or_else(|| damaged("it was changed or damaged"))?;
        SecretText::from_bytes(text).ok_or_else(|| damaged("it holds no text"))
    }

    fn seal_file(&self, ring: &Ring, service: &str, secret: &SecretText) -> Result<(), CredentialError> {
        let (id, key) = &ring.keys[0];
        let bytes = cipher::seal(secret.reveal().as_bytes(), service, *id, key, self.random)?;
        store::write(self.disk.as_ref(), &self.path_of(service), &bytes)
    }

    /// Opens a vault that needs no passphrase; makes one where there is none.
    fn ensure_open(&self, ring: &mut Option<Ring>) -> Result<(), CredentialError> {
        if ring.is_some() {
            return Ok(());
        }
        let opened = match self.read_header()? {
            Some(Header { kept: Kept::Passphrase { .. }, .. }) => return Err(CredentialError::Locked),
            Some(header) => match self.open_with_key_file(header) {
                // Nothing is sealed with the lost key any more: a new one serves as well.
                Err(CredentialError::Damaged { .. }) if self.services()?.is_empty() => self.make()?,
                opened => opened?,
            },
            None => self.make()?,
        };
        *ring = Some(opened);
        self.finish(ring);
        Ok(())
    }

    fn open_with_key_file(&self, header: Header) -> Result<Ring, CredentialError> {
        let Kept::KeyFile { id } = header.kept else { return Err(CredentialError::Locked) };
        let outer = self.read_key_file(id)?;
        Ring::open(header, outer)?.ok_or_else(|| CredentialError::damaged(HEADER, "its key file does not open it"))
    }

    /// Forgets a vault that holds nothing, with its passphrase. False when something is sealed in it.
    pub fn forget_empty(&self) -> Result<bool, CredentialError> {
        let mut ring = self.ring();
        if !self.services()?.is_empty() {
            return Ok(false);
        }
        *ring = Some(self.make()?);
        Ok(true)
    }

    fn make(&self) -> Result<Ring, CredentialError> {
        if !self.services()?.is_empty() {
            return Err(CredentialError::damaged(HEADER, "it is missing, and sealed credentials are there"));
        }
        let outer_id = KeyId(self.random_array()?);
        let outer = Key::random(self.random)?;
        let (id, key) = (KeyId(self.random_array()?), Key::random(self.random)?);
        let sealed = SealedKey::seal(id, self.clock.now(), &key, &outer, self.random)?;
        let header = Header { kept: Kept::KeyFile { id: outer_id }, keys: vec![sealed] };
        self.disk.create_folder(&self.folder).map_err(|error| CredentialError::disk(&self.folder, &error))?;
        self.write_key_file(outer_id, &outer)?;
        self.write_header(&header)?;
        Ok(Ring { header, outer, keys: vec![(id, key)] })
    }

    /// The services that have a sealed file.
    pub fn services(&self) -> Result<Vec<String>, CredentialError> {
        let names = store::names(self.disk.as_ref(), &self.folder)?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".sealed")).map(str::to_owned).collect())
    }

    fn path_of(&self, service: &str) -> PathBuf {
        self.folder.join(format!("{service}.{SEALED}"))
    }

    fn random_array<const N: usize>(&self) -> Result<[u8; N], CredentialError> {
        let mut bytes = [0; N];
        cipher::fill(self.random, &mut bytes)?;
        Ok(bytes)
    }

    fn read_header(&self) -> Result<Option<Header>, CredentialError> {
        let bytes = store::read(self.disk.as_ref(), &self.folder.join(HEADER))?;
        bytes.map(|bytes| Header::parse(&bytes).map_err(|why| CredentialError::damaged(HEADER, why))).transpose()
    }

    fn write_header(&self, header: &Header) -> Result<(), CredentialError> {
        store::write(self.disk.as_ref(), &self.folder.join(HEADER), header.text().as_bytes())
    }

    fn key_file(&self, id: KeyId) -> PathBuf {
        self.folder.join(format!("vault-{}.key", cipher::hex(&id.0)))
    }

    fn write_key_file(&self, id: KeyId, key: &Key) -> Result<(), CredentialError> {
        store::write(self.disk.as_ref(), &self.key_file(id), key.bytes())
    }

    fn read_key_file(&self, id: KeyId) -> Result<Key, CredentialError> {
        let path = self.key_file(id);
        let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = Zeroizing::new(store::read(self.disk.as_ref(), &path)?.ok_or_else(|| {
            CredentialError::damaged(name(), "it is missing; without it the sealed credentials cannot be opened")
        })?);
        Key::from_slice(&bytes).ok_or_else(|| CredentialError::damaged(name(), "it is not a key"))
    }

    /// Key files that nothing refers to, and halves of writes that were cut off.
    fn remove_strays(&self, header: &Header) -> Result<(), CredentialError> {
        let current = match header.kept {
            Kept::KeyFile { id } => Some(self.key_file(id)),
            Kept::Passphrase { .. } => None,
        };
        for name in store::names(self.disk.as_ref(), &self.folder)? {
            let path = self.folder.join(&name);
            let key = name.starts_with("vault-") && name.ends_with(".key") && Some(&path) != current.as_ref();
            if key || name.ends_with(store::FRESH) {
                store::remove(self.disk.as_ref(), &path, self.random)?;
            }
        }
        Ok(())
    }

    /// Makes the vault where there is none.
    fn with_ring<T>(&self, work: impl FnOnce(&Ring) -> Result<T, CredentialError>) -> Result<T, CredentialError> {
        let mut ring = self.ring();
        self.ensure_open(&mut ring)?;
        ring.as_ref().ok_or(CredentialError::Locked).and_then(work)
    }
}

impl Ring {
    /// None when this key does not open them.
    fn open(header: Header, outer: Key) -> Result<Option<Self>, CredentialError> {
        let mut keys = Vec::new();
        for sealed in &header.keys {
            let Some(key) = sealed.open(&outer) else { return Ok(None) };
            keys.push((sealed.id, key));
        }
        Ok(Some(Self { header, outer, keys }))
    }
}

impl Vault for SealedFiles {
    fn get(&self, item: Item<'_>) -> Result<Option<SecretText>, CredentialError> {
        let path = self.path_of(item.service);
        if !self.disk.exists(&path) {
            return Ok(None);
        }
        // Read only when the vault is open: opening may finish a renewal, which seals the file anew.
        self.with_ring(|ring| {
            let bytes = store::read(self.disk.as_ref(), &path)?;
            bytes.map(|bytes| self.open_file(ring, item.service, &bytes)).transpose()
        })
    }

    fn set(&self, item: Item<'_>, secret: &SecretText) -> Result<(), CredentialError> {
        self.with_ring(|ring| self.seal_file(ring, item.service, secret))
    }

    fn remove(&self, item: Item<'_>) -> Result<bool, CredentialError> {
        store::remove(self.disk.as_ref(), &self.path_of(item.service), self.random)
    }
}

#[cfg(test)]
mod tests;
