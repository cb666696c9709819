//! Profiles: made, changed, switched to, deleted with everything in them.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{NetworkPolicy, Profile, ProfileId, ProfileList, ProfileNetwork};

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
    pub(crate) fn guard(&self, names: &dyn Fn(ProfileId) -> Option<String>) -> Guard {
        let named = |id| names(id).map(|name| format!(" \"{name}\""));
        match self {
            Self::ListProfiles(_) | Self::CreateProfile(_) | Self::RenameProfile(_) => Guard::Open,
            Self::SetProfileNetwork(set) => {
                let which = named(set.id).map_or_else(|| "a profile".to_owned(), |name| format!("the profile{name}"));
                Guard::person(format!("What may leave this computer from {which} becomes: {}.", in_words(&set.network)))
            }
            Self::SwitchProfile(switch) => Guard::person(match named(switch.id) {
                Some(name) => format!("The window switches to the profile{name}."),
                None => "The window switches to another profile.".to_owned(),
            }),
            Self::DeleteProfile(delete) => {
                Guard::person(format!("The profile \"{}\" is deleted with everything in it.", delete.confirmed_name))
            }
        }
    }
}

/// What may leave this computer, for people.
fn in_words(network: &ProfileNetwork) -> String {
    if network.forbid_cloud {
        return "nothing, not even downloads that you confirmed".to_owned();
    }
    match network.policy {
        None => "what the settings say".to_owned(),
        Some(NetworkPolicy::Nothing) => "nothing but downloads that you confirm".to_owned(),
        Some(NetworkPolicy::Listed) if network.hosts.is_empty() => {
            "anything, to the hosts that the settings list".to_owned()
        }
        Some(NetworkPolicy::Listed) => format!("anything, to {}", network.hosts.join(", ")),
        Some(NetworkPolicy::All) => "anything, to any host".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Call;

    #[test]
    fn the_person_reads_words_and_the_name_of_the_profile() {
        let id = ProfileId(uuid::Uuid::from_u128(1));
        let network = |policy, hosts: &[&str], forbid_cloud| ProfileNetwork {
            policy,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            forbid_cloud,
        };
        let named = |_id| Some("Work".to_owned());
        for (network, end) in [
            (network(Some(NetworkPolicy::All), &[], false), "\"Work\" becomes: anything, to any host."),
            (network(Some(NetworkPolicy::Listed), &["a.example", "b.example"], false), "to a.example, b.example."),
            (network(Some(NetworkPolicy::All), &[], true), "nothing, not even downloads that you confirmed."),
            (network(None, &[], false), "what the settings say."),
        ] {
            let Guard::Person(what) = (SetProfileNetwork { id, network }).into_request().guard_in(&named) else {
                panic!("guarded")
            };
            assert!(what.starts_with("What may leave this computer from the profile") && what.ends_with(end), "{what}");
        }
        let switch = SwitchProfile { id }.into_request();
        assert_eq!(switch.guard_in(&named), Guard::person("The window switches to the profile \"Work\"."));
        assert_eq!(switch.guard(), Guard::person("The window switches to another profile."));
    }
}
