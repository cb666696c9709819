//! Files that are gone: between two runs and while the program runs. What can be built again is; the rest is said.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rspa_tests::deeds::{Deed, Ending, Record};
use rspa_tests::folder;
use rspa_tests::process::Running;
use rspa_tests::world::{LIMIT, World};

#[test]
fn each_file_that_is_gone_at_the_next_start() {
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    record.check_works(&world);
    let whole = world.path().join("whole");
    folder::copy(&world.data(), &whole);
    let kept = record;
    for path in folder::files(&whole) {
        folder::copy(&whole, &world.data());
        fs::remove_file(world.data().join(&path)).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let ends = [
            Ending::of(&world.run(["settings", "get", "models.max_tokens", "--json"])),
            Ending::of(&world.run(["chat", "--list", "--json"])),
            Ending::of(&world.run(["index", "list", "--json"])),
            Ending::of(&world.run(["search", "note", "--json"])),
        ];
        // Of these nothing is derived from anything else: they are begun anew, or it is said that they are missing.
        let begun_anew = matches!(name, "main.redb" | "settings.toml");
        let mut record = kept.clone();
        if path.starts_with("backups") {
            record.forget_backups();
        }
        if !begun_anew {
            assert!(ends.iter().all(|end| matches!(end, Ending::Done(_))), "without {}: {ends:?}", path.display());
            if name == "knowledge.redb" {
                world.json(["index", "rescan", "--wait"]);
            }
            record.check_works(&world);
        }
    }
}

#[test]
fn the_data_folder_goes_under_a_running_chat() {
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    let mut command = world.command();
    command
        .args(["chat", "--json", "--no-knowledge"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut chat = Running::start(&mut command);
    let mut said = BufReader::new(chat.child().stderr.take().unwrap()).lines();
    let mut ask = |chat: &mut Running, text: &str| {
        writeln!(chat.child().stdin.as_mut().unwrap(), "{text}").unwrap();
        said.by_ref().map_while(Result::ok).find(|line| line.contains("\"error\"")).unwrap()
    };
    ask(&mut chat, "before");
    fs::remove_dir_all(world.data()).unwrap();
    let line = ask(&mut chat, "meanwhile");
    assert!(line.contains("advice"), "{line}");
    drop(chat.child().stdin.take());
    assert!(chat.ended_within(LIMIT).code().is_some());
    // A new folder is a new beginning.
    let mut anew = Record::default();
    anew.check_works(&world);
    for deed in Deed::ALL {
        anew.check(&world, deed);
    }
}
