//! A full disk: with whatever is left of it, each verb is done or says that the disk is full, and nothing is lost.

use rspa_tests::deeds::{Deed, Ending, Record};
use rspa_tests::disk::SmallDisk;
use rspa_tests::seed;
use rspa_tests::world::World;

const KIB: u64 = 1 << 10;

#[test]
fn with_little_space_each_verb_is_done_or_says_so() {
    let world = World::in_memory();
    let Some(disk) = SmallDisk::over(&world.data(), 24) else { return };
    let mut record = Record::default();
    record.check_works(&world);
    let steps: &[u64] = if seed::soaking() {
        &[0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 512, 768, 1024, 2048]
    } else {
        &[0, 4, 16, 48, 128, 512]
    };
    let (mut refused, mut done) = (0, 0);
    for &step in steps {
        for deed in Deed::ALL {
            disk.fill(step * KIB);
            let ending = record.attempt(&world, deed, |errand| errand.run(&world));
            if let Some(fault) = ending.storage_fault() {
                let words = format!("{} {}", fault.message, fault.advice).to_lowercase();
                assert!(words.contains("full") || words.contains("space"), "{deed:?} with {step} KiB: {fault:?}");
                refused += 1;
            } else {
                assert!(!matches!(ending, Ending::Killed));
                done += 1;
            }
            // What is there can still be read, or it is said why not.
            for arguments in
                [vec!["settings", "list"], vec!["chat", "--list"], vec!["search", "note"], vec!["index", "list"]]
            {
                Ending::of(&world.run(arguments.into_iter().chain(["--json"])));
            }
            disk.empty();
            record.check_all(&world);
        }
    }
    assert!(refused > 0 && done > 0, "{refused} refused, {done} done");
    record.check_works(&world);
    println!("{refused} refused, {done} done");
}

#[test]
fn a_first_start_on_a_full_disk_says_so_and_the_next_one_works() {
    let world = World::in_memory();
    let Some(disk) = SmallDisk::over(&world.data(), 4) else { return };
    for step in [0, 4, 8, 16, 32, 48, 64, 96, 128] {
        disk.fill(step * KIB);
        let ending = Ending::of(&world.run(["chat", "--list", "--json"]));
        assert!(step > 0 || ending.storage_fault().is_some(), "{ending:?}");
        disk.empty();
        world.json(["chat", "--list"]);
        for item in std::fs::read_dir(world.data()).unwrap().flatten() {
            let path = item.path();
            if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
        }
    }
}
