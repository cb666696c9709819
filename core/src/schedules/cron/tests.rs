//! Cron expressions against an oracle that knows nothing of croner: minute by minute, with jiff alone.

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp as Moment, ToSpan};

use super::*;
use crate::soak::{self, Chance};

/// What fires when, without the code under test: sets of numbers, made before the expression is written from them.
struct Oracle {
    expression: String,
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    days: Option<BTreeSet<i8>>,
    months: BTreeSet<i8>,
    weekdays: Option<BTreeSet<i8>>,
    /// Plain numbers in minutes and hours.
    fixed: bool,
}

fn numbers(set: &BTreeSet<i8>) -> String {
    set.iter().map(i8::to_string).collect::<Vec<_>>().join(",")
}

impl Oracle {
    fn any(chance: &mut Chance) -> Self {
        let some = |chance: &mut Chance, low: i8, high: i8, most: usize| -> BTreeSet<i8> {
            let span = usize::try_from(high - low + 1).unwrap();
            (0..=chance.below(most)).map(|_| low + i8::try_from(chance.below(span)).unwrap()).collect()
        };
        let field = |chance: &mut Chance, low: i8, high: i8| -> (BTreeSet<i8>, String, bool) {
            match chance.below(8) {
                0 => ((low..=high).collect(), "*".to_owned(), false),
                1 => {
                    let step = [2, 5, 10, 15, 20][chance.below(5)];
                    let set = (low..=high).filter(|n| (n - low) % step == 0).collect();
                    (set, format!("*/{step}"), false)
                }
                2 => {
                    let from = low + i8::try_from(chance.below(usize::try_from(high - low).unwrap())).unwrap();
                    let to = from + i8::try_from(chance.below(usize::try_from(high - from + 1).unwrap())).unwrap();
                    ((from..=to).collect(), format!("{from}-{to}"), from == to)
                }
                _ => {
                    let set = some(chance, low, high, 3);
                    let text = numbers(&set);
                    (set, text, true)
                }
            }
        };
        let (minutes, minute, plain_minutes) = field(chance, 0, 59);
        // Most changes of the clocks come between midnight and three.
        let (hours, hour, plain_hours) = match chance.below(2) {
            0 => {
                let hour = i8::try_from(chance.below(4)).unwrap();
                (BTreeSet::from([hour]), hour.to_string(), true)
            }
            _ => field(chance, 0, 23),
        };
        let days = (chance.below(4) == 0).then(|| some(chance, 1, 28, 3));
        let months = if chance.below(6) == 0 { some(chance, 1, 12, 6) } else { (1..=12).collect() };
        let weekdays = (chance.below(4) == 0).then(|| some(chance, 0, 6, 3));
        let star = |set: &Option<BTreeSet<i8>>| set.as_ref().map_or("*".to_owned(), numbers);
        let month = if months.len() == 12 { "*".to_owned() } else { numbers(&months) };
        let expression = format!("{minute} {hour} {} {month} {}", star(&days), star(&weekdays));
        Self { expression, minutes, hours, days, months, weekdays, fixed: plain_minutes && plain_hours }
    }

    fn matches(&self, at: DateTime) -> bool {
        let weekday = at.date().weekday().to_sunday_zero_offset();
        let day = match (&self.days, &self.weekdays) {
            (None, None) => true,
            (Some(days), None) => days.contains(&at.day()),
            (None, Some(weekdays)) => weekdays.contains(&weekday),
            (Some(days), Some(weekdays)) => days.contains(&at.day()) || weekdays.contains(&weekday),
        };
        day && self.months.contains(&at.month())
            && self.hours.contains(&at.hour())
            && self.minutes.contains(&at.minute())
    }
}

/// The clock of a zone, minute by minute of real time.
struct Minute {
    at: Moment,
    clock: DateTime,
    /// It was this time before, on this day.
    again: bool,
    /// Times of the clock that were left out just before.
    skipped: Vec<DateTime>,
}

fn minutes_of(zone: &TimeZone, from: Moment, until: Moment) -> Vec<Minute> {
    let mut all: Vec<Minute> = Vec::new();
    let mut at = from;
    let mut furthest = at.to_zoned(zone.clone()).datetime();
    while at < until {
        let clock = at.to_zoned(zone.clone()).datetime();
        let mut skipped = Vec::new();
        if let Some(before) = all.last() {
            let mut next = before.clock.checked_add(1.minute()).unwrap();
            while next < clock {
                skipped.push(next);
                next = next.checked_add(1.minute()).unwrap();
            }
        }
        all.push(Minute { at, clock, again: !all.is_empty() && clock <= furthest, skipped });
        furthest = furthest.max(clock);
        at = at.checked_add(SignedDuration::from_mins(1)).unwrap();
    }
    all
}

fn expected(oracle: &Oracle, minutes: &[Minute]) -> Vec<Timestamp> {
    let fires = |minute: &&Minute| match oracle.fixed {
        true => {
            (!minute.again && oracle.matches(minute.clock)) || minute.skipped.iter().any(|clock| oracle.matches(*clock))
        }
        false => oracle.matches(minute.clock),
    };
    minutes.iter().filter(fires).map(|minute| Timestamp(minute.at.as_millisecond())).collect()
}

fn found(oracle: &Oracle, zone: &TimeZone, from: Moment, until: Moment) -> Vec<Timestamp> {
    let rule = CronRule::parse(&oracle.expression).unwrap_or_else(|error| panic!("{}: {error}", oracle.expression));
    let mut times = Vec::new();
    let mut after = Timestamp(from.as_millisecond() - 1);
    while let Some(next) = rule.next_after(after, zone).filter(|next| next.0 < until.as_millisecond()) {
        assert!(next > after);
        times.push(next);
        after = next;
    }
    times
}

/// Northern and southern summer time, half an hour of summer time (and a half-hour zone), none with a quarter of an hour.
const ZONES: [&str; 4] = ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"];

/// The same as the big count below, through the store and the service, is in the tests of the service.
#[test]
fn expressions_fire_exactly_when_the_oracle_says() {
    let seed = soak::seed(20_261_120);
    let mut chance = Chance(seed);
    let schedules = soak::count(60, 1_000);
    let begun = Instant::now();
    let mut fired = 0;
    let mut minutes = Vec::new();
    for (index, zone) in ZONES.iter().enumerate() {
        let zone = TimeZone::get(zone).unwrap();
        // A year; in the everyday run both changes of the clocks of the place, each with a week around it.
        let spans: Vec<(Moment, Moment)> = if soak::wanted() {
            vec![("2026-01-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap())]
        } else {
            let start: Moment = "2026-01-01T00:00:00Z".parse().unwrap();
            let end: Moment = "2027-01-01T00:00:00Z".parse().unwrap();
            let mut changes: Vec<Moment> =
                zone.following(start).map(|change| change.timestamp()).take_while(|at| *at < end).collect();
            changes.push(start.checked_add(SignedDuration::from_hours(24 * 100)).unwrap());
            let around = SignedDuration::from_hours(84);
            changes.iter().map(|at| (at.checked_sub(around).unwrap(), at.checked_add(around).unwrap())).collect()
        };
        minutes.clear();
        for (from, until) in spans {
            minutes.push((from, until, minutes_of(&zone, from, until)));
        }
        for _ in 0..schedules / ZONES.len() {
            let oracle = Oracle::any(&mut chance);
            for (from, until, minutes) in &minutes {
                let (wanted, found) = (expected(&oracle, minutes), found(&oracle, &zone, *from, *until));
                if wanted != found {
                    let differs =
                        wanted.iter().zip(&found).position(|(a, b)| a != b).unwrap_or(wanted.len().min(found.len()));
                    panic!(
                        "{} in {}: at {differs}: expected {:?}, found {:?}",
                        oracle.expression,
                        ZONES[index],
                        wanted.get(differs),
                        found.get(differs)
                    );
                }
                fired += found.len();
            }
        }
    }
    println!("{fired} times in {:?}", begun.elapsed());
    soak::report("schedules over a year", schedules, seed);
}

fn next(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let (rule, zone) = (CronRule::parse(expression).unwrap(), TimeZone::get(zone).unwrap());
    let mut at = Timestamp(after.parse::<Moment>().unwrap().as_millisecond());
    (0..count)
        .map_while(|_| {
            at = rule.next_after(at, &zone)?;
            Some(
                Moment::from_millisecond(at.0)
                    .unwrap()
                    .to_zoned(zone.clone())
                    .strftime("%m-%d %H:%M:%S%:z")
                    .to_string(),
            )
        })
        .collect()
}

#[test]
fn a_fixed_time_runs_once_at_each_change_of_the_clocks() {
    let berlin = "Europe/Berlin";
    // 02:00 to 03:00 does not exist: right after the gap.
    let spring = next("30 2 * * *", berlin, "2026-03-28T00:00:00Z", 3);
    assert_eq!(spring, ["03-28 02:30:00+01:00", "03-29 03:00:00+02:00", "03-30 02:30:00+02:00"]);
    // Lists are fixed times too, and two that fall into the gap are one.
    let both = next("0,30 2,14 * * *", berlin, "2026-03-29T00:00:00Z", 3);
    assert_eq!(both, ["03-29 03:00:00+02:00", "03-29 14:00:00+02:00", "03-29 14:30:00+02:00"]);
    // 02:00 to 03:00 comes twice: the first one.
    let autumn = next("30 2 * * *", berlin, "2026-10-24T12:00:00Z", 2);
    assert_eq!(autumn, ["10-25 02:30:00+02:00", "10-26 02:30:00+01:00"]);
    let lists = next("0 2,3 * * *", berlin, "2026-10-24T12:00:00Z", 3);
    assert_eq!(lists, ["10-25 02:00:00+02:00", "10-25 03:00:00+01:00", "10-26 02:00:00+01:00"]);
    // A time before the gap does not run in it as well.
    let before = next("34 1 * * *", berlin, "2026-03-29T00:34:00Z", 1);
    assert_eq!(before, ["03-30 01:34:00+02:00"]);
    // Where the day begins in the gap, and where it is half an hour.
    assert_eq!(next("0 0 * * *", "America/Santiago", "2026-09-06T00:00:00Z", 1), ["09-06 01:00:00-03:00"]);
    assert_eq!(next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1), ["10-04 02:30:00+11:00"]);
}

#[test]
fn intervals_run_in_real_time() {
    let berlin = "Europe/Berlin";
    let spring = next("*/30 * * * *", berlin, "2026-03-29T00:29:00Z", 3);
    assert_eq!(spring, ["03-29 01:30:00+01:00", "03-29 03:00:00+02:00", "03-29 03:30:00+02:00"]);
    let autumn = next("*/30 * * * *", berlin, "2026-10-24T23:59:00Z", 5);
    assert_eq!(
        autumn,
        [
            "10-25 02:00:00+02:00",
            "10-25 02:30:00+02:00",
            "10-25 02:00:00+01:00",
            "10-25 02:30:00+01:00",
            "10-25 03:00:00+01:00"
        ]
    );
}

#[test]
fn seconds_names_and_shortcuts_are_read() {
    let utc = |expression: &str| next(expression, "UTC", "2026-11-20T11:00:00Z", 2);
    assert_eq!(utc("*/20 * * * * *"), ["11-20 11:00:20+00:00", "11-20 11:00:40+00:00"]);
    assert_eq!(utc("0 7 * nov mon-fri"), ["11-23 07:00:00+00:00", "11-24 07:00:00+00:00"]);
    assert_eq!(utc("0 7 * * fri-sun"), ["11-21 07:00:00+00:00", "11-22 07:00:00+00:00"]);
    assert_eq!(utc("@daily"), ["11-21 00:00:00+00:00", "11-22 00:00:00+00:00"]);
    assert_eq!(utc("0 0 L * *"), ["11-30 00:00:00+00:00", "12-31 00:00:00+00:00"]);
    assert_eq!(utc("0 0 * * 5L"), ["11-27 00:00:00+00:00", "12-25 00:00:00+00:00"]);
    assert_eq!(utc("0 0 * * 1#1"), ["12-07 00:00:00+00:00", "01-04 00:00:00+00:00"]);
    // Friday the 13th.
    assert_eq!(utc("0 0 13 * +5"), ["08-13 00:00:00+00:00", "10-13 00:00:00+00:00"]);
    assert_eq!(next("0 0 29 2 *", "UTC", "2026-11-20T11:00:00Z", 1), ["02-29 00:00:00+00:00"]);
}

#[test]
fn what_cannot_be_is_said_with_its_place() {
    let says = |expression: &str| CronRule::parse(expression).unwrap_err().to_string();
    let cases = [
        ("61 * * * *", "field 1 (minute): \"61\" is not a number from 0 to 59"),
        ("0 25 * * *", "field 2 (hour): \"25\" is not a number from 0 to 23"),
        ("0 0 25 * * *", ""),
        ("0 0 0 0 * *", "field 4 (day of the month): \"0\" is not a number from 1 to 31"),
        ("* * * FEBR *", "field 4 (month): \"FEBR\" is not a number from 1 to 12 or a name such as FEB"),
        ("* * * * 1-", "field 5 (day of the week): \"\" is not a number from 0 to 7 or a name such as MON"),
        ("9-5 * * * *", "field 1 (minute): 9 to 5 goes backwards; write it as two ranges with a comma"),
        ("*/0 * * * *", "field 1 (minute): \"0\" after / is not a number from 1 to 59"),
        ("1,, * * * *", "field 1 (minute): something is missing beside a comma"),
        ("* * * * 1#9", "field 5 (day of the week): \"9\" after # is not a number from 1 to 5"),
        (
            "* * *",
            "a cron expression has 5 fields (minute, hour, day, month, weekday), or 6 with seconds first; this has 3",
        ),
        ("0 0 30 2 *", "this time never comes: no month that is named has such a day"),
        ("0 0 31 4,6,9,11 *", "this time never comes: no month that is named has such a day"),
    ];
    for (expression, words) in cases {
        if !words.is_empty() {
            assert_eq!(says(expression), words, "{expression}");
        }
    }
    // The weekday makes it possible.
    assert!(CronRule::parse("0 0 30 2 1").is_ok());
}

#[test]
fn hostile_expressions_end_soon() {
    let start = Timestamp("2026-11-20T11:00:00Z".parse::<Moment>().unwrap().as_millisecond());
    let long = format!("{} * * * *", "1,".repeat(5_000));
    let many = "0-59/1,0-59/1,0-59/1 0-59/1,0-59/1,0-59/1 * * * *".to_owned();
    let numbers = format!("{0} {0} 0,1,2,3,4,5 * * *", (0..60).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    let rare = ["0 0 29 2 +1", "0 0 31W 2 *", "0 0 29 2 +1#5", "0 0 30 2 +1", "59 59 23 31 12 +7#5", "0 0 L 2 +1#5"];
    let begun = Instant::now();
    for expression in rare.map(str::to_owned).into_iter().chain([long, many, numbers, "\u{130}".repeat(90)]) {
        if let Ok(rule) = CronRule::parse(&expression) {
            rule.next_after(start, &TimeZone::get("Europe/Berlin").unwrap());
        }
    }
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[0-9*/,LW#+@a-zA-Z? -]{0,40}") {
        if let Ok(rule) = CronRule::parse(&text) {
            rule.next_after(Timestamp(1_790_000_000_000), &TimeZone::UTC);
        }
    }
}
