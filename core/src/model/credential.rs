//! Credentials: which services have one, where it lies, when it was tested; never the secret itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Where a credential lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultPlace {
    /// The keychain of the system.
    Keychain,
    /// Sealed files in the data folder.
    Files,
}

impl VaultPlace {
    pub fn name(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::Files => "files",
        }
    }
}

/// What the key of the sealed files is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// A passphrase that only the person knows.
    Passphrase,
    /// A file beside them that only this user may read: whoever can read this user's files can open them.
    KeyFile,
}

/// How the vault is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultStatus {
    /// Where new credentials are put.
    pub place: VaultPlace,
    /// Why the system's keychain cannot be used; none when it can.
    pub keychain_problem: Option<String>,
    /// Of the sealed files.
    pub protection: Protection,
    /// The sealed files need their passphrase first.
    pub locked: bool,
    /// No passphrase is tried before this time.
    pub locked_out_until: Option<Timestamp>,
    /// Wrong passphrases that are still let pass before the vault refuses all for a while.
    pub attempts_left: u32,
    /// When the key of the sealed files was made; none while there are none.
    pub key_created: Option<Timestamp>,
    /// When it is renewed on its own.
    pub next_rotation: Option<Timestamp>,
    /// What is wrong with the sealed files.
    pub problem: Option<String>,
}

/// How a "test connection" ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    /// The service knows the key and answered as it should.
    Accepted,
    /// The service does not know the key.
    Refused,
    /// The service knows the key, which may not do this.
    Forbidden,
    /// Too many requests, or nothing left to spend: the key itself was not judged.
    Limited,
    /// The service has a fault of its own.
    ServerError,
    /// No answer.
    Unreachable,
    /// Something answered, but not as this service does.
    Unexpected,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialTest {
    pub at: Timestamp,
    pub outcome: TestOutcome,
    /// One sentence. Nothing of what the service said is in it: services repeat keys in their errors.
    pub words: String,
}

/// What is known of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Such as `openai`.
    pub service: String,
    /// What the person calls it.
    pub label: String,
    pub place: VaultPlace,
    /// Where the service is reached, when not where it usually is.
    pub base_url: Option<String>,
    /// What a test contacts; none when it is not known.
    pub host: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// Overwritten and removed after this time.
    pub expires: Option<Timestamp>,
    pub tested: Option<CredentialTest>,
    pub used: Option<Timestamp>,
    /// The variable of the environment that is used instead.
    pub overruled_by: Option<String>,
}

/// A key that the environment brings: used, never stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentKey {
    pub service: String,
    /// Such as `OPENAI_API_KEY`.
    pub variable: String,
    /// False when another variable of the same service wins.
    pub in_use: bool,
    /// What a test contacts.
    pub host: Option<String>,
    /// Of this run of the program.
    pub tested: Option<CredentialTest>,
}

/// A service that rspa knows how to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownService {
    pub service: String,
    pub name: String,
    /// Its usual address; none where the person must give one.
    pub base_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialList {
    pub vault: VaultStatus,
    /// By service.
    pub items: Vec<Credential>,
    pub environment: Vec<EnvironmentKey>,
    pub services: Vec<KnownService>,
}

/// Who wants to use a credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Consumer {
    /// The program itself, doing what the person just asked for.
    Program,
    Agent(String),
    Tool(String),
    Plugin(String),
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("rspa itself"),
            Self::Agent(name) => write!(f, "the agent \"{name}\""),
            Self::Tool(name) => write!(f, "the tool \"{name}\""),
            Self::Plugin(name) => write!(f, "the plugin \"{name}\""),
        }
    }
}

/// Whether somebody may use a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub service: String,
    pub consumer: Consumer,
    /// None while the person has not answered.
    pub allowed: Option<bool>,
    /// When it was asked for, or answered.
    pub at: Timestamp,
}
