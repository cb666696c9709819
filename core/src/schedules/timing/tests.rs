//! Timings: intervals that a restart does not move, times that are over, zones by name.

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

#[test]
fn an_interval_is_counted_from_its_beginning() {
    let timing = Timing::Every { minutes: 30, from: at("2026-11-20T07:10:00Z") };
    let rule = Rule::read(&timing, &TimeZone::UTC).unwrap();
    let check = |after: &str, next: &str| assert_eq!(rule.next_after(at(after)), Some(at(next)), "after {after}");
    check("2026-11-20T06:00:00Z", "2026-11-20T07:10:00Z");
    check("2026-11-20T07:10:00Z", "2026-11-20T07:40:00Z");
    check("2026-11-20T07:39:59.999Z", "2026-11-20T07:40:00Z");
    check("2027-01-01T00:00:00Z", "2027-01-01T00:10:00Z");
    assert_eq!(rule.next_after(Timestamp(i64::MAX)), None);
}

#[test]
fn what_has_passed_or_cannot_be_is_refused() {
    let now = at("2026-11-20T07:00:00Z");
    let first = |timing: &Timing| Rule::read(timing, &TimeZone::UTC).and_then(|rule| rule.first_after(now));
    let once = |text: &str| Timing::Once { at: at(text) };
    assert_eq!(first(&once("2026-11-20T06:59:59Z")), Err(TimingError::Passed));
    assert_eq!(first(&once("2026-11-20T07:00:01Z")), Ok(Some(at("2026-11-20T07:00:01Z"))));
    assert_eq!(first(&Timing::Once { at: Timestamp(i64::MAX) }), Err(TimingError::Calendar));
    for minutes in [0, 527_041] {
        assert_eq!(first(&Timing::Every { minutes, from: now }), Err(TimingError::Minutes(minutes)));
    }
    assert_eq!(first(&Timing::Every { minutes: 5, from: Timestamp(i64::MIN) }), Err(TimingError::Calendar));
    let cron = |expression: &str, zone: &str| Timing::Cron { expression: expression.to_owned(), zone: zone.to_owned() };
    assert!(matches!(first(&cron("0 0 * * *", "Europe/Berlim")), Err(TimingError::Zone(_))));
    assert!(matches!(first(&cron("0 0 * * *", "../../etc/passwd")), Err(TimingError::Zone(_))));
    // A weekday nearest to a day that the month lacks.
    assert_eq!(first(&cron("0 0 31W 2 *", "UTC")), Err(TimingError::Never));
}

#[test]
fn an_empty_zone_is_that_of_this_computer() {
    let here = TimeZone::get("Asia/Tokyo").unwrap();
    let timing = Timing::Cron { expression: "0 7 * * *".to_owned(), zone: String::new() };
    let rule = Rule::read(&timing, &here).unwrap();
    assert_eq!(rule.next_after(at("2026-11-20T00:00:00Z")), Some(at("2026-11-20T22:00:00Z")));
}
