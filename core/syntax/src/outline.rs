//! Walks the syntax tree of a source file and lists what it declares, by the table of its language.
//!
//! The walk uses a cursor and stacks on the heap, so that nesting of any depth is harmless.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;
use tree_sitter::{Node, ParseOptions, Parser, Point, Range, Tree};

use crate::language::Grammar;
use crate::languages::Row;
use crate::table::{Act, Declared, Place, declared, rows};
use crate::{Language, Symbol, SymbolKind};

/// What an outline may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of source; a syntax tree takes ten to thirty times as much memory.
    pub bytes: usize,
    /// For parsing and walking together.
    pub time: Duration,
    pub symbols: usize,
    pub errors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 20, time: Duration::from_secs(3), symbols: 50_000, errors: 100 }
    }
}

/// Deepest nesting of symbols that is told apart.
const MOST_LEVEL: usize = 16;
/// Macro calls inside macro calls.
const MOST_TOKENS_DEPTH: usize = 3;
/// Nodes between two looks at the clock.
const NODES_PER_LOOK: u32 = 4096;

/// What a source file declares, and where it is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// In order of their places; what is declared inside of a symbol follows it.
    pub symbols: Vec<Symbol>,
    /// The first ones, in order.
    pub errors: Vec<SyntaxError>,
    /// There are more symbols than the limit.
    pub cut: bool,
}

/// A place that the grammar does not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// `` `}` is missing`` or `` `= =` is not expected here``.
    pub message: String,
}

/// Why there is no outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error("the file is too large for a syntax tree")]
    TooLarge,
    #[error("parsing took too long")]
    TimedOut,
    #[error("the grammar cannot hold what is in it")]
    Unsafe,
    #[error("stopped")]
    Cancelled,
}

/// What a source declares. Broken code gives what could be parsed.
///
/// # Errors
/// When the source is too large, parsing takes too long, or it was cancelled.
pub fn outline(language: Language, source: &str, limits: &Limits, cancel: &Cancel) -> Result<Outline, Stopped> {
    if source.len() > limits.bytes {
        return Err(Stopped::TooLarge);
    }
    let mut watch = Watch { deadline: Instant::now() + limits.time, cancel, nodes: 0 };
    let Some(grammar) = language.grammar() else {
        let symbols = crate::yaml::symbols(source, limits.symbols);
        let cut = symbols.len() >= limits.symbols;
        return Ok(Outline { symbols, errors: Vec::new(), cut });
    };
    if !crate::guard::is_safe(language, source) {
        return Err(Stopped::Unsafe);
    }
    let mut parser = Parser::new();
    // A grammar of another version than the library: none is linked.
    parser.set_language(&grammar.language).map_err(|_error| Stopped::TooLarge)?;
    let tree = parse(&mut parser, source, &watch)?;
    let mut walker = Walker {
        grammar,
        row: language.row(),
        source,
        limits,
        out: Outline::default(),
        open: Vec::new(),
        tokens: Vec::new(),
    };
    walker.walk(&tree, &mut watch)?;
    walker.errors(&tree, &mut watch)?;
    let mut depth = 0;
    let mut parts: Vec<(usize, Vec<Symbol>)> = Vec::new();
    let whole = std::mem::take(&mut walker.out.symbols);
    let mut waiting = std::mem::take(&mut walker.tokens);
    while !waiting.is_empty() && depth < MOST_TOKENS_DEPTH {
        depth += 1;
        let mut deeper = Vec::new();
        for tokens in waiting {
            if parser.set_included_ranges(&[tokens.range]).is_err() {
                continue;
            }
            let tree = parse(&mut parser, source, &watch)?;
            walker.open = tokens.open;
            walker.walk(&tree, &mut watch)?;
            let found = std::mem::take(&mut walker.out.symbols);
            if !found.is_empty() {
                parts.push((tokens.at, found));
            }
            // Those inside are told apart by nothing more than their place.
            deeper.extend(walker.tokens.drain(..).map(|inner| Tokens { at: tokens.at, ..inner }));
        }
        waiting = deeper;
    }
    walker.out.symbols = spliced(whole, parts, limits.symbols);
    Ok(walker.out)
}

/// Time and the wish to stop.
struct Watch<'a> {
    deadline: Instant,
    cancel: &'a Cancel,
    nodes: u32,
}

impl Watch<'_> {
    fn look(&self) -> Result<(), Stopped> {
        if self.cancel.is_cancelled() {
            Err(Stopped::Cancelled)
        } else if Instant::now() >= self.deadline {
            Err(Stopped::TimedOut)
        } else {
            Ok(())
        }
    }

    fn node(&mut self) -> Result<(), Stopped> {
        self.nodes += 1;
        if self.nodes >= NODES_PER_LOOK {
            self.nodes = 0;
            self.look()?;
        }
        Ok(())
    }
}

fn parse(parser: &mut Parser, source: &str, watch: &Watch<'_>) -> Result<Tree, Stopped> {
    let bytes = source.as_bytes();
    let mut stopped = None;
    let mut progress = |_: &tree_sitter::ParseState| match watch.look() {
        Ok(()) => ControlFlow::Continue(()),
        Err(why) => {
            stopped = Some(why);
            ControlFlow::Break(())
        }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let tree = parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
    match (tree, stopped) {
        (Some(tree), None) => Ok(tree),
        (_, why) => {
            parser.reset();
            Err(why.unwrap_or(Stopped::TimedOut))
        }
    }
}

/// Tokens of a macro call that wait to be parsed.
struct Tokens {
    range: Range,
    /// Number of symbols of the whole file before it.
    at: usize,
    open: Vec<Open>,
}

/// A symbol that the walk is inside of.
#[derive(Clone)]
struct Open {
    kind: SymbolKind,
    title: String,
    first_line: u32,
    last_line: u32,
    test: bool,
}

/// Lines that a node lends to the declaration inside it.
#[derive(Clone, Copy)]
struct Lent {
    start_row: usize,
    first_row: usize,
    last_row: usize,
    single: bool,
    test: bool,
}

/// Where the walk is among the children of one node.
#[derive(Clone, Copy, Default)]
struct Frame {
    /// First row of the comments and attributes just before.
    pending: Option<usize>,
    pending_test: bool,
    /// The last of them is an attribute.
    pending_attribute: bool,
    /// Last row of the sibling before.
    before: Option<usize>,
    lent: Option<Lent>,
    /// Its node is a symbol.
    symbol: bool,
}

struct Walker<'a> {
    grammar: &'static Grammar,
    row: &'static Row,
    source: &'a str,
    limits: &'a Limits,
    out: Outline,
    open: Vec<Open>,
    tokens: Vec<Tokens>,
}

impl Walker<'_> {
    fn walk(&mut self, tree: &Tree, watch: &mut Watch<'_>) -> Result<(), Stopped> {
        let mut cursor = tree.walk();
        let mut frames = vec![Frame::default()];
        loop {
            watch.node()?;
            let frame = frames.last_mut().expect("the frame of the children is open");
            let inside = self.visit(cursor.node(), frame);
            if let Some(inside) = inside {
                if cursor.goto_first_child() {
                    frames.push(inside);
                    continue;
                }
                if inside.symbol {
                    self.open.pop();
                }
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return Ok(());
                }
                if frames.pop().is_some_and(|frame| frame.symbol) {
                    self.open.pop();
                }
            }
            if self.out.symbols.len() >= self.limits.symbols {
                self.out.cut = true;
                return Ok(());
            }
        }
    }

    /// Takes note of a node; the frame for its children, unless nothing can be declared there.
    fn visit(&mut self, node: Node<'_>, frame: &mut Frame) -> Option<Frame> {
        let start_row = node.start_position().row;
        let last_row = last_row(node);
        let act = self.grammar.act(node.kind_id());
        if let Some(Act::Comment | Act::Attribute) = act {
            self.attach(node, act, frame, start_row, last_row);
            return None;
        }
        let before = frame.before.replace(last_row);
        // A comment with a blank line after it speaks of something else.
        let apart = !frame.pending_attribute && before.is_some_and(|before| before + 1 < start_row);
        let pending = frame.pending.take().filter(|_| !apart);
        let pending_test = std::mem::take(&mut frame.pending_test) && !apart;
        let in_function = self.open.last().is_some_and(|open| open.kind.is_callable());
        let in_value = self.open.last().is_some_and(|open| open.kind == SymbolKind::Constant);
        let short = rows(node) < 2 && (in_function || in_value);
        if !node.is_named() || node.is_missing() {
            // A bracket on a line of its own ends what was before it.
            frame.before = frame.before.max(before);
            return None;
        }
        let Some(act) = act else {
            return (!short).then(Frame::default);
        };
        let place = Place { source: self.source, level: self.open.len(), in_function };
        let found = match act {
            Act::Comment | Act::Attribute | Act::Opaque => return None,
            Act::Tokens => {
                self.wait(node, in_function);
                return None;
            }
            Act::Around | Act::Group => None,
            Act::Defined(..) if node.child_by_field_name("body").is_none() => None,
            Act::Named(kind, word) | Act::Defined(kind, word) => {
                node.child_by_field_name("name").and_then(|name| declared(kind, word, place.text(name)))
            }
            Act::Custom(rule) | Act::Leaf(rule) => rule(node, place),
        };
        let lines = frame.lent.filter(|lent| lent.single || lent.start_row == start_row);
        let first_row = pending.unwrap_or(start_row).min(lines.map_or(usize::MAX, |lent| lent.first_row));
        let end_row = match lines {
            Some(lent) if lent.single => lent.last_row.max(last_row),
            _ => last_row,
        };
        let test = pending_test || lines.is_some_and(|lent| lent.test);
        let Some(found) = found else {
            if short {
                return None;
            }
            let single = matches!(act, Act::Around);
            let lent = Lent { start_row, first_row, last_row: end_row, single, test };
            return Some(Frame { lent: Some(lent), ..Frame::default() });
        };
        if lines.is_some() {
            // Lent once.
            frame.lent = None;
        }
        if self.open.len() >= MOST_LEVEL {
            return None;
        }
        self.declare(node, found, first_row, end_row, test);
        // One line holds nothing that is worth a place of its own.
        if rows(node) == 0 || matches!(act, Act::Leaf(_)) {
            self.open.pop();
            return None;
        }
        Some(Frame { symbol: true, ..Frame::default() })
    }

    /// A comment or attribute before a declaration belongs to it, unless a blank line or other code is between.
    fn attach(&self, node: Node<'_>, act: Option<Act>, frame: &mut Frame, start_row: usize, last_row: usize) {
        let text = self.source.get(node.byte_range()).unwrap_or("");
        let inner = self.row.inner_comments.iter().any(|mark| text.starts_with(mark));
        let trailing = frame.before == Some(start_row) && frame.pending.is_none();
        if inner || trailing {
            frame.before = Some(last_row);
            return;
        }
        let touches = frame.before.is_none_or(|before| start_row <= before + 1);
        let attribute = matches!(act, Some(Act::Attribute));
        // Nothing stands between an attribute and what it belongs to.
        if frame.pending.is_none() || !(touches || attribute) {
            frame.pending = Some(start_row);
            frame.pending_test = false;
        }
        if attribute {
            frame.pending_test |= self.row.test_marks.iter().any(|mark| text.contains(mark));
        }
        frame.pending_attribute = attribute;
        frame.before = Some(last_row);
    }

    fn declare(&mut self, node: Node<'_>, found: Declared, first_row: usize, end_row: usize, test: bool) {
        let parent = self.open.last();
        let mut kind = found.kind;
        if kind == SymbolKind::Function
            && parent.is_some_and(|parent| {
                matches!(parent.kind, SymbolKind::Type | SymbolKind::Interface | SymbolKind::Implementation)
            })
        {
            kind = SymbolKind::Method;
        }
        let named = ["name", "declarator"].into_iter().find_map(|field| node.child_by_field_name(field));
        let name_at = named.unwrap_or(node).start_position().row;
        // Java and C# write annotations into the declaration.
        let head = named.map_or("", |name| self.source.get(node.start_byte()..name.start_byte()).unwrap_or(""));
        let marked = !self.row.test_marks.is_empty() && self.row.test_marks.iter().any(|mark| head.contains(mark));
        let by_name = (kind.is_callable() || kind == SymbolKind::Type)
            && self.row.test_names.iter().any(|start| found.name.starts_with(start));
        let test = test || found.test || marked || by_name || parent.is_some_and(|parent| parent.test);
        let (lowest, highest) = parent.map_or((1, u32::MAX), |parent| (parent.first_line, parent.last_line));
        let end_row = end_row - blank_rows(self.source.get(node.byte_range()).unwrap_or("")).min(end_row);
        let last_line = line_of(end_row).clamp(lowest, highest);
        let first_line = line_of(first_row).clamp(lowest, last_line);
        let line = line_of(name_at).clamp(first_line, last_line);
        self.out.symbols.push(Symbol {
            kind,
            name: found.name,
            containers: self.open.iter().map(|open| open.title.clone()).collect(),
            title: found.title.clone(),
            first_line,
            line,
            last_line,
            level: u8::try_from(self.open.len() + 1).unwrap_or(u8::MAX),
            test,
        });
        self.open.push(Open { kind, title: found.title, first_line, last_line, test });
    }

    /// `cfg_rt! { pub fn spawn() {...} }`: what stands between the brackets is parsed when the file is done.
    fn wait(&mut self, node: Node<'_>, in_function: bool) {
        if in_function || rows(node) < 2 || self.open.iter().any(|open| open.kind == SymbolKind::Constant) {
            return;
        }
        let count = u32::try_from(node.named_child_count()).unwrap_or(0);
        let Some(tokens) = count.checked_sub(1).and_then(|last| node.named_child(last)) else { return };
        let range = tokens.range();
        if tokens.kind() != "token_tree" || range.end_byte < range.start_byte + 2 || range.end_point.column == 0 {
            return;
        }
        let inside = Range {
            start_byte: range.start_byte + 1,
            end_byte: range.end_byte - 1,
            start_point: Point { column: range.start_point.column + 1, ..range.start_point },
            end_point: Point { column: range.end_point.column - 1, ..range.end_point },
        };
        self.tokens.push(Tokens { range: inside, at: self.out.symbols.len(), open: self.open.clone() });
    }

    /// Finds the first broken places; only branches that hold one are entered.
    fn errors(&mut self, tree: &Tree, watch: &mut Watch<'_>) -> Result<(), Stopped> {
        let mut cursor = tree.walk();
        loop {
            watch.node()?;
            let node = cursor.node();
            let broken = node.is_error() || node.is_missing();
            if broken {
                self.report(node);
                if self.out.errors.len() >= self.limits.errors {
                    return Ok(());
                }
            }
            if !broken && node.has_error() && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return Ok(());
                }
            }
        }
    }

    fn report(&mut self, node: Node<'_>) {
        let text = self.source.get(node.byte_range()).unwrap_or("");
        let message = if node.is_missing() {
            format!("`{}` is missing", node.kind())
        } else {
            let piece = crate::table::squeezed(text.lines().next().unwrap_or(""), 40);
            if piece.is_empty() {
                "this is not understood".to_owned()
            } else {
                format!("`{piece}` is not expected here")
            }
        };
        let start = node.start_byte().saturating_sub(node.start_position().column);
        let column = self.source.get(start..node.start_byte()).map_or(0, |before| before.chars().count());
        let column = u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1);
        self.out.errors.push(SyntaxError { line: line_of(node.start_position().row), column, message });
    }
}

fn line_of(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX - 1) + 1
}

/// Last row that holds something of the node: some end at the beginning of the next line.
fn last_row(node: Node<'_>) -> usize {
    let (start, end) = (node.start_position(), node.end_position());
    if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row }
}

/// Blank rows at the end of a node: the tables of some formats reach up to the next one.
fn blank_rows(text: &str) -> usize {
    let end = text.trim_end().len();
    let blank = text.get(end..).unwrap_or("");
    blank.matches('\n').count().saturating_sub(usize::from(blank.ends_with('\n')))
}

/// Puts what was found in macro calls where it belongs.
fn spliced(whole: Vec<Symbol>, mut parts: Vec<(usize, Vec<Symbol>)>, most: usize) -> Vec<Symbol> {
    if parts.is_empty() {
        return whole;
    }
    parts.sort_by_key(|(at, found)| (*at, found.first().map_or(0, |symbol| symbol.first_line)));
    let mut parts = parts.into_iter().peekable();
    let mut together = Vec::new();
    for (index, symbol) in whole.into_iter().enumerate() {
        while let Some((_, found)) = parts.next_if(|(at, _)| *at <= index) {
            together.extend(found);
        }
        together.push(symbol);
    }
    together.extend(parts.flat_map(|(_, found)| found));
    together.truncate(most);
    together
}
