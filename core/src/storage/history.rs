//! The change log: what each row was before it changed, so that a file can be taken back to any minute that is kept.
//!
//! The finest step is a minute: of several changes to a row within one only the first keeps its before-image, since
//! only the state at the start of the minute can be asked for. The recorded times never go back, whatever the clock does.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64};

use redb::{ReadableTable, TableDefinition};

use super::migrate::{META, read_meta};
use super::{AnyTable, Db, ReadTxn, Schema, StorageError, WriteTxn};
use crate::model::Timestamp;

/// (change, index within it) to (milliseconds since the epoch, table, key, what was there before or none).
type Entry = (i64, &'static str, &'static [u8], Option<&'static [u8]>);
pub(super) const CHANGES: TableDefinition<(u64, u32), Entry> = TableDefinition::new("changes");

/// The time from which on the history is complete, in milliseconds since the epoch.
const FROM: &str = "history_from";
/// Bytes of keys and before-images that the history holds.
const BYTES: &str = "history_bytes";

/// Milliseconds of the finest step back.
pub const STEP_MS: i64 = 60_000;
/// Rows whose before-image of this minute is remembered; above it some are kept twice, which is harmless.
const REMEMBERED: usize = 20_000;
/// What an entry costs beside its key and value.
const OVERHEAD: u64 = 64;

/// Which tables of a file have a history.
#[derive(Clone, Copy, Debug)]
pub enum Tracking {
    Off,
    /// All but those with these names.
    AllBut(&'static [&'static str]),
}

/// Whether the history is kept and how large it may grow; the same for all handles of a file.
#[derive(Debug)]
pub(super) struct Limits {
    pub on: AtomicBool,
    pub max_bytes: AtomicU64,
}

struct Row {
    change: u64,
    index: u32,
    table: String,
    key: Vec<u8>,
    before: Option<Vec<u8>>,
}

/// Collects the before-images of one commit; the writer of a file owns it.
pub(super) struct Recorder {
    except: &'static [&'static str],
    change: Cell<u64>,
    time: Cell<i64>,
    /// The clock is behind what was recorded: minutes cannot be told apart, so every change keeps its before-image.
    behind: Cell<bool>,
    rows: RefCell<Vec<Row>>,
    seen: RefCell<HashSet<(String, Vec<u8>)>>,
    /// That `history_from` is stored.
    begun: Cell<bool>,
}

impl Recorder {
    /// `last` is the time of the newest entry.
    pub(super) fn new(except: &'static [&'static str], last: i64) -> Self {
        Self {
            except,
            change: Cell::new(0),
            time: Cell::new(last),
            behind: Cell::new(false),
            rows: RefCell::default(),
            seen: RefCell::default(),
            begun: Cell::new(false),
        }
    }

    pub(super) fn follows(&self, table: &str) -> bool {
        !self.except.contains(&table)
    }

    /// Before the first write of a commit.
    pub(super) fn begin(&self, now: Timestamp) {
        self.abandon();
        let last = self.time.get();
        self.behind.set(now.0 < last);
        if minute(now.0) > minute(last) || self.seen.borrow().len() > REMEMBERED {
            self.seen.borrow_mut().clear();
        }
        self.time.set(now.0.max(last));
    }

    /// The writes from now on belong to this change.
    pub(super) fn change(&self, change: u64) {
        self.change.set(change);
    }

    pub(super) fn note(&self, table: &str, key: &[u8], before: impl FnOnce() -> Option<Vec<u8>>) {
        if !self.seen.borrow_mut().insert((table.to_owned(), key.to_vec())) && !self.behind.get() {
            return;
        }
        let mut rows = self.rows.borrow_mut();
        let change = self.change.get();
        let index = rows.last().filter(|row| row.change == change).map_or(0, |row| row.index + 1);
        rows.push(Row { change, index, table: table.to_owned(), key: key.to_vec(), before: before() });
    }

    /// Forgets what was noted since `begin`: the commit did not happen.
    pub(super) fn abandon(&self) {
        let mut seen = self.seen.borrow_mut();
        for row in self.rows.borrow_mut().drain(..) {
            seen.remove(&(row.table, row.key));
        }
    }

    /// Writes what was noted into the transaction, within `max_bytes`.
    pub(super) fn store(&self, txn: &redb::WriteTransaction, max_bytes: u64) -> Result<(), StorageError> {
        let rows = self.rows.borrow();
        if rows.is_empty() && self.begun.get() {
            return Ok(());
        }
        let mut meta = txn.open_table(META)?;
        if meta.get(FROM)?.is_none() {
            meta.insert(FROM, milliseconds(self.time.get()))?;
        }
        if rows.is_empty() {
            return Ok(());
        }
        let mut bytes = meta.get(BYTES)?.map_or(0, |bytes| bytes.value());
        let mut changes = txn.open_table(CHANGES)?;
        for row in rows.iter() {
            let entry = (self.time.get(), row.table.as_str(), row.key.as_slice(), row.before.as_deref());
            bytes += cost(&entry);
            changes.insert((row.change, row.index), entry)?;
        }
        meta.insert(BYTES, bytes)?;
        if bytes > max_bytes {
            // Below the limit by an eighth, so that this does not happen at every commit.
            trim(&mut meta, &mut changes, i64::MIN, max_bytes - max_bytes / 8)?;
        }
        Ok(())
    }

    /// After the commit.
    pub(super) fn stored(&self) {
        self.begun.set(true);
        self.rows.borrow_mut().clear();
    }

    /// No history is kept from now on: what there was of it goes.
    pub(super) fn clear(&self, txn: &redb::WriteTransaction) -> Result<(), StorageError> {
        self.begun.set(false);
        self.seen.borrow_mut().clear();
        clear(txn)
    }
}

/// Forgets the whole history.
pub(super) fn clear(txn: &redb::WriteTransaction) -> Result<(), StorageError> {
    let mut meta = txn.open_table(META)?;
    if meta.remove(FROM)?.is_none() {
        return Ok(());
    }
    meta.remove(BYTES)?;
    txn.open_table(CHANGES)?.retain(|_, _| false)?;
    Ok(())
}

fn minute(ms: i64) -> i64 {
    ms.div_euclid(STEP_MS)
}

fn milliseconds(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

fn cost(entry: &(i64, &str, &[u8], Option<&[u8]>)) -> u64 {
    OVERHEAD + (entry.1.len() + entry.2.len() + entry.3.map_or(0, <[u8]>::len)) as u64
}

/// Removes the entries before a time, then the oldest minutes until no more than so many bytes are left.
fn trim(
    meta: &mut redb::Table<'_, &'static str, u64>,
    changes: &mut redb::Table<'_, (u64, u32), Entry>,
    before: i64,
    max_bytes: u64,
) -> Result<u64, StorageError> {
    let mut bytes = meta.get(BYTES)?.map_or(0, |bytes| bytes.value());
    let (mut removed, mut end, mut last_gone) = (0, None, None);
    for row in changes.iter()? {
        let (key, entry) = row?;
        let entry = entry.value();
        // A minute goes whole: what is left of one could not be gone back to.
        if entry.0 >= before && bytes <= max_bytes && last_gone != Some(minute(entry.0)) {
            break;
        }
        bytes = bytes.saturating_sub(cost(&entry));
        last_gone = Some(minute(entry.0));
        removed += 1;
        end = Some(key.value());
    }
    if let Some(end) = end {
        changes.retain_in(..=end, |_, _| false)?;
        meta.insert(BYTES, bytes)?;
    }
    let from = milliseconds(last_gone.map_or(before, |gone| before.max((gone + 1) * STEP_MS)));
    let known = meta.get(FROM)?.map(|known| known.value());
    if known.is_some_and(|known| known < from) {
        meta.insert(FROM, from)?;
    }
    Ok(removed)
}

/// Whether [`prune`] would remove anything.
pub(super) fn can_be_pruned(txn: &ReadTxn, before: Timestamp, max_bytes: u64) -> Result<bool, StorageError> {
    if read_meta(txn, BYTES)?.unwrap_or(0) > max_bytes {
        return Ok(true);
    }
    let Some(changes) = txn.table_if_there(CHANGES)? else { return Ok(false) };
    let oldest = changes.first()?.map(|(_, entry)| entry.value().0);
    Ok(oldest.is_some_and(|oldest| oldest < minute(before.0) * STEP_MS))
}

/// Removes what lies before a time, and the oldest beyond so many bytes; the number of entries removed.
pub(super) fn prune(txn: &redb::WriteTransaction, before: Timestamp, max_bytes: u64) -> Result<u64, StorageError> {
    let (mut meta, mut changes) = (txn.open_table(META)?, txn.open_table(CHANGES)?);
    if meta.get(FROM)?.is_none() {
        return Ok(0);
    }
    // Entries of the minute in which the time lies stay: they lead back to its start.
    trim(&mut meta, &mut changes, minute(before.0) * STEP_MS, max_bytes)
}

/// The time of the newest entry.
pub(super) fn last_time(txn: &ReadTxn) -> Result<i64, StorageError> {
    let Some(changes) = txn.table_if_there(CHANGES)? else { return Ok(0) };
    Ok(changes.last()?.map_or(0, |(_, entry)| entry.value().0))
}

/// The span of time that can be gone back to: from the first moment that the history covers to its newest entry
/// (the state now). None when no history is kept or nothing has changed yet.
pub fn range(db: &Db) -> Result<Option<(Timestamp, Timestamp)>, StorageError> {
    let txn = db.read()?;
    let Some(from) = read_meta(&txn, FROM)? else { return Ok(None) };
    let last = last_time(&txn)?;
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    Ok((last >= from).then_some((Timestamp(from), Timestamp(last))))
}

/// Bytes that the history holds.
pub fn bytes(db: &Db) -> Result<u64, StorageError> {
    Ok(read_meta(&db.read()?, BYTES)?.unwrap_or(0))
}

/// Takes the tracked tables of a file (a copy made by [`super::snapshot::copy_to`]) back to their state at the start of
/// the minute in which `to` lies, in one transaction. What was recorded after it is gone from the history too. Tables
/// without history keep what they hold. Returns how many rows were put back.
///
/// # Errors
/// Refused when the history does not reach back that far.
pub fn undo_until(db: &Db, schema: &'static Schema, to: Timestamp) -> Result<u64, StorageError> {
    let first = read_meta(&db.read()?, FROM)?.and_then(|from| i64::try_from(from).ok());
    if first.is_none_or(|first| to.0 < first) {
        return Err(StorageError::Refused("the history of changes does not reach back that far".to_owned()));
    }
    db.write(move |txn| {
        if let Some(recorder) = txn.recorder() {
            recorder.seen.borrow_mut().clear();
        }
        undo(&txn.unrecorded(), schema, minute(to.0) * STEP_MS)
    })
}

fn undo(txn: &WriteTxn<'_>, schema: &'static Schema, to: i64) -> Result<u64, StorageError> {
    let mut changes = txn.table(CHANGES)?;
    let mut undone = Vec::new();
    for row in changes.iter()?.rev() {
        let (key, entry) = row?;
        let (time, table, row_key, before) = entry.value();
        if time < to {
            break;
        }
        undone.push((key.value(), table.to_owned(), row_key.to_vec(), before.map(<[u8]>::to_vec)));
    }
    let Some(first) = undone.last().map(|(key, ..)| *key) else { return Ok(0) };
    changes.retain_in(first.., |_, _| false)?;
    drop(changes);
    let count = undone.len() as u64;
    for table in schema.tables.iter().copied().flatten() {
        let mut open = None;
        // The newest first, so that what was there before the oldest is what stays.
        for (_, _, key, before) in undone.iter().filter(|(_, name, ..)| name == table.table_name()) {
            if open.is_none() {
                open = Some(table.raw_table(txn)?);
            }
            let Some(open) = open.as_mut() else { continue };
            match before {
                Some(before) => open.put(key, before)?,
                None => open.remove(key)?,
            }
        }
    }
    Ok(count)
}

/// The tables that a history consists of, for those who copy files.
pub(super) static OWN_TABLES: &[&dyn AnyTable] = &[&META, &CHANGES];

#[cfg(test)]
mod tests;
