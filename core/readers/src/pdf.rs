//! PDF: hayro carries out each page's drawing commands; the letters that they place become lines in reading order.
//!
//! Of the pure Rust parsers tried, hayro reads the most real files and forbids unsafe code in what interprets them;
//! it keeps its own limits of nesting. What it has no limits for is checked here: unpacked sizes, pages, letters, time.

mod accents;
mod bomb;
mod glyphs;
mod layout;
mod structure;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro_interpret::hayro_syntax::object::DateTime;
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf as Parsed};
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, TransformExt, interpret_page};
use rspa_ml::Cancel;

use super::{Extracted, Limits, ReadError, Reader};

pub struct Pdf;

const MOST_PAGES: usize = 20_000;
/// Letters that may be without a known character before the text is called doubtful, as a share.
const MOST_UNKNOWN: f32 = 0.05;

impl Reader for Pdf {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let head = &bytes[..bytes.len().min(1024)];
        if !head.windows(5).any(|window| window == b"%PDF-") {
            return Err(ReadError::Damaged("it is not a PDF file".to_owned()));
        }
        bomb::check(bytes)?;
        let document = match Parsed::new(bytes.to_vec()) {
            Ok(document) => document,
            Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => return Err(ReadError::Encrypted),
            Err(LoadPdfError::Decryption(_)) => {
                return Err(ReadError::Damaged("it is locked in a way that is not known".to_owned()));
            }
            Err(LoadPdfError::Invalid) => return Err(damaged(bytes, "no page was found in it")),
        };
        let pages = document.pages();
        if pages.is_empty() {
            return Err(damaged(bytes, "no page was found in it"));
        }
        if pages.len() > MOST_PAGES {
            return Err(ReadError::Hostile(format!("{} pages", pages.len())));
        }
        bomb::check_streams(&document, cancel)?;

        let cache = InterpreterCache::new();
        let mut found = Vec::with_capacity(pages.len());
        let (mut unread, mut partial, mut empty, mut pictures) = (0_usize, 0_usize, 0_usize, 0_usize);
        let (mut unknown, mut letters) = (0_usize, 0_usize);
        let (mut size, mut cut) = (0_usize, false);
        for page in pages.iter() {
            if cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            let drawn = draw(page, &document, &cache, cancel)?;
            letters += drawn.letters;
            unknown += drawn.unknown;
            unread += usize::from(drawn.broken && drawn.lines.is_empty());
            partial += usize::from(drawn.broken && !drawn.lines.is_empty());
            empty += usize::from(drawn.lines.is_empty());
            pictures += usize::from(drawn.lines.is_empty() && drawn.images > 0);
            size += drawn.lines.iter().map(|line| line.text.len() + 2).sum::<usize>();
            if size > limits.text_bytes {
                cut = true;
                break;
            }
            found.push(drawn.lines);
        }

        let count = pages.len();
        if unread == count {
            return Err(ReadError::Damaged("none of its pages could be read".to_owned()));
        }
        let outline = structure::outline(&document);
        let mut extracted = structure::document(found, &outline);
        metadata(&document, &mut extracted);
        if unread > 0 {
            let share = (count - unread) as f32 / count as f32;
            extracted.doubt(share, &format!("{unread} of its {count} pages could not be read."));
        }
        if partial > 0 {
            extracted.doubt(
                1.0 - 0.5 * partial as f32 / count as f32,
                &format!("{partial} of its {count} pages were not read to their end."),
            );
        }
        if empty == count && pictures > 0 {
            extracted.doubt(0.0, "It holds pictures of pages without text; text in pictures is not read.");
        } else if empty == count {
            extracted.doubt(0.0, "Its pages hold no text.");
        } else if pictures * 2 > count {
            extracted.doubt(0.4, &format!("{pictures} of its {count} pages hold only pictures."));
        }
        let share = unknown as f32 / (letters + unknown).max(1) as f32;
        if share > MOST_UNKNOWN {
            extracted.doubt(
                1.0 - share.min(0.9),
                &format!(
                    "{:.0} % of its letters have no known character; they were guessed or left out.",
                    share * 100.0
                ),
            );
        }
        if !has_end(bytes) {
            extracted.doubt(0.7, "Its end is missing, as if a download or copy was cut short; what is there was read.");
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

/// Whether the mark stands near the end that closes a PDF.
fn has_end(bytes: &[u8]) -> bool {
    bytes[bytes.len().saturating_sub(2048)..].windows(5).any(|window| window == b"%%EOF")
}

fn damaged(bytes: &[u8], reason: &str) -> ReadError {
    if has_end(bytes) {
        ReadError::Damaged(reason.to_owned())
    } else {
        ReadError::Damaged("its end is missing, as if a download or copy was cut short".to_owned())
    }
}

struct Drawn {
    lines: Vec<layout::Line>,
    letters: usize,
    unknown: usize,
    images: usize,
    /// Its commands ended in a failure; what came before is kept.
    broken: bool,
}

fn draw<'a>(
    page: &Page<'a>,
    document: &'a Parsed,
    cache: &InterpreterCache<'a>,
    cancel: &Cancel,
) -> Result<Drawn, ReadError> {
    let (width, height) = page.render_dimensions();
    let mut collector = glyphs::Collector::new((width, height), cancel);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut context = Context::new(
            page.initial_transform(true).to_kurbo(),
            Rect::new(0.0, 0.0, f64::from(width), f64::from(height)),
            cache,
            document.xref(),
            InterpreterSettings::default(),
        );
        interpret_page(page, &mut context, &mut collector);
    }));
    let broken = match outcome {
        Ok(()) => false,
        Err(thrown) => {
            if thrown.downcast_ref::<glyphs::Enough>().is_some_and(|enough| enough.cancelled) {
                return Err(ReadError::Cancelled);
            }
            true
        }
    };
    let lines = layout::lines(&collector.letters);
    Ok(Drawn { lines, letters: collector.letters.len(), unknown: collector.unknown, images: collector.images, broken })
}

/// What the document says of itself in its information dictionary.
fn metadata(document: &Parsed, extracted: &mut Extracted) {
    let metadata = document.metadata();
    let words = |bytes: &Option<Box<[u8]>>| {
        let text = structure::text_string(bytes.as_deref()?);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then(|| text.chars().take(500).collect::<String>())
    };
    extracted.title =
        words(&metadata.title).filter(|title| title != "untitled" && title.chars().any(char::is_alphanumeric));
    for (name, value) in [
        ("author", words(&metadata.author)),
        ("subject", words(&metadata.subject)),
        ("keywords", words(&metadata.keywords)),
        ("creator", words(&metadata.creator)),
        ("producer", words(&metadata.producer)),
        ("created", metadata.creation_date.as_ref().map(date)),
        ("modified", metadata.modification_date.as_ref().map(date)),
    ] {
        if let Some(value) = value {
            extracted.metadata.push((name.to_owned(), value));
        }
    }
}

fn date(date: &DateTime) -> String {
    format!("{:04}-{:02}-{:02} {:02}:{:02}", date.year, date.month, date.day, date.hour, date.minute)
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
        match read(&whole[..whole.len() / 2]) {
            Ok(extracted) => {
                assert!(extracted.lines.text().contains("rivers"));
                assert!(extracted.note.is_some_and(|note| note.contains("cut short")));
            }
            Err(error) => assert!(error.to_string().contains("cut short"), "{error}"),
        }
        let error = read(&whole[..60]).unwrap_err();
        assert!(error.to_string().contains("cut short"), "{error}");
    }

    #[test]
    fn a_page_that_is_its_own_ancestor_does_no_harm() {
        let source = String::from_utf8(pdf(&["x"])).unwrap();
        let looped = source
            .replace("/Type /Pages /Kids", "/Type /Pages /Parent 2 0 R /Kids")
            .replace("/MediaBox [0 0 612 792]", "");
        // It has no size, yet its text is there.
        assert!(read(looped.as_bytes()).is_ok_and(|read| read.lines.text().contains('x')));
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
