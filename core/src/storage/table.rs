//! Tables as a write sees them: every change goes through here, so that the history can keep what was there before.

use std::borrow::Borrow;
use std::ops::{Deref, RangeBounds};

use redb::{AccessGuard, Key, Value};

use super::history::Recorder;
use super::{Record, StorageError, encode};

type Result<T> = std::result::Result<T, redb::StorageError>;

/// A table that is open for writing. Reads go to redb's own (it dereferences to it); writes are these methods alone.
pub struct Table<'a, K: Key + 'static, V: Value + 'static> {
    inner: redb::Table<'a, K, V>,
    name: String,
    /// None where no history is kept of this table.
    recorder: Option<&'a Recorder>,
}

impl<'a, K: Key + 'static, V: Value + 'static> Table<'a, K, V> {
    pub(super) fn new(inner: redb::Table<'a, K, V>, name: &str, recorder: Option<&'a Recorder>) -> Self {
        let recorder = recorder.filter(|recorder| recorder.follows(name));
        Self { inner, name: name.to_owned(), recorder }
    }

    /// Puts a row; what was there before.
    pub fn insert<'k, 'v>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
        value: impl Borrow<V::SelfType<'v>>,
    ) -> Result<Option<AccessGuard<'_, V>>> {
        let key = key.borrow();
        let before = self.inner.insert(key, value)?;
        if let Some(recorder) = self.recorder {
            record::<K, V>(recorder, &self.name, key, before.as_ref());
        }
        Ok(before)
    }

    /// Removes a row; what was there.
    pub fn remove<'k>(&mut self, key: impl Borrow<K::SelfType<'k>>) -> Result<Option<AccessGuard<'_, V>>> {
        let key = key.borrow();
        let before = self.inner.remove(key)?;
        if let (Some(recorder), Some(before)) = (self.recorder, before.as_ref()) {
            record::<K, V>(recorder, &self.name, key, Some(before));
        }
        Ok(before)
    }

    /// Removes the rows that `keep` says no to.
    pub fn retain<F>(&mut self, mut keep: F) -> Result<()>
    where
        F: for<'f> FnMut(K::SelfType<'f>, V::SelfType<'f>) -> bool,
    {
        let Some(recorder) = self.recorder else { return self.inner.retain(keep) };
        let name = &self.name;
        self.inner.retain(|key, value| keep_or_record::<K, V>(recorder, name, key, value, &mut keep))
    }

    /// Removes the rows of the range that `keep` says no to.
    pub fn retain_in<'r, KR, F>(&mut self, range: impl RangeBounds<KR> + 'r, mut keep: F) -> Result<()>
    where
        KR: Borrow<K::SelfType<'r>> + 'r,
        F: for<'f> FnMut(K::SelfType<'f>, V::SelfType<'f>) -> bool,
    {
        let Some(recorder) = self.recorder else { return self.inner.retain_in(range, keep) };
        let name = &self.name;
        self.inner.retain_in(range, |key, value| keep_or_record::<K, V>(recorder, name, key, value, &mut keep))
    }

    /// Removes the first row, if there is one.
    pub fn pop_first(&mut self) -> Result<Option<(AccessGuard<'_, K>, AccessGuard<'_, V>)>> {
        let popped = self.inner.pop_first()?;
        if let (Some(recorder), Some((key, value))) = (self.recorder, popped.as_ref()) {
            record::<K, V>(recorder, &self.name, &key.value(), Some(value));
        }
        Ok(popped)
    }
}

impl<K: Key + 'static> Table<'_, K, &'static [u8]> {
    /// Puts a record; see [`super::RecordWriting`].
    pub(super) fn put_record<R: Record>(
        &mut self,
        key: K::SelfType<'_>,
        record: &R,
    ) -> std::result::Result<(), StorageError> {
        self.insert(key, encode(record)?.as_slice())?;
        Ok(())
    }
}

impl<'a, K: Key + 'static, V: Value + 'static> Deref for Table<'a, K, V> {
    type Target = redb::Table<'a, K, V>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

fn record<K: Key + 'static, V: Value + 'static>(
    recorder: &Recorder,
    name: &str,
    key: &K::SelfType<'_>,
    before: Option<&AccessGuard<'_, V>>,
) {
    recorder
        .note(name, K::as_bytes(key).as_ref(), || before.map(|before| V::as_bytes(&before.value()).as_ref().to_vec()));
}

fn keep_or_record<'f, K: Key + 'static, V: Value + 'static>(
    recorder: &Recorder,
    name: &str,
    key: K::SelfType<'f>,
    value: V::SelfType<'f>,
    keep: &mut impl FnMut(K::SelfType<'f>, V::SelfType<'f>) -> bool,
) -> bool {
    let (key_bytes, value_bytes) = (K::as_bytes(&key).as_ref().to_vec(), V::as_bytes(&value).as_ref().to_vec());
    let stays = keep(key, value);
    if !stays {
        recorder.note(name, &key_bytes, || Some(value_bytes));
    }
    stays
}
