//! Settings: every value with its origin; set, reset.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{SettingEntry, SettingValue, SettingsFormat, SettingsImport};

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
    /// A setting, or a whole group; none means all.
    pub key: Option<String>,
}

/// Takes over a value that a file was given while the program ran and that allows more than before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AcceptSetting {
    pub key: String,
}

/// The values that differ from their defaults, as the text of a settings file. Settings hold no secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportSettings {
    pub format: SettingsFormat,
    /// Also written there, readable for its owner only.
    #[serde(default, with = "crate::model::exact_path::option")]
    pub to: Option<PathBuf>,
}

/// Where imported settings come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportFrom {
    /// For places in messages and for the format: the file's name.
    Text { name: String, text: String },
    File {
        #[serde(with = "crate::model::exact_path")]
        path: PathBuf,
    },
}

/// Takes over all values of a settings file, or none: a value that is not allowed refuses the whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportSettings {
    pub from: ImportFrom,
    /// Only says what would change.
    pub preview: bool,
}

/// What is wrong in files and variables beyond single settings, in words with the place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListSettingProblems {}

/// Version, settings, origins, problems and facts of the system as JSON for a report of a fault: without secrets, and
/// with the paths of the person's folders hidden.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DumpSettings {}

family!(Settings, SettingsRequest, SettingsResponse {
    ListSettings => Vec<SettingEntry>,
    SetSetting => SettingEntry,
    ResetSetting => Vec<SettingEntry>,
    AcceptSetting => SettingEntry,
    ExportSettings => String,
    ImportSettings => SettingsImport,
    ListSettingProblems => Vec<String>,
    DumpSettings => String,
});

impl SettingsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListSettings(_) | Self::ListSettingProblems(_) | Self::DumpSettings(_) => Guard::Open,
            Self::ExportSettings(export) if export.to.is_none() => Guard::Open,
            // Also where the socket's other end could write itself: the program never writes for it.
            Self::ExportSettings(_) | Self::AcceptSetting(_) => Guard::Window,
            Self::ImportSettings(import) if import.preview => Guard::Open,
            Self::ImportSettings(_) => Guard::person("Settings are taken over from a file."),
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
    ["network", "security"].contains(&key.split('.').next().unwrap_or_default())
}
