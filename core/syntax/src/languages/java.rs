//! Java and C#.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::{Constant, Function, Interface, Method, Module, Type};
use crate::table::{Act, Declared, Place, Rule, custom, declared, named, rule, titled};

pub static JAVA: Row = Row {
    extensions: &["java"],
    test_marks: &["@Test", "@ParameterizedTest", "@RepeatedTest"],
    ..Row::new("Java", || tree_sitter_java::LANGUAGE.into(), &[JAVA_RULES])
};

pub static CSHARP: Row = Row {
    extensions: &["cs", "csx"],
    test_marks: &["[Test", "[Fact", "[Theory"],
    ..Row::new("C#", || tree_sitter_c_sharp::LANGUAGE.into(), &[CSHARP_RULES])
};

const JAVA_RULES: &[Rule] = &[
    named("class_declaration", Type, "class"),
    named("record_declaration", Type, "record"),
    named("enum_declaration", Type, "enum"),
    named("interface_declaration", Interface, "interface"),
    named("annotation_type_declaration", Interface, "@interface"),
    named("module_declaration", Module, "module"),
    named("method_declaration", Method, ""),
    named("constructor_declaration", Method, ""),
    named("compact_constructor_declaration", Method, ""),
    custom("field_declaration", java_constant),
    rule("line_comment", Act::Comment),
    rule("block_comment", Act::Comment),
    rule("import_declaration", Act::Opaque),
    rule("modifiers", Act::Opaque),
];

const CSHARP_RULES: &[Rule] = &[
    named("namespace_declaration", Module, "namespace"),
    named("class_declaration", Type, "class"),
    named("struct_declaration", Type, "struct"),
    named("record_declaration", Type, "record"),
    named("enum_declaration", Type, "enum"),
    named("interface_declaration", Interface, "interface"),
    named("delegate_declaration", Type, "delegate"),
    named("method_declaration", Method, ""),
    named("constructor_declaration", Method, ""),
    named("destructor_declaration", Method, ""),
    named("local_function_statement", Function, ""),
    custom("property_declaration", property),
    custom("operator_declaration", operator),
    custom("field_declaration", csharp_constant),
    rule("comment", Act::Comment),
    rule("using_directive", Act::Opaque),
];

/// `static final int LIMIT = 3`; other fields belong to their class.
fn java_constant(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let words = place.text(node.child(0)?);
    if !(words.contains("static") && words.contains("final")) {
        return None;
    }
    let name = place.text(node.child_by_field_name("declarator")?.child_by_field_name("name")?);
    titled(Constant, name, name)
}

fn csharp_constant(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let text = place.text(node);
    let head = text.split(['=', ';']).next().unwrap_or("");
    if !head.split_whitespace().any(|word| word == "const") {
        return None;
    }
    let name = head.split_whitespace().next_back()?;
    titled(Constant, name, name)
}

fn property(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let name = place.text(node.child_by_field_name("name")?);
    titled(Method, name, name)
}

fn operator(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    declared(Method, "operator", place.text(node.child_by_field_name("operator")?))
}
