//! What holds for every tool, and flows of files through the doors.

use std::collections::BTreeSet;

use serde_json::json;

use super::testing::World;
use super::*;

#[path = "tests/files.rs"]
mod files;

#[test]
fn every_tool_is_named_described_and_has_a_strict_schema() {
    let mut names = BTreeSet::new();
    for tool in all() {
        let spec = tool.spec();
        assert!(names.insert(spec.name), "{} twice", spec.name);
        assert!(!spec.name.is_empty() && spec.name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'));
        assert!(spec.description.len() > 20 && spec.description.len() < 400, "{}", spec.name);
        assert!(!spec.title.is_empty());
        check_schema(spec.name, &spec.parameters);
        assert_eq!(spec.parameters["type"], "object", "{}", spec.name);
    }
    assert!(find("no_such_tool").is_none());
}

/// Objects are closed, lists bounded, and no keyword is used that constrained generation does not know.
fn check_schema(tool: &str, schema: &Value) {
    let known = [
        "type",
        "properties",
        "required",
        "enum",
        "const",
        "minimum",
        "maximum",
        "maxLength",
        "items",
        "maxItems",
        "minItems",
        "anyOf",
        "additionalProperties",
        "description",
    ];
    let Some(fields) = schema.as_object() else { panic!("{tool}: {schema} is no schema") };
    for name in fields.keys() {
        assert!(known.contains(&name.as_str()), "{tool}: {name}");
    }
    match schema["type"].as_str() {
        Some("object") => {
            assert_eq!(schema["additionalProperties"], false, "{tool}: {schema}");
            let properties = schema["properties"].as_object().unwrap();
            for required in schema["required"].as_array().unwrap() {
                assert!(properties.contains_key(required.as_str().unwrap()), "{tool}: {required}");
            }
            properties.values().for_each(|schema| check_schema(tool, schema));
        }
        Some("array") => {
            assert!(schema["maxItems"].is_u64(), "{tool}: {schema}");
            check_schema(tool, &schema["items"]);
        }
        Some("string" | "integer" | "number" | "boolean") => {}
        other => {
            assert!(other.is_none() && schema["anyOf"].is_array(), "{tool}: {schema}");
            schema["anyOf"].as_array().unwrap().iter().for_each(|schema| check_schema(tool, schema));
        }
    }
}

#[test]
fn an_unknown_field_is_named() {
    let world = World::new();
    let said = world.refused("read_file", json!({"path": "a", "flavour": 1}));
    assert!(said.contains("flavour"), "{said}");
}
