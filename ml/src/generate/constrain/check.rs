//! Schemas from anywhere, before they are compiled: size, depth, references, and bounds that can be met.

use serde_json::{Map, Value};

use super::recursion;
use super::shape::Limits;
use crate::{Error, Result};

/// Values in a schema, counted over all its levels.
pub(super) const MAX_VALUES: usize = 20_000;
const MAX_DEPTH: usize = 48;
/// Bytes of all names and texts together.
const MAX_TEXT: usize = 256 << 10;
/// Least lengths and counts that an answer can have at all.
const MAX_LEAST: u64 = 10_000;
/// Greatest lengths and counts that are kept; a model never comes this far.
const MAX_MOST: u64 = 100_000;
/// Characters of a text that follows a pattern, beside those that it repeats.
const FORM_CHARACTERS: u64 = 256;
/// What is data in a schema, not schema.
pub(super) const DATA: [&str; 4] = ["const", "enum", "default", "examples"];

pub(super) struct Checked {
    pub schema: Value,
    pub limits: Limits,
}

/// A copy that can be compiled, or what is wrong with the schema.
pub(super) fn schema(schema: &Value) -> Result<Checked> {
    if !schema.is_object() && !schema.is_boolean() {
        return Err(wrong("the schema must be an object, or true or false"));
    }
    measure(schema)?;
    let (mut copy, mut limits) = (schema.clone(), Limits::default());
    if let Some(object) = copy.as_object_mut() {
        // Ours to say, see `compile::with_options`.
        object.remove("x-guidance");
    }
    bound(&mut copy, &mut limits)?;
    if recursion::unroll(&mut copy) {
        measure(&copy)?;
    }
    Ok(Checked { schema: copy, limits })
}

/// Walks without recursion: a schema may be deeper than a stack.
fn measure(schema: &Value) -> Result<()> {
    let mut open = vec![(schema, 1)];
    let (mut values, mut text) = (0, 0);
    while let Some((value, depth)) = open.pop() {
        values += 1;
        if depth > MAX_DEPTH {
            return Err(wrong(format!("the schema is nested deeper than {MAX_DEPTH} levels")));
        }
        match value {
            Value::Object(members) => {
                text += members.keys().map(String::len).sum::<usize>();
                open.extend(members.values().map(|value| (value, depth + 1)));
            }
            Value::Array(items) => open.extend(items.iter().map(|value| (value, depth + 1))),
            Value::String(value) => text += value.len(),
            _ => {}
        }
        if values + open.len() > MAX_VALUES || text > MAX_TEXT {
            return Err(wrong(format!(
                "the schema is too large; at most {MAX_VALUES} values and {MAX_TEXT} bytes of text"
            )));
        }
    }
    Ok(())
}

fn bound(schema: &mut Value, limits: &mut Limits) -> Result<()> {
    match schema {
        Value::Array(items) => items.iter_mut().try_for_each(|item| bound(item, limits)),
        Value::Object(members) => {
            keywords(members, limits)?;
            let inner = members.iter_mut().filter(|(name, _)| !DATA.contains(&name.as_str()));
            inner.map(|(_, value)| value).try_for_each(|value| bound(value, limits))
        }
        _ => Ok(()),
    }
}

fn keywords(members: &mut Map<String, Value>, limits: &mut Limits) -> Result<()> {
    if let Some(Value::String(target)) = members.get("$ref")
        && !target.starts_with('#')
    {
        return Err(wrong(format!("the schema refers to '{}', which is not part of it", shortened(target))));
    }
    for name in ["minLength", "minItems", "minProperties"] {
        let least = members.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        if least > MAX_LEAST as f64 {
            return Err(wrong(format!("{name} is {least}; at most {MAX_LEAST} can be asked for")));
        }
    }
    bound_form(members);
    for name in ["maxLength", "maxItems", "maxProperties"] {
        let Some(most) = members.get_mut(name).filter(|most| most.as_f64().is_some_and(|most| most >= 0.0)) else {
            continue;
        };
        if most.as_f64().is_some_and(|value| value > MAX_MOST as f64) {
            *most = Value::from(MAX_MOST);
        }
        let most = most.as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(0);
        let limit = if name == "maxLength" { &mut limits.characters } else { &mut limits.items };
        *limit = most.max(*limit);
    }
    Ok(())
}

/// Texts of a form get a greatest length: a form that may repeat something would not let the text end at any place.
fn bound_form(members: &mut Map<String, Value>) {
    if members.contains_key("maxLength") {
        return;
    }
    let most = match (members.get("format").and_then(Value::as_str), members.get("pattern").and_then(Value::as_str)) {
        (Some("time" | "date-time" | "duration"), None) => 36,
        (Some(_), None) => 200,
        (_, Some(pattern)) => FORM_CHARACTERS + repeats(pattern),
        (None, None) => return,
    };
    let least = members.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    members.insert("maxLength".to_owned(), (least + most).into());
}

/// The counts of a pattern's repetitions, added up: what it may need at least is not longer, nested ones aside.
fn repeats(pattern: &str) -> u64 {
    let counts = pattern.split('{').skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).take(5).collect();
        digits.parse::<u64>().ok()
    });
    counts.sum::<u64>().min(MAX_LEAST)
}

fn shortened(text: &str) -> String {
    text.chars().take(120).collect()
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::Constraint(reason.into())
}
