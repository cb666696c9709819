//! Word documents (DOCX): paragraphs as lines, headings from their styles, tables as rows, notes and comments at the end.

use std::collections::HashMap;

use quick_xml::events::BytesStart;
use rspa_ml::Cancel;

use super::package::{self, Package};
use super::write::Writer;
use super::xml::{self, attribute};
use super::{Extracted, Limits, ReadError, Reader};
use crate::DocumentKind;

pub struct Docx;

impl Reader for Docx {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        if let Some(error) = package::compound(bytes) {
            return Err(error);
        }
        let mut package = Package::open(bytes)?;
        let main = package.main_part("word/document.xml", cancel);
        let body = package.needed(&main)?;
        let relations = package.relations(&main, cancel);
        let related = |kind: &str, usual: &str| {
            relations
                .iter()
                .find(|relation| relation.kind == kind)
                .map_or_else(|| usual.to_owned(), |relation| relation.target.clone())
        };
        let styles = match package.text(&related("styles", "word/styles.xml")) {
            Ok(Some(styles)) => heading_styles(&styles, cancel),
            _ => HashMap::new(),
        };
        let mut reader = Body::new(styles, limits.text_bytes);
        let mut broken = xml::walk(&body, &mut reader, cancel)?;
        reader.end_paragraph();
        let headings_end = reader.writer.line_number();
        if headings_end == 1 && broken.is_some() {
            return Err(ReadError::Damaged(broken.unwrap_or_default()));
        }
        for (kind, usual, element) in [
            ("footnotes", "word/footnotes.xml", "footnote"),
            ("endnotes", "word/endnotes.xml", "endnote"),
            ("comments", "word/comments.xml", "comment"),
        ] {
            // A part that cannot be read takes only itself away.
            match package.text(&related(kind, usual)) {
                Ok(Some(part)) => broken = broken.or(notes(&part, element, &mut reader, cancel)?),
                Ok(None) => {}
                Err(error) => broken = broken.or(Some(error.to_string())),
            }
        }
        let mut margins: Vec<String> = Vec::new();
        for relation in
            relations.iter().filter(|relation| matches!(relation.kind.as_str(), "header" | "footer")).take(40)
        {
            if let Ok(Some(part)) = package.text(&relation.target) {
                let mut inner = Body::new(HashMap::new(), 64 << 10);
                drop(xml::walk(&part, &mut inner, cancel)?);
                inner.end_paragraph();
                let text = inner.writer.finish(DocumentKind::Docx);
                for (_, line) in text.lines.iter().filter(|(_, line)| line.chars().any(char::is_alphabetic)) {
                    if !margins.iter().any(|known| known == line) {
                        margins.push(line.to_owned());
                    }
                }
            }
        }
        if !margins.is_empty() {
            reader.writer.blank();
            for line in &margins {
                reader.writer.line(line);
            }
        }
        let pages = reader.breaks;
        let mut extracted = reader.writer.finish(DocumentKind::Docx);
        if pages == 0 {
            extracted.pages.clear();
        }
        let last = extracted.lines.count();
        extracted.pages.retain(|page| *page <= last);
        for part in ["docProps/core.xml", "docProps/app.xml"] {
            if let Ok(Some(properties)) = package.text(part) {
                package::describe(&mut extracted, &properties, cancel);
            }
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

/// Style ids of headings with their level: by outline level, or by the name `heading N`, or `Title`.
fn heading_styles(xml: &str, cancel: &Cancel) -> HashMap<String, u8> {
    #[derive(Default)]
    struct Styles {
        id: Option<String>,
        based_on: Vec<(String, String)>,
        levels: HashMap<String, u8>,
    }
    impl xml::Handler for Styles {
        fn open(&mut self, name: &str, element: &BytesStart<'_>) {
            let Some(value) = attribute(element, if name == "style" { "styleId" } else { "val" }) else { return };
            match (name, &self.id) {
                ("style", _) => self.id = Some(value),
                ("name", Some(id)) => {
                    let name = value.to_lowercase();
                    let level = match name.strip_prefix("heading ") {
                        Some(number) => number.trim().parse().ok(),
                        None if name == "title" => Some(1),
                        None => None,
                    };
                    if let Some(level @ 1..=9) = level {
                        self.levels.insert(id.clone(), level);
                    }
                }
                ("outlineLvl", Some(id)) => {
                    if let Ok(level @ 0..=8) = value.parse::<u8>() {
                        self.levels.insert(id.clone(), level + 1);
                    }
                }
                ("basedOn", Some(id)) => self.based_on.push((id.clone(), value)),
                _ => {}
            }
        }
        fn close(&mut self, _: &str) {}
        fn text(&mut self, _: &str) {}
        fn is_done(&self) -> bool {
            self.levels.len() + self.based_on.len() > 20_000
        }
    }
    let mut styles = Styles::default();
    drop(xml::walk(xml, &mut styles, cancel));
    // A style made from a heading is one, too; the base may come later.
    for _ in 0..4 {
        for (id, base) in &styles.based_on {
            if let (false, Some(level)) = (styles.levels.contains_key(id), styles.levels.get(base).copied()) {
                styles.levels.insert(id.clone(), level);
            }
        }
    }
    styles.levels
}

/// What stands around a text box while its paragraphs are read.
#[derive(Default)]
struct Outer {
    line: String,
    level: Option<u8>,
    list: bool,
    rows: Vec<Vec<String>>,
}

struct Body {
    styles: HashMap<String, u8>,
    writer: Writer,
    line: String,
    level: Option<u8>,
    list: bool,
    in_text: bool,
    /// Elements whose text is shown nowhere or a second time, open at once.
    skipped: usize,
    /// Cells of each table row that is open, the outermost first.
    rows: Vec<Vec<String>>,
    outer: Vec<Outer>,
    /// Paragraphs of text boxes, which follow the paragraph that holds them.
    boxes: Vec<String>,
    page_break: bool,
    breaks: usize,
}

impl Body {
    fn new(styles: HashMap<String, u8>, limit: usize) -> Self {
        let mut writer = Writer::new(limit);
        writer.page();
        Self {
            styles,
            writer,
            line: String::new(),
            level: None,
            list: false,
            in_text: false,
            skipped: 0,
            rows: Vec::new(),
            outer: Vec::new(),
            boxes: Vec::new(),
            page_break: false,
            breaks: 0,
        }
    }

    fn push(&mut self, text: &str) {
        if self.line.len() + text.len() <= self.writer.room() {
            self.line.push_str(text);
        } else {
            // The writer says that it is full when it gets the line.
            self.line.push(' ');
        }
    }

    /// A paragraph is a line (or several, with breaks) and a blank one after it.
    fn end_paragraph(&mut self) {
        let line = std::mem::take(&mut self.line);
        let (level, list) = (self.level.take(), std::mem::take(&mut self.list));
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            if !line.trim().is_empty() {
                if !cell.is_empty() {
                    cell.push(' ');
                }
                cell.push_str(&line.replace('\n', " "));
            }
            return;
        }
        if !self.outer.is_empty() {
            if !line.trim().is_empty() {
                self.boxes.push(line);
            }
            return;
        }
        if !line.trim().is_empty() {
            match level {
                Some(level) => self.writer.heading(level, &line),
                None if list => self.writer.line(&format!("- {}", line.trim_start())),
                None => {
                    self.writer.line(&line);
                    self.writer.blank();
                }
            }
        } else if !list {
            self.writer.blank();
        }
        for text in std::mem::take(&mut self.boxes) {
            self.writer.line(&text);
            self.writer.blank();
        }
        if std::mem::take(&mut self.page_break) {
            self.breaks += 1;
            self.writer.page();
        }
    }

    fn end_row(&mut self) {
        let Some(row) = self.rows.pop() else { return };
        let text = row.iter().map(|cell| cell.trim()).collect::<Vec<_>>().join(" | ");
        if row.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(&text);
        } else if self.outer.is_empty() {
            self.writer.line(&text);
        } else {
            self.boxes.push(text);
        }
    }
}

impl xml::Handler for Body {
    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        if self.skipped > 0 || matches!(name, "Fallback" | "moveFrom") {
            self.skipped += 1;
            return;
        }
        match name {
            "t" => self.in_text = true,
            "p" if self.rows.is_empty() && self.outer.is_empty() && !self.line.trim().is_empty() => {
                self.end_paragraph()
            }
            "tbl" if self.rows.is_empty() && self.outer.is_empty() => {
                self.end_paragraph();
                self.writer.blank();
                self.writer.begin_table();
            }
            "tr" => self.rows.push(Vec::new()),
            "tc" => {
                if let Some(row) = self.rows.last_mut() {
                    row.push(String::new());
                }
            }
            "txbxContent" => self.outer.push(Outer {
                line: std::mem::take(&mut self.line),
                level: self.level.take(),
                list: std::mem::take(&mut self.list),
                rows: std::mem::take(&mut self.rows),
            }),
            "tab"
                if !element.attributes().with_checks(false).flatten().any(|a| a.key.local_name().as_ref() == "pos") =>
            {
                self.push("\t");
            }
            "br" | "cr" => {
                if attribute(element, "type").as_deref() == Some("page") {
                    self.page_break = true;
                } else {
                    self.push("\n");
                }
            }
            "lastRenderedPageBreak" => self.page_break = true,
            "noBreakHyphen" => self.push("-"),
            "footnoteReference" | "endnoteReference" => {
                if let Some(id) = attribute(element, "id") {
                    self.push(&format!(" [{id}]"));
                }
            }
            "numPr" => self.list = true,
            "numId" if attribute(element, "val").as_deref() == Some("0") => self.list = false,
            "pStyle" => {
                let style = attribute(element, "val").unwrap_or_default();
                self.level =
                    self.styles.get(&style).copied().or_else(|| {
                        style.strip_prefix("Heading")?.parse().ok().filter(|level| (1..=9).contains(level))
                    });
            }
            "outlineLvl" => {
                if let Some(level @ 0..=8) = attribute(element, "val").and_then(|value| value.parse::<u8>().ok()) {
                    self.level = Some(level + 1);
                }
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
            "t" => self.in_text = false,
            "p" => self.end_paragraph(),
            "tr" => self.end_row(),
            "tbl" if self.rows.is_empty() && self.outer.is_empty() => {
                self.writer.end_table();
                self.writer.blank();
            }
            "txbxContent" => {
                self.end_paragraph();
                if let Some(outer) = self.outer.pop() {
                    self.line = outer.line;
                    self.level = outer.level;
                    self.list = outer.list;
                    self.rows = outer.rows;
                    if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
                        for text in self.boxes.drain(..) {
                            cell.push(' ');
                            cell.push_str(&text);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text && self.skipped == 0 {
            self.push(text);
        }
    }

    fn is_done(&self) -> bool {
        self.writer.is_full()
    }
}

/// Footnotes, endnotes or comments, each a line with its number.
fn notes(part: &str, element: &'static str, body: &mut Body, cancel: &Cancel) -> Result<Option<String>, ReadError> {
    struct Notes {
        element: &'static str,
        inner: Body,
        label: Option<String>,
        found: Vec<String>,
    }
    impl xml::Handler for Notes {
        fn open(&mut self, name: &str, element: &BytesStart<'_>) {
            if name == self.element {
                // Lines that part the notes from the text are kept as notes of a type.
                let id = attribute(element, "id").unwrap_or_default();
                self.label = match attribute(element, "type") {
                    Some(_) => None,
                    None if name == "comment" => {
                        let author = attribute(element, "author").filter(|author| !author.is_empty());
                        Some(format!("Comment{}:", author.map(|author| format!(" by {author}")).unwrap_or_default()))
                    }
                    None => Some(format!("[{id}]")),
                };
                self.inner = Body::new(HashMap::new(), 1 << 20);
            } else {
                self.inner.open(name, element);
            }
        }
        fn close(&mut self, name: &str) {
            if name != self.element {
                return self.inner.close(name);
            }
            self.inner.end_paragraph();
            let inner = std::mem::replace(&mut self.inner, Body::new(HashMap::new(), 1 << 20));
            let text = inner.writer.finish(DocumentKind::Docx);
            let text = text.lines.text().split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(label) = self.label.take().filter(|_| !text.is_empty()) {
                self.found.push(format!("{label} {text}"));
            }
        }
        fn text(&mut self, text: &str) {
            self.inner.text(text);
        }
        fn is_done(&self) -> bool {
            self.found.len() > 50_000
        }
    }
    let mut notes = Notes { element, inner: Body::new(HashMap::new(), 1 << 20), label: None, found: Vec::new() };
    let broken = xml::walk(part, &mut notes, cancel)?;
    if !notes.found.is_empty() {
        body.writer.blank();
        for note in &notes.found {
            body.writer.line(note);
        }
    }
    Ok(broken)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::package::tests::zipped;
    use super::*;
    use crate::Heading;

    pub(crate) fn docx(document: &str) -> Vec<u8> {
        zipped(&[("word/document.xml", document.as_bytes())])
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
        assert_eq!(extracted.tables, [(5, 5)]);
        assert_eq!(extracted.lines.line(5), "a | b");
        assert_eq!(extracted.confidence, 1.0);
    }

    #[test]
    fn what_is_not_shown_is_left_out_and_notes_and_boxes_are_kept() {
        let body = r#"<w:document><w:body><w:p><w:r><w:t>Kept</w:t></w:r><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>
<w:moveFrom><w:r><w:t>moved away</w:t></w:r></w:moveFrom><w:ins><w:r><w:t> inserted</w:t></w:r></w:ins><w:r><w:footnoteReference w:id="2"/></w:r>
<w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent></mc:Choice>
<mc:Fallback><w:t>in a box</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>
<w:p><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>point</w:t></w:r></w:p></w:body></w:document>"#;
        let notes = r#"<w:footnotes><w:footnote w:id="0" w:type="separator"><w:p/></w:footnote>
<w:footnote w:id="2"><w:p><w:r><w:t>the note</w:t></w:r></w:p></w:footnote></w:footnotes>"#;
        let comments = r#"<w:comments><w:comment w:id="0" w:author="Ada"><w:p><w:r><w:t>why?</w:t></w:r></w:p></w:comment></w:comments>"#;
        let core = "<p><dc:title>The plan</dc:title><dc:creator>Ada</dc:creator></p>";
        let extracted = read(&zipped(&[
            ("word/document.xml", body.as_bytes()),
            ("word/footnotes.xml", notes.as_bytes()),
            ("word/comments.xml", comments.as_bytes()),
            ("docProps/core.xml", core.as_bytes()),
        ]))
        .unwrap();
        assert_eq!(
            extracted.lines.text(),
            "Kept inserted [2]\n\nin a box\n\n- point\n\n[2] the note\n\nComment by Ada: why?"
        );
        assert_eq!(extracted.title.as_deref(), Some("The plan"));
        assert_eq!(extracted.metadata, [("author".to_owned(), "Ada".to_owned())]);
    }

    #[test]
    fn a_cut_archive_gives_what_is_left_and_a_foreign_one_is_reported() {
        let paragraph =
            |index: usize| format!("<w:p><w:r><w:t>paragraph number {index} {}</w:t></w:r></w:p>", index * 7919);
        let body: String = (0..5_000).map(paragraph).collect();
        let whole = docx(&format!("<w:document><w:body>{body}</w:body></w:document>"));
        let extracted = read(&whole[..whole.len() / 2]).unwrap();
        assert!(extracted.lines.text().contains("paragraph number 100 "));
        assert!(extracted.confidence <= 0.5 && extracted.note.unwrap().contains("damaged"));
        assert!(read(b"PK\x03\x04nothing").is_err());
    }

    #[test]
    fn a_bomb_is_refused() {
        let error = read(&docx(&" ".repeat(40 << 20))).unwrap_err();
        assert!(matches!(error, ReadError::Hostile(_)), "{error}");
    }
}
