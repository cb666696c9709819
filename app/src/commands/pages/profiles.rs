//! What the person can do on the page "Profiles & network".

use rspa_core::model::{ProfileId, ProfileNetwork};

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
    /// Shows the ledger from this row on.
    Ledger(u64),
}
