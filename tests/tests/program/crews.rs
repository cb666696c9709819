//! Crews with the real program and a real model: killed after any step, taken up again, replayed without a network.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rspa_tests::process::{self, Running};
use rspa_tests::program::is_root;
use rspa_tests::world::{LIMIT, World};
use serde_json::Value;

/// A crew of four small steps in a row, which a small model does in seconds.
fn line_of_four() -> String {
    let mut text = "name = \"Line\"\n".to_owned();
    for (number, key) in ["one", "two", "three", "four"].into_iter().enumerate() {
        let after = if number == 0 { String::new() } else { format!("\"{}\"", ["one", "two", "three"][number - 1]) };
        text.push_str(&format!(
            "[[steps]]\nkey = \"{key}\"\ntitle = \"Step {key}\"\ninstructions = \"Say one short sentence about {{input}}.\"\n\
             agent = \"Scribe\"\ndepends_on = [{after}]\n"
        ));
    }
    text + "[[agents]]\nname = \"Scribe\"\nmax_tokens = 40\ntemperature = 0.0\nprompt = \"Be brief.\"\n[agents.budget]\nsteps = 3\n"
}

/// Runs a command until it has said that so many steps are completed, and kills it; false when it ended before.
fn kill_after(world: &World, arguments: &[&str], steps: usize) -> bool {
    let mut command = world.command();
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let mut process = Running::start(command.stderr(Stdio::piped()));
    let told = process.child().stderr.take().expect("standard error is a pipe");
    let mut seen = 0;
    for line in BufReader::new(told).lines().map_while(Result::ok) {
        seen += usize::from(line.starts_with("completed "));
        if seen == steps {
            process.kill();
            return true;
        }
    }
    false
}

fn steps(run: &Value) -> BTreeMap<String, Value> {
    let all = run["steps"].as_array().unwrap().iter();
    all.map(|step| (step["key"].as_str().unwrap().to_owned(), step.clone())).collect()
}

/// Numbers of tries of the task of each step that has one.
fn tries(world: &World, run: &Value) -> BTreeMap<String, usize> {
    let mut tries = BTreeMap::new();
    for (key, step) in steps(run) {
        if let Some(task) = step["task"].as_str() {
            let detail = world.json(["tasks", "show", task]);
            tries.insert(key, detail["runs"].as_array().unwrap().len());
        }
    }
    tries
}

/// What was completed when the program was killed is as it was, and was not done again.
fn nothing_done_again(world: &World, before: &Value, after: &Value) {
    let after_steps = steps(after);
    let tries = tries(world, after);
    for (key, step) in steps(before) {
        if step["state"] == "completed" {
            assert_eq!(after_steps[&key], step, "{key} was completed before the kill");
            assert_eq!(tries[&key], 1, "{key} ran again");
        }
    }
}

#[test]
fn killed_after_any_step_a_run_goes_on_and_nothing_runs_twice() {
    let world = World::with_models();
    world.write("line.toml", line_of_four());
    world.json(["crews", "import", "line.toml"]);
    for kill in 1..=4 {
        let killed = kill_after(&world, &["crews", "run", "line", "--input", "tides", "--wait"], kill);
        assert!(killed, "it ended before {kill} steps were completed");
        let before = world.json(["crews", "status", "last"]);
        let done = steps(&before).values().filter(|step| step["state"] == "completed").count();
        assert!(done >= kill, "{done} of {kill} checkpoints are there: {before}");
        let after = world.run(["crews", "wait", "last", "--json"]).ok().json();
        assert_eq!(after["state"], "completed", "{after}");
        assert_eq!(after["number"], kill);
        nothing_done_again(&world, &before, &after);
    }
    let runs = world.json(["crews", "runs", "line"]);
    assert_eq!(runs["total"], 4);
}

#[test]
fn a_code_review_is_killed_after_two_steps_resumed_and_replayed_offline() {
    let world = World::with_models();
    world.write("src/add.rs", "/// Adds.\npub fn add(a: i32, b: i32) -> i32 {\n    a - b\n}\n");
    world.write("src/read.rs", "pub fn read(path: &str) -> String {\n    std::fs::read_to_string(path).unwrap()\n}\n");
    world.error(5, ["crews", "create", "--template", "code-review", "--folder", "src"]);
    world.in_person(["crews", "create", "--template", "code-review", "--name", "Review", "--folder", "src"]).ok();
    let crew = world.json(["crews", "show", "review"]);
    assert_eq!(crew["settings"]["steps"].as_array().unwrap().len(), 4);
    for agent in world.json(["agents", "list"]).as_array().unwrap() {
        let name = agent["settings"]["name"].as_str().unwrap();
        // They may read a folder, so that each change of them is confirmed.
        world.in_person(["agents", "edit", name, "--max-tokens", "80", "--steps", "3"]).ok();
    }
    let run = ["crews", "run", "review", "--input", "all files in the folder", "--wait"];
    assert!(kill_after(&world, &run, 2), "it ended before two steps were completed");
    let before = world.json(["crews", "status", "last"]);
    assert_eq!(before["state"], "running", "{before}");
    let after = world.run(["crews", "wait", "last", "--json"]).ok().json();
    assert_eq!(after["state"], "completed", "{after}");
    nothing_done_again(&world, &before, &after);

    world.write("logic.txt", "The function add subtracts: a - b must be a + b.\n");
    let log = world.path().join("trace");
    let trace = ["strace", "-f", "-qq", "-e", "trace=socket", "-e", "signal=none", "-o", log.to_str().unwrap()];
    let can_trace = Command::new("strace").args(["-qq", "-e", "trace=socket", "true"]).status();
    assert!(can_trace.is_ok_and(|status| status.success()) || !is_root(), "root must have strace");
    let mut command = world.wrapped(&trace);
    command.args(["crews", "replay", "last", "--edit", "logic=@logic.txt", "--wait", "--json"]);
    let replay = process::run(&mut command, b"", LIMIT).ok().json();
    let calls = fs::read_to_string(&log).unwrap();
    assert!(!calls.contains("AF_INET"), "{calls}");
    assert_eq!((&replay["state"], &replay["offline"]), (&"completed".into(), &true.into()), "{replay}");
    let states: Vec<(String, String)> =
        steps(&replay).into_iter().map(|(key, step)| (key, step["state"].as_str().unwrap().to_owned())).collect();
    let expected =
        [("documentation", "completed"), ("logic", "edited"), ("security", "recorded"), ("syntax", "recorded")];
    assert_eq!(states, expected.map(|(key, state)| (key.to_owned(), state.to_owned())));
    assert!(world.run(["crews", "output", "last", "--step", "logic"]).ok().stdout.contains("a + b"));
}

#[test]
fn crews_are_made_changed_and_carried_on_the_command_line() {
    let world = World::empty();
    assert_eq!(world.json(["crews"]), Value::Array(Vec::new()));
    assert_eq!(world.json(["crews", "templates"]).as_array().unwrap().len(), 5);
    world.json(["crews", "create", "--template", "report"]);
    world.error(3, ["crews", "create", "--template", "nothing"]);
    let step = ["crews", "step", "add", "report", "extra", "--title", "More", "--after", "summary"];
    let crew = world.json(step);
    assert_eq!(crew["settings"]["steps"].as_array().unwrap().len(), 4);
    let error = world.error(3, ["crews", "step", "set", "report", "research", "--after", "extra"]);
    assert!(error.message.contains(" → "), "{error:?}");
    let error = world.error(3, ["crews", "run", "report"]);
    assert!(error.message.starts_with("extra: "), "{error:?}");
    let shown = world.run(["crews", "show", "report"]).ok().stdout;
    assert!(shown.contains("\n      summary  ") && shown.contains("← research, analysis"), "{shown}");
    world.json(["crews", "step", "remove", "report", "extra"]);
    world.json(["crews", "export", "report", "--to", "report.toml"]);
    assert_eq!(world.json(["crews", "import", "report.toml"])["settings"]["name"], "Report 2");
    let edited = world.json(["crews", "edit", "report 2", "--file", "report.toml", "--name-it", "Third"]);
    assert_eq!(edited["settings"]["name"], "Third");
    let item = world.json(["crews", "delete", "third"]);
    assert_eq!(world.json(["crews"]).as_array().unwrap().len(), 1);
    world.json(["trash", "restore", item["id"].as_str().unwrap()]);
    let run = world.json(["crews", "run", "report", "--input", "tides"]);
    assert_eq!(run["steps"][0]["state"], "running");
    let run = world.json(["crews", "cancel", "1"]);
    assert_eq!(run["state"], "cancelled", "{run}");
    world.error(3, ["crews", "output", "last"]);
    world.error(3, ["crews", "status", "99"]);
}
