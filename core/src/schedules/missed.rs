//! What becomes of times that have come: run, run late, or counted as missed.

use std::collections::VecDeque;

use super::timing::{Kind, Rule};
use crate::model::{Missed, Timestamp};

/// Later than this a run is late: the program was closed or the computer slept.
const GRACE_MS: i64 = 60_000;
/// Late runs that are made up for at once.
const MOST_MADE_UP: usize = 100;
/// Times that are looked at one by one; what lies beyond is not counted.
const MOST_LOOKED_AT: u64 = 100_000;

/// What is to be done for the times up to now.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// When each run was due, and whether it is late; oldest first.
    pub runs: Vec<(Timestamp, bool)>,
    /// How many times passed without a run, and the last of them.
    pub missed: Option<(u64, Timestamp)>,
    pub next: Option<Timestamp>,
}

/// Plans for a schedule that was due at `due`, which is not after `now`.
pub fn plan(rule: &Rule, due: Timestamp, now: Timestamp, missed: Missed) -> Plan {
    let (mut late, mut on_time) = (VecDeque::new(), Vec::new());
    let (mut count, mut at) = (0_u64, Some(due));
    if let Kind::Every { step_ms, .. } = rule.kind {
        // Many steps at once.
        let behind = (now.0 - GRACE_MS - 1 - due.0) / step_ms - MOST_MADE_UP as i64;
        if behind > 0 {
            count = behind.unsigned_abs();
            at = Some(Timestamp(due.0 + behind * step_ms));
        }
    }
    while let Some(time) = at.filter(|time| *time <= now) {
        if count >= MOST_LOOKED_AT && !matches!(rule.kind, Kind::Every { .. }) {
            at = rule.next_after(now);
            break;
        }
        if time.0 < now.0 - GRACE_MS {
            count += 1;
            if late.len() == MOST_MADE_UP {
                late.pop_front();
            }
            late.push_back(time);
        } else {
            on_time.push((time, false));
        }
        at = rule.next_after(time);
    }
    let run_late = match missed {
        Missed::Skip => 0,
        // One run makes up for all: the one that is due now, if there is one.
        Missed::RunOnce => usize::from(on_time.is_empty()),
        Missed::RunAll => MOST_MADE_UP,
    };
    let left = late.len().saturating_sub(run_late);
    let last_left = left.checked_sub(1).and_then(|at| late.get(at)).copied();
    let mut runs: Vec<(Timestamp, bool)> = late.into_iter().skip(left).map(|time| (time, true)).collect();
    let missed_times = count - runs.len() as u64;
    let last = last_left.unwrap_or(due);
    runs.extend(on_time);
    Plan { runs, missed: (missed_times > 0).then_some((missed_times, last)), next: at }
}

#[cfg(test)]
mod tests;
