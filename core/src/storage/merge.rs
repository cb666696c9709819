//! Adds to the main file what another state of it has and this one lacks, store by store, in one change; and carries
//! into a restored file what no restore may take back.

use super::{
    AnyTable, Db, ReadTxn, StorageError, WriteTxn, activities, agents, audit, chats, credentials, crews, knowledge,
    ledger, mcp, models, notifications, profiles, providers, retrieval, schedules, tasks, trash, usage,
};
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
        merged.extend(agents::merge(txn, &other)?);
        merged.push(schedules::merge(txn, &other)?);
        merged.push(mcp::merge(txn, &other)?);
        merged.push(crews::merge(txn, &other)?);
        merged.push(retrieval::merge(txn, &other)?);
        merged.push(trash::merge(txn, &other)?);
        merged.push(activities::merge(txn, &other)?);
        let (mut chosen, more) = (models::merge(txn, &other)?, providers::merge(txn, &other)?);
        (chosen.added, chosen.kept) = (chosen.added + more.added, chosen.kept + more.kept);
        merged.push(chosen);
        usage::merge(txn, &other)?;
        Ok(merged)
    })
}

/// Brings into `restored` what stays true whatever state the data is taken back to: the ledger of the network, what agents did in
/// figures, what the person was told, what was done with credentials, who may use them, and a lockout; and, if `with_credentials`, what is known of credentials, whose
/// secrets stay as they are too. Change numbers go on above those of both, so that none of them ever means two different
/// things.
///
/// # Errors
/// What reading and writing meets.
pub fn carry(present: &Db, restored: &Db, with_credentials: bool) -> Result<(), StorageError> {
    restored.raise_change(present.last_change());
    let (present, before) = (present.clone(), restored.clone());
    restored.write(move |txn| {
        let present = present.read()?;
        for table in ledger::TABLES {
            put_rows(txn, &present, *table)?;
        }
        let before = before.read()?;
        let own: &[&[&dyn AnyTable]] = match with_credentials {
            true => &[
                audit::TABLES,
                agents::STAYING,
                tasks::TABLES,
                notifications::TABLES,
                schedules::STAYING,
                usage::TABLES,
                crews::STAYING,
                credentials::STAYING,
                credentials::KNOWN,
            ],
            false => &[
                audit::TABLES,
                agents::STAYING,
                tasks::TABLES,
                notifications::TABLES,
                schedules::STAYING,
                usage::TABLES,
                crews::STAYING,
                credentials::STAYING,
            ],
        };
        for table in own.iter().copied().flatten() {
            let mut into = table.raw_table(txn)?;
            for row in table.raw_rows(&before)? {
                into.remove(&row?.key)?;
            }
            drop(into);
            put_rows(txn, &present, *table)?;
        }
        Ok(())
    })
}

fn put_rows(txn: &WriteTxn<'_>, present: &ReadTxn, table: &dyn AnyTable) -> Result<(), StorageError> {
    let mut into = table.raw_table(txn)?;
    for row in table.raw_rows(present)? {
        let row = row?;
        into.put(&row.key, &row.value)?;
    }
    Ok(())
}
