//! When a daily backup is due: at the set hour of the local day; one that was missed is due at once.

use jiff::ToSpan;
use jiff::civil::time;
use jiff::tz::TimeZone;

use crate::model::Timestamp;

/// The last moment before `now` at which a daily backup should have been made.
fn last_moment(now: Timestamp, hour: i8, zone: &TimeZone) -> Option<jiff::Timestamp> {
    let now = jiff::Timestamp::from_millisecond(now.0).ok()?;
    let today = now.to_zoned(zone.clone()).date();
    // An hour that a clock change skips is the one after it.
    let at = |date: jiff::civil::Date| date.to_datetime(time(hour.clamp(0, 23), 0, 0, 0)).to_zoned(zone.clone()).ok();
    [today, today.checked_sub(1.day()).ok()?]
        .into_iter()
        .filter_map(|date| Some(at(date)?.timestamp()))
        .find(|moment| *moment <= now)
}

/// Whether the daily backup is due. `last` is when the last one was made, or when the data folder began.
pub fn due(now: Timestamp, last: Timestamp, hour: i64, zone: &TimeZone) -> bool {
    let hour = i8::try_from(hour).unwrap_or(0);
    // A last one in the future: the clock went back. Then the day's own moment decides.
    let last = if last > now { Timestamp(i64::MIN) } else { last };
    last_moment(now, hour, zone).is_some_and(|moment| last.0 < moment.as_millisecond())
}

/// When the next daily backup is due; `now` when it is due already.
pub fn next(now: Timestamp, last: Timestamp, hour: i64, zone: &TimeZone) -> Option<Timestamp> {
    if due(now, last, hour, zone) {
        return Some(now);
    }
    let hour = i8::try_from(hour).unwrap_or(0);
    let today = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone.clone()).date();
    [today, today.checked_add(1.day()).ok()?]
        .into_iter()
        .filter_map(|date| date.to_datetime(time(hour.clamp(0, 23), 0, 0, 0)).to_zoned(zone.clone()).ok())
        .map(|moment| Timestamp(moment.timestamp().as_millisecond()))
        .find(|moment| *moment > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn a_backup_is_due_once_a_day_from_the_hour_on() {
        let zone = TimeZone::UTC;
        let check = |now, last, expected| assert_eq!(due(at(now), at(last), 3, &zone), expected, "{now} after {last}");
        check("2026-11-20T02:59:00Z", "2026-11-19T03:00:10Z", false);
        check("2026-11-20T03:00:00Z", "2026-11-19T03:00:10Z", true);
        check("2026-11-20T03:01:00Z", "2026-11-20T03:00:10Z", false);
        // Missed for days, or only yesterday's.
        check("2026-11-20T01:00:00Z", "2026-11-12T03:00:00Z", true);
        check("2026-11-20T01:00:00Z", "2026-11-19T02:00:00Z", true);
        // The clock went back: what lies in the future does not count.
        check("2026-11-20T05:00:00Z", "2027-01-01T00:00:00Z", true);
        let due_at = next(at("2026-11-20T03:01:00Z"), at("2026-11-20T03:00:10Z"), 3, &zone);
        assert_eq!(due_at, Some(at("2026-11-21T03:00:00Z")));
        assert_eq!(
            next(at("2026-11-20T09:00:00Z"), at("2026-11-01T00:00:00Z"), 3, &zone),
            Some(at("2026-11-20T09:00:00Z"))
        );
    }

    #[test]
    fn the_hour_is_that_of_the_place_also_where_the_clock_changes() {
        let berlin = TimeZone::get("Europe/Berlin");
        let Ok(berlin) = berlin else { return println!("skipped: no time zones here") };
        assert!(!due(at("2026-07-01T00:59:00Z"), at("2026-06-30T02:00:00Z"), 3, &berlin));
        assert!(due(at("2026-07-01T01:00:00Z"), at("2026-06-30T02:00:00Z"), 3, &berlin));
        // 02:30 does not exist on this day, 02:00 becomes 03:00 summer time (01:00 UTC).
        assert!(!due(at("2026-03-29T00:59:00Z"), at("2026-03-28T02:00:00Z"), 2, &berlin));
        assert!(due(at("2026-03-29T01:00:00Z"), at("2026-03-28T02:00:00Z"), 2, &berlin));
    }
}
