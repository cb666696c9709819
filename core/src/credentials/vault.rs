//! What every place for secrets can do.

use super::CredentialError;
use crate::model::SecretText;

/// Names one credential to a vault.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Such as `openai`; also a file name.
    pub service: &'a str,
    /// Random; tells the entries of two data folders in one keychain apart.
    pub slot: &'a str,
    /// What the person calls it.
    pub label: &'a str,
}

/// A place for secrets. All calls block.
pub trait Vault {
    /// None when it has none.
    fn get(&self, item: Item<'_>) -> Result<Option<SecretText>, CredentialError>;

    /// Replaces what is there; a failure leaves the old one.
    fn set(&self, item: Item<'_>, secret: &SecretText) -> Result<(), CredentialError>;

    /// Overwrites it where it lies, then removes it. False when there was none.
    fn remove(&self, item: Item<'_>) -> Result<bool, CredentialError>;
}

/// A name that can be a file on every system: small letters, digits, `-`, `_` and `.`.
pub(super) fn check_service(service: &str) -> Result<(), CredentialError> {
    const TAKEN: [&str; 4] = ["con", "prn", "aux", "nul"];
    let stem = service.split('.').next().unwrap_or_default();
    let numbered = |name: &str| {
        stem.strip_prefix(name)
            .is_some_and(|rest| rest.len() == 1 && rest.chars().all(|letter| letter.is_ascii_digit()))
    };
    let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter);
    let fits = (1..=64).contains(&service.len())
        && service.chars().all(allowed)
        && service.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && !service.ends_with('.')
        && !TAKEN.contains(&stem)
        && !numbered("com")
        && !numbered("lpt");
    match fits {
        true => Ok(()),
        false => Err(CredentialError::invalid(
            "the name of a service has 1 to 64 small letters, digits, '-', '_' or '.', and begins with a letter or digit",
            "Choose a name such as openai or my-server.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::check_service;

    #[test]
    fn a_service_name_is_a_file_name_everywhere() {
        for good in ["openai", "my-server_2.lan", "a", "9router"] {
            assert!(check_service(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in
            ["", "..", "../x", "A", "a/b", "a\\b", "con", "nul.x", "com1", "lpt9.b", "a.", "-a", "ä", "a b", &long]
        {
            assert!(check_service(bad).is_err(), "{bad}");
        }
    }
}
