//! Transactions as stores see them: tables opened by definition, errors in our words, and the change number.

use redb::{Key, TableDefinition, Value};

use super::StorageError;

/// A consistent view of one file, unaffected by later writes.
pub struct ReadTxn {
    inner: redb::ReadTransaction,
}

impl ReadTxn {
    pub(super) fn new(inner: redb::ReadTransaction) -> Self {
        Self { inner }
    }

    pub(in crate::storage) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<redb::ReadOnlyTable<K, V>, StorageError> {
        Ok(self.inner.open_table(definition)?)
    }

    pub(super) fn raw(&self) -> &redb::ReadTransaction {
        &self.inner
    }
}

/// The part of a commit that one `write` closure makes.
pub struct WriteTxn<'a> {
    inner: &'a redb::WriteTransaction,
    change: u64,
}

impl<'a> WriteTxn<'a> {
    pub(super) fn new(inner: &'a redb::WriteTransaction, change: u64) -> Self {
        Self { inner, change }
    }

    /// The number of this change: rises by one with every write to this file, stored in the same transaction.
    pub fn change(&self) -> u64 {
        self.change
    }

    /// The table must be dropped before it is opened again in the same closure.
    pub(in crate::storage) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<redb::Table<'a, K, V>, StorageError> {
        Ok(self.inner.open_table(definition)?)
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

/// A table definition of any types, so that a schema can list its tables and they are made when the file is opened.
pub trait AnyTable: Sync {
    fn table_name(&self) -> &str;

    fn create(&self, txn: &WriteTxn<'_>) -> Result<(), StorageError>;
}

impl<K: Key + Sync + 'static, V: Value + Sync + 'static> AnyTable for TableDefinition<'static, K, V> {
    fn table_name(&self) -> &str {
        redb::TableHandle::name(self)
    }

    fn create(&self, txn: &WriteTxn<'_>) -> Result<(), StorageError> {
        txn.table(*self).map(drop)
    }
}
