//! A disk that is, or becomes, read-only: said in words, nothing changed, and all is well when it can be written again.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rspa_tests::deeds::{Deed, Ending, Record};
use rspa_tests::disk::SmallDisk;
use rspa_tests::process::Running;
use rspa_tests::world::{LIMIT, World};

#[test]
fn a_read_only_disk_is_said_and_left_as_it_is() {
    let world = World::in_memory();
    let Some(disk) = SmallDisk::over(&world.data(), 24) else { return };
    let mut record = Record::default();
    record.check_works(&world);
    disk.read_only(true);
    for deed in Deed::ALL {
        let ending = record.attempt(&world, deed, |errand| errand.run(&world));
        let fault = ending.storage_fault().unwrap_or_else(|| panic!("{deed:?}: {ending:?}"));
        let words = format!("{} {}", fault.message, fault.advice);
        assert!(words.contains("Read-only") || words.contains("read-only") || words.contains("write"), "{fault:?}");
    }
    for arguments in [["settings", "list"], ["chat", "--list"], ["index", "list"], ["search", "note"]] {
        Ending::of(&world.run(arguments.into_iter().chain(["--json"])));
    }
    disk.read_only(false);
    record.check_works(&world);
}

#[test]
fn a_disk_that_becomes_read_only_under_a_running_chat() {
    let world = World::in_memory();
    let Some(disk) = SmallDisk::over(&world.data(), 24) else { return };
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
    // A file that is open for writing keeps a disk writable; only a forced remount gets past it.
    let forced =
        std::process::Command::new("mount").args(["-o", "remount,ro"]).arg(world.data()).stderr(Stdio::null()).status();
    if !forced.is_ok_and(|status| status.success()) {
        println!("the system keeps the disk writable while a file is open for writing: nothing can happen");
    }
    ask(&mut chat, "meanwhile");
    drop(chat.child().stdin.take());
    assert!(chat.ended_within(LIMIT).code().is_some());
    disk.read_only(false);
    record.check_works(&world);
    let chats = world.json(["chat", "--list"]);
    assert!(chats.to_string().contains("before"), "{chats}");
}
