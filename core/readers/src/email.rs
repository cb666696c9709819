//! E-mail: one message (.eml) or many (mbox), each with its headers, its best text and what hangs on it.

use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use rspa_ml::Cancel;

use super::write::Writer;
use super::{Extracted, Limits, ReadError, Reader, bytes_in_words, detect, html, text};
use crate::DocumentKind;

pub struct Email;
pub struct Mbox;

/// Messages within messages that are read.
const MOST_DEPTH: usize = 6;
/// Parts of a message that are looked at.
const MOST_PARTS: usize = 2_000;
/// The parser nests where these stand; beyond this a message is no message.
const MOST_NESTED: usize = 500;
/// Bytes that the parser may look at while it searches for the ends of parts.
const MOST_WORK: usize = 20_000_000_000;
/// Bytes of an attached text that are read.
const MOST_ATTACHED: usize = 2 << 20;
const MOST_ADDRESSES: usize = 50;

impl Reader for Email {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let mut writer = Writer::new(limits.text_bytes);
        let about = message(bytes, &mut writer, cancel)?;
        let mut extracted = writer.finish(DocumentKind::Email);
        extracted.title = about.title;
        extracted.metadata = about.metadata;
        if let Some(note) = about.note {
            extracted.doubt(about.confidence, note);
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

impl Reader for Mbox {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let mut writer = Writer::new(limits.text_bytes);
        let (mut count, mut unread) = (0_usize, 0_usize);
        for single in messages(bytes) {
            if cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            if writer.is_full() {
                break;
            }
            count += 1;
            writer.blank();
            match message(single, &mut writer, cancel) {
                Ok(_) => {}
                Err(ReadError::Cancelled) => return Err(ReadError::Cancelled),
                Err(_) => unread += 1,
            }
        }
        if count == 0 || count == unread {
            return Err(ReadError::Damaged("it holds no message".to_owned()));
        }
        let mut extracted = writer.finish(DocumentKind::Email);
        extracted.metadata.push(("messages".to_owned(), count.to_string()));
        if unread > 0 {
            extracted.doubt(
                1.0 - unread as f32 / count as f32,
                &format!("{unread} of its {count} messages could not be read."),
            );
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

/// Messages of an mbox: each begins with a line `From ` after an empty one (RFC 4155).
fn messages(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let line_end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
        let before = &bytes[..at];
        let begins = bytes[at..].starts_with(b"From ") && is_header(&bytes[line_end..]);
        if begins && (at == 0 || before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n")) {
            starts.push((at, line_end));
        }
        at = line_end;
    }
    let ends: Vec<usize> = starts.iter().skip(1).map(|(start, _)| *start).chain([bytes.len()]).collect();
    starts.into_iter().zip(ends).map(|((_, body), end)| &bytes[body.min(end)..end])
}

/// A sentence may begin with From, too; after the line that parts messages stands a header.
fn is_header(line: &[u8]) -> bool {
    let name = line.iter().take(80).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    // Some programs repeat the line.
    (name > 0 && line.get(name) == Some(&b':')) || line.starts_with(b">From ")
}

#[derive(Default)]
struct About {
    title: Option<String>,
    metadata: Vec<(String, String)>,
    note: Option<&'static str>,
    confidence: f32,
}

/// Reads one message into the writer.
fn message(bytes: &[u8], writer: &mut Writer, cancel: &Cancel) -> Result<About, ReadError> {
    let nested = count(bytes, b"message/") + count(bytes, b"multipart/digest");
    if nested > MOST_NESTED {
        return Err(ReadError::Hostile(format!("{nested} messages inside each other")));
    }
    if count(bytes, b"boundary").saturating_mul(bytes.len()) > MOST_WORK {
        return Err(ReadError::Hostile("thousands of parts inside each other".to_owned()));
    }
    let parsed = MessageParser::default().parse(bytes).filter(|message| !message.parts.is_empty());
    let Some(parsed) = parsed else { return Err(ReadError::Damaged("it holds no message".to_owned())) };
    let mut about = About { confidence: 1.0, ..About::default() };
    if parsed.headers().is_empty() {
        (about.note, about.confidence) = (Some("It has no headers of a message; it was read as text."), 0.6);
    }
    write(&parsed, 0, writer, &mut about, cancel)?;
    Ok(about)
}

/// How often a word occurs, whatever its case.
fn count(bytes: &[u8], word: &[u8]) -> usize {
    let first = [word[0].to_ascii_lowercase(), word[0].to_ascii_uppercase()];
    let mut found = 0;
    let mut at = 0;
    while let Some(offset) = bytes[at..].iter().position(|byte| first.contains(byte)) {
        at += offset;
        found += usize::from(bytes.get(at..at + word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word)));
        at += 1;
    }
    found
}

fn addresses(address: Option<&Address<'_>>) -> String {
    let shown = |name: Option<&str>, address: Option<&str>| match (name, address) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => String::new(),
    };
    let all: Vec<String> = address
        .into_iter()
        .flat_map(Address::iter)
        .take(MOST_ADDRESSES)
        .map(|address| shown(address.name(), address.address()))
        .filter(|address| !address.is_empty())
        .collect();
    words(&all.join(", "))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(2_000).collect()
}

fn write(
    message: &Message<'_>,
    depth: usize,
    writer: &mut Writer,
    about: &mut About,
    cancel: &Cancel,
) -> Result<(), ReadError> {
    let level = u8::try_from(depth + 1).unwrap_or(9);
    let subject = words(message.subject().unwrap_or_default());
    writer.heading(level, if subject.is_empty() { "(no subject)" } else { &subject });
    let headers = [
        ("From", addresses(message.from())),
        ("To", addresses(message.to())),
        ("Cc", addresses(message.cc())),
        ("Date", message.date().map(|date| date.to_rfc3339().replace('T', " ")).unwrap_or_default()),
    ];
    for (name, value) in headers {
        if value.is_empty() {
            continue;
        }
        writer.line(&format!("{name}: {value}"));
        if depth == 0 {
            about.metadata.push((name.to_lowercase(), value));
        }
    }
    if depth == 0 {
        about.title = Some(subject).filter(|subject| !subject.is_empty());
        if let Some(id) = message.message_id() {
            about.metadata.push(("message id".to_owned(), words(id)));
        }
    }
    writer.blank();
    let mut bodies = 0;
    let mut body = message.text_body.clone();
    // What is text in one form alone is in both lists; the rest is a second form of the same.
    body.extend(message.html_body.iter().filter(|_| message.text_body.is_empty()));
    for id in body.iter().take(MOST_PARTS) {
        if let Some(part) = message.part(*id) {
            bodies += 1;
            text_part(part, writer, about, cancel)?;
        }
    }
    let mut attachments = Vec::new();
    for id in message.attachments.iter().take(MOST_PARTS) {
        if let Some(part) = message.part(*id)
            && !body.contains(id)
        {
            attachments.push(part);
        }
    }
    if message.attachments.len() > MOST_PARTS || body.len() > MOST_PARTS {
        (about.note, about.confidence) = (Some("Only the first of its thousands of parts were read."), 0.5);
    }
    if bodies == 0 && attachments.is_empty() && message.parts.len() < 2 {
        (about.note, about.confidence) = (Some("It holds no text."), about.confidence.min(0.5));
    }
    for part in attachments {
        if cancel.is_cancelled() {
            return Err(ReadError::Cancelled);
        }
        attachment(part, depth, writer, about, cancel)?;
    }
    Ok(())
}

fn text_part(part: &MessagePart<'_>, writer: &mut Writer, about: &mut About, cancel: &Cancel) -> Result<(), ReadError> {
    if part.is_encoding_problem {
        (about.note, about.confidence) = (Some("Parts of it are encoded wrongly."), about.confidence.min(0.7));
    }
    match &part.body {
        PartType::Text(text) => {
            for line in text.lines() {
                writer.line(line);
            }
        }
        PartType::Html(source) => match html::page(source, writer.room(), cancel) {
            Ok(page) => writer.append(&page, 1),
            Err(ReadError::Cancelled) => return Err(ReadError::Cancelled),
            Err(_) => {
                (about.note, about.confidence) =
                    (Some("A page in it could not be read as such."), about.confidence.min(0.6));
                writer.line(&html::without_tags(source, writer.room()));
            }
        },
        _ => {}
    }
    writer.blank();
    Ok(())
}

/// Names what hangs on a message, and reads it when it is text.
fn attachment(
    part: &MessagePart<'_>,
    depth: usize,
    writer: &mut Writer,
    about: &mut About,
    cancel: &Cancel,
) -> Result<(), ReadError> {
    let kind = part.content_type().map(|kind| match kind.subtype() {
        Some(subtype) => format!("{}/{subtype}", kind.ctype()),
        None => kind.ctype().to_owned(),
    });
    let name = part.attachment_name().map(words).filter(|name| !name.is_empty());
    if let PartType::Message(inner) = &part.body {
        writer.blank();
        if depth + 1 < MOST_DEPTH {
            return write(inner, depth + 1, writer, about, cancel);
        }
        (about.note, about.confidence) = (Some("Messages deep inside it were left out."), about.confidence.min(0.7));
        return Ok(());
    }
    let label = name.clone().or_else(|| kind.clone()).unwrap_or_else(|| "unnamed".to_owned());
    let bytes = part.contents();
    writer.blank();
    writer.line(&format!("Attachment: {label} ({})", bytes_in_words(bytes.len() as u64)));
    if let Some(name) = name.filter(|_| about.metadata.len() < 200) {
        about.metadata.push(("attachment".to_owned(), name));
    }
    match &part.body {
        PartType::Text(text) => {
            let end = text.floor_char_boundary(MOST_ATTACHED);
            writer.line(&text[..end]);
        }
        PartType::Html(_) => text_part(part, writer, about, cancel)?,
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            let textual = detect::format_of(std::path::Path::new(&label)).is_some_and(detect::Format::is_text);
            if textual
                && bytes.len() <= MOST_ATTACHED
                && let Ok(decoded) = text::decode(bytes)
            {
                writer.line(&decoded.text);
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const MAIL: &str = "From: Ada <ada@example.org>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 3 Feb 2025 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nDas Fr=C3=BChst=C3=BCck\r\n--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=\"list.csv\"\r\n\r\na,b\r\n1,2\r\n--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=\"p.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n";

    #[test]
    fn headers_text_and_attachments() {
        let extracted = Email.read(MAIL.as_bytes(), &Limits::default(), &Cancel::new()).unwrap();
        let text = extracted.lines.text();
        assert!(
            text.starts_with("Grüße\n\nFrom: Ada <ada@example.org>\nTo: bob@example.org\nDate: 2025-02-03 10:00:00"),
            "{text}"
        );
        assert!(
            text.contains("Das Frühstück") && text.contains("Attachment: list.csv") && text.contains("1,2"),
            "{text}"
        );
        assert!(text.contains("Attachment: p.png (8 bytes)"), "{text}");
        assert_eq!(extracted.title.as_deref(), Some("Grüße"));
        assert!(extracted.metadata.contains(&("attachment".to_owned(), "p.png".to_owned())));
        assert_eq!(extracted.confidence, 1.0);
    }

    #[test]
    fn the_page_is_read_when_there_is_no_text() {
        let mail = "From: a@b.c\nSubject: s\nContent-Type: text/html\n\n<html><body><h1>Big</h1><p>small &amp; <b>bold</b></p><script>no()</script></body></html>";
        let extracted = Email.read(mail.as_bytes(), &Limits::default(), &Cancel::new()).unwrap();
        assert!(extracted.lines.text().contains("small & bold") && !extracted.lines.text().contains("no()"));
        assert_eq!(extracted.headings.len(), 2);
    }

    #[test]
    fn an_mbox_gives_a_heading_a_message() {
        let mbox = "From a Mon Feb  3 10:00:00 2025\nFrom: a@b.c\nSubject: one\n\nFrom here it is text.\n\nFrom b Mon Feb  3 10:00:00 2025\nFrom: d@e.f\nSubject: two\n\nsecond\n";
        let extracted = Mbox.read(mbox.as_bytes(), &Limits::default(), &Cancel::new()).unwrap();
        let titles: Vec<_> = extracted.headings.iter().map(|heading| heading.title.as_str()).collect();
        assert_eq!(titles, ["one", "two"]);
        assert!(extracted.lines.text().contains("From here it is text."));
    }

    #[test]
    fn messages_without_end_inside_each_other_are_refused() {
        let deep = "Content-Type: message/rfc822\n\n".repeat(100_000);
        let error = Email.read(deep.as_bytes(), &Limits::default(), &Cancel::new()).unwrap_err();
        assert!(matches!(error, ReadError::Hostile(_)));
    }
}
