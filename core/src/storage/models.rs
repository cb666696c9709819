//! What is remembered about models: the default of each kind per profile, and speeds that were measured here.

use redb::{ReadableTable, TableDefinition};
use rspa_ml::weights::ModelKind;
use serde::{Deserialize, Serialize};

use super::kinds::Kind;
use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, first_version};
use crate::model::{DataKind, Merged, ModelId, ProfileId, Timestamp};

/// (profile, kind) to the model's id.
const DEFAULTS: TableDefinition<(u128, &str), &str> = TableDefinition::new("model_defaults");
const MEASURED: TableDefinition<&str, &[u8]> = TableDefinition::new("model_speeds");
pub(super) const TABLES: &[&dyn AnyTable] = &[&DEFAULTS, &MEASURED];

#[derive(Serialize, Deserialize)]
struct StoredSpeed {
    /// Tokens per second while decoding.
    tok_s: f64,
    at: i64,
}
first_version!(StoredSpeed, "model speed");

fn kind_key(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Chat => "chat",
        ModelKind::Encoder => "encoder",
        ModelKind::Reranker => "reranker",
    }
}

pub fn default_of(main: &Db, profile: ProfileId, kind: ModelKind) -> Result<Option<ModelId>, StorageError> {
    let txn = main.read()?;
    let found = txn.table(DEFAULTS)?.get((profile.0.as_u128(), kind_key(kind)))?;
    Ok(found.map(|id| ModelId(id.value().to_owned())))
}

pub fn set_default(main: &Db, profile: ProfileId, kind: ModelKind, id: &ModelId) -> Result<(), StorageError> {
    let id = id.0.clone();
    main.write(move |txn| {
        txn.table(DEFAULTS)?.insert((profile.0.as_u128(), kind_key(kind)), id.as_str())?;
        Ok(())
    })
}

/// Forgets what was chosen in a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    let mut table = txn.table(DEFAULTS)?;
    table.retain(|key, _| key.0 != owner)?;
    Ok(())
}

/// The speed last measured, in tokens per second.
pub fn measured(main: &Db, id: &str) -> Result<Option<f64>, StorageError> {
    let stored: Option<StoredSpeed> = main.read()?.table(MEASURED)?.record(id)?;
    Ok(stored.map(|speed| speed.tok_s))
}

pub fn set_measured(main: &Db, id: &str, tok_s: f64, at: Timestamp) -> Result<(), StorageError> {
    let id = id.to_owned();
    main.write(move |txn| txn.table(MEASURED)?.put(id.as_str(), &StoredSpeed { tok_s, at: at.0 }))
}

/// Forgets what was stored about a model that is gone.
pub fn forget(main: &Db, id: &ModelId) -> Result<(), StorageError> {
    let id = id.0.clone();
    main.write(move |txn| {
        txn.table(MEASURED)?.remove(id.as_str())?;
        txn.table(DEFAULTS)?.retain(|_, default| default != id)?;
        Ok(())
    })
}

pub(super) static KIND: Kind = Kind {
    kind: DataKind::Other,
    table: &DEFAULTS,
    title: |row| std::str::from_utf8(row).ok().map(str::to_owned),
    is_there: |_row| true,
};

/// Adds the defaults that only `other` has.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::Other, added: 0, kept: 0 };
    let mut table = txn.table(DEFAULTS)?;
    for row in other.table(DEFAULTS)?.iter()? {
        let (key, value) = row?;
        let here = table.get(key.value())?.map(|here| here.value() == value.value());
        match here {
            Some(same) => merged.kept += u64::from(!same),
            None => {
                table.insert(key.value(), value.value())?;
                merged.added += 1;
            }
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::storage::{DbOptions, tables};

    #[test]
    fn defaults_are_per_profile_and_kind() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let (a, b) = (ProfileId(Uuid::from_u128(1)), ProfileId(Uuid::from_u128(2)));
        let id = ModelId("tiny".to_owned());
        set_default(&main, a, ModelKind::Chat, &id).unwrap();
        set_measured(&main, "tiny", 12.5, Timestamp(1)).unwrap();
        assert_eq!(default_of(&main, a, ModelKind::Chat).unwrap(), Some(id.clone()));
        assert_eq!(default_of(&main, a, ModelKind::Encoder).unwrap(), None);
        assert_eq!(default_of(&main, b, ModelKind::Chat).unwrap(), None);
        assert_eq!(measured(&main, "tiny").unwrap(), Some(12.5));
        forget(&main, &id).unwrap();
        assert_eq!(default_of(&main, a, ModelKind::Chat).unwrap(), None);
        assert_eq!(measured(&main, "tiny").unwrap(), None);
    }
}
