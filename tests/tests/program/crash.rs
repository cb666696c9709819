//! Killed while it indexes, again and again: nothing twice, nothing missing, and each start goes on where it was.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rspa_tests::documents::{marker, source_tree};
use rspa_tests::process::Running;
use rspa_tests::world::World;

const KILLS: usize = 10;

#[test]
fn killed_ten_times_it_ends_with_each_file_exactly_once() {
    let files = if std::env::var_os("RSPA_SOAK").is_some_and(|value| value == "1") { 5_000 } else { 2_000 };
    let world = World::empty();
    let tree = world.files().join("tree");
    // The files come in parts, so that each round has work left however fast the machine is.
    let part = files / KILLS;
    let mut done_before = 0;
    let mut killed = 0;
    for round in 0..KILLS {
        source_tree(&tree, round * part..(round + 1) * part);
        let round_of = kill_while_indexing(&world, 1 + round % 3);
        killed += usize::from(round_of.killed);
        let done = unique_documents(&world).len();
        let least = done_before + round_of.stored;
        assert!(done >= least, "round {round}: {least} documents were stored, after the kill {done} are there");
        assert!(done > done_before, "round {round} got no further than {done} documents");
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

struct Round {
    /// Files in the batches that the process said were stored.
    stored: usize,
    /// False when it was done before.
    killed: bool,
}

/// Starts indexing and kills it when it has stored so many batches.
fn kill_while_indexing(world: &World, batches: usize) -> Round {
    let mut command = world.command();
    command.args(["-vv", "index", "add", "--wait", "tree"]).stdin(Stdio::null()).stdout(Stdio::null());
    let mut process = Running::start(command.stderr(Stdio::piped()));
    let log = process.child().stderr.take().expect("standard error is a pipe");
    let mut round = Round { stored: 0, killed: false };
    let mut seen = 0;
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if !line.contains("a batch of files is stored") {
            continue;
        }
        round.stored += files_of(&line);
        seen += 1;
        if seen == batches {
            process.kill();
            round.killed = true;
            break;
        }
    }
    round
}

/// The number behind `files=` in a line of the log.
fn files_of(line: &str) -> usize {
    let plain: String = line
        .split("\u{1b}[")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once('m').map_or(part, |(_, rest)| rest) })
        .collect();
    let digits =
        plain.split_once("files=").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no number of files in {plain:?}"))
}

/// Paths of the documents that are indexed now.
fn unique_documents(world: &World) -> BTreeSet<String> {
    let sources = world.json(["index", "list"]);
    let added = |source: &serde_json::Value| source["path"].as_str().is_some_and(|path| path.starts_with('/'));
    if !sources.as_array().is_some_and(|all| all.iter().any(added)) {
        return BTreeSet::new();
    }
    let listed = world.documents(&world.files().join("tree"));
    let paths: BTreeSet<String> = listed.iter().map(|document| document["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(paths.len(), listed.len(), "a document is listed twice");
    paths
}
