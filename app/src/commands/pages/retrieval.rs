//! What the person can do with retrieval tests.

use rspa_core::model::{PassageId, RetrievalSettings, RetrievalTestId};

#[derive(Clone, Debug, PartialEq)]
pub enum RetrievalCommand {
    /// Reads it all again.
    Refresh,
    /// Saves a hit as the answer to its question.
    Save {
        question: String,
        passage: PassageId,
    },
    Remove(RetrievalTestId),
    /// Asks all tests of the index in use.
    Run,
    /// Asks all tests of an index with other settings, beside the one in use.
    Try(RetrievalSettings),
    /// Takes over what was tried last.
    Adopt(RetrievalSettings),
}
