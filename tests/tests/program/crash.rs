//! Killed while it indexes, again and again: nothing twice, nothing missing, and each start goes on where it was.

use std::collections::BTreeSet;
use std::process::Stdio;

use rspa_tests::documents::{marker, source_tree};
use rspa_tests::process::Running;
use rspa_tests::world::{LIMIT, World};

const KILLS: usize = 10;

#[test]
fn killed_ten_times_it_ends_with_each_file_exactly_once() {
    let files = if std::env::var_os("RSPA_SOAK").is_some_and(|value| value == "1") { 5_000 } else { 200 };
    let world = World::empty();
    let tree = world.files().join("tree");
    // The files come in parts, so that each round has work left however fast the machine is.
    let part = files / KILLS;
    let mut done_before = 0;
    let mut killed = 0;
    for round in 0..KILLS {
        source_tree(&tree, round * part..(round + 1) * part);
        killed += usize::from(kill_while_indexing(&world, round));
        let done = unique_documents(&world).len();
        assert!(done >= done_before, "round {round}: {done_before} documents were done, after the kill {done}");
        done_before = done;
        println!("round {round}: {done} of {} documents", (round + 1) * part);
    }
    assert!(killed >= KILLS / 2, "only {killed} of {KILLS} rounds were killed at work");

    let status = world.json(["index", "add", "--wait", "tree"]);
    assert_eq!(status["documents"], files, "{status}");
    assert_eq!(status["problems"], 0, "{status}");
    assert_eq!(unique_documents(&world).len(), files);
    for number in [0, part - 1, part, files / 2, files - 1] {
        let found = world.json(["search", &marker(number), "--mode", "keyword", "--limit", "200"]);
        let paths: BTreeSet<&str> =
            found["hits"].as_array().unwrap().iter().map(|hit| hit["path"].as_str().unwrap()).collect();
        assert_eq!(paths.len(), 1, "{}: {paths:?}", marker(number));
    }

    // What was never killed has the same passages.
    let reference = World::empty();
    source_tree(&reference.files().join("tree"), 0..files);
    let whole = reference.json(["index", "add", "--wait", "tree"]);
    assert_eq!(status["passages"], whole["passages"]);
}

/// Starts indexing and kills it at its nth write to the knowledge database. False when it was done before.
fn kill_while_indexing(world: &World, round: usize) -> bool {
    let mut command = world.command();
    command.args(["index", "add", "--wait", "tree"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut last = world.knowledge_state();
    let mut process = Running::start(&mut command);
    let start = std::time::Instant::now();
    let mut changes = 0;
    while changes <= round % 4 {
        if process.has_ended() {
            return false;
        }
        assert!(start.elapsed() < LIMIT, "indexing wrote nothing for {LIMIT:?}");
        let now = world.knowledge_state();
        if now != last {
            changes += 1;
            last = now;
        }
        std::thread::yield_now();
    }
    process.kill();
    true
}

/// Paths of the documents that are indexed now.
fn unique_documents(world: &World) -> BTreeSet<String> {
    let sources = world.json(["index", "list"]);
    if sources.as_array().is_none_or(Vec::is_empty) {
        return BTreeSet::new();
    }
    let listed = world.documents(&world.files().join("tree"));
    let paths: BTreeSet<String> = listed.iter().map(|document| document["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(paths.len(), listed.len(), "a document is listed twice");
    paths
}
