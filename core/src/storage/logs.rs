//! Logs in their own file, in the order in which they were written: appended in batches, pruned by age, read newest first.
//!
//! New entries are rows. When there are enough of them they become a block (`block`), in the transaction of the write
//! that makes it enough. A query looks at summaries, then at columns, then at entries, and so at little ([`LogReader`]).

mod block;
mod query;
mod record;

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};

use super::{AnyTable, Db, StorageError, WriteTxn, decode, encode};
use crate::model::{LogEntry, LogId};
use record::StoredLog;

pub use query::{Counting, LogReader, matches};

/// Entries of the first version: time in milliseconds, then a number. Emptied when the file is opened.
const FIRST_LOGS: TableDefinition<(i64, u64), &[u8]> = TableDefinition::new("logs");
/// The number of the next entry.
const NEXT: TableDefinition<(), u64> = TableDefinition::new("next_log");
/// By number: entries that are in no block yet.
const ROWS: TableDefinition<u64, &[u8]> = TableDefinition::new("log_rows");
/// By the number of the block's first entry.
const BODIES: TableDefinition<u64, &[u8]> = TableDefinition::new("log_bodies");
const SUMMARIES: TableDefinition<u64, &[u8]> = TableDefinition::new("log_summaries");
const COLUMNS: TableDefinition<u64, &[u8]> = TableDefinition::new("log_columns");
const TEXTS: TableDefinition<u64, &[u8]> = TableDefinition::new("log_texts");
const TRIGRAMS: TableDefinition<u64, &[u8]> = TableDefinition::new("log_trigrams");
const STATE: TableDefinition<&str, u64> = TableDefinition::new("log_state");
/// In [`STATE`]: bytes of all records in [`ROWS`].
const ROW_BYTES: &str = "row_bytes";
/// In [`STATE`]: by which version of the program the derived tables were made.
const DERIVED: &str = "derived";
pub(super) const TABLES: &[&dyn AnyTable] =
    &[&FIRST_LOGS, &NEXT, &ROWS, &BODIES, &SUMMARIES, &COLUMNS, &TEXTS, &TRIGRAMS, &STATE];

/// Entries or blocks that are brought to a newer shape in one transaction.
const STEP: usize = 4 * block::ENTRIES;
const BLOCKS_STEP: usize = 32;

/// Stores the entries, numbering them in this order; the number of the last one (of all, if there were none).
pub fn append(logs: &Db, entries: Vec<LogEntry>) -> Result<LogId, StorageError> {
    let records =
        entries.into_iter().map(|entry| encode(&StoredLog::from(entry))).collect::<Result<Vec<_>, StorageError>>()?;
    logs.write(move |txn| append_records(txn, &records))
}

fn append_records(txn: &WriteTxn<'_>, records: &[Vec<u8>]) -> Result<LogId, StorageError> {
    let mut counter = txn.table(NEXT)?;
    let mut next = counter.get(())?.map_or(1, |value| value.value().max(1));
    let mut rows = txn.table(ROWS)?;
    for record in records {
        rows.insert(next, record.as_slice())?;
        next += 1;
    }
    counter.insert((), next)?;
    let mut state = txn.table(STATE)?;
    let added: u64 = records.iter().map(|record| record.len() as u64).sum();
    let mut bytes = state.get(ROW_BYTES)?.map_or(0, |value| value.value()) + added;
    while rows.len()? >= block::ENTRIES as u64 || bytes >= block::BYTES {
        let mut taken = Vec::new();
        let mut size = 0;
        for row in rows.iter()?.take(block::ENTRIES) {
            let (id, record) = row?;
            size += record.value().len() as u64;
            taken.push((id.value(), record.value().to_vec()));
            if size >= block::BYTES {
                break;
            }
        }
        let (Some((first, _)), Some((last, _))) = (taken.first(), taken.last()) else {
            // The count of bytes was wrong: there is nothing.
            bytes = 0;
            break;
        };
        rows.retain_in(*first..=*last, |_id, _record| false)?;
        put_block(txn, *first, &block::build(&taken)?)?;
        bytes = bytes.saturating_sub(size);
    }
    state.insert(ROW_BYTES, bytes)?;
    Ok(LogId(next - 1))
}

/// The entries of a file that is still empty get numbers above this one.
pub fn begin_above(logs: &Db, number: LogId) -> Result<(), StorageError> {
    logs.write(move |txn| {
        let mut counter = txn.table(NEXT)?;
        let is_new = counter.get(())?.is_none();
        if is_new {
            counter.insert((), number.0.saturating_add(1))?;
        }
        Ok(())
    })
}

fn put_block(txn: &WriteTxn<'_>, first: u64, block: &block::Encoded) -> Result<(), StorageError> {
    txn.table(BODIES)?.insert(first, block.body.as_slice())?;
    put_derived(txn, first, block)
}

fn put_derived(txn: &WriteTxn<'_>, first: u64, block: &block::Encoded) -> Result<(), StorageError> {
    txn.table(SUMMARIES)?.insert(first, block.summary.as_slice())?;
    txn.table(COLUMNS)?.insert(first, block.columns.as_slice())?;
    txn.table(TEXTS)?.insert(first, block.text.as_slice())?;
    txn.table(TRIGRAMS)?.insert(first, block.trigrams.as_slice())?;
    Ok(())
}

fn remove_block(txn: &WriteTxn<'_>, first: u64) -> Result<(), StorageError> {
    txn.table(BODIES)?.remove(first)?;
    txn.table(SUMMARIES)?.remove(first)?;
    txn.table(COLUMNS)?.remove(first)?;
    txn.table(TEXTS)?.remove(first)?;
    txn.table(TRIGRAMS)?.remove(first)?;
    Ok(())
}

/// Removes what is older than this time, in milliseconds since the Unix epoch; the number of entries removed. Whole
/// blocks go at once; only one that lies across this time is written anew.
pub fn prune(logs: &Db, before: i64) -> Result<u64, StorageError> {
    logs.write(move |txn| {
        let mut removed = 0;
        let mut whole = Vec::new();
        let mut across = Vec::new();
        for row in txn.table(SUMMARIES)?.iter()? {
            let (first, summary) = row?;
            let summary = block::Summary::read(summary.value())?;
            if summary.latest < before {
                removed += u64::from(summary.count);
                whole.push(first.value());
            } else if summary.earliest < before {
                across.push(first.value());
            }
        }
        for first in whole {
            remove_block(txn, first)?;
        }
        for first in across {
            let body = txn.table(BODIES)?.get(first)?.map(|body| body.value().to_vec()).unwrap_or_default();
            let rows = rows_of(&body)?;
            let count = rows.len();
            let kept =
                rows.into_iter().filter_map(|row| keep(row, before).transpose()).collect::<Result<Vec<_>, _>>()?;
            removed += (count - kept.len()) as u64;
            remove_block(txn, first)?;
            if let Some((first, _)) = kept.first() {
                put_block(txn, *first, &block::build(&kept)?)?;
            }
        }
        let mut rows = txn.table(ROWS)?;
        let mut gone = Vec::new();
        let mut bytes = 0;
        for row in rows.iter()? {
            let (id, record) = row?;
            if decode::<StoredLog>(record.value())?.at < before {
                bytes += record.value().len() as u64;
                gone.push(id.value());
            }
        }
        for id in &gone {
            rows.remove(id)?;
        }
        let mut state = txn.table(STATE)?;
        let left = state.get(ROW_BYTES)?.map_or(0, |value| value.value()).saturating_sub(bytes);
        state.insert(ROW_BYTES, left)?;
        Ok(removed + gone.len() as u64)
    })
}

fn rows_of(body: &[u8]) -> Result<Vec<(u64, Vec<u8>)>, StorageError> {
    let body = block::Body::read(body)?;
    (0..body.len()).map(|index| Ok((body.id(index), body.record(index)?.to_vec()))).collect()
}

fn keep(row: (u64, Vec<u8>), before: i64) -> Result<Option<(u64, Vec<u8>)>, StorageError> {
    Ok((decode::<StoredLog>(&row.1)?.at >= before).then_some(row))
}

/// Brings a file to the present shape, in steps: entries of the first version become rows and blocks, and what is derived
/// from blocks is made anew where an older program made it. Nothing is written when nothing is to be done.
pub fn prepare(logs: &Db) -> Result<(), StorageError> {
    let read = logs.read()?;
    let first_version = !read.table(FIRST_LOGS)?.is_empty()?;
    let derived = read.table(STATE)?.get(DERIVED)?.map(|value| value.value());
    drop(read);
    if first_version {
        while logs.write(take_first_version)? > 0 {}
    }
    if derived != Some(block::DERIVED) {
        let mut from = Some(0);
        while let Some(first) = from {
            from = logs.write(move |txn| derive(txn, first))?;
        }
        logs.write(|txn| {
            txn.table(STATE)?.insert(DERIVED, block::DERIVED)?;
            Ok(())
        })?;
    }
    Ok(())
}

/// Moves some entries of the first version; how many.
fn take_first_version(txn: &WriteTxn<'_>) -> Result<usize, StorageError> {
    let mut old = txn.table(FIRST_LOGS)?;
    let mut records = Vec::new();
    let mut last = None;
    for row in old.iter()?.take(STEP) {
        let (key, record) = row?;
        let (at, number) = key.value();
        last = Some((at, number));
        // One that cannot be read is no reason to lose the others.
        if let Ok(mut entry) = decode::<StoredLog>(record.value()) {
            entry.at = at;
            records.push(encode(&entry)?);
        }
    }
    let Some(last) = last else { return Ok(0) };
    old.retain_in(..=last, |_key, _record| false)?;
    append_records(txn, &records)?;
    Ok(records.len().max(1))
}

/// Makes what is derived of some blocks from this one on; where to go on.
fn derive(txn: &WriteTxn<'_>, from: u64) -> Result<Option<u64>, StorageError> {
    let mut bodies = Vec::new();
    for row in txn.table(BODIES)?.range(from..)?.take(BLOCKS_STEP) {
        let (first, body) = row?;
        bodies.push((first.value(), body.value().to_vec()));
    }
    for (first, body) in &bodies {
        put_derived(txn, *first, &block::build(&rows_of(body)?)?)?;
    }
    Ok(bodies.last().map(|(first, _)| first + 1))
}

#[cfg(test)]
mod tests;
