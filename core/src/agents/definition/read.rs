//! Reads definitions: each format with its limits, each fault with line and column.

use std::fmt;

use serde_saphyr::Options;

use super::Definition;

/// In bytes, of one text.
pub const LARGEST: usize = 256 << 10;
/// Nesting of values; a definition has tables in tables, and settings of tools in them.
const DEEPEST: usize = 16;
const LONGEST_WORDS: usize = 240;

/// Why a definition cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// From 1, where a place is known.
    pub line: Option<(usize, usize)>,
    pub words: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some((line, column)) => write!(f, "line {line}, column {column}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

impl Wrong {
    fn new(line: Option<(usize, usize)>, words: &str) -> Self {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { line, words: words.chars().take(LONGEST_WORDS).collect() }
    }
}

fn within_limits(text: &str) -> Result<(), Wrong> {
    if text.len() > LARGEST {
        return Err(Wrong::new(None, &format!("it has {} bytes, more than {LARGEST}", text.len())));
    }
    Ok(())
}

/// # Errors
/// Where and why it is no definition.
pub fn toml(text: &str) -> Result<Definition, Wrong> {
    within_limits(text)?;
    toml::from_str(text).map_err(|error| {
        let place = error.span().map(|span| place(text, span.start));
        Wrong::new(place, error.message())
    })
}

/// # Errors
/// Where and why it is no definition.
pub fn json(text: &str) -> Result<Definition, Wrong> {
    within_limits(text)?;
    serde_json::from_str(text).map_err(|error| {
        // Its own words end with the place.
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        Wrong::new(Some((error.line().max(1), error.column().max(1))), words)
    })
}

/// # Errors
/// Where and why it is no definition.
pub fn yaml(text: &str) -> Result<Definition, Wrong> {
    within_limits(text)?;
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let place = error.location().map(|at| (at.line() as usize, at.column() as usize));
        Wrong::new(place, &error.without_snippet().to_string())
    })
}

/// Of a text whose format nobody told: JSON begins with a brace; what is no TOML is taken for YAML.
///
/// # Errors
/// Where and why it is no definition.
pub fn any(text: &str) -> Result<Definition, Wrong> {
    within_limits(text)?;
    if text.trim_start().starts_with('{') {
        return json(text);
    }
    toml(text).or_else(|wrong| {
        // A line such as `name: x` is no TOML; what looks like TOML is told of as TOML.
        let looks_like_toml = text.lines().any(|line| {
            let line = line.trim_start();
            line.split_once('=').is_some_and(|(key, _)| key.trim().chars().all(|c| c.is_alphanumeric() || c == '_'))
        });
        // What says nothing at all is empty in every format: TOML's words are the plain ones.
        let says_nothing = text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'));
        if looks_like_toml || says_nothing { Err(wrong) } else { yaml(text) }
    })
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(LARGEST),
            flow_nesting_limit: DEEPEST,
            max_depth: DEEPEST,
            max_events: 20_000,
            max_nodes: 10_000,
            max_aliases: 32,
            max_anchors: 32,
            max_documents: 1,
            max_merge_keys: 32,
            max_total_scalar_bytes: LARGEST,
        },
        with_snippet: false,
        strict_booleans: true,
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
