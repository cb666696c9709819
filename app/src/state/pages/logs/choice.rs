//! What the person chose in the filter bar; kept over restarts.

use jiff::tz::TimeZone;
use rspa_core::model::{LogFilter, LogLevel, Timestamp};
use serde::{Deserialize, Serialize};

use crate::when;

/// From when on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogsTime {
    #[default]
    All,
    Quarter,
    Hour,
    Day,
    Week,
    /// As typed; what is empty or no time does not filter.
    Between {
        since: String,
        until: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogsChoice {
    /// None means all.
    pub levels: Vec<LogLevel>,
    pub time: LogsTime,
    pub target: Option<String>,
    pub text: String,
    /// The list stays at the newest entry.
    pub follow: bool,
}

impl Default for LogsChoice {
    fn default() -> Self {
        Self { levels: Vec::new(), time: LogsTime::All, target: None, text: String::new(), follow: true }
    }
}

impl LogsChoice {
    /// Nothing is filtered.
    pub fn is_everything(&self) -> bool {
        self.asks_the_same(&Self::default())
    }

    /// Whether the same entries are asked for.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        (&self.levels, &self.time, &self.target, self.text.trim())
            == (&other.levels, &other.time, &other.target, other.text.trim())
    }

    pub fn filter(&self, now: Timestamp, zone: &TimeZone) -> LogFilter {
        const MINUTE: i64 = 60_000;
        let ago = |minutes: i64| (Some(Timestamp(now.0 - minutes * MINUTE)), None);
        let (since, until) = match &self.time {
            LogsTime::All => (None, None),
            LogsTime::Quarter => ago(15),
            LogsTime::Hour => ago(60),
            LogsTime::Day => ago(24 * 60),
            LogsTime::Week => ago(7 * 24 * 60),
            LogsTime::Between { since, until } => {
                (when::parse(since, now, zone).ok(), when::parse(until, now, zone).ok())
            }
        };
        LogFilter {
            levels: self.levels.clone(),
            since,
            until,
            targets: self.target.iter().cloned().collect(),
            text: self.text.trim().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_becomes_a_filter() {
        let now = Timestamp(1_760_000_000_000);
        let choice = LogsChoice {
            levels: vec![LogLevel::Error],
            time: LogsTime::Hour,
            target: Some("rspa".to_owned()),
            text: " disk ".to_owned(),
            follow: false,
        };
        let filter = choice.filter(now, &TimeZone::UTC);
        assert_eq!(filter.since, Some(Timestamp(now.0 - 3_600_000)));
        assert_eq!((filter.text.as_str(), filter.targets), ("disk", vec!["rspa".to_owned()]));
        let time = LogsTime::Between { since: "2025-10-09".to_owned(), until: "nonsense".to_owned() };
        let filter = LogsChoice { time, ..LogsChoice::default() }.filter(now, &TimeZone::UTC);
        assert_eq!((filter.since, filter.until), (Some(Timestamp(1_759_968_000_000)), None));
        assert!(LogsChoice { follow: false, ..LogsChoice::default() }.is_everything());
    }
}
