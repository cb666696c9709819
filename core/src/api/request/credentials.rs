//! Credentials of services: set, tested, rotated, removed. A secret goes in and is never given out here.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{
    Consumer, Credential, CredentialList, CredentialTest, Grant, SecretText, Timestamp, VaultPlace, VaultStatus,
};

/// The vault, what is known of each credential, and the keys of the environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListCredentials {}

/// Stores a secret, or replaces the one of the same service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetCredential {
    /// A known one, or any name of small letters for a service that speaks as OpenAI does.
    pub service: String,
    /// Empty for the service's own name.
    pub label: String,
    pub secret: SecretText,
    /// Where the service is reached, when not where it usually is.
    pub base_url: Option<String>,
    /// Overwritten and removed after this time.
    pub expires: Option<Timestamp>,
}

/// Overwrites and removes it, with what was allowed to use it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveCredential {
    pub service: String,
}

/// Asks the service whether it knows the key: one small request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestCredential {
    pub service: String,
    /// The host that the person was shown and agreed to for this one request; none when the network policy decides.
    pub confirmed_host: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnlockVault {
    pub passphrase: SecretText,
}

/// Overwrites the keys in memory until the vault is unlocked again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LockVault {}

/// Sets, changes or (with no new one) takes away the passphrase of the sealed files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetPassphrase {
    /// Needed where there is one.
    pub old: Option<SecretText>,
    pub new: Option<SecretText>,
}

/// Makes a new key for the sealed files and seals all of them anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RotateKey {}

/// Moves all credentials between the keychain and sealed files, and sets where new ones go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MoveVault {
    pub to: VaultPlace,
}

/// Who asked to use credentials in this profile, and what the person answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListGrants {}

/// The person's answer. Never accepted from the local socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AnswerGrant {
    pub service: String,
    pub consumer: Consumer,
    pub allowed: bool,
}

/// Takes an answer back: the next use asks again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevokeGrant {
    pub service: String,
    pub consumer: Consumer,
}

family!(Credentials, CredentialsRequest, CredentialsResponse {
    ListCredentials => CredentialList,
    SetCredential => Credential,
    RemoveCredential => (),
    TestCredential => CredentialTest,
    UnlockVault => VaultStatus,
    LockVault => (),
    SetPassphrase => VaultStatus,
    RotateKey => VaultStatus,
    MoveVault => CredentialList,
    ListGrants => Vec<Grant>,
    AnswerGrant => (),
    RevokeGrant => (),
});

impl CredentialsRequest {
    /// Whether it may come from outside the window. The sentences name services, never secrets.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListCredentials(_) | Self::LockVault(_) | Self::ListGrants(_) => Guard::Open,
            Self::SetCredential(set) => Guard::person(format!("A credential for \"{}\" is stored.", set.service)),
            Self::RemoveCredential(remove) => {
                Guard::person(format!("The credential for \"{}\" is overwritten and removed.", remove.service))
            }
            Self::TestCredential(test) => {
                Guard::person(format!("The credential for \"{}\" is sent to that service to test it.", test.service))
            }
            Self::UnlockVault(_) => Guard::person("The vault of credentials is unlocked."),
            Self::SetPassphrase(set) => Guard::person(match &set.new {
                Some(_) => "The passphrase of the vault is changed.",
                None => "The passphrase of the vault is taken away: its key is kept in a file.",
            }),
            Self::RotateKey(_) => Guard::person("The key of the vault is renewed."),
            Self::MoveVault(to) => Guard::person(match to.to {
                VaultPlace::Keychain => "All credentials are moved to the keychain of the system.",
                VaultPlace::Files => "All credentials are moved to sealed files.",
            }),
            Self::RevokeGrant(revoke) => Guard::person(format!(
                "{} must ask again to use the credential for \"{}\".",
                revoke.consumer, revoke.service
            )),
            Self::AnswerGrant(_) => Guard::Window,
        }
    }
}
