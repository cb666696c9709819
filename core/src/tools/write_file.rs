//! The tool that writes a file: whole, at its end, or one exact text in it, after the change was shown.

use serde::Deserialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::args::{parse, wrong};
use super::folders::{Place, find, hex};
use super::{Proposal, RuleScope, Scope, Tool, ToolSpec, schema};
use crate::api::ApiError;
use crate::knowledge::readers::bytes_in_words;
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

/// Of a file after the write, in bytes.
pub const LARGEST: u64 = 4 << 20;
/// A comparison of large texts is cut short after so long; the diff is then longer, never wrong.
const COMPARE: std::time::Duration = std::time::Duration::from_secs(2);

pub struct WriteFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    mode: Mode,
    content: String,
    #[serde(default)]
    old: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Whole,
    Append,
    Replace,
}

/// A write that is ready: what is there and what will be.
pub struct Change {
    pub place: Place,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
}

impl Tool for WriteFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "write_file".into(),
            title: "Write a file".into(),
            description: "Writes a text file in an allowed folder: its whole content, more at its end, or one exact \
                          text replaced by another. The change is shown to the person first."
                .into(),
            effect: ToolEffect::Writes,
            default: Permission::Ask,
            repeatable: false,
            parameters: schema::object(
                &[
                    ("path", schema::path("File; folders on the way are made")),
                    ("mode", schema::one_of(&["whole", "append", "replace"], "replace needs `old`.")),
                    ("old", schema::long_text("For replace: the exact text, which must occur once.")),
                    ("content", schema::long_text("What is written, appended, or put in place of `old`.")),
                ],
                &["path", "mode", "content"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        change(arguments, scope)?.proposal()
    }

    fn run(&self, arguments: &Value, proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        change(arguments, scope)?.write(proposal, scope)
    }
}

fn change(arguments: &Value, scope: &Scope) -> Result<Change, ApiError> {
    let given: Arguments = parse(arguments)?;
    let place = find(scope, &given.path)?;
    let (before, old) = Change::current(&place)?;
    let after = match (given.mode, given.old) {
        (Mode::Replace, Some(text)) => replaced(&place, &old, &text, &given.content)?,
        (Mode::Replace, None) => return Err(wrong("mode `replace` needs `old`, the exact text to replace")),
        (_, Some(_)) => return Err(wrong("`old` is only for mode `replace`")),
        (Mode::Whole, None) => given.content,
        (Mode::Append, None) => {
            let end = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
            format!("{old}{end}{}", given.content)
        }
    };
    Change::new(place, before, after.into_bytes())
}

fn replaced(place: &Place, old: &str, text: &str, content: &str) -> Result<String, ApiError> {
    if text.is_empty() {
        return Err(wrong("`old` is empty"));
    }
    let mut found = old.match_indices(text);
    let Some((at, _)) = found.next() else {
        return Err(wrong(format!("{} does not hold this exact text", place.shown())));
    };
    if found.next().is_some() {
        return Err(wrong(format!("{} holds this text more than once; give more of its surroundings", place.shown())));
    }
    Ok(format!("{}{content}{}", &old[..at], &old[at + text.len()..]))
}

impl Change {
    /// What is in the file now, as bytes and as text; none when there is no file.
    fn current(place: &Place) -> Result<(Option<Vec<u8>>, String), ApiError> {
        place.check_writable()?;
        if place.kind()?.is_none() {
            return Ok((None, String::new()));
        }
        let bytes = place.read(LARGEST)?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(ApiError::validation(
                format!("{} is no UTF-8 text, so it is not written over", place.shown()),
                "Write another file.",
            ));
        };
        let text = text.to_owned();
        Ok((Some(bytes), text))
    }

    fn new(place: Place, before: Option<Vec<u8>>, after: Vec<u8>) -> Result<Self, ApiError> {
        if after.len() as u64 > LARGEST {
            let limit = bytes_in_words(LARGEST);
            return Err(wrong(format!("{} would be larger than {limit}", place.shown())));
        }
        Ok(Self { place, before, after })
    }

    /// The whole content of a text file.
    pub fn whole(place: Place, content: String) -> Result<Self, ApiError> {
        let (before, _) = Self::current(&place)?;
        Self::new(place, before, content.into_bytes())
    }

    pub fn proposal(&self) -> Result<Proposal, ApiError> {
        let (old, new) = (text_of(self.before.as_deref().unwrap_or_default())?, text_of(&self.after)?);
        let mut config = TextDiff::configure();
        let diff = config.timeout(COMPARE).diff_lines(old, new);
        let (mut added, mut removed) = (0_u32, 0_u32);
        for change in diff.iter_all_changes() {
            match change.tag() {
                ChangeTag::Insert => added += 1,
                ChangeTag::Delete => removed += 1,
                ChangeTag::Equal => {}
            }
        }
        let shown = self.place.shown();
        let names = match self.before {
            Some(_) => (format!("a/{shown}"), format!("b/{shown}")),
            None => ("/dev/null".to_owned(), format!("b/{shown}")),
        };
        let unified = diff.unified_diff().context_radius(3).header(&names.0, &names.1).to_string();
        let folder = self.place.folder();
        Ok(Proposal {
            title: format!("Write {}", self.place.name()),
            action: ProposedAction::WriteFile {
                path: self.place.path().to_owned(),
                exists: self.before.is_some(),
                diff: unified,
                added,
                removed,
                before: self.before.as_deref().map(hex).unwrap_or_default(),
                after: hex(&self.after),
            },
            always: Some(RuleScope {
                scope: format!("folder:{}", folder.display()),
                words: format!("writes in {}", folder.display()),
            }),
            harmless: false,
        })
    }

    /// Writes what was proposed, and nothing else.
    pub fn write(&self, proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let ProposedAction::WriteFile { path, exists, before, after, added, removed, .. } = &proposal.action else {
            return Err(wrong("this is not the write that was proposed"));
        };
        let same = path == self.place.path()
            && *exists == self.before.is_some()
            && *before == self.before.as_deref().map(hex).unwrap_or_default()
            && *after == hex(&self.after);
        if !same {
            return Err(ApiError::validation(
                format!("{} was changed since this write was proposed, so it was not written", self.place.shown()),
                "Read it again and propose the change anew.",
            ));
        }
        if scope.cancel.is_cancelled() {
            return Err(ApiError::cancelled());
        }
        self.place.replace(&self.after, exists.then_some(before.as_str()), LARGEST)?;
        let shown = self.place.shown();
        let lines = text_of(&self.after)?.lines().count();
        Ok(ToolOutput {
            text: format!("Wrote {shown}: {lines} lines now, {added} added, {removed} removed."),
            changed: format!("wrote {shown} ({lines} lines)"),
            ..ToolOutput::default()
        })
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(bytes).map_err(|_invalid| wrong("this is no UTF-8 text"))
}
