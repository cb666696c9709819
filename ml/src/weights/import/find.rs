//! Finds the models among a source's files and names their places in the model folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::source::{Entry, Place, Source};
use crate::{Error, Result};

/// What makes a folder an encoder.
const ENCODER_NEEDS: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];
/// What of such a folder is copied; nothing else is looked at.
const ENCODER_TAKES: [&str; 14] = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "1_Pooling/config.json",
    "vocab.txt",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
    "LICENSE.md",
];
/// Largest of the files beside the weights.
const MAX_SMALL_FILE: u64 = 64 << 20;
/// Folder names that say nothing about the model inside.
const NAMELESS: [&str; 6] = ["", "model", "models", "snapshots", "onnx", "0"];
const MAX_NAME: usize = 80;

/// One model: a .gguf file, or an encoder's folder.
#[derive(Debug)]
pub(super) struct FoundModel {
    /// File or folder name in the model folder.
    pub(super) target: String,
    pub(super) members: Vec<FoundMember>,
}

pub(super) struct FoundMember {
    /// Name inside the model's folder; none where the model is one file.
    pub(super) name: Option<String>,
    pub(super) size: u64,
    pub(super) is_gguf: bool,
    pub(super) place: Place,
    /// For messages: the source with the name inside it.
    pub(super) shown: PathBuf,
}

impl std::fmt::Debug for FoundMember {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({} bytes)", self.shown.display(), self.size)
    }
}

/// The models in `source`, which was opened from `path`, by name.
pub(super) fn models(path: &Path, source: &mut Source) -> Result<Vec<FoundModel>> {
    let entries: BTreeMap<String, Entry> =
        source.entries()?.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
    let mut models = Vec::new();
    let mut taken = BTreeSet::new();
    for entry in entries.values().filter(|entry| has_gguf_name(&entry.name)) {
        if is_part_of_a_split(&entry.name) {
            return Err(Error::malformed(
                path.join(&entry.name),
                "it is one part of a model that was split into several files; join them first (llama-gguf-split --merge)",
            ));
        }
        let stem = file_name(&entry.name);
        let stem = &stem[..stem.len() - ".gguf".len()];
        let target = format!("{}.gguf", unused(&safe_name(stem, "model"), &mut taken));
        models.push(FoundModel { target, members: vec![member(path, entry, None)] });
    }
    for folder in entries.keys().filter_map(|name| folder_of(name, "config.json")) {
        if !ENCODER_NEEDS.iter().all(|name| entries.contains_key(&format!("{folder}{name}"))) {
            continue;
        }
        let name = encoder_name(path, folder, &entries, source)?;
        let mut members = Vec::new();
        for name in ENCODER_TAKES {
            let Some(entry) = entries.get(&format!("{folder}{name}")) else { continue };
            if name != "model.safetensors" && entry.size > MAX_SMALL_FILE {
                return Err(Error::malformed(path.join(&entry.name), "it is far larger than such a file needs to be"));
            }
            members.push(member(path, entry, Some(name.to_owned())));
        }
        models.push(FoundModel { target: unused(&name, &mut taken), members });
    }
    Ok(models)
}

fn member(path: &Path, entry: &Entry, name: Option<String>) -> FoundMember {
    let shown = match &entry.place {
        Place::File(path) => path.clone(),
        Place::Archived(_) => path.join(&entry.name),
    };
    FoundMember { is_gguf: name.is_none(), name, size: entry.size, place: entry.place.clone(), shown }
}

fn has_gguf_name(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
        && !file_name(name).starts_with('.')
}

/// Such as `big-00001-of-00003.gguf`.
fn is_part_of_a_split(name: &str) -> bool {
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    stem.rsplit_once("-of-")
        .is_some_and(|(left, count)| digits(count) && left.rsplit_once('-').is_some_and(|(_, part)| digits(part)))
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// `a/b/` for `a/b/config.json`, an empty text at the top.
fn folder_of<'a>(name: &'a str, file: &str) -> Option<&'a str> {
    name.strip_suffix(file).filter(|folder| folder.is_empty() || folder.ends_with('/'))
}

/// The folder's own name; where it says nothing, the title of its README, else the name of what it lies in.
fn encoder_name(path: &Path, folder: &str, entries: &BTreeMap<String, Entry>, source: &mut Source) -> Result<String> {
    let mut names: Vec<String> = folder.split_terminator('/').rev().map(str::to_owned).collect();
    // A chosen folder names its model; an archive's file name is the last resort.
    let outer = if path.is_dir() { path.file_name() } else { path.file_stem() };
    let outer = outer.unwrap_or_default().to_string_lossy().into_owned();
    if path.is_file() && names.is_empty() {
        names.push(String::new());
    }
    names.push(outer);
    if let Some(name) = names.first().filter(|name| says_something(name)) {
        return Ok(safe_name(name, "encoder"));
    }
    if let Some(entry) = entries.get(&format!("{folder}README.md")) {
        let mut text = Vec::new();
        let readme = member(path, entry, Some(String::new()));
        source.read(&readme)?.take(8192).read_to_end(&mut text).map_err(|error| Error::io(&readme.shown, error))?;
        if let Some(title) = title(&String::from_utf8_lossy(&text)) {
            return Ok(safe_name(title, "encoder"));
        }
    }
    let name = names.iter().find(|name| says_something(name));
    Ok(safe_name(name.map_or("", String::as_str), "encoder"))
}

/// A revision's hash, as hub caches name their folders, says as little as "model".
fn says_something(name: &str) -> bool {
    let is_hash = name.len() >= 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    !is_hash && !NAMELESS.contains(&name.to_lowercase().as_str())
}

/// The first heading of a README, when it is a model's name and not a sentence.
fn title(readme: &str) -> Option<&str> {
    let heading = readme.lines().find_map(|line| line.strip_prefix("# "))?.trim();
    let name = heading.rsplit('/').next()?;
    let fits = !name.is_empty()
        && name.len() <= MAX_NAME
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
    fits.then_some(name)
}

/// Only letters, digits, `.`, `-` and `_`; never hidden, never a way out of the folder.
fn safe_name(name: &str, otherwise: &str) -> String {
    let keep =
        |character: char| if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '-' };
    let name: String = name.chars().take(MAX_NAME).map(keep).collect();
    let name = name.trim_matches(['-', '.', '_']);
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

/// Two models of one source never share a name; ids do not tell capitals apart.
fn unused(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let name = std::iter::once(name.to_owned()).chain(numbered).find(|name| taken.insert(name.to_lowercase()));
    name.expect("there is always another number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        for (name, expected) in [
            ("SmolLM2-135M.Q4_1", "SmolLM2-135M.Q4_1"),
            ("../../etc/passwd", "etc-passwd"),
            ("..", "model"),
            ("", "model"),
            (".hidden", "hidden"),
            ("a b\u{202e}c", "a-b-c"),
        ] {
            assert_eq!(safe_name(name, "model"), expected, "{name:?}");
        }
        assert_eq!(safe_name(&"x".repeat(500), "model").len(), MAX_NAME);
    }

    #[test]
    fn parts_of_split_models_are_known() {
        assert!(is_part_of_a_split("a/Big-Q4-00001-of-00003.gguf"));
        assert!(!is_part_of_a_split("Best-of-Breed.gguf"));
        assert!(!is_part_of_a_split("x-1-of-3.gguf"));
    }

    #[test]
    fn a_readme_title_counts_only_when_it_is_a_name() {
        assert_eq!(
            title("---\ntags: x\n---\n\n# sentence-transformers/all-MiniLM-L6-v2\nText"),
            Some("all-MiniLM-L6-v2")
        );
        assert_eq!(title("# all-MiniLM-L6-v2"), Some("all-MiniLM-L6-v2"));
        assert_eq!(title("# A model for everyone"), None);
        assert_eq!(title("no heading"), None);
    }

    #[test]
    fn numbers_keep_names_apart() {
        let mut taken = BTreeSet::new();
        assert_eq!(unused("a", &mut taken), "a");
        assert_eq!(unused("A", &mut taken), "A-2");
        assert_eq!(unused("a", &mut taken), "a-3");
    }
}
