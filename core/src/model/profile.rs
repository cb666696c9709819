//! Profiles: each a separate world, each with its own word on the network.

use serde::{Deserialize, Serialize};

use super::{NetworkPolicy, ProfileId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub id: ProfileId,
    /// Unique, whatever the case.
    pub name: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub network: ProfileNetwork,
}

/// What may leave this computer from a profile. The stricter of this and the settings is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileNetwork {
    /// None: as the settings say.
    pub policy: Option<NetworkPolicy>,
    /// Hosts that `listed` allows here; when empty, those of the settings.
    pub hosts: Vec<String>,
    /// Nothing leaves but to this computer itself, not even downloads that were confirmed, whatever other settings say.
    pub forbid_cloud: bool,
}

/// How much is in a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileCounts {
    pub sources: u64,
    pub chats: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileList {
    pub active: ProfileId,
    /// Oldest first.
    pub profiles: Vec<Profile>,
    /// Of the profile at the same place in `profiles`.
    #[serde(default)]
    pub counts: Vec<ProfileCounts>,
}
