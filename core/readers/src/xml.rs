//! Walks an XML part without a tree: depth is limited, entities other than characters are never expanded.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use rspa_ml::Cancel;

use crate::ReadError;

const MOST_DEPTH: usize = 1_000;

/// What is done at each element. Names are without their prefix.
pub trait Handler {
    fn open(&mut self, name: &str, element: &BytesStart<'_>);
    fn close(&mut self, name: &str);
    fn text(&mut self, text: &str);
    /// Nothing more is wanted.
    fn is_done(&self) -> bool {
        false
    }
}

/// Visits each element. Gives the reason when the part ends in broken XML; what came before was visited.
pub fn walk(xml: &str, handler: &mut impl Handler, cancel: &Cancel) -> Result<Option<String>, ReadError> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut depth = 0_usize;
    let mut steps = 0_usize;
    loop {
        steps += 1;
        if steps.is_multiple_of(4096) && cancel.is_cancelled() {
            return Err(ReadError::Cancelled);
        }
        if handler.is_done() {
            return Ok(None);
        }
        match reader.read_event() {
            Ok(Event::Eof) => return Ok((depth > 0).then(|| "its text ends in the middle".to_owned())),
            Ok(Event::Start(element)) => {
                depth += 1;
                if depth > MOST_DEPTH {
                    return Err(ReadError::Hostile(format!("more than {MOST_DEPTH} elements inside each other")));
                }
                handler.open(element.local_name().as_ref(), &element);
            }
            Ok(Event::Empty(element)) => {
                handler.open(element.local_name().as_ref(), &element);
                handler.close(element.local_name().as_ref());
            }
            Ok(Event::End(element)) => {
                depth = depth.saturating_sub(1);
                handler.close(element.local_name().as_ref());
            }
            Ok(Event::Text(text)) => handler.text(&text.xml10_content()),
            Ok(Event::CData(text)) => handler.text(&text.xml10_content()),
            Ok(Event::GeneralRef(reference)) => resolve(&reference, handler),
            Ok(_) => {}
            Err(error) => return Ok(Some(error.to_string())),
        }
    }
}

/// Characters and the five entities that XML knows; those of a DTD stay out.
fn resolve(reference: &BytesRef<'_>, handler: &mut impl Handler) {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        handler.text(character.encode_utf8(&mut [0; 4]));
    } else if let Some(text) = quick_xml::escape::resolve_predefined_entity(reference) {
        handler.text(text);
    }
}

/// The value of an attribute by its name without prefix.
pub fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let raw: &str = &attribute.value;
    Some(quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_owned(), Cow::into_owned))
}

/// Text of the elements with these names, each with its name.
pub fn texts(xml: &str, names: &'static [&'static str], cancel: &Cancel) -> Vec<(String, String)> {
    struct Texts {
        names: &'static [&'static str],
        open: Option<String>,
        found: Vec<(String, String)>,
    }
    impl Handler for Texts {
        fn open(&mut self, name: &str, _: &BytesStart<'_>) {
            if self.open.is_none() && self.names.contains(&name) {
                self.open = Some(name.to_owned());
                self.found.push((name.to_owned(), String::new()));
            }
        }
        fn close(&mut self, name: &str) {
            if self.open.as_deref() == Some(name) {
                self.open = None;
            }
        }
        fn text(&mut self, text: &str) {
            if self.open.is_some()
                && let Some((_, found)) = self.found.last_mut()
                && found.len() < 10_000
            {
                found.push_str(text);
            }
        }
        fn is_done(&self) -> bool {
            self.found.len() > 1_000
        }
    }
    let mut texts = Texts { names, open: None, found: Vec::new() };
    // What is broken gives what came before.
    drop(walk(xml, &mut texts, cancel));
    for (_, text) in &mut texts.found {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    texts.found.retain(|(_, text)| !text.is_empty());
    texts.found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_of_a_dtd_are_not_expanded() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"boom\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]><a><t>x&amp;&#65;&b;&c;y</t></a>";
        assert_eq!(texts(bomb, &["t"], &Cancel::new()), [("t".to_owned(), "x&Ay".to_owned())]);
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        struct Nothing;
        impl Handler for Nothing {
            fn open(&mut self, _: &str, _: &BytesStart<'_>) {}
            fn close(&mut self, _: &str) {}
            fn text(&mut self, _: &str) {}
        }
        assert!(matches!(walk(&"<a>".repeat(100_000), &mut Nothing, &Cancel::new()), Err(ReadError::Hostile(_))));
    }
}
