//! Stored answers of models, compressed, with when each was last used; may be thrown away at any time.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{AnyTable, Db, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{ProfileId, Timestamp};

/// SHA-256 of what was asked.
pub type Key = [u8; 32];

/// (profile, key) to what is known of the answer.
const RESPONSES: TableDefinition<(u128, &[u8; 32]), &[u8]> = TableDefinition::new("responses");
/// (profile, key) to its text, deflated (RFC 1951).
const TEXTS: TableDefinition<(u128, &[u8; 32]), &[u8]> = TableDefinition::new("response_texts");
/// (profile, key) to milliseconds of its last use, number of uses, bytes that it takes.
const USES: TableDefinition<(u128, &[u8; 32]), (i64, u64, u64)> = TableDefinition::new("response_uses");
/// (milliseconds of the last use, profile, key): the first goes first.
const BY_USE: TableDefinition<(i64, u128, &[u8; 32]), ()> = TableDefinition::new("responses_by_use");
const TOTALS: TableDefinition<&str, u64> = TableDefinition::new("response_totals");
pub(super) const TABLES: &[&dyn AnyTable] = &[&RESPONSES, &TEXTS, &USES, &BY_USE, &TOTALS];

const BYTES: &str = "bytes";
/// Of one answer; a longer one is not kept.
pub const LARGEST: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
struct StoredResponse {
    stored: i64,
    /// Of the text before it was compressed, in bytes.
    length: u64,
    prompt_tokens: u64,
    answer_tokens: u64,
    /// Why the answer ended, as [`rspa_ml::generate::FinishReason`] is written.
    finish: String,
}
first_version!(StoredResponse, "response");

/// A kept answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub text: String,
    pub stored: Timestamp,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    pub finish: String,
}

/// Sums over the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub entries: u64,
    pub bytes: u64,
}

/// The answer, if it is there and can be read; one that cannot is none, and [`remove`] takes it away.
///
/// # Errors
/// What reading meets, and an entry that makes no sense.
pub fn get(cache: &Db, profile: ProfileId, key: &Key) -> Result<Option<Kept>, StorageError> {
    let txn = cache.read()?;
    let place = (profile.0.as_u128(), key);
    let Some(row) = txn.table(RESPONSES)?.get(place)? else { return Ok(None) };
    let stored: StoredResponse = decode(row.value())?;
    let wrong = |detail: &str| StorageError::Record { record: "response", detail: detail.to_owned() };
    let length = usize::try_from(stored.length).ok().filter(|length| *length <= LARGEST);
    let length = length.ok_or_else(|| wrong("it is too long"))?;
    let text = txn.table(TEXTS)?.get(place)?.ok_or_else(|| wrong("its text is missing"))?;
    let mut bytes = Vec::with_capacity(length);
    // One more, to see that there is no more.
    let mut inflated = DeflateDecoder::new(text.value()).take(length as u64 + 1);
    inflated.read_to_end(&mut bytes).map_err(|error| wrong(&error.to_string()))?;
    if bytes.len() != length {
        return Err(wrong("its text has another length"));
    }
    let text = String::from_utf8(bytes).map_err(|_no_text| wrong("its text is none"))?;
    Ok(Some(Kept {
        text,
        stored: Timestamp(stored.stored),
        prompt_tokens: stored.prompt_tokens,
        answer_tokens: stored.answer_tokens,
        finish: stored.finish,
    }))
}

/// Keeps an answer, in place of the one of this key, and lets the least recently used ones go beyond `most` bytes. How
/// many went.
pub fn put(cache: &Db, profile: ProfileId, key: Key, kept: &Kept, most: u64) -> Result<u64, StorageError> {
    let failed = |error: std::io::Error| StorageError::Failed { detail: error.to_string() };
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflated.write_all(kept.text.as_bytes()).map_err(failed)?;
    let text = deflated.finish().map_err(failed)?;
    let (length, used) = (kept.text.len() as u64, kept.stored);
    let (prompt_tokens, answer_tokens, finish) = (kept.prompt_tokens, kept.answer_tokens, kept.finish.clone());
    cache.write(move |txn| {
        drop_one(txn, profile.0.as_u128(), &key)?;
        let place = (profile.0.as_u128(), &key);
        let stored = StoredResponse { stored: used.0, length, prompt_tokens, answer_tokens, finish: finish.clone() };
        txn.table(RESPONSES)?.put(place, &stored)?;
        txn.table(TEXTS)?.insert(place, text.as_slice())?;
        let bytes = text.len() as u64 + 200;
        txn.table(USES)?.insert(place, (used.0, 1, bytes))?;
        txn.table(BY_USE)?.insert((used.0, place.0, place.1), ())?;
        let all = add_bytes(txn, bytes, 0)?;
        evict(txn, all, most)
    })
}

fn add_bytes(txn: &WriteTxn<'_>, more: u64, less: u64) -> Result<u64, StorageError> {
    let mut totals = txn.table(TOTALS)?;
    let before = totals.get(BYTES)?.map_or(0, |bytes| bytes.value());
    let now = before.saturating_add(more).saturating_sub(less);
    totals.insert(BYTES, now)?;
    Ok(now)
}

fn evict(txn: &WriteTxn<'_>, mut bytes: u64, most: u64) -> Result<u64, StorageError> {
    let mut gone = 0;
    while bytes > most {
        let first = txn.table(BY_USE)?.first()?.map(|(key, _unit)| {
            let (_at, owner, key) = key.value();
            (owner, *key)
        });
        let Some((owner, key)) = first else { break };
        drop_one(txn, owner, &key)?;
        bytes = add_bytes(txn, 0, 0)?;
        gone += 1;
    }
    Ok(gone)
}

fn drop_one(txn: &WriteTxn<'_>, owner: u128, key: &Key) -> Result<bool, StorageError> {
    txn.table(RESPONSES)?.remove((owner, key))?;
    txn.table(TEXTS)?.remove((owner, key))?;
    let use_of_it = txn.table(USES)?.remove((owner, key))?.map(|row| row.value());
    let Some((at, _uses, bytes)) = use_of_it else { return Ok(false) };
    txn.table(BY_USE)?.remove((at, owner, key))?;
    add_bytes(txn, 0, bytes)?;
    Ok(true)
}

/// Removes answers; those that are not there are passed over.
pub fn remove(cache: &Db, profile: ProfileId, keys: Vec<Key>) -> Result<(), StorageError> {
    cache.write(move |txn| {
        for key in &keys {
            drop_one(txn, profile.0.as_u128(), key)?;
        }
        Ok(())
    })
}

/// Writes down when answers were last used, and how often since it was last written down.
pub fn used(cache: &Db, profile: ProfileId, uses: Vec<(Key, Timestamp, u64)>) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    cache.write(move |txn| {
        let (mut table, mut by_use) = (txn.table(USES)?, txn.table(BY_USE)?);
        for (key, at, more) in &uses {
            let known = table.get((owner, key))?.map(|row| row.value());
            // It may have gone meanwhile.
            let Some((before, count, bytes)) = known else { continue };
            let at = at.0.max(before);
            by_use.remove((before, owner, key))?;
            by_use.insert((at, owner, key), ())?;
            table.insert((owner, key), (at, count.saturating_add(*more), bytes))?;
        }
        Ok(())
    })
}

/// The keys that were used most often, at most so many.
pub fn most_used(cache: &Db, profile: ProfileId, most: usize) -> Result<Vec<Key>, StorageError> {
    let owner = profile.0.as_u128();
    let mut all: Vec<(u64, i64, Key)> = Vec::new();
    for row in cache.read()?.table(USES)?.range((owner, &[0; 32])..=(owner, &[u8::MAX; 32]))? {
        let (key, value) = row?;
        let (at, uses, _bytes) = value.value();
        all.push((uses, at, *key.value().1));
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.truncate(most);
    Ok(all.into_iter().map(|(_uses, _at, key)| key).collect())
}

/// Removes what was stored before this time, and what lies beyond `most` bytes.
pub fn prune(cache: &Db, before: Timestamp, most: u64) -> Result<u64, StorageError> {
    cache.write(move |txn| {
        let mut old = Vec::new();
        for row in txn.table(RESPONSES)?.iter()? {
            let (key, value) = row?;
            if decode::<StoredResponse>(value.value()).map_or(true, |stored| stored.stored < before.0) {
                let (owner, key) = key.value();
                old.push((owner, *key));
            }
        }
        for (owner, key) in &old {
            drop_one(txn, *owner, key)?;
        }
        let bytes = add_bytes(txn, 0, 0)?;
        Ok(old.len() as u64 + evict(txn, bytes, most)?)
    })
}

/// Removes all answers of a profile; how many there were.
pub fn clear(cache: &Db, profile: ProfileId) -> Result<u64, StorageError> {
    let owner = profile.0.as_u128();
    cache.write(move |txn| {
        let (first, last) = ((owner, &[0; 32]), (owner, &[u8::MAX; 32]));
        let (mut gone, mut bytes) = (0, 0);
        txn.table(USES)?.retain_in(first..=last, |_key, (_at, _uses, size)| {
            gone += 1;
            bytes += size;
            false
        })?;
        txn.table(RESPONSES)?.retain_in(first..=last, |_, _| false)?;
        txn.table(TEXTS)?.retain_in(first..=last, |_, _| false)?;
        txn.table(BY_USE)?.retain(|(_at, of, _key), ()| of != owner)?;
        add_bytes(txn, 0, bytes)?;
        Ok(gone)
    })
}

pub fn totals(cache: &Db) -> Result<Totals, StorageError> {
    let txn = cache.read()?;
    let bytes = txn.table(TOTALS)?.get(BYTES)?.map_or(0, |bytes| bytes.value());
    Ok(Totals { entries: txn.table(RESPONSES)?.len()?, bytes })
}

/// Puts nonsense in place of a text, for tests of what reads it.
#[cfg(test)]
pub(crate) fn spoil(cache: &Db, profile: ProfileId, key: Key) {
    let spoiled = cache.write(move |txn| {
        txn.table(TEXTS)?.insert((profile.0.as_u128(), &key), b"\xff\x00\x13nonsense".as_slice())?;
        Ok(())
    });
    assert!(spoiled.is_ok());
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::storage::{DbOptions, tables};

    fn kept(text: String, at: i64) -> Kept {
        Kept { text, stored: Timestamp(at), prompt_tokens: 3, answer_tokens: 4, finish: "end_of_text".to_owned() }
    }

    fn cache() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("cache.redb"), &tables::CACHE, DbOptions::default()).unwrap();
        (folder, db)
    }

    /// Text that does not shrink much.
    fn noise(seed: u8) -> String {
        let mut state = u32::from(seed) + 1;
        let mut letters = String::new();
        for _ in 0..2_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            letters.push(char::from(b'!' + (state >> 24) as u8 % 90));
        }
        letters
    }

    #[test]
    fn the_least_recently_used_goes_first_and_the_sums_stay_true() {
        let (_folder, db) = cache();
        let profile = ProfileId(Uuid::from_u128(1));
        for n in 0..5_u8 {
            put(&db, profile, [n; 32], &kept(noise(n), i64::from(n)), u64::MAX).unwrap();
        }
        let one = totals(&db).unwrap().bytes / 5;
        used(&db, profile, vec![([0; 32], Timestamp(100), 7), ([77; 32], Timestamp(1), 1)]).unwrap();
        assert_eq!(most_used(&db, profile, 1).unwrap(), vec![[0; 32]]);
        let gone = put(&db, profile, [9; 32], &kept(noise(9), 50), one * 4).unwrap();
        assert!((2..=3).contains(&gone), "{gone}");
        assert_eq!(get(&db, profile, &[0; 32]).unwrap().unwrap().text, noise(0), "used last");
        assert_eq!(get(&db, profile, &[1; 32]).unwrap(), None, "used first");
        assert!(totals(&db).unwrap().bytes <= one * 4);
        assert_eq!(totals(&db).unwrap().entries, 6 - gone);
        let other = ProfileId(Uuid::from_u128(2));
        put(&db, other, [0; 32], &kept("own".to_owned(), 60), u64::MAX).unwrap();
        clear(&db, profile).unwrap();
        assert_eq!(totals(&db).unwrap().entries, 1);
        assert_eq!(get(&db, other, &[0; 32]).unwrap().unwrap().text, "own");
        assert_eq!(prune(&db, Timestamp(61), u64::MAX).unwrap(), 1);
        assert_eq!(totals(&db).unwrap(), Totals::default());
    }

    #[test]
    fn an_entry_that_makes_no_sense_is_an_error_and_can_be_removed() {
        let (_folder, db) = cache();
        let profile = ProfileId(Uuid::from_u128(1));
        let key = [3; 32];
        put(&db, profile, key, &kept("a fine answer ".repeat(20), 1), u64::MAX).unwrap();
        spoil(&db, profile, key);
        assert!(get(&db, profile, &key).is_err());
        remove(&db, profile, vec![key]).unwrap();
        assert_eq!(get(&db, profile, &key).unwrap(), None);
        // A text that inflates to more than it says.
        put(&db, profile, key, &kept("short".to_owned(), 1), u64::MAX).unwrap();
        let mut bomb = DeflateEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![0; 4 << 20]).unwrap();
        let bomb = bomb.finish().unwrap();
        db.write(move |txn| {
            txn.table(TEXTS)?.insert((1, &key), bomb.as_slice())?;
            Ok(())
        })
        .unwrap();
        assert!(get(&db, profile, &key).unwrap_err().to_string().contains("length"));
    }
}
