//! The keeper: one per process, over all profiles. Puts each credential where it belongs, counts wrong passphrases, and
//! writes every touch into the audit log before it gives anything out. All calls block.

mod access;
mod locking;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::sealed::{Kdf, Random, SealedFiles};
use super::vault::check_service;
use super::{CredentialError, Item, Keychain, Vault, environment, services};
use crate::clock::Clock;
use crate::model::{
    Credential, CredentialList, CredentialTest, EnvironmentKey, Protection, SecretText, Timestamp, VaultPlace,
    VaultStatus,
};
use crate::settings::Settings;
use crate::storage::Db;
use crate::storage::audit::{self, AuditEntry};
use crate::storage::credentials::{self as rows, CredentialRow};
use crate::storage::disk::Disk;

pub(super) use access::Target;

pub(super) const PERSON: &str = "the person";
pub(super) const PROGRAM: &str = "rspa";

/// In bytes.
const LONGEST_SECRET: usize = 16 << 10;
const LONGEST_LABEL: usize = 200;

/// What a keeper works with; a test brings its own.
pub struct KeeperParts {
    pub main: Db,
    pub settings: Arc<Settings>,
    pub environment: BTreeMap<String, String>,
    pub clock: Arc<dyn Clock>,
    /// Time since any moment, by a clock that cannot be set.
    pub steady: Arc<dyn Fn() -> Duration + Send + Sync>,
    pub folder: std::path::PathBuf,
    pub disk: Arc<dyn Disk>,
    pub random: Random,
    pub kdf: Kdf,
    /// Why there is none, in words, where there is none.
    pub keychain: Result<Keychain, String>,
}

pub struct Keeper {
    main: Db,
    settings: Arc<Settings>,
    environment: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    steady: Arc<dyn Fn() -> Duration + Send + Sync>,
    random: Random,
    sealed: SealedFiles,
    keychain: Result<Keychain, String>,
    /// One passphrase is tried at a time; when the state of the lockout was last counted, by the steady clock.
    trying: Mutex<Option<Duration>>,
    /// When the open keys were last used: by the clock and by the steady one.
    used: Mutex<(Timestamp, Duration)>,
    /// Tests of keys of the environment, by variable; not stored, as the keys are not.
    environment_tests: Mutex<BTreeMap<String, CredentialTest>>,
}

/// A credential as the person gives it.
pub struct NewCredential {
    pub service: String,
    pub label: String,
    pub secret: SecretText,
    pub base_url: Option<String>,
    pub expires: Option<Timestamp>,
}

impl Keeper {
    pub fn new(parts: KeeperParts) -> Self {
        let KeeperParts { main, settings, environment, clock, steady, folder, disk, random, kdf, keychain } = parts;
        let used = Mutex::new((clock.now(), steady()));
        let sealed = SealedFiles::new(folder, disk, random, kdf, clock.clone());
        Self {
            main,
            settings,
            environment,
            clock,
            steady,
            random,
            sealed,
            keychain,
            trying: Mutex::default(),
            used,
            environment_tests: Mutex::default(),
        }
    }

    fn entry(&self, who: &str, kind: &str, subject: &str, detail: impl Into<String>) -> AuditEntry {
        AuditEntry {
            at: self.clock.now(),
            who: who.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            detail: detail.into(),
        }
    }

    fn audit(&self, who: &str, kind: &str, subject: &str, detail: impl Into<String>) -> Result<(), CredentialError> {
        Ok(audit::add(&self.main, self.entry(who, kind, subject, detail))?)
    }

    fn keychain(&self) -> Result<&Keychain, CredentialError> {
        self.keychain.as_ref().map_err(|why| CredentialError::Keychain(why.clone()))
    }

    fn vault(&self, place: VaultPlace) -> Result<&dyn Vault, CredentialError> {
        match place {
            VaultPlace::Keychain => Ok(self.keychain()?),
            VaultPlace::Files => Ok(&self.sealed),
        }
    }

    fn keychain_problem(&self) -> Option<String> {
        match self.keychain().and_then(Keychain::check) {
            Ok(()) => None,
            Err(CredentialError::Keychain(why)) => Some(why),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Where new credentials go, as the setting and this computer say.
    fn place(&self, keychain_works: bool) -> VaultPlace {
        match self.settings.current().security.vault.as_str() {
            "keychain" => VaultPlace::Keychain,
            "files" => VaultPlace::Files,
            _ if keychain_works => VaultPlace::Keychain,
            _ => VaultPlace::Files,
        }
    }

    pub fn status(&self) -> Result<VaultStatus, CredentialError> {
        let keychain_problem = self.keychain_problem();
        let attempts = self.settled_attempts()?;
        let now = self.clock.now();
        let (protection, key_created, problem) = match self.sealed.inspect() {
            Ok(found) => (found.protection, found.key_created, None),
            Err(error) => (Protection::KeyFile, None, Some(error.to_string())),
        };
        let security = self.settings.current().security.clone();
        let rotation = security.key_rotation_days;
        let next = key_created.filter(|_| rotation > 0).map(|created| Timestamp(created.0 + rotation * 86_400_000));
        Ok(VaultStatus {
            place: self.place(keychain_problem.is_none()),
            keychain_problem,
            protection,
            locked: protection == Protection::Passphrase && !self.sealed.is_open(),
            locked_out_until: (attempts.left_ms > 0).then(|| Timestamp(now.0.saturating_add(attempts.left_ms))),
            attempts_left: self.allowed_attempts().saturating_sub(attempts.failures),
            key_created,
            next_rotation: next,
            problem,
        })
    }

    pub fn list(&self) -> Result<CredentialList, CredentialError> {
        self.remove_expired()?;
        let items = rows::list(&self.main)?.into_iter().map(|row| self.shown(row)).collect();
        let tests = self.environment_tests.lock().unwrap_or_else(PoisonError::into_inner);
        let environment = environment::present(&self.environment)
            .into_iter()
            .map(|(service, variable, in_use)| EnvironmentKey {
                service: service.to_owned(),
                variable: variable.to_owned(),
                in_use,
                host: services::base_url(service, None, &self.environment).and_then(|url| services::host_of(&url)),
                tested: tests.get(variable).cloned().filter(|_| in_use),
            })
            .collect();
        Ok(CredentialList { vault: self.status()?, items, environment, services: services::list() })
    }

    fn shown(&self, row: CredentialRow) -> Credential {
        let base = services::base_url(&row.service, row.base_url.as_deref(), &self.environment);
        let overruled = environment::key_for(&self.environment, &row.service);
        Credential {
            host: base.as_deref().and_then(services::host_of),
            overruled_by: overruled.map(|(variable, _key)| variable.to_owned()),
            service: row.service,
            label: row.label,
            place: row.place,
            base_url: row.base_url,
            created: row.created,
            updated: row.updated,
            expires: row.expires,
            tested: row.tested,
            used: row.used,
        }
    }

    /// Stores it, or replaces the one of the same service.
    pub fn set(&self, new: NewCredential) -> Result<Credential, CredentialError> {
        check_service(&new.service)?;
        let base_url = new.base_url.as_deref().filter(|url| !url.trim().is_empty());
        let base_url = base_url.map(services::check_base_url).transpose()?;
        let label = check_label(&new.label)?;
        let secret = check_secret(new.secret)?;
        let now = self.clock.now();
        if new.expires.is_some_and(|expires| expires <= now) {
            return Err(CredentialError::invalid("this date has passed already", "Give a later one, or none."));
        }
        let before = rows::get(&self.main, &new.service)?;
        let keychain_works = self.keychain().and_then(Keychain::check).is_ok();
        let row = CredentialRow {
            slot: before.as_ref().map_or_else(|| self.fresh_slot(), |row| Ok(row.slot.clone()))?,
            label: if label.is_empty() { services::find(&new.service).name.to_owned() } else { label },
            place: self.place(keychain_works),
            base_url,
            created: before.as_ref().map_or(now, |row| row.created),
            updated: now,
            expires: new.expires,
            tested: None,
            used: before.as_ref().and_then(|row| row.used),
            service: new.service,
        };
        self.touch();
        self.vault(row.place)?.set(item(&row), &secret)?;
        let kind = if before.is_some() { "credential.replaced" } else { "credential.set" };
        let entry = self.entry(PERSON, kind, &row.service, format!("in the {}", place_words(row.place)));
        rows::put(&self.main, row.clone(), entry)?;
        // One that lay elsewhere goes last: until here it is the one that is known.
        if let Some(before) = before.filter(|before| before.place != row.place)
            && let Err(error) = self.vault(before.place).and_then(|vault| vault.remove(item(&before)))
        {
            tracing::warn!(%error, service = before.service, "the replaced credential could not be removed");
        }
        Ok(self.shown(row))
    }

    /// Overwrites and removes it, with all grants.
    pub fn remove(&self, service: &str) -> Result<(), CredentialError> {
        let row = rows::get(&self.main, service)?.ok_or_else(|| CredentialError::Missing(service.to_owned()))?;
        self.take_out(&row, PERSON, "credential.removed", "")
    }

    fn take_out(&self, row: &CredentialRow, who: &str, kind: &str, detail: &str) -> Result<(), CredentialError> {
        self.vault(row.place)?.remove(item(row))?;
        Ok(rows::remove(&self.main, &row.service, self.entry(who, kind, &row.service, detail))?)
    }

    /// Moves all to this place: each is written and read back there before it is removed here.
    pub fn move_to(&self, place: VaultPlace) -> Result<(), CredentialError> {
        if place == VaultPlace::Keychain {
            self.keychain()?.check()?;
        }
        self.touch();
        let (to, mut moved) = (self.vault(place)?, 0);
        for row in rows::list(&self.main)?.into_iter().filter(|row| row.place != place) {
            let from = self.vault(row.place)?;
            let secret = from.get(item(&row))?.ok_or_else(|| CredentialError::Missing(row.service.clone()))?;
            to.set(item(&row), &secret)?;
            if to.get(item(&row))?.as_ref() != Some(&secret) {
                return Err(CredentialError::damaged(&row.service, "it could not be read back from its new place"));
            }
            let there = CredentialRow { place, ..row.clone() };
            let detail = format!("to the {}", place_words(place));
            rows::put(&self.main, there, self.entry(PERSON, "credential.moved", &row.service, detail))?;
            from.remove(item(&row))?;
            moved += 1;
        }
        tracing::info!(moved, place = place.name(), "credentials were moved");
        Ok(())
    }

    fn fresh_slot(&self) -> Result<String, CredentialError> {
        let mut bytes = [0; 8];
        (self.random)(&mut bytes).map_err(|error| CredentialError::disk("random numbers".as_ref(), &error))?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Another keychain, for tests.
    #[cfg(test)]
    pub(super) fn put_keychain(&mut self, keychain: Keychain) {
        self.keychain = Ok(keychain);
    }

    /// Notes that the vault was used: puts its locking off.
    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = (self.clock.now(), (self.steady)());
    }
}

fn item(row: &CredentialRow) -> Item<'_> {
    Item { service: &row.service, slot: &row.slot, label: &row.label }
}

fn place_words(place: VaultPlace) -> &'static str {
    match place {
        VaultPlace::Keychain => "keychain of the system",
        VaultPlace::Files => "sealed files",
    }
}

fn check_label(label: &str) -> Result<String, CredentialError> {
    let label = label.trim();
    if label.len() > LONGEST_LABEL || label.chars().any(char::is_control) {
        return Err(CredentialError::invalid(
            "this label is too long, or has control characters",
            "Give a short name.",
        ));
    }
    Ok(label.to_owned())
}

/// Without the line end that a file or a paste brings. A control character inside could become a header of its own.
fn check_secret(secret: SecretText) -> Result<SecretText, CredentialError> {
    let text = secret.reveal().trim();
    if text.is_empty() || text.len() > LONGEST_SECRET {
        return Err(CredentialError::invalid(
            format!("a secret has 1 to {LONGEST_SECRET} bytes"),
            "Copy it again from the service.",
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(CredentialError::invalid(
            "there is a control character in this secret",
            "Copy it again, in one line.",
        ));
    }
    Ok(if text.len() == secret.reveal().len() { secret } else { SecretText::new(text.to_owned()) })
}
