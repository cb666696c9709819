//! Documents, and sources that are no folders, from the command line.

use std::process::Command;

use rspa_tests::world::World;
use serde_json::Value;

#[test]
fn documents_are_listed_shown_and_outlined() {
    let world = World::empty();
    world.write("guide/harbour.md", "# Harbour\n\nThe crane.\n\n## Fees\n\nTwelve crowns.\n");
    world.json(["index", "add", "--wait", "guide"]);
    let listed = world.json(["docs", "list", "--filter", "harbour"]);
    let path = listed[0]["path"].as_str().unwrap().to_owned();
    assert!(path.ends_with("/guide/harbour.md") && listed.as_array().unwrap().len() == 1, "{listed}");
    assert!(listed[0]["seconds"].is_number() && listed[0]["confidence"] == 1.0, "{listed}");
    let shown = world.json(["docs", "show", path.as_str(), "--lines", "3-5"]);
    assert_eq!(shown["lines"], serde_json::json!(["The crane.", "", "## Fees"]));
    assert_eq!((&shown["total_lines"], &shown["changed"]), (&7.into(), &false.into()));
    let outline = world.json(["docs", "outline", path.as_str()]);
    let titles: Vec<&Value> = outline["headings"].as_array().unwrap().iter().map(|heading| &heading["title"]).collect();
    assert_eq!(titles, ["Harbour", "Fees"]);
    assert_eq!(outline["document"]["path"], path.as_str());
    assert_eq!(world.error(5, ["docs", "show", "/etc/hostname"]).category, "authorisation");
}

#[test]
fn kinds_of_sources_are_listed_and_an_address_is_fetched_only_with_leave() {
    let world = World::empty();
    world.write("code/a.md", "The crane.");
    let made = Command::new("git").current_dir(world.files().join("code")).args(["init", "-q"]).status().unwrap();
    assert!(made.success());
    world.json(["index", "add", "--wait", "code"]);
    let kinds = |world: &World| -> Vec<String> {
        let listed = world.json(["index", "list"]);
        listed.as_array().unwrap().iter().map(|source| source["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&world), ["repository", "chats", "tasks", "activities"]);
    // Nobody is here to agree, and another host is not the one that was named.
    world.error(5, ["index", "add", "https://example.invalid/page"]);
    world.error(3, ["index", "add", "https://example.invalid/page", "--yes", "example.org"]);
    world.error(3, ["index", "add", "https://user:word@example.invalid/", "--yes", "example.invalid"]);
    assert_eq!(kinds(&world).len(), 4);
    world.json(["index", "pause", "rspa:chats"]);
    assert_eq!(world.error(3, ["index", "remove", "rspa:tasks"]).category, "validation");
    let listed = world.json(["index", "list"]);
    assert_eq!(listed[1]["state"], "paused", "{listed}");
}
