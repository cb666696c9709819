//! OpenDocument files (ODT, ODS, ODP): text, sheets and slides of LibreOffice from one kind of XML.

use quick_xml::events::BytesStart;
use rspa_ml::Cancel;

use super::package::{self, Package};
use super::write::Writer;
use super::xml::{self, attribute};
use super::{Extracted, Limits, ReadError, Reader};
use crate::DocumentKind;

pub struct Odf;

/// Times that a repeated cell or row is written.
const MOST_REPEATED: usize = 64;

impl Reader for Odf {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let mut package = Package::open(bytes)?;
        if let Ok(Some(manifest)) = package.text("META-INF/manifest.xml")
            && manifest.contains("encryption-data")
        {
            return Err(ReadError::Encrypted);
        }
        let content = package.needed("content.xml")?;
        let mut body = Body::new(limits.text_bytes);
        let broken = xml::walk(&content, &mut body, cancel)?;
        body.end_line();
        if !body.notes.is_empty() {
            body.writer.blank();
            for note in std::mem::take(&mut body.notes) {
                body.writer.line(&note);
            }
        }
        let kind = body.kind;
        let mut extracted = body.writer.finish(kind);
        if kind == DocumentKind::Docx {
            extracted.pages.clear();
        }
        if let Ok(Some(properties)) = package.text("meta.xml") {
            package::describe(&mut extracted, &properties, cancel);
        }
        if broken.is_some() || package.cut {
            if extracted.lines.count() == 0 {
                return Err(ReadError::Damaged(broken.unwrap_or_else(|| "its end is missing".to_owned())));
            }
            extracted.doubt(0.5, "Its last part is damaged and was left out.");
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

struct Body {
    kind: DocumentKind,
    writer: Writer,
    line: String,
    heading: Option<u8>,
    /// Paragraphs open at once: those of a text box lie in another one.
    paragraphs: usize,
    items: usize,
    skipped: usize,
    tables: usize,
    /// Cells of the outermost row that is open, and how often the last one is repeated.
    row: Vec<(String, usize)>,
    in_row: usize,
    repeat_row: usize,
    note: Option<(String, String)>,
    in_citation: bool,
    notes: Vec<String>,
    title: bool,
}

impl Body {
    fn new(limit: usize) -> Self {
        Self {
            kind: DocumentKind::Docx,
            writer: Writer::new(limit),
            line: String::new(),
            heading: None,
            paragraphs: 0,
            items: 0,
            skipped: 0,
            tables: 0,
            row: Vec::new(),
            in_row: 0,
            repeat_row: 1,
            note: None,
            in_citation: false,
            notes: Vec::new(),
            title: false,
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let heading = self.heading.take();
        if line.trim().is_empty() {
            return;
        }
        if let Some((_, text)) = &mut self.note {
            text.push(' ');
            text.push_str(line.trim());
        } else if self.in_row > 0 {
            if let Some((cell, _)) = self.row.last_mut() {
                if !cell.is_empty() {
                    cell.push(' ');
                }
                cell.push_str(&line.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        } else if let Some(level) = heading.or(self.title.then_some(1)) {
            self.writer.heading(level, &line);
        } else if self.items > 0 {
            self.writer.line(&format!("- {}", line.trim_start()));
        } else {
            self.writer.line(&line);
            if self.kind == DocumentKind::Docx {
                self.writer.blank();
            }
        }
    }

    fn end_row(&mut self) {
        let mut row = std::mem::take(&mut self.row);
        while row.last().is_some_and(|(cell, _)| cell.is_empty()) {
            row.pop();
        }
        if row.is_empty() {
            return;
        }
        let mut line = String::new();
        let first = row.iter().position(|(cell, _)| !cell.is_empty()).unwrap_or(0);
        for (cell, times) in row.iter().skip(first) {
            for _ in 0..(*times).min(MOST_REPEATED) {
                if !line.is_empty() {
                    line.push_str(" | ");
                }
                line.push_str(cell);
                if line.len() > self.writer.room() {
                    break;
                }
            }
        }
        for _ in 0..self.repeat_row.clamp(1, MOST_REPEATED) {
            self.writer.line(&line);
        }
    }
}

fn times(element: &BytesStart<'_>, name: &str) -> usize {
    attribute(element, name).and_then(|value| value.parse().ok()).unwrap_or(1)
}

impl xml::Handler for Body {
    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        if self.skipped > 0
            || matches!(name, "tracked-changes" | "desc" | "sequence-decls" | "forms" | "settings" | "automatic-styles")
            || (name == "title" && self.paragraphs > 0)
            || (matches!(name, "page-number" | "date" | "time") && self.kind == DocumentKind::Pptx)
            || name == "tracked-changes"
        {
            self.skipped += 1;
            return;
        }
        match name {
            "spreadsheet" => self.kind = DocumentKind::Xlsx,
            "presentation" => self.kind = DocumentKind::Pptx,
            "h" | "p" => {
                if self.paragraphs > 0 || self.in_row > 0 {
                    self.end_line();
                }
                self.paragraphs += 1;
                if name == "h" {
                    let level = attribute(element, "outline-level").and_then(|level| level.parse().ok());
                    self.heading = Some(level.unwrap_or(1).clamp(1, 9));
                }
            }
            "s" => {
                for _ in 0..times(element, "c").min(100) {
                    self.line.push(' ');
                }
            }
            "tab" => self.line.push('\t'),
            "line-break" if self.in_row == 0 => self.line.push('\n'),
            "line-break" => self.line.push(' '),
            "list-item" => self.items += 1,
            "note" | "annotation" => {
                let mark = format!("[{}]", self.notes.len() + 1);
                if name == "note" {
                    self.line.push_str(&mark);
                }
                self.note = Some((std::mem::take(&mut self.line), String::new()));
            }
            "note-citation" => self.in_citation = true,
            "page" => {
                self.writer.blank();
                self.writer.page();
            }
            "frame" => self.title = attribute(element, "class").as_deref() == Some("title"),
            "notes" => {
                self.writer.blank();
                self.title = false;
            }
            "table" => {
                self.tables += 1;
                if self.tables == 1 {
                    self.end_line();
                    self.writer.blank();
                    if self.kind == DocumentKind::Xlsx {
                        self.writer.page();
                        self.writer.heading(1, &attribute(element, "name").unwrap_or_default());
                    }
                    self.writer.begin_table();
                }
            }
            "table-row" => {
                self.in_row += 1;
                if self.in_row == 1 {
                    self.row.clear();
                    self.repeat_row = times(element, "number-rows-repeated");
                }
            }
            "table-cell" | "covered-table-cell" if self.in_row == 1 && self.row.len() < 20_000 => {
                self.row.push((String::new(), times(element, "number-columns-repeated")));
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        match name {
            "h" | "p" => {
                self.paragraphs = self.paragraphs.saturating_sub(1);
                self.end_line();
            }
            "list-item" => self.items = self.items.saturating_sub(1),
            "note-citation" => self.in_citation = false,
            "note" | "annotation" => {
                if let Some((line, text)) = self.note.take() {
                    self.line = line;
                    let text = text.trim();
                    if !text.is_empty() && self.notes.len() < 50_000 {
                        let label =
                            if name == "note" { format!("[{}]", self.notes.len() + 1) } else { "Comment:".to_owned() };
                        self.notes.push(format!("{label} {text}"));
                    }
                }
            }
            "frame" => self.title = false,
            "table-row" => {
                self.in_row = self.in_row.saturating_sub(1);
                if self.in_row == 0 {
                    self.end_row();
                }
            }
            "table" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.writer.end_table();
                    self.writer.blank();
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.paragraphs > 0 && self.skipped == 0 && !self.in_citation {
            // White space is folded, as in HTML (ODF 1.2, 6.1.2).
            if text.trim().is_empty() {
                if !self.line.is_empty() && !self.line.ends_with(' ') {
                    self.line.push(' ');
                }
            } else if self.line.len() + text.len() <= self.writer.room() {
                self.line.push_str(&text.replace(['\n', '\r'], " "));
            }
        }
    }

    fn is_done(&self) -> bool {
        self.writer.is_full()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::package::tests::zipped;
    use super::*;

    pub(crate) fn odf(content: &str) -> Vec<u8> {
        zipped(&[
            ("mimetype", b"application/vnd.oasis.opendocument.text"),
            ("content.xml", content.as_bytes()),
            ("meta.xml", b"<m><dc:title>T</dc:title><meta:initial-creator>Ada</meta:initial-creator></m>"),
        ])
    }

    fn read(content: &str) -> Extracted {
        Odf.read(&odf(content), &Limits::default(), &Cancel::new()).unwrap()
    }

    #[test]
    fn text_documents() {
        let extracted = read(
            r#"<office:text><text:h text:outline-level="2">Head</text:h><text:p>One<text:s text:c="2"/>two<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>noted</text:p></text:note-body></text:note> three</text:p>
<text:list><text:list-item><text:p>point</text:p></text:list-item></text:list></office:text>"#,
        );
        assert_eq!(extracted.lines.text(), "Head\n\nOne  two[1] three\n\n- point\n\n[1] noted");
        assert_eq!((extracted.headings[0].level, extracted.title.as_deref()), (2, Some("T")));
    }

    #[test]
    fn sheets_with_repeated_cells() {
        let extracted = read(
            r#"<office:spreadsheet><table:table table:name="S"><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>
<table:table-cell table:number-columns-repeated="2"><text:p>b</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16000"/></table:table-row>
<table:table-row table:number-rows-repeated="1048576"><table:table-cell/></table:table-row></table:table></office:spreadsheet>"#,
        );
        assert_eq!(extracted.lines.text(), "S\n\na | b | b");
        assert_eq!((extracted.kind, extracted.tables.as_slice()), (DocumentKind::Xlsx, [(3, 3)].as_slice()));
    }
}
