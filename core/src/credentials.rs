//! Keys of services: kept in the system's keychain or in sealed files, given out only to whom the person allowed it.
//!
//! A secret enters as [`SecretText`](crate::model::SecretText), is overwritten in memory when it is dropped, and leaves
//! only through [`Credentials::secret_for`] and the "test connection" of this module. Every touch stands in the audit log.

mod attempts;
mod environment;
mod error;
mod keeper;
mod keychain;
mod probe;
mod sealed;
mod service;
mod services;
mod vault;

pub use error::CredentialError;
pub use keeper::{Keeper, KeeperParts, NewCredential};
pub use keychain::{Backend, Keychain, KeychainLimits};
pub use sealed::{Kdf, Random, SealedFiles, system_random};
pub use service::{Credentials, KeeperSlot};
pub use vault::{Item, Vault};

#[cfg(test)]
mod tests;
