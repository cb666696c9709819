//! Where a setting's value comes from, lowest first: default, file, .env, environment, command line.

use rspa_tests::process;
use rspa_tests::world::{LIMIT, World};
use serde_json::Value;

fn theme(world: &World, environment: Option<&str>, arguments: &[&str]) -> (String, String) {
    let mut command = world.command();
    command.args(["settings", "get", "ui.theme", "--json"]).args(arguments);
    if let Some(value) = environment {
        command.env("RSPA_UI_THEME", value);
    }
    let entry: Value = process::run(&mut command, b"", LIMIT).ok().json();
    (entry["value"].as_str().unwrap().to_owned(), entry["origin"].as_str().unwrap().to_owned())
}

fn check(actual: (String, String), value: &str, origin: &str) {
    assert_eq!((actual.0.as_str(), actual.1.as_str()), (value, origin));
}

#[test]
fn each_place_overrules_the_ones_before_it() {
    let world = World::empty();
    check(theme(&world, None, &[]), "system", "default");
    world.json(["settings", "set", "ui.theme", "dark"]);
    check(theme(&world, None, &[]), "dark", "file");
    world.write(".env", "RSPA_UI_THEME=light\n");
    check(theme(&world, None, &[]), "light", "dot_env");
    check(theme(&world, Some("system"), &[]), "system", "environment");
    check(theme(&world, Some("system"), &["--set", "ui.theme=dark"]), "dark", "command_line");
    // What is overruled cannot be set: it would have no effect.
    let refused = world.error(3, ["settings", "set", "ui.theme", "system", "--set", "ui.theme=dark"]);
    assert!(refused.message.contains("ui.theme"), "{refused:?}");
    std::fs::remove_file(world.files().join(".env")).unwrap();
    check(theme(&world, None, &[]), "dark", "file");
    world.json(["settings", "reset", "ui.theme"]);
    check(theme(&world, None, &[]), "system", "default");
}

#[test]
fn a_value_that_is_not_allowed_keeps_the_last_good_one_and_is_explained() {
    let world = World::empty();
    world.json(["settings", "set", "ui.theme", "dark"]);
    let mut command = world.command();
    command.args(["settings", "get", "ui.theme", "--json"]).env("RSPA_UI_THEME", "mauve");
    let entry = process::run(&mut command, b"", LIMIT).ok().json();
    assert_eq!(entry["value"], "dark", "{entry}");
    let problem = entry["problem"].as_str().unwrap_or_else(|| panic!("{entry}"));
    assert!(problem.contains("mauve") && problem.contains("RSPA_UI_THEME"), "{problem}");
}

#[test]
fn every_setting_has_a_value_an_origin_and_words() {
    let world = World::empty();
    let entries = world.json(["settings", "list"]);
    assert!(entries.as_array().unwrap().len() >= 5, "{entries}");
    for entry in entries.as_array().unwrap() {
        for name in ["key", "group", "label", "description", "origin"] {
            assert!(entry[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {entry}");
        }
        assert!(!entry["value"].is_null(), "{entry}");
    }
}
