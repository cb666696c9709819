//! A damaged main database: told, kept, read as far as it goes, replaced by a backup or by nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::clock::{Ids, ManualClock};
use crate::model::{Author, Chat, ChatId, Message, MessageId, MessageState, ProfileId, Question, Versions};
use crate::storage::disk::SystemDisk;
use crate::storage::{Db, DbOptions, chats};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn fill(places: &Places, count: usize) {
    let ids = Ids::seeded(Arc::new(ManualClock::at(NOW)), 3);
    let profile = ProfileId(ids.next());
    let main = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default()).unwrap();
    for number in 0..count {
        let chat = Chat {
            id: ChatId(ids.next()),
            profile,
            title: format!("About ferry {number}"),
            created: NOW,
            updated: NOW,
            folder: String::new(),
            pinned: false,
            branched_from: None,
        };
        chats::create(&main, chat.clone()).unwrap();
        let message = |author, text: String| Message {
            id: MessageId(ids.next()),
            chat: chat.id,
            author,
            text,
            created: NOW,
            state: MessageState::Complete,
            citations: Vec::new(),
            passages: Vec::new(),
            sentences: Vec::new(),
            stats: None,
            versions: Versions::default(),
            attachments: Vec::new(),
            choice: None,
            context: None,
        };
        let asked = Question {
            text: "When?".to_owned(),
            use_knowledge: false,
            sources: Vec::new(),
            model: None,
            beside: None,
            attachments: Vec::new(),
        };
        let question = message(Author::Person, format!("When does ferry {number} leave? {}", "word ".repeat(200)));
        let answer = message(Author::Model, format!("At {number} o'clock."));
        chats::add_exchange(&main, profile, question, answer, &asked, "title".to_owned()).unwrap();
    }
    main.close();
}

fn places(folder: &Path) -> Places {
    Places::find(&BTreeMap::new(), Some(folder), None).unwrap()
}

/// Turns pages of messages into noise until the check finds it.
fn spoil(places: &Places) {
    let mut bytes = std::fs::read(places.main_db()).unwrap();
    let found = bytes.windows(20).position(|window| window == b"When does ferry 17 l").unwrap();
    let page = found / 4096 * 4096;
    // The kind of page stays: builds with redb's own assertions look at it when they open a file.
    bytes[page + 4..page + 512].fill(0xff);
    std::fs::write(places.main_db(), bytes).unwrap();
}

/// A folder that has no backups.
struct EmptyShelf;

impl Shelf for EmptyShelf {
    fn newest(&self) -> Result<Option<NewestBackup>, ApiError> {
        Ok(None)
    }

    fn restore(&self, _name: &str) -> Result<(), ApiError> {
        Err(no_backup())
    }
}

struct OneBackup(RefCell<Vec<String>>);

impl Shelf for OneBackup {
    fn newest(&self) -> Result<Option<NewestBackup>, ApiError> {
        Ok(Some(NewestBackup { name: "b1".to_owned(), at: Timestamp(NOW.0 - 1), chats: 7, messages: 14, sources: 0 }))
    }

    fn restore(&self, name: &str) -> Result<(), ApiError> {
        self.0.borrow_mut().push(name.to_owned());
        Ok(())
    }
}

#[test]
fn a_sound_folder_needs_no_recovery() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    assert_eq!(examine(&places, &SystemDisk, &EmptyShelf).unwrap(), None);
    fill(&places, 2);
    assert_eq!(examine(&places, &SystemDisk, &EmptyShelf).unwrap(), None);
}

#[test]
fn what_is_left_of_a_damaged_file_is_told_and_written_out() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    fill(&places, 40);
    std::fs::write(places.settings_toml(), "[ui]\ntheme = \"dark\"\n").unwrap();
    spoil(&places);
    let before = std::fs::read(places.main_db()).unwrap();
    let opened = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default());
    assert!(matches!(opened.err(), Some(StorageError::Damaged { .. })));
    let recovery = examine(&places, &SystemDisk, &EmptyShelf).unwrap().unwrap();
    assert_eq!((recovery.readable.chats, &recovery.backup), (40, &None));
    assert!((20..80).contains(&recovery.readable.messages), "{recovery:?}");
    assert!(!recovery.readable.missing.is_empty());

    let target = folder.path().join("saved");
    let exported = export_readable(&places, &SystemDisk, &target).unwrap();
    let read = |name: &str| std::fs::read_to_string(target.join(name)).unwrap();
    assert!(exported.files > 45);
    assert!(read("chats/About ferry 3.md").contains("At 3 o'clock."));
    assert!(read("chats.json").contains("When does ferry 38 leave?"));
    assert!(read("settings.toml").contains("dark"));
    assert!(read("README.txt").contains("Missing:"));
    assert_eq!(read("tables/chats.jsonl").lines().count(), 40);
    let again = export_readable(&places, &SystemDisk, &target).unwrap_err();
    assert!(again.message.contains("holds something"), "{again:?}");
    assert_eq!(std::fs::read(places.main_db()).unwrap(), before);
}

#[test]
fn a_new_beginning_keeps_the_damaged_file() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    fill(&places, 20);
    spoil(&places);
    let before = std::fs::read(places.main_db()).unwrap();
    let shelf = OneBackup(RefCell::default());
    let told = examine(&places, &SystemDisk, &shelf).unwrap().unwrap().differences;
    assert!(told[0].starts_with("Chats: 7 in the backup, ") && told[3].contains("“About ferry 0”"), "{told:?}");
    let (backup, copy) = restore_newest(&places, &SystemDisk, &shelf, NOW).unwrap();
    assert_eq!((backup.name.as_str(), shelf.0.borrow().as_slice()), ("b1", &["b1".to_owned()][..]));
    assert_eq!(std::fs::read(copy.unwrap()).unwrap(), before);
    let kept = set_aside_and_start_anew(&places, &SystemDisk, NOW).unwrap();
    assert_eq!(kept.file_name().unwrap(), "main.redb.damaged-20231114-221320-2");
    assert_eq!(std::fs::read(kept).unwrap(), before);
    let main = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default()).unwrap();
    assert_eq!(crate::storage::profiles::list(&main).unwrap(), vec![]);
    assert!(restore_newest(&places, &SystemDisk, &EmptyShelf, NOW).unwrap_err().message.contains("no backup"));
}
