//! Tables as a read sees them: redb trusts the pages that it reads, so that a damaged one may make it panic; here that
//! becomes an error, and the file is checked wholly before it is opened the next time.

use std::borrow::Borrow;
use std::ops::{Deref, RangeBounds};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{AccessGuard, Key, ReadableTable, Value};

use super::disk::Disk;
use super::{Record, RecordReading, StorageError, decode};

type Result<T> = std::result::Result<T, redb::StorageError>;
type Row<'a, K, V> = (AccessGuard<'a, K>, AccessGuard<'a, V>);

/// Remembers, also beyond the end of the process, that a file showed damage while it was open.
pub(super) struct Suspicion {
    file: String,
    mark: PathBuf,
    disk: Arc<dyn Disk>,
    raised: AtomicBool,
}

/// A file beside a database that says: check it wholly before it is used.
pub(super) fn mark_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".suspect");
    path.with_file_name(name)
}

impl Suspicion {
    pub(super) fn new(file: &str, path: &Path, disk: Arc<dyn Disk>) -> Self {
        Self { file: file.to_owned(), mark: mark_of(path), disk, raised: AtomicBool::new(false) }
    }

    pub(super) fn raise(&self, detail: &str) {
        if self.raised.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!(file = self.file, detail, "a database showed damage while it was read");
        let marked = self.disk.create(&self.mark).and_then(|mut mark| mark.sync());
        if let Err(error) = marked {
            tracing::warn!(file = self.file, %error, "that it must be checked could not be noted");
        }
    }
}

/// A table of a consistent view.
pub struct ReadTable<K: Key + 'static, V: Value + 'static> {
    inner: redb::ReadOnlyTable<K, V>,
    suspicion: Option<Arc<Suspicion>>,
}

impl<K: Key + 'static, V: Value + 'static> ReadTable<K, V> {
    pub(super) fn new(inner: redb::ReadOnlyTable<K, V>, suspicion: Option<Arc<Suspicion>>) -> Self {
        Self { inner, suspicion }
    }

    pub fn get<'k>(&self, key: impl Borrow<K::SelfType<'k>>) -> Result<Option<AccessGuard<'static, V>>> {
        guarded(self.suspicion.as_deref(), || {
            let found = self.inner.get(key)?;
            if let Some(value) = &found {
                // What does not hold what its type says panics here rather than at the caller.
                drop(value.value());
            }
            Ok(found)
        })
    }

    pub fn range<'k, KR>(&self, range: impl RangeBounds<KR>) -> Result<ReadRange<K, V>>
    where
        KR: Borrow<K::SelfType<'k>>,
    {
        let inner = guarded(self.suspicion.as_deref(), || self.inner.range(range))?;
        Ok(ReadRange { inner: Some(inner), suspicion: self.suspicion.clone() })
    }

    pub fn iter(&self) -> Result<ReadRange<K, V>> {
        self.range::<K::SelfType<'_>>(..)
    }

    pub fn first(&self) -> Result<Option<Row<'_, K, V>>> {
        guarded(self.suspicion.as_deref(), || checked(ReadableTable::first(&self.inner)))
    }

    pub fn last(&self) -> Result<Option<Row<'_, K, V>>> {
        guarded(self.suspicion.as_deref(), || checked(ReadableTable::last(&self.inner)))
    }
}

impl<K: Key + 'static> RecordReading<K> for ReadTable<K, &'static [u8]> {
    fn record<R: Record>(&self, key: K::SelfType<'_>) -> std::result::Result<Option<R>, StorageError> {
        self.get(key)?.map(|bytes| decode(bytes.value())).transpose()
    }
}

impl<K: Key + 'static, V: Value + 'static> Deref for ReadTable<K, V> {
    type Target = redb::ReadOnlyTable<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

/// Rows of a table; ends at the first one that cannot be read, after an error.
pub struct ReadRange<K: Key + 'static, V: Value + 'static> {
    inner: Option<redb::Range<'static, K, V>>,
    suspicion: Option<Arc<Suspicion>>,
}

impl<K: Key + 'static, V: Value + 'static> ReadRange<K, V> {
    fn step(
        &mut self,
        step: impl FnOnce(&mut redb::Range<'static, K, V>) -> Option<Result<Row<'static, K, V>>>,
    ) -> Option<Result<Row<'static, K, V>>> {
        let inner = self.inner.as_mut()?;
        let row = guarded(self.suspicion.as_deref(), || checked(step(inner).transpose()));
        if !matches!(row, Ok(Some(_))) {
            self.inner = None;
        }
        row.transpose()
    }
}

impl<K: Key + 'static, V: Value + 'static> Iterator for ReadRange<K, V> {
    type Item = Result<Row<'static, K, V>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(Iterator::next)
    }
}

impl<K: Key + 'static, V: Value + 'static> DoubleEndedIterator for ReadRange<K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(DoubleEndedIterator::next_back)
    }
}

fn checked<K: Key + 'static, V: Value + 'static>(row: Result<Option<Row<'_, K, V>>>) -> Result<Option<Row<'_, K, V>>> {
    if let Ok(Some((key, value))) = &row {
        drop((key.value(), value.value()));
    }
    row
}

fn guarded<T>(suspicion: Option<&Suspicion>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let result = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(redb::StorageError::Corrupted(crate::panics::text(panic.as_ref()).to_owned())));
    match (result, suspicion) {
        (Err(redb::StorageError::Corrupted(detail)), Some(suspicion)) => {
            suspicion.raise(&detail);
            Err(redb::StorageError::Corrupted(format!("{}: {detail}", suspicion.file)))
        }
        (result, _) => result,
    }
}
