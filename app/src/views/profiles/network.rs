//! What a profile says of the network: one of four choices, its hosts, and the switch that forbids every cloud call.

use egui::Ui;
use rspa_core::model::{LedgerEntry, NetworkPolicy, Profile, ProfileList, ProfileNetwork, SettingValue};

use super::{hosts, ledger};
use crate::commands::pages::profiles::ProfilesCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::text::{short, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{choice, section_title, states, toggle};

const CHOICES: [(Option<NetworkPolicy>, &str); 4] = [
    (None, "settings"),
    (Some(NetworkPolicy::Nothing), "nothing"),
    (Some(NetworkPolicy::Listed), "listed"),
    (Some(NetworkPolicy::All), "all"),
];

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, list: &ProfileList, profile: &Profile, host: &mut String) {
    let tokens = ui.tokens();
    let network = &profile.network;
    section_title(ui, tr("profiles.network"));
    ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("profiles.network_text"))).wrap());
    ui.add_space(tokens.space.s);
    let settings = settings_policy(cx.state);
    let now = words(settings);
    let details = CHOICES.map(|(_, key)| tr_with(&format!("profiles.policy.{key}_text"), &[("words", &now)]));
    let titles = CHOICES.map(|(_, key)| tr(&format!("profiles.policy.{key}")));
    let options: Vec<(&str, &str)> =
        titles.iter().zip(&details).map(|(title, detail)| (*title, detail.as_str())).collect();
    let set_now = CHOICES.iter().position(|(policy, _)| *policy == network.policy);
    let clicked = choice(ui, &options, set_now).filter(|picked| Some(*picked) != set_now);
    if let Some((policy, _)) = clicked.map(|picked| CHOICES[picked]) {
        let wanted = ProfileNetwork { policy, ..network.clone() };
        let more = policy == Some(NetworkPolicy::All) && !network.forbid_cloud;
        set(cx, profile, wanted, more.then(|| tr("profiles.allow_all_text")));
    }
    ui.add_space(tokens.space.s);
    let (policy, hosts) = in_force(cx.state, list, profile, settings);
    let icon = if policy.is_none() { Icon::ShieldCheck } else { Icon::Info };
    let tone = match policy {
        Some(NetworkPolicy::All) => crate::widgets::Tone::Warn,
        _ => crate::widgets::Tone::Neutral,
    };
    states::banner(ui, tone, icon, &tr_with("profiles.in_force", &[("words", &meaning(policy, &hosts))]));
    ui.add_space(tokens.space.m);
    ui.horizontal(|ui| {
        let mut on = network.forbid_cloud;
        if toggle(ui, &mut on, tr("profiles.forbid")).changed() {
            let wanted = ProfileNetwork { forbid_cloud: on, ..network.clone() };
            set(cx, profile, wanted, (!on).then(|| tr("profiles.allow_cloud_text")));
        }
        ui.vertical(|ui| {
            ui.label(tokens.rich(Type::Strong, tr("profiles.forbid")));
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("profiles.forbid_text"))).wrap());
        });
    });
    ui.add_space(tokens.space.m);
    let own = |row: &&LedgerEntry| row.profile == Some(profile.id);
    let sums = ledger::sums(cx.state.pages.profiles.ledger.rows.iter().filter(own));
    if let Some(hosts) = hosts::ui(ui, cx, &network.hosts, &sums, host) {
        set(cx, profile, ProfileNetwork { hosts, ..network.clone() }, None);
    }
}

/// What counts now in this profile: the stricter of its own word and the settings', none where all is forbidden; and the
/// hosts that are listed for it.
fn in_force(
    state: &AppState,
    list: &ProfileList,
    profile: &Profile,
    settings: NetworkPolicy,
) -> (Option<NetworkPolicy>, Vec<String>) {
    if let Some(status) = state.network.as_ref().filter(|_| list.active == profile.id) {
        return ((!status.forbid_cloud).then_some(status.policy), status.hosts.clone());
    }
    let network = &profile.network;
    let own = network.policy.unwrap_or(settings);
    let strict = if rank(own) < rank(settings) { own } else { settings };
    let hosts = match (network.hosts.is_empty(), state.setting("network.hosts").map(|entry| &entry.value)) {
        (true, Some(SettingValue::List(hosts))) => hosts.clone(),
        _ => network.hosts.clone(),
    };
    ((!network.forbid_cloud).then_some(strict), hosts)
}

/// What it means, in a sentence.
fn meaning(policy: Option<NetworkPolicy>, hosts: &[String]) -> String {
    /// More would hide the sentence.
    const NAMED: usize = 5;
    match policy {
        None => tr("profiles.means.forbidden").to_owned(),
        Some(NetworkPolicy::Nothing) => tr("profiles.means.nothing").to_owned(),
        Some(NetworkPolicy::All) => tr("profiles.means.all").to_owned(),
        Some(NetworkPolicy::Listed) if hosts.is_empty() => tr("profiles.means.listed_none").to_owned(),
        Some(NetworkPolicy::Listed) => {
            let mut named: Vec<String> = hosts.iter().take(NAMED).map(|host| short(host, 60)).collect();
            if hosts.len() > NAMED {
                named.push(format!("+{}", hosts.len() - NAMED));
            }
            tr_with("profiles.means.listed", &[("hosts", &named.join(", "))])
        }
    }
}

/// Changes it; with words, after the person was asked.
fn set(cx: &mut Cx<'_>, profile: &Profile, network: ProfileNetwork, ask: Option<&str>) {
    let command = UiCommand::Profiles(ProfilesCommand::SetNetwork { id: profile.id, network });
    cx.commands.push(match ask {
        None => command,
        Some(consequence) => UiCommand::Confirm(Confirmation {
            title: tr_with("profiles.allow_title", &[("name", &profile.name)]),
            consequence: consequence.to_owned(),
            verb: tr("profiles.allow_verb").to_owned(),
            danger: true,
            then: Box::new(command),
        }),
    });
}

fn words(policy: NetworkPolicy) -> &'static str {
    match policy {
        NetworkPolicy::Nothing => tr("profiles.words.nothing"),
        NetworkPolicy::Listed => tr("profiles.words.listed"),
        NetworkPolicy::All => tr("profiles.words.all"),
    }
}

fn rank(policy: NetworkPolicy) -> u8 {
    match policy {
        NetworkPolicy::Nothing => 0,
        NetworkPolicy::Listed => 1,
        NetworkPolicy::All => 2,
    }
}

fn settings_policy(state: &AppState) -> NetworkPolicy {
    match state.setting("network.policy").map(|entry| &entry.value) {
        Some(SettingValue::Text(text)) if text == "all" => NetworkPolicy::All,
        Some(SettingValue::Text(text)) if text == "listed" => NetworkPolicy::Listed,
        _ => NetworkPolicy::Nothing,
    }
}
