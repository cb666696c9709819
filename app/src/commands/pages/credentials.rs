//! What the person can do on the page "Credentials".

use rspa_core::model::{Consumer, SecretText, Timestamp, VaultPlace};

#[derive(Clone, Debug, PartialEq)]
pub enum CredentialsCommand {
    /// Reads it all again.
    Refresh,
    Set {
        service: String,
        label: String,
        secret: SecretText,
        base_url: Option<String>,
        expires: Option<Timestamp>,
    },
    Remove(String),
    /// The person was shown the host and agreed.
    Test {
        service: String,
        confirmed_host: String,
    },
    Unlock(SecretText),
    Lock,
    SetPassphrase {
        old: Option<SecretText>,
        new: Option<SecretText>,
    },
    Rotate,
    Move(VaultPlace),
    AnswerGrant {
        service: String,
        consumer: Consumer,
        allowed: bool,
    },
    RevokeGrant {
        service: String,
        consumer: Consumer,
    },
}
