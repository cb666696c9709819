//! Servers of tools as the person set them up, and what each of them last offered.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kinds::Kind;
use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{DataKind, McpOffer, McpServerDraft, McpServerId, Merged, ProfileId, Timestamp};

/// (profile, server).
const SERVERS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("mcp_servers");
/// (profile, name) to the server.
const NAMES: TableDefinition<(u128, &str), u128> = TableDefinition::new("mcp_servers_by_name");
/// (profile, server) to what it offered when it was last reached: so that its tools are known before it is started.
const OFFERS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("mcp_offers");
pub(super) const TABLES: &[&dyn AnyTable] = &[&SERVERS, &NAMES, &OFFERS];

/// Servers that a profile may have.
pub const MOST_SERVERS: usize = 100;

#[derive(Serialize, Deserialize)]
struct StoredMcpServer {
    settings: McpServerDraft,
    created: i64,
    updated: i64,
}
first_version!(StoredMcpServer, "tool server");

#[derive(Serialize, Deserialize)]
struct StoredMcpOffer {
    offer: McpOffer,
}
first_version!(StoredMcpOffer, "offer of tools");

/// A server as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: McpServerId,
    pub settings: McpServerDraft,
}

pub(super) static KIND: Kind = Kind {
    kind: DataKind::ToolServers,
    table: &SERVERS,
    title: |row| decode(row).ok().map(|row: StoredMcpServer| row.settings.name),
    is_there: |_row| true,
};

fn unknown() -> StorageError {
    StorageError::NotFound("this tool server".to_owned())
}

fn key(profile: ProfileId, id: McpServerId) -> (u128, u128) {
    (profile.0.as_u128(), id.0.as_u128())
}

/// By name.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<Row>, StorageError> {
    let txn = main.read()?;
    let (servers, names) = (txn.table(SERVERS)?, txn.table(NAMES)?);
    let owner = profile.0.as_u128();
    let mut found = Vec::new();
    for name in names.range((owner, "")..)? {
        let (name, id) = name?;
        if name.value().0 != owner {
            break;
        }
        let stored: StoredMcpServer = servers.record((owner, id.value()))?.ok_or_else(unknown)?;
        found.push(Row { id: McpServerId(Uuid::from_u128(id.value())), settings: stored.settings });
    }
    Ok(found)
}

/// # Errors
/// When there is no such server in this profile.
pub fn get(main: &Db, profile: ProfileId, id: McpServerId) -> Result<Row, StorageError> {
    let stored: Option<StoredMcpServer> = main.read()?.table(SERVERS)?.record(key(profile, id))?;
    Ok(Row { id, settings: stored.ok_or_else(unknown)?.settings })
}

fn take_name(txn: &WriteTxn<'_>, key: (u128, u128), name: &str) -> Result<(), StorageError> {
    let mut names = txn.table(NAMES)?;
    let taken = names.get((key.0, name))?.map(|id| id.value());
    if taken.is_some_and(|id| id != key.1) {
        return Err(StorageError::Refused(format!("there is already a tool server named \"{name}\"")));
    }
    names.insert((key.0, name), key.1)?;
    Ok(())
}

fn leave_name(txn: &WriteTxn<'_>, key: (u128, u128), name: &str) -> Result<(), StorageError> {
    txn.table(NAMES)?.remove((key.0, name))?;
    Ok(())
}

/// # Errors
/// Refused when the name is taken, or there are too many.
pub fn add(
    main: &Db,
    profile: ProfileId,
    id: McpServerId,
    settings: McpServerDraft,
    now: Timestamp,
) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        let mut count = 0;
        for row in txn.table(SERVERS)?.range((key.0, 0)..=(key.0, u128::MAX))? {
            row?;
            count += 1;
        }
        if count >= MOST_SERVERS {
            return Err(StorageError::Refused(format!("there are {MOST_SERVERS} tool servers already")));
        }
        take_name(txn, key, &settings.name)?;
        let stored = StoredMcpServer { settings: settings.clone(), created: now.0, updated: now.0 };
        txn.table(SERVERS)?.put(key, &stored)
    })
}

/// What it offered is forgotten: it may be another program now.
///
/// # Errors
/// When there is no such server, or another one has the name.
pub fn update(
    main: &Db,
    profile: ProfileId,
    id: McpServerId,
    settings: McpServerDraft,
    now: Timestamp,
) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        let before: Option<StoredMcpServer> = txn.table(SERVERS)?.record(key)?;
        let before = before.ok_or_else(unknown)?;
        leave_name(txn, key, &before.settings.name)?;
        take_name(txn, key, &settings.name)?;
        if before.settings.transport != settings.transport || before.settings.name != settings.name {
            txn.table(OFFERS)?.remove(key)?;
        }
        let stored = StoredMcpServer { settings: settings.clone(), created: before.created, updated: now.0 };
        txn.table(SERVERS)?.put(key, &stored)
    })
}

/// # Errors
/// When there is no such server.
pub fn remove(main: &Db, profile: ProfileId, id: McpServerId) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        let stored: Option<StoredMcpServer> = txn.table(SERVERS)?.record(key)?;
        leave_name(txn, key, &stored.ok_or_else(unknown)?.settings.name)?;
        txn.table(OFFERS)?.remove(key)?;
        txn.table(SERVERS)?.remove(key)?;
        Ok(())
    })
}

/// Keeps what a server offers, if it is still there.
pub fn put_offer(main: &Db, profile: ProfileId, id: McpServerId, offer: McpOffer) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        let there = txn.table(SERVERS)?.get(key)?.is_some();
        match there {
            true => txn.table(OFFERS)?.put(key, &StoredMcpOffer { offer: offer.clone() }),
            false => Ok(()),
        }
    })
}

/// What a server last offered; none when it was never reached, or what is stored cannot be read.
pub fn offer(main: &Db, profile: ProfileId, id: McpServerId) -> Result<Option<McpOffer>, StorageError> {
    let stored: Option<StoredMcpOffer> = main.read()?.table(OFFERS)?.record(key(profile, id))?;
    Ok(stored.map(|stored| stored.offer))
}

/// Removes all of a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(SERVERS)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    txn.table(NAMES)?.retain(|key, _| key.0 != owner)?;
    txn.table(OFFERS)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    Ok(())
}

/// Adds the servers that only `other` has, under another name where theirs is taken; they are switched off: the person
/// looks at them before a program of long ago is started again.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::ToolServers, added: 0, kept: 0 };
    for row in other.table(SERVERS)?.iter()? {
        let (id, value) = row?;
        let key = id.value();
        let here: Option<StoredMcpServer> = txn.table(SERVERS)?.record(key)?;
        let mut there: StoredMcpServer = decode(value.value())?;
        if let Some(here) = here {
            merged.kept += u64::from(here.settings != there.settings);
            continue;
        }
        let name = there.settings.name.clone();
        let mut number = 1;
        while take_name(txn, key, &there.settings.name).is_err() {
            number += 1;
            there.settings.name = format!("{name}{number}");
        }
        there.settings.enabled = false;
        txn.table(SERVERS)?.put(key, &there)?;
        merged.added += 1;
    }
    Ok(merged)
}
