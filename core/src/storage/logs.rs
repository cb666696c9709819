//! Logs in their own file, by time: written in batches, pruned by age, read newest first.

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{AnyTable, Db, RecordWriting, StorageError, decode, first_version};

/// Time in milliseconds, then a number within the file that rises.
const LOGS: TableDefinition<(i64, u64), &[u8]> = TableDefinition::new("logs");
const NEXT: TableDefinition<(), u64> = TableDefinition::new("next_log");
pub(super) const TABLES: &[&dyn AnyTable] = &[&LOGS, &NEXT];

/// A log entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    /// `ERROR` to `TRACE`.
    pub level: String,
    pub target: String,
    pub module: String,
    pub line: u32,
    /// The spans that it happened in, outermost first, `a > b`; empty for none.
    pub span: String,
    pub message: String,
    pub fields: Vec<(String, String)>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredLog {
    level: String,
    target: String,
    module: String,
    line: u32,
    #[serde(default)]
    span: String,
    message: String,
    #[serde(default)]
    fields: Vec<(String, String)>,
}
first_version!(StoredLog, "log entry");

pub fn append(logs: &Db, rows: Vec<LogRow>) -> Result<(), StorageError> {
    let rows: Vec<(i64, StoredLog)> = rows
        .into_iter()
        .map(|row| {
            let LogRow { at, level, target, module, line, span, message, fields } = row;
            (at, StoredLog { level, target, module, line, span, message, fields })
        })
        .collect();
    logs.write(move |txn| {
        let mut counter = txn.table(NEXT)?;
        let mut next = counter.get(())?.map_or(0, |value| value.value());
        let mut table = txn.table(LOGS)?;
        for (at, row) in &rows {
            table.put((*at, next), row)?;
            next += 1;
        }
        counter.insert((), next)?;
        Ok(())
    })
}

/// Removes what is older than this time; the number of rows removed.
pub fn prune(logs: &Db, before: i64) -> Result<u64, StorageError> {
    logs.write(move |txn| {
        let mut table = txn.table(LOGS)?;
        let rows = table.len()?;
        table.retain_in(..(before, 0), |_key, _row| false)?;
        Ok(rows - table.len()?)
    })
}

/// Newest first.
pub fn newest(logs: &Db, limit: usize) -> Result<Vec<LogRow>, StorageError> {
    let table = logs.read()?.table(LOGS)?;
    table
        .iter()?
        .rev()
        .take(limit)
        .map(|row| {
            let (key, value) = row?;
            let StoredLog { level, target, module, line, span, message, fields } = decode(value.value())?;
            Ok(LogRow { at: key.value().0, level, target, module, line, span, message, fields })
        })
        .collect()
}
