//! Rules that hold between the tables of a file at every moment: indexes name what is there, counts are sums.

use super::{ReadTxn, Schema, StorageError, agents, chats, crews, knowledge, ledger, tables};

/// How many broken rules are told.
const TOLD: usize = 10;

/// The rules that this state breaks, in words; none for a schema that has no rules.
///
/// # Errors
/// What reading meets.
pub fn broken(txn: &ReadTxn, schema: &Schema) -> Result<Vec<String>, StorageError> {
    let mut broken = if std::ptr::eq(schema, &raw const tables::MAIN) {
        let mut broken = chats::broken(txn)?;
        broken.extend(ledger::broken(txn)?);
        broken.extend(agents::broken(txn)?);
        broken.extend(crews::broken(txn)?);
        broken
    } else if std::ptr::eq(schema, &raw const tables::KNOWLEDGE) {
        knowledge::broken(txn)?
    } else {
        Vec::new()
    };
    broken.dedup();
    broken.truncate(TOLD);
    Ok(broken)
}
