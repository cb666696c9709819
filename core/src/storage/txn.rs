//! Transactions as stores see them: tables opened by definition, errors in our words, and the change number.

use std::cmp::Ordering;
use std::sync::Arc;

use redb::{Key, TableDefinition, TableHandle, Value};

use super::StorageError;
use super::history::Recorder;
use super::migrate::guarded;
use super::read_table::{ReadTable, Suspicion};
use super::table::Table;

/// A consistent view of one file, unaffected by later writes.
pub struct ReadTxn {
    inner: redb::ReadTransaction,
    /// Told when what is read is damaged.
    suspicion: Option<Arc<Suspicion>>,
}

impl ReadTxn {
    pub(super) fn new(inner: redb::ReadTransaction) -> Self {
        Self { inner, suspicion: None }
    }

    pub(super) fn watched(inner: redb::ReadTransaction, suspicion: Arc<Suspicion>) -> Self {
        Self { inner, suspicion: Some(suspicion) }
    }

    pub(in crate::storage) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<ReadTable<K, V>, StorageError> {
        self.table_if_there(definition)?
            .ok_or_else(|| StorageError::Failed { detail: format!("the table {} is missing", definition.name()) })
    }

    /// None when the file does not have the table.
    pub(super) fn table_if_there<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<Option<ReadTable<K, V>>, StorageError> {
        let opened = guarded("the database", || match self.inner.open_table(definition) {
            Ok(table) => Ok(Some(table)),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        });
        if let (Err(StorageError::Damaged { detail, .. }), Some(suspicion)) = (&opened, &self.suspicion) {
            suspicion.raise(detail);
        }
        Ok(opened?.map(|table| ReadTable::new(table, self.suspicion.clone())))
    }

    pub(super) fn raw(&self) -> &redb::ReadTransaction {
        &self.inner
    }
}

/// The part of a commit that one `write` closure makes.
pub struct WriteTxn<'a> {
    inner: &'a redb::WriteTransaction,
    change: u64,
    /// None where no history is kept.
    recorder: Option<&'a Recorder>,
}

impl<'a> WriteTxn<'a> {
    pub(super) fn new(inner: &'a redb::WriteTransaction, change: u64, recorder: Option<&'a Recorder>) -> Self {
        Self { inner, change, recorder }
    }

    /// The number of this change: rises by one with every write to this file, stored in the same transaction.
    pub fn change(&self) -> u64 {
        self.change
    }

    /// The table must be dropped before it is opened again in the same closure.
    pub(in crate::storage) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<Table<'a, K, V>, StorageError> {
        Ok(Table::new(self.inner.open_table(definition)?, definition.name(), self.recorder))
    }

    pub(super) fn raw(&self) -> &'a redb::WriteTransaction {
        self.inner
    }

    pub(super) fn recorder(&self) -> Option<&'a Recorder> {
        self.recorder
    }

    /// The same part of the commit, whose writes the history does not see.
    pub(super) fn unrecorded(&self) -> Self {
        Self { inner: self.inner, change: self.change, recorder: None }
    }

    /// Removes a table with all its rows, for migrations.
    pub(in crate::storage) fn delete_table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<(), StorageError> {
        self.inner.delete_table(definition)?;
        Ok(())
    }
}

/// A row as redb keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRow {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// The rows of a table in the order of its keys.
pub type RawRows = Box<dyn DoubleEndedIterator<Item = Result<RawRow, StorageError>>>;

/// A table that is open for writing, as bytes. Only bytes that came from a table of the same definition may be put.
pub trait RawTable {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StorageError>;

    fn remove(&mut self, key: &[u8]) -> Result<(), StorageError>;
}

/// A table definition of any types: a schema lists its tables as these, and generic code copies, compares and undoes
/// through them.
pub trait AnyTable: Sync {
    fn table_name(&self) -> &str;

    fn create(&self, txn: &WriteTxn<'_>) -> Result<(), StorageError>;

    /// All rows; none when the file does not have the table.
    fn raw_rows(&self, txn: &ReadTxn) -> Result<RawRows, StorageError>;

    fn raw_get(&self, txn: &ReadTxn, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

    fn raw_table<'a>(&self, txn: &WriteTxn<'a>) -> Result<Box<dyn RawTable + 'a>, StorageError>;

    /// A row in words, for people who look for what is left in a damaged file: key, then value (records as JSON).
    fn row_text(&self, row: &RawRow) -> (String, serde_json::Value);

    /// How the table orders these two keys.
    fn compare_keys(&self, one: &[u8], other: &[u8]) -> Ordering;
}

impl<K: Key + Sync + 'static, V: Value + Sync + 'static> AnyTable for TableDefinition<'static, K, V> {
    fn table_name(&self) -> &str {
        self.name()
    }

    fn create(&self, txn: &WriteTxn<'_>) -> Result<(), StorageError> {
        txn.table(*self).map(drop)
    }

    fn raw_rows(&self, txn: &ReadTxn) -> Result<RawRows, StorageError> {
        let Some(table) = txn.table_if_there(*self)? else { return Ok(Box::new(std::iter::empty())) };
        Ok(Box::new(table.iter()?.map(|row| {
            let (key, value) = row?;
            Ok(RawRow {
                key: K::as_bytes(&key.value()).as_ref().to_vec(),
                value: V::as_bytes(&value.value()).as_ref().to_vec(),
            })
        })))
    }

    fn raw_get(&self, txn: &ReadTxn, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(table) = txn.table_if_there(*self)? else { return Ok(None) };
        let found = table.get(K::from_bytes(key))?;
        Ok(found.map(|value| V::as_bytes(&value.value()).as_ref().to_vec()))
    }

    fn raw_table<'a>(&self, txn: &WriteTxn<'a>) -> Result<Box<dyn RawTable + 'a>, StorageError> {
        Ok(Box::new(txn.table(*self)?))
    }

    fn row_text(&self, row: &RawRow) -> (String, serde_json::Value) {
        let key = format!("{:?}", K::from_bytes(&row.key));
        let record = super::record::to_json(&row.value).filter(|_| V::type_name() == <&[u8]>::type_name());
        (key, record.unwrap_or_else(|| format!("{:?}", V::from_bytes(&row.value)).into()))
    }

    fn compare_keys(&self, one: &[u8], other: &[u8]) -> Ordering {
        K::compare(one, other)
    }
}

impl<K: Key + 'static, V: Value + 'static> RawTable for Table<'_, K, V> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StorageError> {
        self.insert(K::from_bytes(key), V::from_bytes(value))?;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StorageError> {
        Table::remove(self, K::from_bytes(key))?;
        Ok(())
    }
}
