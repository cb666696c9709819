//! The sources that every profile has by itself: its chats, its tasks, and what happened in it.
//!
//! They have no row in the store until the person changes something about them; their ids follow from the profile, so
//! that they are never made twice, and sort behind those of the person's own sources.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::model::{ProfileId, Source, SourceId, SourceKind, Timestamp};

/// The source as it is without a row.
pub fn built_in(profile: ProfileId, kind: SourceKind) -> Source {
    let (path, name) = match kind {
        SourceKind::Chats => ("rspa:chats", "Chats"),
        SourceKind::Tasks => ("rspa:tasks", "Tasks"),
        _ => ("rspa:activities", "Activity"),
    };
    let mut hash = Sha256::new();
    hash.update(profile.0.as_bytes());
    hash.update(path.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[..2].copy_from_slice(&[0xff, 0xff]);
    bytes[2] = match kind {
        SourceKind::Chats => 0,
        SourceKind::Tasks => 1,
        _ => 2,
    };
    Source {
        id: SourceId(uuid::Builder::from_custom_bytes(bytes).into_uuid()),
        profile,
        path: path.into(),
        name: name.to_owned(),
        kind,
        address: None,
        sample: false,
        paused: false,
        created: Timestamp(0),
        updated: Timestamp(0),
    }
}

/// An id in a key.
pub fn id_of(key: &[u8]) -> Option<Uuid> {
    Uuid::parse_str(std::str::from_utf8(key).ok()?).ok()
}
