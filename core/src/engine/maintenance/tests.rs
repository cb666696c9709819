//! What a clean-up removes, and that a clock which jumps removes nothing.

use std::sync::Arc;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::engine::tests::engine_with;
use crate::model::{ActivityFilter, ActivityId, PageRequest};

const START: Timestamp = Timestamp(1_760_000_000_000);

struct World {
    _folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    engine: crate::engine::Engine,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(START));
        let engine = engine_with(folder.path(), clock.clone(), None);
        Self { _folder: folder, clock, engine }
    }

    fn ctx(&self) -> Context {
        self.engine.context().clone()
    }

    fn days(&self, days: i64) {
        self.clock.advance_ms(days * DAY);
    }

    fn happen(&self, title: &str) {
        let ctx = self.ctx();
        let one = Happening::new("test.done", title).kept(ActivityId(ctx.ids.next()), self.clock.now());
        ctx.runtime.block_on(activities::add(ctx.databases.main(), ctx.profile, one)).unwrap();
    }

    fn titles(&self) -> Vec<String> {
        let ctx = self.ctx();
        let filter = ActivityFilter { kind: "test".to_owned(), ..ActivityFilter::default() };
        let page = activities::list(ctx.databases.main(), ctx.profile, &filter, PageRequest::default(), &|| false);
        page.unwrap().unwrap().items.into_iter().map(|one| one.title).collect()
    }
}

#[test]
fn the_daily_clean_up_keeps_to_the_days_of_the_settings() {
    let world = World::new();
    clean_up(&world.ctx(), false).unwrap();
    for day in 0..95 {
        world.happen(&day.to_string());
        world.days(1);
        clean_up(&world.ctx(), false).unwrap();
    }
    assert_eq!(world.titles().len(), 90);
    assert_eq!(world.titles().last().unwrap(), "5");
    // A day has passed since the last one: now, and then not again before tomorrow.
    world.days(1);
    when_due(&world.ctx()).unwrap();
    assert_eq!(world.titles().len(), 89);
    world.clock.advance_ms(DAY - 60_000);
    assert_eq!(when_due(&world.ctx()).unwrap(), Duration::from_secs(60));
    assert_eq!(world.titles().len(), 89);
}

#[test]
fn a_clock_far_ahead_removes_nothing_and_is_told_once() {
    let world = World::new();
    world.happen("kept");
    clean_up(&world.ctx(), false).unwrap();
    world.days(3_650);
    let error = clean_up(&world.ctx(), false).unwrap_err();
    assert_eq!(error.category, ErrorCategory::Validation);
    assert!(error.message.contains("3650 days ago"), "{error}");
    assert!(clean_up(&world.ctx(), true).is_err(), "asking does not help");
    assert_eq!(world.ctx().degraded.list().len(), 1);
    // What happens meanwhile bears the wrong time; that proves nothing.
    world.happen("in the future");
    assert!(clean_up(&world.ctx(), false).is_err());
    // The clock is put right: all is as before, at once or after a day.
    world.days(-3_650);
    assert!(clean_up(&world.ctx(), false).is_err(), "what is stored is later than the clock");
    world.days(1);
    clean_up(&world.ctx(), false).unwrap();
    assert_eq!(world.titles(), ["in the future", "kept"]);
    assert!(world.ctx().degraded.list().is_empty());
}

#[test]
fn a_clock_that_goes_on_for_a_day_is_believed() {
    let world = World::new();
    world.happen("old");
    clean_up(&world.ctx(), false).unwrap();
    world.days(400);
    assert!(clean_up(&world.ctx(), false).is_err());
    world.clock.advance_ms(DAY - 1);
    assert!(clean_up(&world.ctx(), false).is_err());
    world.clock.advance_ms(1);
    assert_eq!(clean_up(&world.ctx(), false).unwrap().activities, 1);
}

#[test]
fn a_fortnight_away_waits_a_day_unless_the_person_asks() {
    let world = World::new();
    world.happen("old");
    clean_up(&world.ctx(), false).unwrap();
    world.days(120);
    assert!(clean_up(&world.ctx(), false).is_err());
    assert!(world.ctx().degraded.list().is_empty(), "no reason to worry anybody");
    assert_eq!(clean_up(&world.ctx(), true).unwrap().activities, 1);
}

#[test]
fn any_jump_and_the_way_back_within_a_day_removes_nothing_too_early() {
    for jump in [-4_000, -400, -2, 8, 90, 367, 40_000] {
        for asked in [false, true] {
            if asked && (0..367).contains(&jump) {
                continue;
            }
            let world = World::new();
            world.happen("kept");
            clean_up(&world.ctx(), false).unwrap();
            for _ in 0..3 {
                world.days(jump);
                drop(clean_up(&world.ctx(), asked));
                world.days(-jump);
                drop(clean_up(&world.ctx(), asked));
                world.clock.advance_ms(HOUR);
            }
            assert_eq!(world.titles(), ["kept"], "{jump} days, asked: {asked}");
        }
    }
}
