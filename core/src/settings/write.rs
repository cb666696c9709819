//! The settings file's text with some values changed; comments and everything else stay as they are.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::{Setting, renamed, sources, yaml};
use crate::api::ApiError;
use crate::model::{SettingValue, SettingsFormat};

/// One setting's new value; none removes it.
#[derive(Clone, Debug)]
pub(super) struct Change<'a> {
    pub setting: &'a Setting,
    pub value: Option<SettingValue>,
}

impl<'a> Change<'a> {
    pub fn touches(&self, key: &str) -> bool {
        self.setting.key == key
    }

    /// Under which the value may stand: today's name, and those it had.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        let former = renamed::former(&self.setting.key).map(|name| -> &'a str { name });
        std::iter::once(self.setting.key.as_str()).chain(former)
    }
}

/// The file's text after the changes.
pub(super) fn changed_text(path: &Path, changes: &[Change<'_>]) -> Result<String, ApiError> {
    let text = sources::read_text(path).map_err(|why| cannot_change(&why))?.unwrap_or_default();
    match sources::format_of(path) {
        SettingsFormat::Json => changed_json(&text, changes),
        SettingsFormat::Yaml => yaml::changed(&text, changes),
        SettingsFormat::Toml => changed_toml(&text, changes),
    }
}

/// A file of nothing but these values.
pub(super) fn whole(format: SettingsFormat, values: &[Change<'_>]) -> Result<String, ApiError> {
    match format {
        SettingsFormat::Json => changed_json("", values),
        SettingsFormat::Yaml => yaml::changed("", values),
        SettingsFormat::Toml => changed_toml("", values),
    }
}

pub(super) fn cannot_change(why: &str) -> ApiError {
    ApiError::validation(
        format!("the settings file cannot be changed: {why}"),
        "Correct that place in the file, or move the file away.",
    )
}

fn changed_toml(text: &str, changes: &[Change<'_>]) -> Result<String, ApiError> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| cannot_change(error.message()))?;
    for change in changes {
        let name = change.setting.key.split_once('.').map_or("", |(_, name)| name);
        for former in renamed::former(&change.setting.key) {
            remove_toml(&mut document, former);
        }
        match &change.value {
            Some(value) => {
                let group = document.entry(change.setting.group).or_insert_with(|| Item::Table(Table::new()));
                let table = group
                    .as_table_like_mut()
                    .ok_or_else(|| cannot_change(&format!("{} is no group there", change.setting.group)))?;
                let mut value = toml_value(value);
                // A comment after the old value stays behind the new one.
                if let Some(old) = table.get(name).and_then(Item::as_value) {
                    *value.decor_mut() = old.decor().clone();
                }
                table.insert(name, Item::Value(value));
            }
            None => remove_toml(&mut document, &change.setting.key),
        }
    }
    Ok(document.to_string())
}

fn remove_toml(document: &mut DocumentMut, key: &str) {
    let Some((group, name)) = key.split_once('.') else { return };
    if let Some(table) = document.get_mut(group).and_then(Item::as_table_like_mut) {
        table.remove(name);
    }
}

fn toml_value(value: &SettingValue) -> Value {
    match value {
        SettingValue::Bool(value) => Value::from(*value),
        SettingValue::Integer(value) => Value::from(*value),
        SettingValue::Number(value) => Value::from(*value),
        SettingValue::Text(text) => Value::from(text.as_str()),
        SettingValue::List(list) => Value::Array(list.iter().map(String::as_str).collect::<Array>()),
    }
}

fn changed_json(text: &str, changes: &[Change<'_>]) -> Result<String, ApiError> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let mut root: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| cannot_change(&error.to_string()))?;
    for change in changes {
        for name in change.names() {
            let Some((group, name)) = name.split_once('.') else { continue };
            if let Some(group) = root.get_mut(group).and_then(|group| group.as_object_mut()) {
                group.remove(name);
            }
        }
        if let Some(value) = &change.value {
            let name = change.setting.key.split_once('.').map_or("", |(_, name)| name);
            let group = root.entry(change.setting.group).or_insert_with(|| serde_json::json!({}));
            let group = group
                .as_object_mut()
                .ok_or_else(|| cannot_change(&format!("{} is no group there", change.setting.group)))?;
            group.insert(name.to_owned(), serde_json::json!(value));
        }
    }
    let text = serde_json::to_string_pretty(&root).map_err(|error| cannot_change(&error.to_string()))?;
    Ok(text + "\n")
}
