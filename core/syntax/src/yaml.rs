//! YAML by its indentation: keys that have a block of their own. Its grammar's scanner cannot hold deep nesting (see
//! [`crate::guard`]), and for an outline the indentation says enough.

use crate::table::{NAME_CHARS, squeezed, unquoted};
use crate::{Symbol, SymbolKind};

/// Keys deeper than this are part of what is around them.
const DEPTH: usize = 4;

/// A key that may turn out to have a block.
struct Open {
    column: usize,
    name: String,
    first_line: u32,
    line: u32,
    /// Where it stands among the symbols.
    at: Option<usize>,
}

/// Keys whose value spans lines, in order.
pub fn symbols(source: &str, most: usize) -> Vec<Symbol> {
    let mut found: Vec<Symbol> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    // First line of the comments just before.
    let mut pending: Option<u32> = None;
    let mut filled = 0;
    for (number, line) in (1..).zip(source.lines()) {
        let text = line.trim_start();
        let column = line.len() - text.len();
        if text.is_empty() {
            pending = None;
            continue;
        }
        if text.starts_with('#') {
            pending = pending.or(Some(number));
            continue;
        }
        // A list may stand under its key without being indented.
        let in_list = text.starts_with("- ") || text == "-";
        while open.last().is_some_and(|above| above.column > column || (above.column == column && !in_list)) {
            close(&mut open, &mut found, filled);
        }
        filled = number;
        let first_line = pending.take().unwrap_or(number);
        if found.len() >= most {
            return found;
        }
        // What is open has a block now.
        for index in 0..open.len() {
            if open[index].at.is_none() && index < DEPTH {
                let containers: Vec<String> = open[..index].iter().map(|above| above.name.clone()).collect();
                let above = &mut open[index];
                above.at = Some(found.len());
                found.push(Symbol {
                    kind: SymbolKind::Section,
                    name: above.name.clone(),
                    level: u8::try_from(containers.len() + 1).unwrap_or(u8::MAX),
                    containers,
                    title: above.name.clone(),
                    first_line: above.first_line,
                    line: above.line,
                    last_line: number,
                    test: false,
                });
            }
        }
        if !in_list
            && open.len() < DEPTH
            && let Some(name) = key(text)
        {
            open.push(Open { column, name, first_line, line: number, at: None });
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut found, filled);
    }
    found
}

fn close(open: &mut Vec<Open>, found: &mut [Symbol], last_line: u32) {
    if let Some(symbol) = open.pop().and_then(|closed| closed.at).and_then(|at| found.get_mut(at)) {
        symbol.last_line = last_line;
    }
}

/// The key of `key:` or `"key": value`.
fn key(text: &str) -> Option<String> {
    let end = match text.find(": ") {
        Some(end) => end,
        None => text.trim_end().strip_suffix(':')?.len(),
    };
    let name = squeezed(unquoted(text[..end].trim()), NAME_CHARS);
    (!name.is_empty() && !name.starts_with(['{', '[', '&', '*', '!', '|', '>', '%', '@'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_blocks_are_sections() {
        let source = "a: 1\nlist:\n- x\n- y: 2\n\nb: |\n  text: here\n  more\n# of c\nc:\n  d:\n    e: 1\n";
        let found: Vec<_> = symbols(source, 100)
            .into_iter()
            .map(|symbol| (symbol.title, symbol.first_line, symbol.last_line, symbol.containers.join("/")))
            .collect();
        let of = |title: &str, first, last, inside: &str| (title.to_owned(), first, last, inside.to_owned());
        assert_eq!(found, [of("list", 2, 4, ""), of("b", 6, 8, ""), of("c", 9, 12, ""), of("d", 11, 12, "c")]);
    }
}
