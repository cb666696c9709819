//! Source code: the lines as they are, with simple symbol lines (fn, def, class, impl, ...) as headings.

use rspa_ml::Cancel;

use super::{Extracted, Heading, Limits, ReadError, Reader, text};
use crate::DocumentKind;

pub struct Code;

impl Reader for Code {
    fn read(&self, bytes: &[u8], limits: &Limits, _cancel: &Cancel) -> Result<Extracted, ReadError> {
        let mut extracted = text::decode_as(DocumentKind::Code, bytes, limits)?;
        extracted.headings = extracted
            .lines
            .iter()
            .filter_map(|(line, text)| {
                let title = symbol(text)?;
                Some(Heading { line, level: depth(text), title })
            })
            .collect();
        Ok(extracted)
    }
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
    fn nested_symbols_are_deeper() {
        let read =
            Code.read(b"class A:\n    def b(self):\n        pass\n", &Limits::default(), &Cancel::new()).unwrap();
        let found: Vec<_> = read.headings.iter().map(|h| (h.line, h.level, h.title.as_str())).collect();
        assert_eq!(found, [(1, 1, "class A"), (2, 2, "def b")]);
    }
}
