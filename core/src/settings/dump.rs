//! What a report of a fault needs to know about settings and system, without what is nobody's business.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Settings;
use crate::model::SettingValue;
use crate::observe::redact;

/// Facts beyond the settings, by name, and what must not appear.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub system: BTreeMap<String, Value>,
    /// Texts to hide and what stands in their place, the longest first: `/home/ada` by `~`.
    pub hidden: Vec<(String, String)>,
}

impl Settings {
    /// Version, settings with their origins, problems and the facts, as JSON for people to read.
    pub fn dump(&self, facts: &Facts) -> String {
        let settings: Vec<Value> = self
            .list()
            .into_iter()
            .map(|entry| {
                json!({
                    "key": entry.key,
                    "value": shown(&entry.key, &entry.value),
                    "default": entry.value == entry.default,
                    "origin": entry.origin,
                    "place": entry.place,
                    "waiting_for_restart": entry.waiting_for_restart,
                    "held": entry.held.is_some(),
                    "problem": entry.problem,
                })
            })
            .collect();
        let mut dump = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "system": facts.system,
            "problems": self.problems(),
            "migrated": self.migrated(),
            "settings": settings,
        });
        hide(&mut dump, facts);
        serde_json::to_string_pretty(&dump).unwrap_or_default() + "\n"
    }
}

/// Hosts and folders say who somebody works for: their number is enough.
fn shown(key: &str, value: &SettingValue) -> Value {
    match value {
        SettingValue::List(list) => json!(format!("{} entries", list.len())),
        SettingValue::Text(text) if key.ends_with("folder") && !text.is_empty() => json!("a folder"),
        value => json!(value),
    }
}

fn hide(value: &mut Value, facts: &Facts) {
    match value {
        Value::String(text) => {
            let mut clean = redact(text);
            for (hidden, instead) in facts.hidden.iter().filter(|(hidden, _)| !hidden.is_empty()) {
                clean = clean.replace(hidden, instead);
            }
            *text = clean;
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| hide(inner, facts)),
        Value::Object(map) => map.values_mut().for_each(|inner| hide(inner, facts)),
        _ => {}
    }
}
