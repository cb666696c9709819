//! The data folder: read-only, full. Each has an answer in words, and nothing is lost.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rspa_tests::documents::source_tree;
use rspa_tests::program::is_root;
use rspa_tests::world::World;

#[test]
fn a_read_only_folder_is_refused_in_words() {
    let world = World::unprivileged();
    fs::create_dir(world.data()).unwrap();
    world.give_away(&world.data());
    fs::set_permissions(world.data(), Permissions::from_mode(0o555)).unwrap();
    let fault = world.error(4, ["index", "list"]);
    assert_eq!(fault.category, "storage");
    assert!(fault.message.contains(world.data().to_str().unwrap()), "{fault:?}");
    fs::set_permissions(world.data(), Permissions::from_mode(0o755)).unwrap();
    world.json(["index", "list"]);
}

#[test]
fn a_file_where_the_folder_should_be_is_refused_and_kept() {
    let world = World::empty();
    fs::write(world.data(), "precious").unwrap();
    assert_eq!(world.error(4, ["index", "list"]).category, "storage");
    assert_eq!(fs::read_to_string(world.data()).unwrap(), "precious");
}

/// A file system of a few megabytes, taken away again at the end.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(folder: &'a Path, size: &str) -> Self {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "rspa-test"])
            .arg(folder)
            .status()
            .unwrap();
        assert!(status.success(), "root can mount a tmpfs");
        Self(folder)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        Command::new("umount").args(["--lazy".as_ref(), self.0.as_os_str()]).status().ok();
    }
}

#[test]
fn a_full_disk_is_said_and_nothing_is_lost() {
    if !is_root() {
        println!("skipped: only root can mount a small file system");
        return;
    }
    let world = World::empty();
    let data = world.data();
    fs::create_dir(&data).unwrap();
    let _disk = SmallDisk::mount(&data, "48m");
    world.write("first/note.md", "The quartz clock stands in the hall.\n");
    world.json(["index", "add", "--wait", "first"]);
    fill(&data.join("filler"));

    source_tree(&world.files().join("second"), 0..400);
    let outcome = world.run(["index", "add", "--wait", "second", "--json"]);
    assert_eq!(outcome.code(), Some(4), "{outcome:?}");
    let error: serde_json::Value = serde_json::from_str(outcome.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["category"], "storage", "{error}");
    let words = format!("{} {}", error["error"]["message"], error["error"]["advice"]).to_lowercase();
    assert!(words.contains("full") || words.contains("space") || words.contains("room"), "{error}");

    fs::remove_file(data.join("filler")).unwrap();
    let found = world.json(["search", "quartz clock"]);
    assert!(found["hits"][0]["path"].as_str().unwrap_or_default().ends_with("/note.md"), "{found}");
    let status = world.json(["index", "add", "--wait", "second"]);
    assert_eq!(status["documents"], 400, "{status}");
    assert_eq!(world.json(["search", "quartz clock", "--mode", "keyword"])["hits"].as_array().map(Vec::len), Some(1));
}

/// Writes until nothing more fits.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    for block in [vec![1_u8; 1 << 16], vec![1_u8; 512]] {
        while file.write_all(&block).is_ok() {}
    }
}
