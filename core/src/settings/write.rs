//! The settings file's text with some values changed; comments and everything else stay as they are.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::{Setting, sources};
use crate::api::ApiError;
use crate::model::SettingValue;

/// A value of none removes the setting.
pub(super) fn changed_text(path: &Path, changes: &[(&Setting, Option<SettingValue>)]) -> Result<String, ApiError> {
    let text = sources::read_text(path).map_err(|why| cannot_change(&why))?.unwrap_or_default();
    if path.extension().is_some_and(|extension| extension == "json") {
        changed_json(&text, changes)
    } else {
        changed_toml(&text, changes)
    }
}

fn cannot_change(why: &str) -> ApiError {
    ApiError::validation(
        format!("the settings file cannot be changed: {why}"),
        "Correct that place in the file, or move the file away.",
    )
}

fn changed_toml(text: &str, changes: &[(&Setting, Option<SettingValue>)]) -> Result<String, ApiError> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| cannot_change(error.message()))?;
    for (setting, value) in changes {
        let name = setting.key.split_once('.').map_or("", |(_, name)| name);
        match value {
            Some(value) => {
                let group = document.entry(setting.group).or_insert_with(|| Item::Table(Table::new()));
                let table = group
                    .as_table_like_mut()
                    .ok_or_else(|| cannot_change(&format!("{} is no group there", setting.group)))?;
                let mut value = toml_value(value);
                // A comment after the old value stays behind the new one.
                if let Some(old) = table.get(name).and_then(Item::as_value) {
                    *value.decor_mut() = old.decor().clone();
                }
                table.insert(name, Item::Value(value));
            }
            None => {
                if let Some(table) = document.get_mut(setting.group).and_then(Item::as_table_like_mut) {
                    table.remove(name);
                }
            }
        }
    }
    Ok(document.to_string())
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

fn changed_json(text: &str, changes: &[(&Setting, Option<SettingValue>)]) -> Result<String, ApiError> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let mut root: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| cannot_change(&error.to_string()))?;
    for (setting, value) in changes {
        let name = setting.key.split_once('.').map_or("", |(_, name)| name);
        match value {
            Some(value) => {
                let group = root.entry(setting.group).or_insert_with(|| serde_json::json!({}));
                let group = group
                    .as_object_mut()
                    .ok_or_else(|| cannot_change(&format!("{} is no group there", setting.group)))?;
                group.insert(name.to_owned(), serde_json::json!(value));
            }
            None => {
                if let Some(group) = root.get_mut(setting.group).and_then(|group| group.as_object_mut()) {
                    group.remove(name);
                }
            }
        }
    }
    serde_json::to_string_pretty(&root).map_err(|error| cannot_change(&error.to_string()))
}
