//! A slow disk: each sync and each write takes long. The verbs take longer and are done; nothing else changes.

use rspa_tests::deeds::{Deed, Ending, Record};
use rspa_tests::strace::{self, Calls, Harm};
use rspa_tests::world::World;

#[test]
fn a_slow_disk_only_takes_longer() {
    if !strace::available() {
        return;
    }
    let world = World::empty();
    let mut record = Record::default();
    record.check_works(&world);
    for (names, microseconds) in [("fsync,fdatasync", 50_000), ("pwrite64", 2_000), ("openat,rename", 2_000)] {
        let calls = Calls { names, file: None };
        for deed in Deed::ALL {
            let ending = record.attempt(&world, deed, |errand| {
                errand.run_with(&mut calls.harmed(&world, Harm::Delay(microseconds), 1, true))
            });
            match &ending {
                Ending::Done(_) => {}
                Ending::Refused(fault) if deed == Deed::Chat && fault.message.contains("no chat model") => {}
                _ => panic!("{deed:?} with slow {names}: {ending:?}"),
            }
            record.check(&world, deed);
        }
    }
    record.check_all(&world);
}
