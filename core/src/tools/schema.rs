//! JSON Schemas of arguments, in the few keywords that constrained generation knows: strict and bounded.

use serde_json::{Map, Value, json};

/// Characters of a long text that a model may write in one call.
const LONG_TEXT: u32 = 8_000;

/// An object with these fields and no others; those in `required` must be there.
pub fn object(fields: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

pub fn text(most: u32, description: &str) -> Value {
    json!({"type": "string", "maxLength": most, "description": description})
}

/// A text of which the tool itself takes more than a model writes: every letter is a state of the grammar.
pub fn long_text(description: &str) -> Value {
    text(LONG_TEXT, description)
}

pub fn integer(min: i64, max: i64, description: &str) -> Value {
    json!({"type": "integer", "minimum": min, "maximum": max, "description": description})
}

pub fn flag(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

pub fn one_of(values: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": values, "description": description})
}

pub fn list(items: Value, most: u32, description: &str) -> Value {
    json!({"type": "array", "items": items, "maxItems": most, "description": description})
}

/// What every tool that takes a path says of it.
pub fn path(what: &str) -> Value {
    text(1_000, &format!("{what}: relative to the first allowed folder, or absolute inside one."))
}
