//! What redb keeps its pages in: any disk's file, or one seen through an overlay that leaves every byte of it alone.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use redb::{BackendError, Database, DatabaseError, StorageBackend};

/// Opens a database on a disk's file.
pub(super) fn create(backend: Box<dyn StorageBackend>, cache_bytes: usize) -> Result<Database, DatabaseError> {
    redb::Builder::new().set_cache_size(cache_bytes).create_with_backend(Boxed(backend))
}

/// Opens a database whose writes (also those of a repair) stay in memory and go with it.
pub(super) fn create_untouched(
    backend: Box<dyn StorageBackend>,
    cache_bytes: usize,
) -> Result<Database, DatabaseError> {
    overlaid(backend, cache_bytes, true)
}

/// As [`create_untouched`], of a file that is open elsewhere and not written meanwhile.
pub(super) fn create_untouched_unlocked(
    backend: Box<dyn StorageBackend>,
    cache_bytes: usize,
) -> Result<Database, DatabaseError> {
    overlaid(backend, cache_bytes, false)
}

fn overlaid(under: Box<dyn StorageBackend>, cache_bytes: usize, locked: bool) -> Result<Database, DatabaseError> {
    let length = under.len().map_err(redb::StorageError::from)?;
    let overlay =
        Overlay { under, locked, state: RwLock::new(State { length, under: length, pages: BTreeMap::new() }) };
    redb::Builder::new().set_cache_size(cache_bytes).create_with_backend(overlay)
}

#[derive(Debug)]
struct Boxed(Box<dyn StorageBackend>);

/// Bytes per piece of the overlay.
const PAGE: u64 = 4096;

/// A file as it would be with some writes, which are kept in memory alone.
#[derive(Debug)]
struct Overlay {
    under: Box<dyn StorageBackend>,
    /// Whether the file below is locked while it is open.
    locked: bool,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    length: u64,
    /// So much of the file below still counts: a file that was cut and grown again reads as zeros there.
    under: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    fn page_below(&self, state: &State, page: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; PAGE as usize];
        let start = page * PAGE;
        let there = state.under.saturating_sub(start).min(PAGE);
        if there > 0 {
            self.under.read(start, &mut bytes[..there as usize])?;
        }
        Ok(bytes)
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.read().unwrap_or_else(PoisonError::into_inner).length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= state.length);
        let end = end.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        if out.is_empty() {
            return Ok(());
        }
        if end <= state.under && state.pages.range(offset / PAGE..=(end - 1) / PAGE).next().is_none() {
            return self.under.read(offset, out);
        }
        let mut at = offset;
        while at < end {
            let page = at / PAGE;
            let within = (at % PAGE) as usize;
            let count = (PAGE as usize - within).min((end - at) as usize);
            let into = &mut out[(at - offset) as usize..][..count];
            match state.pages.get(&page) {
                Some(bytes) => into.copy_from_slice(&bytes[within..within + count]),
                None => into.copy_from_slice(&self.page_below(&state, page)?[within..within + count]),
            }
            at += count as u64;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if len < state.length {
            state.under = state.under.min(len);
            drop(state.pages.split_off(&len.div_ceil(PAGE)));
            if let Some(last) = state.pages.get_mut(&(len / PAGE)) {
                last[(len % PAGE) as usize..].fill(0);
            }
        }
        state.length = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let end = offset + data.len() as u64;
        state.length = state.length.max(end);
        let mut at = offset;
        while at < end {
            let page = at / PAGE;
            let within = (at % PAGE) as usize;
            let count = (PAGE as usize - within).min((end - at) as usize);
            if !state.pages.contains_key(&page) {
                let below = self.page_below(&state, page)?;
                state.pages.insert(page, below);
            }
            if let Some(bytes) = state.pages.get_mut(&page) {
                bytes[within..within + count].copy_from_slice(&data[(at - offset) as usize..][..count]);
            }
            at += count as u64;
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        if self.locked { self.under.close() } else { Ok(()) }
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if !self.locked {
            return Err(BackendError::Unsupported);
        }
        self.under.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if !self.locked {
            return Err(BackendError::Unsupported);
        }
        self.under.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if !self.locked {
            return Err(BackendError::Unsupported);
        }
        self.under.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if !self.locked {
            return Err(BackendError::Unsupported);
        }
        self.under.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if !self.locked {
            return Err(BackendError::Unsupported);
        }
        self.under.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if !self.locked {
            return Err(BackendError::Unsupported);
        }
        self.under.query_lock_range(start, end)
    }
}

impl StorageBackend for Boxed {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.query_lock_range(start, end)
    }
}
