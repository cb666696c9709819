//! What the person was told, per profile: a bounded list, the oldest go. A restore does not take it back.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AnyTable, Db, ReadTxn, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{
    AgentId, ApprovalId, Notification, NotificationId, NotificationKind, Page, PageRequest, ProfileId, TaskId,
    Timestamp,
};

/// (profile, notification); ids rise with time.
const NOTIFICATIONS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("notifications");
pub(super) const TABLES: &[&dyn AnyTable] = &[&NOTIFICATIONS];

/// Kept of each profile.
pub const KEPT: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct StoredNotification {
    at: i64,
    kind: NotificationKind,
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    read: bool,
    #[serde(default)]
    task: Option<Uuid>,
    #[serde(default)]
    agent: Option<Uuid>,
    #[serde(default)]
    approval: Option<Uuid>,
}
first_version!(StoredNotification, "notification");

impl StoredNotification {
    fn of(told: &Notification) -> Self {
        Self {
            at: told.at.0,
            kind: told.kind,
            title: told.title.clone(),
            detail: told.detail.clone(),
            read: told.read,
            task: told.task.map(|id| id.0),
            agent: told.agent.map(|id| id.0),
            approval: told.approval.map(|id| id.0),
        }
    }

    fn into_notification(self, id: u128) -> Notification {
        Notification {
            id: NotificationId(Uuid::from_u128(id)),
            at: Timestamp(self.at),
            kind: self.kind,
            title: self.title,
            detail: self.detail,
            read: self.read,
            task: self.task.map(TaskId),
            agent: self.agent.map(AgentId),
            approval: self.approval.map(ApprovalId),
        }
    }
}

fn all(profile: ProfileId) -> std::ops::RangeInclusive<(u128, u128)> {
    let own = profile.0.as_u128();
    (own, 0)..=(own, u128::MAX)
}

/// Keeps one; the oldest go where there are too many.
pub async fn add(main: &Db, profile: ProfileId, told: Notification) -> Result<(), StorageError> {
    main.write_async(move |txn| {
        let mut table = txn.table(NOTIFICATIONS)?;
        let own = profile.0.as_u128();
        table.put((own, told.id.0.as_u128()), &StoredNotification::of(&told))?;
        let mut keys = Vec::new();
        for row in table.range(all(profile))? {
            keys.push(row?.0.value());
        }
        for key in keys.iter().take(keys.len().saturating_sub(KEPT)) {
            table.remove(*key)?;
        }
        Ok(())
    })
    .await
}

fn rows(txn: &ReadTxn, profile: ProfileId) -> Result<Vec<Notification>, StorageError> {
    let mut found = Vec::new();
    for row in txn.table(NOTIFICATIONS)?.range(all(profile))?.rev() {
        let (key, value) = row?;
        found.push(decode::<StoredNotification>(value.value())?.into_notification(key.value().1));
    }
    Ok(found)
}

/// Newest first.
pub fn list(
    main: &Db,
    profile: ProfileId,
    unread: bool,
    page: PageRequest,
) -> Result<Page<Notification>, StorageError> {
    let mut found = rows(&main.read()?, profile)?;
    found.retain(|told| !(unread && told.read));
    let total = found.len() as u64;
    let skipped = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let items = found.into_iter().skip(skipped).take(page.limit as usize).collect();
    Ok(Page { items, total, offset: page.offset })
}

/// Marks as read what `which` says; the number of those that still are unread, and whether anything changed.
pub fn mark_read(
    main: &Db,
    profile: ProfileId,
    which: impl Fn(&Notification) -> bool + Send + 'static,
) -> Result<(u64, bool), StorageError> {
    main.write(move |txn| {
        let mut table = txn.table(NOTIFICATIONS)?;
        let mut found = Vec::new();
        for row in table.range(all(profile))? {
            let (key, value) = row?;
            found.push(decode::<StoredNotification>(value.value())?.into_notification(key.value().1));
        }
        let (mut unread, mut changed) = (0, false);
        for mut told in found.into_iter().filter(|told| !told.read) {
            if which(&told) {
                told.read = true;
                changed = true;
                table.put((profile.0.as_u128(), told.id.0.as_u128()), &StoredNotification::of(&told))?;
            } else {
                unread += 1;
            }
        }
        Ok((unread, changed))
    })
}

/// Removes one, or all.
///
/// # Errors
/// Not found.
pub fn clear(main: &Db, profile: ProfileId, id: Option<NotificationId>) -> Result<(), StorageError> {
    main.write(move |txn| match id {
        None => remove_profile(txn, profile),
        Some(id) => {
            let removed = txn.table(NOTIFICATIONS)?.remove((profile.0.as_u128(), id.0.as_u128()))?.is_some();
            removed.then_some(()).ok_or_else(|| StorageError::NotFound("this notification".to_owned()))
        }
    })
}

/// Forgets those of a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    txn.table(NOTIFICATIONS)?.retain_in(all(profile), |_, _| false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{DbOptions, tables};

    const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));
    const OTHER: ProfileId = ProfileId(Uuid::from_u128(2));

    fn told(number: u128) -> Notification {
        Notification {
            id: NotificationId(Uuid::from_u128(number)),
            at: Timestamp(i64::try_from(number).unwrap()),
            kind: NotificationKind::Done,
            title: format!("Task {number}"),
            detail: String::new(),
            read: false,
            task: Some(TaskId(Uuid::from_u128(number))),
            agent: None,
            approval: None,
        }
    }

    fn add_now(main: &Db, profile: ProfileId, told: Notification) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(add(main, profile, told)).unwrap();
    }

    #[test]
    fn they_are_listed_read_and_cleared_per_profile() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        for number in 1..=5 {
            add_now(&main, PROFILE, told(number));
        }
        add_now(&main, OTHER, told(9));
        let page = list(&main, PROFILE, false, PageRequest { offset: 1, limit: 2 }).unwrap();
        assert_eq!((page.total, page.items), (5, vec![told(4), told(3)]));
        assert_eq!(mark_read(&main, PROFILE, |told| told.at.0 <= 2).unwrap(), (3, true));
        assert_eq!(mark_read(&main, PROFILE, |told| told.at.0 <= 2).unwrap(), (3, false));
        assert_eq!(list(&main, PROFILE, true, PageRequest::default()).unwrap().total, 3);
        clear(&main, PROFILE, Some(told(5).id)).unwrap();
        assert!(clear(&main, PROFILE, Some(told(5).id)).is_err());
        assert!(clear(&main, PROFILE, Some(told(9).id)).is_err(), "of another profile");
        clear(&main, PROFILE, None).unwrap();
        assert_eq!(list(&main, PROFILE, false, PageRequest::default()).unwrap().total, 0);
        assert_eq!(list(&main, OTHER, false, PageRequest::default()).unwrap().total, 1);
    }

    #[test]
    fn the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        main.write(|txn| {
            let mut table = txn.table(NOTIFICATIONS)?;
            (1..=KEPT as u128)
                .try_for_each(|number| table.put((PROFILE.0.as_u128(), number), &StoredNotification::of(&told(number))))
        })
        .unwrap();
        add_now(&main, PROFILE, told(5_000));
        let page = list(&main, PROFILE, false, PageRequest { offset: 999, limit: 9 }).unwrap();
        assert_eq!((page.total, page.items), (1_000, vec![told(2)]));
    }
}
