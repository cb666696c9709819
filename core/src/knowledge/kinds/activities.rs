//! What happened in a profile as documents: one per day of the calendar.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Kind, Load, Loaded, Look, Writer, stamp, unreadable, zoned};
use crate::knowledge::KnowledgeError;
use crate::knowledge::readers::{DocumentKind, Format, Limits, ReadError};
use crate::knowledge::walk::{Found, Obstacle, Walked};
use crate::model::{ProfileId, Timestamp};
use crate::storage::{Db, activities};

/// Of one day, in bytes.
const MOST_TEXT: usize = 2 << 20;

pub struct Activities {
    pub main: Db,
    pub profile: ProfileId,
}

fn found(day: &str, last: Timestamp, count: u64) -> Found {
    Found {
        path: format!("rspa:activities/{day}").into(),
        relative: day.as_bytes().to_vec(),
        stamp: stamp(last, &[&count.to_string()]),
        format: Format::Unknown,
    }
}

/// The key of the day of a moment.
pub fn day_of(at: Timestamp) -> Option<String> {
    zoned(at).map(|at| at.date().to_string())
}

/// First and last moment of a day.
fn bounds(day: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let day: Date = std::str::from_utf8(day).ok()?.parse().ok()?;
    let start = |day: Date| Some(Timestamp(day.to_zoned(TimeZone::system()).ok()?.timestamp().as_millisecond()));
    Some((start(day)?, start(day.tomorrow().ok()?)?))
}

impl Kind for Activities {
    fn list(&self, look: &mut Look<'_>) -> Result<Walked, Obstacle> {
        let mut days: BTreeMap<String, (Timestamp, u64)> = BTreeMap::new();
        let moments = activities::moments(&self.main, self.profile).map_err(|error| unreadable(&error))?;
        let mut day: Option<(String, Timestamp)> = None;
        for at in moments {
            // The calendar is asked once a day, not once a row.
            if day.as_ref().is_none_or(|(_, end)| at >= *end) {
                let Some(name) = zoned(at).map(|at| at.date().to_string()) else { continue };
                let Some((_, end)) = bounds(name.as_bytes()) else { continue };
                day = Some((name, end));
            }
            if let Some((name, _)) = &day {
                let entry = days.entry(name.clone()).or_default();
                *entry = (entry.0.max(at), entry.1 + 1);
            }
        }
        let files: Vec<Found> = days.iter().map(|(day, (last, count))| found(day, *last, *count)).collect();
        (look.progress)(files.len());
        Ok(Walked { files, ..Walked::default() })
    }

    fn find(&self, key: &[u8]) -> Result<Option<Found>, KnowledgeError> {
        let (Some((from, until)), Ok(day)) = (bounds(key), std::str::from_utf8(key)) else { return Ok(None) };
        let (mut last, mut count) = (Timestamp(0), 0);
        activities::each_between(&self.main, self.profile, from, until, |activity| {
            last = last.max(activity.at);
            count += 1;
            true
        })?;
        Ok((count > 0).then(|| found(day, last, count)))
    }

    fn is_made(&self, _key: &[u8]) -> bool {
        true
    }

    fn loader(&self) -> Box<dyn Load + '_> {
        Box::new(Happened(self))
    }
}

struct Happened<'a>(&'a Activities);

impl Load for Happened<'_> {
    fn load(&mut self, found: &Found, _limits: &Limits) -> Result<Option<Loaded>, ReadError> {
        let Some((from, until)) = bounds(&found.relative) else { return Ok(None) };
        let day = String::from_utf8_lossy(&found.relative).into_owned();
        let mut writer = Writer::new();
        let title = format!("What happened on {day}");
        writer.heading(1, &title);
        let mut any = false;
        let read = activities::each_between(&self.0.main, self.0.profile, from, until, |activity| {
            any = true;
            // Reading sources is told by the search itself, and would be found by every word of their names.
            if activity.kind.starts_with("source.") {
                return true;
            }
            let time = zoned(activity.at).map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default();
            let whose = activity.agent.as_deref().map(|agent| format!(" ({agent})")).unwrap_or_default();
            let kind = activity.kind.replace(['.', '_'], " ");
            writer.lines(&super::one_line(&format!("{time} {kind}{whose}: {}", activity.title)));
            if !activity.description.trim().is_empty() {
                writer.lines(&super::one_line(&activity.description));
            }
            writer.text.len() < MOST_TEXT
        });
        match read {
            Ok(()) if any => Ok(Some(writer.finish(DocumentKind::Activity, &title, Vec::new()))),
            Ok(()) => Ok(None),
            Err(error) => Err(ReadError::Io(error.to_string())),
        }
    }
}
