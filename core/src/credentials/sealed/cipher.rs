//! Keys in memory, and the sealing of one text: magic, version, key id, nonce, then ciphertext with its tag.

use std::io;

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use rand::TryRngCore;
use zeroize::{Zeroize, Zeroizing};

use crate::credentials::CredentialError;

const MAGIC: &[u8; 8] = b"RSPASEAL";
const VERSION: u8 = 1;
const HEAD: usize = MAGIC.len() + 1 + 16 + NONCE;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Fills bytes with what nobody can guess; a test brings its own.
pub type Random = fn(&mut [u8]) -> io::Result<()>;

/// That of the system.
pub fn system_random(bytes: &mut [u8]) -> io::Result<()> {
    rand::rngs::OsRng.try_fill_bytes(bytes).map_err(io::Error::other)
}

pub(super) fn fill(random: Random, bytes: &mut [u8]) -> Result<(), CredentialError> {
    random(bytes).map_err(|error| CredentialError::Disk {
        file: "the system's source of random numbers".to_owned(),
        detail: error.to_string(),
    })
}

/// Names a key; no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyId(pub [u8; 16]);

/// A key of 256 bits; stays at one place in memory and is overwritten when dropped.
pub(super) struct Key(Box<[u8; 32]>);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Key {
    pub fn empty() -> Self {
        Self(Box::new([0; 32]))
    }

    pub fn random(random: Random) -> Result<Self, CredentialError> {
        let mut key = Self::empty();
        fill(random, key.0.as_mut_slice())?;
        Ok(key)
    }

    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Self::empty();
        if bytes.len() != key.0.len() {
            return None;
        }
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    pub fn copy(&self) -> Self {
        let mut key = Self::empty();
        key.0.copy_from_slice(self.0.as_slice());
        key
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.as_mut_slice()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    /// Ciphertext with its tag at the end.
    pub fn encrypt(&self, nonce: &[u8; NONCE], associated: &[u8], text: &[u8]) -> Result<Vec<u8>, CredentialError> {
        // Encrypted in the one place where it was copied to: no plaintext is left behind by growing.
        let mut bytes = Vec::with_capacity(text.len() + TAG);
        bytes.extend_from_slice(text);
        let sealed = self.cipher().encrypt_inout_detached(nonce.into(), associated, bytes.as_mut_slice().into());
        match sealed {
            Ok(tag) => bytes.extend_from_slice(&tag),
            Err(_too_long) => {
                bytes.zeroize();
                return Err(CredentialError::invalid("this is too long to be sealed", "Store a shorter secret."));
            }
        }
        Ok(bytes)
    }

    /// None when a bit of it, or of what belongs to it, was changed.
    pub fn decrypt(&self, nonce: &[u8; NONCE], associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (text, tag) = sealed.split_last_chunk::<TAG>()?;
        let mut text = Zeroizing::new(text.to_vec());
        let opened =
            self.cipher().decrypt_inout_detached(nonce.into(), associated, text.as_mut_slice().into(), tag.into());
        opened.is_ok().then_some(text)
    }
}

/// Everything before the nonce, and the service: moving a file to another name is noticed.
fn associated(head: &[u8], service: &str) -> Vec<u8> {
    let mut bytes = head[..HEAD - NONCE].to_vec();
    bytes.extend_from_slice(service.as_bytes());
    bytes
}

/// One credential as a file.
pub(super) fn seal(
    text: &[u8],
    service: &str,
    id: KeyId,
    key: &Key,
    random: Random,
) -> Result<Vec<u8>, CredentialError> {
    let mut nonce = [0; NONCE];
    fill(random, &mut nonce)?;
    let mut file = MAGIC.to_vec();
    file.push(VERSION);
    file.extend_from_slice(&id.0);
    file.extend_from_slice(&nonce);
    let sealed = key.encrypt(&nonce, &associated(&file, service), text)?;
    file.extend_from_slice(&sealed);
    Ok(file)
}

/// The key that a file is sealed with; none for what is no sealed file of this version.
pub(super) fn key_of(file: &[u8]) -> Option<KeyId> {
    let rest = file.strip_prefix(MAGIC)?;
    let (version, rest) = rest.split_first()?;
    let id = rest.first_chunk::<16>()?;
    (*version == VERSION && file.len() >= HEAD + TAG).then_some(KeyId(*id))
}

/// None when it was changed, or belongs to another service.
pub(super) fn open(file: &[u8], service: &str, key: &Key) -> Option<Zeroizing<Vec<u8>>> {
    key_of(file)?;
    let (head, sealed) = file.split_at_checked(HEAD)?;
    let nonce = head.last_chunk::<NONCE>()?;
    key.decrypt(nonce, &associated(head, service), sealed)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// None for what is not exactly this many bytes in hex.
pub(super) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|letter| letter.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
