//! Folders of chats: names with `/` between them, also of folders that hold nothing; and which chats are pinned.

use std::collections::BTreeSet;

use redb::{ReadableTable, TableDefinition};

use super::{CHATS, CHATS_BY_UPDATE, StoredChat, chat_of, own_chat, unknown_chat};
use crate::model::{Chat, ChatId, ProfileId};
use crate::storage::{Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode};

/// (profile, name).
pub(super) const FOLDERS: TableDefinition<(u128, &str), ()> = TableDefinition::new("chat_folders");

/// Characters of a name, and folders inside each other.
const LONGEST: usize = 200;
const DEEPEST: usize = 8;

/// A name as it is stored: without white space around its parts, control characters and empty parts.
///
/// # Errors
/// It is empty, too long or too deep.
pub fn name(given: &str) -> Result<String, StorageError> {
    let clean = |part: &str| {
        let words: Vec<&str> =
            part.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
        words.join(" ")
    };
    let parts: Vec<String> = given.split('/').map(clean).filter(|part| !part.is_empty()).collect();
    let name = parts.join("/");
    if name.is_empty() {
        return Err(StorageError::Refused("a folder needs a name".to_owned()));
    }
    if name.chars().count() > LONGEST || parts.len() > DEEPEST {
        return Err(StorageError::Refused(format!(
            "the name of a folder has at most {LONGEST} characters and {DEEPEST} levels"
        )));
    }
    Ok(name)
}

/// The name of a folder with those above it.
fn with_parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at]).chain([name])
}

/// The new name of a folder, or of one inside it; none for any other.
fn moved(folder: &str, from: &str, to: &str) -> Option<String> {
    let rest = folder.strip_prefix(from)?;
    let lies_in = rest.is_empty() || rest.starts_with('/');
    lies_in.then(|| if to.is_empty() { String::new() } else { format!("{to}{rest}") })
}

/// Sorted, whatever the case.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<String>, StorageError> {
    let txn = main.read()?;
    let key = profile.0.as_u128();
    let mut names = BTreeSet::new();
    for row in txn.table(FOLDERS)?.range((key, "")..)? {
        let (row, _) = row?;
        let (owner, name) = row.value();
        if owner != key {
            break;
        }
        names.insert(name.to_owned());
    }
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_cached_key(|name| (crate::fold::plain(name), name.clone()));
    Ok(names)
}

/// Makes a folder and those above it; one that is there stays.
fn put(txn: &WriteTxn<'_>, profile: ProfileId, name: &str) -> Result<(), StorageError> {
    let mut folders = txn.table(FOLDERS)?;
    for name in with_parents(name) {
        folders.insert((profile.0.as_u128(), name), ())?;
    }
    Ok(())
}

pub fn create(main: &Db, profile: ProfileId, given: &str) -> Result<(), StorageError> {
    let name = name(given)?;
    main.write(move |txn| put(txn, profile, &name))
}

/// Gives a folder another name, with all inside it. A folder that has this name already takes them up.
///
/// # Errors
/// There is no such folder, or it would lie inside itself.
pub fn rename(main: &Db, profile: ProfileId, from: &str, to: &str) -> Result<(), StorageError> {
    let (from, to) = (name(from)?, name(to)?);
    if to != from && moved(&to, &from, "x").is_some() {
        return Err(StorageError::Refused("a folder cannot lie inside itself".to_owned()));
    }
    main.write(move |txn| shift(txn, profile, &from, &to))
}

/// Removes a folder and those inside it; their chats stay, without a folder.
///
/// # Errors
/// There is no such folder.
pub fn remove(main: &Db, profile: ProfileId, given: &str) -> Result<(), StorageError> {
    let name = name(given)?;
    main.write(move |txn| shift(txn, profile, &name, ""))
}

fn shift(txn: &WriteTxn<'_>, profile: ProfileId, from: &str, to: &str) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    let mut there = Vec::new();
    {
        let folders = txn.table(FOLDERS)?;
        for row in folders.range((owner, from)..)? {
            let (row, _) = row?;
            let (of, name) = row.value();
            if of != owner || !name.starts_with(from) {
                break;
            }
            if let Some(new) = moved(name, from, to) {
                there.push((name.to_owned(), new));
            }
        }
    }
    if there.is_empty() {
        return Err(StorageError::NotFound("this folder".to_owned()));
    }
    for (old, new) in there {
        txn.table(FOLDERS)?.remove((owner, old.as_str()))?;
        if !new.is_empty() {
            put(txn, profile, &new)?;
        }
    }
    let mut changed = Vec::new();
    // Those in the trash too: they come back into the folder under its new name.
    for row in txn.table(CHATS)?.iter()? {
        let (key, value) = row?;
        let stored: StoredChat = decode(value.value())?;
        if stored.profile == profile.0
            && let Some(new) = moved(&stored.folder, from, to)
        {
            changed.push((key.value(), StoredChat { folder: new, ..stored }));
        }
    }
    let mut chats = txn.table(CHATS)?;
    for (key, stored) in changed {
        chats.put(key, &stored)?;
    }
    Ok(())
}

/// Moves a chat into a folder, which is made if need be; empty for none.
pub fn move_chat(main: &Db, profile: ProfileId, id: ChatId, folder: &str) -> Result<Chat, StorageError> {
    let folder = if folder.trim().is_empty() { String::new() } else { name(folder)? };
    main.write(move |txn| {
        if !folder.is_empty() {
            put(txn, profile, &folder)?;
        }
        change(txn, profile, id, |chat| chat.folder.clone_from(&folder))
    })
}

pub fn pin(main: &Db, profile: ProfileId, id: ChatId, pinned: bool) -> Result<Chat, StorageError> {
    main.write(move |txn| change(txn, profile, id, |chat| chat.pinned = pinned))
}

fn change(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    id: ChatId,
    change: impl FnOnce(&mut StoredChat),
) -> Result<Chat, StorageError> {
    let mut stored = own_chat(txn, profile, id)?;
    change(&mut stored);
    txn.table(CHATS)?.put(id.0.as_u128(), &stored)?;
    Ok(chat_of(id.0.as_u128(), &stored))
}

/// Removes all folders of a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(FOLDERS)?.retain_in((owner, "")..(owner.saturating_add(1), ""), |_, _| false)?;
    Ok(())
}

/// Adds the folders that only `other` has.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<(), StorageError> {
    let Some(theirs) = other.table_if_there(FOLDERS)? else { return Ok(()) };
    let mut own = txn.table(FOLDERS)?;
    for row in theirs.iter()? {
        own.insert(row?.0.value(), ())?;
    }
    Ok(())
}

/// The chats of a profile, newest change first, as they are stored.
pub(super) fn chats_of(txn: &ReadTxn, profile: ProfileId) -> Result<Vec<(u128, StoredChat)>, StorageError> {
    let chats = txn.table(CHATS)?;
    let owner = profile.0.as_u128();
    let mut all = Vec::new();
    for row in txn.table(CHATS_BY_UPDATE)?.range((owner, i64::MIN, 0)..=(owner, i64::MAX, u128::MAX))?.rev() {
        let id = row?.0.value().2;
        all.push((id, chats.record(id)?.ok_or_else(unknown_chat)?));
    }
    Ok(all)
}
