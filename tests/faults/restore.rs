//! A restore that is killed, or whose disk fails, at any moment: the old state or the new one, never something between.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitStatus};

use rspa_tests::folder;
use rspa_tests::seed;
use rspa_tests::strace::{self, Calls, Harm};
use rspa_tests::terminal::Terminal;
use rspa_tests::world::{LIMIT, World};

const CALLS: &str = "pwrite64,write,fsync,fdatasync,ftruncate,fallocate,rename,renameat2,mkdir,unlink,unlinkat,rmdir";

/// What the person sees: chats, profiles, a setting.
type Seen = (BTreeSet<String>, BTreeSet<String>, u64);

fn seen(world: &World) -> Seen {
    let texts = |list: &serde_json::Value, field: &str| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
    };
    let chats = texts(&world.json(["chat", "--list"]), "title");
    let profiles = texts(&world.json(["profiles", "list"]), "name");
    let setting = world.json(["settings", "get", "models.max_tokens"])["value"].as_u64().unwrap();
    (chats, profiles, setting)
}

fn ask(world: &World, text: &str) {
    world.run(["chat", "--no-knowledge", "--message", text]);
}

/// A folder that a restore changes; the restore, and how it looks before and after.
fn prepared(world: &World, whole: &Path) -> (Vec<String>, Seen, Seen) {
    world.json(["settings", "set", "models.max_tokens", "11"]);
    world.json(["profiles", "create", "alpha"]);
    ask(world, "first");
    let made = world.json(["backup", "create"]);
    world.json(["settings", "set", "models.max_tokens", "22"]);
    world.json(["profiles", "create", "beta"]);
    ask(world, "second");
    let old = seen(world);
    folder::copy(&world.data(), whole);
    let arguments: Vec<String> = ["restore", made["name"].as_str().unwrap(), "--yes"].map(str::to_owned).into();
    assert!(confirmed(&mut world.command(), &arguments).0.success());
    let new = seen(world);
    assert!(old.0.contains("second") && !new.0.contains("second") && new.0.contains("first"), "{old:?} {new:?}");
    assert!(old.1.contains("beta") && !new.1.contains("beta") && new.1.contains("alpha"), "{old:?} {new:?}");
    (arguments, old, new)
}

/// Runs it at a terminal at which the person says yes. How it ended, and its standard error.
fn confirmed(command: &mut Command, arguments: &[String]) -> (ExitStatus, String) {
    let mut terminal = Terminal::start(command.args(arguments));
    terminal.types("y");
    let outcome = terminal.outcome(LIMIT);
    (outcome.status, outcome.stderr)
}

fn harm_each(harm: Harm, onwards: bool, stride: usize) {
    if !strace::available() {
        return;
    }
    let world = World::in_memory();
    let whole = world.path().join("whole");
    let (arguments, old, new) = prepared(&world, &whole);
    folder::copy(&whole, &world.data());
    let calls = Calls { names: CALLS, file: None };
    let (mut olds, mut news, mut unharmed) = (0, 0, 0);
    // Until the restore makes fewer calls than that.
    for nth in (1..2_000).step_by(seed::count(stride, 1)) {
        folder::copy(&whole, &world.data());
        let mut command = calls.harmed(&world, harm, nth, onwards);
        let (status, said) = confirmed(&mut command, &arguments);
        let done = status.success();
        assert!(!said.contains("panicked"), "{harm:?} at {nth}: {said}");
        let found = seen(&world);
        assert!(found == old || found == new, "{harm:?} at {nth}: {found:?}");
        assert!(!done || found == new, "{harm:?} at {nth}: what was confirmed is gone");
        olds += usize::from(found == old);
        news += usize::from(found == new);
        unharmed = if done { unharmed + 1 } else { 0 };
        if unharmed == 6 {
            break;
        }
    }
    assert!(olds > 0, "{harm:?}: {olds} old, {news} new");
    seed::report(&format!("restores with {harm:?}"), olds + news, 0);
}

#[test]
fn killed_before_each_call_of_a_restore() {
    harm_each(Harm::Kill, false, 9);
}

#[test]
fn a_disk_that_is_full_at_each_call_of_a_restore() {
    harm_each(Harm::Error("ENOSPC"), true, 19);
}
