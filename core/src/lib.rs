//! The core of RS Personal Agent: storage, engine, knowledge, answering and trust, behind one door ([`api`]).
//!
//! It knows no user interface. A window, a command or a socket calls [`api::Core`] with typed requests and
//! listens to numbered events.

/// The models themselves: for `rspa bench`, and for the types in requests.
pub use rspa_ml as ml;

pub mod agents;
pub mod answering;
pub mod api;
pub mod backups;
pub mod clock;
pub mod confine;
pub mod cpu_time;
pub mod credentials;
pub mod crews;
pub mod engine;
pub mod faults;
mod fold;
pub mod gateway;
pub mod inference;
pub mod knowledge;
pub mod local;
pub mod mcp;
pub mod model;
pub mod observe;
mod panics;
pub mod random;
pub mod recovery;
pub mod schedules;
pub mod settings;
#[cfg(test)]
mod soak;
pub mod storage;
mod supervision;
pub mod tasks;
pub mod tools;
pub mod trust;
pub mod usage;
pub mod workspace;
