//! `rspa credentials`: keys of services: set, test, rotate, remove.

use clap::{Args, Subcommand, ValueEnum};
use rspa_core::api::request::credentials::{
    ListCredentials, ListGrants, LockVault, MoveVault, RemoveCredential, RotateKey, SetCredential, SetPassphrase,
    TestCredential, UnlockVault,
};
use rspa_core::api::{ApiError, ErrorCategory};
use rspa_core::model::{
    Credential, CredentialList, EnvironmentKey, Protection, TestOutcome, Timestamp, VaultPlace, VaultStatus,
};
use serde_json::json;

use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::secret::Source;
use super::session::Session;

#[derive(Args)]
pub struct CredentialsArguments {
    /// Read secrets from standard input, one a line, the passphrase of a locked vault first
    #[arg(long, global = true)]
    stdin: bool,
    #[command(subcommand)]
    verb: Option<CredentialsVerb>,
}

#[derive(Subcommand)]
enum CredentialsVerb {
    /// List what is stored, what the environment brings, and how the vault is
    List,
    /// Store a key, typed at the terminal and not shown
    Set {
        /// anthropic, openai, gemini, ollama, or any name for a service that speaks as OpenAI does
        service: String,
        /// What you call it
        #[arg(long, default_value = "")]
        label: String,
        #[arg(long, value_name = "ADDRESS", help = "Where the service is, such as https://host.example/v1")]
        url: Option<String>,
        /// Overwrite and remove it after this day
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = end_of_day)]
        expires: Option<Timestamp>,
    },
    /// Overwrite a key and remove it
    Remove { service: String },
    /// Ask the service whether it knows the key: one small request
    Test {
        service: String,
        /// Confirm without asking: the host that the request goes to
        #[arg(long, value_name = "HOST")]
        yes: Option<String>,
    },
    /// Overwrite the keys of the vault in memory
    Lock,
    /// Unlock the vault with its passphrase
    Unlock,
    /// Make a new key for the sealed files and seal all of them anew
    Rotate,
    /// Move all keys of services to the keychain of the system, or to sealed files
    Move { to: Place },
    /// Set or change the passphrase of the sealed files
    Passphrase {
        /// Take it away: the key is kept in a file that only you may read
        #[arg(long)]
        remove: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Place {
    Keychain,
    Files,
}

impl From<Place> for VaultPlace {
    fn from(place: Place) -> Self {
        match place {
            Place::Keychain => Self::Keychain,
            Place::Files => Self::Files,
        }
    }
}

fn end_of_day(text: &str) -> Result<Timestamp, String> {
    let day: jiff::civil::Date = text.parse().map_err(|error| format!("not a day like 2027-01-31: {error}"))?;
    let end = day.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::system()).map_err(|error| error.to_string())?;
    Ok(Timestamp(end.timestamp().as_millisecond()))
}

pub fn run(context: &Context, arguments: CredentialsArguments) -> Result<(), Failure> {
    let output = context.output;
    let session = Session::start(context)?;
    let verb = arguments.verb.unwrap_or(CredentialsVerb::List);
    if matches!(verb, CredentialsVerb::List) {
        return list(&session, output);
    }
    if matches!(verb, CredentialsVerb::Lock) {
        session.call(LockVault {})?;
        return done(output, json!({ "locked": true }), "The vault is locked.");
    }
    let mut secrets = Source::new(arguments.stdin)?;
    match verb {
        CredentialsVerb::List | CredentialsVerb::Lock => Ok(()),
        CredentialsVerb::Set { service, label, url, expires } => {
            unlock_if_needed(&session, &mut secrets, VaultPlace::Files)?;
            let secret = secrets.next(&format!("Key for {}", one_line(&service)))?;
            let set = SetCredential { service, label, secret, base_url: url, expires };
            let stored = session.call(set)?;
            if output.json { output.json_line(&stored) } else { output.line(&line(&stored)) }
        }
        CredentialsVerb::Remove { service } => {
            session.call(RemoveCredential { service: service.clone() })?;
            done(output, json!({ "removed": service }), &format!("removed: {}", one_line(&service)))
        }
        CredentialsVerb::Test { service, yes } => {
            unlock_for(&session, &mut secrets, &service)?;
            test(&session, output, service, yes)
        }
        CredentialsVerb::Unlock => {
            let passphrase = secrets.next("Passphrase of the vault")?;
            vault(output, &session.call(UnlockVault { passphrase })?)
        }
        CredentialsVerb::Rotate => {
            unlock_if_needed(&session, &mut secrets, VaultPlace::Files)?;
            vault(output, &session.call(RotateKey {})?)
        }
        CredentialsVerb::Move { to } => {
            if session.call(ListCredentials {})?.vault.locked {
                unlock(&session, &mut secrets)?;
            }
            let moved = session.call(MoveVault { to: to.into() })?;
            if output.json { output.json_line(&moved) } else { show(output, &moved) }
        }
        CredentialsVerb::Passphrase { remove } => {
            let status = session.call(ListCredentials {})?.vault;
            let old = match status.protection {
                Protection::Passphrase => Some(secrets.next("Present passphrase")?),
                Protection::KeyFile => None,
            };
            let new = if remove { None } else { Some(secrets.next_new("New passphrase")?) };
            vault(output, &session.call(SetPassphrase { old, new })?)
        }
    }
}

/// One process does one thing: a vault with a passphrase is locked again when it ends.
fn unlock_if_needed(session: &Session, secrets: &mut Source, place: VaultPlace) -> Result<(), Failure> {
    let status = session.call(ListCredentials {})?.vault;
    if status.locked && status.place == place { unlock(session, secrets) } else { Ok(()) }
}

fn unlock_for(session: &Session, secrets: &mut Source, service: &str) -> Result<(), Failure> {
    let list = session.call(ListCredentials {})?;
    let sealed = |item: &Credential| item.service == service && item.place == VaultPlace::Files;
    let needed = list.items.iter().any(|item| sealed(item) && item.overruled_by.is_none());
    if list.vault.locked && needed { unlock(session, secrets) } else { Ok(()) }
}

fn unlock(session: &Session, secrets: &mut Source) -> Result<(), Failure> {
    let passphrase = secrets.next("Passphrase of the vault")?;
    session.call(UnlockVault { passphrase }).map(drop)
}

/// A person at a terminal, or `--yes`, agrees to the host; else the network policy decides.
fn test(session: &Session, output: Output, service: String, yes: Option<String>) -> Result<(), Failure> {
    let list = session.call(ListCredentials {})?;
    let stored = list.items.iter().find(|item| item.service == service).and_then(|item| item.host.clone());
    let known = list.services.iter().find(|known| known.service == service).and_then(|known| known.base_url.clone());
    let host = stored.or_else(|| known.map(|url| host_of(&url).to_owned()));
    let confirmed_host = match (yes, host) {
        (Some(yes), _) => Some(yes),
        (None, Some(host)) => confirmed(&service, &host)?.then_some(host),
        (None, None) => None,
    };
    let test = session.call(TestCredential { service, confirmed_host })?;
    if output.json {
        output.json_line(&test)?;
    } else {
        output.line(&one_line(&test.words))?;
    }
    if test.outcome == TestOutcome::Accepted { Ok(()) } else { Err(Failure::Reported) }
}

fn confirmed(service: &str, host: &str) -> Result<bool, Failure> {
    use std::io::{BufRead, IsTerminal, Write};
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(false);
    }
    let question = format!("Send the key for {} to {host}, to ask whether it is known there?", one_line(service));
    write!(std::io::stderr().lock(), "{question} [y/N] ").ok();
    let mut reply = String::new();
    std::io::stdin().lock().read_line(&mut reply)?;
    if matches!(reply.trim(), "y" | "Y" | "yes") {
        return Ok(true);
    }
    Err(Failure::Api(ApiError::new(
        ErrorCategory::Authorisation,
        "not confirmed; nothing was sent",
        format!("Confirm at a terminal, or give --yes {host} if you want it."),
    )))
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

fn list(session: &Session, output: Output) -> Result<(), Failure> {
    let list = session.call(ListCredentials {})?;
    let grants = session.call(ListGrants {})?;
    if output.json {
        let mut value = serde_json::to_value(&list)
            .map_err(|error| Failure::system(format!("cannot write JSON: {error}"), "Report this."))?;
        value["grants"] = json!(grants);
        return output.json_line(&value);
    }
    show(output, &list)?;
    for grant in grants {
        let answer = match grant.allowed {
            Some(true) => "may use",
            Some(false) => "may not use",
            None => "asks to use",
        };
        output.line(&format!("{} {answer} {}", one_line(&grant.consumer.to_string()), grant.service))?;
    }
    Ok(())
}

fn show(output: Output, list: &CredentialList) -> Result<(), Failure> {
    list.items.iter().try_for_each(|item| output.line(&line(item)))?;
    list.environment.iter().try_for_each(|key| output.line(&environment_line(key)))?;
    if list.items.is_empty() && list.environment.is_empty() {
        output.note("No credentials yet. Store one: rspa credentials set openai");
    }
    output.note(&vault_line(&list.vault));
    Ok(())
}

fn line(item: &Credential) -> String {
    let mut notes = vec![format!("in the {}", place(item.place))];
    if let Some(variable) = &item.overruled_by {
        notes.push(format!("not used: {variable} is set"));
    }
    if let Some(test) = &item.tested {
        notes.push(format!("tested {}: {}", day(test.at), test.words));
    }
    if let Some(used) = item.used {
        notes.push(format!("used {}", day(used)));
    }
    if let Some(expires) = item.expires {
        notes.push(format!("expires {}", day(expires)));
    }
    one_line(&format!("{}  {}  [{}]", item.service, item.label, notes.join("; ")))
}

fn environment_line(key: &EnvironmentKey) -> String {
    let used = if key.in_use { "used before stored ones" } else { "not used: another variable wins" };
    format!("{}  from {}  [{used}, never stored]", key.service, key.variable)
}

fn place(place: VaultPlace) -> &'static str {
    match place {
        VaultPlace::Keychain => "keychain of the system",
        VaultPlace::Files => "sealed files",
    }
}

fn day(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

fn vault_line(status: &VaultStatus) -> String {
    let sealed = match (status.protection, status.locked) {
        (Protection::Passphrase, true) => "sealed with a passphrase, locked",
        (Protection::Passphrase, false) => "sealed with a passphrase, unlocked",
        (Protection::KeyFile, _) => "sealed with a key in a file: who can read your files can open them",
    };
    let mut words = match status.place {
        VaultPlace::Keychain => "New ones go to the keychain of the system.".to_owned(),
        VaultPlace::Files => format!("New ones go to files, {sealed}."),
    };
    if let Some(problem) = &status.keychain_problem {
        words.push_str(&format!(" Keychain: {problem}."));
    }
    if let Some(until) = status.locked_out_until {
        let at = jiff::Timestamp::from_millisecond(until.0).map(|at| at.to_zoned(jiff::tz::TimeZone::system()));
        words.push_str(&format!(
            " Too many wrong passphrases: locked until {}.",
            at.map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default()
        ));
    }
    if let Some(problem) = &status.problem {
        words.push_str(&format!(" {problem}"));
    }
    one_line(&words)
}

fn vault(output: Output, status: &VaultStatus) -> Result<(), Failure> {
    if output.json { output.json_line(status) } else { output.line(&vault_line(status)) }
}

fn done(output: Output, value: serde_json::Value, words: &str) -> Result<(), Failure> {
    if output.json { output.json_line(&value) } else { output.line(words) }
}
