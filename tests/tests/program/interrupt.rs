//! Ctrl-C and a request to terminate end a verb in order.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rspa_tests::documents::source_tree;
use rspa_tests::process::Running;
use rspa_tests::world::{LIMIT, World};

#[test]
fn an_interrupt_while_indexing_keeps_what_was_done() {
    let world = World::empty();
    source_tree(&world.files().join("tree"), 0..2_000);
    let mut command = world.command();
    command.args(["index", "add", "--wait", "tree", "-v"]).stdin(Stdio::null()).stdout(Stdio::null());
    let mut process = Running::start(command.stderr(Stdio::piped()));
    // The first log line comes when the core has started, so the signals are heard.
    let mut said = BufReader::new(process.child().stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    process.signal(libc::SIGINT);
    let rest = std::thread::spawn(move || said.lines().map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    let status = process.ended_within(LIMIT);
    let rest = rest.join().unwrap();
    assert_eq!(status.code(), Some(130), "{line}{rest}");
    assert!(rest.contains("interrupted"), "{line}{rest}");
    let status = world.json(["index", "add", "--wait", "tree"]);
    assert_eq!(status["documents"], 2_000, "{status}");
}

#[test]
fn terminating_a_chat_that_waits_for_its_next_line_ends_it() {
    let world = World::empty();
    let mut command = world.command();
    command.args(["chat", "-v"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut process = Running::start(command.stderr(Stdio::piped()));
    let mut said = BufReader::new(process.child().stderr.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    let rest = std::thread::spawn(move || said.lines().map_while(Result::ok).count());
    process.signal(libc::SIGTERM);
    assert_eq!(process.ended_within(LIMIT).code(), Some(143));
    rest.join().unwrap();
    world.json(["index", "list"]);
}
