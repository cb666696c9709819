//! Faults: full, broken, slow and foreign disks, clocks, signals, panics, other processes. Each has an answer in words,
//! and what was confirmed is there afterwards.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

mod clock;
mod damage;
mod disk_full;
mod failing_calls;
mod missing;
mod newer;
mod panics;
mod permission_lost;
mod read_only;
mod restore;
mod signals;
mod slow_disk;
mod two_processes;
