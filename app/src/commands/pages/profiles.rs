//! What the person can do on the page "Profiles & network".

use std::path::PathBuf;

use rspa_core::model::{ProfileId, ProfileNetwork};

use crate::state::pages::profiles::Part;
use crate::state::pages::profiles::ledger::LedgerFilter;

/// How the rows of the network ledger are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerFormat {
    Csv,
    Json,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ProfilesCommand {
    /// Reads it all again.
    Refresh,
    Create {
        name: String,
        network: ProfileNetwork,
    },
    Rename {
        id: ProfileId,
        name: String,
    },
    SetNetwork {
        id: ProfileId,
        network: ProfileNetwork,
    },
    Switch(ProfileId),
    /// The person typed the name.
    Delete {
        id: ProfileId,
        typed: String,
    },
    ShowPart(Part),
    /// Opens the page at the rows of the ledger with these words.
    ShowLedger(String),
    /// Which rows of the ledger are shown.
    Filter(LedgerFilter),
    /// Writes the rows that are shown.
    ExportLedger {
        folder: PathBuf,
        format: LedgerFormat,
    },
}
