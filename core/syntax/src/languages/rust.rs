//! Rust.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::{Constant, Function, Implementation, Interface, Macro, Module, Type};
use crate::table::{Act, Declared, Place, Rule, custom, defined, named, rule, squeezed, titled};

pub static ROW: Row = Row {
    extensions: &["rs"],
    interpreters: &["rust-script", "cargo"],
    inner_comments: &["//!", "/*!"],
    test_marks: &["[test]", "[test(", "::test]", "::test(", "cfg(test)", "[rstest", "[bench]", "cfg(all(test"],
    ..Row::new("Rust", || tree_sitter_rust::LANGUAGE.into(), &[RULES])
};

const RULES: &[Rule] = &[
    named("function_item", Function, "fn"),
    named("function_signature_item", Function, "fn"),
    named("struct_item", Type, "struct"),
    named("enum_item", Type, "enum"),
    named("union_item", Type, "union"),
    named("type_item", Type, "type"),
    named("trait_item", Interface, "trait"),
    custom("impl_item", implementation),
    defined("mod_item", Module, "mod"),
    named("const_item", Constant, "const"),
    named("static_item", Constant, "static"),
    named("macro_definition", Macro, "macro_rules!"),
    rule("line_comment", Act::Comment),
    rule("block_comment", Act::Comment),
    rule("attribute_item", Act::Attribute),
    rule("macro_invocation", Act::Tokens),
    rule("token_tree", Act::Opaque),
    rule("use_declaration", Act::Opaque),
];

/// `impl Display for Id<T>`, named `Id`.
fn implementation(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let target = node.child_by_field_name("type")?;
    let title = match node.child_by_field_name("trait") {
        Some(of) => format!("impl {} for {}", squeezed(place.text(of), 60), squeezed(place.text(target), 60)),
        None => format!("impl {}", squeezed(place.text(target), 60)),
    };
    titled(Implementation, base_type(target, place), &title)
}

/// The name of a type without its path, arguments and references.
fn base_type<'a>(node: Node<'_>, place: Place<'a>) -> &'a str {
    let mut node = node;
    for _ in 0..8 {
        let inner = match node.kind() {
            "generic_type" | "reference_type" | "pointer_type" => node.child_by_field_name("type"),
            "scoped_type_identifier" | "scoped_identifier" => node.child_by_field_name("name"),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    place.text(node)
}
