//! How much each document was used: what is used most is embedded first by an encoder that comes later.

use redb::ReadableTable;

use super::{FILES, KnowledgeStore, PassageRange, StoredFile, USES};
use crate::model::SourceId;
use crate::storage::{RecordReading, StorageError};

/// Rows that are kept; beyond that all counts are halved and those that come to nothing go.
const MOST: usize = 5_000;

/// A document with how much it was used since it was last written down.
pub type Used = (SourceId, Vec<u8>, u64);

impl KnowledgeStore {
    /// Adds to the counts of documents, by source and path within it.
    pub fn add_uses(&self, used: Vec<Used>) -> Result<(), StorageError> {
        self.db.write(move |txn| {
            let mut table = txn.table(USES)?;
            for (source, path, times) in &used {
                let key = (source.0.as_u128(), path.as_slice());
                let before = table.get(key)?.map_or(0, |count| count.value());
                table.insert(key, before.saturating_add(*times))?;
            }
            let mut rows = Vec::new();
            for row in table.iter()? {
                let (key, count) = row?;
                let (source, path) = key.value();
                rows.push((source, path.to_vec(), count.value() / 2));
            }
            if rows.len() > MOST {
                for (source, path, half) in rows {
                    let key = (source, path.as_slice());
                    if half == 0 {
                        table.remove(key)?;
                    } else {
                        table.insert(key, half)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// The passages of the documents that were used, the most used first, at most so many documents.
    pub fn most_used(&self, limit: usize) -> Result<Vec<PassageRange>, StorageError> {
        let txn = self.db.read()?;
        let files = txn.table(FILES)?;
        let mut found = Vec::new();
        for row in txn.table(USES)?.iter()? {
            let (key, count) = row?;
            let stored: Option<StoredFile> = files.record(key.value())?;
            if let Some(document) = stored.and_then(|file| file.document) {
                found.push((count.value(), document.passages));
            }
        }
        // Of two that were used as often, the newer one.
        found.sort_unstable_by_key(|(count, range)| std::cmp::Reverse((*count, range.first)));
        Ok(found.into_iter().take(limit).map(|(_, range)| range).collect())
    }
}
