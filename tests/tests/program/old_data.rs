//! Data folders of earlier versions, kept for ever: today's program opens each and finds everything in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rspa_tests::world::World;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/databases")
}

/// A world whose data folder is the one that this version left.
fn world_of(version: u32) -> World {
    let world = World::empty();
    let file = File::open(fixtures().join(version.to_string()).join("data.zip")).unwrap();
    fs::create_dir(world.data()).unwrap();
    zip::ZipArchive::new(file).unwrap().extract(world.data()).unwrap();
    world
}

#[test]
fn the_first_version_opens_and_everything_is_there() {
    opens_with_everything(&world_of(1));
}

#[test]
fn the_second_version_opens_and_everything_is_there() {
    let world = world_of(2);
    opens_with_everything(&world);
    let profiles = world.json(["profiles", "list"]);
    let named = |name: &str| profiles.as_array().unwrap().iter().any(|profile| profile["name"] == name);
    assert!(named("Personal") && named("Work"), "{profiles}");
    let chats = world.json(["--profile", "Work", "chat", "--list"]);
    assert_eq!((chats.as_array().unwrap().len(), &chats[0]["title"]), (1, &"Who are you?".into()), "{chats}");
    let trash = world.run(["trash", "list"]).stdout;
    assert!(trash.contains("source: old"), "{trash}");
    let activities = world.run(["activities"]).stdout;
    for what in ["source.indexed          old: 1 file read", "answer.finished", "source.removed", "profile.created"] {
        assert!(activities.contains(what), "{what} in {activities}");
    }
}

/// What both versions left.
fn opens_with_everything(world: &World) {
    let checked = world.json(["db", "check"]);
    assert_eq!(checked["ok"], true, "{checked}");

    let chats = world.json(["chat", "--list"]);
    let titles: Vec<&str> = chats.as_array().unwrap().iter().map(|chat| chat["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["What is bread made of?", "When does the ferry leave?"]);
    assert!(chats.as_array().unwrap().iter().all(|chat| chat["messages"] == 2), "{chats}");

    let sources = world.json(["index", "list"]);
    assert_eq!((&sources[0]["name"], &sources[0]["documents"]), (&"docs".into(), &2.into()), "{sources}");
    let found = world.json(["search", "ferry", "--kind", "markdown"]);
    let path = found["hits"][0]["path"].as_str().unwrap();
    assert!(path.ends_with("/docs/boats.md"), "{found}");

    let settings = world.json(["settings", "list"]);
    let of =
        |key: &str| settings.as_array().unwrap().iter().find(|entry| entry["key"] == key).unwrap()["value"].clone();
    assert_eq!((of("ui.theme"), of("models.temperature")), ("dark".into(), 0.2.into()));

    // No model is installed; all that concerns data is fine.
    let doctor = world.run(["doctor", "--json"]);
    let report: serde_json::Value = serde_json::from_str(doctor.stdout.trim()).unwrap();
    for check in report["checks"].as_array().unwrap() {
        assert!(check["ok"] == true || check["name"] == "chat model", "{check}");
    }
    let checked = world.json(["db", "check"]);
    assert_eq!(checked["ok"], true, "{checked}");
}

/// A new version must add its own folder here, and a test as above.
#[test]
fn each_kept_version_is_tested() {
    let mut versions: Vec<String> =
        fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    versions.sort();
    assert_eq!(versions, ["1", "2"]);
}
