//! Many commands at once on one data folder: each is done or says that the folder is in use, and nothing is lost.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

use rspa_tests::deeds::{Deed, Ending, Record};
use rspa_tests::process::{self, Running};
use rspa_tests::seed::{self, Chance};
use rspa_tests::world::{LIMIT, World};

#[test]
fn eight_processes_with_mixed_verbs() {
    let world = World::in_memory();
    let mut record = Record::default();
    let seed = seed::seed();
    let mut chance = Chance::new(seed);
    let rounds = seed::count(4, 100);
    let mut confirmed = 0;
    // The first round is also eight first starts at once.
    for _ in 0..rounds {
        let mut errands: Vec<_> =
            (0..8).map(|_| *chance.pick(&Deed::ALL)).map(|deed| record.next(&world, deed)).collect();
        // Each counts all documents when it is done; only one at a time can know how many there are.
        let mut indexing = false;
        errands.retain(|errand| errand.deed != Deed::Index || !std::mem::replace(&mut indexing, true));
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = errands.iter().map(|errand| scope.spawn(|| errand.run(&world))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        // Which setting was the last is not known.
        let endings: Vec<_> = outcomes.iter().map(Ending::of).collect();
        for (errand, ending) in errands.iter().zip(&endings).filter(|(errand, _)| errand.deed == Deed::Setting) {
            if matches!(ending, Ending::Done(_)) {
                record.heard(errand, ending);
            }
        }
        for (errand, ending) in errands.iter().zip(&endings) {
            let again = if errand.deed == Deed::Setting { &Ending::Killed } else { ending };
            record.heard(errand, again);
            if let Some(fault) = ending.storage_fault() {
                // Whoever worked for it ended in order: then it is known what was done.
                assert!(fault.message.contains("use") && !fault.message.contains("not known"), "{fault:?}");
            } else {
                confirmed += 1;
            }
        }
        record.check_all(&world);
    }
    record.check_works(&world);
    assert!(confirmed >= rounds, "only {confirmed} of {} commands were done", rounds * 8);
    seed::report("commands at once", rounds * 8, seed);
}

/// A stopped owner (Ctrl-Z, a frozen laptop) neither answers nor lets go.
#[test]
fn a_stopped_owner_does_not_hang_the_others() {
    let world = World::in_memory();
    world.json(["chat", "--list"]);
    let mut command = world.command();
    command
        .args(["chat", "--json", "--no-knowledge"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut owner = Running::start(&mut command);
    writeln!(owner.child().stdin.as_mut().unwrap(), "hello").unwrap();
    let mut said = BufReader::new(owner.child().stderr.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    owner.signal(libc::SIGSTOP);
    for arguments in [["chat", "--list"], ["settings", "list"], ["index", "list"]] {
        let outcome = process::run(world.command().args(arguments).arg("--json"), b"", Duration::from_secs(45));
        let ending = Ending::of(&outcome);
        assert!(!matches!(ending, Ending::Killed));
    }
    owner.signal(libc::SIGCONT);
    drop(owner.child().stdin.take());
    owner.ended_within(LIMIT);
    world.json(["chat", "--list"]);
}
