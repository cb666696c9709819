//! `vault.json`: what the data key is kept under, and the sealed data key; no secret is in it.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use super::cipher::{self, Key, KeyId, Random, from_hex, hex};
use crate::credentials::CredentialError;
use crate::model::{Protection, SecretText, Timestamp};

const FORMAT: u32 = 1;
/// More keys than this are never there at once.
const MOST_KEYS: usize = 8;

/// The cost of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kdf {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Default for Kdf {
    /// 64 MiB, 3 passes, 4 lanes: the second recommendation of RFC 9106, section 4.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3, lanes: 4 }
    }
}

impl Kdf {
    pub(super) fn derive(self, passphrase: &SecretText, salt: &[u8; 16]) -> Result<Key, CredentialError> {
        let failed = |error: argon2::Error| CredentialError::damaged("vault.json", format!("Argon2id: {error}"));
        let mut key = Key::empty();
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(failed)?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.reveal().as_bytes(), salt, key.bytes_mut())
            .map_err(failed)?;
        Ok(key)
    }

    /// A file cannot make this computer work for hours or run out of memory.
    fn is_bearable(self) -> bool {
        (8 * self.lanes..=1 << 20).contains(&self.memory_kib)
            && (1..=32).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
    }
}

/// What the data keys are sealed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    KeyFile { id: KeyId },
    Passphrase { kdf: Kdf, salt: [u8; 16] },
}

impl Kept {
    pub fn protection(&self) -> Protection {
        match self {
            Self::KeyFile { .. } => Protection::KeyFile,
            Self::Passphrase { .. } => Protection::Passphrase,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SealedKey {
    pub id: KeyId,
    pub created: i64,
    nonce: [u8; 24],
    /// With its tag.
    sealed: [u8; 48],
}

impl SealedKey {
    pub fn seal(
        id: KeyId,
        created: Timestamp,
        key: &Key,
        outer: &Key,
        random: Random,
    ) -> Result<Self, CredentialError> {
        let mut nonce = [0; 24];
        cipher::fill(random, &mut nonce)?;
        let bytes = outer.encrypt(&nonce, &Self::associated(id, created.0), key.bytes())?;
        let sealed = bytes.try_into().map_err(|_length: Vec<u8>| {
            CredentialError::damaged("vault.json", "a sealed key has another length than it should")
        })?;
        Ok(Self { id, created: created.0, nonce, sealed })
    }

    pub fn open(&self, outer: &Key) -> Option<Key> {
        let bytes = outer.decrypt(&self.nonce, &Self::associated(self.id, self.created), &self.sealed)?;
        Key::from_slice(&bytes)
    }

    fn associated(id: KeyId, created: i64) -> Vec<u8> {
        let mut bytes = b"rspa vault key".to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&id.0);
        bytes.extend_from_slice(&created.to_le_bytes());
        bytes
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub kept: Kept,
    /// The first one seals; others wait until what they sealed is sealed anew.
    pub keys: Vec<SealedKey>,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    kept_under: FileKept,
    keys: Vec<FileKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FileKept {
    KeyFile { id: String },
    Argon2id { memory_kib: u32, passes: u32, lanes: u32, salt: String },
}

#[derive(Serialize, Deserialize)]
struct FileKey {
    id: String,
    created: i64,
    nonce: String,
    sealed: String,
}

impl Header {
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not what it should be ({error})"))?;
        if file.format != FORMAT {
            return Err(format!("it has format {}, this rspa knows {FORMAT}", file.format));
        }
        let wrong = || "a field of it has the wrong length".to_owned();
        let kept = match file.kept_under {
            FileKept::KeyFile { id } => Kept::KeyFile { id: KeyId(from_hex(&id).ok_or_else(wrong)?) },
            FileKept::Argon2id { memory_kib, passes, lanes, salt } => {
                let kdf = Kdf { memory_kib, passes, lanes };
                if !kdf.is_bearable() {
                    return Err("the cost of its passphrase is out of all bounds".to_owned());
                }
                Kept::Passphrase { kdf, salt: from_hex(&salt).ok_or_else(wrong)? }
            }
        };
        if !(1..=MOST_KEYS).contains(&file.keys.len()) {
            return Err(format!("it has {} keys", file.keys.len()));
        }
        let keys = file.keys.iter().map(|key| {
            Some(SealedKey {
                id: KeyId(from_hex(&key.id)?),
                created: key.created,
                nonce: from_hex(&key.nonce)?,
                sealed: from_hex(&key.sealed)?,
            })
        });
        Ok(Self { kept, keys: keys.collect::<Option<_>>().ok_or_else(wrong)? })
    }

    pub fn text(&self) -> String {
        let kept_under = match &self.kept {
            Kept::KeyFile { id } => FileKept::KeyFile { id: hex(&id.0) },
            Kept::Passphrase { kdf, salt } => {
                FileKept::Argon2id { memory_kib: kdf.memory_kib, passes: kdf.passes, lanes: kdf.lanes, salt: hex(salt) }
            }
        };
        let keys = self.keys.iter().map(|key| FileKey {
            id: hex(&key.id.0),
            created: key.created,
            nonce: hex(&key.nonce),
            sealed: hex(&key.sealed),
        });
        let file = File { format: FORMAT, kept_under, keys: keys.collect() };
        serde_json::to_string_pretty(&file).expect("plain fields can always be written as JSON")
    }
}
