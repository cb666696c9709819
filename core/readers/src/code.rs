//! Source code: the lines as they are, with what they declare. Languages with a grammar are read by their syntax
//! tree; for the others simple symbol lines (fn, def, class, impl, ...) serve as headings.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use rspa_ml::Cancel;
use rspa_syntax::{Language, Stopped, Symbol, SymbolKind, outline};

use super::{Extracted, Heading, Limits, ReadError, Reader, text};
use crate::DocumentKind;

pub struct Code;

impl Reader for Code {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        read(None, bytes, limits, cancel)
    }
}

/// Longest time for a syntax tree; most take milliseconds.
const TREE_TIME: Duration = Duration::from_secs(3);
/// Bytes per line from which a file is machine-made: all of its symbols would lie on a few lines.
const MINIFIED: usize = 500;

/// Reads source code; its name tells the language, else its first line does.
///
/// # Errors
/// For bytes that are no text, and when cancelled.
pub fn read(path: Option<&Path>, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
    let mut extracted = text::decode_as(DocumentKind::Code, bytes, limits)?;
    extracted.symbols = symbols(path, &extracted, limits, cancel)?;
    extracted.headings = if extracted.symbols.is_empty() {
        by_lines(&extracted)
    } else {
        let outer = extracted.symbols.iter().filter(|symbol| symbol.kind != SymbolKind::Constant);
        outer.map(|symbol| Heading { line: symbol.line, level: symbol.level, title: symbol.title.clone() }).collect()
    };
    Ok(extracted)
}

/// None for languages without a grammar, and for files that are too large for a syntax tree: their text is read
/// all the same, so nobody needs to be told.
fn symbols(
    path: Option<&Path>,
    extracted: &Extracted,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Vec<Symbol>, ReadError> {
    let source = extracted.lines.text();
    let Some(language) = Language::of(path, source) else { return Ok(Vec::new()) };
    if source.len() / extracted.lines.count().max(1) as usize > MINIFIED {
        return Ok(Vec::new());
    }
    let time = TREE_TIME.min(Duration::from_secs(limits.seconds));
    let tree_limits = rspa_syntax::Limits { time, errors: 0, ..rspa_syntax::Limits::default() };
    match outline(language, &with_plain_endings(source), &tree_limits, cancel) {
        Ok(found) => Ok(found.symbols),
        Err(Stopped::Cancelled) => Err(ReadError::Cancelled),
        Err(why) => {
            tracing::debug!(%why, language = language.name(), bytes = source.len(), "no syntax tree");
            Ok(Vec::new())
        }
    }
}

/// Grammars know no lone carriage return as the end of a line.
fn with_plain_endings(source: &str) -> Cow<'_, str> {
    let bytes = source.as_bytes();
    let lone = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    if !(0..bytes.len()).any(lone) {
        return Cow::Borrowed(source);
    }
    let mut at = 0;
    let replaced = source.chars().map(|c| {
        let plain = if c == '\r' && lone(at) { '\n' } else { c };
        at += c.len_utf8();
        plain
    });
    Cow::Owned(replaced.collect())
}

fn by_lines(extracted: &Extracted) -> Vec<Heading> {
    let lines = extracted.lines.iter();
    lines
        .filter_map(|(line, text)| {
            let title = symbol(text)?;
            Some(Heading { line, level: depth(text), title })
        })
        .collect()
}

/// Words that may stand before the word that declares a symbol.
const MODIFIERS: &[&str] = &[
    "pub",
    "async",
    "static",
    "export",
    "default",
    "public",
    "private",
    "protected",
    "internal",
    "final",
    "abstract",
    "unsafe",
    "extern",
    "inline",
    "virtual",
    "override",
    "sealed",
    "partial",
    "open",
    "data",
    "declare",
    "suspend",
    "local",
    "readonly",
    "const",
];
const DECLARATIONS: &[&str] = &[
    "fn",
    "def",
    "class",
    "struct",
    "enum",
    "trait",
    "impl",
    "interface",
    "function",
    "func",
    "type",
    "module",
    "mod",
    "namespace",
    "object",
    "record",
    "protocol",
    "union",
    "macro_rules!",
    "sub",
    "proc",
    "defmodule",
    "defp",
    "fun",
    "extension",
    "message",
    "service",
    "table",
    "impl<",
];
const TITLE_CHARS: usize = 80;

/// The symbol that a line declares, such as `fn lease` or `impl Display for Id`.
pub fn symbol(line: &str) -> Option<String> {
    let body = line.trim_start();
    if body.len() > 400 || body.starts_with(['/', '#', '*', '-', '"', '\'', '{', '}', '<']) {
        return None;
    }
    let mut rest = body;
    loop {
        let (word, after) = next_word(rest)?;
        // `pub(crate)` and `extern "C"` are one modifier.
        let bare = word.split('(').next().unwrap_or(word);
        if MODIFIERS.contains(&bare) {
            rest = after;
            if let Some(quoted) = rest.strip_prefix('"') {
                rest = quoted.split_once('"').map_or("", |(_, tail)| tail).trim_start();
            }
            continue;
        }
        let keyword = word.split('<').next().unwrap_or(word);
        let declares = DECLARATIONS.contains(&keyword) && (keyword.len() == word.len() || keyword == "impl");
        if !declares
            || !after.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '<' | '&' | '(' | '*' | '[' | '$'))
        {
            return None;
        }
        return title(keyword, word, after);
    }
}

fn next_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace)?;
    Some((&text[..end], text[end..].trim_start()))
}

fn title(keyword: &str, word: &str, after: &str) -> Option<String> {
    let ends: &[char] = match keyword {
        "impl" => &['{', ';'],
        "func" if after.starts_with('(') => &['{'],
        "table" | "type" => &['=', '{', ';', '(', '<', ':'],
        _ => &['(', '{', ';', '=', '<', ':'],
    };
    let end = after.find(|c| ends.contains(&c)).unwrap_or(after.len());
    let name = after[..end].trim();
    if name.is_empty() || name.chars().next().is_some_and(|c| c.is_numeric()) {
        return None;
    }
    // Prose such as "type of the reply that comes" is no declaration.
    let words = name.split_whitespace().count();
    if words > 2
        && !matches!(keyword, "impl" | "class" | "func" | "interface" | "struct" | "enum" | "object" | "record")
    {
        return None;
    }
    Some(format!("{word} {name}").chars().take(TITLE_CHARS).collect())
}

/// Depth from the indentation: 1 at the margin, one more for each two to four columns.
fn depth(line: &str) -> u8 {
    let columns: usize = line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum();
    u8::try_from(columns.div_ceil(4).min(8) + 1).unwrap_or(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_of_many_languages_are_found() {
        let check = |line: &str, expected: Option<&str>| assert_eq!(symbol(line).as_deref(), expected, "{line}");
        check("pub(crate) async fn lease(&self) -> Lease {", Some("fn lease"));
        check("impl<T: Clone> Iterator for Rows<T> {", Some("impl<T: Clone> Iterator for Rows<T>"));
        check("    def parse(self, text):", Some("def parse"));
        check("class Parser(Base):", Some("class Parser"));
        check("export default function App() {", Some("function App"));
        check("func (s *Server) Serve() error {", Some("func (s *Server) Serve() error"));
        check("pub unsafe extern \"C\" fn start()", Some("fn start"));
        check("public final class Main extends Base {", Some("class Main extends Base"));
        check("let x = 3;", None);
        check("// fn not_this()", None);
        check("type of the reply that comes back", None);
        check("return function", None);
    }

    #[test]
    fn a_language_with_a_grammar_gives_symbols() {
        let source = b"/// Takes one.\rpub fn lease() {\r    x();\r}\rconst A: u8 = 1;\r";
        let read = read(Some(Path::new("a.rs")), source, &Limits::default(), &Cancel::new()).unwrap();
        let found: Vec<_> = read.symbols.iter().map(|s| (s.title.as_str(), s.first_line, s.last_line)).collect();
        assert_eq!(found, [("fn lease", 1, 4), ("const A", 5, 5)]);
        assert_eq!(read.headings, [Heading { line: 2, level: 1, title: "fn lease".to_owned() }]);
        assert_eq!(read.confidence, 1.0);
    }

    #[test]
    fn machine_made_files_keep_to_the_rules_by_line() {
        let source = "function a(){return 1}".repeat(2_000);
        let read = super::read(Some(Path::new("a.js")), source.as_bytes(), &Limits::default(), &Cancel::new()).unwrap();
        assert!(read.symbols.is_empty());
    }

    #[test]
    fn nested_symbols_are_deeper() {
        let read =
            Code.read(b"class A:\n    def b(self):\n        pass\n", &Limits::default(), &Cancel::new()).unwrap();
        let found: Vec<_> = read.headings.iter().map(|h| (h.line, h.level, h.title.as_str())).collect();
        assert_eq!(found, [(1, 1, "class A"), (2, 2, "def b")]);
    }
}
