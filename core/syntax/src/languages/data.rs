//! JSON and TOML: keys that have a block of their own.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::Section;
use crate::table::{Act, Declared, Place, Rule, custom, rows, rule, titled, unquoted};

pub static JSON: Row = Row {
    extensions: &["json", "jsonc", "json5", "geojson", "webmanifest", "ipynb"],
    names: &[".babelrc", ".eslintrc", ".prettierrc", "composer.lock"],
    ..Row::new("JSON", || tree_sitter_json::LANGUAGE.into(), &[JSON_RULES])
};

pub static TOML: Row = Row {
    extensions: &["toml"],
    names: &["cargo.lock", "poetry.lock", "uv.lock"],
    ..Row::new("TOML", || tree_sitter_toml_ng::LANGUAGE.into(), &[TOML_RULES])
};

const JSON_RULES: &[Rule] = &[custom("pair", block), rule("comment", Act::Comment), rule("string", Act::Opaque)];

const TOML_RULES: &[Rule] = &[
    custom("table", table),
    custom("table_array_element", table),
    rule("comment", Act::Comment),
    rule("pair", Act::Opaque),
];

/// Keys deeper than this are part of what is around them.
const DEPTH: usize = 4;

/// A key whose value spans lines.
fn block(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    if rows(node) == 0 || place.level >= DEPTH {
        return None;
    }
    let key = place.text(node.child_by_field_name("key")?);
    titled(Section, key, unquoted(key))
}

/// `[package.metadata]`, named `package.metadata`.
fn table(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let key = place.text(node.named_child(0)?);
    let title = if node.kind() == "table" { format!("[{key}]") } else { format!("[[{key}]]") };
    titled(Section, key, &title)
}
