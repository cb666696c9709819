//! Tests of usage: what is counted, what is not, what reports say, and what exports hold.

use std::sync::atomic::AtomicU8;

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::*;
use crate::clock::ManualClock;
use crate::model::{UsageFormat, UsageGroup, UsageQuery};
use crate::storage::{DbOptions, tables};

const HOUR: i64 = 3_600_000;
const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));
/// 2026-11-20 14:00 UTC.
const NOON: i64 = 1_795_183_200_000;

struct World {
    _folder: tempfile::TempDir,
    main: Db,
    clock: Arc<ManualClock>,
    /// 1: calls, 2: features.
    on: Arc<AtomicU8>,
    log: UsageLog,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(NOON)));
    let on = Arc::new(AtomicU8::new(3));
    let switch = on.clone();
    let log = UsageLog::new(UsageParts {
        main: main.clone(),
        profile: PROFILE,
        clock: clock.clone(),
        recording: Box::new(move || {
            let on = switch.load(Ordering::SeqCst);
            Recording { calls: on & 1 != 0, features: on & 2 != 0 }
        }),
    });
    World { _folder: folder, main, clock, on, log }
}

fn call(model: &str, agent: Option<&str>, tokens: u64) -> UsageCall {
    let provider = model.split_once('/').map_or("embedded", |(provider, _)| provider);
    UsageCall {
        provider: provider.to_owned(),
        model: model.to_owned(),
        agent: agent.map(str::to_owned),
        prompt_tokens: tokens,
        answer_tokens: tokens / 2,
        seconds: 1.0,
        cached: false,
        failed: false,
    }
}

impl World {
    fn used(&self, call: UsageCall) {
        // Tests write themselves.
        let _planned = self.log.call(call);
    }

    fn hours(&self) -> Vec<stored::UsageHour> {
        stored::hours(&self.main, PROFILE, Timestamp(0)).unwrap()
    }

    fn report(&self, by: UsageGroup, days: u32, lines: &[&str]) -> crate::model::UsageReport {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let (prices, zone) = (prices::all(&lines), TimeZone::UTC);
        let now = self.clock.now();
        let hours = stored::hours(&self.main, PROFILE, report::first_moment(now, days, &zone)).unwrap();
        let ground = report::Ground { now, zone: &zone, prices: &prices, currency: "EUR", recording: true };
        report::report(&hours, &UsageQuery { days, by }, &ground)
    }
}

#[test]
fn many_calls_are_one_write_and_only_one_caller_plans_it() {
    let world = world();
    let before = world.main.last_change();
    assert!(world.log.call(call("a/m", None, 10)));
    for _ in 0..50 {
        assert!(!world.log.call(call("a/m", None, 10)));
    }
    assert_eq!(world.log.feature("page.chat"), Some(false), "it is planned already");
    assert_eq!(world.main.last_change(), before);
    world.log.flush().unwrap();
    assert_eq!(world.main.last_change(), before + 1);
    assert_eq!(world.hours()[0].calls, 51);
    assert!(world.log.call(call("a/m", None, 10)), "the next one is planned anew");
    world.log.flush().unwrap();
    assert_eq!(world.hours()[0].calls, 52);
}

#[test]
fn what_is_switched_off_is_not_written_and_names_are_names() {
    let world = world();
    world.on.store(2, Ordering::SeqCst);
    assert!(!world.log.call(call("a/m", None, 10)));
    assert_eq!(world.log.feature("page.chat"), Some(true));
    world.log.flush().unwrap();
    world.on.store(1, Ordering::SeqCst);
    assert_eq!(world.log.feature("crew.run"), Some(false));
    world.log.flush().unwrap();
    assert!(world.hours().is_empty());
    let features = stored::features(&world.main, PROFILE).unwrap();
    assert_eq!(features, vec![("page.chat".to_owned(), 1, Timestamp(NOON))]);
    for wrong in ["", "Page", "a b", "x\n", &"a".repeat(81)] {
        assert_eq!(world.log.feature(wrong), None, "{wrong:?}");
    }
}

#[test]
fn reports_add_up_by_day_and_group_with_costs_and_gaps() {
    let world = world();
    world.used(call("openai/big", Some("Reviewer"), 1_000_000));
    world.used(call("tiny", None, 200));
    world.clock.advance_ms(2 * 24 * HOUR);
    world.used(call("openai/big", None, 500_000));
    world.used(call("other/x", None, 100));
    world.log.flush().unwrap();
    let by_day = world.report(UsageGroup::Day, 7, &["openai/* 2 4"]);
    assert_eq!(by_day.days.len(), 7);
    let with_use: Vec<&str> = by_day.lines.iter().map(|line| line.key.as_str()).collect();
    assert_eq!(with_use, ["2026-11-20", "2026-11-22"]);
    assert_eq!(by_day.days[4].calls, 2);
    assert_eq!(by_day.days[5].calls, 0, "a day without use is there too");
    assert_eq!(by_day.total.cost, Some(2.0 + 2.0 + 1.0 + 1.0));
    assert_eq!(by_day.without_price, ["other/x"], "a model inside this program costs nothing");
    assert_eq!((by_day.currency.as_str(), by_day.total.calls), ("EUR", 4));
    let by_agent = world.report(UsageGroup::Agent, 7, &[]);
    let keys: Vec<&str> = by_agent.lines.iter().map(|line| line.key.as_str()).collect();
    assert_eq!(keys, ["Reviewer", ""]);
    assert_eq!((by_agent.total.cost, by_agent.without_price.len()), (None, 0));
    assert_eq!(world.report(UsageGroup::Provider, 1, &[]).lines.len(), 2, "today alone");
}

#[test]
fn exports_hold_all_of_it_and_no_formula() {
    let world = world();
    world.used(call("openai/big", Some("=HYPERLINK(\"x\")"), 1_000_000));
    assert!(world.log.feature("page.chat").is_some());
    world.log.flush().unwrap();
    let (hours, zone) = (world.hours(), TimeZone::UTC);
    let features = report::features(stored::features(&world.main, PROFILE).unwrap(), &zone);
    let prices = prices::all(&["openai/big 2 4".to_owned()]);
    let csv = export::text(UsageFormat::Csv, &hours, &features, &prices, "EUR", &zone).unwrap();
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows[0][0].to_owned(), "2026-11-20T14:00:00+00:00");
    assert_eq!((&rows[0][3], &rows[0][10]), ("'=HYPERLINK(\"x\")", "4"));
    assert_eq!((&rows[2][0], &rows[2][1]), ("page.chat", "1"));
    let json = export::text(UsageFormat::Json, &hours, &features, &prices, "EUR", &zone).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["usage"][0]["cost"], 4.0);
    assert_eq!(json["features"][0]["last_day"], "2026-11-20");
}

#[test]
fn what_is_deleted_is_gone_also_what_was_not_written_yet() {
    let world = world();
    world.used(call("a/m", None, 10));
    world.log.flush().unwrap();
    world.clock.advance_ms(24 * HOUR);
    world.used(call("a/m", None, 10));
    let zone = TimeZone::UTC;
    let before = report::first_moment(world.clock.now(), 1, &zone);
    assert_eq!(world.log.delete(Some(before)).unwrap(), 1);
    assert_eq!(world.hours().len(), 1);
    world.used(call("a/m", None, 10));
    assert_eq!(world.log.delete(None).unwrap(), 1);
    assert!(world.hours().is_empty());
}
