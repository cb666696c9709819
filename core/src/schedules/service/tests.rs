//! The service under a clock that the tests move: what fires, when, how often, and what the store holds then.

use crate::schedules::testing;

#[test]
fn a_cron_schedule_fires_under_a_manual_clock_and_makes_its_task() {
    let world = testing::World::new("2026-11-20T05:59:00Z");
    let draft = testing::draft("Morning", testing::cron("0 7 * * 1-5", "Europe/Berlin"));
    let made = world.scheduler.create(draft).unwrap();
    assert_eq!(made.words, "At 07:00 on Monday to Friday, Europe/Berlin time");
    assert_eq!(made.next_run, Some(testing::at("2026-11-20T06:00:00Z")));
    world.work(|world| {
        world.advance("2026-11-20T06:00:00Z");
        let task = world.next_task();
        assert_eq!((task.schedule, task.title.as_str()), (Some(made.id), "Report of 2026-11-20"));
    });
    let after = world.scheduler.get(made.id).unwrap();
    assert_eq!(after.next_run, Some(testing::at("2026-11-23T06:00:00Z")));
    assert_eq!((after.runs, after.last_run), (1, Some(testing::at("2026-11-20T06:00:00Z"))));
}
