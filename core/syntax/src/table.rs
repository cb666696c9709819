//! The words in which a language's table is written: which node kinds declare something, and how it is called.

use tree_sitter::Node;

use crate::SymbolKind;

/// What a node declares.
#[derive(Debug)]
pub struct Declared {
    pub kind: SymbolKind,
    pub name: String,
    pub title: String,
    pub test: bool,
}

/// What a rule may look at besides the node.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub source: &'a str,
    /// Symbols around the node.
    pub level: usize,
    /// It lies in the body of a function.
    pub in_function: bool,
}

impl<'a> Place<'a> {
    /// The source of a node; empty when it does not end between characters.
    pub fn text(&self, node: Node<'_>) -> &'a str {
        self.source.get(node.byte_range()).unwrap_or("")
    }
}

pub type Custom = fn(Node<'_>, Place<'_>) -> Option<Declared>;

/// What a node kind means.
#[derive(Clone, Copy)]
pub enum Act {
    /// Declares what its `name` field says: `word name`, or `name()` where the word is empty.
    Named(SymbolKind, &'static str),
    /// The same, if it has a body (else it only mentions the name).
    Defined(SymbolKind, &'static str),
    /// Decided by the node's inside.
    Custom(Custom),
    /// The same, and nothing else is declared inside.
    Leaf(Custom),
    /// A macro call whose tokens may be declarations: they are parsed as such.
    Tokens,
    /// Stands around one declaration, whose first and last line it sets: decorators, `export`, `template`.
    Around,
    /// Stands around one or more declarations; sets the lines of one that begins on its first line.
    Group,
    Comment,
    /// An attribute that stands before what it belongs to.
    Attribute,
    /// Nothing is declared inside.
    Opaque,
}

/// A row's rule for a node kind.
pub struct Rule {
    pub node: &'static str,
    pub act: Act,
}

pub const fn named(node: &'static str, kind: SymbolKind, word: &'static str) -> Rule {
    Rule { node, act: Act::Named(kind, word) }
}

pub const fn defined(node: &'static str, kind: SymbolKind, word: &'static str) -> Rule {
    Rule { node, act: Act::Defined(kind, word) }
}

pub const fn custom(node: &'static str, rule: Custom) -> Rule {
    Rule { node, act: Act::Custom(rule) }
}

pub const fn rule(node: &'static str, act: Act) -> Rule {
    Rule { node, act }
}

/// Longest name and title kept, in characters.
pub const NAME_CHARS: usize = 80;
pub const TITLE_CHARS: usize = 100;

/// The text in one line with single spaces, at most this many characters.
pub fn squeezed(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    // Only as much as can be kept is looked at.
    for word in text.split_whitespace() {
        if count > 0 {
            line.push(' ');
            count += 1;
        }
        for c in word.chars() {
            if count >= most {
                return line.trim_end().to_owned();
            }
            line.push(c);
            count += 1;
        }
    }
    line
}

/// Quotes around a name go away.
pub fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\'', '`'])
}

pub fn declared(kind: SymbolKind, word: &str, name: &str) -> Option<Declared> {
    let name = squeezed(unquoted(name), NAME_CHARS);
    if name.is_empty() {
        return None;
    }
    let title = match word {
        "" => format!("{name}()"),
        word => format!("{word} {name}"),
    };
    Some(Declared { kind, name, title, test: false })
}

/// With a title of its own.
pub fn titled(kind: SymbolKind, name: &str, title: &str) -> Option<Declared> {
    let (name, title) = (squeezed(unquoted(name), NAME_CHARS), squeezed(title, TITLE_CHARS));
    (!name.is_empty() && !title.is_empty()).then_some(Declared { kind, name, title, test: false })
}

/// Number of lines that a node spans, less one.
pub fn rows(node: Node<'_>) -> usize {
    node.end_position().row.saturating_sub(node.start_position().row)
}
