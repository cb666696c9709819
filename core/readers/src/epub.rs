//! Books (EPUB): the chapters in reading order through the HTML reader, titles from the table of contents.

use std::collections::HashMap;

use quick_xml::events::BytesStart;
use rspa_ml::Cancel;

use super::package::{self, Package};
use super::write::Writer;
use super::xml::{self, attribute};
use super::{Extracted, Limits, ReadError, Reader, html};
use crate::DocumentKind;

pub struct Epub;

const MOST_CHAPTERS: usize = 10_000;

impl Reader for Epub {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let mut package = Package::open(bytes)?;
        if let Ok(Some(encryption)) = package.text("META-INF/encryption.xml") {
            // Fonts may be obscured without a lock (EPUB 3.3, 4.3).
            let locked = xml_attributes(&encryption, "EncryptionMethod", "Algorithm", cancel).iter().any(|algorithm| {
                !algorithm.contains("idpf.org/2008/embedding") && !algorithm.contains("ns.adobe.com/pdf/enc")
            });
            if locked {
                return Err(ReadError::Encrypted);
            }
        }
        let container = package.text("META-INF/container.xml")?.unwrap_or_default();
        let root = xml_attributes(&container, "rootfile", "full-path", cancel).into_iter().next();
        let root = root.or_else(|| package.names().iter().find(|name| name.ends_with(".opf")).cloned());
        let book = match root.as_deref().map(|root| package.text(root)) {
            Some(Ok(Some(opf))) => opf,
            _ => String::new(),
        };
        let root = root.unwrap_or_default();
        let mut contents = Contents::default();
        drop(xml::walk(&book, &mut contents, cancel)?);
        let mut doubt = None;
        let mut chapters: Vec<String> = contents
            .spine
            .iter()
            .filter_map(|id| contents.items.get(id))
            .map(|href| package::resolve(&root, href))
            .take(MOST_CHAPTERS)
            .collect();
        if chapters.is_empty() {
            doubt = Some("Its list of chapters is missing; they were read in the order of their names.");
            let page = |name: &&String| [".xhtml", ".html", ".htm"].iter().any(|ending| name.ends_with(ending));
            chapters = package.names().iter().filter(page).take(MOST_CHAPTERS).cloned().collect();
            chapters.sort();
        }
        if chapters.is_empty() {
            return Err(ReadError::Damaged("it holds no chapters".to_owned()));
        }
        let titles = titles(&mut package, &root, &contents, cancel);
        let mut writer = Writer::new(limits.text_bytes);
        let mut unread = 0;
        for chapter in &chapters {
            if cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            let page = match package.text(chapter) {
                Ok(Some(source)) => html::page(&source, writer.room(), cancel),
                Ok(None) => {
                    unread += 1;
                    continue;
                }
                Err(error) => Err(error),
            };
            match page {
                Ok(page) => {
                    writer.blank();
                    writer.page();
                    if page.headings.is_empty()
                        && let Some(title) = titles.get(chapter)
                        && page.lines.count() > 0
                        && !page.lines.line(1).contains(title.as_str())
                    {
                        writer.heading(1, title);
                    }
                    writer.append(&page, 0);
                }
                Err(ReadError::Cancelled) => return Err(ReadError::Cancelled),
                Err(_) => unread += 1,
            }
            if writer.is_full() {
                break;
            }
        }
        if unread == chapters.len() {
            return Err(ReadError::Damaged("none of its chapters could be read".to_owned()));
        }
        let mut extracted = writer.finish(DocumentKind::Epub);
        package::describe(&mut extracted, &book, cancel);
        if let Some(reason) = doubt {
            extracted.doubt(0.7, reason);
        }
        if unread > 0 {
            let share = (chapters.len() - unread) as f32 / chapters.len() as f32;
            extracted.doubt(share, &format!("{unread} of its {} chapters could not be read.", chapters.len()));
        }
        if package.cut {
            extracted.doubt(0.5, "Its end is missing.");
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

/// The values of one attribute of all elements with a name.
fn xml_attributes(source: &str, element: &'static str, name: &'static str, cancel: &Cancel) -> Vec<String> {
    struct Values(&'static str, &'static str, Vec<String>);
    impl xml::Handler for Values {
        fn open(&mut self, name: &str, element: &BytesStart<'_>) {
            if name == self.0 && self.2.len() < 1_000 {
                self.2.extend(attribute(element, self.1));
            }
        }
        fn close(&mut self, _: &str) {}
        fn text(&mut self, _: &str) {}
    }
    let mut values = Values(element, name, Vec::new());
    drop(xml::walk(source, &mut values, cancel));
    values.2
}

/// What the package document lists.
#[derive(Default)]
struct Contents {
    /// File by id.
    items: HashMap<String, String>,
    spine: Vec<String>,
    /// Files of the table of contents: of EPUB 3 and of EPUB 2.
    tables: Vec<String>,
}

impl xml::Handler for Contents {
    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        match name {
            "item" if self.items.len() < 50_000 => {
                let (Some(id), Some(href)) = (attribute(element, "id"), attribute(element, "href")) else { return };
                let is = |name: &str, word: &str| attribute(element, name).is_some_and(|value| value.contains(word));
                if is("properties", "nav") || is("media-type", "dtbncx") {
                    self.tables.push(href.clone());
                }
                self.items.insert(id, href);
            }
            "itemref" if self.spine.len() < MOST_CHAPTERS => self.spine.extend(attribute(element, "idref")),
            _ => {}
        }
    }
    fn close(&mut self, _: &str) {}
    fn text(&mut self, _: &str) {}
}

/// Titles that the table of contents gives to files.
fn titles(package: &mut Package<'_>, root: &str, contents: &Contents, cancel: &Cancel) -> HashMap<String, String> {
    /// Both kinds of table: `<navPoint><navLabel><text>` with `<content src>`, and `<a href>`.
    struct Labels<'t> {
        table: &'t str,
        text: Option<String>,
        label: String,
        href: Option<String>,
        found: HashMap<String, String>,
    }
    impl Labels<'_> {
        fn keep(&mut self, href: &str, label: &str) {
            let label: String = label.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
            if !label.is_empty() && self.found.len() < MOST_CHAPTERS {
                self.found.entry(package::resolve(self.table, href)).or_insert(label);
            }
        }
    }
    impl xml::Handler for Labels<'_> {
        fn open(&mut self, name: &str, element: &BytesStart<'_>) {
            match name {
                "text" => self.text = Some(String::new()),
                "a" => {
                    self.href = attribute(element, "href");
                    self.text = Some(String::new());
                }
                "content" => {
                    let label = std::mem::take(&mut self.label);
                    if let Some(source) = attribute(element, "src") {
                        self.keep(&source, &label);
                    }
                }
                _ => {}
            }
        }
        fn close(&mut self, name: &str) {
            match name {
                "text" => self.label = self.text.take().unwrap_or_default(),
                "a" => {
                    if let (Some(href), Some(text)) = (self.href.take(), self.text.take()) {
                        self.keep(&href, &text);
                    }
                }
                _ => {}
            }
        }
        fn text(&mut self, text: &str) {
            if let Some(label) = self.text.as_mut().filter(|label| label.len() < 1_000) {
                label.push_str(text);
            }
        }
    }
    let mut found = HashMap::new();
    for table in contents.tables.iter().take(4) {
        let table = package::resolve(root, table);
        let Ok(Some(source)) = package.text(&table) else { continue };
        let mut labels = Labels { table: &table, text: None, label: String::new(), href: None, found: HashMap::new() };
        drop(xml::walk(&source, &mut labels, cancel));
        for (file, label) in labels.found {
            found.entry(file).or_insert(label);
        }
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::package::tests::zipped;
    use super::*;

    const OPF: &str = r#"<package><metadata><dc:title>The Book</dc:title><dc:creator>Ada</dc:creator></metadata>
<manifest><item id="a" href="text/a.xhtml"/><item id="b" href="text/b.xhtml"/><item id="n" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest>
<spine><itemref idref="b"/><itemref idref="a"/><itemref idref="gone"/></spine></package>"#;

    pub(crate) fn epub(encryption: Option<&str>) -> Vec<u8> {
        let page = |text: &str| {
            format!(
                "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title/></head><body><script src=\"x\"/><p>{text}</p></body></html>"
            )
        };
        let (a, b) = (page("chapter a"), page("chapter b"));
        let mut parts: Vec<(&str, &[u8])> = vec![
            ("mimetype", b"application/epub+zip"),
            ("META-INF/container.xml", br#"<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>"#),
            ("OEBPS/book.opf", OPF.as_bytes()),
            ("OEBPS/text/a.xhtml", a.as_bytes()),
            ("OEBPS/text/b.xhtml", b.as_bytes()),
            (
                "OEBPS/toc.ncx",
                br#"<ncx><navMap><navPoint><navLabel><text>The first</text></navLabel><content src="text/b.xhtml#p1"/></navPoint></navMap></ncx>"#,
            ),
        ];
        if let Some(encryption) = encryption {
            parts.push(("META-INF/encryption.xml", encryption.as_bytes()));
        }
        zipped(&parts)
    }

    #[test]
    fn chapters_come_in_reading_order_with_titles() {
        let extracted = Epub.read(&epub(None), &Limits::default(), &Cancel::new()).unwrap();
        assert_eq!(extracted.lines.text(), "The first\n\nchapter b\n\nchapter a");
        assert_eq!((extracted.pages.as_slice(), extracted.title.as_deref()), ([1, 5].as_slice(), Some("The Book")));
        assert_eq!(extracted.confidence, 1.0);
    }

    #[test]
    fn a_locked_book_is_said_to_be_locked() {
        let locked = r#"<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></EncryptedData></encryption>"#;
        let error = Epub.read(&epub(Some(locked)), &Limits::default(), &Cancel::new()).unwrap_err();
        assert!(matches!(error, ReadError::Encrypted));
        let fonts = r#"<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/></EncryptedData></encryption>"#;
        assert!(Epub.read(&epub(Some(fonts)), &Limits::default(), &Cancel::new()).is_ok());
    }
}
