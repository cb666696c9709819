//! What is known of credentials (never the secrets), who may use them, and how often a wrong passphrase came.

use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use super::audit::{self, AuditEntry};
use super::{AnyTable, Db, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{Consumer, CredentialTest, Grant, ProfileId, TestOutcome, Timestamp, VaultPlace};

/// By service.
const CREDENTIALS: TableDefinition<&str, &[u8]> = TableDefinition::new("credentials");
/// Profile, service, consumer.
const GRANTS: TableDefinition<(u128, &str, &str), &[u8]> = TableDefinition::new("credential_grants");
const ATTEMPTS: TableDefinition<(), &[u8]> = TableDefinition::new("vault_attempts");
pub(super) const TABLES: &[&dyn AnyTable] = &[&CREDENTIALS, &GRANTS, &ATTEMPTS];
/// What no restore takes back.
pub(super) const STAYING: &[&dyn AnyTable] = &[&GRANTS, &ATTEMPTS];
/// What goes with the secrets themselves.
pub(super) const KNOWN: &[&dyn AnyTable] = &[&CREDENTIALS];

/// A credential as it is kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRow {
    pub service: String,
    /// Random; part of its name in a keychain.
    pub slot: String,
    pub label: String,
    pub place: VaultPlace,
    pub base_url: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub expires: Option<Timestamp>,
    pub tested: Option<CredentialTest>,
    pub used: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct StoredCredential {
    slot: String,
    label: String,
    in_keychain: bool,
    base_url: Option<String>,
    created: i64,
    updated: i64,
    expires: Option<i64>,
    tested: Option<StoredTest>,
    used: Option<i64>,
}
first_version!(StoredCredential, "credential");

#[derive(Serialize, Deserialize)]
struct StoredTest {
    at: i64,
    outcome: TestOutcome,
    words: String,
}

#[derive(Serialize, Deserialize)]
struct StoredGrant {
    consumer: Consumer,
    allowed: Option<bool>,
    at: i64,
}
first_version!(StoredGrant, "grant");

/// Wrong passphrases in a row, and how long the vault still refuses all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    pub failures: u32,
    /// Milliseconds that the vault still refuses, counted from `seen`.
    pub left_ms: i64,
    /// When `left_ms` was last counted, by the clock of the computer.
    pub seen: i64,
}
first_version!(Attempts, "vault state");

fn from_stored(service: &str, stored: StoredCredential) -> CredentialRow {
    CredentialRow {
        service: service.to_owned(),
        slot: stored.slot,
        label: stored.label,
        place: if stored.in_keychain { VaultPlace::Keychain } else { VaultPlace::Files },
        base_url: stored.base_url,
        created: Timestamp(stored.created),
        updated: Timestamp(stored.updated),
        expires: stored.expires.map(Timestamp),
        tested: stored.tested.map(|test| CredentialTest {
            at: Timestamp(test.at),
            outcome: test.outcome,
            words: test.words,
        }),
        used: stored.used.map(Timestamp),
    }
}

/// By service.
pub fn list(main: &Db) -> Result<Vec<CredentialRow>, StorageError> {
    let table = main.read()?.table(CREDENTIALS)?;
    table
        .iter()?
        .map(|row| {
            let (key, value) = row?;
            Ok(from_stored(key.value(), decode(value.value())?))
        })
        .collect()
}

pub fn get(main: &Db, service: &str) -> Result<Option<CredentialRow>, StorageError> {
    let stored = main.read()?.table(CREDENTIALS)?.record(service)?;
    Ok(stored.map(|stored| from_stored(service, stored)))
}

/// Writes one, with the row of the audit log that belongs to it.
pub fn put(main: &Db, row: CredentialRow, audit: AuditEntry) -> Result<(), StorageError> {
    main.write(move |txn| {
        insert(txn, &row)?;
        audit::append(txn, &audit)
    })
}

fn insert(txn: &WriteTxn<'_>, row: &CredentialRow) -> Result<(), StorageError> {
    let stored = StoredCredential {
        slot: row.slot.clone(),
        label: row.label.clone(),
        in_keychain: row.place == VaultPlace::Keychain,
        base_url: row.base_url.clone(),
        created: row.created.0,
        updated: row.updated.0,
        expires: row.expires.map(|at| at.0),
        tested: row.tested.as_ref().map(|test| StoredTest {
            at: test.at.0,
            outcome: test.outcome,
            words: test.words.clone(),
        }),
        used: row.used.map(|at| at.0),
    };
    txn.table(CREDENTIALS)?.put(row.service.as_str(), &stored)
}

/// Removes it with its grants in all profiles.
pub fn remove(main: &Db, service: &str, audit: AuditEntry) -> Result<(), StorageError> {
    let service = service.to_owned();
    main.write(move |txn| {
        txn.table(CREDENTIALS)?.remove(service.as_str())?;
        txn.table(GRANTS)?.retain(|key, _value| key.1 != service)?;
        audit::append(txn, &audit)
    })
}

/// The name of a consumer within a key.
fn key_of(consumer: &Consumer) -> String {
    match consumer {
        Consumer::Program => "program".to_owned(),
        Consumer::Agent(name) => format!("agent:{name}"),
        Consumer::Tool(name) => format!("tool:{name}"),
        Consumer::Plugin(name) => format!("plugin:{name}"),
    }
}

pub fn grants(main: &Db, profile: ProfileId) -> Result<Vec<Grant>, StorageError> {
    let profile = profile.0.as_u128();
    let table = main.read()?.table(GRANTS)?;
    let mut grants = Vec::new();
    for row in table.range((profile, "", "")..)? {
        let (key, value) = row?;
        let (of, service, _consumer) = key.value();
        if of != profile {
            break;
        }
        let stored: StoredGrant = decode(value.value())?;
        let service = service.to_owned();
        grants.push(Grant { service, consumer: stored.consumer, allowed: stored.allowed, at: Timestamp(stored.at) });
    }
    Ok(grants)
}

pub fn grant(main: &Db, profile: ProfileId, service: &str, consumer: &Consumer) -> Result<Option<Grant>, StorageError> {
    let key = key_of(consumer);
    let stored: Option<StoredGrant> =
        main.read()?.table(GRANTS)?.record((profile.0.as_u128(), service, key.as_str()))?;
    Ok(stored.map(|stored| Grant {
        service: service.to_owned(),
        consumer: stored.consumer,
        allowed: stored.allowed,
        at: Timestamp(stored.at),
    }))
}

/// Writes an answer, or that it was asked for.
pub fn put_grant(main: &Db, profile: ProfileId, grant: Grant, audit: AuditEntry) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key_of(&grant.consumer);
        let stored = StoredGrant { consumer: grant.consumer.clone(), allowed: grant.allowed, at: grant.at.0 };
        txn.table(GRANTS)?.put((profile.0.as_u128(), grant.service.as_str(), key.as_str()), &stored)?;
        audit::append(txn, &audit)
    })
}

/// Takes it back: the next use asks again.
pub fn remove_grant(
    main: &Db,
    profile: ProfileId,
    service: &str,
    consumer: &Consumer,
    audit: AuditEntry,
) -> Result<(), StorageError> {
    let (service, key) = (service.to_owned(), key_of(consumer));
    main.write(move |txn| {
        txn.table(GRANTS)?.remove((profile.0.as_u128(), service.as_str(), key.as_str()))?;
        audit::append(txn, &audit)
    })
}

/// Forgets who may use what in a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(GRANTS)?.retain(|key, _value| key.0 != owner)?;
    Ok(())
}

pub fn attempts(main: &Db) -> Result<Attempts, StorageError> {
    Ok(main.read()?.table(ATTEMPTS)?.record(())?.unwrap_or_default())
}

pub fn put_attempts(main: &Db, attempts: Attempts, audit: Option<AuditEntry>) -> Result<(), StorageError> {
    main.write(move |txn| {
        txn.table(ATTEMPTS)?.put((), &attempts)?;
        audit.as_ref().map_or(Ok(()), |entry| audit::append(txn, entry))
    })
}
