//! A server's JSON Schema, cut down to what constrained generation knows and can bear.

use std::cell::Cell;

use serde_json::{Map, Value, json};

/// Schemas in schemas.
const DEPTH: usize = 6;
/// Bytes of a whole schema; a larger one is given up for any object.
const LARGEST: usize = 16 << 10;
/// Schemas in a schema, references followed.
const MOST_PARTS: usize = 1_000;
const MOST_PROPERTIES: usize = 64;
const MOST_VALUES: usize = 128;
const MOST_FORMS: usize = 8;
/// Characters of a description and of one value.
const WORDS: usize = 300;
const LONGEST_VALUE: usize = 200;
/// Greatest lengths that are asked of a model.
const MOST_LETTERS: u64 = 8_000;
const MOST_ITEMS: u64 = 100;

/// A schema of an object, always usable: what is not understood becomes less strict, never wrong.
pub fn sanitised(schema: &Value) -> Value {
    let root = Root { schema, left: Cell::new(MOST_PARTS) };
    let mut made = part(schema, &root, 0);
    let properties = made.get("properties").and_then(Value::as_object).is_some_and(|fields| !fields.is_empty());
    if let Some(object) = made.as_object_mut() {
        object.insert("type".to_owned(), json!("object"));
        for form in ["anyOf", "enum", "const"] {
            object.remove(form);
        }
        if !properties {
            object.remove("required");
        }
    } else {
        made = any_object();
    }
    if made.to_string().len() > LARGEST { any_object() } else { made }
}

/// The whole, and how many parts of it may still be taken over.
struct Root<'a> {
    schema: &'a Value,
    left: Cell<usize>,
}

fn any_object() -> Value {
    json!({ "type": "object" })
}

fn part(schema: &Value, root: &Root<'_>, depth: usize) -> Value {
    let Some(given) = schema.as_object() else { return json!({}) };
    // References make a small schema endless.
    let left = root.left.get();
    if depth > DEPTH || left == 0 {
        return json!({});
    }
    root.left.set(left - 1);
    if let Some(target) = given.get("$ref").and_then(Value::as_str) {
        let found = target.strip_prefix('#').and_then(|pointer| root.schema.pointer(pointer));
        return found.map_or_else(|| json!({}), |found| part(found, root, depth + 1));
    }
    let mut made = Map::new();
    if let Some(words) = given.get("description").and_then(Value::as_str) {
        made.insert("description".to_owned(), json!(super::words::line(words, WORDS)));
    }
    if let Some(value) = given.get("const").filter(|value| is_value(value)) {
        made.insert("const".to_owned(), value.clone());
        return Value::Object(made);
    }
    if let Some(values) = given.get("enum").and_then(Value::as_array)
        && !values.is_empty()
        && values.len() <= MOST_VALUES
        && values.iter().all(is_value)
    {
        made.insert("enum".to_owned(), json!(values));
        return Value::Object(made);
    }
    for name in ["anyOf", "oneOf"] {
        if let Some(forms) = given.get(name).and_then(Value::as_array).filter(|forms| !forms.is_empty()) {
            if forms.len() > MOST_FORMS {
                return Value::Object(made);
            }
            made.insert("anyOf".to_owned(), forms.iter().map(|form| part(form, root, depth + 1)).collect());
            return Value::Object(made);
        }
    }
    let kinds = kinds(given);
    match kinds.as_slice() {
        [] => {}
        [kind] => fill(kind, given, root, depth, &mut made),
        several => {
            let forms = several.iter().map(|kind| {
                let mut form = Map::new();
                fill(kind, given, root, depth, &mut form);
                Value::Object(form)
            });
            made.insert("anyOf".to_owned(), forms.collect());
        }
    }
    Value::Object(made)
}

fn is_value(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().count() <= LONGEST_VALUE,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    }
}

fn kinds(given: &Map<String, Value>) -> Vec<&str> {
    const KNOWN: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];
    let known = |kind: &&str| KNOWN.contains(kind);
    match given.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()).filter(known).into_iter().collect(),
        Some(Value::Array(kinds)) => {
            let mut found: Vec<&str> = kinds.iter().filter_map(Value::as_str).filter(known).collect();
            found.sort_unstable();
            found.dedup();
            found
        }
        _ if given.contains_key("properties") => vec!["object"],
        _ => Vec::new(),
    }
}

fn fill(kind: &str, given: &Map<String, Value>, root: &Root<'_>, depth: usize, made: &mut Map<String, Value>) {
    made.insert("type".to_owned(), json!(kind));
    match kind {
        "object" => {
            let Some(fields) = given.get("properties").and_then(Value::as_object) else { return };
            if fields.len() > MOST_PROPERTIES || fields.keys().any(|name| name.chars().count() > LONGEST_VALUE) {
                return;
            }
            let fields: Map<String, Value> =
                fields.iter().map(|(name, field)| (name.clone(), part(field, root, depth + 1))).collect();
            let required = given.get("required").and_then(Value::as_array).into_iter().flatten();
            let required: Vec<&str> =
                required.filter_map(Value::as_str).filter(|name| fields.contains_key(*name)).collect();
            made.insert("required".to_owned(), json!(required));
            made.insert("properties".to_owned(), Value::Object(fields));
            // What is named is enough for a model.
            made.insert("additionalProperties".to_owned(), json!(false));
        }
        "array" => {
            let items = given.get("items").map_or_else(|| json!({}), |items| part(items, root, depth + 1));
            made.insert("items".to_owned(), items);
            bounds(given, made, "minItems", "maxItems", MOST_ITEMS);
        }
        "string" => bounds(given, made, "minLength", "maxLength", MOST_LETTERS),
        "number" | "integer" => {
            let (least, most) = (number(given, "minimum"), number(given, "maximum"));
            let sensible = |value: &Value| value.as_f64().is_some_and(|value| value.abs() <= 1e12);
            let fits = match (least.and_then(Value::as_f64), most.and_then(Value::as_f64)) {
                (Some(least), Some(most)) => least <= most,
                _ => true,
            };
            for (name, bound) in [("minimum", least), ("maximum", most)] {
                let whole = |value: &&Value| kind == "number" || value.as_i64().is_some();
                if let Some(bound) = bound.filter(|bound| fits && sensible(bound)).filter(whole) {
                    made.insert(name.to_owned(), bound.clone());
                }
            }
        }
        _ => {}
    }
}

fn number<'a>(given: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    given.get(name).filter(|value| value.is_number())
}

fn bounds(given: &Map<String, Value>, made: &mut Map<String, Value>, least: &str, most: &str, limit: u64) {
    let wanted = given.get(most).and_then(Value::as_u64).unwrap_or(limit).min(limit);
    let least_wanted = given.get(least).and_then(Value::as_u64).unwrap_or(0);
    made.insert(most.to_owned(), json!(wanted));
    if least_wanted > 0 && least_wanted <= wanted {
        made.insert(least.to_owned(), json!(least_wanted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_generation_does_not_know_is_dropped_and_references_are_followed() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {
                "path": { "type": "string", "format": "uri", "pattern": "(a+)+$", "minLength": 1 },
                "edits": { "type": "array", "items": { "$ref": "#/$defs/edit" } },
                "kind": { "enum": ["a", "b"] },
                "count": { "type": ["integer", "null"], "minimum": 1, "maximum": 5, "exclusiveMinimum": 0 },
                "self": { "$ref": "#" }
            },
            "required": ["path", "missing"],
            "$defs": { "edit": { "type": "object", "properties": { "old": { "type": "string" } }, "not": {} } },
            "additionalProperties": { "type": "string" }
        });
        let made = sanitised(&schema);
        assert_eq!(made["required"], json!(["path"]));
        assert_eq!(made["properties"]["path"], json!({ "type": "string", "minLength": 1, "maxLength": 8_000 }));
        assert_eq!(made["properties"]["edits"]["items"]["properties"]["old"]["type"], "string");
        assert_eq!(made["properties"]["count"]["anyOf"][0], json!({ "type": "integer", "minimum": 1, "maximum": 5 }));
        assert_eq!(made["additionalProperties"], false);
        let text = made.to_string();
        assert!(!text.contains("$ref") && !text.contains("pattern") && !text.contains("\"not\""), "{text}");
    }

    #[test]
    fn whatever_is_no_schema_of_an_object_becomes_any_object() {
        for odd in [json!(null), json!([]), json!("x"), json!({}), json!({"type": "string"}), json!({"anyOf": [1]})] {
            assert_eq!(sanitised(&odd)["type"], "object", "{odd}");
        }
        let mut deep = json!({ "type": "string" });
        for _ in 0..200 {
            deep = json!({ "type": "object", "properties": { "x": deep } });
        }
        assert!(sanitised(&deep).to_string().len() < 2_000);
        let fields: Map<String, Value> = (0..60).map(|n| (format!("f{n}"), json!({ "$ref": "#" }))).collect();
        assert!(sanitised(&json!({ "type": "object", "properties": fields })).to_string().len() <= LARGEST);
        let many: Map<String, Value> =
            (0..60).map(|n| (format!("f{n}"), json!({ "enum": vec!["y".repeat(100); 100] }))).collect();
        assert_eq!(sanitised(&json!({ "type": "object", "properties": many })), any_object());
    }
}
