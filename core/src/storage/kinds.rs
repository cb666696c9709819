//! What kinds of things the main file holds, each with its table and how one of them is called: for telling states apart.

use super::compare::compare_table;
use super::{
    AnyTable, ReadTxn, StorageError, activities, agents, chats, crews, knowledge, mcp, models, profiles, providers,
    retrieval, schedules, trash,
};
use crate::model::{DataKind, KindDifference};

/// One kind of things. A row of the table is one thing; its indexes lie in other tables.
pub(super) struct Kind {
    pub kind: DataKind,
    pub table: &'static dyn AnyTable,
    /// How the thing of this row is called.
    pub title: fn(&[u8]) -> Option<String>,
    /// False for a row that stands for nothing of this kind, such as a chat in the trash.
    pub is_there: fn(&[u8]) -> bool,
}

static KINDS: &[&Kind] = &[
    &profiles::KIND,
    &chats::KIND,
    &chats::MESSAGES_KIND,
    &knowledge::SOURCES_KIND,
    &trash::KIND,
    &activities::KIND,
    &agents::KIND,
    &agents::DATA_KIND,
    &models::KIND,
    &providers::KIND,
    &providers::ROUTING_KIND,
    &schedules::KIND,
    &mcp::KIND,
    &crews::KIND,
    &retrieval::KIND,
];

/// Titles of each sort that are given.
const TITLES: usize = 8;
const LONGEST_TITLE: usize = 120;

/// How two states of the main file differ, kind by kind; kinds that do not differ too.
///
/// # Errors
/// What reading meets.
pub fn differences(here: &ReadTxn, there: &ReadTxn) -> Result<Vec<KindDifference>, StorageError> {
    KINDS.iter().map(|kind| difference(kind, here, there)).collect()
}

fn difference(kind: &Kind, here: &ReadTxn, there: &ReadTxn) -> Result<KindDifference, StorageError> {
    let mut found = compare_table(here, there, kind.table)?;
    let is_there = |key: &[u8], txn: &ReadTxn| -> Result<bool, StorageError> {
        Ok(kind.table.raw_get(txn, key)?.is_some_and(|row| (kind.is_there)(&row)))
    };
    let in_one = |keys: Vec<Vec<u8>>, txn: &ReadTxn| -> Result<Vec<Vec<u8>>, StorageError> {
        let mut own = Vec::new();
        for key in keys {
            if is_there(&key, txn)? {
                own.push(key);
            }
        }
        Ok(own)
    };
    found.removed = in_one(found.removed, here)?;
    found.added = in_one(found.added, there)?;
    for key in std::mem::take(&mut found.changed) {
        match (is_there(&key, here)?, is_there(&key, there)?) {
            (true, true) => found.changed.push(key),
            (true, false) => found.removed.push(key),
            (false, true) => found.added.push(key),
            (false, false) => {}
        }
    }
    let titles = |keys: &[Vec<u8>], txn: &ReadTxn| -> Result<Vec<String>, StorageError> {
        let mut titles = Vec::new();
        for key in keys {
            let title = kind.table.raw_get(txn, key)?.and_then(|row| (kind.title)(&row));
            titles.extend(title.filter(|title| !title.is_empty()).map(|t| t.chars().take(LONGEST_TITLE).collect()));
            if titles.len() == TITLES {
                break;
            }
        }
        Ok(titles)
    };
    Ok(KindDifference {
        kind: kind.kind,
        only_here: found.removed.len() as u64,
        only_there: found.added.len() as u64,
        different: found.changed.len() as u64,
        here: titles(&found.removed, here)?,
        there: titles(&found.added, there)?,
        both: titles(&found.changed, here)?,
    })
}
