//! The audit log: what touched credentials and permissions, row after row, each with the SHA-256 of the one before it,
//! so that a row that is changed, taken out or put in between is noticed.
//!
//! There is no key in it: who can write the file and knows this code can make a new chain. It shows mistakes, damage and
//! tampering by hand, not the work of a program that runs as the same user.

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[cfg(test)]
use super::RecordReading;
use super::{AnyTable, Db, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{Page, PageRequest, Timestamp};

/// From 1, without gaps.
const AUDIT: TableDefinition<u64, &[u8]> = TableDefinition::new("audit");
/// How many rows there are, and the hash of the last one: rows that are cut off at the end are noticed too.
const HEAD: TableDefinition<(), (u64, &[u8])> = TableDefinition::new("audit_head");
pub(super) const TABLES: &[&dyn AnyTable] = &[&AUDIT, &HEAD];

const LARGEST_PAGE: u32 = 1_000;

/// One thing that happened. Never with a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// Who did it: `the person`, `rspa`, an agent.
    pub who: String,
    /// Such as `credential.set`.
    pub kind: String,
    /// What it was done to, such as a service.
    pub subject: String,
    /// One sentence, or nothing.
    pub detail: String,
}

/// How a look at the whole chain ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditState {
    Whole {
        rows: u64,
    },
    /// The number of the first row that does not fit, and why.
    Broken {
        row: u64,
        why: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
struct StoredRow {
    at: i64,
    who: String,
    kind: String,
    subject: String,
    detail: String,
    /// Of the row before; zeros for the first.
    previous: Vec<u8>,
    hash: Vec<u8>,
}
first_version!(StoredRow, "audit row");

impl StoredRow {
    /// Lengths before texts, so that no two rows have the same bytes.
    fn digest(&self, number: u64) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(number.to_le_bytes());
        hasher.update(self.at.to_le_bytes());
        for field in [
            self.who.as_bytes(),
            self.kind.as_bytes(),
            self.subject.as_bytes(),
            self.detail.as_bytes(),
            self.previous.as_slice(),
        ] {
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        hasher.finalize().into()
    }
}

/// Adds a row within a larger change.
pub fn append(txn: &WriteTxn<'_>, entry: &AuditEntry) -> Result<(), StorageError> {
    let mut head = txn.table(HEAD)?;
    let (rows, previous) = match head.get(())? {
        Some(value) => (value.value().0, value.value().1.to_vec()),
        None => (0, vec![0; 32]),
    };
    let number = rows + 1;
    let mut row = StoredRow {
        at: entry.at.0,
        who: entry.who.clone(),
        kind: entry.kind.clone(),
        subject: entry.subject.clone(),
        detail: entry.detail.clone(),
        previous,
        hash: Vec::new(),
    };
    row.hash = row.digest(number).to_vec();
    head.insert((), (number, row.hash.as_slice()))?;
    drop(head);
    txn.table(AUDIT)?.put(number, &row)
}

/// Adds a row; it is durable when this returns.
pub fn add(main: &Db, entry: AuditEntry) -> Result<(), StorageError> {
    main.write(move |txn| append(txn, &entry))
}

/// Newest first.
pub fn page(main: &Db, request: PageRequest) -> Result<Page<AuditEntry>, StorageError> {
    let table = main.read()?.table(AUDIT)?;
    let skip = usize::try_from(request.offset).unwrap_or(usize::MAX);
    let items = table
        .iter()?
        .rev()
        .skip(skip)
        .take(request.limit.min(LARGEST_PAGE) as usize)
        .map(|row| {
            let StoredRow { at, who, kind, subject, detail, .. } = decode(row?.1.value())?;
            Ok(AuditEntry { at: Timestamp(at), who, kind, subject, detail })
        })
        .collect::<Result<_, StorageError>>()?;
    Ok(Page { items, total: table.len()?, offset: request.offset })
}

/// Walks the whole chain.
pub fn verify(main: &Db) -> Result<AuditState, StorageError> {
    let txn = main.read()?;
    let table = txn.table(AUDIT)?;
    let (mut expected, mut previous) = (1, vec![0; 32]);
    for row in table.iter()? {
        let (key, value) = row?;
        let number = key.value();
        let broken = |why| Ok(AuditState::Broken { row: expected, why });
        if number != expected {
            return broken("a row is missing");
        }
        let Ok(row) = decode::<StoredRow>(value.value()) else { return broken("the row cannot be read") };
        if row.previous != previous {
            return broken("the row does not follow the one before it");
        }
        if row.hash != row.digest(number) {
            return broken("the row was changed");
        }
        (expected, previous) = (number + 1, row.hash);
    }
    let rows = expected - 1;
    let head = txn.table(HEAD)?;
    let end = head.get(())?.map_or((0, vec![0; 32]), |value| (value.value().0, value.value().1.to_vec()));
    if end != (rows, previous) {
        return Ok(AuditState::Broken { row: expected, why: "rows were cut off at the end" });
    }
    Ok(AuditState::Whole { rows })
}

/// For tests: changes the detail of a row without its hash.
#[cfg(test)]
pub(crate) fn tamper(main: &Db, number: u64) -> Result<(), StorageError> {
    main.write(move |txn| {
        let mut table = txn.table(AUDIT)?;
        let row = table.record::<StoredRow>(number)?;
        let mut row = row.ok_or_else(|| StorageError::NotFound("this row".to_owned()))?;
        row.detail.push('!');
        table.put(number, &row)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{DbOptions, tables};

    fn filled() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        for n in 0..5 {
            let entry = AuditEntry {
                at: Timestamp(n),
                who: "the person".to_owned(),
                kind: "test".to_owned(),
                subject: n.to_string(),
                detail: String::new(),
            };
            add(&main, entry).unwrap();
        }
        (folder, main)
    }

    fn broken_at(main: &Db) -> u64 {
        match verify(main).unwrap() {
            AuditState::Broken { row, .. } => row,
            whole => panic!("{whole:?}"),
        }
    }

    #[test]
    fn a_chain_is_whole_until_somebody_changes_it() {
        let (_folder, main) = filled();
        assert_eq!(verify(&main).unwrap(), AuditState::Whole { rows: 5 });
        assert_eq!(page(&main, PageRequest::default()).unwrap().items[0].subject, "4");
        tamper(&main, 3).unwrap();
        assert_eq!(broken_at(&main), 3);
    }

    #[test]
    fn rows_that_are_taken_out_or_cut_off_are_missed() {
        let (_folder, main) = filled();
        main.write(|txn| Ok(txn.table(AUDIT)?.remove(2)?.map(drop))).unwrap();
        assert_eq!(broken_at(&main), 2);
        let (_folder, main) = filled();
        main.write(|txn| Ok(txn.table(AUDIT)?.remove(5)?.map(drop))).unwrap();
        assert_eq!(broken_at(&main), 5);
    }

    #[test]
    fn a_row_with_a_new_hash_breaks_the_next_one() {
        let (_folder, main) = filled();
        main.write(|txn| {
            let mut table = txn.table(AUDIT)?;
            let mut row = table.record::<StoredRow>(2)?.expect("it is there");
            row.who = "nobody".to_owned();
            row.hash = row.digest(2).to_vec();
            table.put(2, &row)
        })
        .unwrap();
        assert_eq!(broken_at(&main), 3);
    }
}
