//! A chat as text for others: Markdown as it is shown, JSON with all versions. Titles and names in it are only ever text.

use std::collections::HashMap;

use serde_json::json;

use crate::model::{Author, Chat, Message, MessageState, Timestamp, one_line};
use crate::storage::chats::Placed;

/// Characters that mean something at places in Markdown where a title or a path stands.
const MEANING: &[char] = &['\\', '`', '*', '_', '[', ']', '<', '>', '#', '|', '!', '&', '~'];

/// A chat as it is shown: who said what when, which model, attachments by name, citations as footnotes.
pub fn markdown(chat: &Chat, messages: &[Message]) -> String {
    let title = if chat.title.trim().is_empty() { "Chat" } else { chat.title.as_str() };
    let mut text =
        format!("# {}\n\nBegun {}, last changed {}.\n", plain(title), time(chat.created), time(chat.updated));
    let mut notes = String::new();
    let mut numbers: HashMap<(String, u32, u32), usize> = HashMap::new();
    for message in messages {
        text.push_str(&format!("\n## {}\n\n", head(message)));
        for attached in &message.attachments {
            let problem = attached.problem.as_deref().map(|why| format!(" ({})", plain(why))).unwrap_or_default();
            text.push_str(&format!("- Attached: {}{problem}\n", plain(&attached.title)));
        }
        if !message.attachments.is_empty() {
            text.push('\n');
        }
        let mut marks = String::new();
        for citation in &message.citations {
            let path = citation.passage.path.display().to_string();
            let place = (path.clone(), citation.start_line, citation.end_line);
            let next = numbers.len() + 1;
            let number = *numbers.entry(place).or_insert(next);
            if number == next {
                let quote = citation.quote.split_whitespace().collect::<Vec<_>>().join(" ");
                let page = citation.passage.page.map(|page| format!(", page {page}")).unwrap_or_default();
                notes.push_str(&format!(
                    "[^{number}]: {}, lines {} to {}{page}: “{}”\n",
                    plain(&path),
                    citation.start_line,
                    citation.end_line,
                    plain(&quote)
                ));
            }
            let mark = format!("[^{number}]");
            if !marks.contains(&mark) {
                marks.push_str(&mark);
            }
        }
        text.push_str(message.text.trim_end());
        // A fence or a table that the text ends with would swallow the marks.
        let separate = if message.text.trim_end().ends_with(['`', '|', '~']) { "\n\n" } else { "" };
        text.push_str(&format!("{}{marks}\n", if marks.is_empty() { "" } else { separate }));
        match &message.state {
            MessageState::Stopped => text.push_str("\n*Stopped here.*\n"),
            MessageState::Failed(error) => text.push_str(&format!("\n*Failed: {}*\n", plain(&error.message))),
            MessageState::Preparing | MessageState::Streaming | MessageState::Complete => {}
        }
    }
    if !notes.is_empty() {
        text.push_str(&format!("\n{notes}"));
    }
    text
}

fn head(message: &Message) -> String {
    let who = match message.author {
        Author::Person => "You".to_owned(),
        Author::Model => {
            let model = match (&message.choice, &message.stats) {
                (Some(choice), _) if !choice.model.is_empty() => choice.model.as_str(),
                (_, Some(stats)) => stats.model.as_str(),
                _ => "",
            };
            if model.is_empty() { "Answer".to_owned() } else { format!("Answer of {}", plain(model)) }
        }
    };
    format!("{who}, {}", time(message.created))
}

fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Text on one line that Markdown takes as it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        if MEANING.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A chat with all versions of its messages, in the order in which they came.
pub fn json(chat: &Chat, messages: &[Placed]) -> String {
    let messages: Vec<_> = messages
        .iter()
        .map(|placed| {
            let mut message = serde_json::to_value(&placed.message).unwrap_or_default();
            if let Some(fields) = message.as_object_mut() {
                fields.remove("versions");
                fields.insert("parent".to_owned(), json!(placed.parent));
                fields.insert("shown".to_owned(), json!(placed.shown));
            }
            message
        })
        .collect();
    let all = json!({ "format": "rspa-chat", "version": 1, "chat": chat, "messages": messages });
    format!("{all:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_titles_are_only_text() {
        let chat = Chat {
            id: crate::model::ChatId(uuid::Uuid::from_u128(1)),
            profile: crate::model::ProfileId(uuid::Uuid::from_u128(2)),
            title: "../../etc/passwd\n# <script>alert(1)</script> [x](javascript:y) \u{202e}`".to_owned(),
            created: Timestamp(0),
            updated: Timestamp(60_000),
            folder: String::new(),
            pinned: false,
            branched_from: None,
        };
        let text = markdown(&chat, &[]);
        let first = text.lines().next().unwrap();
        assert_eq!(
            first,
            "# ../../etc/passwd\\\\n\\# \\<script\\>alert(1)\\</script\\> \\[x\\](javascript:y) \\\\u{202e}\\`"
        );
        assert!(text.contains("Begun 1970-01-01 00:00 UTC, last changed 1970-01-01 00:01 UTC."));
        assert_eq!(text.matches("\n#").count(), 0);
    }
}
