//! Providers and the routing between their models, per profile: what the person set up, tracked and restored.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use super::kinds::Kind;
use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{DataKind, Merged, ProfileId, ProviderDraft, ProviderId, Routing, Timestamp};

/// (profile, provider) to how it is set up.
const PROVIDERS: TableDefinition<(u128, &str), &[u8]> = TableDefinition::new("providers");
/// Profile to how models are chosen.
const ROUTING: TableDefinition<u128, &[u8]> = TableDefinition::new("routing");
pub(super) const TABLES: &[&dyn AnyTable] = &[&PROVIDERS, &ROUTING];

/// Of one profile.
const MOST: usize = 100;

#[derive(Serialize, Deserialize)]
struct StoredProvider {
    /// Its key lies in the vault; this names it.
    settings: ProviderDraft,
    created: i64,
    updated: i64,
}
first_version!(StoredProvider, "provider");

#[derive(Serialize, Deserialize)]
struct StoredRouting {
    routing: Routing,
}
first_version!(StoredRouting, "routing");

fn unknown(id: &ProviderId) -> StorageError {
    StorageError::NotFound(format!("a provider \"{id}\""))
}

/// By id; the embedded one has no row.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<ProviderDraft>, StorageError> {
    let owner = profile.0.as_u128();
    let mut out = Vec::new();
    for row in main.read()?.table(PROVIDERS)?.range((owner, "")..)? {
        let (key, value) = row?;
        if key.value().0 != owner {
            break;
        }
        out.push(decode::<StoredProvider>(value.value())?.settings);
    }
    Ok(out)
}

/// Stores a new one; its id is in the draft.
///
/// # Errors
/// Refused when the id is taken, or there are too many.
pub fn add(main: &Db, profile: ProfileId, settings: ProviderDraft, now: Timestamp) -> Result<(), StorageError> {
    main.write(move |txn| {
        let owner = profile.0.as_u128();
        let mut table = txn.table(PROVIDERS)?;
        let is_taken = table.get((owner, settings.id.as_str()))?.is_some();
        if is_taken {
            return Err(StorageError::Refused(format!("id: there is already a provider \"{}\"", settings.id)));
        }
        let mut own = 0;
        for row in table.range((owner, "")..)?.take(MOST) {
            own += usize::from(row?.0.value().0 == owner);
        }
        if own >= MOST {
            return Err(StorageError::Refused(format!("a profile has at most {MOST} providers")));
        }
        let stored = StoredProvider { settings: settings.clone(), created: now.0, updated: now.0 };
        table.put((owner, settings.id.as_str()), &stored)
    })
}

/// # Errors
/// When there is no such provider in this profile.
pub fn update(main: &Db, profile: ProfileId, settings: ProviderDraft, now: Timestamp) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = (profile.0.as_u128(), settings.id.as_str());
        let mut table = txn.table(PROVIDERS)?;
        let stored: Option<StoredProvider> = table.record(key)?;
        let stored = stored.ok_or_else(|| unknown(&ProviderId(settings.id.clone())))?;
        table.put(key, &StoredProvider { settings: settings.clone(), updated: now.0, ..stored })
    })
}

/// # Errors
/// When there is no such provider in this profile.
pub fn remove(main: &Db, profile: ProfileId, id: ProviderId) -> Result<(), StorageError> {
    main.write(move |txn| {
        let removed = txn.table(PROVIDERS)?.remove((profile.0.as_u128(), id.0.as_str()))?.is_some();
        if removed { Ok(()) } else { Err(unknown(&id)) }
    })
}

/// Without a row there are no rules and no fallback.
pub fn routing(main: &Db, profile: ProfileId) -> Result<Routing, StorageError> {
    let stored: Option<StoredRouting> = main.read()?.table(ROUTING)?.record(profile.0.as_u128())?;
    Ok(stored.map(|stored| stored.routing).unwrap_or_default())
}

pub fn set_routing(main: &Db, profile: ProfileId, routing: Routing) -> Result<(), StorageError> {
    main.write(move |txn| txn.table(ROUTING)?.put(profile.0.as_u128(), &StoredRouting { routing: routing.clone() }))
}

/// Removes what a profile has of both, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(PROVIDERS)?.retain(|key, _| key.0 != owner)?;
    txn.table(ROUTING)?.remove(owner)?;
    Ok(())
}

pub(super) static KIND: Kind = Kind {
    kind: DataKind::Other,
    table: &PROVIDERS,
    title: |row| decode(row).ok().map(|row: StoredProvider| row.settings.name),
    is_there: |_row| true,
};

pub(super) static ROUTING_KIND: Kind = Kind {
    kind: DataKind::Other,
    table: &ROUTING,
    title: |_row| Some("Which models answer what".to_owned()),
    is_there: |_row| true,
};

/// Adds the providers and routings that only `other` has.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::Other, added: 0, kept: 0 };
    let mut count = |here: Option<bool>| match here {
        Some(same) => {
            merged.kept += u64::from(!same);
            false
        }
        None => {
            merged.added += 1;
            true
        }
    };
    let mut table = txn.table(PROVIDERS)?;
    for row in other.table(PROVIDERS)?.iter()? {
        let (key, value) = row?;
        let here = table.get(key.value())?.map(|here| here.value() == value.value());
        if count(here) {
            table.insert(key.value(), value.value())?;
        }
    }
    let mut table = txn.table(ROUTING)?;
    for row in other.table(ROUTING)?.iter()? {
        let (key, value) = row?;
        let here = table.get(key.value())?.map(|here| here.value() == value.value());
        if count(here) {
            table.insert(key.value(), value.value())?;
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{ModelId, ProviderKind, ProviderLimits};
    use crate::storage::{DbOptions, tables};

    fn draft(id: &str) -> ProviderDraft {
        ProviderDraft {
            id: id.to_owned(),
            name: id.to_uppercase(),
            kind: ProviderKind::OpenAi,
            base_url: "http://127.0.0.1:9/v1".to_owned(),
            enabled: true,
            credential: None,
            limits: ProviderLimits::default(),
            extra_models: Vec::new(),
        }
    }

    #[test]
    fn each_profile_has_its_own_and_an_id_is_given_once() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let (a, b) = (ProfileId(Uuid::from_u128(1)), ProfileId(Uuid::from_u128(2)));
        add(&main, a, draft("two"), Timestamp(1)).unwrap();
        add(&main, a, draft("one"), Timestamp(1)).unwrap();
        assert!(matches!(add(&main, a, draft("one"), Timestamp(2)), Err(StorageError::Refused(_))));
        add(&main, b, draft("one"), Timestamp(3)).unwrap();
        let ids = |profile| list(&main, profile).unwrap().into_iter().map(|d| d.id).collect::<Vec<_>>();
        assert_eq!((ids(a), ids(b)), (vec!["one".to_owned(), "two".to_owned()], vec!["one".to_owned()]));
        let changed = ProviderDraft { enabled: false, ..draft("one") };
        update(&main, a, changed.clone(), Timestamp(4)).unwrap();
        assert_eq!(list(&main, a).unwrap()[0], changed);
        assert!(update(&main, b, draft("two"), Timestamp(4)).is_err());
        remove(&main, a, ProviderId("two".to_owned())).unwrap();
        assert!(remove(&main, a, ProviderId("two".to_owned())).is_err());
        let routing_of_a = Routing { fallback: vec![ModelId("one/m".to_owned())], ..Routing::default() };
        set_routing(&main, a, routing_of_a.clone()).unwrap();
        assert_eq!((routing(&main, a).unwrap(), routing(&main, b).unwrap()), (routing_of_a, Routing::default()));
        main.write(move |txn| remove_profile(txn, a)).unwrap();
        assert_eq!((ids(a).len(), ids(b).len()), (0, 1));
        assert_eq!(routing(&main, a).unwrap(), Routing::default());
    }
}
