//! Types as folders: read within limits, links never followed, each fault told with its place. What a folder would allow
//! by itself is asked.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{built_in, is_id, parse, problem, type_of};
use crate::agents::definition::{LARGEST, Wrong};
use crate::agents::validate::LARGEST_PROMPT;
use crate::model::{AgentType, AgentTypeList, TypeOrigin, TypeProblem};

/// Folders that are looked at.
const MOST: usize = 200;
const DEFINITIONS: [&str; 3] = ["agent.toml", "agent.yaml", "agent.yml"];
const PROMPT: &str = "prompt.md";

/// Adds the types of this folder, and what is wrong with the others.
pub(super) fn read(folder: &Path, list: &mut AgentTypeList) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // Nobody has dropped anything in yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => return list.problems.push(problem(folder, format!("it cannot be read: {error}"))),
    };
    let mut paths = Vec::new();
    for entry in entries.flatten() {
        if paths.len() == MOST {
            list.problems.push(problem(folder, format!("only {MOST} entries are looked at")));
            break;
        }
        paths.push(entry.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if metadata.is_symlink() {
            list.problems.push(problem(&path, "it is a link; a type is a folder of its own"));
        } else if metadata.is_dir() {
            match read_one(&path, &name) {
                Ok(found) => list.types.push(found),
                Err(wrong) => list.problems.push(wrong),
            }
        }
    }
}

/// The type of one folder.
pub(super) fn read_one(folder: &Path, id: &str) -> Result<AgentType, TypeProblem> {
    if !is_id(id) {
        return Err(problem(folder, "its name is the type's id: small letters, digits and hyphens, 60 at most"));
    }
    if built_in(id).is_some() {
        return Err(problem(folder, "there is a built-in type of this name; rename the folder"));
    }
    if folder.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(problem(folder, "it is a link; a type is a folder of its own"));
    }
    let mut found = DEFINITIONS.iter().filter(|name| folder.join(name).symlink_metadata().is_ok());
    let Some(name) = found.next() else {
        return Err(problem(folder, "it has no agent.toml and no agent.yaml"));
    };
    if found.next().is_some() {
        return Err(problem(folder, "it has more than one definition; keep one"));
    }
    let path = folder.join(name);
    let text = text_of(&path, LARGEST).map_err(|why| problem(&path, why))?;
    let mut definition = parse(name, &text).map_err(|wrong| problem(&path, wrong.to_string()))?;
    definition.ask_at_most();
    let prompt = prompt(folder, &definition.prompt_file, &definition.prompt).map_err(|(at, why)| problem(&at, why))?;
    type_of(id, definition, prompt, TypeOrigin::Folder(folder.to_owned()))
        .map_err(|Wrong { words, .. }| problem(&path, words))
}

type Misplaced = (std::path::PathBuf, String);

fn prompt(folder: &Path, file: &Option<String>, text: &Option<String>) -> Result<String, Misplaced> {
    match (file, text) {
        (Some(_), Some(_)) => Err((folder.to_owned(), "it has both prompt and prompt_file; keep one".to_owned())),
        (None, Some(text)) => Ok(text.trim().to_owned()),
        (Some(name), None) => {
            let plain = Path::new(name).file_name().is_some_and(|own| own == name.as_str()) && !name.contains('\\');
            if !plain || name.len() > 200 || name.chars().any(char::is_control) {
                let shown: String = name.chars().take(60).collect();
                return Err((folder.to_owned(), format!("prompt_file: {shown:?} is no file beside the definition")));
            }
            let path = folder.join(name);
            text_of(&path, LARGEST_PROMPT).map(|text| text.trim().to_owned()).map_err(|why| (path, why))
        }
        (None, None) => {
            let path = folder.join(PROMPT);
            if path.symlink_metadata().is_err() {
                return Ok(String::new());
            }
            text_of(&path, LARGEST_PROMPT).map(|text| text.trim().to_owned()).map_err(|why| (path, why))
        }
    }
}

/// The text of a plain file: no link, no pipe, no more than `most` bytes.
fn text_of(path: &Path, most: usize) -> Result<String, String> {
    let mut options = File::options();
    options.read(true);
    // A link is refused, and a pipe does not hold the program.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let metadata = path.symlink_metadata().map_err(|error| format!("it cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("it is no plain file".to_owned());
    }
    let file = options.open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("it is no plain file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() > most {
        return Err(format!("it has more than {most} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_error| "it is no UTF-8 text".to_owned())?;
    // Some editors put it first.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
