//! What a worker sleeps on: a ring wakes it, also one that came while it was awake.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Default)]
pub(super) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Default)]
struct State {
    rings: u64,
    closed: bool,
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ring(&self) {
        self.lock().rings += 1;
        self.rung.notify_all();
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.rung.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Sleeps until there were other rings than `heard`, it is closed, or the time is over; the rings until now.
    pub fn wait(&self, heard: u64, most: Duration) -> u64 {
        let still = |state: &mut State| state.rings == heard && !state.closed;
        let (state, _) = self.rung.wait_timeout_while(self.lock(), most, still).unwrap_or_else(PoisonError::into_inner);
        state.rings
    }
}
