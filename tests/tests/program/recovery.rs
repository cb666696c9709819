//! A damaged database and a wish to begin anew: what the commands say, keep and delete.

use std::fs;

use rspa_tests::world::World;

/// A world with a source and a damaged main database; the damaged bytes.
fn damaged() -> (World, Vec<u8>) {
    let world = World::empty();
    world.write("docs/boats.md", "# Boats\n\nThe ferry leaves at nine.\n");
    world.json(["index", "add", "--wait", "docs"]);
    let path = world.data().join("main.redb");
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes.truncate(half);
    fs::write(&path, &bytes).unwrap();
    (world, bytes)
}

fn names(world: &World, start: &str) -> Vec<String> {
    let entries = fs::read_dir(world.data()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(start)).collect()
}

#[test]
fn damage_is_told_and_a_new_beginning_keeps_the_file() {
    let (world, bytes) = damaged();
    let fault = world.error(4, ["index", "list"]);
    assert!(fault.message.contains("damaged"), "{fault:?}");
    let checked = world.run(["db", "check", "--json"]);
    assert_eq!(checked.code(), Some(1), "{checked:?}");
    let said = world.run(["db", "check"]).stdout;
    for words in ["main.redb", "no backup", "rspa db export", "rspa db recover --empty"] {
        assert!(said.contains(words), "{said}");
    }
    let fault = world.error(4, ["db", "recover", "--from-backup"]);
    assert!(fault.message.contains("no backup"), "{fault:?}");
    let saved = world.path().join("saved");
    world.json(["db".as_ref(), "export".as_ref(), saved.as_os_str()]);
    assert!(fs::read_to_string(saved.join("README.txt")).unwrap().contains("Missing"));
    assert!(fs::read(world.data().join("main.redb")).unwrap() == bytes);

    world.json(["db", "recover", "--empty"]);
    let kept = names(&world, "main.redb.damaged-");
    assert!(fs::read(world.data().join(&kept[0])).unwrap() == bytes);
    // What is always there has its place again, and nothing in it; what the person had added is gone.
    let sources = world.json(["index", "list"]);
    let made = |source: &serde_json::Value| source["path"].as_str().is_some_and(|path| path.starts_with("rspa:"));
    assert!(sources.as_array().unwrap().iter().all(made), "{sources}");
    let fault = world.error(3, ["db", "recover", "--empty"]);
    assert!(fault.message.contains("not damaged"), "{fault:?}");
}

#[test]
fn the_newest_backup_brings_everything_back() {
    let world = World::empty();
    world.write("docs/boats.md", "# Boats\n\nThe ferry leaves at nine.\n");
    world.json(["index", "add", "--wait", "docs"]);
    world.json(["backup", "create"]);
    let path = world.data().join("main.redb");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&path, &bytes).unwrap();
    let said = world.run(["db", "check"]).stdout;
    assert!(said.contains("Sources: 1 in the backup") && said.contains("--from-backup"), "{said}");
    world.json(["db", "recover", "--from-backup"]);
    assert_eq!(world.json(["index", "list"])[0]["name"], "docs");
    let found = world.json(["search", "ferry"]);
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
    let kept = names(&world, "main.redb.damaged-");
    assert!(fs::read(world.data().join(&kept[0])).unwrap() == bytes);
}

#[test]
fn derived_files_are_made_anew() {
    let world = World::empty();
    world.write("docs/boats.md", "# Boats\n\nThe ferry leaves at nine.\n");
    world.json(["index", "add", "--wait", "docs"]);
    let profile = fs::read_dir(world.data().join("profiles")).unwrap().next().unwrap().unwrap().path();
    for file in [profile.join("knowledge.redb"), world.data().join("logs/logs.redb")] {
        let half = fs::read(&file).unwrap();
        fs::write(&file, &half[..half.len() / 2]).unwrap();
    }
    world.json(["index", "rescan", "--wait"]);
    let found = world.json(["search", "ferry"]);
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
    let kept = |folder: &std::path::Path| {
        fs::read_dir(folder).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().contains("damaged"))
    };
    assert!(kept(&profile) && kept(&world.data().join("logs")));
    assert_eq!(world.json(["db", "check"])["ok"], true);
}

#[test]
fn resets_delete_what_they_say_and_only_with_the_word() {
    let world = World::empty();
    world.write("docs/boats.md", "# Boats\n\nThe ferry leaves at nine.\n");
    world.json(["index", "add", "--wait", "docs"]);
    fs::write(world.data().join("settings.toml"), "[ui]\ntheme = \"dark\"\n").unwrap();
    fs::create_dir(world.data().join("backups")).unwrap();
    fs::write(world.data().join("backups/a.zip"), "kept").unwrap();
    fs::write(world.data().join("mine.txt"), "not of the program").unwrap();

    let refused = world.run_with_input(["reset", "--everything"], b"yes\n");
    assert_eq!(refused.code(), Some(3), "{refused:?}");
    assert!(refused.stderr.contains("main.redb") && refused.stderr.contains("mine.txt"), "{refused:?}");
    assert!(world.data().join("main.redb").exists());

    world.run_with_input(["reset", "--settings"], b"settings\n").ok();
    assert!(!world.data().join("settings.toml").exists());
    world.run_with_input(["reset", "--index"], b"index\n").ok();
    let found = world.json(["search", "ferry"]);
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");

    let done = world.json(["reset", "--everything", "--yes"]);
    assert!(done["bytes"].as_u64().unwrap() > 0, "{done}");
    let mut left: Vec<_> =
        fs::read_dir(world.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["backups", "mine.txt"]);
    world.json(["reset", "--everything", "--backups", "--yes"]);
    assert!(!world.data().join("backups").exists());
    assert!(fs::read_to_string(world.files().join("docs/boats.md")).unwrap().contains("ferry"));
}
