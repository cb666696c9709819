//! Definitions in three formats, faults with their places, hostile texts.

use serde_json::json;

use super::*;

const TOML: &str = r#"
name = "Research"
temperature = 1
tags = ["reading"]

[budget]
steps = 20

[tools]
search_knowledge = "allow"
http_request = { permission = "ask", settings = { hosts = ["example.org"] } }

[[routine]]
tool = "list_activities"
arguments = { most = 5 }
"#;

#[test]
fn all_formats_say_the_same() {
    let from_toml = toml(TOML).unwrap();
    assert_eq!(from_toml.temperature, 1.0);
    assert_eq!(from_toml.routine[0].arguments, json!({"most": 5}));
    assert_eq!(from_toml.tools["http_request"].0.settings["hosts"], json!(["example.org"]));
    let as_json = serde_json::to_string(&from_toml).unwrap();
    assert_eq!(any(&as_json).unwrap(), from_toml);
    let as_yaml = "name: Research\ntemperature: 1\ntags: [reading]\nbudget:\n  steps: 20\ntools:\n  search_knowledge: \
                   allow\n  http_request:\n    permission: ask\n    settings:\n      hosts: [example.org]\nroutine:\n  \
                   - tool: list_activities\n    arguments: {most: 5}\n";
    assert_eq!(any(as_yaml).unwrap(), from_toml);
    let again = ::toml::to_string(&from_toml).unwrap();
    assert_eq!(any(&again).unwrap(), from_toml);
}

#[test]
fn faults_have_a_place() {
    let wrong = toml("name = \"x\"\nheat = 3\n").unwrap_err();
    assert_eq!(wrong.line, Some((2, 1)), "{wrong}");
    assert!(wrong.to_string().contains("heat"), "{wrong}");
    let wrong = toml("name = \"x\"\n[tools]\nread_file = \"maybe\"\n").unwrap_err();
    assert_eq!(wrong.line.unwrap().0, 3, "{wrong}");
    assert!(wrong.words.contains("\"allow\", \"ask\" or \"deny\""), "{wrong}");
    let wrong = yaml("name: x\ntools:\n  read_file: maybe\n").unwrap_err();
    assert_eq!(wrong.line.unwrap().0, 3, "{wrong}");
    let wrong = json("{\"name\": \"x\",\n \"budget\": {\"steps\": -1}}").unwrap_err();
    assert_eq!(wrong.line.unwrap().0, 2, "{wrong}");
    assert!(any("").unwrap_err().words.contains("name"), "a name is needed");
}

#[test]
fn hostile_texts_are_refused() {
    let large = format!("name = \"{}\"", "x".repeat(LARGEST));
    let deep_json = format!("{{\"name\": \"x\", \"tools\": {}1{}}}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let deep_toml = format!("name = \"x\"\nroutine = {}", "[".repeat(50_000));
    let deep_yaml = format!("name: x\nroutine: {}", "[".repeat(5_000));
    let bomb = "name: x\ndescription: &a [x, x]\ntags: &b [*a, *a]\nroutine: &c [*b, *b]\ntools: {a: [*c, *c, *c]}\n";
    let aliases = format!("name: &a x\ntags: [{}]\n", "*a, ".repeat(200));
    let many = format!("name: x\ntags: [{}]\n", "a, ".repeat(30_000));
    for text in [&*large, &deep_json, &deep_toml, &deep_yaml, bomb, &aliases, &many, "\u{0}", "name: [", "- 1"] {
        let wrong = any(text).expect_err(&text[..text.len().min(40)]);
        assert!(!wrong.words.is_empty() && wrong.words.len() < 1_000, "{wrong}");
    }
}

#[test]
fn nothing_stays_allowed() {
    let mut definition = toml(TOML).unwrap();
    definition.ask_at_most();
    assert!(definition.tools.values().all(|word| word.0.permission >= Permission::Ask));
}
