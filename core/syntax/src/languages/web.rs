//! HTML and CSS: headings, elements that have an id, rule sets.

use tree_sitter::Node;

use super::Row;
use crate::SymbolKind::Section;
use crate::table::{Act, Declared, Place, Rule, custom, rule, titled, unquoted};

pub static HTML: Row = Row {
    extensions: &["html", "htm", "xhtml"],
    ..Row::new("HTML", || tree_sitter_html::LANGUAGE.into(), &[HTML_RULES])
};

pub static CSS: Row =
    Row { extensions: &["css"], ..Row::new("CSS", || tree_sitter_css::LANGUAGE.into(), &[CSS_RULES]) };

const HTML_RULES: &[Rule] = &[
    custom("element", element),
    custom("script_element", element),
    custom("style_element", element),
    rule("comment", Act::Comment),
];

const CSS_RULES: &[Rule] = &[
    custom("rule_set", head),
    custom("media_statement", head),
    custom("keyframes_statement", head),
    custom("supports_statement", head),
    custom("at_rule", head),
    rule("comment", Act::Comment),
];

/// Symbols around an element at most: pages nest deeply and that says little.
const DEPTH: usize = 6;
/// Attributes looked through for an id.
const ATTRIBUTES: u32 = 32;

/// `h2 Opening hours`, `div#menu`, `script`.
fn element(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    if place.level >= DEPTH {
        return None;
    }
    let tag = node.child(0).filter(|tag| matches!(tag.kind(), "start_tag" | "self_closing_tag"))?;
    let name = place.text(tag.named_child(0)?);
    if matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6") {
        let text = node.named_child(1).filter(|text| text.kind() == "text")?;
        return titled(Section, place.text(text), &format!("{name} {}", place.text(text)));
    }
    let id = (1..ATTRIBUTES).map_while(|at| tag.named_child(at)).find_map(|attribute| {
        let name = attribute.named_child(0)?;
        let value = attribute.named_child(1)?;
        place.text(name).eq_ignore_ascii_case("id").then(|| unquoted(place.text(value)))
    });
    match id {
        Some(id) => titled(Section, id, &format!("{name}#{id}")),
        None if matches!(node.kind(), "script_element" | "style_element") => titled(Section, name, name),
        None => None,
    }
}

/// What stands before the braces: `.menu > li`, `@media print`.
fn head(node: Node<'_>, place: Place<'_>) -> Option<Declared> {
    let text = place.text(node);
    let head = text.split(['{', ';']).next().unwrap_or(text);
    titled(Section, head, head)
}
