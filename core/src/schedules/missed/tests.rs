//! Missed times under each of the rules.

use jiff::tz::TimeZone;

use super::*;
use crate::model::Timing;
use crate::schedules::testing::{at, cron};

fn rule(timing: &Timing) -> Rule {
    Rule::read(timing, &TimeZone::UTC).unwrap()
}

fn count(plan: &Plan) -> (usize, usize, u64) {
    let late = plan.runs.iter().filter(|(_, late)| *late).count();
    (late, plan.runs.len() - late, plan.missed.map_or(0, |(times, _)| times))
}

#[test]
fn a_time_that_has_just_come_is_run_under_every_rule() {
    let rule = rule(&cron("0 7 * * *", "UTC"));
    for missed in [Missed::Skip, Missed::RunOnce, Missed::RunAll] {
        let plan = plan(&rule, at("2026-11-20T07:00:00Z"), at("2026-11-20T07:00:40Z"), missed);
        assert_eq!(plan.runs, [(at("2026-11-20T07:00:00Z"), false)]);
        assert_eq!((plan.missed, plan.next), (None, Some(at("2026-11-21T07:00:00Z"))));
    }
}

#[test]
fn days_that_passed_are_skipped_run_once_or_all_run() {
    let rule = rule(&cron("0 7 * * *", "UTC"));
    let (due, now) = (at("2026-11-15T07:00:00Z"), at("2026-11-20T12:00:00Z"));
    let under = |missed| plan(&rule, due, now, missed);
    assert_eq!(count(&under(Missed::Skip)), (0, 0, 6));
    assert_eq!(under(Missed::Skip).missed, Some((6, at("2026-11-20T07:00:00Z"))));
    assert_eq!(count(&under(Missed::RunOnce)), (1, 0, 5));
    assert_eq!(under(Missed::RunOnce).runs, [(at("2026-11-20T07:00:00Z"), true)]);
    assert_eq!(count(&under(Missed::RunAll)), (6, 0, 0));
    assert!(under(Missed::RunAll).runs.is_sorted());
    for missed in [Missed::Skip, Missed::RunOnce, Missed::RunAll] {
        assert_eq!(under(missed).next, Some(at("2026-11-21T07:00:00Z")));
    }
    // One that is due just now makes up for the others.
    let just = plan(&rule, due, at("2026-11-20T07:00:10Z"), Missed::RunOnce);
    assert_eq!(count(&just), (0, 1, 5));
}

#[test]
fn making_up_is_bounded_and_the_rest_is_counted() {
    let (due, now) = (at("2025-11-20T00:00:00Z"), at("2026-11-20T00:10:00Z"));
    let every = rule(&Timing::Every { minutes: 5, from: at("2025-11-20T00:00:00Z") });
    let plan_all = plan(&every, due, now, Missed::RunAll);
    // 365 days of 288 times and the two up to 00:05; 00:10 is on time.
    assert_eq!(count(&plan_all), (100, 1, 365 * 288 + 2 - 100));
    assert_eq!(plan_all.next, Some(at("2026-11-20T00:15:00Z")));
    assert_eq!(count(&plan(&every, due, now, Missed::Skip)), (0, 1, 365 * 288 + 2));
    // Each minute for a year is more than is looked at.
    let cron = rule(&cron("* * * * *", "UTC"));
    let plan = plan(&cron, due, now, Missed::RunAll);
    assert_eq!(count(&plan).0 + count(&plan).1, 100);
    assert_eq!(plan.next, Some(at("2026-11-20T00:11:00Z")));
}

#[test]
fn once_is_over_afterwards() {
    let at_time = at("2026-11-20T07:00:00Z");
    let once = rule(&Timing::Once { at: at_time });
    let plan = plan(&once, at_time, at("2026-11-25T07:00:00Z"), Missed::RunOnce);
    assert_eq!((plan.runs, plan.missed, plan.next), (vec![(at_time, true)], None, None));
}
