//! Profiles: made, changed, switched to, deleted with everything in them.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{Profile, ProfileId, ProfileList, ProfileNetwork};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListProfiles {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateProfile {
    pub name: String,
    pub network: ProfileNetwork,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenameProfile {
    pub id: ProfileId,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetProfileNetwork {
    pub id: ProfileId,
    pub network: ProfileNetwork,
}

/// Makes it the profile that the person works in, now and after a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SwitchProfile {
    pub id: ProfileId,
}

/// Removes a profile with its sources, passages, chats, indexes and history, for good. Not the active one, not the last one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteProfile {
    pub id: ProfileId,
    /// Its name, as the person typed it to confirm.
    pub confirmed_name: String,
}

family!(Profiles, ProfilesRequest, ProfilesResponse {
    ListProfiles => ProfileList,
    CreateProfile => Profile,
    RenameProfile => Profile,
    SetProfileNetwork => Profile,
    SwitchProfile => ProfileList,
    DeleteProfile => ProfileList,
});

impl ProfilesRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListProfiles(_) | Self::CreateProfile(_) | Self::RenameProfile(_) => Guard::Open,
            Self::SetProfileNetwork(set) => {
                Guard::person(format!("What may leave this computer from a profile becomes: {:?}.", set.network))
            }
            Self::SwitchProfile(_) => Guard::person("The window switches to another profile."),
            Self::DeleteProfile(delete) => {
                Guard::person(format!("The profile \"{}\" is deleted with everything in it.", delete.confirmed_name))
            }
        }
    }
}
