//! C and C++.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::{Constant, Function, Macro, Method, Module, Type};
use crate::table::{Act, Declared, Place, Rule, custom, declared, defined, named, rule, squeezed, titled};

pub static C: Row = Row { extensions: &["c", "h"], ..Row::new("C", || tree_sitter_c::LANGUAGE.into(), &[RULES]) };

pub static CPP: Row = Row {
    extensions: &["cc", "cpp", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "inl", "tpp", "cu", "cuh", "ino"],
    ..Row::new("C++", || tree_sitter_cpp::LANGUAGE.into(), &[RULES, CPP_RULES])
};

const RULES: &[Rule] = &[
    custom("function_definition", function),
    custom("declaration", declaration),
    custom("field_declaration", member),
    rule("type_definition", Act::Leaf(typedef)),
    defined("struct_specifier", Type, "struct"),
    defined("union_specifier", Type, "union"),
    defined("enum_specifier", Type, "enum"),
    custom("preproc_def", define),
    named("preproc_function_def", Macro, "#define"),
    rule("comment", Act::Comment),
    rule("preproc_include", Act::Opaque),
    rule("initializer_list", Act::Opaque),
    rule("parameter_list", Act::Opaque),
];

const CPP_RULES: &[Rule] = &[
    defined("class_specifier", Type, "class"),
    custom("namespace_definition", namespace),
    named("alias_declaration", Type, "using"),
    named("concept_definition", Type, "concept"),
    rule("template_declaration", Act::Around),
];

/// Macros of test frameworks that look like functions.
const TESTS: &[&str] = &["TEST", "TEST_F", "TEST_P", "TYPED_TEST", "TEST_CASE", "TEST_METHOD", "BOOST_AUTO_TEST_CASE"];

/// The name in a declarator with what qualifies it, and whether it declares a function.
struct Declarator<'a> {
    name: &'a str,
    /// `queue::Queue::lease`.
    qualified: &'a str,
    function: bool,
}

fn declarator<'a>(node: Node<'_>, place: Place<'a>) -> Option<Declarator<'a>> {
    let mut node = node.child_by_field_name("declarator")?;
    let (mut function, mut qualified) = (false, None);
    for _ in 0..32 {
        let inner = match node.kind() {
            "function_declarator" => {
                function = true;
                node.child_by_field_name("declarator")
            }
            // A pointer to a function is no function: `void (*done)(int)`.
            "parenthesized_declarator" => {
                let inner = node.named_child(0)?;
                if inner.kind() == "pointer_declarator" {
                    function = false;
                }
                Some(inner)
            }
            "reference_declarator" | "attributed_declarator" => node.named_child(0),
            "qualified_identifier" => {
                qualified = qualified.or(Some(node));
                node.child_by_field_name("name")
            }
            "template_function" | "template_method" => node.child_by_field_name("name"),
            "operator_cast" => {
                function = true;
                None
            }
            _ => node.child_by_field_name("declarator"),
        };
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    let name = place.text(node);
    let name = name.split('(').next().unwrap_or(name).trim();
    Some(Declarator { name, qualified: qualified.map_or(name, |node| place.text(node)), function })
}

fn called(found: &Declarator<'_>) -> Option<Declared> {
    let kind = if found.qualified.len() > found.name.len() { Method } else { Function };
    titled(kind, found.name, &format!("{}()", squeezed(found.qualified, 90)))
}

fn function(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let found = declarator(node, place)?;
    if TESTS.contains(&found.name) {
        let title = place.text(node.child_by_field_name("declarator")?);
        let mut test = titled(Function, title.split(['(', ')']).nth(1).unwrap_or(title), title)?;
        test.test = true;
        return Some(test);
    }
    called(&found)
}

/// A prototype, or a variable outside of functions.
fn declaration(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    // `struct point { int x; } origin;` declares the type above all.
    let has_body = node.child_by_field_name("type").is_some_and(|of| of.child_by_field_name("body").is_some());
    if place.in_function || has_body {
        return None;
    }
    let found = declarator(node, place)?;
    if found.function { called(&found) } else { titled(Constant, found.name, found.qualified) }
}

/// A method that is only declared; fields belong to their type.
fn member(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let found = declarator(node, place)?;
    if found.function { called(&found) } else { None }
}

fn typedef(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let of = node.child_by_field_name("type")?;
    let found = declarator(node, place)?;
    // `typedef struct queue {...} queue_t` is known under this name.
    let word = match of.kind() {
        "struct_specifier" => "struct",
        "union_specifier" => "union",
        "enum_specifier" => "enum",
        _ => "typedef",
    };
    declared(Type, word, found.name)
}

/// Guards such as `#define QUEUE_H` have no value.
fn define(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    node.child_by_field_name("value")?;
    declared(Macro, "#define", place.text(node.child_by_field_name("name")?))
}

fn namespace(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    declared(Module, "namespace", place.text(node.child_by_field_name("name")?))
}
