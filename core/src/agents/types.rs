//! Types of agents: those inside the executable, and folders that the person dropped into the data folder.

mod built_in;
mod folder;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use built_in::{built_in, built_ins};

use super::definition::{self, Definition, Wrong};
use super::validate::{self, Ground};
use crate::model::{AgentType, AgentTypeList, RoutineCall, TypeOrigin, TypeProblem};

/// Calls of one routine.
const MOST_CALLS: usize = 50;
/// Of one routine as JSON, in bytes.
const LARGEST_ROUTINE: usize = 64 << 10;

/// Where types of the person's own lie in a data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join("agents")
}

/// All types as they are on the disk now: built-in ones first, then the person's own by id.
pub fn list(data: &Path) -> AgentTypeList {
    let own = folder(data);
    let mut list = AgentTypeList { types: built_ins().to_vec(), problems: Vec::new(), folder: own.clone() };
    folder::read(&own, &mut list);
    list
}

/// The type of this id, as it is on the disk now.
pub fn find(data: &Path, id: &str) -> Option<AgentType> {
    built_in(id).or_else(|| {
        let own = folder(data).join(id);
        if is_id(id) { folder::read_one(&own, id).ok() } else { None }
    })
}

/// Letters, digits and hyphens, 60 at most.
fn is_id(id: &str) -> bool {
    (1..=60).contains(&id.len())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !id.starts_with('-')
}

/// The type that a definition describes.
fn type_of(id: &str, definition: Definition, prompt: String, origin: TypeOrigin) -> Result<AgentType, Wrong> {
    let wrong = |words: String| Wrong { line: None, words };
    if definition.kind.is_some() {
        return Err(wrong("kind: a type is no agent; leave it out".to_owned()));
    }
    if definition.routine.len() > MOST_CALLS {
        return Err(wrong(format!("routine: there are at most {MOST_CALLS} calls")));
    }
    let size: usize = definition.routine.iter().map(call_size).sum();
    if size > LARGEST_ROUTINE {
        return Err(wrong(format!("routine: it has {size} bytes, more than {LARGEST_ROUTINE}")));
    }
    if let Some(call) = definition.routine.iter().find(|call| !is_tool(&call.tool)) {
        return Err(wrong(format!("routine: {:?} is no name of a tool", call.tool)));
    }
    if !definition.uses_model && definition.routine.is_empty() {
        return Err(wrong("routine: without one and without a model nothing would be done".to_owned()));
    }
    let (routine, uses_model) = (definition.routine.clone(), definition.uses_model);
    let defaults = validate::tidy(definition.into_draft(id, prompt));
    if let Some(fault) = validate::faults(&defaults, &Ground::default()).into_iter().find(|fault| !fault.warning) {
        return Err(wrong(format!("{}: {}", fault.field, fault.words)));
    }
    if let Some(name) = defaults.tools.keys().find(|name| !is_tool(name)) {
        return Err(wrong(format!("tools: {name:?} is no name of a tool")));
    }
    Ok(AgentType {
        id: id.to_owned(),
        name: defaults.name.clone(),
        description: defaults.description.clone(),
        icon: defaults.avatar.clone(),
        origin,
        defaults,
        routine,
        uses_model,
    })
}

fn call_size(call: &RoutineCall) -> usize {
    call.tool.len() + call.arguments.to_string().len()
}

fn is_tool(name: &str) -> bool {
    (1..=80).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn problem(path: &Path, why: impl Into<String>) -> TypeProblem {
    TypeProblem { path: path.to_owned(), why: why.into() }
}

fn parse(name: &str, text: &str) -> Result<Definition, Wrong> {
    if name.ends_with(".toml") { definition::toml(text) } else { definition::yaml(text) }
}
