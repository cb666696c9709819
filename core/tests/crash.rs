//! `kill -9`: what was confirmed is there afterwards, and the folder opens at once and is whole.
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rspa_core::api::request::system::{GetUiState, PutUiState};
use rspa_core::api::{Core, CoreOptions, Role};
use rspa_core::clock::SystemClock;

const FOLDER: &str = "RSPA_TEST_CRASH_FOLDER";

fn start(data: &Path) -> Core {
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(data.to_owned()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::new(),
        console_level: None,
        chat_model: None,
        clock: Arc::new(SystemClock),
        faults: None,
    })
    .expect("the core starts")
}

/// Not a test of its own: the process that gets killed. Writes until it dies, naming each confirmed write.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let core = start(Path::new(&folder));
    let before = core.call(GetUiState { name: "counter".to_owned() }).wait().unwrap();
    let mut counter: u64 = before.map_or(0, |text| text.parse().unwrap());
    loop {
        counter += 1;
        // Several writes at a time, so that a kill meets commits of many.
        let writes: Vec<_> = (0..8)
            .map(|row| core.call(PutUiState { name: format!("row {row}"), text: format!("{counter} ").repeat(500) }))
            .collect();
        for write in writes {
            write.wait().unwrap();
        }
        core.call(PutUiState { name: "counter".to_owned(), text: counter.to_string() }).wait().unwrap();
        println!("\nconfirmed {counter}");
    }
}

#[test]
fn what_was_confirmed_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 1..=5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let confirmed = |line: &str| line.strip_prefix("confirmed ").and_then(|number| number.parse::<u64>().ok());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while seen < round * 7 {
            let line = lines.next().expect("the child still writes").unwrap();
            if let Some(number) = confirmed(&line) {
                assert!(number > last, "{number} after {last}");
                (last, seen) = (number, seen + 1);
            }
        }
        // SIGKILL: nothing of the child runs any more.
        child.kill().unwrap();
        child.wait().unwrap();
        last = lines.map_while(Result::ok).filter_map(|line| confirmed(&line)).last().unwrap_or(last);

        let core = start(folder.path());
        let text = core.call(GetUiState { name: "counter".to_owned() }).wait().unwrap().unwrap();
        let stored: u64 = text.parse().unwrap();
        assert!(stored == last || stored == last + 1, "{stored} is stored, {last} was confirmed");
        for row in 0..8 {
            let text = core.call(GetUiState { name: format!("row {row}") }).wait().unwrap().unwrap();
            let number: u64 = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(text, format!("{number} ").repeat(500), "row {row} is whole");
            assert!(number == stored || number == stored + 1, "row {row}: {number} beside {stored}");
        }
    }
}
