//! Ctrl-C and a request to terminate end a verb in order.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rspa_tests::documents::source_tree;
use rspa_tests::process::Running;
use rspa_tests::wait;
use rspa_tests::world::{LIMIT, World};

#[test]
fn an_interrupt_while_indexing_keeps_what_was_done() {
    let world = World::empty();
    source_tree(&world.files().join("tree"), 0..2_000);
    let mut command = world.command();
    command.args(["index", "add", "--wait", "tree"]).stdin(Stdio::null()).stdout(Stdio::null());
    let before = world.knowledge_state();
    let mut process = Running::start(command.stderr(Stdio::piped()));
    let said = BufReader::new(process.child().stderr.take().unwrap());
    let said = std::thread::spawn(move || said.lines().map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    wait::until("the first files to be indexed", LIMIT, || (world.knowledge_state() != before).then_some(()));
    process.signal(libc::SIGINT);
    let status = process.ended_within(LIMIT);
    let said = said.join().unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted"), "{said}");
    let status = world.json(["index", "add", "--wait", "tree"]);
    assert_eq!(status["documents"], 2_000, "{status}");
}

#[test]
fn terminating_a_chat_that_waits_for_its_next_line_ends_it() {
    let world = World::empty();
    let mut command = world.command();
    command.arg("chat").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut process = Running::start(command.stderr(Stdio::piped()));
    let mut said = BufReader::new(process.child().stderr.take().unwrap());
    // Without a model a message is answered with an error: then it waits for the next one.
    process.child().stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    said.read_line(&mut String::new()).unwrap();
    process.signal(libc::SIGTERM);
    assert_eq!(process.ended_within(LIMIT).code(), Some(143));
    world.json(["index", "list"]);
}
