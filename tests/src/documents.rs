//! Documents that tests make: real Markdown, PDF and DOCX files, and trees of source code.

use std::fmt::Write as _;
use std::io::{Cursor, Write};
use std::path::Path;

/// A one-page PDF (1.4, Helvetica) with these lines of ASCII text.
pub fn pdf(lines: &[&str]) -> Vec<u8> {
    let mut content = String::from("BT /F1 12 Tf 72 740 Td 16 TL\n");
    for line in lines {
        let escaped = line.replace('\\', r"\\").replace('(', r"\(").replace(')', r"\)");
        writeln!(content, "({escaped}) Tj T*").expect("writing to a String cannot fail");
    }
    content.push_str("ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}endstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        write!(file, "{} 0 obj\n{object}\nendobj\n", number + 1).expect("writing to a String cannot fail");
    }
    let table = file.len();
    write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).expect("writing to a String cannot fail");
    for offset in offsets {
        writeln!(file, "{offset:010} 00000 n ").expect("writing to a String cannot fail");
    }
    write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1)
        .expect("writing to a String cannot fail");
    file.into_bytes()
}

/// A DOCX with these paragraphs.
pub fn docx(paragraphs: &[&str]) -> Vec<u8> {
    const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
    const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
    let mut document = String::from(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>"#,
    );
    for paragraph in paragraphs {
        let escaped = paragraph.replace('&', "&amp;").replace('<', "&lt;");
        write!(document, r#"<w:p><w:r><w:t xml:space="preserve">{escaped}</w:t></w:r></w:p>"#)
            .expect("writing to a String cannot fail");
    }
    document.push_str("</w:body></w:document>");
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in
        [("[Content_Types].xml", TYPES), ("_rels/.rels", RELATIONS), ("word/document.xml", document.as_str())]
    {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("an archive in memory takes files");
        archive.write_all(text.as_bytes()).expect("an archive in memory takes bytes");
    }
    archive.finish().expect("an archive in memory can be finished").into_inner()
}

/// The word that only the source file of this number holds: letters alone, so that no tokenizer cuts it.
pub fn marker(number: usize) -> String {
    const LETTERS: &[u8; 10] = b"bdfgkmpvxz";
    let letters = format!("{number:05}").bytes().map(|digit| char::from(LETTERS[usize::from(digit - b'0')])).collect();
    ["quine".to_owned(), letters].concat()
}

/// Writes Rust source files `first..last` in folders of fifty, each with its [`marker`].
pub fn source_tree(folder: &Path, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let path = folder.join(format!("module_{:03}", number / 50)).join(format!("file_{number:05}.rs"));
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("folders can be made");
        let mut text = format!("//! Module {number}: keeps the ledger of cargo bay {}.\n\n", number % 17);
        for function in 0..4 + number % 5 {
            write!(
                text,
                "/// Adds the load of crane {function} to the {} of bay {number}.\n\
                 pub fn load_{number}_{function}(total: u64, crane: u64) -> u64 {{\n    \
                 let {} = crane.wrapping_mul({}) + total;\n    {} % {}\n}}\n\n",
                marker(number),
                marker(number),
                number * 7 + function,
                marker(number),
                function + 3,
            )
            .expect("writing to a String cannot fail");
        }
        std::fs::write(path, text).expect("a file can be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_pdf_points_at_its_objects() {
        let file = pdf(&["one (1)", "two"]);
        let text = String::from_utf8(file).unwrap();
        let table: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(text[table..].starts_with("xref\n"));
        let first: usize = text[table..].lines().nth(3).unwrap()[..10].parse().unwrap();
        assert!(text[first..].starts_with("1 0 obj"));
    }
}
