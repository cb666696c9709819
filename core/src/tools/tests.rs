//! What holds for every tool, and flows of files through the doors.

use std::collections::BTreeSet;

use serde_json::json;

use super::testing::World;
use super::*;

mod constraints;
mod data;
mod files;
mod web;
mod work;

#[test]
fn every_tool_is_named_described_and_has_a_strict_schema() {
    let mut names = BTreeSet::new();
    for tool in all() {
        let spec = tool.spec();
        assert!(names.insert(spec.name.clone()), "{} twice", spec.name);
        assert!(!spec.name.is_empty() && spec.name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'));
        assert!(spec.description.len() > 20 && spec.description.len() < 400, "{}", spec.name);
        assert!(!spec.title.is_empty());
        check_schema(&spec.name, &spec.parameters);
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

const TEXTS: [&str; 25] = [
    "",
    ".",
    "..",
    "../private/secret.txt",
    "/etc/passwd",
    "a.txt",
    "out/new.txt",
    "a\0b",
    "\u{202e}",
    "$..x",
    "/a/0",
    "(",
    "*.csv",
    "https://example.org/",
    "http://[::1",
    "whole",
    "replace",
    "append",
    "GET",
    "bar",
    "a,b\n1,2\n",
    "2026-03-05",
    "[{\"a\": 1}]",
    "\u{1f600}",
    "c.svg",
];

/// Values of every kind, some in the shape of real arguments, from a seeded generator.
fn random_value(random: &mut rand::rngs::StdRng, depth: u32) -> Value {
    use rand::Rng;
    match random.random_range(0..if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => json!(random.random_bool(0.5)),
        2 => json!([i64::MIN, -1, 0, 1, 2, 100, 5_000_000_000, i64::MAX][random.random_range(0..8)]),
        3 => json!([f64::MIN, -0.0, 0.5, 1e-300, 1e300][random.random_range(0..5)]),
        4 => json!(TEXTS[random.random_range(0..TEXTS.len())]),
        5 => (0..random.random_range(0..4)).map(|_| random_value(random, depth - 1)).collect(),
        _ => {
            let fields =
                (0..random.random_range(0..4)).map(|index| (format!("f{index}"), random_value(random, depth - 1)));
            Value::Object(fields.collect())
        }
    }
}

/// A value that often fits the schema.
fn value_for(schema: &Value, random: &mut rand::rngs::StdRng) -> Value {
    use rand::Rng;
    if random.random_ratio(1, 8) {
        return random_value(random, 2);
    }
    if let Some(choices) = schema["enum"].as_array() {
        return choices[random.random_range(0..choices.len())].clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let mut fields = serde_json::Map::new();
            for (name, schema) in schema["properties"].as_object().unwrap() {
                if random.random_bool(0.4) || (required.contains(&json!(name)) && random.random_ratio(9, 10)) {
                    fields.insert(name.clone(), value_for(schema, random));
                }
            }
            Value::Object(fields)
        }
        Some("array") => (0..random.random_range(0..4)).map(|_| value_for(&schema["items"], random)).collect(),
        Some("integer" | "number") => json!(random.random_range(-3..50)),
        Some("boolean") => json!(random.random_bool(0.5)),
        // What the description asks for, mostly; else only chance would ever name such a file.
        _ if schema["description"].as_str().is_some_and(|words| words.contains(".svg"))
            && random.random_ratio(3, 4) =>
        {
            json!("c.svg")
        }
        _ if random.random_bool(0.5) => json!(TEXTS[random.random_range(0..TEXTS.len())]),
        _ => json!("a.txt"),
    }
}

/// Every file below a folder with its content and time of change.
fn everything(folder: &std::path::Path) -> Vec<(std::path::PathBuf, std::time::SystemTime, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            if metadata.is_dir() {
                open.push(path.clone());
            }
            found.push((path, metadata.modified().unwrap(), content));
        }
    }
    found.sort();
    found
}

#[test]
fn whatever_the_model_writes_a_proposal_neither_panics_nor_changes_anything() {
    use rand::SeedableRng;
    let mut world = World::new();
    world.put("a.txt", "a,b\n1,2\n3,x\n");
    world.set("web_search", "address", json!("https://searx.example/?q={query}"));
    let before = everything(world.outer());
    for (seed, tool) in (0_u64..).zip(all()) {
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        let spec = tool.spec();
        let mut accepted = 0;
        for round in 0..1_000 {
            let arguments = match round % 4 {
                0 => random_value(&mut random, 3),
                _ => value_for(&spec.parameters, &mut random),
            };
            match tool.propose(&arguments, &world.scope) {
                Ok(proposal) => {
                    accepted += 1;
                    assert!(!proposal.title.is_empty() && proposal.title.chars().count() < 200, "{}", spec.name);
                }
                Err(error) => {
                    assert!(!error.message.is_empty() && !error.message.contains("canary"), "{}: {error}", spec.name)
                }
            }
        }
        let needs_more = ["hand_over", "update_task", "run_command", "create_schedule"];
        assert!(accepted > 0 || needs_more.contains(&&*spec.name), "{} never accepts anything", spec.name);
    }
    assert_eq!(everything(world.outer()), before);
    assert!(world.host.asked.lock().unwrap().is_empty(), "nothing was sent");
    assert!(world.host.tasks.lock().unwrap().is_empty() && world.host.data.lock().unwrap().is_empty());
}
