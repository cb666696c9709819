//! Settings: every value with its origin; set, reset.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{SettingEntry, SettingValue};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListSettings {}

/// Writes the settings file. Refused when the value is not allowed, or when a variable or the command line overrides it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetSetting {
    pub key: String,
    pub value: SettingValue,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResetSetting {
    /// None means all.
    pub key: Option<String>,
}

family!(Settings, SettingsRequest, SettingsResponse {
    ListSettings => Vec<SettingEntry>,
    SetSetting => SettingEntry,
    ResetSetting => Vec<SettingEntry>,
});

impl SettingsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListSettings(_) => Guard::Open,
            Self::SetSetting(set) if is_guarded(&set.key) => {
                Guard::person(format!("The setting {} becomes: {}.", set.key, in_words(&set.value)))
            }
            Self::SetSetting(_) => Guard::Open,
            Self::ResetSetting(reset) => match &reset.key {
                Some(key) if !is_guarded(key) => Guard::Open,
                Some(key) => Guard::person(format!("The setting {key} goes back to its default.")),
                None => Guard::person("All settings go back to their defaults."),
            },
        }
    }
}

fn in_words(value: &SettingValue) -> String {
    match value {
        SettingValue::Bool(value) => if *value { "on" } else { "off" }.to_owned(),
        SettingValue::Integer(value) => value.to_string(),
        SettingValue::Number(value) => value.to_string(),
        SettingValue::Text(value) => value.clone(),
        SettingValue::List(values) if values.is_empty() => "nothing".to_owned(),
        SettingValue::List(values) => values.join(", "),
    }
}

/// Settings that decide what may leave this computer, and how secrets are kept.
fn is_guarded(key: &str) -> bool {
    key.starts_with("network.") || key.starts_with("security.")
}
