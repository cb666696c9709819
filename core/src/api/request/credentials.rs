//! Credentials of services: set, tested, rotated, removed. A secret goes in and is never given out here.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;

/// Overwrites the keys in memory until the vault is unlocked again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LockVault {}

family!(Credentials, CredentialsRequest, CredentialsResponse {
    LockVault => (),
});

impl CredentialsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::LockVault(_) => Guard::Open,
        }
    }
}
