//! The trash: what goes in comes back exactly, or leaves no row behind.

use std::path::PathBuf;

use super::*;
use crate::model::{Chat, ChatId, Source, SourceId};
use crate::storage::{DbOptions, chats as stored_chats, knowledge, tables};

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));
const OTHER: ProfileId = ProfileId(Uuid::from_u128(2));

fn open(folder: &std::path::Path) -> Db {
    Db::open(&folder.join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap()
}

fn new_chat(main: &Db, n: u128) -> ChatId {
    let id = ChatId(Uuid::from_u128(n));
    let at = Timestamp(n as i64);
    let chat = Chat {
        id,
        profile: PROFILE,
        title: format!("chat {n}"),
        created: at,
        updated: at,
        folder: String::new(),
        pinned: false,
        branched_from: None,
    };
    stored_chats::create(main, chat).unwrap();
    id
}

fn deletion(n: u128, at: i64) -> Deletion {
    Deletion { id: TrashId(Uuid::from_u128(n)), at: Timestamp(at), days: 30 }
}

fn all(main: &Db, profile: ProfileId) -> Vec<TrashItem> {
    list(main, profile, 30, PageRequest::default()).unwrap().items
}

#[test]
fn a_chat_comes_back_to_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    let ids: Vec<ChatId> = (10..13).map(|n| new_chat(&main, n)).collect();
    let before = stored_chats::list(&main, PROFILE).unwrap();
    assert!(chat(&main, OTHER, ids[1], deletion(90, 5)).is_err());
    let item = chat(&main, PROFILE, ids[1], deletion(90, 5)).unwrap();
    assert_eq!((item.title.as_str(), item.expires), ("chat 11", Timestamp(5 + 30 * DAY_MS)));
    assert_eq!(stored_chats::list(&main, PROFILE).unwrap().len(), 2);
    assert_eq!(stored_chats::totals(&main, PROFILE).unwrap().0, 2);
    assert!(stored_chats::get(&main, PROFILE, ids[1]).is_err());
    assert!(stored_chats::messages(&main, PROFILE, ids[1]).is_err());
    assert!(stored_chats::rename(&main, PROFILE, ids[1], "x".to_owned()).is_err());
    assert!(chat(&main, PROFILE, ids[1], deletion(91, 6)).is_err(), "it is there once only");
    assert_eq!(all(&main, PROFILE), std::slice::from_ref(&item));
    assert!(restore(&main, OTHER, item.id, 30).is_err());
    assert_eq!(restore(&main, PROFILE, item.id, 30).unwrap(), Emptied { item, thing: ids[1].0 });
    assert_eq!(stored_chats::list(&main, PROFILE).unwrap(), before);
    assert!(all(&main, PROFILE).is_empty());
}

#[test]
fn a_source_comes_back_unless_its_folder_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    let made = |n: u128| Source {
        address: None,
        kind: crate::model::SourceKind::Folder,
        id: SourceId(Uuid::from_u128(n)),
        profile: PROFILE,
        path: PathBuf::from("/home/ada/papers"),
        name: "papers".to_owned(),
        sample: false,
        paused: true,
        created: Timestamp(1),
        updated: Timestamp(2),
    };
    knowledge::put_source(&main, &made(5)).unwrap();
    let item = source(&main, PROFILE, made(5).id, deletion(90, 5)).unwrap();
    assert_eq!((item.title.as_str(), item.detail.as_str()), ("papers", "/home/ada/papers"));
    assert!(knowledge::list_sources(&main, PROFILE).unwrap().is_empty());
    knowledge::put_source(&main, &made(6)).unwrap();
    assert!(matches!(restore(&main, PROFILE, item.id, 30), Err(StorageError::Refused(_))));
    assert_eq!(all(&main, PROFILE).len(), 1);
    source(&main, PROFILE, made(6).id, deletion(91, 6)).unwrap();
    restore(&main, PROFILE, item.id, 30).unwrap();
    assert_eq!(knowledge::list_sources(&main, PROFILE).unwrap(), [made(5)]);
    assert!(matches!(restore(&main, PROFILE, item.id, 30), Err(StorageError::NotFound(_))));
}

#[test]
fn what_expires_leaves_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    for n in 10..14 {
        let id = new_chat(&main, n);
        chat(&main, PROFILE, id, deletion(n + 80, n as i64 * 100)).unwrap();
    }
    assert_eq!(count(&main).unwrap(), 4);
    let page = list(&main, PROFILE, 30, PageRequest { offset: 1, limit: 2 }).unwrap();
    assert_eq!((page.total, page.items[0].title.as_str()), (4, "chat 12"));
    assert_eq!(expire(&main, Timestamp(1_200)).unwrap(), 2);
    assert_eq!(all(&main, PROFILE).len(), 2);
    let id = all(&main, PROFILE)[0].id;
    erase(&main, PROFILE, id, 30).unwrap();
    assert_eq!(expire(&main, Timestamp(i64::MAX)).unwrap(), 1);
    assert_eq!(count(&main).unwrap(), 0);
    assert!(stored_chats::list(&main, PROFILE).unwrap().is_empty());
}
