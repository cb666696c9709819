//! A tree with everything that goes wrong on real disks: each is said in words, and the rest is searchable.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use rspa_tests::documents;
use rspa_tests::world::World;
use serde_json::Value;

fn plant(world: &World) {
    world.write("good.md", "# Observatory\n\nThe brass telescope points at Saturn.\n");
    File::create(world.files().join("huge.txt")).unwrap().set_len(2 << 30).unwrap();
    world.write("locked/secret.md", "Nobody may read this.\n");
    let noise: Vec<u8> = (0..4096_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    world.write("noise.md", noise);
    let whole = documents::pdf(&["The comet returns every seventy six years."]);
    world.write("half.pdf", &whole[..whole.len() / 2]);
    world.write("whole.pdf", whole);
    symlink("..", world.files().join("locked-sibling")).unwrap();
    fs::create_dir(world.files().join("deep")).unwrap();
    symlink("../deep", world.files().join("deep/loop")).unwrap();
    world.write(OsStr::from_bytes(b"caf\xe9.md"), "The meridian room opens at nine.\n");
    world.write("broken.docx", b"PK\x03\x04 this is no archive");
    fs::set_permissions(world.files().join("locked"), Permissions::from_mode(0o000)).unwrap();
}

/// The reason that is given for this file or folder.
fn reason_for(problems: &Value, name: &str) -> Option<String> {
    let problem = problems
        .as_array()
        .unwrap()
        .iter()
        .find(|problem| problem["path"].as_str().is_some_and(|path| path.ends_with(name)))?;
    Some(problem["reason"].as_str().unwrap().to_owned())
}

#[test]
fn each_obstacle_is_said_in_words_and_the_rest_is_searchable() {
    let world = World::unprivileged();
    plant(&world);
    let status = world.json(["index", "add", "--wait", "."]);
    let problems = world.json(["index", "problems"]);
    for name in ["/huge.txt", "/locked", "/noise.md", "/half.pdf", "/broken.docx", "/deep/loop"] {
        let reason = reason_for(&problems, name).unwrap_or_else(|| panic!("nothing is said about {name}: {problems}"));
        assert!(reason.split_whitespace().count() >= 3, "{name}: '{reason}' is not said in words");
        println!("{name}: {reason}");
    }
    assert!(status["problems"].as_u64().unwrap() >= 6, "{status}");
    for (query, file) in [
        ("brass telescope Saturn", "/good.md"),
        ("comet returns seventy six years", "/whole.pdf"),
        ("meridian room", "caf\u{fffd}.md"),
    ] {
        let found = world.json(["search", query]);
        let first = found["hits"][0]["path"].as_str().unwrap_or_default();
        assert!(first.ends_with(file), "'{query}': {found}");
    }
    for document in world.documents(&world.files()) {
        let path = document["path"].as_str().unwrap();
        assert!(!path.contains("/deep/loop/") && !path.contains("secret"), "{path} must not be indexed");
    }

    // What is mended is read at the next look, and its problem is gone.
    fs::set_permissions(world.files().join("locked"), Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(world.files().join("huge.txt")).unwrap();
    world.json(["index", "rescan", "--wait"]);
    let problems = world.json(["index", "problems"]);
    assert_eq!(reason_for(&problems, "/huge.txt"), None, "{problems}");
    assert_eq!(reason_for(&problems, "/locked"), None, "{problems}");
    let found = world.json(["search", "nobody may read", "--mode", "keyword"]);
    assert!(found["hits"][0]["path"].as_str().unwrap_or_default().ends_with("/locked/secret.md"), "{found}");
}

#[test]
fn a_folder_that_vanishes_stays_searchable_and_is_said_to_be_missing() {
    let world = World::empty();
    world.write("drive/log.md", "The albatross was seen at noon.\n");
    world.write("other/note.md", "The petrel was seen at dusk.\n");
    world.json(["index", "add", "--wait", "drive"]);
    world.json(["index", "add", "--wait", "other"]);
    fs::rename(world.files().join("drive"), world.path().join("unplugged")).unwrap();

    world.json(["index", "rescan", "--wait"]);
    let drive = |world: &World| {
        let listed = world.json(["index", "list"]);
        let is_drive = |source: &&Value| source["path"].as_str().unwrap().ends_with("/drive");
        listed.as_array().unwrap().iter().find(is_drive).unwrap().clone()
    };
    assert_eq!(drive(&world)["state"], "missing");
    assert_eq!(drive(&world)["documents"], 1);
    for (query, file) in [("albatross", "/log.md"), ("petrel", "/note.md")] {
        let found = world.json(["search", query, "--mode", "keyword"]);
        assert!(found["hits"][0]["path"].as_str().unwrap_or_default().ends_with(file), "{found}");
    }

    fs::rename(world.path().join("unplugged"), world.files().join("drive")).unwrap();
    world.json(["index", "rescan", "--wait"]);
    assert_eq!(drive(&world)["state"], "ready");
}
