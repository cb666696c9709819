//! What flags say of an agent.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use rspa_core::api::request::agents::ListAgentTypes;
use rspa_core::model::{AgentDraft, AllowedFolder, ModelId, Permission, ToolRule};

use crate::cli::failure::Failure;
use crate::cli::output::{one_line, path_text};
use crate::cli::session::Session;
use crate::cli::typed;

/// Of a file that is read whole, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

#[derive(Args)]
pub struct DraftArguments {
    #[arg(long)]
    description: Option<String>,
    /// The id of an installed model; "default" takes the default one
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// Where its model runs: "embedded" is in this program, others as `rspa providers list` names them
    #[arg(long)]
    provider: Option<String>,
    /// 0.0 to 2.0
    #[arg(long)]
    temperature: Option<f64>,
    /// Of one answer of the model
    #[arg(long)]
    max_tokens: Option<u32>,
    /// The system prompt
    #[arg(long, value_name = "TEXT|@FILE")]
    prompt: Option<String>,
    /// May be given several times; takes the place of all tags
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The name of an icon
    #[arg(long, value_name = "ICON")]
    avatar: Option<String>,
    /// May be given several times: what the agent may do with a tool; "none" takes it away
    #[arg(long = "tool", value_name = "TOOL=allow|ask|deny|none")]
    tools: Vec<String>,
    /// May be given several times: a folder that its tools may read, with :rw also write
    #[arg(long = "folder", value_name = "PATH[:rw]")]
    folders: Vec<PathBuf>,
    /// Takes a folder away
    #[arg(long = "no-folder", value_name = "PATH")]
    no_folders: Vec<PathBuf>,
    /// Model calls of one run
    #[arg(long)]
    steps: Option<u32>,
    /// Tokens that the model writes in one run
    #[arg(long)]
    budget_tokens: Option<u32>,
    /// Seconds of one run
    #[arg(long)]
    seconds: Option<u32>,
    /// Whether it may read and write its own data
    #[arg(long, value_name = "true|false")]
    store: Option<bool>,
    /// Outcomes of so many of its last tasks stand in its prompt
    #[arg(long)]
    last_tasks: Option<u32>,
    /// No stored answer takes the place of its model
    #[arg(long)]
    no_cache: bool,
    /// A stored answer may take the place of its model
    #[arg(long, conflicts_with = "no_cache")]
    cache: bool,
}

impl DraftArguments {
    /// The draft with all that was given.
    pub fn apply(self, mut draft: AgentDraft) -> Result<AgentDraft, Failure> {
        set(&mut draft.description, self.description);
        set(&mut draft.provider, self.provider);
        set(&mut draft.temperature, self.temperature);
        set(&mut draft.max_tokens, self.max_tokens);
        set(&mut draft.avatar, self.avatar);
        set(&mut draft.budget.steps, self.steps);
        set(&mut draft.budget.tokens, self.budget_tokens);
        set(&mut draft.budget.seconds, self.seconds);
        set(&mut draft.memory.store, self.store);
        set(&mut draft.memory.last_tasks, self.last_tasks);
        if self.no_cache || self.cache {
            draft.cache = self.cache;
        }
        if let Some(model) = self.model {
            draft.model = (model != "default").then_some(ModelId(model));
        }
        if let Some(prompt) = self.prompt {
            draft.system_prompt = match prompt.strip_prefix('@') {
                Some(file) => text_of_file(Path::new(file), "prompt")?,
                None => prompt,
            };
        }
        if !self.tags.is_empty() {
            draft.tags = self.tags;
        }
        for given in &self.tools {
            let (name, word) = word_of(given)?;
            match word {
                Some(permission) => {
                    let rule = ToolRule { permission, settings: Default::default() };
                    draft.tools.entry(name).or_insert(rule).permission = permission;
                }
                None => drop(draft.tools.remove(&name)),
            }
        }
        for given in &self.no_folders {
            let path = absolute(given);
            draft.folders.retain(|folder| folder.path != path && folder.path != *given);
        }
        for given in &self.folders {
            let folder = folder_of(given);
            draft.folders.retain(|known| known.path != folder.path);
            draft.folders.push(folder);
        }
        Ok(draft)
    }
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

/// What a new agent of this type begins with, under this name.
pub fn of_type(session: &Session, kind: &str, name: String) -> Result<AgentDraft, Failure> {
    let known = session.call(ListAgentTypes {})?.types;
    let found = known.into_iter().find(|known| known.id == kind).ok_or_else(|| {
        Failure::validation(format!("there is no type '{}'", one_line(kind)), "Run rspa agents types to see all.")
    })?;
    Ok(AgentDraft { name, ..found.defaults })
}

/// `TOOL=WORD`; none for "none" and "agents".
pub fn word_of(given: &str) -> Result<(String, Option<Permission>), Failure> {
    let wrong = || {
        let words = format!("'{}' is not TOOL=allow, TOOL=ask or TOOL=deny", one_line(given));
        Failure::validation(words, "Run rspa agents tools to see the names.")
    };
    let (name, word) = given.split_once('=').ok_or_else(wrong)?;
    let permission = match word.trim().to_lowercase().as_str() {
        "allow" => Some(Permission::Allow),
        "ask" => Some(Permission::Ask),
        "deny" => Some(Permission::Deny),
        "none" | "agents" => None,
        _ => return Err(wrong()),
    };
    Ok((name.trim().to_owned(), permission))
}

/// `PATH`, `PATH:ro` or `PATH:rw`.
fn folder_of(given: &Path) -> AllowedFolder {
    let shown = given.to_str();
    let (path, write) = match shown.and_then(|text| text.strip_suffix(":rw")) {
        Some(path) => (PathBuf::from(path), true),
        None => {
            (shown.and_then(|text| text.strip_suffix(":ro")).map_or_else(|| given.to_owned(), PathBuf::from), false)
        }
    };
    AllowedFolder { path: absolute(&path), write }
}

/// As the core wants it; what does not exist is refused there.
pub fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_missing| std::path::absolute(path)).unwrap_or_else(|_empty| path.to_owned())
}

/// The text of a file, or of standard input for `-`.
pub fn text_of_file(path: &Path, what: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path).map_err(|error| {
            Failure::validation(format!("{} cannot be opened: {error}", path_text(path)), "Check the path.")
        })?;
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Failure::validation(
            format!("the {what} is longer than {LARGEST_FILE} bytes"),
            "Give a shorter one.",
        ));
    }
    typed::decode(bytes, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_and_folders_are_read_from_flags() {
        assert!(matches!(word_of("read_file = Ask").ok(), Some((name, Some(Permission::Ask))) if name == "read_file"));
        assert!(matches!(word_of("read_file=none").ok(), Some((_, None))));
        assert!(word_of("read_file").is_err() && word_of("read_file=maybe").is_err());
        let place = std::env::temp_dir().canonicalize().unwrap();
        let with = |suffix: &str| folder_of(Path::new(&format!("{}{suffix}", place.display())));
        assert_eq!(with(":rw"), AllowedFolder { path: place.clone(), write: true });
        assert_eq!(with(":ro"), AllowedFolder { path: place.clone(), write: false });
        assert_eq!(with(""), AllowedFolder { path: place.clone(), write: false });
    }
}
