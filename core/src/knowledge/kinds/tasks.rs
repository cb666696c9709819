//! The tasks of a profile as documents: what was to be done, what came of it, what went wrong.

use super::built_in::id_of;
use super::{Kind, Load, Loaded, Look, Writer, moment, stamp, unreadable};
use crate::knowledge::KnowledgeError;
use crate::knowledge::readers::{DocumentKind, Format, Limits, ReadError};
use crate::knowledge::walk::{Found, Obstacle, Walked};
use crate::model::{PageRequest, ProfileId, Task, TaskFilter, TaskId, TaskSort, TaskStatus};
use crate::storage::{Db, StorageError, tasks};

/// Of each part of a task, in bytes.
const MOST_PART: usize = 256 << 10;
const PAGE: u32 = 1_000;
/// Tasks that are searched, the newest.
const MOST_TASKS: u64 = 50_000;

pub struct Tasks {
    pub main: Db,
    pub profile: ProfileId,
}

fn found(task: &Task) -> Found {
    let key = task.id.0.to_string();
    // Progress changes often and is not searched: what is searched decides.
    let output = task.output.as_ref().map(|output| output.text.as_str()).unwrap_or_default();
    let error = task.error.as_ref().map(|error| error.message.as_str()).unwrap_or_default();
    let words = [&task.title, &task.description, output, error, &task.agent_name, word(task.status)];
    Found {
        path: format!("rspa:tasks/{key}").into(),
        relative: key.into_bytes(),
        stamp: stamp(task.completed.unwrap_or(task.created), &words),
        format: Format::Unknown,
    }
}

fn word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Pending => "pending",
        TaskStatus::Running => "running",
        TaskStatus::Completed => "completed",
        TaskStatus::Failed => "failed",
        TaskStatus::Cancelled => "cancelled",
    }
}

impl Kind for Tasks {
    fn list(&self, look: &mut Look<'_>) -> Result<Walked, Obstacle> {
        let mut walked = Walked::default();
        let filter = TaskFilter::default();
        loop {
            if look.cancel.is_cancelled() {
                return Err(Obstacle::Cancelled);
            }
            let offset = walked.files.len() as u64;
            let page = PageRequest { offset, limit: PAGE };
            let page = tasks::list(&self.main, self.profile, &filter, TaskSort::Created, page)
                .map_err(|error| unreadable(&error))?;
            walked.files.extend(page.items.iter().map(found));
            (look.progress)(walked.files.len());
            let end = walked.files.len() as u64;
            if page.items.is_empty() || end >= page.total || end >= MOST_TASKS {
                // A task that was made meanwhile moves the pages.
                walked.files.sort_unstable_by(|a, b| a.relative.cmp(&b.relative));
                walked.files.dedup_by(|a, b| a.relative == b.relative);
                return Ok(walked);
            }
        }
    }

    fn find(&self, key: &[u8]) -> Result<Option<Found>, KnowledgeError> {
        let Some(id) = id_of(key) else { return Ok(None) };
        match tasks::get(&self.main, self.profile, TaskId(id)) {
            Ok(entry) => Ok(Some(found(&entry.task))),
            Err(StorageError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn is_made(&self, _key: &[u8]) -> bool {
        true
    }

    fn loader(&self) -> Box<dyn Load + '_> {
        Box::new(Done(self))
    }
}

struct Done<'a>(&'a Tasks);

impl Load for Done<'_> {
    fn load(&mut self, found: &Found, _limits: &Limits) -> Result<Option<Loaded>, ReadError> {
        let Some(id) = id_of(&found.relative).map(TaskId) else { return Ok(None) };
        let task = match tasks::get(&self.0.main, self.0.profile, id) {
            Ok(entry) => entry.task,
            Err(StorageError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(ReadError::Io(error.to_string())),
        };
        let mut writer = Writer::new();
        writer.heading(1, &format!("#{} {}", task.number, task.title));
        writer.lines(&format!("{}, made {}", word(task.status), moment(task.created)));
        if !task.agent_name.is_empty() {
            writer.lines(&format!("Agent: {}", super::one_line(&task.agent_name)));
        }
        if !task.labels.is_empty() {
            writer.lines(&format!("Labels: {}", super::one_line(&task.labels.join(", "))));
        }
        let mut part = |title: &str, text: &str| {
            let text = text.trim();
            if !text.is_empty() {
                writer.lines("");
                if !title.is_empty() {
                    writer.heading(2, title);
                }
                writer.lines(&text[..text.floor_char_boundary(MOST_PART)]);
            }
        };
        part("", &task.description);
        part("Result", task.output.as_ref().map(|output| output.text.as_str()).unwrap_or_default());
        part("Error", task.error.as_ref().map(|error| error.message.as_str()).unwrap_or_default());
        let metadata = [("status", word(task.status).to_owned()), ("agent", task.agent_name.clone())];
        let metadata = metadata.into_iter().filter(|(_, value)| !value.is_empty());
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Some(writer.finish(DocumentKind::Task, &task.title, metadata)))
    }
}
