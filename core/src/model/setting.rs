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
    /// A value somewhere was not usable: what, where and why; the last good one is in force.
    pub problem: Option<String>,
}
