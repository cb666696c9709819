//! `rspa network`: what may leave this computer, and what did.

use clap::{Args, Subcommand, ValueEnum};
use rspa_core::api::request::profiles::SetProfileNetwork;
use rspa_core::api::request::settings::{ListSettings, SetSetting};
use rspa_core::api::request::system::{GetNetworkStatus, ListLedger};
use rspa_core::model::{
    LedgerEntry, NetworkPolicy, Page, PageRequest, Profile, ProfileNetwork, SettingValue, Timestamp,
};

use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::profiles::{policy_name, policy_words};
use super::session::Session;
use crate::text::bytes;

#[derive(Args)]
pub struct NetworkArguments {
    #[command(subcommand)]
    verb: Option<NetworkVerb>,
}

#[derive(Subcommand)]
enum NetworkVerb {
    /// What may leave this computer now, and how much did
    Status,
    /// Decide what may leave: in the settings, or with --profile in that profile alone (the stricter one counts)
    Policy {
        #[arg(value_enum)]
        policy: Policy,
    },
    /// Refuse every call to the cloud from one profile (with --profile), also confirmed downloads
    ForbidCloud {
        #[arg(value_enum)]
        forbid: Switch,
    },
    /// The hosts that the policy "listed" allows: in the settings, or with --profile in that profile
    Hosts {
        #[command(subcommand)]
        verb: HostsVerb,
    },
    /// Every request that was made or refused, newest first
    Ledger {
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
        #[arg(long, default_value_t = 0)]
        offset: u64,
        #[command(flatten)]
        filter: LedgerFilter,
    },
}

/// All that is given must hold.
#[derive(Args)]
struct LedgerFilter {
    /// Requests to a host that has this text in it
    #[arg(long, value_name = "TEXT")]
    host: Option<String>,
    /// Requests of this part of the program, such as providers, models or credentials
    #[arg(long, value_name = "PART")]
    who: Option<String>,
    /// Refused ones alone
    #[arg(long)]
    blocked: bool,
    /// Not older: a day, a time, or 30m, 12h, 7d back from now
    #[arg(long, value_name = "T", value_parser = super::activities::time)]
    since: Option<Timestamp>,
}

impl LedgerFilter {
    fn is_empty(&self) -> bool {
        self.host.is_none() && self.who.is_none() && !self.blocked && self.since.is_none()
    }

    fn holds(&self, entry: &LedgerEntry) -> bool {
        let has = |text: &str, part: &Option<String>| {
            part.as_ref().is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
        };
        has(&entry.destination, &self.host)
            && self.who.as_ref().is_none_or(|who| entry.who.eq_ignore_ascii_case(who))
            && !(self.blocked && entry.allowed)
            && self.since.is_none_or(|since| entry.at >= since)
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Policy {
    Nothing,
    Listed,
    All,
    /// In a profile: as the settings say
    Settings,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Subcommand)]
enum HostsVerb {
    /// Print them
    List,
    /// Allow one more
    Add { host: String },
    /// Allow one less
    Remove { host: String },
}

pub fn run(context: &Context, arguments: NetworkArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    let profile = context.global.profile.as_deref().map(|name| session.profile_named(name)).transpose()?;
    match arguments.verb.unwrap_or(NetworkVerb::Status) {
        NetworkVerb::Status => status(&session, output),
        NetworkVerb::Policy { policy } => set_policy(&session, output, profile, policy),
        NetworkVerb::ForbidCloud { forbid } => {
            let profile = profile.ok_or_else(|| {
                Failure::validation(
                    "which profile is not said",
                    "Name it: rspa network forbid-cloud on --profile NAME.",
                )
            })?;
            let network = ProfileNetwork { forbid_cloud: forbid == Switch::On, ..profile.network };
            set_network(&session, output, SetProfileNetwork { id: profile.id, network })
        }
        NetworkVerb::Hosts { verb } => hosts(&session, output, profile, verb),
        NetworkVerb::Ledger { limit, offset, filter } => {
            ledger(&session, output, PageRequest { offset, limit }, &filter)
        }
    }
}

fn status(session: &Session, output: Output) -> Result<(), Failure> {
    let status = session.call(GetNetworkStatus {})?;
    if output.json {
        return output.json_line(&status);
    }
    let words = match (status.forbid_cloud, status.policy) {
        (true, _) => "this profile forbids every call to the cloud".to_owned(),
        (false, NetworkPolicy::Nothing) => "nothing leaves this computer but downloads you confirm".to_owned(),
        (false, NetworkPolicy::Listed) => {
            let hosts: Vec<_> = status.hosts.iter().map(|host| one_line(host)).collect();
            format!("only listed hosts may be reached: {}", hosts.join(", "))
        }
        (false, NetworkPolicy::All) => "any host may be reached".to_owned(),
    };
    output.line(&words)?;
    output.line(&format!(
        "{} requests allowed, {} blocked; {} sent, {} received",
        status.requests_allowed,
        status.requests_blocked,
        bytes(status.bytes_sent),
        bytes(status.bytes_received)
    ))
}

fn set_policy(session: &Session, output: Output, profile: Option<Profile>, policy: Policy) -> Result<(), Failure> {
    let policy = match policy {
        Policy::Nothing => Some(NetworkPolicy::Nothing),
        Policy::Listed => Some(NetworkPolicy::Listed),
        Policy::All => Some(NetworkPolicy::All),
        Policy::Settings => None,
    };
    match (profile, policy) {
        (Some(profile), policy) => {
            let network = ProfileNetwork { policy, ..profile.network };
            set_network(session, output, SetProfileNetwork { id: profile.id, network })
        }
        (None, Some(policy)) => {
            let value = SettingValue::Text(policy_name(policy).to_owned());
            let entry = session.call(SetSetting { key: "network.policy".to_owned(), value })?;
            if output.json {
                output.json_line(&entry)
            } else {
                output.line(&format!("policy: {}", policy_name(policy)))
            }
        }
        (None, None) => Err(Failure::validation(
            "only a profile can follow the settings",
            "Name it: rspa network policy settings --profile NAME.",
        )),
    }
}

fn set_network(session: &Session, output: Output, request: SetProfileNetwork) -> Result<(), Failure> {
    let profile = session.call(request)?;
    if output.json {
        return output.json_line(&profile);
    }
    output.line(&format!("{}: network: {}", one_line(&profile.name), policy_words(&profile.network)))
}

fn hosts(session: &Session, output: Output, profile: Option<Profile>, verb: HostsVerb) -> Result<(), Failure> {
    let mut hosts = match &profile {
        Some(profile) => profile.network.hosts.clone(),
        None => settings_hosts(session)?,
    };
    let change = |host: String, hosts: &mut Vec<String>, add: bool| {
        let host = host.trim().to_lowercase();
        let known = hosts.iter().position(|listed| listed.eq_ignore_ascii_case(&host));
        match (known, add) {
            (None, true) => hosts.push(host),
            (Some(at), false) => drop(hosts.remove(at)),
            (Some(_), true) => {}
            (None, false) => {
                let shown = one_line(&host);
                return Err(Failure::validation(format!("{shown} is not on the list"), "Run rspa network hosts list."));
            }
        }
        Ok(())
    };
    match verb {
        HostsVerb::List => {
            if output.json {
                return output.json_line(&hosts);
            }
            return hosts.iter().try_for_each(|host| output.line(&one_line(host)));
        }
        HostsVerb::Add { host } => change(host, &mut hosts, true)?,
        HostsVerb::Remove { host } => change(host, &mut hosts, false)?,
    }
    let changed = match &profile {
        Some(profile) => {
            let network = ProfileNetwork { hosts, ..profile.network.clone() };
            session.call(SetProfileNetwork { id: profile.id, network })?.network.hosts
        }
        None => {
            let value = SettingValue::List(hosts);
            match session.call(SetSetting { key: "network.hosts".to_owned(), value })?.value {
                SettingValue::List(hosts) => hosts,
                _ => Vec::new(),
            }
        }
    };
    if output.json {
        return output.json_line(&changed);
    }
    changed.iter().try_for_each(|host| output.line(&one_line(host)))
}

fn settings_hosts(session: &Session) -> Result<Vec<String>, Failure> {
    let entries = session.call(ListSettings {})?;
    let entry = entries.into_iter().find(|entry| entry.key == "network.hosts");
    Ok(match entry.map(|entry| entry.value) {
        Some(SettingValue::List(hosts)) => hosts,
        _ => Vec::new(),
    })
}

/// The rows of a page that hold: of all rows, or those that the filter leaves, newest first.
fn filtered(session: &Session, page: PageRequest, filter: &LedgerFilter) -> Result<Page<LedgerEntry>, Failure> {
    if filter.is_empty() {
        return session.call(ListLedger { page });
    }
    let (mut found, mut total, mut offset) = (Vec::new(), 0, 0);
    loop {
        let read = session.call(ListLedger { page: PageRequest { offset, limit: 1_000 } })?;
        // Rows are in the order of time: behind an older one there is none.
        let ends = read.items.last().is_none_or(|last| filter.since.is_some_and(|since| last.at < since));
        offset += read.items.len() as u64;
        for entry in read.items.into_iter().filter(|entry| filter.holds(entry)) {
            if total >= page.offset && found.len() < page.limit as usize {
                found.push(entry);
            }
            total += 1;
        }
        if ends || offset >= read.total {
            return Ok(Page { items: found, total, offset: page.offset });
        }
    }
}

fn ledger(session: &Session, output: Output, page: PageRequest, filter: &LedgerFilter) -> Result<(), Failure> {
    let page = filtered(session, page, filter)?;
    if output.json {
        return output.json_line(&page);
    }
    if page.total == 0 && !filter.is_empty() {
        return output.line("No request is like that.");
    }
    if page.total == 0 {
        return output.line("Nothing has asked to leave this computer.");
    }
    for entry in &page.items {
        let Timestamp(ms) = entry.at;
        let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
        let profile = if entry.profile_name.is_empty() { "-" } else { &entry.profile_name };
        output.line(&format!(
            "{at:.0}  {}  {}  {}  {}  {}: {}  sent {}, received {}",
            if entry.allowed { "allowed" } else { "blocked" },
            one_line(&entry.destination),
            one_line(&entry.who),
            one_line(profile),
            one_line(&entry.purpose),
            one_line(&entry.reason),
            bytes(entry.bytes_sent),
            bytes(entry.bytes_received)
        ))?;
    }
    output.line(&format!("{} of {}", page.items.len(), page.total))
}
