//! No network: nothing is needed from it, and not one internet socket is ever made.

use std::fs;
use std::process::Command;

use rspa_tests::display::Display;
use rspa_tests::process;
use rspa_tests::program::is_root;
use rspa_tests::world::{LIMIT, World};

fn works(probe: &[&str]) -> bool {
    let (program, arguments) = probe.split_first().unwrap();
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Some containers forbid namespaces or tracing to ordinary users. Root, as in CI, must have them.
fn available(what: &str, probe: &[&str]) -> bool {
    if works(probe) {
        return true;
    }
    assert!(!is_root(), "{what} does not work here although this is root: {probe:?}");
    println!("skipped: {what} is not possible here ({probe:?})");
    false
}

#[test]
fn everything_works_in_a_namespace_without_interfaces() {
    if !available("a network namespace", &["unshare", "-rn", "true"]) {
        return;
    }
    let world = World::with_models();
    world.write("harbour.md", "# Port Ellery\n\nThe harbour master of Port Ellery is Ingrid Solberg.\n");
    let run = |arguments: &[&str]| {
        process::run(world.wrapped(&["unshare", "-rn"]).args(arguments).arg("--json"), b"", LIMIT).ok().json()
    };
    assert_eq!(run(&["index", "add", "--wait=complete", "."])["documents"], 1);
    assert_eq!(run(&["search", "harbour master"])["hits"].as_array().map(Vec::len), Some(1));
    let answer = run(&["ask", "Who is the harbour master of Port Ellery?"]);
    assert!(answer["answer"].as_str().unwrap().contains("Solberg"), "{answer}");
    let display = Display::start();
    let mut command = world.wrapped(&["unshare", "-rn"]);
    command.args(["bench", "start", "--json"]).env("DISPLAY", display.name());
    let started = process::run(&mut command, b"", LIMIT).ok().json();
    assert!(started["first_frame_ms"].as_f64().unwrap() > 0.0, "{started}");
}

#[test]
fn no_internet_socket_is_ever_made() {
    let trace = ["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto,sendmsg", "-e", "signal=none"];
    if !available("strace", &["strace", "-f", "-qq", "-e", "trace=socket", "true"]) {
        return;
    }
    let world = World::with_models();
    world.write("harbour.md", "# Port Ellery\n\nThe harbour master of Port Ellery is Ingrid Solberg.\n");
    let display = Display::start();
    for arguments in [
        vec!["index", "add", "--wait=complete", "."],
        vec!["search", "harbour master"],
        vec!["ask", "Who is the harbour master of Port Ellery?"],
        vec!["models", "recommend"],
        vec!["doctor"],
        vec!["bench", "start"],
    ] {
        let log = world.path().join("trace");
        let mut wrapper = trace.to_vec();
        wrapper.extend(["-o", log.to_str().unwrap()]);
        let mut command = world.wrapped(&wrapper);
        command.args(&arguments).env("DISPLAY", display.name());
        process::run(&mut command, b"", LIMIT).ok();
        let calls = fs::read_to_string(&log).unwrap();
        let internet: Vec<&str> =
            calls.lines().filter(|line| line.contains("AF_INET") || line.contains("AF_PACKET")).collect();
        assert!(internet.is_empty(), "{arguments:?}: {internet:#?}");
    }
    // The net must be able to catch something.
    let log = world.path().join("trace");
    let mut wrapper = trace.to_vec();
    wrapper.extend(["-o", log.to_str().unwrap(), "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9"]);
    Command::new(wrapper[0]).args(&wrapper[1..]).output().unwrap();
    assert!(fs::read_to_string(&log).unwrap().contains("AF_INET"), "strace sees no sockets at all");
}
