//! Waiting for a condition with a deadline.

use std::time::{Duration, Instant};

/// Asks until there is a value.
///
/// # Panics
/// When the deadline has passed, with what was waited for.
#[track_caller]
pub fn until<T>(what: &str, deadline: Duration, ask: impl FnMut() -> Option<T>) -> T {
    within(deadline, ask).unwrap_or_else(|| panic!("waited {deadline:?} in vain for {what}"))
}

/// Asks until there is a value; none when the deadline has passed.
pub fn within<T>(deadline: Duration, ask: impl FnMut() -> Option<T>) -> Option<T> {
    paced(deadline, Duration::from_millis(10), ask)
}

/// The same with a pause between two questions, for what is expensive to ask.
#[expect(clippy::disallowed_methods, reason = "another process gives no signal to wait for")]
pub fn paced<T>(deadline: Duration, pause: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = ask() {
            return Some(value);
        }
        if start.elapsed() >= deadline {
            return None;
        }
        std::thread::sleep(pause);
    }
}
