//! A data folder of a newer version is refused and left byte for byte as it was, closed in order or not.

use std::fs;
use std::path::Path;

use rspa_core::storage::{Db, DbOptions, Schema, Tracking};
use rspa_tests::deeds::{Ending, Record};
use rspa_tests::folder;
use rspa_tests::world::World;

static NEWER: Schema = Schema { version: 1_000, tables: &[], migrations: &[], tracking: Tracking::Off };

/// Opens it as a later version would. What lies there while it is open is what a killed process leaves behind.
fn make_newer(file: &Path, clean: bool) {
    let db = Db::open(file, &NEWER, DbOptions::default()).unwrap();
    if clean {
        db.close();
    } else {
        let left = fs::read(file).unwrap();
        db.close();
        fs::write(file, left).unwrap();
    }
}

#[test]
fn a_newer_folder_is_refused_untouched() {
    for clean in [true, false] {
        let world = World::in_memory();
        let mut record = Record::default();
        record.check_works(&world);
        make_newer(&world.data().join("main.redb"), clean);
        let before = folder::contents(&world.data());
        for arguments in [
            vec!["chat", "--list"],
            vec!["chat", "--no-knowledge", "--message", "hello"],
            vec!["settings", "set", "models.max_tokens", "77"],
            vec!["index", "add", "--wait", "papers"],
            vec!["doctor"],
        ] {
            let ending = Ending::of(&world.run(arguments.iter().copied().chain(["--json"])));
            let fault = ending.storage_fault().unwrap_or_else(|| panic!("{arguments:?}: {ending:?}"));
            assert!(fault.message.contains("newer") && fault.advice.contains("Update"), "{fault:?}");
        }
        let after = folder::contents(&world.data());
        let changed: Vec<_> =
            before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
        assert!(changed.is_empty(), "closed in order: {clean}; changed: {changed:?}");
    }
}

#[test]
fn newer_passages_are_refused_untouched_and_the_rest_works() {
    for clean in [true, false] {
        let world = World::in_memory();
        let mut record = Record::default();
        record.check_works(&world);
        let path = folder::files(&world.data()).into_iter().find(|path| path.ends_with("knowledge.redb")).unwrap();
        let path = world.data().join(path);
        make_newer(&path, clean);
        let before = fs::read(&path).unwrap();
        for arguments in [vec!["search", "note"], vec!["index", "add", "--wait", "papers"]] {
            let ending = Ending::of(&world.run(arguments.iter().copied().chain(["--json"])));
            let fault = ending.storage_fault().unwrap_or_else(|| panic!("{arguments:?}: {ending:?}"));
            assert!(fault.message.contains("newer"), "{fault:?}");
        }
        world.json(["chat", "--list"]);
        world.json(["settings", "set", "models.max_tokens", "77"]);
        assert!(fs::read(&path).unwrap() == before, "closed in order: {clean}; knowledge.redb was changed");
    }
}
