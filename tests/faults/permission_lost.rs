//! Rights that go while the program runs or between two runs: said in words, and all is well when they are back.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rspa_tests::deeds::{Deed, Ending, Record};
use rspa_tests::process::Running;
use rspa_tests::seed;
use rspa_tests::world::{LIMIT, World};

/// All folders and files of the data folder, the folder itself first.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut at = 0;
    while at < found.len() {
        if found[at].is_dir() {
            let mut inside: Vec<_> = fs::read_dir(&found[at]).unwrap().flatten().map(|item| item.path()).collect();
            inside.sort();
            found.extend(inside);
        }
        at += 1;
    }
    found
}

#[test]
fn each_file_and_folder_that_may_not_be_read_or_written() {
    let world = World::unprivileged();
    let mut record = Record::default();
    record.check_works(&world);
    for path in all_below(&world.data()) {
        // What a run before has made anew may be gone.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let before = metadata.permissions();
        let modes: &[u32] = if metadata.is_dir() { &[0o500, 0o000] } else { &[0o400, 0o000] };
        for (at, &mode) in modes.iter().enumerate() {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            // Each mode meets half of the changes and questions every day, and all of them in the long run.
            let meets = |number: usize| seed::soaking() || (number + at).is_multiple_of(2);
            for (_, deed) in Deed::ALL.into_iter().enumerate().filter(|(number, _)| meets(*number)) {
                let ending = record.attempt(&world, deed, |errand| errand.run(&world));
                assert!(!matches!(ending, Ending::Killed), "{}", path.display());
            }
            let questions = [["settings", "list"], ["chat", "--list"], ["index", "list"], ["search", "note"]];
            for (_, arguments) in questions.into_iter().enumerate().filter(|(number, _)| meets(*number)) {
                Ending::of(&world.run(arguments.into_iter().chain(["--json"])));
            }
            if path.exists() {
                fs::set_permissions(&path, before.clone()).unwrap();
            }
        }
    }
    record.check_works(&world);
}

#[test]
fn rights_that_go_under_a_running_chat() {
    let world = World::unprivileged();
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
    assert!(ask(&mut chat, "before").contains("no chat model"));
    let all = all_below(&world.data());
    for path in all.iter().rev() {
        fs::set_permissions(path, Permissions::from_mode(0o000)).unwrap();
    }
    // Files that are open stay open.
    assert!(ask(&mut chat, "meanwhile").contains("no chat model"));
    drop(chat.child().stdin.take());
    assert_eq!(chat.ended_within(LIMIT).code(), Some(1));
    let ending = Ending::of(&world.run(["chat", "--list", "--json"]));
    assert!(ending.storage_fault().is_some(), "{ending:?}");
    for path in &all {
        if path.exists() || path.symlink_metadata().is_ok() {
            let mode = if path.extension().is_none() && fs::metadata(path).is_ok_and(|it| it.is_dir()) {
                0o700
            } else {
                0o600
            };
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
    }
    record.check_works(&world);
    let chats = world.json(["chat", "--list"]).to_string();
    assert!(chats.contains("meanwhile") || chats.contains("before"), "{chats}");
}
