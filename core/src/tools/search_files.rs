//! The tool that finds files by name and lines by text, within allowed folders, as .gitignore leaves them.

use std::ffi::{OsStr, OsString};

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, short, wrong};
use super::beneath::{Dir, Kind};
use super::folders::{Place, find, is_secret};
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, schema};
use crate::api::ApiError;
use crate::knowledge::ignored::Rules;
use crate::knowledge::readers::text::decode;
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

const MOST_RESULTS: usize = 200;
const MOST_FILES: usize = 200_000;
const MOST_DEPTH: usize = 48;
/// Larger files are passed over, and told.
const LARGEST: u64 = 8 << 20;
/// Read in all.
const MOST_BYTES: u64 = 512 << 20;
const LINE_CHARS: usize = 240;
/// Of one file, so that it does not hide the others.
const MOST_OF_ONE: usize = 20;

pub struct SearchFiles;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    path: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    regex: bool,
    #[serde(default)]
    ignored: bool,
}

struct Wanted {
    name: Option<GlobMatcher>,
    line: Option<Regex>,
}

impl Arguments {
    fn wanted(&self) -> Result<Wanted, ApiError> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let name = match filled(&self.name) {
            None => None,
            Some(name) if name.chars().count() > 200 => return Err(wrong("`name` is longer than 200 characters")),
            Some(name) => {
                // A name alone is looked for at any depth.
                let pattern = if name.contains('/') { name.clone() } else { format!("**/{name}") };
                let glob = GlobBuilder::new(&pattern).case_insensitive(true).literal_separator(true).build();
                Some(glob.map_err(|error| wrong(format!("`name` is no pattern: {error}")))?.compile_matcher())
            }
        };
        let line = match filled(&self.text) {
            None => None,
            Some(text) if text.chars().count() > 400 => return Err(wrong("`text` is longer than 400 characters")),
            Some(text) => {
                let pattern = if self.regex { text } else { regex::escape(&text) };
                let built = RegexBuilder::new(&pattern)
                    .case_insensitive(true)
                    .size_limit(1 << 20)
                    .dfa_size_limit(8 << 20)
                    .build();
                Some(built.map_err(|error| wrong(format!("`text` is no regular expression: {error}")))?)
            }
        };
        if name.is_none() && line.is_none() {
            return Err(wrong("give `name`, `text` or both"));
        }
        Ok(Wanted { name, line })
    }
}

impl Tool for SearchFiles {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "search_files".into(),
            title: "Search files".into(),
            description:
                "Finds files by a name pattern such as *.csv, or lines that hold a text, in an allowed folder \
                          and below. What .gitignore leaves out is left out."
                    .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("path", schema::path("Folder; empty for the first allowed folder")),
                    ("name", schema::text(200, "Pattern of file names: * within a name, ** for folders.")),
                    ("text", schema::text(400, "Text in a line, whatever the case.")),
                    ("regex", schema::flag("`text` is a regular expression.")),
                    ("ignored", schema::flag("Also hidden files and those that .gitignore leaves out.")),
                ],
                &[],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        given.wanted()?;
        let place = find(scope, &given.path)?;
        let sought = given.text.as_deref().or(given.name.as_deref()).unwrap_or_default();
        Ok(Proposal {
            title: format!("Search {} for {:?}", place.shown(), short(sought, 40)),
            action: ProposedAction::Look { what: format!("the files below {}", place.path().display()) },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let wanted = given.wanted()?;
        let place = find(scope, &given.path)?;
        let mut search = Search {
            wanted: &wanted,
            place: &place,
            scope,
            rules: (!given.ignored).then(|| Rules::of(place.path())),
            hits: Vec::new(),
            files: 0,
            bytes: 0,
            large: 0,
            unreadable: 0,
            stopped: None,
        };
        search.folder(&place.open_folder()?, &mut Vec::new())?;
        Ok(search.finish())
    }
}

struct Hit {
    path: String,
    /// Number and text of a line; none for a name alone.
    line: Option<(usize, String)>,
}

struct Search<'a> {
    wanted: &'a Wanted,
    place: &'a Place,
    scope: &'a Scope,
    rules: Option<Rules>,
    hits: Vec<Hit>,
    files: usize,
    bytes: u64,
    large: usize,
    unreadable: usize,
    stopped: Option<String>,
}

impl Search<'_> {
    /// Visits a folder that is held open, so that no link leads out of it.
    fn folder(&mut self, folder: &Dir, names: &mut Vec<OsString>) -> Result<(), ApiError> {
        if self.scope.cancel.is_cancelled() {
            return Err(ApiError::cancelled());
        }
        let Ok((mut entries, more)) = folder.entries() else {
            self.unreadable += 1;
            return Ok(());
        };
        if more {
            self.stopped = Some(format!("{} has too many entries to see all", plain(&folder.path().to_string_lossy())));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            if self.stopped.is_some() && self.hits.len() >= MOST_RESULTS {
                return Ok(());
            }
            let is_folder = entry.kind == Kind::Folder;
            if is_secret(&entry.name) || self.left_out(names, &entry.name, is_folder) {
                continue;
            }
            names.push(entry.name.clone());
            match entry.kind {
                Kind::Folder if names.len() < MOST_DEPTH => {
                    // The program's own data folder and folders of keys are refused there.
                    match self.place.below(names).open_folder() {
                        Ok(below) => self.folder(&below, names)?,
                        Err(_) => self.unreadable += 1,
                    }
                }
                Kind::File => self.file(folder, &entry.name, names),
                _ => {}
            }
            names.pop();
            if self.files >= MOST_FILES || self.bytes >= MOST_BYTES || self.hits.len() >= MOST_RESULTS {
                self.stopped.get_or_insert_with(|| match self.hits.len() >= MOST_RESULTS {
                    true => format!("stopped at {MOST_RESULTS} results"),
                    false => format!("stopped after {} files; search a smaller folder", self.files),
                });
                return Ok(());
            }
        }
        Ok(())
    }

    fn left_out(&mut self, names: &[OsString], name: &OsStr, is_folder: bool) -> bool {
        let hidden = name.as_encoded_bytes().starts_with(b".");
        let path = self.place.below(names).path().join(name);
        match &mut self.rules {
            // What git itself keeps is left out whatever the rules say.
            Some(rules) => name == ".git" || rules.leaves_out(&path, names.len() + 1, is_folder, hidden),
            None => false,
        }
    }

    fn file(&mut self, folder: &Dir, name: &OsStr, names: &[OsString]) {
        self.files += 1;
        let path: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
        let path = path.join("/");
        if self.wanted.name.as_ref().is_some_and(|pattern| !pattern.is_match(&path)) {
            return;
        }
        // From the allowed folder, as the other tools take it.
        let shown = plain(&self.place.below(names).shown());
        let Some(pattern) = &self.wanted.line else {
            self.hits.push(Hit { path: shown, line: None });
            return;
        };
        let Ok(file) = folder.file(name) else {
            self.unreadable += 1;
            return;
        };
        let size = file.metadata().map(|metadata| metadata.len()).unwrap_or(0);
        if size > LARGEST {
            self.large += 1;
            return;
        }
        let mut bytes = Vec::new();
        if std::io::Read::read_to_end(&mut std::io::Read::take(file, LARGEST), &mut bytes).is_err() {
            self.unreadable += 1;
            return;
        }
        self.bytes += bytes.len() as u64;
        let Ok(decoded) = decode(&bytes) else { return };
        let mut of_one = 0;
        for (number, line) in decoded.text.lines().enumerate() {
            let Some(found) = pattern.find(line) else { continue };
            of_one += 1;
            if of_one > MOST_OF_ONE || self.hits.len() >= MOST_RESULTS {
                return;
            }
            // A long line is shown around what was found.
            let from = line.floor_char_boundary(found.start().saturating_sub(LINE_CHARS / 2));
            let text = short(&plain(&line[from..]), LINE_CHARS);
            self.hits.push(Hit { path: shown.clone(), line: Some((number + 1, text)) });
        }
    }

    fn finish(self) -> ToolOutput {
        let mut page = Page::new();
        let unit = if self.wanted.line.is_some() { "lines" } else { "files" };
        page.line(&format!("{} {unit} found in {} files.", self.hits.len(), self.files));
        for hit in &self.hits {
            page.line(&match &hit.line {
                Some((number, text)) => format!("{}:{number}: {text}", hit.path),
                None => hit.path.clone(),
            });
        }
        let mut text = page.finish(unit);
        let mut say = |count: usize, words: &str| {
            if count > 0 {
                text.push_str(&format!("\n[{count} {words}]"));
            }
        };
        say(self.large, "files over 8 MB were not searched");
        say(self.unreadable, "files or folders could not be opened");
        if let Some(why) = &self.stopped {
            text.push_str(&format!("\n[{why}]"));
        }
        let hit = |hit: &Hit| match &hit.line {
            Some((number, line)) => json!({"path": hit.path, "line": number, "text": line}),
            None => json!({"path": hit.path}),
        };
        let hits: Vec<Value> = self.hits.iter().map(hit).collect();
        ToolOutput { text, data: Some(json!({"hits": hits, "files": self.files})), ..ToolOutput::default() }
    }
}
