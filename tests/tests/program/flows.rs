//! The flows of a person with agents on the command line: a task over a table, a word before a write, a schedule, a kill.

use std::fmt::Write as _;

use rspa_tests::terminal::Terminal;
use rspa_tests::wait;
use rspa_tests::world::{LIMIT, World};
use serde_json::Value;

/// A type that writes one file and asks no model.
const REPORTER: &str = r#"
name = "Reporter"
description = "Writes a report"
uses_model = false

[tools]
write_file = "ask"

[[routine]]
tool = "write_file"
arguments = { path = "report.md", mode = "whole", content = "Report: {title}\n" }
"#;

/// With an agent that wants to write `files/out/report.md`.
fn with_reporter() -> World {
    let world = World::empty();
    std::fs::create_dir_all(world.data().join("agents/reporter")).unwrap();
    std::fs::write(world.data().join("agents/reporter/agent.toml"), REPORTER).unwrap();
    world.write("out/readme.txt", "for reports");
    world.in_person(["agents", "create", "Reporter", "--type", "reporter", "--folder", "out:rw"]).ok();
    world
}

fn add(world: &World, title: &str) -> String {
    format!("#{}", world.json(["tasks", "add", title, "--agent", "Reporter"])["number"])
}

fn status(world: &World, task: &str) -> String {
    world.json(["tasks", "show", task])["task"]["status"].as_str().unwrap().to_owned()
}

fn report(world: &World) -> Option<String> {
    std::fs::read_to_string(world.files().join("out/report.md")).ok()
}

fn waiting(world: &World) -> Vec<Value> {
    world.json(["approvals"]).as_array().unwrap().clone()
}

#[test]
fn a_small_model_reports_a_table_with_figures_and_a_chart() {
    let world = World::with_models();
    let mut csv = String::from("date,region,product,amount\n");
    let mut sums = [0_u32; 3];
    for n in 0..3_000_u32 {
        let (region, cents) = ((n % 3) as usize, n * 37 % 90_000 + 500);
        sums[region] += cents;
        let name = ["North", "South", "East"][region];
        let (month, day) = (n % 12 + 1, n % 28 + 1);
        writeln!(csv, "2026-{month:02}-{day:02},{name},Lamp,{}.{:02}", cents / 100, cents % 100).unwrap();
    }
    world.write("q4/sales.csv", csv);
    world.write("q4/notes.txt", "Nothing of interest.");
    world.in_person(["agents", "create", "Analyst", "--type", "analytical", "--folder", "q4"]).ok();
    let task = world.json(["tasks", "add", "Sales by region", "--agent", "Analyst", "--wait"]);
    assert_eq!(task["status"], "completed", "{task}");
    let output = &task["output"];
    assert!(!output["text"].as_str().unwrap().trim().is_empty(), "{output}");
    assert_eq!(output["data"]["columns"][0], "region");
    let rows = output["data"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for (name, cents) in ["North", "South", "East"].iter().zip(sums) {
        let row = rows.iter().find(|row| row[0] == *name).unwrap();
        assert!((row[2].as_f64().unwrap() * 100.0 - f64::from(cents)).abs() < 0.5, "{row} for {cents}");
    }
    assert_eq!(output["charts"][0]["categories"].as_array().unwrap().len(), 3);
    let shown = world.run(["tasks", "show", "#1"]).ok().stdout;
    assert!(shown.contains("sum(amount)") && shown.contains("Chart: ") && shown.contains('█'), "{shown}");
}

#[test]
fn a_write_waits_for_the_word_of_a_person_and_the_word_counts_later_too() {
    let world = with_reporter();
    // At the terminal where the work goes on.
    let first = add(&world, "First");
    let mut terminal = Terminal::start(world.command().args(["tasks", "run"]));
    terminal.shows("[y] allow once");
    assert_eq!(report(&world), None, "nothing is written before the word");
    terminal.types("y");
    terminal.outcome(LIMIT).ok();
    assert_eq!((report(&world).as_deref(), status(&world, &first).as_str()), (Some("Report: First\n"), "completed"));
    // Where nobody sits it waits; a pipe confirms nothing; the word comes while nothing runs.
    let second = add(&world, "Second");
    world.run_with_input(["tasks", "run"], b"y\n").ok();
    assert_eq!(report(&world).as_deref(), Some("Report: First\n"));
    let asked = waiting(&world);
    assert_eq!(asked.len(), 1, "{asked:?}");
    let id = asked[0]["id"].as_str().unwrap();
    world.error(5, ["approvals", "allow", id]);
    world.in_person(["approvals", "allow", id]).ok();
    world.run(["tasks", "run"]).ok();
    let all = world.run(["tasks", "show", &second]).ok().stdout;
    assert_eq!(
        (report(&world).as_deref(), status(&world, &second).as_str()),
        (Some("Report: Second\n"), "completed"),
        "{all}"
    );
    // Denied: told, and nothing written.
    let third = add(&world, "Third");
    world.run(["tasks", "run"]).ok();
    let id = waiting(&world)[0]["id"].as_str().unwrap().to_owned();
    world.json(["approvals", "deny", &id, "--reason", "not today"]);
    world.run(["tasks", "run"]).ok();
    assert_eq!((report(&world).as_deref(), status(&world, &third).as_str()), (Some("Report: Second\n"), "failed"));
}

#[test]
fn a_task_is_not_lost_when_the_program_is_killed_while_it_asks() {
    let world = with_reporter();
    let task = add(&world, "Weekly");
    let mut terminal = Terminal::start(world.command().args(["tasks", "run"]));
    terminal.shows("[y] allow once");
    terminal.process().kill();
    let mut asked = Vec::new();
    wait::until("the data folder to be free", LIMIT, || {
        asked = waiting(&world);
        (!asked.is_empty()).then_some(())
    });
    assert_eq!(asked.len(), 1);
    world.in_person(["approvals", "allow", asked[0]["id"].as_str().unwrap()]).ok();
    world.run(["tasks", "run"]).ok();
    assert_eq!((report(&world).as_deref(), status(&world, &task).as_str()), (Some("Report: Weekly\n"), "completed"));
    assert!(waiting(&world).is_empty(), "it was asked once");
}

#[test]
fn schedules_and_background_agents_are_made_shown_and_switched() {
    let world = with_reporter();
    let made = world.json([
        "schedules",
        "add",
        "Morning",
        "--cron",
        "0 7 * * *",
        "--agent",
        "Reporter",
        "--title",
        "Of {date}",
    ]);
    assert_eq!(made["words"], "At 07:00 every day");
    assert_eq!(world.json(["schedules", "preview", "--cron", "0 7 * * *"])["next"].as_array().unwrap().len(), 5);
    world.error(3, ["schedules", "add", "Bad", "--cron", "99 7 * * *", "--agent", "Reporter", "--title", "x"]);
    world.error(3, ["schedules", "add", "Bad", "--cron", "0 7 * * *", "--agent", "Nobody", "--title", "x"]);
    assert_eq!(world.json(["schedules", "run", "Morning"])["status"].as_str().unwrap_or("pending"), "pending");
    let tasks = world.json(["tasks", "list"]);
    assert!(tasks["items"][0]["title"].as_str().unwrap().starts_with("Of 20"), "{tasks}");
    world.run(["schedules", "background", "digest", "--on"]).ok();
    assert!(world.run(["schedules", "background"]).ok().stdout.contains("digest"));
    assert_eq!(world.json(["schedules"]).as_array().unwrap().len(), 2);
    let home = world.json(["dashboard"]);
    assert_eq!(home["tasks"]["pending"], 1, "{home}");
}

#[test]
fn hostile_words_are_refused_or_shown_harmlessly() {
    let world = with_reporter();
    world.error(3, ["tasks", "add", "x", "--agent", "Nobody"]);
    world.error(3, ["tasks", "add", ""]);
    world.error(3, ["tasks", "add", &"x".repeat(100_000)]);
    world.error(3, ["tasks", "add", "x", "--input", "{bad"]);
    world.error(3, ["tasks", "show", "#99"]);
    world.run(["tasks", "add", "a\u{1b}[31mred\u{7}\nnext", "--hold"]).ok();
    let shown = world.run(["tasks", "list"]).ok().stdout;
    assert!(!shown.contains(['\u{1b}', '\u{7}']) && shown.lines().count() == 1, "{shown:?}");
    std::fs::remove_dir_all(world.files().join("out")).unwrap();
    let lost = add(&world, "Into a folder that is gone");
    world.run(["tasks", "run"]).ok();
    let task = world.json(["tasks", "show", &lost]);
    assert_eq!(task["task"]["status"], "failed", "{task}");
    assert!(
        task["task"]["error"]["message"]
            .as_str()
            .is_some_and(|words| words.contains("report.md") || words.contains("out")),
        "{task}"
    );
}
