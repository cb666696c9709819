//! Word documents (DOCX): paragraphs as lines, headings from their styles, tables as rows.

use std::io::{Cursor, Read};

use quick_xml::Reader as XmlReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use rspa_ml::Cancel;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{Extracted, Heading, Limits, Lines, ReadError, Reader};
use crate::DocumentKind;

pub struct Docx;

const MOST_ENTRIES: usize = 10_000;
/// Bytes of the main part after unpacking.
const MOST_XML_BYTES: u64 = 256 << 20;
/// Real documents pack about 1:10; beyond this it is a bomb.
const MOST_RATIO: u64 = 400;
const MOST_DEPTH: usize = 1_000;
const TITLE_CHARS: usize = 120;

impl Reader for Docx {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        // Word locks a file by wrapping it in the older compound format.
        if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
            return Err(ReadError::Encrypted);
        }
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        if archive.len() > MOST_ENTRIES {
            return Err(ReadError::Hostile(format!("{} entries", archive.len())));
        }
        let styles = match part(&mut archive, "word/styles.xml") {
            Ok(xml) => heading_styles(&xml),
            Err(_) => Vec::new(),
        };
        let body = part(&mut archive, "word/document.xml")?;
        let mut writer = BodyWriter { styles, limit: limits.text_bytes, ..BodyWriter::default() };
        let broken = writer.read(&body, cancel)?;
        let cut = writer.full;
        let mut extracted = Extracted::plain(DocumentKind::Docx, Lines::new(writer.text.trim_end().to_owned()));
        extracted.headings = writer.headings;
        if let Some(reason) = broken {
            if extracted.lines.count() == 0 {
                return Err(ReadError::Damaged(reason));
            }
            extracted.doubt(0.5, "Its last part is damaged and was left out.");
        }
        if cut {
            extracted.doubt(0.5, "Only its first part was read, because it is very long.");
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

fn damaged(error: ZipError) -> ReadError {
    ReadError::Damaged(error.to_string())
}

/// A part of the archive, unpacked within limits.
fn part(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<String, ReadError> {
    let entry = archive.by_name(name).map_err(|error| match error {
        ZipError::FileNotFound => ReadError::Damaged(format!("it holds no {name}")),
        other => damaged(other),
    })?;
    if entry.encrypted() {
        return Err(ReadError::Encrypted);
    }
    let most = MOST_XML_BYTES.min(entry.compressed_size().saturating_mul(MOST_RATIO).max(1 << 20));
    if entry.size() > most {
        return Err(ReadError::Hostile(format!("it unpacks to {}", super::bytes_in_words(entry.size()))));
    }
    let mut xml = Vec::new();
    entry.take(most + 1).read_to_end(&mut xml).map_err(|error| ReadError::Damaged(error.to_string()))?;
    if xml.len() as u64 > most {
        return Err(ReadError::Hostile("it unpacks to more than it says".to_owned()));
    }
    Ok(String::from_utf8_lossy(&xml).into_owned())
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .map(|attribute| attribute.value.to_string())
}

/// Style ids of headings with their level: by outline level, or by the name `heading N`, or `Title`.
fn heading_styles(xml: &str) -> Vec<(String, u8)> {
    let mut reader = XmlReader::from_str(xml);
    let mut styles = Vec::new();
    let mut id = None;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => match element.local_name().as_ref() {
                "style" => id = attribute(&element, "styleId"),
                "name" => {
                    let name = attribute(&element, "val").unwrap_or_default().to_lowercase();
                    let level = match name.strip_prefix("heading ") {
                        Some(number) => number.trim().parse().ok(),
                        None if name == "title" => Some(1),
                        None => None,
                    };
                    if let (Some(id), Some(level @ 1..=9)) = (&id, level) {
                        styles.push((id.clone(), level));
                    }
                }
                "outlineLvl" => {
                    let level = attribute(&element, "val").and_then(|value| value.parse::<u8>().ok());
                    if let (Some(id), Some(level @ 0..=8)) = (&id, level) {
                        styles.push((id.clone(), level + 1));
                    }
                }
                _ => {}
            },
            _ => {}
        }
        if styles.len() > 1_000 {
            break;
        }
    }
    styles
}

#[derive(Default)]
struct BodyWriter {
    styles: Vec<(String, u8)>,
    text: String,
    line: String,
    lines: u32,
    level: Option<u8>,
    headings: Vec<Heading>,
    in_text: bool,
    rows: usize,
    limit: usize,
    full: bool,
}

impl BodyWriter {
    /// Reads the main part. Gives the reason when it ends in broken XML.
    fn read(&mut self, xml: &str, cancel: &Cancel) -> Result<Option<String>, ReadError> {
        let mut reader = XmlReader::from_str(xml);
        reader.config_mut().check_end_names = false;
        let mut depth = 0_usize;
        let mut steps = 0_usize;
        loop {
            steps += 1;
            if steps.is_multiple_of(4096) && cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            match reader.read_event() {
                Ok(Event::Eof) => {
                    self.end_paragraph();
                    return Ok((depth > 0).then(|| "its text ends in the middle".to_owned()));
                }
                Ok(Event::Start(element)) => {
                    depth += 1;
                    if depth > MOST_DEPTH {
                        return Err(ReadError::Hostile(format!("more than {MOST_DEPTH} elements inside each other")));
                    }
                    self.open(&element);
                }
                Ok(Event::Empty(element)) => self.empty(&element),
                Ok(Event::End(element)) => {
                    depth = depth.saturating_sub(1);
                    self.close(element.local_name().as_ref());
                }
                Ok(Event::Text(text)) if self.in_text => self.push(&text.xml10_content()),
                Ok(Event::CData(text)) if self.in_text => self.push(&text.xml10_content()),
                Ok(Event::GeneralRef(reference)) if self.in_text => self.reference(&reference),
                Ok(_) => {}
                Err(error) => {
                    self.end_paragraph();
                    return Ok(Some(error.to_string()));
                }
            }
        }
    }

    fn push(&mut self, text: &str) {
        if self.text.len() + self.line.len() + text.len() > self.limit {
            self.full = true;
            return;
        }
        self.line.push_str(text);
    }

    fn reference(&mut self, reference: &BytesRef<'_>) {
        if let Ok(Some(character)) = reference.resolve_char_ref() {
            self.line.push(character);
        } else if let Some(text) = quick_xml::escape::resolve_predefined_entity(reference) {
            self.line.push_str(text);
        }
    }

    fn open(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            "t" => self.in_text = true,
            "p" if self.rows == 0 => self.end_paragraph(),
            "tr" => self.rows += 1,
            "tc" if !self.line.is_empty() => self.line.push_str(" | "),
            _ => self.empty(element),
        }
    }

    fn empty(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            "tab" => self.push("\t"),
            "br" | "cr" if self.rows == 0 => self.end_line(),
            "pStyle" => {
                let style = attribute(element, "val").unwrap_or_default();
                self.level = self.styles.iter().find(|(id, _)| *id == style).map(|(_, level)| *level).or_else(|| {
                    style
                        .strip_prefix("Heading")
                        .and_then(|number| number.parse().ok())
                        .filter(|level| (1..=9).contains(level))
                });
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "p" if self.rows == 0 => self.end_paragraph(),
            "p" => self.line.push(' '),
            "tr" => {
                self.rows = self.rows.saturating_sub(1);
                if self.rows == 0 {
                    self.end_line();
                }
            }
            "tbl" if self.rows == 0 => self.end_paragraph(),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.text.push_str(line.trim_end());
        self.text.push('\n');
        self.lines += 1;
    }

    /// A paragraph is a line (or several, with breaks) and a blank one after it.
    fn end_paragraph(&mut self) {
        let level = self.level.take();
        let title: String = self.line.trim().chars().take(TITLE_CHARS).collect();
        if title.is_empty() {
            self.line.clear();
        } else {
            if let Some(level) = level {
                self.headings.push(Heading { line: self.lines + 1, level, title });
            }
            self.end_line();
        }
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
            self.lines += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    fn docx(document: &str) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
        writer.write_all(document.as_bytes()).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Extracted, ReadError> {
        Docx.read(bytes, &Limits::default(), &Cancel::new())
    }

    #[test]
    fn paragraphs_headings_and_tables() {
        let body = r#"<w:document xmlns:w="w"><w:body><w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r><w:t>Costs &amp; gains</w:t></w:r></w:p>
<w:p><w:r><w:t>First </w:t></w:r><w:r><w:t xml:space="preserve">paragraph.</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>"#;
        let extracted = read(&docx(body)).unwrap();
        assert_eq!(extracted.headings, [Heading { line: 1, level: 2, title: "Costs & gains".to_owned() }]);
        assert_eq!(extracted.lines.line(3), "First paragraph.");
        assert!(extracted.lines.text().contains("a  | b"), "{}", extracted.lines.text());
        assert_eq!(extracted.confidence, 1.0);
    }

    #[test]
    fn a_cut_archive_and_a_foreign_one_are_reported_in_words() {
        let whole = docx("<w:document/>");
        let error = read(&whole[..whole.len() / 2]).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
        assert!(read(b"PK\x03\x04nothing").is_err());
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = docx(&" ".repeat(40 << 20));
        let error = read(&bomb).unwrap_err();
        assert!(matches!(error, ReadError::Hostile(_)), "{error}");
    }
}
