//! Signals: those that ask to end are heeded in order, a closed output is no error, a pause changes nothing, and a kill
//! at any moment loses nothing that was confirmed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rspa_tests::deeds::{Deed, Ending, Errand, Record};
use rspa_tests::documents::source_tree;
use rspa_tests::process::{Outcome, Running};
use rspa_tests::seed::{self, Chance};
use rspa_tests::wait;
use rspa_tests::window::Window;
use rspa_tests::world::{LIMIT, World};

/// Starts indexing of many files and gives it back when some are stored.
fn indexing(world: &World) -> Running {
    source_tree(&world.files().join("tree"), 0..1_500);
    let mut command = world.command();
    command.args(["index", "add", "--wait", "tree"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let before = world.knowledge_state();
    let process = Running::start(&mut command);
    wait::until("the first files to be indexed", LIMIT, || (world.knowledge_state() != before).then_some(()));
    process
}

#[test]
fn hanging_up_and_asking_to_end_keep_what_was_done() {
    for (signal, code) in [(libc::SIGTERM, 143), (libc::SIGHUP, 129)] {
        let world = World::in_memory();
        let mut process = indexing(&world);
        process.signal(signal);
        let status = process.ended_within(LIMIT);
        assert_eq!(status.code(), Some(code), "{status}");
        let status = world.json(["index", "add", "--wait", "tree"]);
        assert_eq!(status["documents"], 1_500, "{status}");
    }
}

/// `nohup` and its like start programs with the hang-up ignored.
#[test]
fn a_hang_up_that_is_ignored_stays_so() {
    let world = World::in_memory();
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" HUP; exec "$0" "$@""#]).arg(world.executable()).arg("--data-dir").arg(world.data());
    world.prepare(&mut command);
    command.args(["chat", "--json"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = Running::start(&mut command);
    let mut said = BufReader::new(process.child().stderr.take().unwrap());
    for text in ["hello", "again"] {
        writeln!(process.child().stdin.as_mut().unwrap(), "{text}").unwrap();
        said.read_line(&mut String::new()).unwrap();
        process.signal(libc::SIGHUP);
    }
    drop(process.child().stdin.take());
    assert_eq!(process.ended_within(LIMIT).code(), Some(1));
    assert!(world.json(["chat", "--list"]).to_string().contains("again"));
}

/// A call that a thread is in goes on until it is done.
fn stands_still(process: &mut Running) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.child().id()));
    let mut states =
        tasks.into_iter().flatten().flatten().map(|task| std::fs::read_to_string(task.path().join("stat")));
    states.all(|stat| stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))))
}

#[test]
fn a_pause_changes_nothing() {
    let world = World::in_memory();
    let mut process = indexing(&world);
    for _ in 0..5 {
        process.signal(libc::SIGSTOP);
        wait::until("all threads to stand still", LIMIT, || {
            (process.has_ended() || stands_still(&mut process)).then_some(())
        });
        let state = world.knowledge_state();
        // It stands still: what it writes does not change.
        let moved = wait::within(Duration::from_millis(150), || (world.knowledge_state() != state).then_some(()));
        process.signal(libc::SIGCONT);
        assert!(moved.is_none() || process.has_ended(), "a stopped process writes");
    }
    assert!(process.ended_within(LIMIT).success());
    assert_eq!(world.json(["index", "list"])[0]["documents"], 1_500);
}

#[test]
fn nobody_reads_the_output() {
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    for arguments in [vec!["settings", "list"], vec!["doctor"], vec!["chat", "--list"], vec!["index", "list", "--json"]]
    {
        let mut command = world.command();
        command.args(&arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Running::start(&mut command);
        drop(process.child().stdout.take());
        let mut said = process.child().stderr.take().unwrap();
        let status = process.ended_within(LIMIT);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut said, &mut text).unwrap();
        assert!(matches!(status.code(), Some(0 | 1)), "{arguments:?}: {status}: {text}");
        assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    }
    // Neither output nor errors.
    let mut command = world.command();
    command
        .args(["chat", "--json", "--no-knowledge"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = Running::start(&mut command);
    drop((process.child().stdout.take(), process.child().stderr.take()));
    writeln!(process.child().stdin.as_mut().unwrap(), "hello").unwrap();
    drop(process.child().stdin.take());
    let status = process.ended_within(LIMIT);
    assert!(status.code().is_some(), "{status}");
    record.check_works(&world);
}

/// Runs it and kills it after so long, if it has not ended by then.
fn kill_after(mut command: Command, errand: &Errand, after: Duration) -> Outcome {
    command.args(&errand.arguments).arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let mut process = Running::start(&mut command);
    process.child().stdin.take().unwrap().write_all(&errand.input).ok();
    while begun.elapsed() < after && !process.has_ended() {
        std::hint::spin_loop();
    }
    process.signal(libc::SIGKILL);
    let status = process.ended_within(LIMIT);
    let text = |from: Option<&mut dyn std::io::Read>| {
        let mut bytes = Vec::new();
        from.unwrap().read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let child = process.child();
    let stdout = text(child.stdout.as_mut().map(|it| it as &mut dyn std::io::Read));
    let stderr = text(child.stderr.as_mut().map(|it| it as &mut dyn std::io::Read));
    Outcome { status, stdout, stderr }
}

#[test]
fn killed_at_any_moment_of_a_mixed_load() {
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    let seed = seed::seed();
    let mut chance = Chance::new(seed);
    let (mut killed, rounds) = (0, seed::count(60, 3_000));
    for round in 0..rounds {
        let deed = *chance.pick(&Deed::ALL);
        let longest = if deed == Deed::Index { 90_000 } else { 25_000 };
        let after = Duration::from_micros(chance.below(longest) as u64);
        let ending = record.attempt(&world, deed, |errand| kill_after(world.command(), errand, after));
        killed += usize::from(matches!(ending, Ending::Killed));
        // Not always at once: a kill may also meet the repair after a kill.
        if chance.below(3) == 0 {
            record.check(&world, deed);
        }
        if round % 20 == 19 {
            record.check_all(&world);
        }
    }
    record.check_works(&world);
    assert!(killed > rounds / 4, "only {killed} of {rounds} were killed at work");
    seed::report("kills of a mixed load", killed, seed);
}

#[test]
fn the_window_ends_in_order_when_asked_to() {
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    let mut window = Window::open(&world);
    window.named("Dashboard");
    window.process().signal(libc::SIGSTOP);
    window.process().signal(libc::SIGCONT);
    window.process().signal(libc::SIGTERM);
    let status = window.process().ended_within(LIMIT);
    assert!(matches!(status.code(), Some(0 | 143)), "{status}");
    record.check_works(&world);
}

#[test]
fn an_interrupt_reaches_a_chat_that_waits() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGHUP, 129)] {
        let world = World::in_memory();
        let mut command = world.command();
        command.args(["chat", "--json"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Running::start(&mut command);
        let mut said = BufReader::new(process.child().stderr.take().unwrap());
        writeln!(process.child().stdin.as_mut().unwrap(), "hello").unwrap();
        said.read_line(&mut String::new()).unwrap();
        process.signal(signal);
        assert_eq!(process.ended_within(LIMIT).code(), Some(code));
        let chats = world.json(["chat", "--list"]);
        assert!(chats.to_string().contains("hello"), "{chats}");
    }
}
