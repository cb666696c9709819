//! Times as models write and read them, in the time zone of this computer.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::args::wrong;
use crate::api::ApiError;
use crate::model::Timestamp;

/// A day, a day with a time (`2026-03-02`, `2026-03-02T17:30`, local unless it names a zone), or how long ago: `30m`,
/// `12h`, `7d`. A day alone is its beginning, or with `end` its last minute.
pub fn parse(name: &str, text: &str, now: Timestamp, end: bool) -> Result<Timestamp, ApiError> {
    let text = text.trim();
    let local =
        |moment: DateTime| moment.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp().as_millisecond());
    let found = if let Some(back) = ago(text) {
        now.0.checked_sub(back)
    } else if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        Some(moment.as_millisecond())
    } else if text.len() <= 10 {
        let day = text.parse::<Date>().ok();
        day.and_then(|day| local(if end { day.at(23, 59, 0, 0) } else { day.at(0, 0, 0, 0) }))
    } else {
        text.parse::<DateTime>().ok().and_then(local)
    };
    found.map(Timestamp).ok_or_else(|| {
        wrong(format!(
            "`{name}` is no time: {text:?}; write it as 2026-03-02, 2026-03-02T17:30, or 12h or 7d back from now"
        ))
    })
}

/// Milliseconds.
fn ago(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        'w' => 7 * 86_400_000,
        _ => return None,
    };
    let count: u32 = text[..text.len() - 1].parse().ok()?;
    i64::from(count).checked_mul(unit)
}

/// "2026-03-02 17:30"
pub fn show(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(moment) => moment.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => "an unknown time".to_owned(),
    }
}
