//! Whether an agent can be as somebody wrote it: each fault with the name of its field, in words.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::api::ApiError;
use crate::model::{AgentDraft, AllowedFolder, ModelId, ProviderId};

/// The provider that runs models in this program.
pub const EMBEDDED: &str = "embedded";

/// In characters.
pub const LONGEST_NAME: usize = 80;
pub const LONGEST_DESCRIPTION: usize = 2_000;
pub const LONGEST_TAG: usize = 40;
pub const MOST_TAGS: usize = 20;
/// In bytes.
pub const LARGEST_PROMPT: usize = 64 << 10;
pub const MOST_TOKENS: u32 = 65_536;
pub const MOST_TOOLS: usize = 100;
pub const MOST_FOLDERS: usize = 50;
/// Of the settings of one tool as JSON, in bytes.
const LARGEST_TOOL_SETTINGS: usize = 16 << 10;
const MOST_STEPS: u32 = 1_000;
const MOST_RUN_TOKENS: u32 = 1_000_000;
const MOST_SECONDS: u32 = 86_400;
const MOST_LAST_TASKS: u32 = 20;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// As the field is called in a definition: `name`, `temperature`, `folders`, ….
    pub field: &'static str,
    pub words: String,
    /// It may stay so; the person is told.
    pub warning: bool,
}

/// What an agent is checked against.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// Names of all tools; none when they are not known here.
    pub tools: Option<BTreeSet<String>>,
    /// Ids of all types.
    pub types: Option<BTreeSet<String>>,
    /// The program's own data folder.
    pub data: Option<PathBuf>,
    pub home: Option<PathBuf>,
}

/// The draft in its usual form: names without spaces around them, each tag once.
#[must_use]
pub fn tidy(mut draft: AgentDraft) -> AgentDraft {
    for text in [&mut draft.name, &mut draft.description, &mut draft.kind, &mut draft.provider, &mut draft.avatar] {
        *text = text.trim().to_owned();
    }
    let mut seen = BTreeSet::new();
    draft.tags = draft.tags.iter().map(|tag| tag.trim().to_owned()).collect();
    draft.tags.retain(|tag| !tag.is_empty() && seen.insert(tag.to_lowercase()));
    let mut seen = BTreeSet::new();
    draft.folders.retain(|folder| seen.insert(folder.path.clone()));
    draft
}

/// All faults of the fields, without a look at the disk.
pub fn faults(draft: &AgentDraft, ground: &Ground) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut wrong = |field, words: String| found.push(Fault { field, words, warning: false });
    let name = draft.name.trim();
    if name.is_empty() {
        wrong("name", "give it a name".to_owned());
    } else if name.chars().count() > LONGEST_NAME {
        wrong("name", format!("it has at most {LONGEST_NAME} characters"));
    } else if name.chars().any(char::is_control) {
        wrong("name", "it holds no control characters".to_owned());
    }
    if draft.description.chars().count() > LONGEST_DESCRIPTION {
        wrong("description", format!("it has at most {LONGEST_DESCRIPTION} characters"));
    }
    if ground.types.as_ref().is_some_and(|types| !types.contains(draft.kind.trim())) {
        wrong("type", format!("there is no type {:?}", short(&draft.kind)));
    }
    if let Some(words) = provider_words(draft) {
        wrong("provider", words);
    }
    if !(0.0..=2.0).contains(&draft.temperature) {
        wrong("temperature", "it is a number from 0.0 to 2.0".to_owned());
    }
    if !(1..=MOST_TOKENS).contains(&draft.max_tokens) {
        wrong("max_tokens", format!("it is a number from 1 to {MOST_TOKENS}"));
    }
    if draft.system_prompt.len() > LARGEST_PROMPT {
        wrong("prompt", format!("it has {} bytes, more than {LARGEST_PROMPT}", draft.system_prompt.len()));
    } else if draft.system_prompt.contains('\0') {
        wrong("prompt", "it holds a zero byte".to_owned());
    }
    if draft.tags.len() > MOST_TAGS {
        wrong("tags", format!("there are at most {MOST_TAGS}"));
    } else if let Some(tag) =
        draft.tags.iter().find(|tag| tag.chars().count() > LONGEST_TAG || tag.chars().any(char::is_control))
    {
        wrong("tags", format!("{:?} is no tag: at most {LONGEST_TAG} characters, no control characters", short(tag)));
    }
    if draft.avatar.len() > 40 || draft.avatar.chars().any(|c| !(c.is_ascii_alphanumeric() || "_-".contains(c))) {
        wrong("avatar", "it is the name of an icon".to_owned());
    }
    for (field, value, most) in [
        ("budget.steps", draft.budget.steps, MOST_STEPS),
        ("budget.tokens", draft.budget.tokens, MOST_RUN_TOKENS),
        ("budget.seconds", draft.budget.seconds, MOST_SECONDS),
    ] {
        if !(1..=most).contains(&value) {
            wrong(field, format!("it is a number from 1 to {most}"));
        }
    }
    if draft.memory.last_tasks > MOST_LAST_TASKS {
        wrong("memory.last_tasks", format!("it is a number from 0 to {MOST_LAST_TASKS}"));
    }
    found.extend(tool_faults(draft, ground));
    found.extend(folder_faults(draft, ground));
    found
}

/// What is wrong with where the model runs. Whether the provider is set up is seen when it is asked.
fn provider_words(draft: &AgentDraft) -> Option<String> {
    let provider = draft.provider.trim();
    if provider == EMBEDDED {
        return None;
    }
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if provider.is_empty() || provider.len() > 40 || !provider.chars().all(is_letter) {
        return Some(format!("{:?} is no id of a provider, such as {EMBEDDED:?} or \"openai\"", short(provider)));
    }
    match &draft.model {
        None => Some(format!("choose one of the models of {provider:?} too, or {EMBEDDED:?}")),
        Some(_) => None,
    }
}

/// The model that the agent names, as the router knows it: one of its provider where that is a server.
pub fn model_of(draft: &AgentDraft) -> Option<ModelId> {
    let model = draft.model.as_ref()?;
    let provider = ProviderId(draft.provider.trim().to_owned());
    match provider.is_embedded() || model.split().0 == provider {
        true => Some(model.clone()),
        false => Some(ModelId::of(&provider, &model.0)),
    }
}

fn tool_faults(draft: &AgentDraft, ground: &Ground) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut wrong = |words| found.push(Fault { field: "tools", words, warning: false });
    if draft.tools.len() > MOST_TOOLS {
        wrong(format!("there are at most {MOST_TOOLS}"));
        return found;
    }
    for (name, rule) in &draft.tools {
        if ground.tools.as_ref().is_some_and(|tools| !tools.contains(name)) {
            wrong(format!("there is no tool {:?}", short(name)));
        }
        let size: usize = rule.settings.iter().map(|(key, value)| key.len() + value.to_string().len()).sum();
        if size > LARGEST_TOOL_SETTINGS {
            wrong(format!("the settings of {} have {size} bytes, more than {LARGEST_TOOL_SETTINGS}", short(name)));
        }
    }
    found
}

fn folder_faults(draft: &AgentDraft, ground: &Ground) -> Vec<Fault> {
    let mut found = Vec::new();
    if draft.folders.len() > MOST_FOLDERS {
        let words = format!("there are at most {MOST_FOLDERS}");
        found.push(Fault { field: "folders", words, warning: false });
        return found;
    }
    for folder in &draft.folders {
        if let Some(words) = refused(folder, ground) {
            found.push(Fault { field: "folders", words, warning: false });
        } else if folder.write && ground.home.as_deref() == Some(folder.path.as_path()) {
            let words = "it may write in your whole home folder; a folder of its own is safer".to_owned();
            found.push(Fault { field: "folders", words, warning: true });
        }
    }
    found
}

/// Why an agent may not have this folder, as far as its path alone tells.
fn refused(folder: &AllowedFolder, ground: &Ground) -> Option<String> {
    let path = &folder.path;
    let shown = path.display();
    if !path.is_absolute() {
        return Some(format!("{shown} is no absolute path"));
    }
    if path.components().any(|part| matches!(part, std::path::Component::ParentDir)) {
        return Some(format!("{shown} leads back with \"..\""));
    }
    if path.parent().is_none() {
        return Some(format!("{shown} is the whole disk; choose a folder"));
    }
    let data = ground.data.as_deref()?;
    if path.starts_with(data) || (data.starts_with(path) && ground.home.as_deref() != Some(path.as_path())) {
        return Some(format!("{shown} holds the program's own data"));
    }
    None
}

/// The draft in its usual form, if it can be. `before` is the agent as it was: tools, a type and folders that it already
/// had may stay although they are gone.
///
/// # Errors
/// Category validation; the message names the field.
pub fn checked(draft: AgentDraft, before: Option<&AgentDraft>, ground: &Ground) -> Result<AgentDraft, ApiError> {
    let draft = tidy(draft);
    let mut ground = ground.clone();
    if let Some(before) = before {
        if let Some(tools) = &mut ground.tools {
            tools.extend(before.tools.keys().cloned());
        }
        if let Some(types) = &mut ground.types {
            types.insert(before.kind.clone());
        }
    }
    if let Some(fault) = faults(&draft, &ground).into_iter().find(|fault| !fault.warning) {
        return Err(error(&fault));
    }
    for folder in &draft.folders {
        let was_there = before.is_some_and(|before| before.folders.iter().any(|known| known.path == folder.path));
        if let Some(words) = on_disk(folder, &ground).filter(|_| !was_there) {
            return Err(error(&Fault { field: "folders", words, warning: false }));
        }
    }
    Ok(draft)
}

/// Why this folder cannot be used, as a look at the disk tells.
pub fn on_disk(folder: &AllowedFolder, ground: &Ground) -> Option<String> {
    let shown = folder.path.display();
    let real = match folder.path.canonicalize() {
        Ok(real) => real,
        Err(problem) => return Some(format!("{shown} cannot be opened: {problem}")),
    };
    if !real.is_dir() {
        return Some(format!("{shown} is no folder"));
    }
    // Where links lead counts.
    let data = ground.data.as_deref().and_then(|data| data.canonicalize().ok());
    let home = ground.home.as_deref().and_then(|home| home.canonicalize().ok());
    let real_ground = Ground { data, home, ..Ground::default() };
    refused(&AllowedFolder { path: real, write: folder.write }, &real_ground)
        .map(|_| format!("{shown} is a link to a place that no agent gets, or holds the program's own data"))
}

/// Whether agents may be given this folder at all.
///
/// # Errors
/// Category validation, in words.
pub fn folder(folder: &AllowedFolder, ground: &Ground) -> Result<(), ApiError> {
    match refused(folder, ground).or_else(|| on_disk(folder, ground)) {
        Some(words) => Err(error(&Fault { field: "folders", words, warning: false })),
        None => Ok(()),
    }
}

fn error(fault: &Fault) -> ApiError {
    ApiError::validation(format!("{}: {}", fault.field, fault.words), advice(fault.field))
}

fn advice(field: &str) -> &'static str {
    match field {
        "tools" => "`rspa agents tools` shows all that there are.",
        "type" => "`rspa agents types` shows all that there are.",
        "folders" => "Choose an existing folder that is not the program's own.",
        _ => "Change it and try again.",
    }
}

/// For messages: hostile texts are long.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
