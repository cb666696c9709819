//! Attachments: what a question brings along is read once, when it is sent, within limits, and kept as it was.

mod folder;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;

use crate::api::ApiError;
use crate::knowledge::built_in;
use crate::knowledge::readers::{self, Extracted, Format, Limits, ReadError, detect, format_of};
use crate::model::{
    AgentId, Attachment, Author, ChatId, Document, DocumentId, DocumentKind, Mentioned, Message, PageRequest,
    ProfileId, Source, SourceId, SourceKind, TaskFilter, TaskId, TaskSort, is_record, one_line,
};
use crate::storage::knowledge::{KnowledgeStore, list_sources};
use crate::storage::{Db, agents, chats, tasks};

/// Attachments of one question.
const MOST: usize = 32;
/// Bytes of text that one of them, and all of them together, may give.
const TEXT: usize = 256 << 10;
const ALL_TEXT: usize = 1 << 20;
/// A source or document whose text is not longer comes whole beside what the search finds in it.
const SMALL: usize = 16 << 10;
/// For all attachments together.
const PATIENCE: Duration = Duration::from_secs(20);
const LIMITS: Limits = Limits { file_bytes: 50 << 20, text_bytes: 8 << 20, seconds: 10 };
const TITLE: usize = 120;
const TASKS_OF_AN_AGENT: u32 = 10;

/// Gives the store of documents; opened when it is needed.
pub type Documents = Arc<dyn Fn() -> Result<KnowledgeStore, ApiError> + Send + Sync>;

/// What attachments are read with.
pub struct Desk<'a> {
    pub main: &'a Db,
    pub profile: ProfileId,
    pub documents: &'a Documents,
    /// The program's own data, which no folder shows.
    pub data: &'a Path,
    pub cancel: &'a Cancel,
}

/// What was taken of one thing.
struct Taken {
    title: String,
    text: String,
    characters: u64,
    problem: Option<String>,
}

impl Taken {
    /// The beginning of a text.
    fn beginning(title: String, text: &str, most: usize) -> Self {
        let cut = beginning(text, most);
        let problem = (cut.len() < text.len())
            .then(|| format!("Only its first {} were taken.", readers::bytes_in_words(cut.len() as u64)));
        Self { title, text: cut.to_owned(), characters: text.chars().count() as u64, problem }
    }

    fn nothing(title: String, why: String) -> Self {
        Self { title, text: String::new(), characters: 0, problem: Some(why) }
    }
}

/// The beginning of a text, in at most so many bytes.
fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Reads everything that a question mentions. What cannot be read stays, with the reason.
///
/// # Errors
/// There are too many.
pub fn read_all(desk: &Desk<'_>, mentioned: &[Mentioned]) -> Result<Vec<Attachment>, ApiError> {
    if mentioned.len() > MOST {
        return Err(ApiError::validation(
            format!("a question can have {MOST} attachments, and this one has {}", mentioned.len()),
            "Attach a folder instead of its files, or add it as a source.",
        ));
    }
    let until = Instant::now() + PATIENCE;
    let mut left = ALL_TEXT;
    let mut all: Vec<Attachment> = Vec::new();
    for what in mentioned {
        if all.iter().any(|known| known.what == *what) {
            continue;
        }
        let taken = desk.read(what, left.min(TEXT), until);
        left -= taken.text.len().min(left);
        let mut title: String = one_line(&taken.title).chars().take(TITLE).collect();
        if title.trim().is_empty() {
            title = "untitled".to_owned();
        }
        // Its text is kept once, as what the model gets.
        let what = match what {
            Mentioned::Text { title, .. } => Mentioned::Text { title: title.clone(), text: taken.text.clone() },
            what => what.clone(),
        };
        all.push(Attachment { what, title, text: taken.text, characters: taken.characters, problem: taken.problem });
    }
    Ok(all)
}

impl Desk<'_> {
    fn read(&self, what: &Mentioned, most: usize, until: Instant) -> Taken {
        let late = Instant::now() >= until;
        let read = match what {
            Mentioned::Text { title, text } => Ok(Taken::beginning(title.clone(), text, most)),
            Mentioned::File { path } | Mentioned::Folder { path } if late => {
                Ok(Taken::nothing(name_of(path), "Reading the other attachments took too long.".to_owned()))
            }
            Mentioned::File { path } | Mentioned::Folder { path } => Ok(self.path(path, most, until)),
            Mentioned::Source { id } => self.source(*id, most.min(SMALL), until),
            Mentioned::Document { id } => self.document(*id, most.min(SMALL)),
            Mentioned::Chat { id } => self.chat(*id, most),
            Mentioned::Task { id } => self.task(*id, most),
            Mentioned::Agent { id } => self.agent(*id, most),
        };
        read.unwrap_or_else(|error| {
            let title = match what {
                Mentioned::Source { .. } => "a source",
                Mentioned::Document { .. } => "a document",
                Mentioned::Chat { .. } => "a chat",
                Mentioned::Task { .. } => "a task",
                _ => "an agent",
            };
            Taken::nothing(title.to_owned(), format!("It cannot be read: {}.", error.message))
        })
    }

    fn path(&self, path: &Path, most: usize, until: Instant) -> Taken {
        let title = name_of(path);
        if !path.is_absolute() {
            return Taken::nothing(title, "Its whole path is needed.".to_owned());
        }
        match std::fs::metadata(path) {
            Err(error) => Taken::nothing(title, ReadError::Io(readers::words_of(&error)).to_string()),
            Ok(metadata) if metadata.is_dir() => folder::read(self, path, title, most, until),
            // A pipe or a device would never end.
            Ok(metadata) if !metadata.is_file() => {
                Taken::nothing(title, "It is neither a file nor a folder.".to_owned())
            }
            Ok(_) => match self.extract(path, LIMITS) {
                Ok(extracted) => {
                    let mut taken = Taken::beginning(title, extracted.lines.text(), most);
                    if let Some(note) = extracted.note {
                        taken.problem = Some(match taken.problem {
                            Some(problem) => format!("{note} {problem}"),
                            None => note,
                        });
                    }
                    taken
                }
                Err(error) => Taken::nothing(title, error.to_string()),
            },
        }
    }

    fn extract(&self, path: &Path, limits: Limits) -> Result<Extracted, ReadError> {
        let mut format = format_of(path).ok_or(ReadError::Binary)?;
        let bytes = readers::load(path, &limits)?;
        if format == Format::Unknown && detect::has_shebang(&bytes) {
            format = Format::Code;
        }
        if matches!(format, Format::Unknown | Format::Text | Format::Code | Format::Markdown)
            && detect::looks_binary(&bytes)
        {
            return Err(ReadError::Binary);
        }
        readers::extract_file(path, format, Arc::new(bytes), &limits, self.cancel)
    }

    fn source(&self, id: SourceId, most: usize, until: Instant) -> Result<Taken, ApiError> {
        let source = sources(self.main, self.profile)?.into_iter().find(|source| source.id == id);
        let source = source.ok_or_else(|| gone("the source"))?;
        if source.kind.is_built_in() {
            // It is searched, and lies nowhere on the disk.
            return Ok(Taken { title: source.name, text: String::new(), characters: 0, problem: None });
        }
        let whole = self.path(&source.path, most, until);
        Ok(match whole.problem {
            None => Taken { title: source.name, ..whole },
            Some(_) => Taken { title: source.name, text: String::new(), problem: None, ..whole },
        })
    }

    fn document(&self, id: DocumentId, most: usize) -> Result<Taken, ApiError> {
        let found = document(self, id)?;
        let title = found.title.clone().unwrap_or_else(|| name_of(&found.path));
        if found.kind == DocumentKind::Commit || is_record(found.kind) {
            return Ok(Taken { title, text: String::new(), characters: 0, problem: None });
        }
        Ok(match self.extract(&found.path, LIMITS) {
            Ok(extracted) => {
                let text = extracted.lines.text();
                let characters = text.chars().count() as u64;
                let text = if text.len() <= most { text.to_owned() } else { String::new() };
                Taken { title, text, characters, problem: None }
            }
            Err(error) => Taken::nothing(title, error.to_string()),
        })
    }

    fn chat(&self, id: ChatId, most: usize) -> Result<Taken, ApiError> {
        let title = chats::get(self.main, self.profile, id)?.title;
        let messages = chats::messages(self.main, self.profile, id)?;
        let text: String = messages.iter().filter(|message| !message.text.trim().is_empty()).map(spoken).collect();
        let characters = text.chars().count() as u64;
        // What was said last matters most.
        let from = text.ceil_char_boundary(text.len().saturating_sub(most));
        let problem = (from > 0).then(|| "Only what was said last was taken.".to_owned());
        Ok(Taken { title, text: text[from..].to_owned(), characters, problem })
    }

    fn task(&self, id: TaskId, most: usize) -> Result<Taken, ApiError> {
        let task = tasks::get(self.main, self.profile, id)?.task;
        let mut text = format!("Task #{}: {}\nStatus: {:?}\n", task.number, task.title, task.status);
        if !task.agent_name.is_empty() {
            text += &format!("Agent: {}\n", task.agent_name);
        }
        if !task.description.trim().is_empty() {
            text += &format!("\n{}\n", task.description.trim());
        }
        if let Some(output) = &task.output {
            text += &format!("\nIts result:\n{}\n", output.text.trim());
        }
        if let Some(error) = &task.error {
            text += &format!("\nIt failed: {}\n", error.message);
        }
        Ok(Taken::beginning(task.title, &text, most))
    }

    fn agent(&self, id: AgentId, most: usize) -> Result<Taken, ApiError> {
        let agent = agents::get(self.main, self.profile, id)?;
        let mut text = format!("Agent: {}\n{}\n", agent.settings.name, agent.settings.description.trim());
        let filter = TaskFilter { agent: Some(id), ..TaskFilter::default() };
        let page = PageRequest { offset: 0, limit: TASKS_OF_AN_AGENT };
        let last = tasks::list(self.main, self.profile, &filter, TaskSort::Updated, page)?.items;
        if !last.is_empty() {
            text += "\nIts last tasks:\n";
        }
        for task in last {
            text += &format!("- #{} {} ({:?})\n", task.number, task.title, task.status);
            if let Some(output) = &task.output {
                text += &format!("  {}\n", one_line(beginning(output.text.trim(), 300)));
            }
        }
        Ok(Taken::beginning(agent.settings.name, &text, most))
    }
}

fn gone(what: &str) -> ApiError {
    ApiError::validation(format!("{what} is not there any more"), "Attach something else.")
}

/// A message for those who read the chat as text.
pub fn spoken(message: &Message) -> String {
    let who = match message.author {
        Author::Person => "Person",
        Author::Model => "Model",
    };
    format!("{who}: {}\n\n", message.text.trim())
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

pub fn sources(main: &Db, profile: ProfileId) -> Result<Vec<Source>, ApiError> {
    let mut sources = list_sources(main, profile)?;
    for kind in SourceKind::BUILT_IN {
        let source = built_in(profile, kind);
        if !sources.iter().any(|known| known.id == source.id) {
            sources.push(source);
        }
    }
    Ok(sources)
}

/// A document of any source.
///
/// # Errors
/// It is not there.
pub fn document(desk: &Desk<'_>, id: DocumentId) -> Result<Document, ApiError> {
    let store = (desk.documents)()?;
    let page = PageRequest { offset: 0, limit: u32::MAX };
    for source in sources(desk.main, desk.profile)? {
        let found = store.documents(&source, "", page)?.items.into_iter().find(|document| document.id == id);
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(gone("the document"))
}

/// What a search is restricted to by attachments: sources, and documents with theirs.
#[derive(Debug, Default, PartialEq)]
pub struct Restriction {
    pub sources: Vec<SourceId>,
    pub documents: Vec<(DocumentId, SourceId)>,
}

impl Restriction {
    pub fn of(desk: &Desk<'_>, attachments: &[Attachment]) -> Self {
        let mut restriction = Self::default();
        for attached in attachments {
            match &attached.what {
                Mentioned::Source { id } => restriction.sources.push(*id),
                Mentioned::Document { id } => match document(desk, *id) {
                    Ok(document) => restriction.documents.push((*id, document.source)),
                    Err(error) => tracing::debug!(%error, "an attached document has gone"),
                },
                _ => {}
            }
        }
        restriction
    }

    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.documents.is_empty()
    }

    /// The sources that must be searched.
    pub fn searched(&self) -> Vec<SourceId> {
        let mut all = self.sources.clone();
        all.extend(self.documents.iter().map(|(_, source)| *source));
        all.sort_unstable();
        all.dedup();
        all
    }

    pub fn takes(&self, document: DocumentId, source: SourceId) -> bool {
        self.sources.contains(&source) || self.documents.iter().any(|(known, _)| *known == document)
    }
}

/// The path as people read it, below the folder.
fn shown(root: &Path, path: &Path) -> String {
    let below: PathBuf = path.strip_prefix(root).unwrap_or(path).to_owned();
    one_line(&below.display().to_string()).into_owned()
}

#[cfg(test)]
mod tests;
