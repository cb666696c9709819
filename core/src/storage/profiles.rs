//! Profiles: each a separate world of sources, chats and knowledge. One exists from the first start on.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use super::kinds::Kind;
use super::{
    AnyTable, Db, ReadTxn, Record, RecordReading, RecordWriting, StorageError, WriteTxn, activities, agents, approvals,
    chats, credentials, crews, decode, first_version, golden_record, knowledge, mcp, models, notifications, providers,
    retrieval, runs, schedules, tasks, trash, ui_state, usage,
};
use crate::clock::Ids;
use crate::model::{DataKind, Merged, NetworkPolicy, Profile, ProfileCounts, ProfileId, ProfileNetwork, Timestamp};

const PROFILES: TableDefinition<u128, &[u8]> = TableDefinition::new("profiles");
/// The one that the person works in.
const ACTIVE: TableDefinition<(), u128> = TableDefinition::new("active_profile");
/// Those whose rows are gone and whose folders may still be there, with their names.
const DELETED: TableDefinition<u128, &str> = TableDefinition::new("deleted_profiles");
pub(super) const TABLES: &[&dyn AnyTable] = &[&PROFILES, &ACTIVE, &DELETED];

/// In characters.
const LONGEST_NAME: usize = 60;
const MOST_HOSTS: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct StoredProfileV1 {
    name: String,
    created: i64,
    updated: i64,
}
first_version!(StoredProfileV1, "profile");

#[derive(Serialize, Deserialize)]
struct StoredProfile {
    name: String,
    created: i64,
    updated: i64,
    policy: Option<NetworkPolicy>,
    hosts: Vec<String>,
    forbid_cloud: bool,
}

golden_record!(StoredProfile);

impl Record for StoredProfile {
    const NAME: &'static str = "profile";
    const VERSION: u16 = 2;
    type Before = StoredProfileV1;

    /// Before, every profile was as the settings say.
    fn upgrade(before: StoredProfileV1) -> Self {
        let StoredProfileV1 { name, created, updated } = before;
        Self { name, created, updated, policy: None, hosts: Vec::new(), forbid_cloud: false }
    }
}

impl StoredProfile {
    fn of(profile: &Profile) -> Self {
        Self {
            name: profile.name.clone(),
            created: profile.created.0,
            updated: profile.updated.0,
            policy: profile.network.policy,
            hosts: profile.network.hosts.clone(),
            forbid_cloud: profile.network.forbid_cloud,
        }
    }

    fn into_profile(self, id: u128) -> Profile {
        Profile {
            id: ProfileId(uuid::Uuid::from_u128(id)),
            name: self.name,
            created: Timestamp(self.created),
            updated: Timestamp(self.updated),
            network: ProfileNetwork { policy: self.policy, hosts: self.hosts, forbid_cloud: self.forbid_cloud },
        }
    }
}

fn unknown() -> StorageError {
    StorageError::NotFound("this profile".to_owned())
}

/// Oldest first.
pub fn list(main: &Db) -> Result<Vec<Profile>, StorageError> {
    let txn = main.read()?;
    let table = txn.table(PROFILES)?;
    table
        .iter()?
        .map(|row| {
            let (key, value) = row?;
            let stored: StoredProfile = decode(value.value())?;
            Ok(stored.into_profile(key.value()))
        })
        .collect()
}

/// # Errors
/// When there is no such profile.
pub fn get(main: &Db, id: ProfileId) -> Result<Profile, StorageError> {
    let stored: Option<StoredProfile> = main.read()?.table(PROFILES)?.record(id.0.as_u128())?;
    Ok(stored.ok_or_else(unknown)?.into_profile(id.0.as_u128()))
}

/// The profile to work with: the one last switched to, else the oldest; a new data folder gets one named "Personal".
pub fn active_or_new(main: &Db, ids: &Ids, now: Timestamp) -> Result<Profile, StorageError> {
    let all = list(main)?;
    let active = main.read()?.table(ACTIVE)?.get(())?.map(|id| id.value());
    let chosen = all.iter().find(|profile| Some(profile.id.0.as_u128()) == active).or(all.first());
    if let Some(profile) = chosen {
        return Ok(profile.clone());
    }
    let network = ProfileNetwork::default();
    let profile =
        Profile { id: ProfileId(ids.next()), name: "Personal".to_owned(), created: now, updated: now, network };
    let row = profile.clone();
    main.write(move |txn| txn.table(PROFILES)?.put(row.id.0.as_u128(), &StoredProfile::of(&row)))?;
    Ok(profile)
}

pub(super) static KIND: Kind = Kind {
    kind: DataKind::Profiles,
    table: &PROFILES,
    title: |row| decode(row).ok().map(|row: StoredProfile| row.name),
    is_there: |_row| true,
};

/// Names, oldest profile first.
pub(super) fn names(txn: &ReadTxn) -> Result<Vec<String>, StorageError> {
    let rows = KIND.table.raw_rows(txn)?;
    rows.map(|row| Ok(decode::<StoredProfile>(&row?.value)?.name)).collect()
}

/// Adds the profiles that only `other` has. A name that is taken here gets "(restored)" after it.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::Profiles, added: 0, kept: 0 };
    let mut table = txn.table(PROFILES)?;
    let mut names = Vec::new();
    for row in table.iter()? {
        names.push(decode::<StoredProfile>(row?.1.value())?.name.to_lowercase());
    }
    for row in other.table(PROFILES)?.iter()? {
        let (key, value) = row?;
        let here = table.get(key.value())?.map(|here| here.value() == value.value());
        match here {
            Some(same) => merged.kept += u64::from(!same),
            None => {
                let mut stored: StoredProfile = decode(value.value())?;
                while names.contains(&stored.name.to_lowercase()) {
                    stored.name.push_str(" (restored)");
                }
                names.push(stored.name.to_lowercase());
                table.put(key.value(), &stored)?;
                // It lives again: what is left of it is not removed at the next start.
                txn.table(DELETED)?.remove(key.value())?;
                merged.added += 1;
            }
        }
    }
    Ok(merged)
}

/// From now on, and after a restart, the person works in this profile.
///
/// # Errors
/// When there is no such profile.
pub fn set_active(main: &Db, id: ProfileId) -> Result<(), StorageError> {
    main.write(move |txn| {
        txn.table(PROFILES)?.record::<StoredProfile>(id.0.as_u128())?.ok_or_else(unknown)?;
        txn.table(ACTIVE)?.insert((), id.0.as_u128())?;
        Ok(())
    })
}

/// # Errors
/// Refused when the name is not allowed or taken, or a host is none.
pub fn create(main: &Db, profile: Profile) -> Result<Profile, StorageError> {
    main.write(move |txn| {
        let mut profile = profile.clone();
        profile.name = free_name(txn, None, &profile.name)?;
        profile.network = usable(profile.network)?;
        txn.table(PROFILES)?.put(profile.id.0.as_u128(), &StoredProfile::of(&profile))?;
        Ok(profile)
    })
}

/// # Errors
/// Refused when the name is not allowed or taken; not found.
pub fn rename(main: &Db, id: ProfileId, name: String, now: Timestamp) -> Result<Profile, StorageError> {
    change(main, id, now, move |txn, profile| {
        profile.name = free_name(txn, Some(id), &name)?;
        Ok(())
    })
}

/// # Errors
/// Refused when a host is none; not found.
pub fn set_network(main: &Db, id: ProfileId, network: ProfileNetwork, now: Timestamp) -> Result<Profile, StorageError> {
    change(main, id, now, move |_txn, profile| {
        profile.network = usable(network.clone())?;
        Ok(())
    })
}

fn change(
    main: &Db,
    id: ProfileId,
    now: Timestamp,
    change: impl Fn(&WriteTxn<'_>, &mut Profile) -> Result<(), StorageError> + Send + 'static,
) -> Result<Profile, StorageError> {
    main.write(move |txn| {
        let key = id.0.as_u128();
        let stored = txn.table(PROFILES)?.record::<StoredProfile>(key)?.ok_or_else(unknown)?;
        let mut profile = stored.into_profile(key);
        change(txn, &mut profile)?;
        profile.updated = now;
        txn.table(PROFILES)?.put(key, &StoredProfile::of(&profile))?;
        Ok(profile)
    })
}

/// The name as it is kept, if no other profile has it, whatever the case.
fn free_name(txn: &WriteTxn<'_>, own: Option<ProfileId>, name: &str) -> Result<String, StorageError> {
    let name = name.trim().to_owned();
    let length = name.chars().count();
    if length == 0 || length > LONGEST_NAME {
        return Err(StorageError::Refused(format!("the name of a profile has 1 to {LONGEST_NAME} characters")));
    }
    if name.chars().any(char::is_control) {
        return Err(StorageError::Refused("the name of a profile holds no control characters".to_owned()));
    }
    let folded = name.to_lowercase();
    for row in txn.table(PROFILES)?.iter()? {
        let (key, value) = row?;
        let stored: StoredProfile = decode(value.value())?;
        if own.is_none_or(|own| own.0.as_u128() != key.value()) && stored.name.to_lowercase() == folded {
            return Err(StorageError::Refused(format!("there is already a profile named \"{}\"", stored.name)));
        }
    }
    Ok(name)
}

/// The network policy with its hosts in order, or why it cannot be.
fn usable(network: ProfileNetwork) -> Result<ProfileNetwork, StorageError> {
    let mut hosts: Vec<String> = network.hosts.iter().map(|host| host.trim().to_lowercase()).collect();
    hosts.sort();
    hosts.dedup();
    if hosts.len() > MOST_HOSTS {
        return Err(StorageError::Refused(format!("{} hosts are more than {MOST_HOSTS}", hosts.len())));
    }
    if let Some(host) = hosts.iter().find(|host| !crate::settings::is_host(host)) {
        return Err(StorageError::Refused(format!("{host:?} is no host, such as example.org")));
    }
    Ok(ProfileNetwork { hosts, ..network })
}

/// How much is in a profile, without opening it.
pub fn counts(main: &Db, id: ProfileId) -> Result<ProfileCounts, StorageError> {
    let sources = knowledge::list_sources(main, id)?.len() as u64;
    Ok(ProfileCounts { sources, chats: chats::totals(main, id)?.0 })
}

/// Removes the profile and every row of it in one transaction; its folders are on the list of what is still to go.
/// The ledger keeps its rows, which say the profile's name.
///
/// # Errors
/// Refused for the active and for the last one, and when the name is another one; not found.
pub fn delete(main: &Db, id: ProfileId, confirmed_name: String) -> Result<Profile, StorageError> {
    main.write(move |txn| {
        let key = id.0.as_u128();
        let mut table = txn.table(PROFILES)?;
        let profile = table.record::<StoredProfile>(key)?.ok_or_else(unknown)?.into_profile(key);
        if profile.name != confirmed_name.trim() {
            return Err(StorageError::Refused(format!(
                "the profile is named \"{}\", and another name was typed",
                profile.name
            )));
        }
        if txn.table(ACTIVE)?.get(())?.is_some_and(|active| active.value() == key) {
            return Err(StorageError::Refused("the profile that you work in cannot be deleted".to_owned()));
        }
        if table.iter()?.nth(1).is_none() {
            return Err(StorageError::Refused("the last profile cannot be deleted".to_owned()));
        }
        table.remove(key)?;
        drop(table);
        // Each table that has rows of profiles; a test names those that this leaves alone.
        chats::remove_profile(txn, id)?;
        knowledge::remove_profile_sources(txn, id)?;
        models::remove_profile(txn, id)?;
        activities::remove_profile(txn, id)?;
        trash::remove_profile(txn, id)?;
        credentials::remove_profile(txn, id)?;
        schedules::remove_profile(txn, id)?;
        crews::remove_profile(txn, id)?;
        ui_state::remove_profile(txn, id)?;
        runs::remove_profile(txn, id)?;
        approvals::remove_profile(txn, id)?;
        agents::remove_profile(txn, id)?;
        notifications::remove_profile(txn, id)?;
        tasks::remove_profile(txn, id)?;
        providers::remove_profile(txn, id)?;
        usage::remove_profile(txn, id)?;
        mcp::remove_profile(txn, id)?;
        retrieval::remove_profile(txn, id)?;
        txn.table(DELETED)?.insert(key, profile.name.as_str())?;
        Ok(profile)
    })
}

/// Profiles that were deleted and whose folders may still be there.
pub fn deleted(main: &Db) -> Result<Vec<ProfileId>, StorageError> {
    let table = main.read()?.table(DELETED)?;
    table.iter()?.map(|row| Ok(ProfileId(uuid::Uuid::from_u128(row?.0.value())))).collect()
}

/// The folders of a deleted profile are gone.
pub fn forget_deleted(main: &Db, id: ProfileId) -> Result<(), StorageError> {
    main.write(move |txn| {
        txn.table(DELETED)?.remove(id.0.as_u128())?;
        Ok(())
    })
}

#[cfg(test)]
mod tests;
