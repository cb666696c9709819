//! Searching chats: the texts of all messages, folded, lie in the order of their chats and are read one after the other.

use redb::TableDefinition;
use uuid::Uuid;

use super::folders::chats_of;
use super::{CHAT_MESSAGES, MESSAGES, StoredMessage};
use crate::fold;
use crate::model::{ChatHit, ChatId, MessageId, MessageState, ProfileId, Timestamp};
use crate::storage::{Db, ReadTxn, RecordReading, StorageError, WriteTxn};

/// (chat, number in the chat) to the folded text. A message that is being written has none yet, nor one of an earlier
/// program: those are folded when they are searched.
pub(super) const TEXTS: TableDefinition<(u128, u32), &str> = TableDefinition::new("chat_texts");

/// Characters of a snippet before the first match, and in all.
const BEFORE: usize = 40;
const SNIPPET: usize = 160;
/// Words of a search that count, and characters of it.
const MOST_WORDS: usize = 16;
const LONGEST: usize = 400;
const MOST_MARKS: usize = 32;

pub(super) fn put(txn: &WriteTxn<'_>, stored: &StoredMessage) -> Result<(), StorageError> {
    if matches!(stored.state, MessageState::Preparing | MessageState::Streaming) {
        return Ok(());
    }
    let folded = fold::plain(&stored.text);
    txn.table(TEXTS)?.insert((stored.chat.as_u128(), stored.number), folded.as_str())?;
    Ok(())
}

pub(super) fn remove(txn: &WriteTxn<'_>, chat: u128) -> Result<(), StorageError> {
    txn.table(TEXTS)?.retain_in((chat, 0)..=(chat, u32::MAX), |_, _| false)?;
    Ok(())
}

/// Texts of messages that are not there, in words.
pub(super) fn broken(txn: &ReadTxn) -> Result<Vec<String>, StorageError> {
    let Some(texts) = txn.table_if_there(TEXTS)? else { return Ok(Vec::new()) };
    let order = txn.table(CHAT_MESSAGES)?;
    for row in texts.iter()? {
        if order.get(row?.0.value())?.is_none() {
            return Ok(vec!["the search of chats has the text of a message that is not there".to_owned()]);
        }
    }
    Ok(Vec::new())
}

/// What of titles and messages (all versions) holds every word, newest first.
pub fn search(main: &Db, profile: ProfileId, text: &str, limit: u32) -> Result<Vec<ChatHit>, StorageError> {
    let words = words_of(text);
    if words.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let txn = main.read()?;
    let (order, messages, texts) = (txn.table(CHAT_MESSAGES)?, txn.table(MESSAGES)?, txn.table(TEXTS)?);
    let finders: Vec<Finder> = words.iter().map(|word| Finder::new(word)).collect();
    let holds = |text: &str| finders.iter().all(|finder| finder.is_in(text.as_bytes()));
    // Only where they are is kept; texts are read again for those that are given.
    let mut found: Vec<(Timestamp, usize, Option<u128>)> = Vec::new();
    let chats = chats_of(&txn, profile)?;
    for (at, (chat, stored)) in chats.iter().enumerate() {
        if holds(&fold::plain(&stored.title)) {
            found.push((Timestamp(stored.updated), at, None));
        }
        let range = (*chat, 0)..=(*chat, u32::MAX);
        let mut folded = texts.range(range.clone())?.peekable();
        for row in order.range(range)? {
            let (key, id) = row?;
            let (number, id) = (key.value().1, id.value());
            let mut kept = None;
            if let Some(Ok((key, _))) = folded.peek()
                && key.value().1 == number
            {
                kept = folded.next().transpose()?;
            }
            let hit = match kept {
                Some((_, text)) => holds(text.value()),
                None => {
                    let message: Option<StoredMessage> = messages.record(id)?;
                    message.is_some_and(|message| holds(&fold::plain(&message.text)))
                }
            };
            if hit {
                let message: Option<StoredMessage> = messages.record(id)?;
                found.extend(message.map(|message| (Timestamp(message.created), at, Some(id))));
            }
        }
    }
    found.sort_by_key(|hit| std::cmp::Reverse((hit.0, hit.2)));
    found.truncate(limit as usize);
    found
        .into_iter()
        .map(|(when, at, id)| {
            let (chat, stored) = &chats[at];
            let text = match id {
                None => stored.title.clone(),
                Some(id) => messages.record::<StoredMessage>(id)?.map(|message| message.text).unwrap_or_default(),
            };
            let (snippet, marks) = snippet(&text, &words);
            Ok(ChatHit {
                chat: ChatId(Uuid::from_u128(*chat)),
                title: stored.title.clone(),
                message: id.map(|id| MessageId(Uuid::from_u128(id))),
                at: when,
                snippet,
                marks,
            })
        })
        .collect()
}

fn words_of(text: &str) -> Vec<String> {
    let text: String = text.chars().take(LONGEST).collect();
    let mut words: Vec<String> = fold::plain(&text).split_whitespace().map(str::to_owned).collect();
    words.dedup();
    words.truncate(MOST_WORDS);
    words
}

/// Finds a word in folded text.
struct Finder {
    word: Vec<u8>,
    /// Where the byte of the word that is rarest in texts stands.
    rare: usize,
}

impl Finder {
    fn new(word: &str) -> Self {
        const COMMON: &[u8] = b" etaoinshrdlucmfwypvbgkqjxz";
        let rank = |byte: &u8| COMMON.iter().position(|common| common == byte).unwrap_or(COMMON.len());
        let word = word.as_bytes().to_vec();
        let rare = word.iter().enumerate().max_by_key(|(_, byte)| rank(byte)).map_or(0, |(at, _)| at);
        Self { word, rare }
    }

    fn is_in(&self, text: &[u8]) -> bool {
        memchr_at(text, self.word[self.rare], |at| {
            at.checked_sub(self.rare).is_some_and(|start| text[start..].starts_with(&self.word))
        })
    }
}

/// Whether `is_it` says yes to any place of this byte.
fn memchr_at(text: &[u8], byte: u8, mut is_it: impl FnMut(usize) -> bool) -> bool {
    // Blocks let the compiler compare many bytes at once.
    for (block, bytes) in text.chunks(64).enumerate() {
        if !bytes.contains(&byte) {
            continue;
        }
        for (at, found) in bytes.iter().enumerate() {
            if *found == byte && is_it(block * 64 + at) {
                return true;
            }
        }
    }
    false
}

/// Text around the first match on one line, with what matches.
fn snippet(text: &str, words: &[String]) -> (String, Vec<(u32, u32)>) {
    let (folded, places) = fold::with_places(text);
    let first = words.iter().filter_map(|word| folded.find(word.as_str())).min().unwrap_or(0);
    let hit = places[first];
    let mut start = text[..hit].char_indices().rev().take(BEFORE).last().map_or(hit, |(at, _)| at);
    if start > 0 {
        // A word is not cut in two where there is another one.
        start += text[start..hit].find(char::is_whitespace).unwrap_or(0);
    }
    let window: String = text[start..].trim_start().chars().take(SNIPPET).collect();
    let lead = if start > 0 { "…" } else { "" };
    let mut snippet = format!("{lead}{}", window.split_whitespace().collect::<Vec<_>>().join(" "));
    let (folded, places) = fold::with_places(&snippet);
    let mut marks = Vec::new();
    for word in words {
        for (at, _) in folded.match_indices(word.as_str()).take(MOST_MARKS) {
            let end = at + word.len();
            // A mark ends where the next letter begins, so that accents of their own belong to it.
            marks.push((places[at], places[end]));
        }
    }
    marks.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (from, to) in marks {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    if text[start..].chars().count() > SNIPPET {
        snippet.push('…');
    }
    let count = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    (snippet, merged.into_iter().map(|(from, to)| (count(from), count(to))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_what_matched_as_it_was_written() {
        let text = format!("{} Die Größe der Löwen\nist bekannt. {}", "wort ".repeat(40), "ende ".repeat(90));
        let (snippet, marks) = snippet(&text, &words_of("LOWEN grosse gROSS"));
        let marked: Vec<&str> = marks.iter().map(|(from, to)| &snippet[*from as usize..*to as usize]).collect();
        assert_eq!(marked, ["Größe", "Löwen"], "{snippet}");
        assert!(snippet.starts_with('…') && snippet.ends_with('…') && !snippet.contains('\n'), "{snippet}");
        assert_eq!(super::snippet("", &words_of("a")), (String::new(), Vec::new()));
    }

    #[test]
    fn words_are_found_wherever_they_stand() {
        let text = "x".repeat(63) + "needle" + &"y".repeat(70);
        for (word, is_there) in [("needle", true), ("needles", false), ("xneedley", true), ("x", true), ("z", false)] {
            assert_eq!(Finder::new(word).is_in(text.as_bytes()), is_there, "{word}");
        }
        assert!(words_of("  \t ").is_empty());
    }
}
