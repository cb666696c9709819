//! Agents on the command line with the real program: made, shown, changed, carried, removed; what needs a person.

use rspa_tests::world::World;
use serde_json::Value;

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|agent| agent["settings"]["name"].as_str().unwrap()).collect()
}

#[test]
fn an_agent_is_made_and_carried_without_a_person_as_long_as_it_only_looks() {
    let world = World::empty();
    world.write("prompt.md", "You look at tides.\n");
    let made = world.json([
        "agents",
        "create",
        "Tides",
        "--type",
        "analytical",
        "--temperature",
        "0.4",
        "--tag",
        "sea",
        "--prompt",
        "@prompt.md",
        "--tool",
        "write_file=deny",
        "--steps",
        "7",
    ]);
    assert_eq!(made["status"], "active");
    assert_eq!(made["settings"]["system_prompt"], "You look at tides.\n");
    assert_eq!(made["settings"]["budget"]["steps"], 7);
    let error = world.error(3, ["agents", "create", "TIDES"]);
    assert!(error.message.starts_with("name: "), "{error:?}");
    let error = world.error(3, ["agents", "create", "Hot", "--temperature", "3"]);
    assert!(error.message.starts_with("temperature: "), "{error:?}");
    let error = world.error(3, ["agents", "create", "Far", "--provider", "ollama"]);
    assert!(error.message.starts_with("provider: "), "{error:?}");
    world.error(3, ["agents", "show", "Nobody"]);

    assert_eq!(world.json(["agents", "status", "tides", "paused"])["status"], "paused");
    assert_eq!(world.json(["agents", "edit", "tides", "--description", "Of the sea"])["settings"]["temperature"], 0.4);
    assert_eq!(
        world.json(["agents", "data", "tides", "port", "--value", "{\"name\": \"Dover\"}"])[0]["value"]["name"],
        "Dover"
    );
    assert_eq!(world.json(["agents", "data", "tides", "port", "--remove"]), Value::Array(Vec::new()));
    world.json(["agents", "export", "tides", "--to", "tides.toml"]);
    let imported = world.json(["agents", "import", "tides.toml"]);
    assert_eq!(imported["settings"]["name"], "Tides 2");
    assert_eq!(imported["settings"]["tools"]["read_file"]["permission"], "ask");
    assert_eq!(names(&world.json(["agents"])), ["Tides", "Tides 2"]);
    assert_eq!(names(&world.json(["agents", "list", "--status", "paused"])), ["Tides"]);
    let item = world.json(["agents", "delete", "Tides 2"]);
    assert_eq!(names(&world.json(["agents", "list", "--tag", "sea"])), ["Tides"]);
    world.json(["trash", "restore", item["id"].as_str().unwrap()]);
    assert_eq!(world.json(["agents", "duplicate", "tides"])["status"], "inactive");
    assert_eq!(world.json(["agents", "metrics", "tides", "--days", "3"])["days"].as_array().unwrap().len(), 3);
    assert!(world.json(["agents", "types"])["types"].as_array().unwrap().len() >= 11);
    let added = world.json(["agents", "sample", "add"])["added"].as_u64().unwrap();
    assert_eq!(world.json(["agents", "sample", "remove"])["removed"].as_u64().unwrap(), added);
}

#[test]
fn a_folder_and_a_free_hand_need_a_person() {
    let world = World::empty();
    world.write("q4/orders.csv", "a,b\n1,2\n");
    world.error(5, ["agents", "create", "Analyst", "--type", "analytical", "--folder", "q4:rw"]);
    world.error(5, ["agents", "create", "Writer", "--tool", "write_file=allow"]);
    world.json(["agents", "tools", "--policy", "write_file=deny"]);
    world.error(5, ["agents", "tools", "--policy", "write_file=agents"]);
    assert_eq!(world.json(["agents", "list"]), Value::Array(Vec::new()));
    world.in_person(["agents", "create", "Analyst", "--type", "analytical", "--folder", "q4:rw"]).ok();
    let agent = world.json(["agents", "show", "analyst"]);
    assert_eq!(agent["settings"]["folders"][0]["write"], true);
    assert!(agent["settings"]["folders"][0]["path"].as_str().unwrap().ends_with("/q4"));
}
