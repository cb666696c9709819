//! Slides (PPTX): each slide a page with its title as heading, then its texts, tables and the speaker's notes.

use std::collections::HashSet;

use quick_xml::events::BytesStart;
use rspa_ml::Cancel;

use super::package::{self, Package};
use super::write::Writer;
use super::xml::{self, attribute};
use super::{Extracted, Limits, ReadError, Reader};
use crate::DocumentKind;

pub struct Pptx;

const MOST_SLIDES: usize = 5_000;

impl Reader for Pptx {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        if let Some(error) = package::compound(bytes) {
            return Err(error);
        }
        let mut package = Package::open(bytes)?;
        let slides = slides(&mut package, cancel)?;
        if slides.is_empty() {
            return Err(ReadError::Damaged("it holds no slides".to_owned()));
        }
        let mut writer = Writer::new(limits.text_bytes);
        let mut unread = 0;
        for name in &slides {
            let Some(part) = package.text(name)? else {
                unread += 1;
                continue;
            };
            let mut slide = Slide::default();
            unread += usize::from(xml::walk(&part, &mut slide, cancel)?.is_some());
            writer.blank();
            writer.page();
            slide.write(&mut writer);
            let mut related = HashSet::new();
            for relation in package.relations(name, cancel) {
                let wanted = matches!(relation.kind.as_str(), "notesSlide" | "diagramData" | "chart" | "comments");
                if !wanted || !related.insert(relation.target.clone()) || related.len() > 100 {
                    continue;
                }
                // What hangs on a slide takes only itself away when it cannot be read.
                let Ok(Some(part)) = package.text(&relation.target) else { continue };
                let mut inner = Slide::default();
                drop(xml::walk(&part, &mut inner, cancel)?);
                if relation.kind == "notesSlide" && !inner.items.is_empty() {
                    writer.blank();
                    writer.line("Notes:");
                }
                inner.titles_are_text();
                inner.write(&mut writer);
            }
        }
        let mut extracted = writer.finish(DocumentKind::Pptx);
        if let Ok(Some(properties)) = package.text("docProps/core.xml") {
            package::describe(&mut extracted, &properties, cancel);
        }
        if unread > 0 || package.cut {
            let share = 1.0 - unread as f32 / slides.len() as f32;
            extracted.doubt(share.clamp(0.1, 0.9), "Some of its slides are damaged or missing.");
        }
        if extracted.lines.count() == 0 {
            extracted.doubt(0.1, "Its slides hold no text, perhaps only pictures.");
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

/// Names of the slides in the order in which they are shown.
fn slides(package: &mut Package<'_>, cancel: &Cancel) -> Result<Vec<String>, ReadError> {
    struct Order(Vec<String>);
    impl xml::Handler for Order {
        fn open(&mut self, name: &str, element: &BytesStart<'_>) {
            if name == "sldId" && self.0.len() < MOST_SLIDES {
                // Both id and r:id have the local name id; the relation is the one with a prefix.
                let relation = element
                    .attributes()
                    .with_checks(false)
                    .flatten()
                    .find(|attribute| attribute.key.as_ref().ends_with(":id"))
                    .map(|attribute| attribute.value.to_string());
                self.0.extend(relation);
            }
        }
        fn close(&mut self, _: &str) {}
        fn text(&mut self, _: &str) {}
    }
    let main = package.main_part("ppt/presentation.xml", cancel);
    let mut order = Order(Vec::new());
    if let Some(part) = package.text(&main)? {
        drop(xml::walk(&part, &mut order, cancel)?);
    }
    let relations = package.relations(&main, cancel);
    let mut seen = HashSet::new();
    let mut slides: Vec<String> = order
        .0
        .iter()
        .filter_map(|id| relations.iter().find(|relation| relation.id == *id && relation.kind == "slide"))
        .map(|relation| relation.target.clone())
        .filter(|target| seen.insert(target.clone()))
        .collect();
    if slides.is_empty() {
        // By the numbers in their names.
        let number = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>().parse::<u32>().ok();
        slides = package
            .names()
            .iter()
            .filter(|name| name.starts_with("ppt/slides/slide") && name.ends_with(".xml"))
            .take(MOST_SLIDES)
            .cloned()
            .collect();
        slides.sort_by_key(|name| number(name));
    }
    Ok(slides)
}

enum Item {
    Title(String),
    Line(String),
    Row(Vec<String>),
}

#[derive(Default)]
struct Slide {
    items: Vec<Item>,
    line: String,
    in_text: bool,
    title: bool,
    skipped: usize,
    /// A shape that holds only the slide's number.
    number: bool,
    row: Option<Vec<String>>,
    cached: bool,
    size: usize,
}

impl Slide {
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() || self.number {
            return;
        }
        self.size += line.len();
        match &mut self.row {
            Some(row) => {
                if let Some(cell) = row.last_mut() {
                    if !cell.is_empty() {
                        cell.push(' ');
                    }
                    cell.push_str(&line);
                }
            }
            None if self.title => self.items.push(Item::Title(line)),
            None => self.items.push(Item::Line(line)),
        }
    }

    fn titles_are_text(&mut self) {
        for item in &mut self.items {
            if let Item::Title(text) = item {
                *item = Item::Line(std::mem::take(text));
            }
        }
    }

    fn write(self, writer: &mut Writer) {
        let titles: Vec<&str> = self
            .items
            .iter()
            .filter_map(|item| if let Item::Title(text) = item { Some(text.as_str()) } else { None })
            .collect();
        writer.heading(1, &titles.join(" "));
        let mut table = false;
        for item in &self.items {
            if !matches!(item, Item::Row(_)) && std::mem::take(&mut table) {
                writer.end_table();
            }
            match item {
                Item::Title(_) => {}
                Item::Line(text) => writer.line(text),
                Item::Row(cells) => {
                    if !std::mem::replace(&mut table, true) {
                        writer.begin_table();
                    }
                    writer.line(&cells.join(" | "));
                }
            }
        }
        if table {
            writer.end_table();
        }
    }
}

impl xml::Handler for Slide {
    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        if self.skipped > 0 || name == "Fallback" {
            self.skipped += 1;
            return;
        }
        match name {
            "t" => self.in_text = true,
            // Words of a chart are kept as they were last shown.
            "strCache" => self.cached = true,
            "v" if self.cached => self.in_text = true,
            "sp" => {
                self.title = false;
                self.number = false;
            }
            "ph" => match attribute(element, "type").as_deref() {
                Some("title" | "ctrTitle") => self.title = true,
                Some("sldNum") => self.number = true,
                _ => {}
            },
            "br" => self.line.push(' '),
            "tr" => self.row = Some(Vec::new()),
            "tc" => {
                if let Some(row) = &mut self.row {
                    row.push(String::new());
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
            "strCache" => self.cached = false,
            "v" if self.cached => {
                self.in_text = false;
                self.end_line();
            }
            "p" | "text" => self.end_line(),
            "sp" => {
                self.title = false;
                self.number = false;
            }
            "tr" => {
                if let Some(row) = self.row.take()
                    && row.iter().any(|cell| !cell.is_empty())
                {
                    self.items.push(Item::Row(row));
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text && self.skipped == 0 {
            self.line.push_str(text);
        }
    }

    fn is_done(&self) -> bool {
        self.size > 64 << 20
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::package::tests::zipped;
    use super::*;

    const SLIDE: &str = r#"<p:sld><p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Title NUMBER</a:t></a:r></a:p></p:txBody></p:sp>
<p:sp><p:nvSpPr><p:nvPr><p:ph type="sldNum"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:fld><a:t>7</a:t></a:fld></a:p></p:txBody></p:sp>
<p:sp><p:txBody><a:p><a:r><a:t>First </a:t></a:r><a:r><a:t>point</a:t></a:r></a:p></p:txBody></p:sp>
<a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>a</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>b</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:sld>"#;

    pub(crate) fn pptx() -> Vec<u8> {
        let relation = |id: &str, kind: &str, target: &str| {
            format!(r#"<Relationship Id="{id}" Type="http://x/relationships/{kind}" Target="{target}"/>"#)
        };
        zipped(&[
            (
                "ppt/presentation.xml",
                br#"<p:presentation><p:sldIdLst><p:sldId id="256" r:id="rId9"/><p:sldId id="257" r:id="rId2"/></p:sldIdLst></p:presentation>"#,
            ),
            (
                "ppt/_rels/presentation.xml.rels",
                format!(
                    "<Relationships>{}{}</Relationships>",
                    relation("rId2", "slide", "slides/slide1.xml"),
                    relation("rId9", "slide", "slides/slide2.xml")
                )
                .as_bytes(),
            ),
            ("ppt/slides/slide1.xml", SLIDE.replace("NUMBER", "one").as_bytes()),
            ("ppt/slides/slide2.xml", SLIDE.replace("NUMBER", "two").as_bytes()),
            (
                "ppt/slides/_rels/slide2.xml.rels",
                format!(
                    "<Relationships>{}{}</Relationships>",
                    relation("rId1", "notesSlide", "../notesSlides/n.xml"),
                    relation("rId3", "slide", "slide2.xml")
                )
                .as_bytes(),
            ),
            ("ppt/notesSlides/n.xml", b"<p:notes><p:sp><a:p><a:r><a:t>say this</a:t></a:r></a:p></p:sp></p:notes>"),
        ])
    }

    #[test]
    fn slides_come_as_they_are_shown_with_titles_tables_and_notes() {
        let extracted = Pptx.read(&pptx(), &Limits::default(), &Cancel::new()).unwrap();
        let titles: Vec<_> = extracted.headings.iter().map(|heading| heading.title.as_str()).collect();
        assert_eq!(titles, ["Title two", "Title one"]);
        assert!(
            extracted.lines.text().starts_with("Title two\n\nFirst point\na | b\n\nNotes:\nsay this\n\nTitle one"),
            "{}",
            extracted.lines.text()
        );
        assert_eq!(extracted.pages, [1, 9]);
        assert_eq!(extracted.tables.len(), 2);
    }
}
