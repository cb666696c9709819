//! JavaScript and TypeScript, with JSX.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::{Constant, Function, Interface, Method, Module, Type};
use crate::table::{Act, Declared, Place, Rule, custom, declared, named, rows, rule, titled};

pub static JAVASCRIPT: Row = Row {
    extensions: &["js", "mjs", "cjs", "jsx"],
    names: &["jakefile"],
    interpreters: &["node", "nodejs", "bun"],
    ..Row::new("JavaScript", || tree_sitter_javascript::LANGUAGE.into(), &[RULES, JAVASCRIPT_RULES])
};

pub static TYPESCRIPT: Row = Row {
    extensions: &["ts", "mts", "cts"],
    interpreters: &["deno", "ts-node", "tsx"],
    ..Row::new("TypeScript", || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), &[RULES, TYPESCRIPT_RULES])
};

pub static TSX: Row = Row {
    extensions: &["tsx"],
    ..Row::new("TypeScript with JSX", || tree_sitter_typescript::LANGUAGE_TSX.into(), &[RULES, TYPESCRIPT_RULES])
};

const RULES: &[Rule] = &[
    named("function_declaration", Function, "function"),
    named("generator_function_declaration", Function, "function*"),
    named("class_declaration", Type, "class"),
    named("method_definition", Method, ""),
    custom("variable_declarator", variable),
    custom("pair", pair),
    custom("assignment_expression", assignment),
    custom("call_expression", test_case),
    rule("lexical_declaration", Act::Group),
    rule("variable_declaration", Act::Group),
    rule("expression_statement", Act::Group),
    rule("export_statement", Act::Around),
    rule("comment", Act::Comment),
    rule("decorator", Act::Attribute),
    rule("template_string", Act::Opaque),
    rule("import_statement", Act::Opaque),
];

const JAVASCRIPT_RULES: &[Rule] = &[custom("field_definition", field)];

const TYPESCRIPT_RULES: &[Rule] = &[
    named("function_signature", Function, "function"),
    named("abstract_class_declaration", Type, "class"),
    named("method_signature", Method, ""),
    named("abstract_method_signature", Method, ""),
    named("interface_declaration", Interface, "interface"),
    named("type_alias_declaration", Type, "type"),
    named("enum_declaration", Type, "enum"),
    named("internal_module", Module, "namespace"),
    named("module", Module, "module"),
    custom("public_field_definition", field),
    rule("ambient_declaration", Act::Around),
];

fn is_function(node: Node<'_>) -> bool {
    matches!(node.kind(), "arrow_function" | "function_expression" | "generator_function")
}

/// A function, or a call that is given one: `memo(() => ...)`.
fn gives_function(node: Node<'_>) -> bool {
    if node.kind() != "call_expression" {
        return is_function(node);
    }
    let Some(arguments) = node.child_by_field_name("arguments") else { return false };
    (0..arguments.named_child_count().min(4))
        .any(|at| u32::try_from(at).ok().and_then(|at| arguments.named_child(at)).is_some_and(is_function))
}

/// `const App = () => ...`, `const limits = {...}`.
fn variable(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let name = node.child_by_field_name("name").filter(|name| name.kind() == "identifier")?;
    let value = node.child_by_field_name("value");
    let word = node.parent().and_then(|parent| parent.child(0)).map_or("const", |word| place.text(word));
    let word = if matches!(word, "const" | "let" | "var") { word } else { "const" };
    let kind = match value {
        Some(value) if gives_function(value) => Function,
        Some(value) if value.kind() == "class" => Type,
        Some(value) if value.kind() == "call_expression" && place.text(value).starts_with("require") => return None,
        _ if place.in_function => return None,
        _ => Constant,
    };
    declared(kind, word, place.text(name))
}

fn field(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let name = node.child_by_field_name("name").or_else(|| node.child_by_field_name("property"))?;
    node.child_by_field_name("value").filter(|value| gives_function(*value))?;
    declared(Method, "", place.text(name))
}

fn pair(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    node.child_by_field_name("value").filter(|value| is_function(*value))?;
    declared(Method, "", place.text(node.child_by_field_name("key")?))
}

/// `exports.parse = function`, `Queue.prototype.lease = () => ...`.
fn assignment(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let (left, right) = (node.child_by_field_name("left")?, node.child_by_field_name("right")?);
    let kind = match right.kind() {
        "class" => Type,
        _ if is_function(right) => Function,
        _ => return None,
    };
    let name = match left.kind() {
        "identifier" => left,
        "member_expression" => left.child_by_field_name("property")?,
        _ => return None,
    };
    titled(kind, place.text(name), place.text(left))
}

const TESTS: &[&str] = &["describe", "it", "test", "suite", "context", "bench", "fdescribe", "fit", "xdescribe", "xit"];

/// `it("keeps the order", () => ...)`.
fn test_case(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let mut called = node.child_by_field_name("function")?;
    // `it.only`
    if called.kind() == "member_expression" {
        called = called.child_by_field_name("object")?;
    }
    let word = place.text(called);
    if called.kind() != "identifier" || !TESTS.contains(&word) || rows(node) == 0 {
        return None;
    }
    let arguments = node.child_by_field_name("arguments")?;
    let first = arguments.named_child(0).filter(|first| matches!(first.kind(), "string" | "template_string"))?;
    arguments.named_child(1)?;
    let mut found = titled(Function, place.text(first), &format!("{word} {}", place.text(first)))?;
    found.test = true;
    // What lies in a suite is looked for like the members of a module.
    if matches!(word, "describe" | "fdescribe" | "xdescribe" | "suite" | "context") {
        found.kind = Module;
    }
    Some(found)
}
