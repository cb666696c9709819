//! Writes what is left of a damaged database into a folder that a person can read.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::{Readable, io};
use crate::api::ApiError;
use crate::model::{Author, Chat, Message};
use crate::storage::disk::Disk;
use crate::storage::salvage::Remains;
use crate::workspace::places::Places;

/// What was written where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    pub folder: PathBuf,
    pub files: usize,
    pub readable: Readable,
}

/// Writes files of one new folder.
struct Target<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    files: usize,
}

impl Target<'_> {
    fn file(&mut self, name: &Path, text: &str) -> Result<(), ApiError> {
        let path = self.folder.join(name);
        let parent = path.parent().unwrap_or(self.folder);
        let written = self.disk.create_folder(parent).and_then(|()| {
            let mut file = self.disk.create(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync()
        });
        written.map_err(|error| io(&path, &error))?;
        self.files += 1;
        Ok(())
    }

    fn json(&mut self, name: &str, value: &impl Serialize) -> Result<(), ApiError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| ApiError::validation(format!("{name} cannot be written: {error}"), "Report this."))?;
        self.file(Path::new(name), &text)
    }
}

pub(super) fn write(
    places: &Places,
    disk: &dyn Disk,
    folder: &Path,
    remains: &Remains,
    readable: Readable,
) -> Result<Exported, ApiError> {
    if disk.exists(folder) && !disk.list(folder).map_err(|error| io(folder, &error))?.is_empty() {
        return Err(ApiError::validation(
            format!("{} holds something already", folder.display()),
            "Name a folder that is new or empty.",
        ));
    }
    disk.create_folder(folder).map_err(|error| io(folder, &error))?;
    let mut target = Target { disk, folder, files: 0 };
    let mut names = HashSet::new();
    for (chat, messages) in &remains.chats.items {
        let name = file_name(chat.as_ref(), &mut names);
        target.file(&Path::new("chats").join(format!("{name}.md")), &markdown(chat.as_ref(), messages))?;
    }
    let chats: Vec<_> =
        remains.chats.items.iter().map(|(chat, messages)| json!({ "chat": chat, "messages": messages })).collect();
    target.json("chats.json", &chats)?;
    target.json("sources.json", &remains.sources.items)?;
    for table in &remains.tables {
        let lines: String = table
            .rows
            .items
            .iter()
            .map(|(key, value)| format!("{}\n", json!({ "key": key, "value": value })))
            .collect();
        target.file(&Path::new("tables").join(format!("{}.jsonl", table.table)), &lines)?;
    }
    for settings in [places.settings_toml(), places.settings_json()] {
        if disk.exists(&settings) {
            let mut text = String::new();
            let read = disk.open(&settings).and_then(|mut file| file.read_to_string(&mut text));
            read.map_err(|error| io(&settings, &error))?;
            target.file(Path::new(settings.file_name().unwrap_or_default()), &text)?;
        }
    }
    target.file(Path::new("README.txt"), &note(places, &readable))?;
    disk.sync_folder(folder).map_err(|error| io(folder, &error))?;
    Ok(Exported { folder: folder.to_owned(), files: target.files, readable })
}

/// The title without what a file name may not hold, and not twice.
fn file_name(chat: Option<&Chat>, taken: &mut HashSet<String>) -> String {
    let title = chat.map_or("messages without a chat", |chat| chat.title.as_str());
    let clean: String =
        title.chars().map(|c| if c.is_alphanumeric() || " -_".contains(c) { c } else { '-' }).take(60).collect();
    let clean = match clean.trim() {
        "" => "chat",
        clean => clean,
    };
    let mut name = clean.to_owned();
    let mut number = 2;
    while !taken.insert(name.to_lowercase()) {
        name = format!("{clean} {number}");
        number += 1;
    }
    name
}

fn markdown(chat: Option<&Chat>, messages: &[Message]) -> String {
    let title = chat.map_or("Messages whose chat cannot be read", |chat| chat.title.as_str());
    let mut text = format!("# {title}\n");
    for message in messages {
        let time = jiff::Timestamp::from_millisecond(message.created.0).unwrap_or_default();
        let who = match message.author {
            Author::Person => "You",
            Author::Model => "Answer",
        };
        text.push_str(&format!("\n## {who}, {}\n\n{}\n", time.strftime("%Y-%m-%d %H:%M UTC"), message.text.trim_end()));
        for citation in &message.citations {
            let (path, lines) = (citation.passage.path.display(), (citation.start_line, citation.end_line));
            text.push_str(&format!("\n> {path}, lines {} to {}: {}\n", lines.0, lines.1, citation.quote));
        }
    }
    text
}

fn note(places: &Places, readable: &Readable) -> String {
    let mut text = format!(
        "What could be read of {}\n\n{} chats with {} messages: one file each in chats/, all in chats.json\n\
         {} sources: sources.json\nEvery table, row by row: tables/\n",
        places.main_db().display(),
        readable.chats,
        readable.messages,
        readable.sources
    );
    if readable.missing.is_empty() {
        text.push_str("\nNothing is known to be missing, but damaged pages may have hidden whole rows.\n");
    } else {
        text.push_str("\nMissing:\n");
        for line in &readable.missing {
            text.push_str(&format!("- {line}\n"));
        }
    }
    text
}
