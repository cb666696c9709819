//! The store of schedules: names, the trash, another profile.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Missed, PageRequest, Priority, TaskTemplate, TrashId};
use crate::storage::trash::{self, Deletion};
use crate::storage::{DbOptions, tables};

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));
const OTHER: ProfileId = ProfileId(Uuid::from_u128(2));

fn open(folder: &std::path::Path) -> Db {
    Db::open(&folder.join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap()
}

fn row(number: u128, name: &str, next: i64) -> Row {
    let template = TaskTemplate {
        agent: None,
        title: "t".to_owned(),
        description: String::new(),
        priority: Priority::Medium,
        input: serde_json::Value::Null,
        labels: Vec::new(),
        max_retries: None,
        time_limit_s: None,
    };
    Row {
        id: ScheduleId(Uuid::from_u128(number)),
        settings: ScheduleDraft {
            name: name.to_owned(),
            timing: Timing::Every { minutes: 5, from: Timestamp(0) },
            template,
            variables: BTreeMap::new(),
            missed: Missed::Skip,
            enabled: true,
        },
        created: Timestamp(1),
        updated: Timestamp(1),
        background: None,
        sample: false,
        next: Some(Timestamp(next)),
        last_run: None,
        last_outcome: None,
        last_planned: None,
        runs: 0,
        mark: String::new(),
        ready: true,
    }
}

#[test]
fn what_is_stored_is_read_and_due_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    for (number, name, next) in [(3, "b", 300), (4, "A", 100), (5, "c", 200)] {
        create(&main, PROFILE, row(number, name, next)).unwrap();
    }
    create(&main, OTHER, row(6, "a", 50)).unwrap();
    assert_eq!(get(&main, PROFILE, ScheduleId(Uuid::from_u128(3))).unwrap(), row(3, "b", 300));
    let names: Vec<String> = list(&main, PROFILE).unwrap().into_iter().map(|row| row.settings.name).collect();
    assert_eq!(names, ["A", "b", "c"]);
    let at = |now| due(&main, PROFILE, Timestamp(now), 10).unwrap().into_iter().map(|(at, _)| at.0).collect::<Vec<_>>();
    assert_eq!((at(99), at(200), at(999)), (vec![], vec![100, 200], vec![100, 200, 300]));
    assert_eq!(next_due(&main, PROFILE).unwrap(), Some(Timestamp(100)));
    assert!(create(&main, PROFILE, row(7, "B", 1)).is_err(), "the name is taken");
}

#[test]
fn the_trash_takes_it_out_of_everything_and_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    let id = ScheduleId(Uuid::from_u128(3));
    create(&main, PROFILE, row(3, "Daily", 300)).unwrap();
    let deletion = |n| Deletion { id: TrashId(Uuid::from_u128(n)), at: Timestamp(5), days: 30 };
    assert!(trash::schedule(&main, OTHER, id, "", deletion(9)).is_err());
    let item = trash::schedule(&main, PROFILE, id, "Every 5 minutes", deletion(9)).unwrap();
    assert_eq!((item.title.as_str(), item.detail.as_str()), ("Daily", "Every 5 minutes"));
    assert!(list(&main, PROFILE).unwrap().is_empty() && get(&main, PROFILE, id).is_err());
    assert_eq!(next_due(&main, PROFILE).unwrap(), None);
    // Its name is free meanwhile; then it cannot come back.
    create(&main, PROFILE, row(4, "daily", 300)).unwrap();
    assert!(trash::restore(&main, PROFILE, item.id, 30).is_err());
    trash::schedule(&main, PROFILE, ScheduleId(Uuid::from_u128(4)), "", deletion(10)).unwrap();
    trash::restore(&main, PROFILE, item.id, 30).unwrap();
    let back = get(&main, PROFILE, id).unwrap();
    assert_eq!((back.ready, back.next), (false, None), "its next time is found anew");
    trash::erase(&main, PROFILE, TrashId(Uuid::from_u128(10)), 30).unwrap();
    assert!(runs(&main, PROFILE, ScheduleId(Uuid::from_u128(4)), PageRequest::default()).is_err());
}
