//! The tier in memory: a bounded number of bytes, the least recently used goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::storage::responses::{Kept, Key};

/// Of an entry beside its text.
const OVERHEAD: u64 = 256;

#[derive(Default)]
pub(super) struct Memory {
    entries: HashMap<Key, (Arc<Kept>, u64)>,
    /// By the turn of their last use.
    by_use: BTreeMap<u64, Key>,
    turn: u64,
    bytes: u64,
}

fn size(kept: &Kept) -> u64 {
    kept.text.len() as u64 + OVERHEAD
}

impl Memory {
    pub fn get(&mut self, key: &Key) -> Option<Arc<Kept>> {
        let (kept, used) = self.entries.get_mut(key)?;
        self.by_use.remove(used);
        self.turn += 1;
        *used = self.turn;
        self.by_use.insert(self.turn, *key);
        Some(kept.clone())
    }

    pub fn remove(&mut self, key: &Key) {
        if let Some((kept, used)) = self.entries.remove(key) {
            self.by_use.remove(&used);
            self.bytes -= size(&kept);
        }
    }

    /// One that is larger than all of it is left out.
    pub fn put(&mut self, key: Key, kept: Arc<Kept>, most: u64) {
        self.remove(&key);
        if size(&kept) > most {
            return;
        }
        self.bytes += size(&kept);
        self.turn += 1;
        self.by_use.insert(self.turn, key);
        self.entries.insert(key, (kept, self.turn));
        while self.bytes > most {
            let Some((_, oldest)) = self.by_use.first_key_value() else { return };
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }

    pub fn clear(&mut self) {
        *self = Self { turn: self.turn, ..Self::default() };
    }

    /// Entries and bytes.
    pub fn size(&self) -> (u64, u64) {
        (self.entries.len() as u64, self.bytes)
    }
}
