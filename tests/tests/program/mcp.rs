//! `rspa mcp` with the public reference servers: confined programs, listed, called after a yes, killed, hung, refused.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rspa_tests::terminal::Terminal;
use rspa_tests::world::{LIMIT, World};
use serde_json::Value;

fn clients() -> PathBuf {
    let given = std::env::var_os("RSPA_CLIENTS_PATH").map(PathBuf::from);
    given.unwrap_or_else(|| std::env::home_dir().unwrap().join(".cache/rspa-clients"))
}

/// A file of what `cargo xtask clients` installs.
fn installed(part: &str) -> String {
    let path = clients().join(part);
    assert!(path.exists(), "{} is missing: run `cargo xtask clients`", path.display());
    path.canonicalize().unwrap().display().to_string()
}

fn npm(server: &str) -> String {
    installed(&format!("node/node_modules/@modelcontextprotocol/{server}/dist/index.js"))
}

/// Adds a server as a person would, at the terminal.
fn add(world: &World, name: &str, arguments: &[&str]) {
    world.in_person([&["mcp", "add", name][..], arguments].concat()).ok();
}

fn call(world: &World, server: &str, tool: &str, arguments: &str) -> Value {
    world.in_person(["mcp", "call", server, tool, "--arguments", arguments]).ok().json()
}

#[test]
fn the_reference_server_of_files_sees_its_folder_and_nothing_else() {
    let world = World::empty();
    let folder = world.files().join("seen");
    world.write("seen/a.txt", "a narwhal\n");
    world.write("hidden/b.txt", "a secret\n");
    let seen = folder.canonicalize().unwrap().display().to_string();
    let (script, modules) = (npm("server-filesystem"), installed("node/node_modules"));
    // It is a person's word.
    world.error(5, ["mcp", "add", "files", "--command", "node", "--arg", &script, "--folder", &modules]);
    let writable = format!("{seen}:rw");
    add(
        &world,
        "files",
        &["--command", "node", "--arg", &script, "--arg", &seen, "--folder", &modules, "--folder", &writable],
    );
    let shown = world.json(["mcp", "show", "files"]);
    assert_eq!(shown["server"]["state"]["state"], "ready", "{shown}");
    assert!(shown["server"]["confinement"].as_str().unwrap().starts_with("Confined"), "{shown}");
    let tools = shown["offer"]["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["tool"] == "mcp_files_read_text_file"), "{tools:?}");
    let all = world.json(["agents", "tools"]);
    let listed = all.as_array().unwrap().iter().find(|tool| tool["name"] == "mcp_files_write_file").unwrap();
    assert_eq!((listed["effect"].as_str(), listed["default"].as_str()), (Some("executes"), Some("ask")));
    // A call needs a yes.
    world.error(5, ["mcp", "call", "files", "list_directory", "--arguments", &format!("{{\"path\": \"{seen}\"}}")]);
    let read = call(&world, "files", "read_text_file", &format!("{{\"path\": \"{seen}/a.txt\"}}"));
    assert!(read["text"].as_str().unwrap().contains("a narwhal"), "{read}");
    call(&world, "files", "write_file", &format!("{{\"path\": \"{seen}/new.txt\", \"content\": \"new\"}}"));
    assert_eq!(std::fs::read_to_string(folder.join("new.txt")).unwrap(), "new", "written at once");
    let hidden = world.files().join("hidden/b.txt");
    let hidden = format!("{{\"path\": \"{}\"}}", hidden.display());
    let denied = world.in_person(["mcp", "call", "files", "read_text_file", "--arguments", &hidden]);
    assert_eq!(denied.code(), Some(1));
    assert!(!denied.stdout.contains("a secret"));
}

#[test]
fn the_reference_server_of_everything_is_listed_read_and_called() {
    let world = World::empty();
    let (script, modules) = (npm("server-everything"), installed("node/node_modules"));
    add(&world, "everything", &["--command", "node", "--arg", &script, "--folder", &modules]);
    let shown = world.json(["mcp", "show", "everything"]);
    let offer = &shown["offer"];
    let uri = offer["resources"][0]["uri"].as_str().unwrap();
    let read = world.json(["mcp", "read", "everything", uri]);
    assert!(read["text"].as_str().is_some_and(|text| !text.is_empty()) || read["other"][0].is_string(), "{read}");
    let simple = offer["prompts"].as_array().unwrap().iter().find(|one| one["arguments"] == Value::Array(Vec::new()));
    let prompt = world.json(["mcp", "prompt", "everything", simple.unwrap()["name"].as_str().unwrap()]);
    assert!(prompt["text"].as_str().unwrap().starts_with("user:"), "{prompt}");
    let sum = call(&world, "everything", "mcp_everything_get_sum", "{\"a\": 2, \"b\": 40}");
    assert!(sum["text"].as_str().unwrap().contains("42"), "{sum}");
    // It sees none of our environment.
    let env = call(&world, "everything", "get-env", "{}");
    let env = env["text"].as_str().unwrap();
    assert!(!env.contains("XDG_RUNTIME_DIR") && !env.contains(&world.home().display().to_string()), "{env}");
    assert!(env.contains("\"HOME\": \"/tmp\""), "{env}");
    world.error(3, ["mcp", "show", "nothing"]);
    world.in_person(["mcp", "remove", "everything"]).ok();
    assert_eq!(world.json(["mcp", "list"]), Value::Array(Vec::new()));
}

#[test]
fn the_reference_server_of_time_tells_the_time_once_its_python_may_be_read() {
    let world = World::empty();
    installed("python/bin/mcp-server-time");
    let venv = clients().join("python").canonicalize().unwrap();
    let python = venv.join("bin/python").display().to_string();
    let venv = venv.display().to_string();
    add(&world, "time", &["--command", &python, "--arg", "-m", "--arg", "mcp_server_time", "--folder", &venv]);
    let home = Path::new(&python).canonicalize().unwrap();
    let home = home.parent().unwrap().parent().unwrap().display().to_string();
    if !home.starts_with("/usr") {
        let error = world.error(1, ["mcp", "start", "time"]);
        assert!(error.message.contains("add its folder"), "{error:?}");
        world.in_person(["mcp", "edit", "time", "--folder", &venv, "--folder", &home]).ok();
    }
    let given = call(&world, "time", "get_current_time", "{\"timezone\": \"UTC\"}");
    assert!(given["text"].as_str().unwrap().contains("UTC"), "{given}");
}

#[test]
fn a_killed_server_fails_the_call_and_the_next_one_works() {
    let world = World::empty();
    let (script, modules) = (npm("server-everything"), installed("node/node_modules"));
    add(&world, "everything", &["--command", "node", "--arg", &script, "--folder", &modules, "--call-seconds", "60"]);
    let arguments = "{\"duration\": 50, \"steps\": 5}";
    let mut command = world.command();
    command.args(["mcp", "call", "everything", "trigger-long-running-operation", "--arguments", arguments, "--json"]);
    let mut terminal = Terminal::start(&mut command);
    terminal.shows("[y/N]");
    // It runs by now: what is offered was asked first.
    let pids = children_named(terminal.process().child().id(), "server-everything");
    assert!(!pids.is_empty(), "the server does not run");
    terminal.types("y");
    for pid in &pids {
        // SAFETY: takes numbers; the process is one that this test started.
        unsafe { libc::kill(*pid, libc::SIGKILL) };
    }
    let outcome = terminal.outcome(LIMIT);
    assert_eq!(outcome.code(), Some(1));
    let sum = call(&world, "everything", "get-sum", "{\"a\": 2, \"b\": 40}");
    assert!(sum["text"].as_str().unwrap().contains("42"), "{sum}");
}

#[test]
fn a_call_that_takes_too_long_ends_and_leaves_nothing_behind() {
    let world = World::empty();
    let (script, modules) = (npm("server-everything"), installed("node/node_modules"));
    add(&world, "everything", &["--command", "node", "--arg", &script, "--folder", &modules, "--call-seconds", "2"]);
    let arguments = "{\"duration\": 600, \"steps\": 5}";
    let call = ["mcp", "call", "everything", "trigger-long-running-operation", "--arguments", arguments];
    let outcome = world.in_person(call);
    assert_eq!(outcome.code(), Some(1));
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(said.contains("within 2 s"), "{said}");
    let sleeper = world.write("mute.sh", "sleep 1000 & exec sleep 1000\n");
    add(
        &world,
        "mute",
        &["--command", "sh", "--arg", &sleeper.display().to_string(), "--folder", &world.files().display().to_string()],
    );
    let error = world.error(1, ["mcp", "start", "mute"]);
    assert!(error.message.contains("did not say hello within 30 s"), "{error:?}");
}

#[test]
fn what_cannot_be_started_is_said_in_words() {
    let world = World::empty();
    add(&world, "none", &["--command", "no-such-program-anywhere"]);
    let error = world.error(1, ["mcp", "start", "none"]);
    assert!(error.message.contains("was not found"), "{error:?}");
    add(&world, "fails", &["--command", "sh", "--arg", "-c", "--arg", "echo it broke >&2; exit 3"]);
    let error = world.error(1, ["mcp", "start", "fails"]);
    assert!(error.message.contains("exit code 3") && error.message.contains("it broke"), "{error:?}");
    add(&world, "net", &["--command", "sh", "--arg", "-c", "--arg", "cat", "--network"]);
    let error = world.error(5, ["mcp", "start", "net"]);
    assert!(error.message.contains("policy lets everything pass"), "{error:?}");
    add(&world, "far", &["--url", "https://mcp.example.org/mcp"]);
    let error = world.error(1, ["mcp", "start", "far"]);
    assert!(error.message.contains("nothing"), "the policy: {error:?}");
    let bad = world.run(["mcp", "add", "Bad Name", "--command", "sh", "--json"]);
    assert_ne!(bad.code(), Some(0));
}

/// Processes below this one whose arguments hold these words.
fn children_named(parent: u32, words: &str) -> Vec<i32> {
    let mut found = Vec::new();
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while found.is_empty() && std::time::Instant::now() < until {
        let entries: Vec<(i32, i32)> = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
                let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
                let rest = stat.rsplit_once(')')?.1;
                Some((pid, rest.split_ascii_whitespace().nth(1)?.parse().ok()?))
            })
            .collect();
        let mut below = vec![i32::try_from(parent).unwrap()];
        let mut at = 0;
        while at < below.len() {
            let parent = below[at];
            below.extend(entries.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
            at += 1;
        }
        found = below
            .into_iter()
            .filter(|pid| {
                std::fs::read(format!("/proc/{pid}/cmdline"))
                    .is_ok_and(|line| String::from_utf8_lossy(&line).contains(words))
            })
            .collect();
    }
    found
}
