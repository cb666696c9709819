//! Adds to the main file what another state of it has and this one lacks, store by store, in one change; and carries
//! into a restored file what no restore may take back.

use super::{Db, ReadTxn, StorageError, WriteTxn, chats, knowledge, ledger, models, profiles};
use crate::model::Merged;

/// The present wins where both differ. `other` must be of the same schema.
///
/// # Errors
/// What reading and writing meets; nothing is changed then.
pub fn merge(main: &Db, other: &Db) -> Result<Vec<Merged>, StorageError> {
    let other = other.clone();
    main.write(move |txn| {
        let other = other.read()?;
        let mut merged = vec![profiles::merge(txn, &other)?];
        merged.extend(chats::merge(txn, &other)?);
        merged.push(knowledge::merge_sources(txn, &other)?);
        merged.push(models::merge(txn, &other)?);
        Ok(merged)
    })
}

/// Brings into `restored` what stays true whatever state the data is taken back to: the ledger of the network. Change
/// numbers go on above those of both, so that none of them ever means two different things.
///
/// # Errors
/// What reading and writing meets.
pub fn carry(present: &Db, restored: &Db) -> Result<(), StorageError> {
    restored.raise_change(present.last_change());
    let present = present.clone();
    restored.write(move |txn| carry_tables(txn, &present.read()?))
}

fn carry_tables(txn: &WriteTxn<'_>, present: &ReadTxn) -> Result<(), StorageError> {
    for table in ledger::TABLES {
        let mut into = table.raw_table(txn)?;
        for row in table.raw_rows(present)? {
            let row = row?;
            into.put(&row.key, &row.value)?;
        }
    }
    Ok(())
}
