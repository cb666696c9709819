//! A moment as a person types it: how long ago, or a date with or without a time.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};
use rspa_core::model::Timestamp;

/// `2h`, `1d 12h`, `2026-11-20`, `2026-11-20T09:00` (in this zone), `2026-11-20T09:00Z`.
///
/// # Errors
/// Why it is none of them, in words.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    let not_understood = || format!("'{text}' is no time");
    let now: Zoned =
        jiff::Timestamp::from_millisecond(now.0).map_err(|_out_of_range| not_understood())?.to_zoned(zone.clone());
    let moment = if let Ok(at) = text.parse::<jiff::Timestamp>() {
        at
    } else if let Ok(at) = text.parse::<DateTime>() {
        at.to_zoned(zone.clone()).map_err(|error| format!("'{text}': {error}"))?.timestamp()
    } else {
        let ago: Span = text.parse().map_err(|_no_span| not_understood())?;
        if ago.is_negative() {
            return Err(format!("'{text}' lies in the future"));
        }
        now.checked_sub(ago).map_err(|_too_long| format!("'{text}' is too long ago"))?.timestamp()
    };
    Ok(Timestamp(moment.as_millisecond()))
}

/// A moment to come: `2h` and `1d 12h` from now, or a date with or without a time.
///
/// # Errors
/// Why it is none of them, in words.
pub fn ahead(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    let Ok(span) = text.parse::<Span>() else { return parse(text, now, zone) };
    let not_understood = || format!("'{text}' is no time");
    let now: Zoned =
        jiff::Timestamp::from_millisecond(now.0).map_err(|_out_of_range| not_understood())?.to_zoned(zone.clone());
    let at = now.checked_add(span.abs()).map_err(|_too_long| format!("'{text}' is too far away"))?;
    Ok(Timestamp(at.timestamp().as_millisecond()))
}

/// A moment so that it can be read back, in this place's time.
pub fn typed(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_type_them() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time").as_millisecond();
        let now = Timestamp(at("2026-11-20T12:00:00Z"));
        for (text, expected) in [
            ("2h", "2026-11-20T10:00:00Z"),
            ("90m", "2026-11-20T10:30:00Z"),
            ("1d 12h", "2026-11-19T00:00:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-11-20T09:00", "2026-11-20T08:00:00Z"),
            ("2026-11-20 09:00", "2026-11-20T08:00:00Z"),
            ("2026-11-20T09:00Z", "2026-11-20T09:00:00Z"),
        ] {
            assert_eq!(parse(text, now, &zone), Ok(Timestamp(at(expected))), "{text}");
        }
        for wrong in ["", "soon", "2026-13-01", "-2h", "99999999y", "2h;rm"] {
            assert!(parse(wrong, now, &zone).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_span_lies_ahead_and_a_date_is_that_date() {
        let zone = TimeZone::UTC;
        let now = Timestamp(1_760_000_000_000);
        assert_eq!(ahead("2h", now, &zone), Ok(Timestamp(now.0 + 7_200_000)));
        assert_eq!(ahead("2025-10-10", now, &zone), Ok(Timestamp(1_760_054_400_000)));
        assert!(ahead("someday", now, &zone).is_err() && ahead("99999999y", now, &zone).is_err());
    }
}
