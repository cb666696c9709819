//! Nearest vectors of one space: an exact scan over compact vectors while there are few, an HNSW graph above.
//!
//! An [`Index`] holds frozen rows (a file that is mapped, or memory) and a small tail beside them. Each vector takes two
//! bytes per dimension: coarse codes that searching reads, and fine codes for the last candidates. Rows that are added
//! are found at once; a fold brings the tail into new frozen rows in the background. The store that an index follows
//! is the truth: a snapshot that is damaged, foreign or of another form is refused, and the index built again.

mod build;
mod checksum;
mod filter;
mod fold;
mod format;
mod freeze;
mod frozen;
mod graph;
mod index;
pub mod oracle;
mod pool;
mod quantise;
mod rows;
mod scratch;
mod segment;

pub use build::{EF_CONSTRUCTION, NEIGHBOURS};
pub use filter::Filter;
pub use format::Refused;
pub use index::{Identity, Index, Mark, Opened, Options, least_change};
pub use rows::Row;

/// What went wrong with a snapshot's file, or a build.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the vector index cannot be written: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("there are too many vectors for one index")]
    TooMany,
    #[error("stopped")]
    Cancelled,
}
