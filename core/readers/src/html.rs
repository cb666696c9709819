//! HTML pages: readable text with headings; scripts, styles and markup dropped.

use std::borrow::Cow;
use std::collections::HashMap;

use html5ever::tendril::{StrTendril, TendrilSink};
use rspa_ml::Cancel;
use scraper::{ElementRef, Html, HtmlTreeSink, Node};

use super::{Extracted, Heading, Limits, Lines, ReadError, Reader, text};
use crate::DocumentKind;

pub struct HtmlPage;

/// Elements open at once beyond which a page is no document. Parsers of HTML slow down sharply with depth.
const MOST_DEPTH: usize = 2_000;
/// Bytes of a page between two looks at its depth.
const PIECE: usize = 4 << 10;
/// Parts of the tree that even an empty page has, and some more.
const SPARE_NODES: usize = 1_000;
const TITLE_CHARS: usize = 120;

impl Reader for HtmlPage {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let decoded = text::decode_declared(bytes)?;
        let mut extracted = match page(&decoded.text, limits.text_bytes, cancel) {
            Ok(extracted) => extracted,
            // Nested beyond measure: its words are still there.
            Err(ReadError::Hostile(reason)) => {
                let mut plain =
                    Extracted::plain(DocumentKind::Html, Lines::new(without_tags(&decoded.text, limits.text_bytes)));
                plain.doubt(
                    0.3,
                    &format!("It asks for more than a page should ({reason}); only its plain text was read."),
                );
                plain
            }
            Err(error) => return Err(error),
        };
        if let Some(note) = decoded.note {
            extracted.doubt(decoded.confidence, note);
        }
        if extracted.lines.count() == 0 && bytes.len() > 200 {
            extracted.doubt(0.1, "The page holds no readable text; it may be made by a script.");
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

/// Reads the source of a page, also one inside a book or a message.
///
/// # Errors
/// `Hostile` for a page nested beyond measure, `Cancelled`.
pub fn page(source: &str, limit: usize, cancel: &Cancel) -> Result<Extracted, ReadError> {
    let source = opened(source);
    let page = parse(&source, cancel)?;
    let mut writer = PageWriter::new(limit);
    walk(&page, &mut writer, cancel)?;
    let cut = writer.full;
    let tables = std::mem::take(&mut writer.tables);
    let (text, headings, blocks) = writer.finish();
    let mut extracted = Extracted::plain(DocumentKind::Html, Lines::new(text));
    extracted.headings = headings;
    extracted.blocks = blocks;
    extracted.blocks.extend(&tables);
    extracted.blocks.sort_unstable();
    extracted.tables = tables;
    describe(&page, &mut extracted);
    if cut {
        extracted.doubt(0.5, "Only its first part was read, because it is very long.");
    }
    Ok(extracted)
}

/// What the head of a page says of it.
fn describe(page: &Html, extracted: &mut Extracted) {
    const NAMES: &[(&str, &str)] = &[
        ("author", "author"),
        ("dc.creator", "author"),
        ("article:author", "author"),
        ("description", "description"),
        ("og:description", "description"),
        ("keywords", "keywords"),
        ("date", "date"),
        ("dc.date", "date"),
        ("article:published_time", "date"),
        ("generator", "generator"),
        ("og:site_name", "site"),
    ];
    let words =
        |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(500).collect::<String>();
    for element in page.tree.nodes().filter_map(ElementRef::wrap).take(20_000) {
        match element.value().name() {
            "html" => {
                if let Some(language) = element.attr("lang").filter(|language| !language.is_empty()) {
                    extracted.metadata.push(("language".to_owned(), words(language)));
                }
            }
            "title" if extracted.title.is_none() => {
                let title = words(&element.text().take(100).collect::<String>());
                extracted.title = Some(title).filter(|title| !title.is_empty());
            }
            "meta" => {
                let name = element.attr("name").or_else(|| element.attr("property")).unwrap_or_default().to_lowercase();
                let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == name) else { continue };
                let value = words(element.attr("content").unwrap_or_default());
                if !value.is_empty() && !extracted.metadata.iter().any(|(known, _)| known == name) {
                    extracted.metadata.push(((*name).to_owned(), value));
                }
            }
            "body" if extracted.title.is_some() => break,
            _ => {}
        }
    }
}

/// In XHTML `<script/>` and `<title/>` are whole; HTML would take all that follows for their content.
fn opened(source: &str) -> Cow<'_, str> {
    let head = &source[..source.floor_char_boundary(2_000)];
    if !(head.contains("<?xml") || head.contains("xhtml")) || !source.contains("/>") {
        return Cow::Borrowed(source);
    }
    const VOID: &[&str] = &[
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
        "path", "image", "rect", "circle", "line", "use",
    ];
    let mut out = String::with_capacity(source.len() + 64);
    let mut rest = source;
    while let Some(at) = rest.find("/>") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        rest = &after[2..];
        let name: Option<&str> = before.rfind('<').map(|start| &before[start + 1..]).and_then(|tag| {
            let name = tag.split(|letter: char| letter.is_whitespace()).next()?;
            let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':');
            (plain && !tag.contains('>')).then_some(name)
        });
        match name {
            Some(name) if !VOID.contains(&name.to_ascii_lowercase().as_str()) => {
                out.push_str("></");
                out.push_str(name);
                out.push('>');
            }
            _ => out.push_str("/>"),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What stands between tags, for pages that no parser should take.
pub fn without_tags(source: &str, limit: usize) -> String {
    let mut text = String::new();
    let mut rest = source;
    while !rest.is_empty() && text.len() < limit {
        let Some(start) = rest.find('<') else {
            text.push_str(rest);
            break;
        };
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = match ["<script", "<style", "<!--"]
            .iter()
            .find(|tag| rest.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag)))
        {
            Some(&"<!--") => rest.find("-->").map(|end| end + 3),
            Some(&"<script") => rest.find("</script").map(|end| end + 9),
            Some(_) => rest.find("</style").map(|end| end + 8),
            None => rest.find('>').map(|end| end + 1),
        };
        rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
        if !text.ends_with([' ', '\n']) {
            text.push('\n');
        }
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    text::clip(lines.join("\n"), limit).0
}

/// The title and the links of a page: its first line, then one line each of address, tab and words.
pub struct PageLinks;

const MOST_LINKS: usize = 200;

impl Reader for PageLinks {
    fn read(&self, bytes: &[u8], _limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let page = parse(&text::decode(bytes)?.text, cancel)?;
        let words = |element: ElementRef<'_>| {
            let pieces = element.text().take(100).collect::<String>();
            let words = pieces.split_whitespace().collect::<Vec<_>>().join(" ");
            words.chars().take(TITLE_CHARS).collect::<String>()
        };
        let (mut title, mut links) = (String::new(), Vec::new());
        for element in page.tree.nodes().filter_map(ElementRef::wrap) {
            match element.value().name() {
                "title" if title.is_empty() => title = words(element),
                "a" if links.len() < MOST_LINKS => {
                    if let Some(address) = element.attr("href").filter(|address| address.len() < 2_000) {
                        let address: String = address.split_whitespace().collect();
                        links.push(format!("{address}\t{}", words(element)));
                    }
                }
                _ => {}
            }
        }
        Ok(Extracted::plain(DocumentKind::Html, Lines::new(format!("{title}\n{}", links.join("\n")))))
    }

    fn isolated(&self) -> bool {
        true
    }
}

/// Hands the page over in pieces and looks between them how deep the tree has become. Counting tags beforehand would
/// not tell: which end tags close something is known to the parser alone.
fn parse(source: &str, cancel: &Cancel) -> Result<Html, ReadError> {
    let sink = HtmlTreeSink::new(Html::new_document());
    let mut parser = html5ever::parse_document(sink, html5ever::ParseOpts::default());
    let mut depths = HashMap::new();
    let mut rest = source;
    while !rest.is_empty() {
        if cancel.is_cancelled() {
            return Err(ReadError::Cancelled);
        }
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(PIECE));
        rest = after;
        parser.process(StrTendril::from_slice(piece));
        let page = parser.tokenizer.sink.sink.0.borrow();
        let nodes = page.tree.nodes();
        // Tags that are never closed are opened again in each paragraph that follows.
        if nodes.len() > source.len() + SPARE_NODES {
            return Err(ReadError::Hostile("more elements than it has letters".to_owned()));
        }
        // They are kept in the order in which they were made.
        let new = nodes.len().saturating_sub(depths.len());
        let new: Vec<_> = nodes.rev().take(new).collect();
        for node in new.into_iter().rev() {
            let depth = match node.parent().map(|parent| (depths.get(&parent.id()), parent)) {
                None => 0,
                Some((Some(depth), _)) => depth + 1,
                // A parent made later than its child.
                Some((None, _)) => node.ancestors().take(MOST_DEPTH + 1).count(),
            };
            if depth > MOST_DEPTH {
                return Err(ReadError::Hostile(format!("more than {MOST_DEPTH} elements inside each other")));
            }
            depths.insert(node.id(), depth);
        }
    }
    Ok(parser.finish())
}

/// Visits the tree without recursion.
fn walk(page: &Html, writer: &mut PageWriter, cancel: &Cancel) -> Result<(), ReadError> {
    let mut next = page.tree.root().first_child();
    let mut steps = 0_usize;
    while let Some(node) = next {
        steps += 1;
        if steps.is_multiple_of(1024) && cancel.is_cancelled() {
            return Err(ReadError::Cancelled);
        }
        let skipped = match node.value() {
            Node::Text(text) => {
                writer.text(text);
                true
            }
            Node::Element(element) if is_skipped(element.name()) => true,
            Node::Element(element) if element.name() == "img" => {
                writer.text(&element.attr("alt").map(|alt| format!(" {alt} ")).unwrap_or_default());
                true
            }
            Node::Element(element) => {
                writer.open(element.name());
                false
            }
            _ => node.first_child().is_none(),
        };
        next = if skipped { None } else { node.first_child() };
        let mut at = node;
        if !skipped && next.is_none() {
            close(at.value(), writer);
        }
        while next.is_none() {
            next = at.next_sibling();
            if next.is_none() {
                match at.parent() {
                    Some(parent) => {
                        close(parent.value(), writer);
                        at = parent;
                    }
                    None => return Ok(()),
                }
            }
        }
    }
    Ok(())
}

fn close(node: &Node, writer: &mut PageWriter) {
    if let Some(element) = node.as_element() {
        writer.close(element.name());
    }
}

fn is_skipped(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "noscript"
            | "template"
            | "svg"
            | "annotation"
            | "annotation-xml"
            | "iframe"
            | "object"
            | "embed"
            | "canvas"
            | "head"
            | "select"
            | "audio"
            | "video"
            | "nav"
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "li"
            | "main"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "thead"
            | "tr"
            | "ul"
    )
}

fn level_of(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

/// Collects lines of text: white space folded, one line per block.
struct PageWriter {
    text: String,
    line: String,
    number: u32,
    headings: Vec<Heading>,
    blocks: Vec<(u32, u32)>,
    heading: Option<u8>,
    pre: usize,
    pre_start: u32,
    /// First line, rows and most cells of each table that is open, the outermost first.
    open_tables: Vec<(u32, u32, u32)>,
    cells: u32,
    tables: Vec<(u32, u32)>,
    limit: usize,
    full: bool,
}

impl PageWriter {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            line: String::new(),
            number: 1,
            headings: Vec::new(),
            blocks: Vec::new(),
            heading: None,
            pre: 0,
            pre_start: 0,
            open_tables: Vec::new(),
            cells: 0,
            tables: Vec::new(),
            limit,
            full: false,
        }
    }

    fn text(&mut self, piece: &str) {
        if self.text.len() + self.line.len() + piece.len() > self.limit {
            self.full = true;
            return;
        }
        if self.pre > 0 {
            for (index, part) in piece.split('\n').enumerate() {
                if index > 0 {
                    self.push_line();
                }
                self.line.push_str(part.trim_end_matches('\r'));
            }
            return;
        }
        let mut spaced = piece.starts_with(char::is_whitespace);
        for word in piece.split_whitespace() {
            if spaced && !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
            self.line.push_str(word);
            spaced = true;
        }
        if piece.ends_with(char::is_whitespace) && !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
    }

    fn push_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.text.push_str(line.trim_end());
        self.text.push('\n');
        self.number += 1;
    }

    /// Ends the line; a blank one follows what stands alone.
    fn end_block(&mut self, spaced: bool) {
        if !self.line.trim().is_empty() {
            self.push_line();
        } else {
            self.line.clear();
        }
        if spaced && !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.push_line();
        }
    }

    fn open(&mut self, name: &str) {
        match name {
            "br" => self.push_line(),
            "td" | "th" => {
                self.cells += 1;
                if self.cells > 1 && !self.line.is_empty() {
                    self.line.truncate(self.line.trim_end().len());
                    self.line.push_str(" | ");
                }
            }
            "pre" => {
                self.end_block(true);
                if self.pre == 0 {
                    self.pre_start = self.number;
                }
                self.pre += 1;
            }
            _ if is_block(name) => {
                self.end_block(
                    matches!(name, "p" | "section" | "article" | "table" | "ul" | "ol") || level_of(name).is_some(),
                );
                if let Some(level) = level_of(name) {
                    self.heading = Some(level);
                } else if name == "li" {
                    self.line.push_str("- ");
                } else if name == "tr" {
                    self.cells = 0;
                } else if name == "table" {
                    self.open_tables.push((self.number, 0, 0));
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if level_of(name).is_some() {
            if let Some(level) = self.heading.take() {
                let title: String = self.line.trim().chars().take(TITLE_CHARS).collect();
                if !title.is_empty() {
                    self.headings.push(Heading { line: self.number, level, title });
                }
            }
            self.end_block(true);
        } else if name == "pre" && self.pre > 0 {
            self.pre -= 1;
            if self.pre == 0 {
                let last = if self.line.is_empty() { self.number.saturating_sub(1) } else { self.number };
                if last >= self.pre_start {
                    self.blocks.push((self.pre_start, last));
                }
                self.end_block(true);
            }
        } else if is_block(name) {
            if name == "tr"
                && let Some((_, rows, cells)) = self.open_tables.last_mut()
            {
                *rows += 1;
                *cells = (*cells).max(self.cells);
            }
            self.end_block(false);
            if name == "table"
                && let Some((first, rows, cells)) = self.open_tables.pop()
                && self.open_tables.is_empty()
                && rows > 1
                && cells > 1
                && first < self.number
            {
                self.tables.push((first, self.number - 1));
            }
            self.end_block(matches!(name, "p" | "section" | "article" | "table" | "ul" | "ol"));
        }
    }

    fn finish(mut self) -> (String, Vec<Heading>, Vec<(u32, u32)>) {
        self.end_block(false);
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        (self.text, self.headings, self.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Result<Extracted, ReadError> {
        HtmlPage.read(source.as_bytes(), &Limits::default(), &Cancel::new())
    }

    #[test]
    fn text_and_headings_without_scripts() {
        let page = "<html><head><title>T</title><style>p{}</style></head><body><h1>Main  <b>thing</b></h1>\
                    <p>First &amp; <i>second</i>.</p><script>var secret = 1;</script><ul><li>one<li>two</ul>\
                    <pre>a\n  b</pre></body></html>";
        let extracted = read(page).unwrap();
        let text = extracted.lines.text();
        assert!(!text.contains("secret") && !text.contains("p{}"), "{text}");
        assert_eq!(extracted.headings.len(), 1);
        assert_eq!(extracted.lines.line(extracted.headings[0].line), "Main thing");
        assert!(text.contains("First & second."), "{text}");
        assert!(text.contains("- one\n- two"), "{text}");
        let (first, last) = extracted.blocks[0];
        assert_eq!(extracted.lines.join(first, last), "a\n  b");
    }

    #[test]
    fn of_a_page_nested_without_end_the_plain_text_is_read_and_that_is_said() {
        let extracted = read(&format!("{}words<script>x</script>", "<div>".repeat(500_000))).unwrap();
        assert_eq!((extracted.lines.text(), extracted.confidence), ("words", 0.3));
        assert!(extracted.note.unwrap().contains("inside each other"));
    }

    #[test]
    fn tables_and_what_the_head_says() {
        let extracted = read(
            "<html lang=en><head><title>The  T</title><meta name=author content=Ada></head><body><p>x</p><table><tr><th>a</th><th>b</th></tr><tr><td></td><td>2</td></tr></table>",
        )
        .unwrap();
        assert_eq!(extracted.tables, [(3, 4)]);
        assert_eq!(extracted.lines.join(3, 4), "a | b\n2");
        assert_eq!(extracted.title.as_deref(), Some("The T"));
        assert_eq!(extracted.metadata[1], ("author".to_owned(), "Ada".to_owned()));
    }

    #[test]
    fn whole_elements_of_xhtml_swallow_nothing() {
        let extracted = read(
            "<?xml version='1.0'?><html><head><title/><script src='x'/></head><body><a id='y'/>text</body></html>",
        )
        .unwrap();
        assert_eq!(extracted.lines.text(), "text");
    }

    #[test]
    fn a_page_says_its_encoding() {
        let page = b"<html><head><meta charset=\"iso-8859-2\"></head><body>\xb9\xe8</body></html>";
        let extracted = HtmlPage.read(page, &Limits::default(), &Cancel::new()).unwrap();
        assert_eq!((extracted.lines.text(), extracted.confidence), ("\u{161}\u{10d}", 1.0));
    }

    #[test]
    fn end_tags_that_close_nothing_hide_no_depth() {
        let repeated = [
            "<div></p>",
            "<div></nothing>",
            "<div><!--</div>-->",
            "<div title='</div>'>",
            "<div><script></div></script>",
            "<div><object></div>",
            "<table><tr><td></div>",
            "<svg><g></div>",
        ];
        for piece in repeated {
            let Err(error) = page(&piece.repeat(100_000), 1 << 20, &Cancel::new()) else {
                panic!("{piece} hides its depth")
            };
            assert!(error.to_string().contains("inside each other"), "{piece}: {error}");
        }
    }

    #[test]
    fn a_page_that_unfolds_to_more_than_it_holds_is_refused() {
        let open: String = (0..1_500).map(|number| format!("<b id={number}>")).collect();
        let many = format!("<p>{open}{}", "<p>x</p>".repeat(100_000));
        let Err(error) = page(&many, 1 << 20, &Cancel::new()) else { panic!("it was read") };
        assert!(error.to_string().contains("more elements"), "{error}");
        let foster = format!("<table>{}", "<div>".repeat(100_000));
        let Err(error) = page(&foster, 1 << 20, &Cancel::new()) else { panic!("it was read") };
        assert!(error.to_string().contains("inside each other"), "{error}");
    }

    #[test]
    fn many_elements_beside_each_other_are_read() {
        let page = "<div><p>one <b>two</b><br><span>three</div><script>if (a<b) '<div>'</script>".repeat(5_000);
        assert_eq!(read(&page).unwrap().lines.text().lines().filter(|line| line.contains("one two")).count(), 5_000);
    }

    #[test]
    fn a_page_nested_within_the_limit_is_read() {
        let page = format!("{}deep{}", "<div>".repeat(1_500), "</div>".repeat(1_500));
        assert_eq!(read(&page).unwrap().lines.text(), "deep");
    }
}
