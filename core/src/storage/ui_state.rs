//! Small texts that the window keeps under a name: layout, zoom, what was open.

use redb::{ReadableTable, TableDefinition};

use super::{AnyTable, Db, StorageError, WriteTxn};
use crate::model::{ProfileId, Timestamp};

const UI_STATE: TableDefinition<(u128, &str), &str> = TableDefinition::new("ui_state");
/// (profile, milliseconds): all texts of a profile as they stood then, as JSON.
const SNAPSHOTS: TableDefinition<(u128, i64), &str> = TableDefinition::new("session_snapshots");
/// Profile to the milliseconds at which its window was opened the last time but one, and the last time.
const OPENED: TableDefinition<u128, (Option<i64>, i64)> = TableDefinition::new("window_openings");
pub(super) const TABLES: &[&dyn AnyTable] = &[&UI_STATE, &SNAPSHOTS, &OPENED];

/// Snapshots that are kept, the newest: three days, one each quarter of an hour.
const KEPT: usize = 288;

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

/// Keeps how all the texts of a profile stand now; their number. The oldest snapshots above 288 go.
pub fn snapshot(main: &Db, profile: ProfileId, now: Timestamp) -> Result<usize, StorageError> {
    let owner = profile.0.as_u128();
    main.write(move |txn| {
        let mut texts = std::collections::BTreeMap::new();
        for row in txn.table(UI_STATE)?.range((owner, "")..)? {
            let (key, text) = row?;
            if key.value().0 != owner {
                break;
            }
            texts.insert(key.value().1.to_owned(), text.value().to_owned());
        }
        let json = serde_json::to_string(&texts)
            .map_err(|error| StorageError::Refused(format!("the window's state cannot be kept: {error}")))?;
        let mut table = txn.table(SNAPSHOTS)?;
        table.insert((owner, now.0), json.as_str())?;
        let mut times = Vec::new();
        for row in table.range((owner, i64::MIN)..=(owner, i64::MAX))? {
            times.push(row?.0.value().1);
        }
        for old in times.iter().take(times.len().saturating_sub(KEPT)) {
            table.remove((owner, *old))?;
        }
        Ok(texts.len())
    })
}

/// The window is opened now.
pub fn opened(main: &Db, profile: ProfileId, now: Timestamp) -> Result<(), StorageError> {
    main.write(move |txn| {
        let mut table = txn.table(OPENED)?;
        let before = table.get(profile.0.as_u128())?.map(|row| row.value().1);
        table.insert(profile.0.as_u128(), (before, now.0))?;
        Ok(())
    })
}

/// When the window was opened the last time; where one is open `now`, the last time before that.
pub fn last_opened(main: &Db, profile: ProfileId, now: bool) -> Result<Option<Timestamp>, StorageError> {
    let table = main.read()?.table(OPENED)?;
    let row = table.get(profile.0.as_u128())?.map(|row| row.value());
    Ok(row.and_then(|(before, last)| if now { before } else { Some(last) }).map(Timestamp))
}

/// When snapshots were made, oldest first.
pub fn snapshots(main: &Db, profile: ProfileId) -> Result<Vec<Timestamp>, StorageError> {
    let owner = profile.0.as_u128();
    let table = main.read()?.table(SNAPSHOTS)?;
    table.range((owner, i64::MIN)..=(owner, i64::MAX))?.map(|row| Ok(Timestamp(row?.0.value().1))).collect()
}

/// Forgets what the window kept for a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(UI_STATE)?.retain(|key, _| key.0 != owner)?;
    txn.table(OPENED)?.remove(owner)?;
    txn.table(SNAPSHOTS)?.retain_in((owner, i64::MIN)..=(owner, i64::MAX), |_, _| false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{DbOptions, tables};

    #[test]
    fn snapshots_keep_the_newest_and_go_with_their_profile() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let profile = ProfileId(uuid::Uuid::from_u128(1));
        main.write(move |txn| {
            txn.table(UI_STATE)?.insert((1, "layout"), "wide")?;
            txn.table(UI_STATE)?.insert((2, "layout"), "narrow")?;
            Ok(())
        })
        .unwrap();
        for at in 0..290 {
            assert_eq!(snapshot(&main, profile, Timestamp(at)).unwrap(), 1);
        }
        let kept = snapshots(&main, profile).unwrap();
        assert_eq!((kept.len(), kept[0], kept[287]), (288, Timestamp(2), Timestamp(289)));
        opened(&main, profile, Timestamp(5)).unwrap();
        assert_eq!(last_opened(&main, profile, true).unwrap(), None);
        opened(&main, profile, Timestamp(9)).unwrap();
        assert_eq!(last_opened(&main, profile, true).unwrap(), Some(Timestamp(5)));
        assert_eq!(last_opened(&main, profile, false).unwrap(), Some(Timestamp(9)));
        main.write(move |txn| remove_profile(txn, profile)).unwrap();
        assert_eq!(last_opened(&main, profile, false).unwrap(), None);
        assert!(snapshots(&main, profile).unwrap().is_empty());
    }
}
