//! What the keeper does on its own: removes what has expired, locks after idleness, renews the key when it is due.

use super::{Keeper, PERSON, PROGRAM};
use crate::credentials::CredentialError;
use crate::model::{DoctorCheck, Protection};
use crate::storage::audit::{self, AuditState};
use crate::storage::credentials::{self as rows, CredentialRow};

impl Keeper {
    /// True when something changed that the person may be looking at.
    pub fn upkeep(&self) -> Result<bool, CredentialError> {
        let expired = self.remove_expired()?;
        let locked = self.lock_if_idle()?;
        let renewed = self.renew_if_due()?;
        Ok(expired > 0 || locked || renewed)
    }

    /// Overwrites and removes what has expired; how many that were.
    pub(super) fn remove_expired(&self) -> Result<usize, CredentialError> {
        let now = self.clock.now();
        let mut removed = 0;
        for row in rows::list(&self.main)?.into_iter().filter(|row| row.expires.is_some_and(|expires| expires <= now)) {
            match self.take_out(&row, PROGRAM, "credential.expired", "") {
                Ok(()) => removed += 1,
                // A keychain that is not there now may be there later.
                Err(error) => tracing::warn!(%error, service = row.service, "an expired credential is still there"),
            }
        }
        Ok(removed)
    }

    /// An expired one is never given out, even where it cannot be removed now.
    pub(super) fn not_expired(&self, row: CredentialRow) -> Result<CredentialRow, CredentialError> {
        if row.expires.is_some_and(|expires| expires <= self.clock.now()) {
            self.take_out(&row, PROGRAM, "credential.expired", "")?;
            return Err(CredentialError::Expired(row.service));
        }
        Ok(row)
    }

    /// Renews the key of the sealed files now.
    pub fn rotate(&self) -> Result<(), CredentialError> {
        self.touch();
        self.sealed.renew(None)?;
        self.audit(PERSON, "vault.rotated", "vault", "")
    }

    /// A locked vault waits until it is unlocked. True when it was renewed.
    fn renew_if_due(&self) -> Result<bool, CredentialError> {
        let days = self.settings.current().security.key_rotation_days;
        let found = self.sealed.inspect()?;
        let Some(created) = found.key_created.filter(|_| days > 0) else { return Ok(false) };
        let due = self.clock.now().0.saturating_sub(created.0) >= days.saturating_mul(86_400_000);
        if !due || found.protection == Protection::Passphrase && !self.sealed.is_open() {
            return Ok(false);
        }
        self.sealed.renew(None)?;
        self.audit(PROGRAM, "vault.rotated", "vault", "on schedule")?;
        Ok(true)
    }

    /// Lines of `rspa doctor`.
    pub fn doctor(&self) -> Vec<DoctorCheck> {
        let check = |name: &str, result: Result<String, String>| DoctorCheck {
            name: name.to_owned(),
            ok: result.is_ok(),
            detail: result.unwrap_or_else(|why| why),
        };
        let vault = match self.sealed.inspect() {
            Err(error) => Err(error.to_string()),
            Ok(found) => self.missing().map(|()| {
                let stored = rows::list(&self.main).map_or(0, |rows| rows.len());
                match (found.key_created, found.protection) {
                    (None, _) => format!("{stored} stored; no sealed files yet"),
                    (_, Protection::Passphrase) => format!("{stored} stored; files sealed with a passphrase"),
                    (_, Protection::KeyFile) => {
                        format!("{stored} stored; files sealed with a key file that this user can read")
                    }
                }
            }),
        };
        let chain = match audit::verify(&self.main) {
            Ok(AuditState::Whole { rows }) => Ok(format!("{rows} rows, none changed")),
            Ok(AuditState::Broken { row, why }) => Err(format!("row {row}: {why}")),
            Err(error) => Err(error.to_string()),
        };
        vec![check("credentials", vault), check("audit log", chain)]
    }

    /// Credentials that should have a sealed file and have none.
    fn missing(&self) -> Result<(), String> {
        let sealed = self.sealed.services().map_err(|error| error.to_string())?;
        let rows = rows::list(&self.main).map_err(|error| error.to_string())?;
        let missing: Vec<_> = rows
            .into_iter()
            .filter(|row| row.place == crate::model::VaultPlace::Files && !sealed.contains(&row.service))
            .map(|row| row.service)
            .collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(format!("the sealed file is missing of: {}", missing.join(", "))),
        }
    }
}
