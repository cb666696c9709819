//! Activities: filters against a plain search over the same rows, paging, pruning, the step from version 1, speed.

use std::time::Instant;

use super::*;
use crate::storage::{DbOptions, Schema, tables};

fn open(folder: &std::path::Path) -> Db {
    Db::open(&folder.join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap()
}

fn profile(n: u128) -> ProfileId {
    ProfileId(Uuid::from_u128(n))
}

const KINDS_USED: [&str; 5] =
    ["source.indexed", "source.removed", "answer.finished", "sourcery.done", "network.blocked"];

fn nth(n: u64) -> Activity {
    Activity {
        id: ActivityId(Uuid::from_u128(u128::from(n) + 1)),
        // Two share each time.
        at: Timestamp(1_000 + (n / 2) as i64 * 10),
        kind: KINDS_USED[(n % 5) as usize].to_owned(),
        title: format!("Title {n}"),
        description: if n.is_multiple_of(7) { "Überraschung".to_owned() } else { String::new() },
        agent: (n.is_multiple_of(3)).then(|| format!("agent {}", n % 2)),
        metadata: [("n".to_owned(), n.to_string())].into(),
    }
}

fn fill(main: &Db, owner: ProfileId, count: u64) -> Vec<Activity> {
    let all: Vec<Activity> = (0..count).map(nth).collect();
    for some in all.chunks(5_000) {
        let some = some.to_vec();
        main.write(move |txn| some.iter().try_for_each(|one| insert(txn, owner, one))).unwrap();
    }
    all
}

fn listed(main: &Db, filter: &ActivityFilter, offset: u64, limit: u32) -> Page<Activity> {
    list(main, profile(1), filter, PageRequest { offset, limit }, &|| false).unwrap().unwrap()
}

#[test]
fn every_filter_gives_what_a_plain_search_gives() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    let mut all = fill(&main, profile(1), 300);
    fill(&main, profile(2), 40);
    all.sort_by_key(|one| Reverse((one.at, one.id)));
    let texts = ["", "title 1", "ÜBER"];
    let spans =
        [(None, None), (Some(1_500), None), (None, Some(1_500)), (Some(1_200), Some(1_800)), (Some(9), Some(9))];
    for kind in ["", "source", "source.", "source.indexed", "sour", "nothing"] {
        for agent in [None, Some("agent 0"), Some("nobody")] {
            for text in texts {
                for (from, until) in spans {
                    let filter = ActivityFilter {
                        kind: kind.to_owned(),
                        agent: agent.map(str::to_owned),
                        from: from.map(Timestamp),
                        until: until.map(Timestamp),
                        text: text.to_owned(),
                    };
                    let plain: Vec<&Activity> = all
                        .iter()
                        .filter(|one| {
                            let family = match kind {
                                "" => true,
                                "source" | "source." => one.kind.starts_with("source."),
                                other => one.kind == other,
                            };
                            family
                                && agent.is_none_or(|agent| one.agent.as_deref() == Some(agent))
                                && from.is_none_or(|from| one.at.0 >= from)
                                && until.is_none_or(|until| one.at.0 < until)
                                && (one.title.to_lowercase().contains(&text.to_lowercase())
                                    || one.description.to_lowercase().contains(&text.to_lowercase()))
                        })
                        .collect();
                    let page = listed(&main, &filter, 3, 11);
                    assert_eq!(page.total, plain.len() as u64, "{filter:?}");
                    let part: Vec<&Activity> = plain.into_iter().skip(3).take(11).collect();
                    assert_eq!(page.items.iter().collect::<Vec<_>>(), part, "{filter:?}");
                }
            }
        }
    }
    assert_eq!(agents(&main, profile(1)).unwrap(), ["agent 0", "agent 1"]);
    assert_eq!(kinds(&main, profile(2)).unwrap().iter().map(|(_, count)| count).sum::<u64>(), 40);
    assert_eq!(count(&main).unwrap(), 340);
}

#[test]
fn a_list_that_nobody_waits_for_any_more_ends() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    fill(&main, profile(1), 2_000);
    let filter = ActivityFilter { text: "no such words".to_owned(), ..ActivityFilter::default() };
    let looks = std::cell::Cell::new(0);
    let cancelled = || {
        looks.set(looks.get() + 1);
        true
    };
    assert_eq!(list(&main, profile(1), &filter, PageRequest::default(), &cancelled).unwrap(), None);
    assert_eq!(looks.get(), 1);
}

#[test]
fn old_ones_go_from_rows_and_indexes_of_all_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    let count_before = BATCH as u64 * 2 + 10;
    fill(&main, profile(1), count_before);
    fill(&main, profile(2), 10);
    assert_eq!(newest(&main).unwrap(), Some(nth(count_before - 1).at));
    let before = nth(count_before - 4).at;
    let kept = (0..count_before).filter(|n| nth(*n).at >= before).count() as u64;
    assert_eq!(prune(&main, before).unwrap(), count_before + 10 - kept);
    assert_eq!(count(&main).unwrap(), kept);
    assert_eq!(listed(&main, &ActivityFilter::default(), 0, 100).items.len() as u64, kept);
    assert!(kinds(&main, profile(2)).unwrap().is_empty());
    let txn = main.read().unwrap();
    assert_eq!(txn.table(BY_KIND).unwrap().iter().unwrap().count() as u64, kept);
    assert!(txn.table(BY_AGENT).unwrap().iter().unwrap().count() as u64 <= kept);
    assert_eq!(prune(&main, before).unwrap(), 0);
}

#[test]
fn recent_items_of_version_1_become_activities() {
    const RECENT: TableDefinition<(u128, u64), &[u8]> = TableDefinition::new("recent");
    static OLD: Schema =
        Schema { version: 1, tables: &[&[&RECENT]], migrations: &[], tracking: crate::storage::Tracking::Off };
    #[derive(Serialize, Deserialize)]
    struct Item {
        at: i64,
        kind: String,
        title: String,
    }
    impl crate::storage::Record for Item {
        const NAME: &'static str = "recent item";
        const VERSION: u16 = 1;
        type Before = crate::storage::NoEarlier;

        fn upgrade(before: Self::Before) -> Self {
            match before {}
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.redb");
    let old = Db::open(&path, &OLD, DbOptions::default()).unwrap();
    old.write(|txn| {
        let mut table = txn.table(RECENT)?;
        for n in 0..600_u64 {
            let item = Item { at: 5_000 + (n / 2) as i64, kind: "source.indexed".to_owned(), title: n.to_string() };
            table.put((1, n), &item)?;
        }
        table.insert((2, 7), [9_u8, 9, 9].as_slice())?;
        Ok(())
    })
    .unwrap();
    old.close();
    let main = open(folder.path());
    let page = listed(&main, &ActivityFilter { kind: "source".to_owned(), ..ActivityFilter::default() }, 0, 1_000);
    assert_eq!(page.total, 600);
    let titles: Vec<u64> = page.items.iter().map(|one| one.title.parse().unwrap()).collect();
    assert_eq!(titles, (0..600).rev().collect::<Vec<_>>());
    assert_eq!(page.items[0].at, Timestamp(5_299));
    assert_eq!(count(&main).unwrap(), 600);
}

#[test]
fn a_hundred_thousand_are_listed_and_filtered_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path());
    fill(&main, profile(1), 100_000);
    let measure = |name: &str, filter: ActivityFilter, offset: u64| {
        let begun = Instant::now();
        let page = listed(&main, &filter, offset, 200);
        println!("{name}: {:?}, {} of {}", begun.elapsed(), page.items.len(), page.total);
        begun.elapsed().as_millis()
    };
    let all = ActivityFilter::default;
    // Generous: the build of tests is not optimised.
    assert!(measure("first page", all(), 0) < 250);
    assert!(measure("last page", all(), 99_800) < 1_500);
    assert!(measure("a family", ActivityFilter { kind: "source".to_owned(), ..all() }, 0) < 250);
    assert!(measure("an agent", ActivityFilter { agent: Some("agent 0".to_owned()), ..all() }, 0) < 1_500);
    assert!(measure("words", ActivityFilter { text: "99".to_owned(), ..all() }, 0) < 5_000);
}
