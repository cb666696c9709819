//! Files that are broken or made to do harm: each ends in a report, in time, without much memory.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write as _;
use std::time::{Duration, Instant};

use common::*;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use rspa_readers::{Extracted, ReadError};

/// No hostile file may take longer, on a slow and busy machine.
const LONGEST: Duration = Duration::from_secs(60);
/// Megabytes that a process may hold at its peak: the file, what it may unpack to, and the text of it.
const MOST_MEGABYTES: u64 = 1_200;

/// Reads it, and checks that time and memory were kept and that doubts are told in words.
fn survive(name: &str, bytes: Vec<u8>) -> Result<Extracted, ReadError> {
    let started = Instant::now();
    let read = read(name, bytes);
    assert!(started.elapsed() < LONGEST, "{name} took {:?}", started.elapsed());
    if let Some(peak) = peak_megabytes() {
        assert!(peak < MOST_MEGABYTES, "{name} took {peak} MB");
    }
    match &read {
        Ok(extracted) => {
            assert!((0.0..=1.0).contains(&extracted.confidence));
            assert_eq!(extracted.confidence < 1.0, extracted.note.is_some(), "{name}: {:?}", extracted.note);
        }
        Err(error) => assert!(error.to_string().len() > 10 && !matches!(error, ReadError::Crashed), "{name}: {error}"),
    }
    read
}

fn refused(name: &str, bytes: Vec<u8>) {
    match survive(name, bytes) {
        Err(ReadError::Hostile(_)) => {}
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn sound_files_are_read_whole() {
    for (name, bytes) in sound() {
        let extracted = survive(name, bytes).unwrap();
        assert_eq!((extracted.confidence, extracted.note.as_deref()), (1.0, None), "{name}");
        assert!(extracted.lines.text().contains("rivers and hills"), "{name}: {}", extracted.lines.text());
    }
}

#[test]
fn zip_bombs() {
    let zeros = " ".repeat(300 << 20);
    refused("a.docx", docx(&zeros));
    refused("a.xlsx", xlsx(&zeros, STRINGS));
    refused("b.xlsx", xlsx(SHEET, &zeros));
    refused("a.pptx", pptx(&zeros));
    refused("a.odt", odt(&zeros));
    // One chapter that cannot be read is all that the book has.
    assert!(survive("a.epub", epub(&zeros)).is_err());
}

#[test]
fn an_archive_in_an_archive_is_not_opened_and_many_entries_are_refused() {
    let inner = zipped(&[("word/document.xml", &vec![b' '; 64 << 20])]);
    let nested = zipped(&[("a.zip", &inner), ("word/document.xml", WORD.as_bytes())]);
    assert_eq!(survive("a.docx", nested).unwrap().lines.text(), "rivers and hills");
    let names: Vec<String> = (0..30_000).map(|index| format!("p{index}")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    refused("b.docx", zipped(&parts));
}

#[test]
fn names_that_lead_out_of_the_archive_lead_nowhere() {
    let body = r#"<Relationships><Relationship Id="rId1" Type="x/slide" Target="../../../../../etc/passwd"/><Relationship Id="rId2" Type="x/slide" TargetMode="External" Target="file:///etc/passwd"/></Relationships>"#;
    let slides = zipped(&[
        ("ppt/presentation.xml", br#"<p><p:sldId id="1" r:id="rId1"/><p:sldId id="2" r:id="rId2"/></p>"#),
        ("ppt/_rels/presentation.xml.rels", body.as_bytes()),
        ("../../ppt/slides/slide1.xml", b"<a:t>out</a:t>"),
        ("/etc/passwd", b"<a:p><a:t>absolute</a:t></a:p>"),
    ]);
    let read = survive("a.pptx", slides);
    assert!(read.is_err() || read.is_ok_and(|read| !read.lines.text().contains("root:")));
    let book = zipped(&[
        ("META-INF/container.xml", br#"<rootfile full-path="../../../etc/passwd"/>"#),
        ("mimetype", b"application/epub+zip"),
    ]);
    assert!(survive("a.epub", book).is_err());
}

#[test]
fn parts_that_are_missing_wrong_or_in_circles() {
    for (name, bytes) in sound().into_iter().filter(|(_, bytes)| bytes.starts_with(b"PK")) {
        let archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
        let names: Vec<String> = archive.file_names().flatten().map(|name| name.into_owned()).collect();
        let part = |wanted: &str| {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
            let mut out = Vec::new();
            std::io::copy(&mut archive.by_name(wanted).unwrap(), &mut out).unwrap();
            out
        };
        for left_out in &names {
            for replaced in [None, Some(b"".as_slice()), Some(b"<<<>>&&"), Some(b"\xFF\xFE\0\xD8"), Some(&[0; 4_096])] {
                let parts: Vec<(String, Vec<u8>)> = names
                    .iter()
                    .filter_map(|name| match (name == left_out, replaced) {
                        (true, replaced) => replaced.map(|bytes| (name.clone(), bytes.to_vec())),
                        (false, _) => Some((name.clone(), part(name))),
                    })
                    .collect();
                let parts: Vec<(&str, &[u8])> =
                    parts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
                drop(survive(name, zipped(&parts)));
            }
        }
    }
}

#[test]
fn entities_are_neither_multiplied_nor_fetched() {
    let mut dtd = String::from("<!DOCTYPE lolz [<!ENTITY l0 \"lol\">");
    for level in 1..12 {
        dtd.push_str(&format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10)));
    }
    dtd.push_str("<!ENTITY file SYSTEM \"file:///etc/passwd\"><!ENTITY % p SYSTEM \"http://127.0.0.1:9/x\"> %p;]>");
    let text = "sound &l11; &file; text";
    let files = [
        ("a.docx", docx(&format!("{dtd}<w:document><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:document>"))),
        ("a.odt", odt(&format!("{dtd}<office:text><text:p>{text}</text:p></office:text>"))),
        ("a.pptx", pptx(&format!("{dtd}<p:sld><a:p><a:t>{text}</a:t></a:p></p:sld>"))),
        ("a.epub", epub(&format!("<?xml version='1.0'?>{dtd}<html><body><p>{text}</p></body></html>"))),
        ("a.html", format!("{dtd}<html><body><p>{text}</p></body></html>").into_bytes()),
    ];
    for (name, bytes) in files {
        let extracted = survive(name, bytes).unwrap();
        let read = extracted.lines.text();
        assert!(read.contains("sound") && read.len() < 10_000 && !read.contains("root:"), "{name}: {}", read.len());
    }
    let sheet = xlsx(SHEET, &format!("{dtd}<sst><si><t>{text}</t></si></sst>"));
    assert!(survive("a.xlsx", sheet).is_ok_and(|read| read.lines.text().len() < 10_000));
}

#[test]
fn elements_without_end_inside_each_other() {
    let deep = |open: &str| open.repeat(300_000);
    refused_or_plain("a.html", deep("<div>").into_bytes());
    refused("a.docx", docx(&format!("<w:document>{}", deep("<w:p>"))));
    refused("a.odt", odt(&format!("<office:text>{}", deep("<text:p>"))));
    refused("a.pptx", pptx(&deep("<a:p>")));
    drop(survive("a.xlsx", xlsx(&deep("<row>"), STRINGS)));
    drop(survive("a.epub", epub(&deep("<div>"))));
    drop(survive("a.md", deep("> ").into_bytes()));
    drop(survive("b.md", deep("[").into_bytes()));
    drop(survive("c.md", deep("- ").into_bytes()));
    drop(survive("a.pdf", pdf(&[format!(") Tj {} (", deep("["))])));
    drop(survive("b.pdf", pdf_with(&["x".to_owned()], &format!("/Info {}", deep("<< /A ")))));
}

fn refused_or_plain(name: &str, bytes: Vec<u8>) {
    match survive(name, bytes) {
        Err(ReadError::Hostile(_)) => {}
        Ok(extracted) => assert!(extracted.confidence < 0.5),
        Err(error) => panic!("{name}: {error}"),
    }
}

#[test]
fn a_pdf_that_needs_a_password_says_so() {
    let key = "0123456789abcdef".repeat(4);
    let locked =
        format!("/Encrypt << /Filter /Standard /V 1 /R 2 /O <{key}> /U <{key}> /P -4 >> /ID [<{key}> <{key}>]");
    let error = survive("a.pdf", pdf_with(&["secret".to_owned()], &locked)).unwrap_err();
    assert!(matches!(error, ReadError::Encrypted), "{error}");
}

#[test]
fn a_pdf_of_ten_thousand_pages_is_read() {
    let pages: Vec<String> = (0..10_000).map(|page| format!("This is page {page} of a very long report")).collect();
    let extracted = survive("a.pdf", pdf(&pages)).unwrap();
    assert_eq!(extracted.pages.len(), 10_000);
    assert!(extracted.lines.line(extracted.pages[9_999]).contains("page 9999 of"));
}

#[test]
fn a_pdf_whose_parts_unpack_without_end() {
    let pack = |data: &[u8]| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    };
    let bomb = pack(&vec![b' '; 300 << 20]);
    for (filter, data) in [("/FlateDecode", bomb.clone()), ("[/FlateDecode /FlateDecode]", pack(&bomb))] {
        let mut bytes = b"%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n3 0 obj << /Type /Page /Parent 2 0 R /Contents 4 0 R >> endobj\n".to_vec();
        bytes.extend(format!("4 0 obj << /Length {} /Filter {filter} >>\nstream\n", data.len()).into_bytes());
        bytes.extend(data);
        bytes.extend(b"\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n");
        refused("a.pdf", bytes);
    }
}

#[test]
fn a_pdf_whose_forms_multiply_ends() {
    let mut out = String::from(
        "%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n2 0 obj << /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 /Parent 2 0 R >> endobj\n3 0 obj << /Type /Page /Parent 2 0 R /Resources << /XObject << /X 10 0 R >> >> /Contents 4 0 R >> endobj\n4 0 obj << /Length 5 >>\nstream\n/X Do\nendstream\nendobj\n",
    );
    for form in 10..40 {
        let draw = "/X Do ".repeat(10);
        out.push_str(&format!(
            "{form} 0 obj << /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X {} 0 R >> >> /Length {} >>\nstream\n{draw}\nendstream\nendobj\n",
            if form == 39 { 10 } else { form + 1 },
            draw.len()
        ));
    }
    out.push_str("trailer << /Root 1 0 R >>\n%%EOF\n");
    drop(survive("a.pdf", out.into_bytes()));
}

#[test]
fn files_that_are_cut_off_anywhere() {
    for (name, bytes) in sound() {
        for step in 0..40 {
            let end = bytes.len() * step / 40;
            drop(survive(name, bytes[..end].to_vec()));
        }
    }
}

#[test]
fn bytes_of_any_kind_under_every_name() {
    let mut chance = Chance(11);
    for (name, sound) in sound() {
        for size in [0, 1, 3, 17, 300, 5_000, 100_000] {
            let bytes = chance.bytes(size);
            drop(survive(name, bytes.clone()));
            // Behind the right beginning.
            let mut headed = sound[..sound.len().min(40)].to_vec();
            headed.extend(bytes);
            drop(survive(name, headed));
        }
    }
}

#[test]
fn mails_of_many_parts_and_mails_in_mails() {
    let mut mail = String::from("From: a@b.c\nSubject: many\nContent-Type: multipart/mixed; boundary=b\n\n");
    for part in 0..10_000 {
        mail.push_str(&format!(
            "--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=\"{part}.txt\"\n\npart {part}\n"
        ));
    }
    let extracted = survive("a.eml", format!("{mail}--b--\n").into_bytes()).unwrap();
    assert!(extracted.lines.text().contains("part 1\n") && extracted.confidence < 1.0);

    let mut nested = String::from("From: a@b.c\nSubject: deep\n");
    for level in 0..10_000 {
        nested.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"));
    }
    drop(survive("b.eml", nested.into_bytes()));
    let forwarded = "Subject: again\nContent-Type: message/rfc822\n\n".repeat(200_000);
    assert!(survive("c.eml", forwarded.into_bytes()).unwrap().confidence < 0.5);
    let lost = "Content-Type: multipart/mixed; boundary=never\n\n".repeat(100_000);
    drop(survive("d.eml", lost.into_bytes()));
}

#[test]
fn a_table_of_one_line_of_fifty_megabytes() {
    let line = format!("name,text\n1,{}\n2,x\n", "word ".repeat(10 << 20));
    let extracted = survive("a.csv", line.into_bytes()).unwrap();
    assert!(extracted.confidence < 1.0 && extracted.lines.text().ends_with("2 | x"));
    drop(survive("b.csv", ",".repeat(50 << 20).into_bytes()));
    drop(survive("c.csv", format!("a,b\n\"{}", "x,\n".repeat(10 << 20)).into_bytes()));
}

#[test]
fn a_file_that_is_not_what_its_name_says() {
    let pdf = pdf(&["rivers and hills".to_owned()]);
    assert!(survive("a.docx", pdf.clone()).unwrap().lines.text().contains("rivers"));
    assert!(survive("letter", pdf).unwrap().lines.text().contains("rivers"));
    assert!(survive("a.txt", docx(WORD)).unwrap().lines.text().contains("rivers"));
    let plain = survive("a.xlsx", b"only plain words".to_vec()).unwrap();
    assert_eq!(plain.lines.text(), "only plain words");
    assert!(plain.note.unwrap().contains("plain text"));
}
