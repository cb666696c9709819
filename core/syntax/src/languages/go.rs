//! Go.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::{Constant, Function, Interface, Method, Type};
use crate::table::{Act, Declared, Place, Rule, custom, declared, named, rule, squeezed, titled};

pub static ROW: Row = Row {
    extensions: &["go"],
    test_names: &["Test", "Benchmark", "Fuzz", "Example"],
    ..Row::new("Go", || tree_sitter_go::LANGUAGE.into(), &[RULES])
};

const RULES: &[Rule] = &[
    named("function_declaration", Function, "func"),
    custom("method_declaration", method),
    custom("type_spec", type_spec),
    named("type_alias", Type, "type"),
    custom("const_spec", constant),
    custom("var_spec", variable),
    rule("type_declaration", Act::Group),
    rule("const_declaration", Act::Group),
    rule("var_declaration", Act::Group),
    rule("comment", Act::Comment),
    rule("import_declaration", Act::Opaque),
];

/// `func (s *Server) Serve`.
fn method(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let name = place.text(node.child_by_field_name("name")?);
    let receiver = node.child_by_field_name("receiver").map_or("()", |receiver| place.text(receiver));
    titled(Method, name, &format!("func {} {name}", squeezed(receiver, 50)))
}

fn type_spec(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let interface = node.child_by_field_name("type").is_some_and(|of| of.kind() == "interface_type");
    declared(if interface { Interface } else { Type }, "type", place.text(node.child_by_field_name("name")?))
}

fn constant(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    top_level(node, place, "const")
}

fn variable(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    top_level(node, place, "var")
}

fn top_level(node: Node<'_>, place: Place<'_>, word: &str) -> Option<Declared> {
    let name = place.text(node.child_by_field_name("name")?);
    if place.in_function || name == "_" { None } else { declared(Constant, word, name) }
}
