//! Settings: every value with its origin; set, reset.

use serde::{Deserialize, Serialize};

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
