//! Ruby, PHP and the shells.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::{Constant, Function, Interface, Method, Module, Type};
use crate::table::{Act, Declared, Place, Rule, custom, defined, named, rule, squeezed, titled};

pub static RUBY: Row = Row {
    extensions: &["rb", "rake", "gemspec", "ru"],
    names: &["gemfile", "rakefile", "vagrantfile", "podfile", "guardfile", "brewfile"],
    interpreters: &["ruby", "jruby"],
    test_names: &["test_"],
    ..Row::new("Ruby", || tree_sitter_ruby::LANGUAGE.into(), &[RUBY_RULES])
};

pub static PHP: Row = Row {
    extensions: &["php", "phtml", "php5", "php7"],
    interpreters: &["php"],
    test_marks: &["#[Test"],
    ..Row::new("PHP", || tree_sitter_php::LANGUAGE_PHP.into(), &[PHP_RULES])
};

pub static BASH: Row = Row {
    extensions: &["sh", "bash", "zsh", "ksh", "bats"],
    names: &[".bashrc", ".profile", ".zshrc", ".bash_profile", "pkgbuild", "apkbuild"],
    interpreters: &["sh", "bash", "zsh", "dash", "ksh", "ash", "bats"],
    ..Row::new("Shell", || tree_sitter_bash::LANGUAGE.into(), &[BASH_RULES])
};

const RUBY_RULES: &[Rule] = &[
    named("class", Type, "class"),
    named("module", Module, "module"),
    named("method", Function, "def"),
    custom("singleton_method", singleton),
    custom("assignment", constant),
    custom("call", test_case),
    rule("comment", Act::Comment),
];

const PHP_RULES: &[Rule] = &[
    defined("namespace_definition", Module, "namespace"),
    named("class_declaration", Type, "class"),
    named("enum_declaration", Type, "enum"),
    named("interface_declaration", Interface, "interface"),
    named("trait_declaration", Interface, "trait"),
    named("function_definition", Function, "function"),
    named("method_declaration", Method, "function"),
    custom("const_element", php_constant),
    rule("const_declaration", Act::Group),
    rule("comment", Act::Comment),
];

const BASH_RULES: &[Rule] =
    &[named("function_definition", Function, ""), rule("comment", Act::Comment), rule("string", Act::Opaque)];

/// `def self.open`.
fn singleton(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let name = place.text(node.child_by_field_name("name")?);
    let object = node.child_by_field_name("object").map_or("self", |object| place.text(object));
    titled(Method, name, &format!("def {}.{name}", squeezed(object, 40)))
}

fn constant(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let left = node.child_by_field_name("left").filter(|left| left.kind() == "constant")?;
    titled(Constant, place.text(left), place.text(left))
}

/// `describe "a queue" do`.
fn test_case(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let method = place.text(node.child_by_field_name("method")?);
    if !matches!(method, "describe" | "context" | "it" | "specify" | "test" | "feature" | "scenario") {
        return None;
    }
    node.child_by_field_name("block")?;
    let what = place.text(node.child_by_field_name("arguments")?.named_child(0)?);
    let kind = if matches!(method, "describe" | "context" | "feature") { Module } else { Function };
    let mut found = titled(kind, what, &format!("{method} {what}"))?;
    found.test = true;
    Some(found)
}

fn php_constant(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let name = place.text(node.named_child(0)?);
    titled(Constant, name, &format!("const {name}"))
}
