//! The text of a definition, which a type's folder and an exported agent share: TOML, YAML or JSON, read within limits.

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

pub use read::{LARGEST, Wrong, any, json, toml, yaml};

use crate::model::{AgentDraft, AgentMemory, Budget, ModelId, Permission, RoutineCall, ToolRule};

/// What the text of a definition says. All but the name may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The name of an icon.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// In an exported agent: the id of its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default = "embedded")]
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default = "usual_temperature")]
    pub temperature: f64,
    #[serde(default = "usual_tokens")]
    pub max_tokens: u32,
    /// False when the routine is all.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub uses_model: bool,
    /// The response cache may answer in place of its model.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub cache: bool,
    /// A file beside the definition; `prompt.md` when neither is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_file: Option<String>,
    /// The system prompt itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default)]
    pub budget: PartialBudget,
    #[serde(default)]
    pub memory: PartialMemory,
    #[serde(default)]
    pub tools: BTreeMap<String, ToolWord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routine: Vec<RoutineCall>,
}

fn embedded() -> String {
    super::validate::EMBEDDED.to_owned()
}

fn usual_temperature() -> f64 {
    0.7
}

fn usual_tokens() -> u32 {
    1_024
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialBudget {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialMemory {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_tasks: Option<u32>,
}

/// A tool in a definition: `"ask"`, or a table with `permission` and `settings`.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolWord(pub ToolRule);

impl Serialize for ToolWord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.settings.is_empty() { self.0.permission.serialize(serializer) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for ToolWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;

        impl<'de> Visitor<'de> for Word {
            type Value = ToolWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"allow\", \"ask\" or \"deny\", or a table with permission and settings")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<ToolWord, E> {
                let permission = match word {
                    "allow" => Permission::Allow,
                    "ask" => Permission::Ask,
                    "deny" => Permission::Deny,
                    other => return Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                };
                Ok(ToolWord(ToolRule { permission, settings: BTreeMap::new() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ToolWord, A::Error> {
                ToolRule::deserialize(MapAccessDeserializer::new(map)).map(ToolWord)
            }
        }

        deserializer.deserialize_any(Word)
    }
}

impl Definition {
    /// The agent that the definition describes, of the type `kind`, with this system prompt. Folders are never part of it.
    pub fn into_draft(self, kind: &str, system_prompt: String) -> AgentDraft {
        let (budget, memory) = (Budget::default(), AgentMemory::default());
        AgentDraft {
            name: self.name,
            description: self.description,
            kind: kind.to_owned(),
            provider: self.provider,
            model: self.model.map(ModelId),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            system_prompt,
            tags: self.tags,
            avatar: self.icon,
            tools: self.tools.into_iter().map(|(name, word)| (name, word.0)).collect(),
            folders: Vec::new(),
            budget: Budget {
                steps: self.budget.steps.unwrap_or(budget.steps),
                tokens: self.budget.tokens.unwrap_or(budget.tokens),
                seconds: self.budget.seconds.unwrap_or(budget.seconds),
            },
            memory: AgentMemory {
                store: self.memory.store.unwrap_or(memory.store),
                last_tasks: self.memory.last_tasks.unwrap_or(memory.last_tasks),
            },
            cache: self.cache,
        }
    }

    /// Nothing that is allowed stays allowed: it is asked.
    pub fn ask_at_most(&mut self) {
        for word in self.tools.values_mut() {
            word.0.permission = word.0.permission.max(Permission::Ask);
        }
    }

    /// The text's form of an agent: what makes it, without folders and without what it did.
    pub fn of(draft: &AgentDraft) -> Self {
        Self {
            name: draft.name.clone(),
            description: draft.description.clone(),
            icon: draft.avatar.clone(),
            kind: Some(draft.kind.clone()),
            provider: draft.provider.clone(),
            model: draft.model.as_ref().map(|model| model.0.clone()),
            temperature: draft.temperature,
            max_tokens: draft.max_tokens,
            uses_model: true,
            cache: draft.cache,
            prompt_file: None,
            prompt: Some(draft.system_prompt.clone()),
            tags: draft.tags.clone(),
            budget: PartialBudget {
                steps: Some(draft.budget.steps),
                tokens: Some(draft.budget.tokens),
                seconds: Some(draft.budget.seconds),
            },
            memory: PartialMemory { store: Some(draft.memory.store), last_tasks: Some(draft.memory.last_tasks) },
            tools: draft.tools.iter().map(|(name, rule)| (name.clone(), ToolWord(rule.clone()))).collect(),
            routine: Vec::new(),
        }
    }
}
