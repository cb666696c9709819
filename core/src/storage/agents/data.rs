//! Each agent's own data store: keys with JSON values, within bounds.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{key, own};
use crate::model::{AgentDatum, AgentId, ProfileId, Timestamp};
use crate::storage::{Db, RecordWriting, StorageError, WriteTxn, decode, first_version};

/// (profile, agent, key) to the entry.
pub(super) const DATA: TableDefinition<(u128, u128, &str), &[u8]> = TableDefinition::new("agent_data");

/// Of one agent.
pub const MOST_KEYS: usize = 1_000;
/// In bytes.
pub const LONGEST_KEY: usize = 200;
/// Of one value as JSON text, in bytes.
pub const LARGEST_VALUE: usize = 64 << 10;
/// Of all keys and values of an agent, in bytes.
pub const LARGEST_STORE: usize = 4 << 20;

#[derive(Serialize, Deserialize)]
pub(super) struct StoredDatum {
    /// Once more, so that the row alone tells what it is.
    pub(super) key: String,
    /// JSON text.
    value: String,
    updated: i64,
}
first_version!(StoredDatum, "agent datum");

impl StoredDatum {
    fn size(&self) -> usize {
        self.key.len() + self.value.len()
    }

    fn into_datum(self) -> AgentDatum {
        // What was stored was JSON; damaged text is shown as it is.
        let value = serde_json::from_str(&self.value).unwrap_or_else(|_damaged| Value::String(self.value.clone()));
        AgentDatum { key: self.key, value, updated: Timestamp(self.updated) }
    }
}

/// All entries by key.
///
/// # Errors
/// When there is no such agent in this profile.
pub fn data(main: &Db, profile: ProfileId, id: AgentId) -> Result<Vec<AgentDatum>, StorageError> {
    super::get(main, profile, id)?;
    let table = main.read()?.table(DATA)?;
    let (owner, agent) = key(profile, id);
    let mut out = Vec::new();
    for row in table.range((owner, agent, "")..)? {
        let (row, value) = row?;
        if (row.value().0, row.value().1) != (owner, agent) {
            break;
        }
        out.push(decode::<StoredDatum>(value.value())?.into_datum());
    }
    Ok(out)
}

/// Writes an entry, or removes it (none).
///
/// # Errors
/// Refused when a bound is passed; not found.
pub fn put_datum(
    main: &Db,
    profile: ProfileId,
    id: AgentId,
    name: &str,
    value: Option<&Value>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let name = name.to_owned();
    let value = value.map(Value::to_string);
    if name.is_empty() || name.len() > LONGEST_KEY || name.chars().any(char::is_control) {
        return Err(StorageError::Refused(format!("key: it has 1 to {LONGEST_KEY} bytes and no control characters")));
    }
    if let Some(value) = &value
        && value.len() > LARGEST_VALUE
    {
        return Err(StorageError::Refused(format!(
            "value: it has {} bytes as JSON, more than {LARGEST_VALUE}",
            value.len()
        )));
    }
    main.write(move |txn| {
        own(txn, profile, id)?;
        let (owner, agent) = key(profile, id);
        let mut table = txn.table(DATA)?;
        let Some(value) = value.clone() else {
            table.remove((owner, agent, name.as_str()))?;
            return Ok(());
        };
        let datum = StoredDatum { key: name.clone(), value, updated: now.0 };
        let (mut keys, mut bytes) = (1, datum.size());
        for row in table.range((owner, agent, "")..)? {
            let (row, value) = row?;
            let (of, whose, other) = row.value();
            if (of, whose) != (owner, agent) {
                break;
            }
            if other != name {
                keys += 1;
                bytes += decode::<StoredDatum>(value.value())?.size();
            }
        }
        if keys > MOST_KEYS {
            return Err(StorageError::Refused(format!("the store of an agent has {MOST_KEYS} keys at most")));
        }
        if bytes > LARGEST_STORE {
            return Err(StorageError::Refused(format!(
                "the store of an agent holds {} MiB at most, and this would be more",
                LARGEST_STORE >> 20
            )));
        }
        table.put((owner, agent, name.as_str()), &datum)
    })
}

/// Removes all entries of an agent.
pub(super) fn remove(txn: &WriteTxn<'_>, owner: u128, agent: u128) -> Result<(), StorageError> {
    let mut table = txn.table(DATA)?;
    let mut keys = Vec::new();
    for row in table.range((owner, agent, "")..)? {
        let (row, _) = row?;
        let (of, whose, name) = row.value();
        if (of, whose) != (owner, agent) {
            break;
        }
        keys.push(name.to_owned());
    }
    for name in keys {
        table.remove((owner, agent, name.as_str()))?;
    }
    Ok(())
}
