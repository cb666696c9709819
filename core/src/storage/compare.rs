//! What differs between two states of a file, table by table.

use std::cmp::Ordering;

use super::{AnyTable, ReadTxn, Schema, StorageError};

/// How a table of `b` differs from that of `a`; the keys as the table keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableDifference {
    pub table: String,
    /// In `b` alone.
    pub added: Vec<Vec<u8>>,
    /// In both, with different values.
    pub changed: Vec<Vec<u8>>,
    /// In `a` alone.
    pub removed: Vec<Vec<u8>>,
}

impl TableDifference {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// What it would take to get from `a` to `b`: one entry per table of the schema, in its order, also where nothing differs.
pub fn compare(a: &ReadTxn, b: &ReadTxn, schema: &Schema) -> Result<Vec<TableDifference>, StorageError> {
    schema.tables.iter().copied().flatten().map(|table| compare_table(a, b, *table)).collect()
}

/// As [`compare`], of one table.
pub fn compare_table(a: &ReadTxn, b: &ReadTxn, table: &dyn AnyTable) -> Result<TableDifference, StorageError> {
    let mut difference = TableDifference { table: table.table_name().to_owned(), ..TableDifference::default() };
    let (mut left, mut right) = (table.raw_rows(a)?, table.raw_rows(b)?);
    let (mut one, mut other) = (left.next().transpose()?, right.next().transpose()?);
    loop {
        let order = match (&one, &other) {
            (None, None) => return Ok(difference),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => table.compare_keys(&one.key, &other.key),
        };
        if order == Ordering::Equal {
            if let (Some(one), Some(other)) = (&one, other.as_mut())
                && one.value != other.value
            {
                difference.changed.push(std::mem::take(&mut other.key));
            }
        } else if let Some(row) = if order == Ordering::Less { one.take() } else { other.take() } {
            match order {
                Ordering::Less => difference.removed.push(row.key),
                _ => difference.added.push(row.key),
            }
        }
        if order != Ordering::Greater {
            one = left.next().transpose()?;
        }
        if order != Ordering::Less {
            other = right.next().transpose()?;
        }
    }
}
