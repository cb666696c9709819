//! The chats of a profile as documents: each message under who said it and when.

use super::built_in::id_of;
use super::{Kind, Load, Loaded, Look, Writer, moment, stamp, unreadable};
use crate::knowledge::KnowledgeError;
use crate::knowledge::readers::{DocumentKind, Format, Limits, ReadError};
use crate::knowledge::walk::{Found, Obstacle, Walked};
use crate::model::{Author, ChatId, ChatSummary, MessageState, ProfileId};
use crate::storage::{Db, StorageError, chats};

/// Of one message, in bytes.
const MOST_MESSAGE: usize = 256 << 10;
/// Of one chat.
const MOST_TEXT: usize = 16 << 20;

pub struct Chats {
    pub main: Db,
    pub profile: ProfileId,
}

/// `open`: an answer is still being made, and is not searched yet.
fn found((summary, open): &(ChatSummary, bool)) -> Found {
    let chat = &summary.chat;
    let key = chat.id.0.to_string();
    let messages = summary.messages.to_string();
    Found {
        path: format!("rspa:chats/{key}").into(),
        relative: key.into_bytes(),
        stamp: stamp(chat.updated, &[&chat.title, &messages, &summary.preview, if *open { "open" } else { "" }]),
        format: Format::Unknown,
    }
}

impl Kind for Chats {
    fn list(&self, look: &mut Look<'_>) -> Result<Walked, Obstacle> {
        let all = chats::with_state(&self.main, self.profile, None).map_err(|error| unreadable(&error))?;
        let files: Vec<Found> = all.iter().filter(|chat| chat.0.messages > 0).map(found).collect();
        (look.progress)(files.len());
        Ok(Walked { files, ..Walked::default() })
    }

    fn find(&self, key: &[u8]) -> Result<Option<Found>, KnowledgeError> {
        let Some(id) = id_of(key) else { return Ok(None) };
        let chat = chats::with_state(&self.main, self.profile, Some(ChatId(id)))?;
        Ok(chat.first().filter(|chat| chat.0.messages > 0).map(found))
    }

    fn is_made(&self, _key: &[u8]) -> bool {
        true
    }

    fn loader(&self) -> Box<dyn Load + '_> {
        Box::new(Spoken(self))
    }
}

struct Spoken<'a>(&'a Chats);

impl Load for Spoken<'_> {
    fn load(&mut self, found: &Found, _limits: &Limits) -> Result<Option<Loaded>, ReadError> {
        let Some(id) = id_of(&found.relative).map(ChatId) else { return Ok(None) };
        let read = chats::get(&self.0.main, self.0.profile, id)
            .and_then(|chat| Ok((chat, chats::messages(&self.0.main, self.0.profile, id)?)));
        let (chat, messages) = match read {
            Ok(read) => read,
            Err(StorageError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(ReadError::Io(error.to_string())),
        };
        let mut writer = Writer::new();
        let title = if chat.title.trim().is_empty() { "A chat" } else { chat.title.as_str() };
        writer.lines(&super::one_line(title));
        for message in messages {
            let is_whole = !matches!(message.state, MessageState::Preparing | MessageState::Streaming);
            let text = message.text.trim();
            if !is_whole || text.is_empty() || writer.text.len() > MOST_TEXT {
                continue;
            }
            writer.lines("");
            writer.anchor(message.id.0.as_u128());
            let who = match message.author {
                Author::Person => "You",
                Author::Model => "Assistant",
            };
            writer.heading(1, &format!("{who}, {}", moment(message.created)));
            writer.lines(&text[..text.floor_char_boundary(MOST_MESSAGE)]);
        }
        let mut metadata = vec![("date".to_owned(), moment(chat.created))];
        if !chat.folder.is_empty() {
            metadata.push(("folder".to_owned(), chat.folder));
        }
        Ok(Some(writer.finish(DocumentKind::Chat, title, metadata)))
    }
}
