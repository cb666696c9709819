//! A queue of jobs.

use std::fmt;

/// Longest lease, in seconds.
const LONGEST: u64 = 60;

static COUNT: AtomicU64 = AtomicU64::new(0);

// ---- types ----

/// Jobs that wait.
///
/// In order.
#[derive(Debug, Clone)]
pub struct Queue<T> {
    jobs: Vec<T>, // oldest first
}

pub type Jobs = Queue<Job>;

pub trait Lease {
    /// Takes one.
    fn lease(&mut self) -> Option<Job>;
    fn forget(&self) {
        drop(());
    }
}

impl<T: Clone> Queue<T> {
    /// Empty.
    pub const fn new() -> Self {
        Self { jobs: Vec::new() }
    }

    #[inline]
    pub async fn push(&mut self, job: T) {
        fn check() -> bool {
            // Nested on purpose.
            true
        }
        self.jobs.push(job);
    }
}

impl<'a, T> fmt::Display for &'a Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.jobs.len())
    }
}

macro_rules! job {
    ($name:ident) => {
        Job { name: stringify!($name) }
    };
}

mod other;

cfg_rt! {
    /// Runs it.
    pub fn spawn(job: Job) {
        drop(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_empty() {
        assert!(true);
    }
}
