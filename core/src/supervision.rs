//! How often and how soon a worker that panicked is started again, for engine, knowledge and logging alike.

use std::time::Duration;

/// Failures in a row after which a worker stays away.
pub(crate) const RESTARTS: u32 = 3;
/// Before the first restart; four times longer before each next one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A worker that ran this long after a restart works again; its next failure counts as the first.
pub(crate) const STEADY: Duration = Duration::from_secs(3);

/// How long to wait before this restart, from 1.
pub(crate) fn pause(restart: u32) -> Duration {
    FIRST_PAUSE * 4_u32.pow(restart.saturating_sub(1).min(RESTARTS))
}
