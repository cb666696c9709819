//! What opens a passage, a citation or a document: the thing itself, at its place.

use rspa_core::model::{Citation, Document, Origin, Passage, SearchHit};

use super::UiCommand;
use super::pages::activity::ActivityCommand;
use super::pages::chats::ChatsCommand;
use crate::state::DocumentTarget;

/// A chat at its message, a task, a day of the activity, everything else as a document at its lines.
pub fn passage(passage: &Passage) -> UiCommand {
    of(&passage.origin, target(passage), || first_moment(passage, &[]))
}

/// As [`passage`]; of an activity the line that holds most of the marked words.
pub fn hit(hit: &SearchHit) -> UiCommand {
    let marked = |(start, end): &(u32, u32)| hit.snippet.get(*start as usize..*end as usize).map(str::to_lowercase);
    let words: Vec<String> = hit.marks.iter().filter_map(marked).collect();
    of(&hit.passage.origin, target(&hit.passage), || first_moment(&hit.passage, &words))
}

/// The cited lines.
pub fn citation(citation: &Citation) -> UiCommand {
    let target =
        DocumentTarget { start_line: citation.start_line, end_line: citation.end_line, ..target(&citation.passage) };
    of(&citation.passage.origin, target, || first_moment(&citation.passage, &[]))
}

/// A document as a whole.
pub fn document(document: &Document) -> UiCommand {
    let origin = Origin::of_record(&document.path).unwrap_or_default();
    of(&origin, lines(document, 0, 0), || None)
}

/// The text of a document at these lines, also of what has a page of its own.
pub fn lines(document: &Document, start_line: u32, end_line: u32) -> DocumentTarget {
    DocumentTarget { path: document.path.clone(), start_line, end_line, hash: document.hash.clone() }
}

fn target(passage: &Passage) -> DocumentTarget {
    DocumentTarget {
        path: passage.path.clone(),
        start_line: passage.start_line,
        end_line: passage.end_line,
        hash: passage.document_hash.clone(),
    }
}

fn of(origin: &Origin, target: DocumentTarget, line: impl FnOnce() -> Option<String>) -> UiCommand {
    match origin {
        Origin::File | Origin::Commit { .. } | Origin::Page { .. } => UiCommand::OpenDocument(target),
        Origin::Chat { id, message } => UiCommand::Chats(ChatsCommand::OpenAt { chat: *id, message: *message }),
        Origin::Task { id } => UiCommand::OpenTask(*id),
        Origin::Activity { day } => UiCommand::Activity(ActivityCommand::ShowDay { day: day.clone(), line: line() }),
    }
}

/// Of a day's text, `09:12 agent started: …`: the line that holds most of these words, else the first.
fn first_moment(passage: &Passage, words: &[String]) -> Option<String> {
    let is_moment = |line: &&str| {
        let bytes = line.as_bytes();
        bytes.len() > 5
            && bytes[2] == b':'
            && bytes[..5].iter().enumerate().all(|(at, b)| at == 2 || b.is_ascii_digit())
    };
    let held = |line: &str| {
        let line = line.to_lowercase();
        words.iter().filter(|word| line.contains(word.as_str())).count()
    };
    let mut best: Option<(usize, &str)> = None;
    for line in passage.text.lines().filter(is_moment) {
        let held = held(line);
        if best.is_none_or(|(most, _)| held > most) {
            best = Some((held, line));
        }
    }
    best.map(|(_, line)| line.to_owned())
}

#[cfg(test)]
mod tests {
    use rspa_core::model::{ChatId, MessageId, TaskId};
    use uuid::Uuid;

    use super::*;
    use crate::fixtures;

    fn made(origin: Origin) -> Passage {
        let text = "What happened on 2026-11-20\n09:12 chat created: Leases\n09:40 agent started: Digest of papers";
        Passage { origin, ..fixtures::passage(1, "x.md", None, (4, 9), text) }
    }

    #[test]
    fn each_opens_where_it_lives() {
        let (chat, message) = (ChatId(Uuid::from_u128(5)), MessageId(Uuid::from_u128(6)));
        let opened = passage(&made(Origin::Chat { id: chat, message: Some(message) }));
        assert_eq!(opened, UiCommand::Chats(ChatsCommand::OpenAt { chat, message: Some(message) }));
        let task = TaskId(Uuid::from_u128(7));
        assert_eq!(passage(&made(Origin::Task { id: task })), UiCommand::OpenTask(task));
        for origin in [
            Origin::File,
            Origin::Commit { hash: "ab".to_owned() },
            Origin::Page { address: "https://example.org".to_owned() },
        ] {
            let UiCommand::OpenDocument(target) = passage(&made(origin)) else { panic!("no document") };
            assert_eq!((target.start_line, target.end_line), (4, 9));
        }
    }

    #[test]
    fn an_activity_opens_at_the_line_that_was_found() {
        let day = "2026-11-20".to_owned();
        let passage = made(Origin::Activity { day: day.clone() });
        let line = |line: &str| {
            UiCommand::Activity(ActivityCommand::ShowDay { day: day.clone(), line: Some(line.to_owned()) })
        };
        assert_eq!(super::passage(&passage), line("09:12 chat created: Leases"));
        let mut found = fixtures::hit(1, "x.md", None, (1, 3), "… Digest of papers", 0.5);
        let at = found.snippet.find("papers").unwrap() as u32;
        (found.passage, found.marks) = (passage, vec![(at, at + 6), (900, 901)]);
        assert_eq!(hit(&found), line("09:40 agent started: Digest of papers"));
    }
}
