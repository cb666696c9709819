//! `rspa profiles`: separate worlds: make, rename, switch, delete.

use clap::{Args, Subcommand};
use rspa_core::api::request::profiles::{CreateProfile, DeleteProfile, ListProfiles, RenameProfile, SwitchProfile};
use rspa_core::model::{NetworkPolicy, Profile, ProfileList, ProfileNetwork};
use serde_json::{Value, json};

use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::session::Session;

#[derive(Args)]
pub struct ProfilesArguments {
    #[command(subcommand)]
    verb: Option<ProfilesVerb>,
}

#[derive(Subcommand)]
enum ProfilesVerb {
    /// List all profiles; the active one is marked
    List,
    /// Make a profile with nothing in it
    Create {
        name: String,
        /// Nothing may leave this computer from it, whatever other settings say
        #[arg(long)]
        forbid_cloud: bool,
    },
    /// Give a profile another name
    Rename {
        name: String,
        #[arg(value_name = "NEW NAME")]
        to: String,
    },
    /// Work in this profile from now on
    Switch { name: String },
    /// Delete a profile with its sources, chats, indexes and history, for good
    Delete { name: String },
}

pub fn run(context: &Context, arguments: ProfilesArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or(ProfilesVerb::List) {
        ProfilesVerb::List => show(output, &session.call(ListProfiles {})?),
        ProfilesVerb::Create { name, forbid_cloud } => {
            let network = ProfileNetwork { forbid_cloud, ..ProfileNetwork::default() };
            one(output, &session.call(CreateProfile { name, network })?, "made")
        }
        ProfilesVerb::Rename { name, to } => {
            let id = session.profile_named(&name)?.id;
            one(output, &session.call(RenameProfile { id, name: to })?, "renamed")
        }
        ProfilesVerb::Switch { name } => {
            let id = session.profile_named(&name)?.id;
            show(output, &session.call(SwitchProfile { id })?)
        }
        ProfilesVerb::Delete { name } => {
            let profile = session.profile_named(&name)?;
            // What was typed, not what is stored: another case is another name.
            let list = session.call(DeleteProfile { id: profile.id, confirmed_name: name })?;
            show(output, &list)
        }
    }
}

fn show(output: Output, list: &ProfileList) -> Result<(), Failure> {
    let counted = list.profiles.iter().zip(&list.counts);
    if output.json {
        let rows: Vec<Value> = counted
            .map(|(profile, counts)| {
                let mut row = json!(profile);
                let fields = row.as_object_mut().expect("a profile is an object");
                fields.insert("active".to_owned(), json!(profile.id == list.active));
                fields.insert("sources".to_owned(), json!(counts.sources));
                fields.insert("chats".to_owned(), json!(counts.chats));
                row
            })
            .collect();
        return output.json_line(&rows);
    }
    for (profile, counts) in counted {
        let mark = if profile.id == list.active { "*" } else { " " };
        output.line(&format!(
            "{mark} {}  {} sources, {} chats, network: {}",
            one_line(&profile.name),
            counts.sources,
            counts.chats,
            policy_words(&profile.network)
        ))?;
    }
    Ok(())
}

fn one(output: Output, profile: &Profile, done: &str) -> Result<(), Failure> {
    if output.json {
        return output.json_line(profile);
    }
    output.line(&format!("{done}: {}  network: {}", one_line(&profile.name), policy_words(&profile.network)))
}

/// What a profile says of the network, in words.
pub(super) fn policy_words(network: &ProfileNetwork) -> String {
    if network.forbid_cloud {
        return "every cloud call is forbidden".to_owned();
    }
    match network.policy {
        None => "as the settings say".to_owned(),
        Some(policy) => policy_name(policy).to_owned(),
    }
}

pub(super) fn policy_name(policy: NetworkPolicy) -> &'static str {
    match policy {
        NetworkPolicy::Nothing => "nothing",
        NetworkPolicy::Listed => "listed",
        NetworkPolicy::All => "all",
    }
}
