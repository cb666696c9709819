//! Backups: made, verified, previewed, restored; the change log; checks of the database.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;

/// Removes a backup that the person chose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteBackup {
    /// The name of its file.
    pub name: String,
}

family!(Backups, BackupsRequest, BackupsResponse {
    DeleteBackup => (),
});

impl BackupsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::DeleteBackup(delete) => Guard::person(format!("The backup {} is removed.", delete.name)),
        }
    }
}
