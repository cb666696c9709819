//! The network ledger: every request that was made or refused, by time, and its totals. Rows are never removed; of a
//! row only the bytes are filled in when its transfer has ended.

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    AnyTable, Db, ReadTxn, Record, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version,
    golden_record,
};
use crate::model::{LedgerEntry, Page, PageRequest, ProfileId, Timestamp};

/// Time in milliseconds, then the change number: no two rows share a key.
const LEDGER: TableDefinition<(i64, u64), &[u8]> = TableDefinition::new("ledger");
const TOTALS: TableDefinition<&str, u64> = TableDefinition::new("ledger_totals");
pub(super) const TABLES: &[&dyn AnyTable] = &[&LEDGER, &TOTALS];

const LARGEST_PAGE: u32 = 1_000;

#[derive(Serialize, Deserialize)]
struct StoredEntryV1 {
    who: String,
    destination: String,
    purpose: String,
    allowed: bool,
    reason: String,
    bytes_sent: u64,
    bytes_received: u64,
}
first_version!(StoredEntryV1, "ledger entry");

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    who: String,
    destination: String,
    purpose: String,
    allowed: bool,
    reason: String,
    bytes_sent: u64,
    bytes_received: u64,
    profile: Option<Uuid>,
    /// As it was then: the profile may be gone.
    profile_name: String,
}

golden_record!(StoredEntry);

impl Record for StoredEntry {
    const NAME: &'static str = "ledger entry";
    const VERSION: u16 = 2;
    type Before = StoredEntryV1;

    fn upgrade(before: StoredEntryV1) -> Self {
        Self {
            who: before.who,
            destination: before.destination,
            purpose: before.purpose,
            allowed: before.allowed,
            reason: before.reason,
            bytes_sent: before.bytes_sent,
            bytes_received: before.bytes_received,
            profile: None,
            profile_name: String::new(),
        }
    }
}

/// A row that was written, to fill in its bytes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerRow(i64, u64);

/// Sums over all rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerTotals {
    pub allowed: u64,
    pub blocked: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// Adds a row within a larger change.
pub fn insert(txn: &WriteTxn<'_>, entry: &LedgerEntry) -> Result<LedgerRow, StorageError> {
    let row = LedgerRow(entry.at.0, txn.change());
    let stored = StoredEntry {
        who: entry.who.clone(),
        destination: entry.destination.clone(),
        purpose: entry.purpose.clone(),
        allowed: entry.allowed,
        reason: entry.reason.clone(),
        bytes_sent: entry.bytes_sent,
        bytes_received: entry.bytes_received,
        profile: entry.profile.map(|profile| profile.0),
        profile_name: entry.profile_name.clone(),
    };
    txn.table(LEDGER)?.put((row.0, row.1), &stored)?;
    add(txn, if entry.allowed { "allowed" } else { "blocked" }, 1)?;
    add(txn, "sent", entry.bytes_sent)?;
    add(txn, "received", entry.bytes_received)?;
    Ok(row)
}

/// Fills in what a transfer moved in the end.
pub fn complete(main: &Db, row: LedgerRow, sent: u64, received: u64, reason: String) -> Result<(), StorageError> {
    main.write(move |txn| {
        let mut table = txn.table(LEDGER)?;
        let stored = table.record::<StoredEntry>((row.0, row.1))?;
        let mut stored = stored.ok_or_else(|| StorageError::NotFound("this ledger row".to_owned()))?;
        let (new_sent, new_received) =
            (sent.saturating_sub(stored.bytes_sent), received.saturating_sub(stored.bytes_received));
        stored.bytes_sent += new_sent;
        stored.bytes_received += new_received;
        stored.reason.clone_from(&reason);
        table.put((row.0, row.1), &stored)?;
        drop(table);
        add(txn, "sent", new_sent)?;
        add(txn, "received", new_received)
    })
}

fn add(txn: &WriteTxn<'_>, total: &str, amount: u64) -> Result<(), StorageError> {
    let mut table = txn.table(TOTALS)?;
    let before = table.get(total)?.map_or(0, |value| value.value());
    table.insert(total, before.saturating_add(amount))?;
    Ok(())
}

pub fn totals(main: &Db) -> Result<LedgerTotals, StorageError> {
    read_totals(&main.read()?)
}

fn read_totals(txn: &ReadTxn) -> Result<LedgerTotals, StorageError> {
    let table = txn.table(TOTALS)?;
    let of = |name: &str| -> Result<u64, StorageError> { Ok(table.get(name)?.map_or(0, |value| value.value())) };
    Ok(LedgerTotals {
        allowed: of("allowed")?,
        blocked: of("blocked")?,
        bytes_sent: of("sent")?,
        bytes_received: of("received")?,
    })
}

/// What does not fit together among the tables of this store, in words.
pub(super) fn broken(txn: &ReadTxn) -> Result<Vec<String>, StorageError> {
    let mut sum = LedgerTotals::default();
    for row in txn.table(LEDGER)?.iter()? {
        let stored: StoredEntry = decode(row?.1.value())?;
        *(if stored.allowed { &mut sum.allowed } else { &mut sum.blocked }) += 1;
        sum.bytes_sent += stored.bytes_sent;
        sum.bytes_received += stored.bytes_received;
    }
    let fits = read_totals(txn)? == sum;
    Ok(if fits { Vec::new() } else { vec!["the totals of the network ledger are not its sums".to_owned()] })
}

/// Newest first.
pub fn page(main: &Db, request: PageRequest) -> Result<Page<LedgerEntry>, StorageError> {
    let table = main.read()?.table(LEDGER)?;
    let skip = usize::try_from(request.offset).unwrap_or(usize::MAX);
    let items = table
        .iter()?
        .rev()
        .skip(skip)
        .take(request.limit.min(LARGEST_PAGE) as usize)
        .map(|row| {
            let (key, value) = row?;
            let stored: StoredEntry = decode(value.value())?;
            Ok(LedgerEntry {
                at: Timestamp(key.value().0),
                who: stored.who,
                destination: stored.destination,
                purpose: stored.purpose,
                allowed: stored.allowed,
                reason: stored.reason,
                bytes_sent: stored.bytes_sent,
                bytes_received: stored.bytes_received,
                profile: stored.profile.map(ProfileId),
                profile_name: stored.profile_name,
            })
        })
        .collect::<Result<_, StorageError>>()?;
    Ok(Page { items, total: table.len()?, offset: request.offset })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{DbOptions, encode, tables};

    #[test]
    fn a_row_of_the_first_version_belongs_to_no_profile() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let old = StoredEntryV1 {
            who: "models".to_owned(),
            destination: "https://a.org:443".to_owned(),
            purpose: "p".to_owned(),
            allowed: true,
            reason: "r".to_owned(),
            bytes_sent: 3,
            bytes_received: 4,
        };
        let bytes = encode(&old).unwrap();
        main.write(move |txn| {
            txn.table(LEDGER)?.insert((7, 1), bytes.as_slice())?;
            Ok(())
        })
        .unwrap();
        complete(&main, LedgerRow(7, 1), 5, 6, "done".to_owned()).unwrap();
        let row = page(&main, PageRequest::default()).unwrap().items.remove(0);
        assert_eq!((row.profile, row.profile_name.as_str(), row.bytes_sent, row.bytes_received), (None, "", 5, 6));
    }
}
