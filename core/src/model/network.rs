//! What may leave this computer, and the ledger of what asked to.

use serde::{Deserialize, Serialize};

use super::{ProfileId, Timestamp};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkPolicy {
    /// Nothing leaves, but for single downloads that the person has just confirmed.
    #[default]
    Nothing,
    /// Only the hosts on the profile's list.
    Listed,
    All,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkStatus {
    /// What is in force: the stricter of the settings and the profile.
    pub policy: NetworkPolicy,
    /// The profile refuses everything but this computer itself, also downloads that were confirmed.
    #[serde(default)]
    pub forbid_cloud: bool,
    /// Hosts that may be reached under the policy "listed".
    #[serde(default)]
    pub hosts: Vec<String>,
    pub requests_allowed: u64,
    pub requests_blocked: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// A confirmed download is running now.
    pub active: bool,
}

/// One request that was made or refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub at: Timestamp,
    /// Which part of the program asked.
    pub who: String,
    /// Scheme, host and port; no path, no query.
    pub destination: String,
    pub purpose: String,
    pub allowed: bool,
    /// Why it was allowed or blocked.
    pub reason: String,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// None for rows of a version that knew no profiles here.
    #[serde(default)]
    pub profile: Option<ProfileId>,
    /// The profile's name at that time; it stays when the profile is gone.
    #[serde(default)]
    pub profile_name: String,
}
