//! Waiting for a condition with a deadline.

use std::time::{Duration, Instant};

/// Asks until there is a value.
///
/// # Panics
/// When the deadline has passed, with what was waited for.
pub fn until<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ask() {
            return value;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
