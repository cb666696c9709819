//! Profiles, network and settings with the real program: separate worlds, kept over starts, exported and imported.

use rspa_tests::world::{Fault, World};
use serde_json::Value;

fn names(list: &Value) -> Vec<(&str, bool)> {
    let row = |entry: &'_ Value| entry["active"].as_bool().unwrap();
    list.as_array().unwrap().iter().map(|entry| (entry["name"].as_str().unwrap(), row(entry))).collect()
}

#[test]
fn two_profiles_are_two_worlds_over_many_starts() {
    let world = World::empty();
    world.write("home/lamp.md", "# Lamp\n\nThe lamp in Ellery Lane is green.\n");
    world.write("work/kettle.md", "# Kettle\n\nThe kettle in Ellery Lane is blue.\n");
    world.json(["profiles", "create", "Work"]);
    world.json(["index", "add", "home", "--wait=complete"]);
    world.json(["--profile", "work", "index", "add", "work", "--wait=complete"]);
    let found = |arguments: &[&str]| {
        let found = world.json(arguments.iter().copied());
        let hits = found["hits"].as_array().unwrap().iter();
        hits.map(|hit| hit["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(&["search", "Ellery"]), ["lamp.md"]);
    assert_eq!(found(&["search", "Ellery", "--profile", "Work"]), ["kettle.md"]);
    assert_eq!(names(&world.json(["profiles"])), [("Personal", true), ("Work", false)]);

    world.error(5, ["profiles", "switch", "Work"]);
    world.in_person(["profiles", "switch", "Work"]).ok();
    assert_eq!(found(&["search", "Ellery"]), ["kettle.md"]);
    let list = world.json(["profiles", "list"]);
    assert_eq!(names(&list), [("Personal", false), ("Work", true)]);
    assert_eq!((list[0]["sources"].as_u64(), list[1]["sources"].as_u64()), (Some(1), Some(1)));

    for (arguments, words) in [
        (&["profiles", "create", "PERSONAL"][..], "already a profile"),
        (&["profiles", "switch", "Nobody"], "no profile"),
        (&["--profile", "Nobody", "search", "x"], "no profile"),
        (&["--profile", "Work"], "goes with a verb"),
    ] {
        let error = world.error(3, arguments.iter().copied());
        assert!(error.message.contains(words), "{error:?}");
    }
    for (name, words) in [("Work", "you work in"), ("personal", "another name")] {
        let error = Fault::of(&world.in_person(["profiles", "delete", name]), 3);
        assert!(error.message.contains(words), "{error:?}");
    }
    world.json(["profiles", "rename", "personal", "Home"]);
    world.error(5, ["profiles", "delete", "Home"]);
    world.in_person(["profiles", "delete", "Home"]).ok();
    assert_eq!(names(&world.json(["profiles"])), [("Work", true)]);
    let folders = std::fs::read_dir(world.data().join("profiles")).unwrap().count();
    assert_eq!(folders, 1);
    assert!(world.files().join("home/lamp.md").exists());
}

#[test]
fn the_network_of_a_profile_is_the_stricter_word() {
    let world = World::empty();
    world.json(["profiles", "create", "Work", "--forbid-cloud"]);
    world.in_person(["network", "hosts", "add", "example.org"]).ok();
    world.in_person(["network", "policy", "listed"]).ok();
    let status = world.json(["network"]);
    assert_eq!((status["policy"].as_str(), status["forbid_cloud"].as_bool()), (Some("listed"), Some(false)));
    assert_eq!(status["hosts"][0], "example.org");
    assert_eq!(world.json(["network", "status", "--profile", "Work"])["forbid_cloud"], true);
    world.in_person(["network", "policy", "nothing", "--profile", "Personal"]).ok();
    assert_eq!(world.json(["network"])["policy"], "nothing");
    world.in_person(["network", "policy", "settings", "--profile", "Personal"]).ok();
    world.in_person(["network", "hosts", "add", "a.example", "--profile", "Personal"]).ok();
    assert_eq!(world.json(["network", "hosts", "list", "--profile", "Personal"]), serde_json::json!(["a.example"]));
    assert_eq!(world.json(["network"])["hosts"], serde_json::json!([]), "on both lists is none");
    let error = Fault::of(&world.in_person(["network", "hosts", "add", "https://a.org/x"]), 3);
    assert!(error.message.contains("is no host"), "{error:?}");
    assert_eq!(world.json(["network", "ledger"])["total"], 0);
}

#[test]
fn settings_go_out_and_come_in_whole_or_not_at_all() {
    let world = World::empty();
    world.json(["settings", "set", "ui.zoom", "1.5"]);
    world.json(["settings", "set", "backups.hour", "5"]);
    for name in ["out.toml", "out.json", "out.yaml"] {
        world.json(["settings", "export", name]);
        world.in_person(["settings", "reset", "--all"]).ok();
        let preview = world.json(["settings", "import", name, "--preview"]);
        assert_eq!((preview["changes"].as_array().map(Vec::len), preview["applied"].as_bool()), (Some(2), Some(false)));
        assert_eq!(world.json(["settings", "get", "ui.zoom"])["value"], 1.0);
        assert_eq!(world.in_person(["settings", "import", name]).ok().json()["applied"], true);
        assert_eq!(world.json(["settings", "get", "ui.zoom"])["value"], 1.5);
    }
    world.write("wrong.yaml", "ui:\n  zoom: 2\nbackups:\n  hour: 25\n");
    let error = Fault::of(&world.in_person(["settings", "import", "wrong.yaml"]), 3);
    assert!(error.message.contains("wrong.yaml:4: backups.hour: 25 is not between 0 and 23"), "{error:?}");
    assert_eq!(world.json(["settings", "get", "ui.zoom"])["value"], 1.5);
    world.json(["settings", "reset", "ui"]);
    assert_eq!(world.json(["settings", "get", "ui.zoom"])["origin"], "default");
    assert_eq!(world.json(["settings", "get", "backups.hour"])["value"], 5);
    let dump = world.run(["settings", "dump"]).ok().stdout;
    let place = world.path().display().to_string();
    assert!(!dump.contains(&place), "{dump}");
    assert!(dump.contains("\"version\""), "{dump}");
}
