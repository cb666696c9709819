//! Cuts an extracted document into passages: along headings, pages, blocks and blank lines, source code along what
//! it declares; with exact line numbers.
//!
//! Sizes are in characters. Small neighbours are merged up to the target; what is longer than the limit is split,
//! and such parts overlap by a few lines because no better boundary exists.

mod code;

use crate::knowledge::readers::{Extracted, Heading};
use crate::model::DocumentKind;
pub use crate::storage::knowledge::NewPassage as Chunk;

/// Sizes in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// A section smaller than this is merged with the next one.
    pub least: usize,
    pub target: usize,
    /// No passage is longer.
    pub most: usize,
    /// Repeated at the start of the next part of something split.
    pub overlap: usize,
}

/// Between which a passage may be aimed at, in characters.
pub const LEAST_TARGET: usize = 200;
pub const MOST_TARGET: usize = 4_000;

/// Raised when readers or cutting change so that files should be read again.
const PREPARATION: u64 = 2;

impl Sizes {
    /// The sizes around a passage of so many characters; those of [`Sizes::default`] for 800.
    pub fn around(target: usize) -> Self {
        let target = target.clamp(LEAST_TARGET, MOST_TARGET);
        Self { least: target * 5 / 16, target, most: target * 3 / 2, overlap: target * 3 / 20 }
    }

    /// Tells apart how documents are read and cut.
    pub fn preparation(self) -> u64 {
        [self.least, self.target, self.most, self.overlap]
            .into_iter()
            .fold(PREPARATION, |hash, size| (hash ^ size as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }
}

impl Default for Sizes {
    fn default() -> Self {
        Self::around(800)
    }
}

/// Passages of one document at most; more says nothing to anybody and costs memory.
pub const MOST_CHUNKS: usize = 50_000;

/// All passages of a document, in order. Every line that is not blank lies in at least one.
pub fn chunk(document: &Extracted, sizes: Sizes) -> Vec<Chunk> {
    let lengths = Lengths::new(document);
    let path = HeadingPath::new(&document.headings);
    let mut cutter = Cutter { document, sizes, chunks: Vec::new(), path, lengths, label: None };
    if document.kind == DocumentKind::Code && !document.symbols.is_empty() {
        for piece in code::pieces(document, sizes, &cutter.lengths) {
            cutter.emit_piece(piece);
            if cutter.chunks.len() >= MOST_CHUNKS {
                break;
            }
        }
        cutter.chunks.truncate(MOST_CHUNKS);
        return cutter.chunks;
    }
    let blocks = blocks(document);
    let mut open: Option<Block> = None;
    for block in blocks {
        open = match open {
            None => Some(block),
            Some(current) => match cutter.join(current, block) {
                Ok(merged) => Some(merged),
                Err((current, block)) => {
                    cutter.emit(current);
                    Some(block)
                }
            },
        };
        if cutter.chunks.len() >= MOST_CHUNKS {
            break;
        }
    }
    if let Some(last) = open {
        cutter.emit(last);
    }
    cutter.chunks.truncate(MOST_CHUNKS);
    cutter.chunks
}

/// A run of lines that belong together.
#[derive(Clone, Copy, Debug)]
struct Block {
    first: u32,
    last: u32,
    chars: usize,
    /// A heading or page begins here.
    section: bool,
    page: Option<u32>,
}

/// Cuts along blank lines (for code: blank lines before a line at the margin), headings, pages and kept blocks.
fn blocks(document: &Extracted) -> Vec<Block> {
    let lines = &document.lines;
    let code = document.kind == DocumentKind::Code;
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    let mut headings = document.headings.iter().filter(|_| !code).peekable();
    let mut kept = document.blocks.iter().copied().peekable();
    let mut page = 0_usize;
    let mut after_blank = false;
    for (number, text) in lines.iter() {
        while document.pages.get(page).is_some_and(|start| *start <= number) {
            page += 1;
        }
        let on_page = u32::try_from(page).ok().filter(|page| *page > 0);
        while headings.peek().is_some_and(|heading| heading.line < number) {
            headings.next();
        }
        let is_heading = headings.peek().is_some_and(|heading| heading.line == number);
        while kept.peek().is_some_and(|(_, last)| *last < number) {
            kept.next();
        }
        let inside_kept = kept.peek().is_some_and(|(first, last)| *first < number && number <= *last);
        let starts_kept = kept.peek().is_some_and(|(first, _)| *first == number);
        let new_page = open.as_ref().is_some_and(|block| block.page != on_page);
        if text.trim().is_empty() && !inside_kept {
            after_blank = true;
            continue;
        }
        // A closing bracket belongs to what it closes.
        let at_margin = !text.starts_with([' ', '\t', '}', ')', ']']);
        let gap = after_blank && (!code || at_margin);
        if new_page || is_heading || starts_kept || (gap && !inside_kept) || open.is_none() {
            blocks.extend(open.take());
            let section = new_page || is_heading;
            open = Some(Block { first: number, last: number, chars: 0, section, page: on_page });
        }
        if let Some(block) = &mut open {
            // Blank lines in between count too.
            block.chars += text.chars().count() + 1 + (number - block.last).saturating_sub(1) as usize;
            block.last = number;
        }
        after_blank = false;
        // What follows a kept block starts anew.
        if kept.peek().is_some_and(|(_, last)| *last == number) {
            after_blank = true;
        }
    }
    blocks.extend(open);
    // A kept block may end in blank lines.
    for block in &mut blocks {
        while block.last > block.first && lines.is_blank(block.last) {
            block.last -= 1;
        }
    }
    blocks
}

/// Characters up to each line, so that a run of lines is measured at once.
struct Lengths(Vec<usize>);

impl Lengths {
    fn new(document: &Extracted) -> Self {
        let mut sums = Vec::with_capacity(document.lines.count() as usize + 1);
        let mut sum = 0;
        sums.push(0);
        for (_, text) in document.lines.iter() {
            sum += text.chars().count() + 1;
            sums.push(sum);
        }
        Self(sums)
    }

    /// Characters of the lines joined by newlines; 0 for an empty range.
    fn of(&self, first: u32, last: u32) -> usize {
        let at = |line: u32| self.0.get(line as usize).or(self.0.last()).copied().unwrap_or(0);
        at(last).saturating_sub(at(first.saturating_sub(1))).saturating_sub(1)
    }
}

/// What a passage of source code is called and what it declares.
struct Label {
    heading: Option<String>,
    names: Vec<String>,
}

struct Cutter<'a> {
    document: &'a Extracted,
    sizes: Sizes,
    chunks: Vec<Chunk>,
    path: HeadingPath<'a>,
    lengths: Lengths,
    /// Of the piece that is being cut; else the headings say.
    label: Option<Label>,
}

impl Cutter<'_> {
    /// Both as one, if that stays near the target and crosses no boundary that matters.
    fn join(&self, current: Block, next: Block) -> Result<Block, (Block, Block)> {
        let gap = (next.first - current.last).saturating_sub(1) as usize;
        let together = current.chars + next.chars + gap;
        let heading_alone =
            self.document.headings.iter().any(|heading| heading.line == current.last) && current.first == current.last;
        let limit = if heading_alone { self.sizes.most } else { self.sizes.target };
        let fits = together <= limit || (current.chars < self.sizes.least / 2 && together <= self.sizes.most);
        if current.page.is_some() && current.page == next.page && self.page_fits(current.page) {
            return Ok(Block { last: next.last, chars: together, ..current });
        }
        let boundary = current.page != next.page || (next.section && current.chars >= self.sizes.least);
        if fits && !boundary { Ok(Block { last: next.last, chars: together, ..current }) } else { Err((current, next)) }
    }

    /// A slide or page that is one passage.
    fn page_fits(&self, page: Option<u32>) -> bool {
        let pages = &self.document.pages;
        let Some(index) = page.and_then(|page| page.checked_sub(1)).map(|index| index as usize) else { return false };
        let Some(first) = pages.get(index) else { return false };
        let last = pages.get(index + 1).map_or(self.document.lines.count(), |next| next.saturating_sub(1));
        self.lengths.of(*first, last) <= self.sizes.most
    }

    /// The lines that name the columns of the table which goes on at this line; none at its beginning.
    fn table_header(&self, line: u32) -> Option<String> {
        let lines = &self.document.lines;
        let (first, last) = *self.document.tables.iter().find(|(first, last)| *first < line && line <= *last)?;
        let rule = |text: &str| text.contains('-') && text.chars().all(|c| matches!(c, '|' | '-' | ':' | '+' | ' '));
        let end = if first + 1 < last && rule(lines.line(first + 1)) { first + 1 } else { first };
        let header = lines.join(first, end);
        let fits = header.chars().count() <= self.sizes.most / 4;
        (end < line && fits && !header.trim().is_empty()).then_some(header)
    }

    fn emit_piece(&mut self, piece: code::Piece) {
        let block = Block { first: piece.first, last: piece.last, chars: 0, section: true, page: None };
        self.label = Some(Label { heading: piece.heading, names: piece.names });
        self.emit(block);
        self.label = None;
    }

    fn emit(&mut self, block: Block) {
        let lines = &self.document.lines;
        let whole = lines.join(block.first, block.last);
        if whole.chars().count() <= self.sizes.most {
            self.push(block.first, block.last, block.page, whole);
            return;
        }
        // Lines one by one until the limit; the cut goes to the best boundary in the second half.
        let mut first = block.first;
        while first <= block.last {
            let mut last = first;
            let header = self.table_header(first);
            let mut chars = lines.line(first).chars().count();
            // A row that leaves no room for the header goes without.
            let header = header.filter(|header| header.chars().count() + 1 + chars <= self.sizes.most);
            chars += header.as_ref().map_or(0, |header| header.chars().count() + 1);
            if chars > self.sizes.most {
                self.split_line(first, block.page);
                first += 1;
                continue;
            }
            while last < block.last {
                let more = lines.line(last + 1).chars().count() + 1;
                if chars + more > self.sizes.most {
                    break;
                }
                chars += more;
                last += 1;
            }
            if last < block.last {
                last = self.best_cut(first, last);
            }
            let mut end = last;
            while end > first && lines.is_blank(end) {
                end -= 1;
            }
            let mut start = first;
            while start < end && lines.is_blank(start) {
                start += 1;
            }
            let text = lines.join(start, end);
            if !text.trim().is_empty() {
                let text = match header {
                    Some(header) => format!("{header}\n{text}"),
                    None => text,
                };
                self.push(start, end, block.page, text);
            }
            if last >= block.last {
                break;
            }
            first = self.overlapped(first, last);
        }
    }

    /// The line after which to cut: before a blank line, else before the least indented line, in the second half.
    fn best_cut(&self, first: u32, last: u32) -> u32 {
        let lines = &self.document.lines;
        let middle = first + (last - first) / 2;
        let indentation = |line: u32| lines.line(line).chars().take_while(|c| c.is_whitespace()).count();
        (middle.max(first)..=last)
            .rev()
            .filter(|line| !lines.is_blank(*line))
            .min_by_key(|line| if lines.is_blank(line + 1) { 0 } else { 1 + indentation(line + 1) })
            .unwrap_or(last)
    }

    /// Where the next part begins: some lines before the cut, but beyond the start of this part.
    fn overlapped(&self, first: u32, last: u32) -> u32 {
        let lines = &self.document.lines;
        if lines.is_blank(last + 1) {
            return last + 1;
        }
        let mut start = last + 1;
        let mut chars = 0;
        while start > first + 1 {
            chars += lines.line(start - 1).chars().count() + 1;
            // The rest must still fit beside the line that comes next.
            if chars > self.sizes.overlap || chars + lines.line(last + 1).chars().count() > self.sizes.most {
                break;
            }
            start -= 1;
        }
        start
    }

    /// A line longer than the limit becomes several passages of that one line, cut at spaces where possible.
    fn split_line(&mut self, line: u32, page: Option<u32>) {
        let text = self.document.lines.line(line).trim();
        let mut rest = text;
        while !rest.is_empty() && self.chunks.len() < MOST_CHUNKS {
            let end = match rest.char_indices().nth(self.sizes.most) {
                None => rest.len(),
                Some((hard, _)) => {
                    let soft = rest[..hard].rfind(char::is_whitespace).filter(|soft| *soft > hard / 2);
                    soft.unwrap_or(hard)
                }
            };
            let piece = rest[..end].trim();
            if !piece.is_empty() {
                self.push(line, line, page, piece.to_owned());
            }
            rest = rest[end..].trim_start();
        }
    }

    fn push(&mut self, start_line: u32, end_line: u32, page: Option<u32>, text: String) {
        let (heading, symbols) = match &self.label {
            None => (self.path.at(start_line, end_line), Vec::new()),
            Some(label) => {
                // A part of something long keeps its name, and those of what it shows.
                let shown = |(index, name): &(usize, &String)| *index == 0 || text.contains(name.as_str());
                let names = label.names.iter().enumerate().filter(shown).map(|(_, name)| name.clone()).collect();
                (label.heading.clone(), names)
            }
        };
        self.chunks.push(Chunk { start_line, end_line, page, heading, symbols, text });
    }
}

/// Follows the headings down the document.
struct HeadingPath<'a> {
    headings: &'a [Heading],
    next: usize,
    stack: Vec<&'a Heading>,
}

impl<'a> HeadingPath<'a> {
    fn new(headings: &'a [Heading]) -> Self {
        Self { headings, next: 0, stack: Vec::new() }
    }

    /// The path in force at the first line, or that of the first heading inside. Starts must not decrease by much:
    /// overlapping parts share the heading of the part before.
    fn at(&mut self, start: u32, end: u32) -> Option<String> {
        while let Some(heading) = self.headings.get(self.next).filter(|heading| heading.line <= start) {
            self.enter(heading);
            self.next += 1;
        }
        let mut stack = self.stack.clone();
        if stack.is_empty()
            && let Some(heading) = self.headings.get(self.next).filter(|heading| heading.line <= end)
        {
            stack.push(heading);
        }
        if stack.is_empty() {
            return None;
        }
        Some(stack.iter().map(|heading| heading.title.as_str()).collect::<Vec<_>>().join(" › "))
    }

    fn enter(&mut self, heading: &'a Heading) {
        while self.stack.last().is_some_and(|above| above.level >= heading.level) {
            self.stack.pop();
        }
        self.stack.push(heading);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rspa_ml::Cancel;

    use super::*;
    use crate::knowledge::readers::{Format, Limits, reader_for};

    fn read(format: Format, source: &str) -> Extracted {
        reader_for(format).read(source.as_bytes(), &Limits::default(), &Cancel::new()).unwrap()
    }

    fn read_code(name: &str, source: &str) -> Extracted {
        let path = std::path::Path::new(name);
        crate::knowledge::readers::code::read(Some(path), source.as_bytes(), &Limits::default(), &Cancel::new())
            .unwrap()
    }

    /// Lines, heading and names of each passage.
    fn passages(name: &str, source: &str) -> Vec<String> {
        let show = |chunk: Chunk| {
            let (first, last, heading) = (chunk.start_line, chunk.end_line, chunk.heading.unwrap_or_default());
            format!("{first}-{last} {heading} [{}]", chunk.symbols.join(" "))
        };
        chunk(&read_code(name, source), Sizes::default()).into_iter().map(show).collect()
    }

    fn places(format: Format, source: &str) -> Vec<(u32, u32, Option<String>)> {
        chunk(&read(format, source), Sizes::default())
            .into_iter()
            .map(|chunk| (chunk.start_line, chunk.end_line, chunk.heading))
            .collect()
    }

    #[test]
    fn sections_large_enough_stand_alone_with_their_path() {
        let body = "Sentence about the matter at hand. ".repeat(10);
        let source = format!("# Storage\n\n{body}\n\n## Backups\n\n{body}\n");
        let expected = [(1, 3, Some("Storage".to_owned())), (5, 7, Some("Storage › Backups".to_owned()))];
        assert_eq!(places(Format::Markdown, &source), expected);
    }

    #[test]
    fn the_usual_sizes_are_those_around_800_and_others_follow_them() {
        let usual = Sizes { least: 250, target: 800, most: 1_200, overlap: 120 };
        assert_eq!((Sizes::default(), Sizes::around(800)), (usual, usual));
        assert_eq!(Sizes::around(400), Sizes { least: 125, target: 400, most: 600, overlap: 60 });
        assert_eq!(Sizes::around(0), Sizes::around(LEAST_TARGET));
        assert_eq!(Sizes::around(usize::MAX), Sizes::around(MOST_TARGET));
        assert_ne!(Sizes::around(400).preparation(), usual.preparation());
    }

    #[test]
    fn small_sections_are_merged() {
        assert_eq!(places(Format::Markdown, "# A\n\none\n\n# B\n\ntwo\n"), [(1, 7, Some("A".to_owned()))]);
    }

    #[test]
    fn a_function_stays_whole_and_knows_its_name() {
        let long = |name: &str| {
            format!("fn {name}() {{\n{}\n\n    last();\n}}\n\n", "    call(1, 2, 3);\n".repeat(30).trim_end())
        };
        let source = format!("use a::b;\n\n{}{}", long("first"), long("second"));
        let found = places(Format::Code, &source);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1], (38, 71, Some("fn second".to_owned())));
    }

    #[test]
    fn code_is_cut_along_its_functions() {
        let body = |lines: usize| "        self.call(1, 2, 3);\n".repeat(lines);
        let source = format!(
            "//! A queue.\nuse a::b;\n\nconst A: u8 = 1;\nconst B: u8 = 2;\n\n/// Keeps jobs.\n/// {}\npub struct Queue {{\n    \
             jobs: Vec<u8>,\n}}\n\nimpl Queue {{\n    /// Takes one.\n    #[inline]\n    pub fn lease(&self) {{\n{}    }}\n\n    \
             fn len(&self) -> usize {{\n        1\n    }}\n\n    fn is_empty(&self) -> bool {{\n        false\n    }}\n\n    \
             fn drain(&self) {{\n{}    }}\n}}\n",
            "Words about it. ".repeat(20),
            body(12),
            body(60)
        );
        let expected = [
            "1-5  [A B]",
            "7-11 struct Queue [Queue]",
            "13-29 impl Queue › fn lease [Queue lease]",
            "31-37 impl Queue [len is_empty]",
        ];
        let found = passages("a.rs", &source);
        assert_eq!(found[..4], expected, "{found:?}");
        // Longer than a passage may be: its parts overlap and keep the name.
        assert_eq!(found.len(), 6, "{found:?}");
        assert!(found[4].starts_with("39-") && found[5].contains("-101 "), "{found:?}");
        assert!(found[4..].iter().all(|passage| passage.ends_with("impl Queue › fn drain [drain]")), "{found:?}");
    }

    #[test]
    fn a_small_class_stays_whole_with_the_names_inside() {
        let source =
            "import os\n\n\nclass Point:\n    def x(self):\n        return 1\n\n    def y(self):\n        return 2\n";
        assert_eq!(passages("a.py", source), ["1-9 class Point [Point x y]"]);
    }

    #[test]
    fn the_header_of_a_split_table_is_repeated() {
        let rows: Vec<String> = (0..60).map(|row| format!("| row {row} | value of the row number {row} |")).collect();
        let source = format!("| name | value |\n|---|---|\n{}\n", rows.join("\n"));
        let mut document = read(Format::Text, &source);
        document.blocks = vec![(1, 62)];
        document.tables = vec![(1, 62)];
        let chunks = chunk(&document, Sizes::default());
        assert!(chunks.len() >= 2);
        for chunk in &chunks {
            assert!(chunk.text.starts_with("| name | value |\n|---|---|\n| row"), "{}", chunk.text);
            assert!(chunk.text.chars().count() <= Sizes::default().most);
        }
    }

    #[test]
    fn a_slide_that_fits_stays_whole() {
        let slide = format!("Title\n\n{}\n\n{}\n", "First point. ".repeat(36), "Second point. ".repeat(36));
        let mut document = read(Format::Text, &slide.repeat(2));
        document.pages = vec![1, 6];
        let found: Vec<_> = chunk(&document, Sizes::default())
            .into_iter()
            .map(|chunk| (chunk.start_line, chunk.end_line, chunk.page))
            .collect();
        assert_eq!(found, [(1, 5, Some(1)), (6, 10, Some(2))]);
    }

    #[test]
    fn a_code_block_is_not_torn() {
        let code = format!("```\n{}\n\n{}```\n", "x = 1\n".repeat(50), "y = 2\n".repeat(50));
        let text = "Words before the block. ".repeat(25);
        let source = format!("{text}\n\n{code}\n{text}\n");
        let found = places(Format::Markdown, &source);
        assert!(found.contains(&(3, 106, None)), "{found:?}");
    }

    #[test]
    fn one_line_without_end_is_split_within_the_limit() {
        let chunks = chunk(&read(Format::Code, &"var a=1;".repeat(2_000)), Sizes::default());
        assert!(chunks.len() > 10);
        assert!(chunks.iter().all(|chunk| (chunk.start_line, chunk.end_line) == (1, 1)));
        let together: String = chunks.iter().map(|chunk| chunk.text.replace(' ', "")).collect();
        assert_eq!(together, "vara=1;".repeat(2_000));
    }

    fn lines_strategy() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            3 => "[ \t]{0,8}[a-zA-Zäö世 (){};]{0,60}",
            1 => Just(String::new()),
            1 => "#{1,4} [a-z]{1,10}",
            1 => Just("```".to_owned()),
            1 => "(    )?(fn|class|def) [a-z]{1,8}\\(\\)",
            1 => "[a-z ]{200,400}",
        ];
        proptest::collection::vec(line, 0..120).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn nothing_is_lost_and_numbers_are_right(source in lines_strategy(), which in 0..3_usize, most in 60..700_usize) {
            let format = [Format::Markdown, Format::Code, Format::Text][which];
            let document = read(format, &source);
            let sizes = Sizes { least: most / 5, target: most * 2 / 3, most, overlap: most / 10 };
            let chunks = chunk(&document, sizes);
            complete(&document, &chunks, most)?;
        }

        /// Real sources with lines taken out, doubled and moved: broken code in every way.
        #[test]
        fn nothing_is_lost_of_broken_code(
            which in 0..SAMPLES.len(),
            edits in proptest::collection::vec((0..200_usize, 0..200_usize, 0..4_u8), 0..12),
            most in 60..900_usize,
        ) {
            let (name, source) = SAMPLES[which];
            let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
            for (from, to, what) in edits {
                let (from, to) = (from % lines.len(), to % lines.len());
                match what {
                    0 => { if lines.len() > 1 { lines.remove(from); } }
                    1 => { let line = lines[from].clone(); lines.insert(to, line); }
                    2 => lines.swap(from, to),
                    _ => { let joined = format!("{} {}", lines[from], lines[to]); lines[from] = joined; }
                }
            }
            let document = read_code(name, &lines.join("\n"));
            let sizes = Sizes { least: most / 5, target: most * 2 / 3, most, overlap: most / 10 };
            let chunks = chunk(&document, sizes);
            complete(&document, &chunks, most)?;
        }
    }

    const SAMPLES: &[(&str, &str)] = &[
        ("a.rs", include_str!("../../syntax/tests/samples/a.rs")),
        ("a.py", include_str!("../../syntax/tests/samples/a.py")),
        ("a.js", include_str!("../../syntax/tests/samples/a.js")),
        ("a.ts", include_str!("../../syntax/tests/samples/a.ts")),
        ("a.go", include_str!("../../syntax/tests/samples/a.go")),
        ("a.c", include_str!("../../syntax/tests/samples/a.c")),
        ("a.cpp", include_str!("../../syntax/tests/samples/a.cpp")),
        ("a.java", include_str!("../../syntax/tests/samples/a.java")),
        ("a.yaml", include_str!("../../syntax/tests/samples/a.yaml")),
        ("a.rs", include_str!("chunk.rs")),
    ];

    /// Every line that is not blank lies in a passage; lines, texts and sizes are right.
    fn complete(document: &Extracted, chunks: &[Chunk], most: usize) -> Result<(), TestCaseError> {
        for chunk in chunks {
            prop_assert!(chunk.start_line >= 1 && chunk.start_line <= chunk.end_line);
            prop_assert!(chunk.end_line <= document.lines.count());
            prop_assert!(chunk.text.chars().count() <= most, "{} > {most}", chunk.text.chars().count());
            let joined = document.lines.join(chunk.start_line, chunk.end_line);
            if chunk.start_line < chunk.end_line {
                prop_assert_eq!(&joined, &chunk.text);
            } else {
                prop_assert!(joined.contains(&chunk.text));
            }
        }
        for (number, line) in document.lines.iter().filter(|(_, line)| !line.trim().is_empty()) {
            let covered = chunks.iter().any(|chunk| chunk.start_line <= number && number <= chunk.end_line);
            prop_assert!(covered, "line {number} ({line:?}) lies in no passage");
        }
        prop_assert!(chunks.is_sorted_by_key(|chunk| chunk.start_line));
        Ok(())
    }
}
