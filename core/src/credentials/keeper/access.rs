//! Who gets a secret: the program for what the person just asked, others after the person has allowed it.

use std::sync::PoisonError;

use super::{Keeper, PERSON, PROGRAM, item};
use crate::credentials::{CredentialError, environment, services};
use crate::model::{Consumer, CredentialTest, Grant, ProfileId, SecretText, Timestamp};
use crate::storage::credentials::{self as rows, CredentialRow};

/// What a "test connection" needs to know.
pub(in crate::credentials) struct Target {
    pub base_url: String,
    /// None for a service that needs no key and has none.
    pub secret: Option<SecretText>,
    /// The variable that brings it.
    pub variable: Option<&'static str>,
}

impl Keeper {
    /// The secret of a service: of the environment first, then the stored one. The use is in the audit log before this
    /// returns.
    ///
    /// # Errors
    /// `NeedsConsent` the first time that anybody but the program asks; then the person has a grant to answer.
    pub fn secret_for(
        &self,
        profile: ProfileId,
        service: &str,
        consumer: &Consumer,
    ) -> Result<SecretText, CredentialError> {
        let from_environment = environment::key_for(&self.environment, service);
        let row = rows::get(&self.main, service)?;
        if from_environment.is_none() && row.is_none() {
            return Err(CredentialError::Missing(service.to_owned()));
        }
        self.check_grant(profile, service, consumer)?;
        let who = match consumer {
            Consumer::Program => PROGRAM.to_owned(),
            other => other.to_string(),
        };
        if let Some((variable, _key)) = from_environment {
            self.audit(&who, "credential.read", service, format!("from {variable}"))?;
            return environment::secret_for(&self.environment, service)
                .ok_or_else(|| CredentialError::Missing(service.to_owned()));
        }
        let row = row.ok_or_else(|| CredentialError::Missing(service.to_owned()))?;
        let row = self.not_expired(row)?;
        self.touch();
        let secret =
            self.vault(row.place)?.get(item(&row))?.ok_or_else(|| CredentialError::Missing(service.to_owned()))?;
        let used = CredentialRow { used: Some(self.clock.now()), ..row };
        rows::put(&self.main, used, self.entry(&who, "credential.read", service, ""))?;
        Ok(secret)
    }

    fn check_grant(&self, profile: ProfileId, service: &str, consumer: &Consumer) -> Result<(), CredentialError> {
        if *consumer == Consumer::Program {
            return Ok(());
        }
        let (service, consumer) = (service.to_owned(), consumer.clone());
        match rows::grant(&self.main, profile, &service, &consumer)?.map(|grant| grant.allowed) {
            Some(Some(true)) => Ok(()),
            Some(Some(false)) => {
                self.audit(&consumer.to_string(), "credential.denied", &service, "refused before")?;
                Err(CredentialError::Refused { service, consumer })
            }
            Some(None) => Err(CredentialError::NeedsConsent { service, consumer }),
            None => {
                let (who, at) = (consumer.to_string(), self.clock.now());
                let grant = Grant { service: service.clone(), consumer: consumer.clone(), allowed: None, at };
                let entry = self.entry(&who, "grant.asked", &service, "");
                rows::put_grant(&self.main, profile, grant, entry)?;
                Err(CredentialError::NeedsConsent { service, consumer })
            }
        }
    }

    pub fn grants(&self, profile: ProfileId) -> Result<Vec<Grant>, CredentialError> {
        Ok(rows::grants(&self.main, profile)?)
    }

    /// The person's answer.
    pub fn answer_grant(
        &self,
        profile: ProfileId,
        service: &str,
        consumer: Consumer,
        allowed: bool,
    ) -> Result<(), CredentialError> {
        if rows::grant(&self.main, profile, service, &consumer)?.is_none() {
            return Err(CredentialError::invalid(
                format!("{consumer} has not asked for the credential for {service}"),
                "Read the list again.",
            ));
        }
        let kind = if allowed { "grant.allowed" } else { "grant.refused" };
        let entry = self.entry(PERSON, kind, service, consumer.to_string());
        let grant = Grant { service: service.to_owned(), consumer, allowed: Some(allowed), at: self.clock.now() };
        Ok(rows::put_grant(&self.main, profile, grant, entry)?)
    }

    /// The person named the credential for somebody who has not asked yet.
    pub fn grant(&self, profile: ProfileId, service: &str, consumer: Consumer) -> Result<(), CredentialError> {
        let entry = self.entry(PERSON, "grant.allowed", service, consumer.to_string());
        let grant = Grant { service: service.to_owned(), consumer, allowed: Some(true), at: self.clock.now() };
        Ok(rows::put_grant(&self.main, profile, grant, entry)?)
    }

    /// The next use asks again.
    pub fn revoke_grant(&self, profile: ProfileId, service: &str, consumer: &Consumer) -> Result<(), CredentialError> {
        let entry = self.entry(PERSON, "grant.revoked", service, consumer.to_string());
        Ok(rows::remove_grant(&self.main, profile, service, consumer, entry)?)
    }

    /// Where a test of this service goes, without its secret.
    pub(in crate::credentials) fn address_of(&self, service: &str) -> Result<String, CredentialError> {
        let row = rows::get(&self.main, service)?;
        let known = services::ALL.iter().any(|known| known.service == service);
        if row.is_none() && !known {
            return Err(CredentialError::Missing(service.to_owned()));
        }
        let stored = row.and_then(|row| row.base_url);
        services::base_url(service, stored.as_deref(), &self.environment).ok_or_else(|| {
            CredentialError::invalid(
                format!("it is not known where {service} is"),
                "Store it again with its address (--url), such as https://host.example/v1.",
            )
        })
    }

    /// What a test of this service sends, and where.
    pub(in crate::credentials) fn target(&self, profile: ProfileId, service: &str) -> Result<Target, CredentialError> {
        let base_url = self.address_of(service)?;
        let variable = environment::key_for(&self.environment, service).map(|(variable, _key)| variable);
        let secret = match self.secret_for(profile, service, &Consumer::Program) {
            Ok(secret) => Some(secret),
            Err(CredentialError::Missing(_)) if !services::find(service).needs_key => None,
            Err(error) => return Err(error),
        };
        Ok(Target { base_url, secret, variable })
    }

    /// Keeps how a test ended.
    pub(in crate::credentials) fn tested(
        &self,
        service: &str,
        variable: Option<&str>,
        test: &CredentialTest,
    ) -> Result<(), CredentialError> {
        let entry = self.entry(PERSON, "credential.tested", service, test.words.clone());
        match rows::get(&self.main, service)?.filter(|_| variable.is_none()) {
            Some(row) => rows::put(&self.main, CredentialRow { tested: Some(test.clone()), ..row }, entry)?,
            None => crate::storage::audit::add(&self.main, entry)?,
        }
        if let Some(variable) = variable {
            let mut tests = self.environment_tests.lock().unwrap_or_else(PoisonError::into_inner);
            tests.insert(variable.to_owned(), test.clone());
        }
        Ok(())
    }

    pub(in crate::credentials) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
