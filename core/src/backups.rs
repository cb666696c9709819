//! Backups and the way back: one checked file per backup, written while the program runs, restored all or nothing.
//!
//! A backup is a zip file: `manifest.json` first, then a consistent copy of the main database, the settings files, notes
//! and sealed credentials. What can be built again (passages, indexes, caches, logs) is not in it. A file has its final
//! name only after everything in it was read back. Restoring prepares the whole new state beside the present one; one
//! rename commits it, and the next start moves it into place by steps that can be repeated after a cut at any of them.

mod apply;
mod archive;
mod compare;
mod desk;
mod error;
mod folder;
mod manifest;
mod prepare;
mod schedule;
mod start;
mod verify;
mod work;
mod write;

pub use apply::{Plan, take_note};
pub use desk::{Created, Desk, Replaced};
pub use error::BackupError;
pub use folder::SUFFIX;
pub use manifest::{Entry, Manifest};
pub use schedule::{due, next};
pub use start::{apply_pending, before_migration};
pub use work::{Unwatched, Watch};

#[cfg(test)]
mod tests;
