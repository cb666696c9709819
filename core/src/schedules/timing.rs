//! A timing made ready: when it comes next, and why it cannot be.

use jiff::tz::TimeZone;
use thiserror::Error;

use super::cron::CronRule;
use crate::api::ApiError;
use crate::model::{Timestamp, Timing};

/// A year and a day.
const MOST_MINUTES: u32 = 527_040;
const MINUTE_MS: i64 = 60_000;

/// Why a timing cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimingError {
    #[error("field {place} ({name}): {what}")]
    Field { place: usize, name: &'static str, what: String },
    #[error(
        "a cron expression has 5 fields (minute, hour, day, month, weekday), or 6 with seconds first; this has {0}"
    )]
    Count(usize),
    #[error("a cron expression has at most {0} characters")]
    Length(usize),
    #[error("this time never comes: no month that is named has such a day")]
    Never,
    #[error("this expression cannot be read: {0}")]
    Unreadable(String),
    #[error("there is no time zone \"{0}\"")]
    Zone(String),
    #[error("every {0} minutes is not possible: it is 1 to {MOST_MINUTES}")]
    Minutes(u32),
    #[error("this time has passed already")]
    Passed,
    #[error("this time lies outside of the calendar")]
    Calendar,
}

impl TimingError {
    fn advice(&self) -> &'static str {
        match self {
            Self::Field { .. } | Self::Count(_) | Self::Length(_) | Self::Unreadable(_) => {
                "Such as \"0 7 * * 1-5\": at 07:00 on Monday to Friday."
            }
            Self::Never => "Choose a day that the month has.",
            Self::Zone(_) => "Write it as Europe/Berlin or UTC, or leave it empty for the zone of this computer.",
            Self::Minutes(_) => "Use a cron expression for longer times.",
            Self::Passed | Self::Calendar => "Choose a time that is yet to come.",
        }
    }
}

impl From<TimingError> for ApiError {
    fn from(error: TimingError) -> Self {
        Self::validation(error.to_string(), error.advice())
    }
}

/// A timing that was read and can be asked.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) kind: Kind,
    pub(super) zone: TimeZone,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Once(Timestamp),
    Every { step_ms: i64, from: Timestamp },
    Cron(Box<CronRule>),
    When,
}

impl Rule {
    /// Reads a timing; `here` is the zone of this computer.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn read(timing: &Timing, here: &TimeZone) -> Result<Self, TimingError> {
        let in_calendar = |at: Timestamp| match jiff::Timestamp::from_millisecond(at.0) {
            Ok(_) => Ok(at),
            Err(_) => Err(TimingError::Calendar),
        };
        let (kind, zone) = match timing {
            Timing::Once { at } => (Kind::Once(in_calendar(*at)?), here.clone()),
            Timing::Every { minutes, from } => {
                if !(1..=MOST_MINUTES).contains(minutes) {
                    return Err(TimingError::Minutes(*minutes));
                }
                let step_ms = i64::from(*minutes) * MINUTE_MS;
                (Kind::Every { step_ms, from: in_calendar(*from)? }, here.clone())
            }
            Timing::Cron { expression, zone } => {
                (Kind::Cron(Box::new(CronRule::parse(expression)?)), zone_of(zone, here)?)
            }
            Timing::When { .. } => (Kind::When, here.clone()),
        };
        Ok(Self { kind, zone })
    }

    /// The first time after this one; none for triggers and for what is over.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.kind {
            Kind::Once(at) => (*at > after).then_some(*at),
            Kind::Every { step_ms, from } => {
                if *from > after {
                    return Some(*from);
                }
                let passed = (after.0.checked_sub(from.0)?) / step_ms;
                from.0.checked_add(passed.checked_add(1)?.checked_mul(*step_ms)?).map(Timestamp)
            }
            Kind::Cron(rule) => rule.next_after(after, &self.zone),
            Kind::When => None,
        }
    }

    /// As [`Rule::next_after`] for a timing that is saved: one that never comes again is refused.
    ///
    /// # Errors
    /// It never comes, or has passed.
    pub fn first_after(&self, now: Timestamp) -> Result<Option<Timestamp>, TimingError> {
        match (&self.kind, self.next_after(now)) {
            (Kind::When, _) => Ok(None),
            (_, Some(next)) => Ok(Some(next)),
            (Kind::Once(_), None) => Err(TimingError::Passed),
            (_, None) => Err(TimingError::Never),
        }
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// The zone of this name; empty is that of this computer.
///
/// # Errors
/// There is none of this name.
pub fn zone_of(name: &str, here: &TimeZone) -> Result<TimeZone, TimingError> {
    let name = name.trim();
    if name.is_empty() {
        return Ok(here.clone());
    }
    // A name is looked up as a file on some systems.
    let plain = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    let found = plain.then(|| TimeZone::get(name).ok()).flatten();
    found.ok_or_else(|| TimingError::Zone(name.chars().take(64).collect()))
}

#[cfg(test)]
mod tests;
