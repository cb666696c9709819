//! The passphrase: unlocking, changing it, and refusing all after too many wrong ones.

use std::sync::PoisonError;
use std::time::Duration;

use super::{Keeper, PERSON, PROGRAM};
use crate::credentials::{CredentialError, attempts};
use crate::model::{Protection, SecretText, Timestamp};
use crate::storage::credentials::{self as rows, Attempts};

/// In characters.
const SHORTEST_PASSPHRASE: usize = 8;
/// In bytes.
const LONGEST_PASSPHRASE: usize = 1 << 10;

impl Keeper {
    pub(super) fn allowed_attempts(&self) -> u32 {
        u32::try_from(self.settings.current().security.max_failed_attempts).unwrap_or(1).max(1)
    }

    fn trying(&self) -> std::sync::MutexGuard<'_, Option<Duration>> {
        self.trying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of the lockout, counted down to now.
    pub(super) fn settled_attempts(&self) -> Result<Attempts, CredentialError> {
        self.settle(&mut self.trying())
    }

    fn settle(&self, last: &mut Option<Duration>) -> Result<Attempts, CredentialError> {
        let stored = rows::attempts(&self.main)?;
        if stored.left_ms == 0 {
            return Ok(stored);
        }
        let steady = (self.steady)();
        let passed = last.map(|last| i64::try_from(steady.saturating_sub(last).as_millis()).unwrap_or(i64::MAX));
        let settled = attempts::settle(stored, self.clock.now().0, passed);
        *last = Some(steady);
        // Written down each time that it is looked at, so that time counts once, also over a restart.
        rows::put_attempts(&self.main, settled, None)?;
        Ok(settled)
    }

    /// Tries a passphrase. It is counted as wrong before it is tried, so that ending the process saves nobody a failure.
    fn try_passphrase(&self, attempt: impl FnOnce() -> Result<bool, CredentialError>) -> Result<(), CredentialError> {
        let mut last = self.trying();
        let before = self.settle(&mut last)?;
        let now = self.clock.now();
        if before.left_ms > 0 {
            let until = Timestamp(now.0.saturating_add(before.left_ms));
            return Err(CredentialError::LockedOut { until, left_ms: before.left_ms });
        }
        let lockout = self.settings.current().security.lockout_minutes.saturating_mul(60_000);
        let after = attempts::fail(before, now.0, self.allowed_attempts(), lockout);
        rows::put_attempts(&self.main, after, None)?;
        *last = Some((self.steady)());
        match attempt() {
            Ok(true) => {
                let entry = self.entry(PERSON, "vault.unlocked", "vault", "");
                Ok(rows::put_attempts(&self.main, Attempts::default(), Some(entry))?)
            }
            Ok(false) if after.left_ms > 0 => {
                self.audit(PERSON, "vault.locked_out", "vault", "too many wrong passphrases")?;
                let until = Timestamp(now.0.saturating_add(after.left_ms));
                Err(CredentialError::LockedOut { until, left_ms: after.left_ms })
            }
            Ok(false) => {
                self.audit(PERSON, "vault.unlock_failed", "vault", "")?;
                Err(CredentialError::WrongPassphrase { left: self.allowed_attempts().saturating_sub(after.failures) })
            }
            // Nothing was tried: it does not count.
            Err(error) => {
                rows::put_attempts(&self.main, before, None)?;
                Err(error)
            }
        }
    }

    pub fn unlock(&self, passphrase: &SecretText) -> Result<(), CredentialError> {
        if self.sealed.inspect()?.protection == Protection::KeyFile {
            return Err(CredentialError::invalid("the vault has no passphrase", "It needs no unlocking."));
        }
        self.try_passphrase(|| self.sealed.unlock(passphrase))?;
        self.touch();
        Ok(())
    }

    /// Overwrites the keys in memory.
    pub fn lock(&self) -> Result<(), CredentialError> {
        self.lock_as(PERSON)
    }

    fn lock_as(&self, who: &str) -> Result<(), CredentialError> {
        if self.sealed.is_open() {
            self.sealed.lock();
            self.audit(who, "vault.locked", "vault", "")?;
        }
        Ok(())
    }

    /// Locks a vault with a passphrase that was not used for as long as the setting says. True when it did.
    pub(super) fn lock_if_idle(&self) -> Result<bool, CredentialError> {
        let minutes = self.settings.current().security.lock_after_minutes;
        if minutes == 0 || !self.sealed.is_open() || self.sealed.inspect()?.protection == Protection::KeyFile {
            return Ok(false);
        }
        let (at, steady) = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        // Either clock is enough: one may stand still while the computer sleeps, the other may be set.
        let limit = minutes.saturating_mul(60_000);
        let by_clock = self.clock.now().0.saturating_sub(at.0);
        let by_steady = i64::try_from((self.steady)().saturating_sub(steady).as_millis()).unwrap_or(i64::MAX);
        if by_clock < limit && by_steady < limit {
            return Ok(false);
        }
        self.lock_as(PROGRAM)?;
        Ok(true)
    }

    /// Sets, changes or takes away the passphrase; everything is sealed anew with a fresh key.
    pub fn set_passphrase(&self, old: Option<&SecretText>, new: Option<&SecretText>) -> Result<(), CredentialError> {
        if let Some(new) = new {
            let text = new.reveal();
            if text.chars().count() < SHORTEST_PASSPHRASE || text.len() > LONGEST_PASSPHRASE {
                return Err(CredentialError::invalid(
                    format!("a passphrase has at least {SHORTEST_PASSPHRASE} characters"),
                    "Several words are easy to remember and hard to guess.",
                ));
            }
        }
        match (self.sealed.inspect()?.protection, old) {
            (Protection::Passphrase, Some(old)) => self.try_passphrase(|| self.sealed.unlock(old))?,
            // A forgotten passphrase of a vault that holds nothing protects nothing.
            (Protection::Passphrase, None) if self.sealed.forget_empty()? => {}
            (Protection::Passphrase, None) => {
                return Err(CredentialError::invalid("the vault has a passphrase", "Type the present one too."));
            }
            (Protection::KeyFile, _) if new.is_none() => {
                return Err(CredentialError::invalid("the vault has no passphrase", "Type the new one."));
            }
            (Protection::KeyFile, _) => {}
        }
        self.touch();
        self.sealed.renew(Some(new))?;
        let detail = if new.is_some() { "set" } else { "taken away" };
        self.audit(PERSON, "vault.passphrase", "vault", detail)
    }
}
