//! Small texts that the window keeps under a name: layout, zoom, what was open.

use redb::TableDefinition;

use super::{AnyTable, Db, StorageError, WriteTxn};
use crate::model::ProfileId;

const UI_STATE: TableDefinition<(u128, &str), &str> = TableDefinition::new("ui_state");
pub(super) const TABLES: &[&dyn AnyTable] = &[&UI_STATE];

/// In bytes.
const LARGEST: usize = 1 << 20;
const LONGEST_NAME: usize = 200;

pub fn get(main: &Db, profile: ProfileId, name: &str) -> Result<Option<String>, StorageError> {
    let table = main.read()?.table(UI_STATE)?;
    Ok(table.get((profile.0.as_u128(), name))?.map(|text| text.value().to_owned()))
}

/// # Errors
/// Refused when the name is empty or long, or the text has more than 1 MiB.
pub async fn put(main: &Db, profile: ProfileId, name: String, text: String) -> Result<(), StorageError> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(StorageError::Refused(format!("a name must have 1 to {LONGEST_NAME} bytes")));
    }
    if text.len() > LARGEST {
        return Err(StorageError::Refused(format!("{name} has {} bytes, more than 1 MiB", text.len())));
    }
    main.write_async(move |txn| {
        txn.table(UI_STATE)?.insert((profile.0.as_u128(), name.as_str()), text.as_str())?;
        Ok(())
    })
    .await
}

/// Forgets what the window kept for a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(UI_STATE)?.retain(|key, _| key.0 != owner)?;
    Ok(())
}
