//! Python.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::{Constant, Function, Type};
use crate::table::{Act, Declared, Place, Rule, custom, named, rows, rule, titled};

pub static ROW: Row = Row {
    extensions: &["py", "pyi", "pyw"],
    names: &["sconstruct", "wscript"],
    interpreters: &["python", "pypy"],
    test_names: &["test_", "Test"],
    ..Row::new("Python", || tree_sitter_python::LANGUAGE.into(), &[RULES])
};

const RULES: &[Rule] = &[
    named("function_definition", Function, "def"),
    named("class_definition", Type, "class"),
    custom("assignment", constant),
    rule("decorated_definition", Act::Around),
    rule("comment", Act::Comment),
    rule("string", Act::Opaque),
    rule("argument_list", Act::Opaque),
    rule("import_from_statement", Act::Opaque),
];

/// `LIMIT = 3`, or a long value of any name; not inside functions.
fn constant(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let left = node.child_by_field_name("left")?;
    if place.in_function || left.kind() != "identifier" {
        return None;
    }
    let name = place.text(left);
    let upper = name.len() > 1 && name.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_');
    if upper || rows(node) >= 2 { titled(Constant, name, name) } else { None }
}
