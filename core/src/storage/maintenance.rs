//! When the last clean-up was, and since when the clock is in doubt.

use redb::TableDefinition;

use super::{AnyTable, Db, StorageError};
use crate::model::Timestamp;

const MAINTENANCE: TableDefinition<&str, i64> = TableDefinition::new("maintenance");
pub(super) const TABLES: &[&dyn AnyTable] = &[&MAINTENANCE];

const LAST: &str = "last_clean_up";
const DOUBTED: &str = "clock_doubted";

/// What the next clean-up must know of the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    pub last: Option<Timestamp>,
    /// When the clock first looked wrong, by that clock.
    pub doubted: Option<Timestamp>,
}

pub fn get(main: &Db) -> Result<Maintenance, StorageError> {
    let table = main.read()?.table(MAINTENANCE)?;
    let of = |name: &str| -> Result<Option<Timestamp>, StorageError> {
        Ok(table.get(name)?.map(|value| Timestamp(value.value())))
    };
    Ok(Maintenance { last: of(LAST)?, doubted: of(DOUBTED)? })
}

pub fn put(main: &Db, state: Maintenance) -> Result<(), StorageError> {
    main.write(move |txn| {
        let mut table = txn.table(MAINTENANCE)?;
        for (name, time) in [(LAST, state.last), (DOUBTED, state.doubted)] {
            match time {
                Some(time) => drop(table.insert(name, time.0)?),
                None => drop(table.remove(name)?),
            }
        }
        Ok(())
    })
}
