//! Symbols of source code: what a file declares, where, and under which name. Found in syntax trees (tree-sitter).
//!
//! One table row per language ([`Language`]) says which node kinds declare what; one walker ([`outline()`]) serves
//! them all. Sources are untrusted: size, time, depth and number of symbols are limited, broken code gives what
//! could be parsed.

mod guard;
mod language;
mod languages;
mod outline;
mod table;
mod yaml;

pub use language::Language;
pub use outline::{Limits, Outline, Stopped, SyntaxError, outline};
use serde::{Deserialize, Serialize};

/// What a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolKind {
    Function,
    Method,
    Type,
    Interface,
    Implementation,
    Module,
    Constant,
    Macro,
    /// A key with a block of its own, a table, an element or a rule set of data, markup and styles.
    Section,
}

impl SymbolKind {
    /// What it holds are statements, not declarations.
    pub fn is_callable(self) -> bool {
        matches!(self, Self::Function | Self::Method)
    }
}

/// Something that a source file declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    pub kind: SymbolKind,
    /// `lease`.
    pub name: String,
    /// Titles of what it is declared in, outermost first: `mod queue`, `impl Queue`.
    pub containers: Vec<String>,
    /// Keyword and name as a person would call it: `fn lease`, `impl Display for Id`, `class Parser`, `parse()`.
    pub title: String,
    /// From 1: where its comment and attributes begin.
    pub first_line: u32,
    /// From 1: the line of its name.
    pub line: u32,
    /// From 1, inclusive.
    pub last_line: u32,
    /// 1 is the outermost.
    pub level: u8,
    /// It is a test, or lies in one.
    pub test: bool,
}
