//! Each write, sync, truncation, rename and new file of a verb fails once, and from once on, in the real executable.

use rspa_tests::deeds::{Deed, Ending, Record};
use rspa_tests::seed;
use rspa_tests::strace::{self, Calls, Harm};
use rspa_tests::world::World;

/// Calls by which the program changes the disk. Plain `write` also serves pipes and is tried on a full disk instead.
const FAMILIES: [&str; 4] = ["pwrite64", "fsync,fdatasync", "ftruncate,fallocate", "rename,renameat,renameat2,mkdir"];

/// Fails the calls of one family, one after the other, in every kind of change. The number of tries.
fn fail_each(world: &World, record: &mut Record, names: &str, error: &'static str, stride: usize) -> usize {
    let calls = Calls { names, file: None };
    let mut tries = 0;
    for deed in Deed::ALL {
        let errand = record.next(world, deed);
        let most = calls.count(world, &errand.arguments, &errand.input);
        // That run counted too; it is not known here how it ended.
        record.heard(&errand, &Ending::Killed);
        for nth in (1..=most + 1).step_by(stride) {
            for onwards in [false, true] {
                let ending = record.attempt(world, deed, |errand| {
                    errand.run_with(&mut calls.harmed(world, Harm::Error(error), nth, onwards))
                });
                if let Some(fault) = ending.storage_fault() {
                    let words = format!("{} {}", fault.message, fault.advice).to_lowercase();
                    assert!(
                        error != "ENOSPC" || words.contains("full") || words.contains("space"),
                        "{deed:?}, {names} {nth}: {fault:?}"
                    );
                }
                record.check(world, deed);
                tries += 1;
            }
        }
        record.check_all(world);
    }
    tries
}

fn fail_all(error: &'static str, short_stride: usize) {
    if !strace::available() {
        return;
    }
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    let mut tries = 0;
    for names in FAMILIES {
        tries += fail_each(&world, &mut record, names, error, seed::count(short_stride, 1));
    }
    record.check_works(&world);
    seed::report(&format!("calls failed with {error}"), tries, 0);
}

#[test]
fn a_disk_that_is_full_at_each_call() {
    fail_all("ENOSPC", 17);
}

#[test]
fn a_disk_that_breaks_at_each_call() {
    fail_all("EIO", 29);
}

#[test]
fn a_disk_that_turns_read_only_at_each_call() {
    fail_all("EROFS", 37);
}

#[test]
fn killed_before_each_call() {
    if !strace::available() {
        return;
    }
    let world = World::in_memory();
    let mut record = Record::default();
    record.check_works(&world);
    let calls = Calls { names: "pwrite64,fsync,fdatasync,ftruncate,fallocate,rename,mkdir,unlink", file: None };
    let mut tries = 0;
    for deed in Deed::ALL {
        let errand = record.next(&world, deed);
        let most = calls.count(&world, &errand.arguments, &errand.input);
        record.heard(&errand, &Ending::Killed);
        for nth in (1..=most).step_by(seed::count(13, 1)) {
            record.attempt(&world, deed, |errand| errand.run_with(&mut calls.harmed(&world, Harm::Kill, nth, false)));
            record.check(&world, deed);
            tries += 1;
        }
        record.check_all(&world);
    }
    record.check_works(&world);
    seed::report("kills before a call", tries, 0);
}
