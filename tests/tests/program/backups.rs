//! Backups by the real executable: made, damaged, restored; and a restore that is killed at any moment.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use rspa_tests::process::Running;
use rspa_tests::world::World;

fn zoom(world: &World) -> String {
    world.run(["settings", "get", "ui.zoom"]).ok().stdout.trim().to_owned()
}

fn sources(world: &World) -> Vec<String> {
    let listed = world.json(["index", "list"]);
    let mut names: Vec<String> =
        listed.as_array().unwrap().iter().map(|source| source["path"].as_str().unwrap().to_owned()).collect();
    // Chats, tasks and activities are always there.
    names.retain(|name| name.starts_with('/'));
    names.sort();
    names
}

/// A state with one source and a zoom, its backup's name, and a different present state.
fn two_states(world: &World) -> String {
    world.write("first/note.md", "The quartz clock stands in the hall.\n");
    world.write("second/note.md", "The brass lamp hangs above it.\n");
    world.json(["index", "add", "--wait", "first"]);
    world.json(["settings", "set", "ui.zoom", "1.5"]);
    let made = world.json(["backup"]);
    world.json(["index", "remove", "first"]);
    world.json(["index", "add", "--wait", "second"]);
    world.json(["settings", "set", "ui.zoom", "2"]);
    made["name"].as_str().unwrap().to_owned()
}

#[test]
fn a_backup_is_made_listed_verified_previewed_and_restored() {
    let world = World::empty();
    let name = two_states(&world);
    let list = world.json(["backup", "list"]);
    assert_eq!(list["backups"][0]["name"], name.as_str(), "{list}");
    assert_eq!(list["backups"][0]["sources"], 1, "{list}");
    world.run(["backup", "verify", &name]).ok();
    let seen = world.run(["restore", &name, "--preview"]).ok().stdout;
    for words in ["sources: 1 come back", "sources: 1 go", "first", "second", "settings: 1 become as they were"] {
        assert!(seen.contains(words), "{words} in {seen}");
    }
    assert!(world.error(5, ["restore", &name]).message.contains("nobody is here to confirm"));
    assert_eq!(zoom(&world), "2");
    let said = world.run(["restore", &name, "--yes"]).ok();
    assert!(said.stdout.contains("To undo it: rspa restore "), "{said:?}");
    assert_eq!(zoom(&world), "1.5");
    assert!(sources(&world)[0].ends_with("/first"));
    world.json(["index", "rescan", "--wait"]);
    let hits = |text: &str| world.json(["search", text, "--mode", "keyword"])["hits"].as_array().unwrap().len();
    assert_eq!((hits("quartz"), hits("brass")), (1, 0));
    // And back again by the backup that was made before.
    let undo = said.stdout.lines().find_map(|line| line.strip_prefix("To undo it: rspa restore ")).unwrap();
    world.run(["restore", undo.trim(), "--yes"]).ok();
    assert_eq!(zoom(&world), "2");
    world.error(5, ["backup", "delete", &name]);
    world.run(["backup", "delete", &name, "--yes"]).ok();
    assert_eq!(world.error(3, ["backup", "verify", &name]).category, "validation");
    assert_eq!(world.error(3, ["restore", "no-such-backup", "--yes"]).category, "validation");
    assert_eq!(world.error(3, ["restore", "--at", "yesterday"]).category, "validation");
}

#[test]
fn a_damaged_database_is_said_and_the_backup_restored() {
    let world = World::empty();
    let name = two_states(&world);
    let main = world.data().join("main.redb");
    let mut bytes = fs::read(&main).unwrap();
    for byte in &mut bytes[..4096] {
        *byte = 0x5a;
    }
    fs::write(&main, &bytes).unwrap();
    assert!(world.error(4, ["index", "list"]).message.contains("damaged"));
    assert_eq!(world.json(["backup", "list"])["backups"][0]["name"], name.as_str());
    let seen = world.run(["restore", &name, "--preview"]).ok();
    assert!(seen.stdout.contains("sources: 1 come back"), "{seen:?}");
    assert_eq!(fs::read(&main).unwrap(), bytes, "the damaged file was touched");
    world.run(["restore", &name, "--yes"]).ok();
    assert!(sources(&world)[0].ends_with("/first"));
    let kept = fs::read_dir(world.data().join("backups")).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.into_iter().find(|path| path.is_dir()).expect("what was replaced is kept");
    assert_eq!(fs::read(kept.join("main.redb")).unwrap(), bytes);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a kill at a moment of chance is what is tested")]
fn a_restore_that_is_killed_leaves_the_old_or_the_new_state() {
    let world = World::empty();
    let name = two_states(&world);
    let first = world.files().join("first").display().to_string();
    let second = world.files().join("second").display().to_string();
    let present = world.json(["backup"])["name"].as_str().unwrap().to_owned();
    let rounds = if std::env::var_os("RSPA_SOAK").is_some_and(|value| value == "1") { 200 } else { 12 };
    let (mut olds, mut news) = (0, 0);
    for round in 0..rounds {
        let mut command = world.command();
        command.args(["restore", &name, "--yes"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Running::start(&mut command);
        std::thread::sleep(Duration::from_millis(30 + 1_500 * round / rounds));
        running.kill();
        let (zoom, sources) = (zoom(&world), sources(&world));
        match (zoom.as_str(), sources.as_slice()) {
            ("2", [one]) if *one == second => olds += 1,
            ("1.5", [one]) if *one == first => {
                news += 1;
                world.run(["restore", &present, "--yes"]).ok();
            }
            between => panic!("round {round}: {between:?}"),
        }
        assert!(!world.data().join("restore-ready").exists());
    }
    println!("{olds} times the old state, {news} times the new one");
}
