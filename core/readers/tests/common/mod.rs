//! Small real files of each kind, made here, and what the tests of this folder share.
#![allow(dead_code)]

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_readers::{Extracted, Limits, ReadError, extract, format_of};
use zip::write::SimpleFileOptions;

/// Reads bytes as the program does with a file of this name.
pub fn read(name: &str, bytes: Vec<u8>) -> Result<Extracted, ReadError> {
    let format = format_of(Path::new(name)).expect("the name has a reader");
    extract(format, Arc::new(bytes), &Limits::default(), &Cancel::new())
}

/// An archive of these parts.
pub fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The most memory that this process has held, in megabytes; none where the system does not say.
pub fn peak_megabytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024)
}

/// Numbers that follow from a seed (`SplitMix64`; Steele, Lea, Flood 2014).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    /// Bytes of any kind.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// Changes a few bytes: turned over, put in, taken out, cut off, repeated, moved.
    pub fn harm(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            match self.below(8) {
                0 => bytes.insert(at, self.next().to_le_bytes()[0]),
                1 if self.below(4) == 0 => bytes.truncate(at),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => {
                    let piece: Vec<u8> = bytes[at..].iter().copied().take(self.below(64)).collect();
                    for _ in 0..self.below(40) {
                        bytes.splice(at..at, piece.iter().copied());
                    }
                }
                4 if at < bytes.len() => bytes[at] = [0, 0x7f, 0x80, 0xff, b'<', b'>', b'0', b'9'][self.below(8)],
                5 => {
                    // A number in the text becomes a large one.
                    let digit = bytes[at..].iter().position(u8::is_ascii_digit);
                    if let Some(digit) = digit {
                        bytes.splice(at + digit..=at + digit, *b"999999999");
                    }
                }
                6 => {
                    let from = self.below(bytes.len() + 1);
                    let piece: Vec<u8> = bytes[from..].iter().copied().take(self.below(200)).collect();
                    bytes.splice(at..at, piece);
                }
                _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => {}
            }
        }
    }
}

/// A PDF of as many pages as texts.
pub fn pdf(pages: &[String]) -> Vec<u8> {
    pdf_with(pages, "")
}

/// A PDF whose trailer holds something more.
pub fn pdf_with(pages: &[String], trailer: &str) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    let mut object = |out: &mut Vec<u8>, body: String| {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n{body}\nendobj\n", places.len()).into_bytes());
    };
    let kids: Vec<_> = (0..pages.len()).map(|index| format!("{} 0 R", 4 + index * 2)).collect();
    object(&mut out, "<< /Type /Catalog /Pages 2 0 R >>".to_owned());
    object(&mut out, format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()));
    object(&mut out, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned());
    for (index, text) in pages.iter().enumerate() {
        let resources = "<< /Font << /F1 3 0 R >> >>";
        object(
            &mut out,
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources {resources} /Contents {} 0 R >>",
                5 + index * 2
            ),
        );
        let stream = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
        object(&mut out, format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).into_bytes());
    for place in &places {
        out.extend(format!("{place:010} 00000 n \n").into_bytes());
    }
    out.extend(
        format!("trailer\n<< /Size {} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n", places.len() + 1)
            .into_bytes(),
    );
    out
}

pub const WORD: &str = "<w:document><w:body><w:p><w:r><w:t>rivers and hills</w:t></w:r></w:p></w:body></w:document>";

pub fn docx(body: &str) -> Vec<u8> {
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", br#"<Relationships><Relationship Id="r" Type="x/officeDocument" Target="word/document.xml"/></Relationships>"#),
        ("word/document.xml", body.as_bytes()),
        ("word/styles.xml", br#"<w:styles><w:style w:styleId="H"><w:name w:val="heading 1"/></w:style></w:styles>"#),
        ("word/footnotes.xml", br#"<w:footnotes><w:footnote w:id="2"><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote></w:footnotes>"#),
        ("docProps/core.xml", b"<p><dc:title>T</dc:title></p>"),
    ])
}

pub fn xlsx(sheet: &str, strings: &str) -> Vec<u8> {
    let relation = |id: &str, kind: &str, target: &str| {
        format!(
            r#"<Relationship Id="{id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>"#
        )
    };
    let relations = format!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}{}</Relationships>"#,
        relation("rId1", "worksheet", "worksheets/sheet1.xml"),
        relation("rId2", "sharedStrings", "sharedStrings.xml")
    );
    zipped(&[
        ("_rels/.rels", br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
        ("xl/workbook.xml", br#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

pub fn pptx(slide: &str) -> Vec<u8> {
    zipped(&[
        ("ppt/presentation.xml", br#"<p:presentation><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>"#),
        ("ppt/_rels/presentation.xml.rels", br#"<Relationships><Relationship Id="rId1" Type="x/slide" Target="slides/slide1.xml"/></Relationships>"#),
        ("ppt/slides/slide1.xml", slide.as_bytes()),
        ("ppt/slides/_rels/slide1.xml.rels", br#"<Relationships><Relationship Id="rId1" Type="x/notesSlide" Target="../slides/slide1.xml"/></Relationships>"#),
    ])
}

pub fn epub(chapter: &str) -> Vec<u8> {
    zipped(&[
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", br#"<container><rootfiles><rootfile full-path="b/book.opf"/></rootfiles></container>"#),
        ("b/book.opf", br#"<package><metadata><dc:title>B</dc:title></metadata><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>"#),
        ("b/a.xhtml", chapter.as_bytes()),
    ])
}

pub fn odt(content: &str) -> Vec<u8> {
    zipped(&[("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", content.as_bytes())])
}

pub const SHEET: &str = r#"<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>2.5</v></c></row></sheetData></worksheet>"#;
pub const STRINGS: &str = r#"<sst count="1" uniqueCount="1"><si><t>rivers and hills</t></si></sst>"#;
pub const MAIL: &str = "From: Ada <ada@example.org>\r\nSubject: rivers and hills\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nFr=C3=BChst=C3=BCck\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+aGk8L3A+\r\n--b--\r\n";

/// One small sound file of each kind.
pub fn sound() -> Vec<(&'static str, Vec<u8>)> {
    let slide = r#"<p:sld><p:sp><p:nvPr><p:ph type="title"/></p:nvPr><a:p><a:r><a:t>rivers and hills</a:t></a:r></a:p></p:sp></p:sld>"#;
    vec![
        ("a.pdf", pdf(&["rivers and hills".to_owned(), "second page".to_owned()])),
        ("a.docx", docx(WORD)),
        ("a.xlsx", xlsx(SHEET, STRINGS)),
        ("a.pptx", pptx(slide)),
        ("a.epub", epub("<?xml version='1.0'?><html><body><h1>A</h1><p>rivers and hills</p></body></html>")),
        ("a.odt", odt("<office:text><text:p>rivers and hills</text:p></office:text>")),
        (
            "a.html",
            b"<html><body><h1>A</h1><p>rivers and hills</p><table><tr><td>1<td>2</table></body></html>".to_vec(),
        ),
        ("a.md", b"---\ntitle: x\n---\n# A\n\nrivers and hills\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".to_vec()),
        ("a.txt", b"rivers and hills\n".to_vec()),
        ("a.csv", b"name,text\n1,\"rivers and hills\"\n2,x\n".to_vec()),
        ("a.eml", MAIL.as_bytes().to_vec()),
        ("a.mbox", format!("From a Mon\n{MAIL}\n\nFrom b Mon\n{MAIL}").into_bytes()),
    ]
}
