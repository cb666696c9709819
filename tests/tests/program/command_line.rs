//! The shapes that scripts rely on, and arguments that mean harm.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use rspa_tests::documents;
use rspa_tests::process::{self, Outcome};
use rspa_tests::world::{Fault, LIMIT, World};
use serde_json::Value;

/// A field's name, and whether a value is of its type.
type Field = (&'static str, fn(&Value) -> bool);

/// Each of these fields is there and of this type.
#[track_caller]
fn check_fields(value: &Value, fields: &[Field]) {
    for (name, is) in fields {
        assert!(value.get(name).is_some_and(is), "'{name}' is missing or of another type in {value}");
    }
}

fn world_with_documents() -> World {
    let world = World::empty();
    world.write("harbour.md", "# Harbour\n\nThe old crane on the quay lifts forty tonnes.\n\n# Boats\n\nTwo tugs.\n");
    world.write("fees.docx", documents::docx(&["Mooring fees", "A night at the pier costs twelve crowns."]));
    world.write("tide.pdf", documents::pdf(&["The spring tide rises three metres", "above the harbour wall."]));
    world
}

#[test]
fn index_add_waits_and_search_gives_the_promised_shape() {
    let world = world_with_documents();
    let status = world.json(["index", "add", "--wait", "."]);
    check_fields(&status, &[("id", Value::is_string), ("path", Value::is_string), ("state", Value::is_string)]);
    assert_eq!(status["documents"], 3, "{status}");
    let found = world.json(["search", "how much does the crane lift", "--limit", "2"]);
    check_fields(&found, &[("query", Value::is_string), ("ms", Value::is_number), ("hits", Value::is_array)]);
    assert_eq!(found["query"], "how much does the crane lift");
    let hits = found["hits"].as_array().unwrap();
    assert!((1..=2).contains(&hits.len()), "{found}");
    for hit in hits {
        check_fields(
            hit,
            &[
                ("path", |path| path.as_str().is_some_and(|path| path.starts_with('/'))),
                ("start_line", |line| line.as_u64().is_some_and(|line| line >= 1)),
                ("end_line", Value::is_u64),
                ("score", |score| score.as_f64().is_some_and(|score| (0.0..=1.0).contains(&score))),
                ("kind", Value::is_string),
                ("text", Value::is_string),
            ],
        );
    }
    let best = &hits[0];
    assert!(best["path"].as_str().unwrap().ends_with("/harbour.md"), "{found}");
    assert_eq!(best["kind"], "markdown");
    assert!(best["text"].as_str().unwrap().contains("forty tonnes"));
    assert!(best["start_line"].as_u64().unwrap() <= 3 && best["end_line"].as_u64().unwrap() >= 3, "{best}");
}

#[test]
fn each_mode_finds_each_format() {
    let world = world_with_documents();
    world.json(["index", "add", "--wait", "."]);
    for mode in ["hybrid", "keyword", "vector"] {
        for (query, file) in [("mooring fees pier", "fees.docx"), ("spring tide metres", "tide.pdf")] {
            let found = world.json(["search", query, "--mode", mode]);
            let first = found["hits"][0]["path"].as_str().unwrap_or_default();
            assert!(first.ends_with(file), "{mode} '{query}': {found}");
        }
    }
}

#[test]
fn a_single_file_is_a_source_too() {
    let world = world_with_documents();
    let status = world.json(["index", "add", "--wait", "harbour.md"]);
    assert_eq!(status["documents"], 1, "{status}");
    let found = world.json(["search", "tugs", "--mode", "keyword"]);
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
}

#[test]
fn sources_are_listed_paused_rescanned_and_removed() {
    let world = world_with_documents();
    world.json(["index", "add", "--wait", "."]);
    let listed = world.json(["index", "list"]);
    // Beside what is always there: chats, tasks and activities.
    let added = |listed: &Value| listed.as_array().unwrap().iter().filter(|one| one["kind"] == "folder").count();
    assert_eq!(added(&listed), 1, "{listed}");
    assert_eq!(world.json(["index", "pause", "."])["state"], "paused");
    assert_ne!(world.json(["index", "pause", "--resume", "."])["state"], "paused");

    world.write("new.md", "A heron nests on the breakwater.\n");
    std::fs::remove_file(world.files().join("tide.pdf")).unwrap();
    world.json(["index", "rescan", "--wait"]);
    let names: Vec<String> = world
        .documents(&world.files())
        .iter()
        .map(|document| document["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.contains(&"new.md".to_owned()) && !names.contains(&"tide.pdf".to_owned()), "{names:?}");
    assert_eq!(world.json(["search", "spring tide", "--mode", "keyword"])["hits"], Value::Array(Vec::new()));

    world.json(["index", "remove", "."]);
    assert_eq!(added(&world.json(["index", "list"])), 0);
    assert_eq!(world.json(["search", "crane"])["hits"], Value::Array(Vec::new()));
    assert!(world.files().join("harbour.md").exists(), "removing a source must not touch its files");
}

#[test]
fn adding_the_same_folder_again_keeps_one_source() {
    let world = world_with_documents();
    let first = world.json(["index", "add", "--wait", "."]);
    let second = world.json(["index", "add", "--wait", world.files().to_str().unwrap()]);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["documents"], 3);
}

#[test]
fn models_and_doctor_have_the_promised_shapes() {
    let world = World::with_models();
    let models = world.json(["models", "list"]);
    let chat = models.as_array().unwrap().iter().find(|model| model["family"] == "llama");
    check_fields(
        chat.unwrap_or_else(|| panic!("no llama model in {models}")),
        &[
            ("id", Value::is_string),
            ("family", Value::is_string),
            ("path", Value::is_string),
            ("size_bytes", Value::is_u64),
            ("context_length", |length| length.as_u64().is_some_and(|length| length >= 2048)),
        ],
    );
    let report = world.json(["doctor"]);
    check_fields(&report, &[("ok", Value::is_boolean), ("checks", Value::is_array)]);
    for check in report["checks"].as_array().unwrap() {
        check_fields(check, &[("name", Value::is_string), ("ok", Value::is_boolean), ("detail", Value::is_string)]);
    }
    assert!(!report["checks"].as_array().unwrap().is_empty());
}

#[test]
fn what_does_not_exist_is_a_validation_error_with_its_name() {
    let world = World::empty();
    let missing = world.error(3, ["index", "add", "no-such-folder"]);
    assert_eq!(missing.category, "validation");
    assert!(missing.message.contains("no-such-folder"), "{missing:?}");
    for arguments in [
        vec!["index", "remove", "/nowhere"],
        vec!["index", "documents", "/nowhere"],
        vec!["search", "x", "--source", "/nowhere"],
        vec!["settings", "get", "no.such"],
        vec!["settings", "set", "ui.theme", "mauve"],
        vec!["models", "import", "no-such.gguf"],
        vec!["models", "default", "no-such-model"],
        vec!["models", "remove", "no-such-model"],
        vec!["models", "download", "no-such-model"],
        vec!["chat", "--chat", "no-such-chat", "--message", "hello"],
    ] {
        let fault = world.error(3, &arguments);
        assert_eq!(fault.category, "validation", "{arguments:?}: {fault:?}");
    }
}

#[test]
fn a_file_that_is_no_model_is_not_imported() {
    let world = World::empty();
    let file =
        world.write("fake.gguf", b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x7f");
    world.error(3, ["models".as_ref(), "import".as_ref(), file.as_os_str()]);
    assert_eq!(world.json(["models", "list"]), Value::Array(Vec::new()));
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let world = World::empty();
    for arguments in [
        vec!["fly"],
        vec!["ask"],
        vec!["search", "x", "--limit", "0"],
        vec!["search", "x", "--limit", "-1"],
        vec!["search", "x", "--mode", "psychic"],
        vec!["index", "add"],
        vec!["index", "add", ".", "--wait=forever"],
        vec!["settings", "list", "--set", "nonsense"],
        vec!["ask", "x", "--no-knowledge", "--source", "."],
    ] {
        let fault = world.error(2, &arguments);
        assert_eq!(fault.category, "validation", "{arguments:?}: {fault:?}");
        let plain = world.run(&arguments);
        assert_eq!(plain.code(), Some(2), "{arguments:?}");
        assert!(plain.stdout.is_empty() && !plain.stderr.is_empty(), "{arguments:?}: {plain:?}");
    }
    assert!(world.run(["--help"]).ok().stdout.contains("130"), "help lists the exit codes");
    assert!(world.run(["--version"]).ok().stdout.starts_with("rspa "));
}

#[test]
fn empty_and_huge_questions_are_refused_in_words() {
    let world = World::empty();
    for verb in ["search", "ask"] {
        assert_eq!(world.error(3, [verb, ""]).category, "validation");
        assert_eq!(world.error(3, [verb, " \n\t "]).category, "validation");
        let huge = "word ".repeat(300_000);
        let outcome = process::run(world.command().args([verb, "-", "--json"]), huge.as_bytes(), LIMIT);
        assert!(Fault::of(&outcome, 3).message.contains("longer"));
        let outcome = process::run(world.command().args([verb, "-", "--json"]), b"caf\xe9", LIMIT);
        assert!(Fault::of(&outcome, 3).message.contains("UTF-8"));
    }
}

#[test]
fn hostile_queries_find_something_or_nothing_but_never_fail() {
    let world = world_with_documents();
    world.json(["index", "add", "--wait", "."]);
    let long = "crane ".repeat(20_000);
    for query in [
        "crane\0quay",
        "\"unbalanced (crane AND",
        "title:crane^9999 ~ * ? [a TO z] {b TO *} \\",
        "crane\u{202e}\u{1b}[2J\u{7f}",
        "-crane +quay !!! && || //",
        "🦀🦀🦀 日本語 العربية",
        "'; DROP TABLE documents; --",
        "../../etc/passwd",
        long.as_str(),
    ] {
        let outcome = process::run(world.command().args(["search", "-", "--json"]), query.as_bytes(), LIMIT).ok();
        assert!(outcome.json()["hits"].is_array(), "{:?}", query.get(..40));
    }
}

#[test]
fn documents_cannot_steer_the_terminal() {
    let world = World::empty();
    world.write("evil\u{1b}]0;title\u{7}.md", "# Red \u{1b}[31malert\n\nThe lighthouse\u{9b}2J\u{202e} blinks.\n");
    world.run(["index", "add", "--wait", "."]).ok();
    for arguments in [
        vec!["search", "lighthouse"],
        vec!["search", "lighthouse", "--json"],
        vec!["index", "documents", "."],
        vec!["index", "documents", ".", "--json"],
    ] {
        let outcome = world.run(&arguments).ok();
        assert!(outcome.stdout.contains("evil"), "{arguments:?}: {}", outcome.stdout);
        let steering = outcome.stdout.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t' || *c == '\u{202e}');
        assert_eq!(steering, None, "{arguments:?}: {:?}", outcome.stdout);
    }
}

#[test]
fn paths_that_are_no_text_work_as_arguments() {
    let world = World::empty();
    let folder = world.files().join(OsStr::from_bytes(b"na\xefve \xff folder"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join(OsStr::from_bytes(b"caf\xe9.md")), "Espresso is served at dawn.\n").unwrap();
    let added = process::run(world.command().args(["index", "add", "--wait", "--json"]).arg(&folder), b"", LIMIT).ok();
    assert_eq!(added.json()["documents"], 1, "{added:?}");
    assert_eq!(world.documents(&folder).len(), 1);
    let found = world.json(["search", "espresso dawn"]);
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
    assert!(world.run(["search", "espresso"]).ok().stdout.contains("caf\\xe9.md"), "bytes are shown as such");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::empty();
    documents::source_tree(&world.files(), 0..20);
    world.run(["index", "add", "--wait", "."]).ok();
    // The shell's own status is the executable's, because of pipefail.
    let outcome = process::run(
        std::process::Command::new("bash")
            .args([
                "-c",
                "set -o pipefail; \"$1\" --data-dir \"$2\" search crane --limit 200 | head -c 1 > /dev/null",
                "bash",
            ])
            .arg(world.executable())
            .arg(world.data()),
        b"",
        LIMIT,
    );
    no_complaint(&outcome);
}

#[track_caller]
fn no_complaint(outcome: &Outcome) {
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
fn without_a_display_the_window_verb_says_what_else_can_be_done() {
    let world = World::empty();
    let outcome = world.run([""; 0]);
    assert_eq!(outcome.code(), Some(1), "{outcome:?}");
    for word in ["display", "ask", "search", "index"] {
        assert!(outcome.stderr.contains(word), "{word}: {}", outcome.stderr);
    }
}

#[test]
fn a_download_is_refused_where_nobody_can_confirm_it() {
    let world = World::empty();
    let catalogue = world.json(["models", "catalogue"]);
    let model = &catalogue.as_array().and_then(|models| models.first()).expect("the catalogue has models");
    let id = model["id"].as_str().unwrap();
    let refused = world.error(5, ["models", "download", id]);
    assert_eq!(refused.category, "network");
    let wrong = world.error(5, ["models", "download", id, "--yes", "elsewhere.example"]);
    assert!(wrong.message.contains("elsewhere.example"), "{wrong:?}");
}
