//! Retrieval tests: save, list, remove, ask them, try other settings on them, take those over.

use serde::{Deserialize, Serialize};

use crate::model::{PassageId, RetrievalSettings, RetrievalTestId};

/// Saves a question with the passage that answers it, as search found it. A profile has 1,000 at most, and a question 1,000
/// characters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SaveRetrievalTest {
    pub question: String,
    pub passage: PassageId,
}

/// All tests with what asking them gave last, the settings in force, and what goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListRetrievalTests {}

/// Puts a test into the trash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveRetrievalTest {
    pub id: RetrievalTestId,
}

/// Asks all tests of the index in use, as a job; its end is told by `retrieval.changed`, and the list has the figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRetrievalTests {}

/// Makes an index with other settings beside the one in use, which is not touched, and asks all tests of both, as a job.
/// Both are asked over the same documents; what was made is removed at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TryRetrievalSettings {
    pub settings: RetrievalSettings,
    /// Documents at most, beside those that tests want; 0 means 2,000. Where there are more, a sample is taken that is always
    /// the same for the same documents.
    pub documents: u32,
}

/// Takes over the settings of the last trial. Documents are read again in place: each stays searchable as it was until it
/// is read, and vectors of an encoder are used until those of another one cover everything.
///
/// # Errors
/// When it is not exactly these settings that were tried last, with at least one test that counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AdoptRetrievalSettings {
    pub settings: RetrievalSettings,
}
