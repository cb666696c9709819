//! PDF: the text of each page through pdf-extract, behind checks of what that parser trusts.

mod bomb;
mod cycles;

use std::fmt::Write as _;

use pdf_extract::{ConvertToFmt, Document, Object, PlainTextOutput, output_doc_page};
use rspa_ml::Cancel;

use super::{Extracted, Limits, Lines, ReadError, Reader, guard};
use crate::DocumentKind;

pub struct Pdf;

const MOST_PAGES: usize = 20_000;
/// Bytes of text that one page may give.
const MOST_PAGE_BYTES: usize = 4 << 20;

impl Reader for Pdf {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let head = &bytes[..bytes.len().min(1024)];
        if !head.windows(5).any(|window| window == b"%PDF-") {
            return Err(ReadError::Damaged("it is not a PDF file".to_owned()));
        }
        bomb::check(bytes)?;
        let mut document =
            guard::catch(|| Document::load_mem(bytes).map_err(|error| damaged(bytes, &error.to_string())))?;
        if document.is_encrypted() && guard::catch(|| Ok(document.decrypt("").is_err())).unwrap_or(true) {
            return Err(ReadError::Encrypted);
        }
        drop_pictures(&mut document);
        let pages = document.get_pages();
        if pages.is_empty() {
            return Err(damaged(bytes, "no page was found in it"));
        }
        if pages.len() > MOST_PAGES {
            return Err(ReadError::Hostile(format!("{} pages", pages.len())));
        }

        let mut text = String::new();
        let mut starts = Vec::with_capacity(pages.len());
        let (mut line, mut unread, mut empty) = (1_u32, 0_usize, 0_usize);
        let mut cut = false;
        for (&number, &id) in &pages {
            if cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            starts.push(line);
            let page = if cycles::page_is_safe(&document, id) { page_text(&document, number) } else { None };
            let Some(page) = page else {
                unread += 1;
                continue;
            };
            let page = tidy(&page);
            empty += usize::from(page.is_empty());
            if text.len() + page.len() > limits.text_bytes {
                cut = true;
                break;
            }
            line += page.lines().count() as u32;
            text.push_str(&page);
        }

        let count = pages.len();
        if unread == count {
            return Err(ReadError::Damaged("none of its pages could be read".to_owned()));
        }
        let mut extracted = Extracted::plain(DocumentKind::Pdf, Lines::new(text));
        extracted.pages = starts;
        if unread > 0 {
            let share = (count - unread) as f32 / count as f32;
            extracted.doubt(share, &format!("{unread} of its {count} pages could not be read."));
        }
        if empty == count {
            extracted.doubt(0.0, "It holds pictures of pages without text; text in pictures is not read.");
        } else if empty * 2 > count {
            extracted.doubt(0.4, &format!("{empty} of its {count} pages hold no text, perhaps only pictures."));
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

/// The extractor would take the bytes of a drawn picture for drawing commands.
fn drop_pictures(document: &mut Document) {
    for object in document.objects.values_mut() {
        if let Object::Stream(stream) = object
            && stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Image")
        {
            stream.dict.remove(b"Filter");
            stream.content = Vec::new();
        }
    }
}

fn damaged(bytes: &[u8], reason: &str) -> ReadError {
    let tail = &bytes[bytes.len().saturating_sub(2048)..];
    if tail.windows(5).any(|window| window == b"%%EOF") {
        ReadError::Damaged(reason.to_owned())
    } else {
        ReadError::Damaged("its end is missing, as if a download or copy was cut short".to_owned())
    }
}

/// Takes text up to a limit, then fails, which ends the page.
struct Bounded(String);

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> std::fmt::Result {
        if self.0.len() + piece.len() > MOST_PAGE_BYTES {
            return Err(std::fmt::Error);
        }
        self.0.push_str(piece);
        Ok(())
    }
}

impl<'a> ConvertToFmt for &'a mut Bounded {
    type Writer = &'a mut Bounded;

    fn convert(self) -> Self::Writer {
        self
    }
}

fn page_text(document: &Document, number: u32) -> Option<String> {
    let mut text = Bounded(String::new());
    let read = guard::catch(|| {
        output_doc_page(document, &mut PlainTextOutput::new(&mut text), number)
            .map_err(|error| ReadError::Damaged(error.to_string()))
    });
    // A page that failed in the middle still gives its beginning.
    (read.is_ok() || text.0.len() > 200).then_some(text.0)
}

/// Trims lines, folds runs of blank lines, drops control characters, ends with a blank line.
fn tidy(page: &str) -> String {
    let mut tidied = String::with_capacity(page.len());
    let mut blank = true;
    for line in page.lines() {
        let line = line.trim();
        if line.is_empty() {
            if !blank {
                tidied.push('\n');
            }
            blank = true;
            continue;
        }
        blank = false;
        for character in line.chars().filter(|c| !c.is_control() || *c == '\t') {
            // Writing to a String cannot fail.
            let _ok = tidied.write_char(character);
        }
        tidied.push('\n');
    }
    if !blank {
        tidied.push('\n');
    }
    tidied
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small PDF of as many pages as texts.
    pub(crate) fn pdf(pages: &[&str]) -> Vec<u8> {
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
            object(
                &mut out,
                format!(
                    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
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
            format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", places.len() + 1).into_bytes(),
        );
        out
    }

    fn read(bytes: &[u8]) -> Result<Extracted, ReadError> {
        Pdf.read(bytes, &Limits::default(), &Cancel::new())
    }

    #[test]
    fn text_comes_by_pages() {
        let extracted = read(&pdf(&["The first page speaks of rivers", "The second page of hills"])).unwrap();
        assert_eq!(extracted.pages.len(), 2);
        assert!(extracted.lines.line(extracted.pages[0]).contains("rivers"));
        assert!(extracted.lines.line(extracted.pages[1]).contains("hills"), "{:?}", extracted.lines.text());
        assert_eq!(extracted.confidence, 1.0);
    }

    #[test]
    fn a_pdf_cut_in_half_is_reported_in_words() {
        let whole = pdf(&["The first page speaks of rivers", "The second page of hills"]);
        let error = read(&whole[..whole.len() / 2]).unwrap_err();
        assert!(error.to_string().contains("cut short"), "{error}");
    }

    #[test]
    fn a_page_that_is_its_own_ancestor_does_no_harm() {
        let source = String::from_utf8(pdf(&["x"])).unwrap();
        let looped = source
            .replace("/Type /Pages /Kids", "/Type /Pages /Parent 2 0 R /Kids")
            .replace("/MediaBox [0 0 612 792]", "");
        assert!(read(looped.as_bytes()).is_err());
    }

    #[test]
    fn a_form_that_draws_itself_does_no_harm() {
        let body = "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >> /Length 5";
        let source = String::from_utf8(pdf(&["x"])).unwrap();
        let looped = source
            .replace("/Font << /F1 3 0 R >> >>", "/Font << /F1 3 0 R >> /XObject << /X 6 0 R >> >>")
            .replace("xref\n0 ", &format!("6 0 obj\n<< {body} >>\nstream\n/X Do\nendstream\nendobj\nxref\n0 "));
        // The offsets are wrong now: the parser has to search for the objects, and must survive what it finds.
        let outcome = read(looped.as_bytes());
        assert!(outcome.is_err() || outcome.is_ok_and(|read| read.lines.count() < 10));
    }
}
