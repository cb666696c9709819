//! Storage on redb: one file per life of data, each with one group-committing writer, versioned records, change numbers.
//!
//! Only files below this module import redb. A store (chats, sources, the ledger, …) is one file here that owns
//! its tables, keeps their indexes in the same transaction as the row, and speaks domain types to the outside.

pub mod activities;
pub mod agents;
pub mod anew;
pub mod approvals;
pub mod audit;
mod backend;
pub mod chats;
pub mod check;
pub mod compare;
pub mod credentials;
pub mod crews;
mod db;
pub mod disk;
mod error;
pub mod examine;
#[cfg(test)]
pub(crate) mod golden;
pub mod history;
pub mod kinds;
pub mod knowledge;
pub mod ledger;
pub mod logs;
pub mod maintenance;
pub mod mcp;
pub mod merge;
mod migrate;
pub mod models;
pub mod notifications;
pub mod profiles;
pub mod providers;
mod read_table;
mod record;
pub mod responses;
pub mod retrieval;
pub mod rules;
pub mod runs;
pub mod salvage;
pub mod schedules;
pub mod snapshot;
mod table;
pub mod tables;
pub mod tasks;
pub mod trash;
mod txn;
pub mod ui_state;
pub mod usage;

pub use db::{Db, DbOptions};
pub use error::StorageError;
pub use history::Tracking;
pub use migrate::{Migration, Schema};
pub use read_table::ReadTable;
pub use record::{NoEarlier, Record, RecordReading, RecordWriting, decode, encode, first_version, golden_record};
pub use table::Table;
pub use txn::{AnyTable, RawRow, RawRows, RawTable, ReadTxn, WriteTxn};

/// Paths in records: `#[serde(with = "crate::storage::path")]`. Keeps names that are no valid text exactly.
pub use crate::model::exact_path as path;
