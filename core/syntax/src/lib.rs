//! Symbols of source code: what a file declares, where, and under which name. Found in syntax trees (tree-sitter).

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
}

/// Something that a source file declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    pub kind: SymbolKind,
    /// `lease`.
    pub name: String,
    /// What it is declared in, outermost first: `queue`, `impl Queue`.
    pub containers: Vec<String>,
    /// Keyword and name as a person would call it: `fn lease`, `impl Display for Id`, `class Parser`.
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
