//! Keys that the environment brings: used before stored ones, shown with their origin, never stored.

use std::collections::BTreeMap;

use super::services;
use crate::model::SecretText;

/// The variable that brings a key for this service, and the key.
pub(super) fn key_for<'a>(environment: &'a BTreeMap<String, String>, service: &str) -> Option<(&'static str, &'a str)> {
    services::find(service).variables.iter().find_map(|variable| {
        let key = environment.get(*variable)?.trim();
        (!key.is_empty()).then_some((*variable, key))
    })
}

pub(super) fn secret_for(environment: &BTreeMap<String, String>, service: &str) -> Option<SecretText> {
    key_for(environment, service).map(|(_variable, key)| SecretText::new(key.to_owned()))
}

/// All variables that are set, with their service and whether each is the one that is used.
pub(super) fn present(environment: &BTreeMap<String, String>) -> Vec<(&'static str, &'static str, bool)> {
    let set = |variable: &str| environment.get(variable).is_some_and(|key| !key.trim().is_empty());
    services::ALL
        .iter()
        .flat_map(|known| {
            let first = known.variables.iter().position(|variable| set(variable));
            known
                .variables
                .iter()
                .enumerate()
                .filter(|(_, variable)| set(variable))
                .map(move |(index, variable)| (known.service, *variable, Some(index) == first))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_of_a_service_wins() {
        let environment: BTreeMap<_, _> = [("GOOGLE_API_KEY", "b"), ("GEMINI_API_KEY", "a"), ("OPENAI_API_KEY", " ")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(key_for(&environment, "gemini"), Some(("GEMINI_API_KEY", "a")));
        assert_eq!(key_for(&environment, "openai"), None);
        assert_eq!(key_for(&environment, "my-server"), None);
        assert_eq!(present(&environment), [("gemini", "GEMINI_API_KEY", true), ("gemini", "GOOGLE_API_KEY", false)]);
    }
}
