//! Puts the layers over each other: the highest allowed value of each setting, with its origin, place and problem.

use std::collections::BTreeMap;

use super::groups::{Current, Setting, schema};
use super::sources::Layer;
use super::{guard, parse};
use crate::model::{SettingEntry, SettingOrigin, SettingValue};

/// The outcome for all settings.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    chosen: BTreeMap<String, Chosen>,
    /// Why a setting's value somewhere was not usable.
    problem_of: BTreeMap<String, String>,
    /// What is wrong beyond single settings.
    pub problems: Vec<String>,
    /// Values that wait for the person's word, by key.
    held: BTreeMap<String, SettingValue>,
    /// What files and variables say of guarded settings, as far as it may count, before the rules between settings.
    declared: BTreeMap<String, SettingValue>,
}

/// A value above the default.
#[derive(Clone, Debug, PartialEq)]
struct Chosen {
    value: SettingValue,
    origin: SettingOrigin,
    place: String,
}

/// A rule between settings: the one to blame, and what is wrong if it is.
struct Rule {
    culprit: &'static str,
    check: fn(&Current) -> Option<String>,
}

const RULES: &[Rule] = &[
    Rule {
        culprit: "models.max_context",
        check: |current| match current.models.max_context {
            1..512 => Some("models.max_context must be 0 or at least 512".to_owned()),
            _ => None,
        },
    },
    Rule {
        culprit: "models.max_tokens",
        check: |current| {
            let (most, context) = (current.models.max_tokens, current.models.max_context);
            (context > 0 && most > context)
                .then(|| format!("models.max_tokens ({most}) is more than models.max_context ({context})"))
        },
    },
    Rule {
        culprit: "network.policy",
        check: |current| {
            let empty = current.network.policy == "listed" && current.network.hosts.is_empty();
            empty.then(|| "network.policy is listed, but network.hosts lists none".to_owned())
        },
    },
    Rule {
        culprit: "backups.second_folder",
        check: |current| {
            let backups = &current.backups;
            let same = !backups.second_folder.is_empty() && backups.second_folder == backups.folder;
            same.then(|| "backups.second_folder is the same folder as backups.folder".to_owned())
        },
    },
];

impl Resolved {
    pub fn defaults() -> Self {
        Self {
            chosen: BTreeMap::new(),
            problem_of: BTreeMap::new(),
            problems: Vec::new(),
            held: BTreeMap::new(),
            declared: BTreeMap::new(),
        }
    }

    /// `layers` lowest first. A value that is not allowed leaves the last good one of the same origin in force (from
    /// `last`), else the next lower layer's.
    pub fn from_layers(layers: &[Layer], last: Option<&Self>) -> Self {
        let mut resolved = Self::defaults();
        for layer in layers {
            if let Some(why) = &layer.broken {
                resolved.problems.push(why.clone());
                if let Some(last) = last {
                    let kept = last.chosen.iter().filter(|(_, chosen)| chosen.origin == layer.origin);
                    resolved.chosen.extend(kept.map(|(key, chosen)| (key.clone(), chosen.clone())));
                }
            }
            resolved.problems.extend(layer.unknown.iter().cloned());
            if layer.origin != SettingOrigin::File {
                let renamed =
                    layer.renamed.iter().map(|(old, new)| format!("{old} is now called {new}; both are read"));
                resolved.problems.extend(renamed);
            }
            for found in &layer.values {
                match &found.value {
                    Ok(value) => {
                        resolved.problem_of.remove(&found.key);
                        let (value, place) = (value.clone(), found.place.clone());
                        resolved.chosen.insert(found.key.clone(), Chosen { value, origin: layer.origin, place });
                    }
                    Err(why) => resolved.reject(&found.key, layer.origin, &found.place, why, last),
                }
            }
        }
        let guarded = resolved.chosen.iter().filter(|(key, _)| guard::is_guarded(key));
        resolved.declared = guarded.map(|(key, chosen)| (key.clone(), chosen.value.clone())).collect();
        resolved.apply_rules();
        resolved
    }

    fn reject(&mut self, key: &str, origin: SettingOrigin, place: &str, why: &str, last: Option<&Self>) {
        let good = last.and_then(|last| last.chosen.get(key)).filter(|chosen| chosen.origin == origin);
        if let Some(good) = good {
            self.chosen.insert(key.to_owned(), good.clone());
        }
        self.problem_of.insert(key.to_owned(), format!("{place}: {why}; the last good value stays in force"));
    }

    /// A setting that breaks a rule falls back to its default.
    fn apply_rules(&mut self) {
        for rule in RULES {
            if let Some(why) = (rule.check)(&self.current()) {
                let place = self.chosen.remove(rule.culprit).map_or_else(String::new, |chosen| chosen.place + ": ");
                self.problem_of.insert(rule.culprit.to_owned(), format!("{place}{why}; the default is in force"));
            }
        }
    }

    /// Keeps the values of `last` where this one allows more and nobody has said that it may: `accepted` are the keys that
    /// somebody has just set.
    pub fn hold_back(&mut self, last: &Self, accepted: &[&str]) {
        for setting in schema().iter().filter(|setting| guard::is_guarded(&setting.key)) {
            let key = setting.key.as_str();
            let (before, after) = (last.value(setting), self.value(setting));
            // What stood there before and was only kept out by a rule may come in.
            let known = last.declared.get(key) == Some(&after);
            if accepted.contains(&key) || known || !guard::allows_more(key, &before, &after) {
                continue;
            }
            match last.declared.get(key) {
                Some(declared) => self.declared.insert(key.to_owned(), declared.clone()),
                None => self.declared.remove(key),
            };
            let place = match self.chosen.remove(key) {
                Some(chosen) => chosen.place,
                None => "the settings file".to_owned(),
            };
            if let Some(chosen) = last.chosen.get(key) {
                self.chosen.insert(key.to_owned(), chosen.clone());
            }
            let why = format!(
                "{place}: {key} was changed to {} while rspa runs, which allows more than {}; what was in force stays \
                 until you accept the change here or start rspa again",
                parse::describe(&after),
                parse::describe(&before)
            );
            self.problem_of.insert(key.to_owned(), why);
            self.held.insert(key.to_owned(), after);
        }
        if !self.held.is_empty() {
            self.apply_rules();
        }
    }

    fn value(&self, setting: &Setting) -> SettingValue {
        self.chosen.get(&setting.key).map_or_else(|| setting.default.clone(), |chosen| chosen.value.clone())
    }

    /// The value of every setting, by key.
    pub fn values(&self) -> BTreeMap<String, SettingValue> {
        schema().iter().map(|setting| (setting.key.clone(), self.value(setting))).collect()
    }

    pub fn current(&self) -> Current {
        Current::from_values(&self.chosen.iter().map(|(key, chosen)| (key.clone(), chosen.value.clone())).collect())
    }

    pub fn problem(&self, key: &str) -> Option<&str> {
        self.problem_of.get(key).map(String::as_str)
    }

    /// Where the value in force came from, if it is not the default.
    pub fn origin(&self, key: &str) -> Option<(SettingOrigin, &str)> {
        self.chosen.get(key).map(|chosen| (chosen.origin, chosen.place.as_str()))
    }

    pub fn entries(&self) -> Vec<SettingEntry> {
        schema()
            .iter()
            .map(|setting| {
                let chosen = self.chosen.get(&setting.key);
                SettingEntry {
                    key: setting.key.clone(),
                    group: setting.group.to_owned(),
                    label: setting.label.to_owned(),
                    description: setting.description.to_owned(),
                    kind: setting.kind.clone(),
                    value: chosen.map_or_else(|| setting.default.clone(), |chosen| chosen.value.clone()),
                    default: setting.default.clone(),
                    origin: chosen.map_or(SettingOrigin::Default, |chosen| chosen.origin),
                    place: chosen.map(|chosen| chosen.place.clone()),
                    needs_restart: setting.needs_restart,
                    waiting_for_restart: false,
                    held: self.held.get(&setting.key).cloned(),
                    problem: self.problem_of.get(&setting.key).cloned(),
                }
            })
            .collect()
    }
}
