//! The table: one row per language.

pub mod c;
pub mod data;
pub mod ecma;
pub mod go;
pub mod java;
pub mod python;
pub mod rust;
pub mod script;
pub mod web;

use tree_sitter::Language;

use crate::table::Rule;

/// How a language is recognised, parsed and read.
pub struct Row {
    pub name: &'static str,
    pub extensions: &'static [&'static str],
    /// Whole file names, in lower case.
    pub names: &'static [&'static str],
    /// Programs in a script's first line, without a version.
    pub interpreters: &'static [&'static str],
    /// None where lines alone tell the structure.
    pub grammar: Option<fn() -> Language>,
    pub rules: &'static [&'static [Rule]],
    /// Comments that begin like this belong to what is around them.
    pub inner_comments: &'static [&'static str],
    /// One of these in the attributes or before the name marks a test.
    pub test_marks: &'static [&'static str],
    /// A function whose name begins like this is a test.
    pub test_names: &'static [&'static str],
}

impl Row {
    const fn new(name: &'static str, grammar: fn() -> Language, rules: &'static [&'static [Rule]]) -> Self {
        Self {
            name,
            extensions: &[],
            names: &[],
            interpreters: &[],
            grammar: Some(grammar),
            rules,
            inner_comments: &[],
            test_marks: &[],
            test_names: &[],
        }
    }
}

/// By its indentation: see [`crate::yaml`].
pub static YAML: Row = Row {
    name: "YAML",
    extensions: &["yaml", "yml"],
    names: &[".clang-format", ".clang-tidy"],
    interpreters: &[],
    grammar: None,
    rules: &[],
    inner_comments: &[],
    test_marks: &[],
    test_names: &[],
};
