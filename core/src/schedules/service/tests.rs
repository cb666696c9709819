//! The service under a clock that the tests move: what fires, when, how often, and what the store holds then.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::*;
use crate::model::{DataKind, Missed, PageRequest, Schedule, ScheduleDraft, ScheduleOutcome, Timing, TrashId, Trigger};
use crate::schedules::testing::{self, AGENT, World, at, cron, draft};
use crate::soak::Chance;
use crate::storage::disk::simulated::SimulatedDisk;
use crate::storage::trash::{self, Deletion};
use crate::storage::{DbOptions, merge, tables};

fn outcomes(world: &World, id: ScheduleId) -> Vec<ScheduleOutcome> {
    let runs = world.scheduler.runs(id, PageRequest::default()).unwrap();
    runs.items.into_iter().map(|run| run.outcome).collect()
}

fn deletion(number: u128) -> Deletion {
    Deletion { id: TrashId(uuid::Uuid::from_u128(number)), at: at("2026-11-20T07:00:00Z"), days: 30 }
}

#[test]
fn a_cron_schedule_fires_under_a_manual_clock_and_makes_its_task() {
    let world = World::new("2026-11-20T05:59:00Z");
    let made = world.scheduler.create(draft("Morning", cron("0 7 * * 1-5", "Europe/Berlin"))).unwrap();
    assert_eq!(made.words, "At 07:00 on Monday to Friday, Europe/Berlin time");
    assert_eq!(made.next_run, Some(at("2026-11-20T06:00:00Z")));
    world.work(|world| {
        world.advance("2026-11-20T06:00:00Z");
        let task = world.next_task();
        assert_eq!((task.schedule, task.title.as_str()), (Some(made.id), "Report of 2026-11-20"));
    });
    let after = world.scheduler.get(made.id).unwrap();
    assert_eq!(after.next_run, Some(at("2026-11-23T06:00:00Z")));
    assert_eq!((after.runs, after.last_run), (1, Some(at("2026-11-20T06:00:00Z"))));
}

#[test]
fn a_change_wakes_the_worker_and_what_is_off_does_not_run() {
    let world = World::new("2026-11-20T05:59:00Z");
    world.work(|world| {
        let off = ScheduleDraft { enabled: false, ..draft("Off", cron("* * * * * *", "UTC")) };
        let off = world.scheduler.create(off).unwrap();
        let on = world.scheduler.create(draft("On", Timing::Once { at: at("2026-11-20T06:00:00Z") })).unwrap();
        world.advance("2026-11-20T06:00:30Z");
        assert_eq!(world.next_task().schedule, Some(on.id));
        assert_eq!(world.scheduler.get(off.id).unwrap().next_run, None);
        // Over, and still in the list.
        let over = world.scheduler.get(on.id).unwrap();
        assert_eq!((over.next_run, over.settings.enabled, over.runs), (None, true, 1));
    });
    assert!(world.tasks().is_empty());
}

#[test]
fn missed_times_follow_their_rule_at_the_next_start() {
    for (missed, tasks, times) in [(Missed::Skip, 0, 3), (Missed::RunOnce, 1, 2), (Missed::RunAll, 3, 0)] {
        let world = World::new("2026-11-20T12:00:00Z");
        let daily = ScheduleDraft { missed, ..draft("Daily", cron("0 7 * * *", "UTC")) };
        let id = world.scheduler.create(daily).unwrap().id;
        let world = world.again();
        world.advance("2026-11-23T12:00:00Z");
        world.turn();
        let made = world.tasks();
        assert_eq!(made.len(), tasks, "{missed:?}");
        let all = outcomes(&world, id);
        let late = all.iter().filter(|one| matches!(one, ScheduleOutcome::Ran { late: true, .. })).count();
        let skipped: u64 =
            all.iter().map(|one| if let ScheduleOutcome::Missed { times } = one { *times } else { 0 }).sum();
        assert_eq!((late, skipped), (tasks, times), "{missed:?}");
        assert_eq!(world.scheduler.get(id).unwrap().next_run, Some(at("2026-11-24T07:00:00Z")));
        world.turn();
        assert!(world.tasks().is_empty());
    }
}

#[test]
fn switched_on_again_it_makes_up_for_nothing() {
    let world = World::new("2026-11-20T12:00:00Z");
    let daily = ScheduleDraft { missed: Missed::RunAll, ..draft("Daily", cron("0 7 * * *", "UTC")) };
    let id = world.scheduler.create(daily).unwrap().id;
    world.scheduler.enable(id, false).unwrap();
    world.advance("2026-11-25T12:00:00Z");
    world.turn();
    assert_eq!(world.scheduler.enable(id, true).unwrap().next_run, Some(at("2026-11-26T07:00:00Z")));
    world.turn();
    assert!(world.tasks().is_empty());
    // So does one that comes back from the trash.
    let item = world.scheduler.delete(id, deletion(5)).unwrap();
    assert_eq!(item.title, "Daily");
    world.advance("2026-11-28T12:00:00Z");
    world.turn();
    assert!(world.scheduler.list("").unwrap().is_empty() && world.tasks().is_empty());
    trash::restore(&world.main, testing::PROFILE, item.id, 30).unwrap();
    world.scheduler.returned().unwrap();
    world.turn();
    assert_eq!(world.scheduler.get(id).unwrap().next_run, Some(at("2026-11-29T07:00:00Z")));
    assert!(world.tasks().is_empty());
}

#[test]
fn a_clock_that_goes_back_fires_nothing_twice() {
    let world = World::new("2026-11-20T06:59:00Z");
    let id = world.scheduler.create(draft("Daily", cron("0 7 * * *", "UTC"))).unwrap().id;
    world.advance("2026-11-20T07:00:05Z");
    world.turn();
    assert_eq!(world.tasks().len(), 1);
    world.advance("2026-11-20T06:30:00Z");
    world.turn();
    world.advance("2026-11-20T07:00:05Z");
    world.turn();
    assert!(world.tasks().is_empty());
    assert_eq!(world.scheduler.get(id).unwrap().next_run, Some(at("2026-11-21T07:00:00Z")));
    // One that was wrong by years: the schedule does not sleep until then.
    world.advance("2036-01-01T00:00:00Z");
    world.turn();
    assert_eq!(world.tasks().len(), 1);
    world.advance("2026-11-20T12:00:00Z");
    let world = world.again();
    world.turn();
    assert_eq!(world.scheduler.get(id).unwrap().next_run, Some(at("2026-11-21T07:00:00Z")));
    assert!(world.tasks().is_empty());
}

#[test]
fn run_now_moves_nothing_else() {
    let world = World::new("2026-11-20T12:00:00Z");
    let off = ScheduleDraft { enabled: false, ..draft("Daily", cron("0 7 * * *", "UTC")) };
    let id = world.scheduler.create(off).unwrap().id;
    let task = world.scheduler.run_now(id).unwrap();
    assert_eq!(world.tasks(), [task]);
    let after = world.scheduler.get(id).unwrap();
    assert_eq!((after.runs, after.next_run), (1, None));
    world.scheduler.enable(id, true).unwrap();
    world.scheduler.run_now(id).unwrap();
    assert_eq!(world.scheduler.get(id).unwrap().next_run, Some(at("2026-11-21T07:00:00Z")));
}

#[test]
fn a_task_that_cannot_be_made_is_told_and_stops_no_other() {
    let world = World::new("2026-11-20T06:59:00Z");
    let mut bad = draft("Bad", cron("0 7 * * *", "UTC"));
    bad.template.title = "refuse this".to_owned();
    let bad = world.scheduler.create(bad).unwrap().id;
    let good = world.scheduler.create(draft("Good", cron("0 7 * * *", "UTC"))).unwrap().id;
    world.advance("2026-11-20T07:00:00Z");
    world.turn();
    assert_eq!(world.tasks().len(), 1);
    assert_eq!(outcomes(&world, bad), [ScheduleOutcome::Failed { why: "no such agent".to_owned() }]);
    assert!(matches!(outcomes(&world, good)[..], [ScheduleOutcome::Ran { late: false, .. }]));
    assert_eq!(world.scheduler.get(bad).unwrap().next_run, Some(at("2026-11-21T07:00:00Z")));
    assert!(world.scheduler.run_now(bad).is_err());
}

#[test]
fn drafts_are_checked_and_names_are_taken_once() {
    let world = World::new("2026-11-20T06:59:00Z");
    let create = |draft: ScheduleDraft| world.scheduler.create(draft);
    let first = create(draft(" Daily ", cron("0 7 * * *", ""))).unwrap();
    assert_eq!(first.settings.name, "Daily");
    assert!(create(draft("DAILY", cron("0 8 * * *", ""))).unwrap_err().message.contains("already a schedule"));
    assert!(create(draft("", cron("0 8 * * *", ""))).is_err());
    assert!(create(draft("x", cron("0 8 30 2 *", ""))).unwrap_err().message.contains("never comes"));
    assert!(create(draft("x", Timing::Once { at: at("2020-01-01T00:00:00Z") })).is_err());
    let mut stranger = draft("x", cron("0 8 * * *", ""));
    stranger.template.agent = Some(crate::model::AgentId(uuid::Uuid::from_u128(5)));
    assert!(create(stranger.clone()).unwrap_err().message.contains("agent"));
    stranger.template.agent = Some(AGENT);
    let second = create(stranger).unwrap();
    assert_eq!(second.agent_name, "Reporter");
    assert_eq!(world.scheduler.list("REPORTER").unwrap(), std::slice::from_ref(&second));
    // Another title leaves its next time; another timing moves it.
    let mut changed = second.settings.clone();
    changed.template.title = "Another".to_owned();
    assert_eq!(world.scheduler.update(second.id, changed.clone()).unwrap().next_run, second.next_run);
    changed.timing = cron("0 9 * * *", "");
    changed.name = "Daily".to_owned();
    assert!(world.scheduler.update(second.id, changed.clone()).is_err());
    changed.name = "X2".to_owned();
    let updated = world.scheduler.update(second.id, changed).unwrap();
    assert_eq!(updated.next_run, Some(at("2026-11-20T09:00:00Z")));
    assert_eq!(world.scheduler.preview(&cron("*/15 * * * *", ""), 5).unwrap().next.len(), 5);
}

#[test]
fn history_is_bounded() {
    let world = World::new("2026-11-20T00:00:30Z");
    let id = world.scheduler.create(draft("Often", cron("* * * * *", "UTC"))).unwrap().id;
    for _ in 0..520 {
        world.clock.advance_ms(60_000);
        world.turn();
    }
    assert_eq!(world.scheduler.runs(id, PageRequest { offset: 0, limit: 10 }).unwrap().total, 500);
    assert_eq!(world.scheduler.get(id).unwrap().runs, 520);
}

/// The power is cut at any point of the work; afterwards each time has been run exactly once, with its task.
#[test]
fn each_time_runs_exactly_once_whatever_is_cut_off() {
    let rounds = crate::soak::count(40, 2_000);
    let seed = crate::soak::seed(4);
    let mut chance = Chance(seed);
    for round in 0..rounds {
        let disk = SimulatedDisk::new();
        let mut world = World::on(disk, "2026-11-20T00:00:00Z");
        let every = Timing::Every { minutes: 60, from: at("2026-11-20T01:00:00Z") };
        for name in ["One", "Two", "Three"] {
            world.scheduler.create(ScheduleDraft { missed: Missed::RunAll, ..draft(name, every.clone()) }).unwrap();
        }
        let mut hour = 0;
        while hour < 12 {
            hour += 1 + chance.below(3) as i64;
            let disk = world.disk.clone().unwrap();
            disk.cut_at(disk.operations() + chance.below(24) as u64);
            world.clock.advance_ms(at("2026-11-20T00:00:00Z").0 + hour * 3_600_000 - world.inner_now().0);
            // It may be cut off anywhere, or not at all.
            drop(world.scheduler.turn());
            world = world.after_power_cut(chance.next());
        }
        world.turn();
        let mut made: BTreeMap<(String, i64), u32> = BTreeMap::new();
        for (schedule, planned) in world.stored_tasks() {
            *made.entry((schedule, planned)).or_default() += 1;
        }
        let hours = usize::try_from(hour).unwrap();
        assert_eq!(made.len(), 3 * hours, "round {round} seed {seed}");
        assert!(made.values().all(|count| *count == 1), "round {round} seed {seed}: {made:?}");
        let runs: u64 = world.scheduler.list("").unwrap().iter().map(|one| one.runs).sum();
        assert_eq!(runs, 3 * hours as u64);
    }
    crate::soak::report("power cuts of schedules", rounds, seed);
}

/// Nothing is read but the first of the index while nothing is due.
#[test]
fn many_schedules_cost_nothing_while_none_is_due() {
    let world = World::on(SimulatedDisk::new(), "2026-11-20T00:00:30Z");
    let many = crate::soak::count(3_000, 100_000);
    world.fill(many);
    let begun = Instant::now();
    world.turn();
    let first = begun.elapsed();
    let begun = Instant::now();
    for _ in 0..100 {
        world.idle_turn();
    }
    let idle = begun.elapsed() / 100;
    println!("{many} schedules: first look {first:?}, each idle one {idle:?}");
    assert!(idle < std::time::Duration::from_millis(5), "{idle:?}");
    assert!(world.tasks().is_empty());
}

/// A year of a thousand schedules, through the store, against the minutes that the oracle knows.
#[test]
fn a_simulated_year_makes_exactly_the_tasks_that_are_due() {
    let schedules = crate::soak::count(12, 1_000);
    let seed = crate::soak::seed(11);
    let mut chance = Chance(seed);
    let zones = ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"];
    let world = World::on(SimulatedDisk::new(), "2026-01-01T00:00:00Z");
    let mut wanted: BTreeMap<i64, BTreeMap<ScheduleId, u32>> = BTreeMap::new();
    let (from, until) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    for number in 0..schedules {
        let zone_name = zones[number % zones.len()];
        let zone = jiff::tz::TimeZone::get(zone_name).unwrap();
        // A fixed time of the day, most of them where the clocks change, on some weekdays.
        let (hour, minute) = (i8::try_from(chance.below(4)).unwrap(), [0, 15, 30, 45][chance.below(4)]);
        let weekdays: Vec<i8> = (0..7).filter(|_| chance.below(7) == 0).collect();
        let days = if weekdays.is_empty() {
            "*".to_owned()
        } else {
            weekdays.iter().map(i8::to_string).collect::<Vec<_>>().join(",")
        };
        let timing = cron(&format!("{minute} {hour} * * {days}"), zone_name);
        let id = world.scheduler.create(draft(&format!("s{number}"), timing)).unwrap().id;
        let mut day = jiff::civil::date(2025, 12, 31);
        while day <= jiff::civil::date(2027, 1, 1) {
            let weekday = day.weekday().to_sunday_zero_offset();
            if weekdays.is_empty() || weekdays.contains(&weekday) {
                let time = day.at(hour, minute, 0, 0);
                // Right after a gap, the first of two: as RFC 5545 does, but for times within a gap.
                let ambiguous = zone.to_ambiguous_zoned(time);
                let moment = match ambiguous.offset() {
                    jiff::tz::AmbiguousOffset::Gap { .. } => {
                        let before = ambiguous.earlier().unwrap().timestamp();
                        zone.preceding(before.checked_add(jiff::SignedDuration::from_hours(3)).unwrap())
                            .next()
                            .unwrap()
                            .timestamp()
                    }
                    _ => ambiguous.earlier().unwrap().timestamp(),
                };
                let moment = moment.as_millisecond();
                if moment > from.0 && moment < until.0 {
                    wanted.entry(moment).or_default().insert(id, 1);
                }
            }
            day = day.tomorrow().unwrap();
        }
    }
    let begun = Instant::now();
    let mut made = 0;
    for (moment, due) in &wanted {
        // Just before nothing, then exactly these.
        world.clock.advance_ms(moment - 1 - world.inner_now().0);
        world.idle_turn();
        assert!(world.tasks().is_empty(), "before {moment}");
        world.clock.advance_ms(1);
        world.idle_turn();
        let mut found: BTreeMap<ScheduleId, u32> = BTreeMap::new();
        for task in world.tasks() {
            assert_eq!(task.created.0, *moment);
            *found.entry(task.schedule.unwrap()).or_default() += 1;
        }
        assert_eq!(&found, due, "at {moment}, seed {seed}");
        made += found.len();
    }
    println!("{schedules} schedules made {made} tasks in {:?}", begun.elapsed());
    crate::soak::report("schedules in a simulated year", schedules, seed);
}

#[test]
fn a_backup_brings_schedules_back_that_make_up_for_nothing() {
    let world = World::new("2026-11-20T00:00:00Z");
    let daily = ScheduleDraft { missed: Missed::RunAll, ..draft("Daily", cron("0 7 * * *", "UTC")) };
    let id = world.scheduler.create(daily).unwrap().id;
    let other = World::new("2026-11-25T12:00:00Z");
    let own = other.scheduler.create(draft("daily", cron("0 9 * * *", "UTC"))).unwrap();
    let merged = merge::merge(&other.main, &world.main).unwrap();
    let schedules = merged.iter().find(|merged| merged.kind == DataKind::Schedules).unwrap();
    assert_eq!((schedules.added, schedules.kept), (1, 0));
    other.turn();
    assert!(other.tasks().is_empty());
    let all: Vec<Schedule> = other.scheduler.list("").unwrap();
    let names: Vec<&str> = all.iter().map(|one| one.settings.name.as_str()).collect();
    assert_eq!(names, ["daily", "Daily (2)"]);
    assert_eq!(other.scheduler.get(id).unwrap().next_run, Some(at("2026-11-26T07:00:00Z")));
    assert_eq!(other.scheduler.get(own.id).unwrap(), own);
}

/// A restore that goes back before a schedule was made leaves what was due of it.
#[test]
fn what_is_due_of_a_schedule_that_is_gone_is_forgotten() {
    let world = World::new("2026-11-20T00:00:00Z");
    let id = world.scheduler.create(draft("Gone", cron("0 7 * * *", "UTC"))).unwrap().id;
    world.main.write(move |txn| stored::lose(txn, testing::PROFILE, id)).unwrap();
    world.advance("2026-11-20T08:00:00Z");
    world.turn();
    assert!(world.tasks().is_empty());
    assert_eq!(stored::next_due(&world.main, testing::PROFILE).unwrap(), None);
}

#[test]
fn the_session_starts_its_schedules_once() {
    let world = World::new("2026-11-20T00:00:00Z");
    world.scheduler.create(draft("Digest", Timing::When { trigger: Trigger::SessionStart })).unwrap();
    world.turn();
    world.turn();
    assert_eq!(world.tasks().len(), 1);
    let world = world.again();
    world.turn();
    assert_eq!(world.tasks().len(), 1);
}

#[test]
fn the_store_is_where_it_was() {
    // A file on a real disk, closed and opened again, knows the same next time.
    let world = World::new("2026-11-20T00:00:00Z");
    let made = world.scheduler.create(draft("Daily", cron("0 7 * * *", "UTC"))).unwrap();
    world.main.close();
    let path: &Path = &world.folder.path().join("main.redb");
    let main = crate::storage::Db::open(path, &tables::MAIN, DbOptions::default()).unwrap();
    assert_eq!(stored::next_due(&main, testing::PROFILE).unwrap(), made.next_run);
}
