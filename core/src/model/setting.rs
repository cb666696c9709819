//! A setting with its value, where the value came from, and what is allowed.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<String>),
}

/// Lowest precedence first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingOrigin {
    Default,
    File,
    DotEnv,
    Environment,
    CommandLine,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    Bool,
    /// Inclusive.
    Integer {
        min: i64,
        max: i64,
    },
    /// Inclusive.
    Number {
        min: f64,
        max: f64,
    },
    Text,
    Path,
    Choice(Vec<String>),
    List,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingEntry {
    /// `group.name`, such as `ui.theme`.
    pub key: String,
    pub group: String,
    pub label: String,
    pub description: String,
    pub kind: SettingKind,
    pub value: SettingValue,
    pub default: SettingValue,
    pub origin: SettingOrigin,
    /// The file and line, or the variable, that the value came from.
    pub place: Option<String>,
    pub needs_restart: bool,
    /// Needs a restart, and its value is not the one that has been in force since the start.
    #[serde(default)]
    pub waiting_for_restart: bool,
    /// A value somewhere was not usable: what, where and why; the last good one is in force.
    pub problem: Option<String>,
    /// A file was changed to this while the program ran, and it allows more than before: it waits for the person's word
    /// or a restart.
    #[serde(default)]
    pub held: Option<SettingValue>,
}

/// The text format of a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingsFormat {
    Toml,
    Json,
    Yaml,
}

/// One value that an import would change, or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingChange {
    pub key: String,
    pub label: String,
    pub from: SettingValue,
    pub to: SettingValue,
    pub needs_restart: bool,
}

/// What an import would do, or did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SettingsImport {
    /// In the order of the schema.
    pub changes: Vec<SettingChange>,
    /// What is wrong with the file, each with its place. Nothing is taken over while there is any.
    pub problems: Vec<String>,
    pub applied: bool,
}
