//! What a command may use: time, memory, processes, disk and output.

use std::fs;
use std::time::{Duration, Instant};

use rspa_core::confine::{Changes, Ended, Limit, Outcome, Request};
use rspa_core::model::CommandLimits;

use tokio_util::sync::CancellationToken;

use super::{Shut, everywhere, perl, said};

/// Runs under these limits and gives how it ended, and that within a time that no fault makes short.
fn under(shut: &Shut, command: &str, limits: CommandLimits) -> Outcome {
    let mut request = shut.request(command);
    request.limits = limits;
    let begun = Instant::now();
    let outcome = shut.start(&request);
    let most = Duration::from_secs(u64::from(limits.seconds) + 5);
    assert!(begun.elapsed() < most, "{}: {command}: {:?}", shut.name, begun.elapsed());
    outcome
}

fn limits() -> CommandLimits {
    CommandLimits { seconds: 60, memory_mb: 128, output_kb: 64, disk_mb: 16, processes: 24 }
}

#[test]
fn a_fork_bomb_is_bounded_and_gone() {
    everywhere(|shut| {
        for bomb in ["bomb() { bomb | bomb & }; bomb; wait; sleep 100", "while :; do sleep 4321.5 & done"] {
            let outcome = under(shut, bomb, CommandLimits { seconds: 8, ..limits() });
            // Where the kernel refuses each further process, the bomb goes on with those that it has until its time is over,
            // or its shell gives up.
            let bounded = match outcome.ended {
                Ended::Limit(limit) => matches!(limit, Limit::Processes | Limit::Time),
                Ended::Exited(code) => code != 0,
                _ => false,
            };
            assert!(bounded, "{}: {:?}", shut.name, outcome.ended);
        }
        assert!(!super::ends::runs("sleep 4321.5"));
    });
}

#[test]
fn root_is_held_like_everybody() {
    if !rspa_tests::program::is_root() {
        println!("NOT TESTED: commands of root, because this is not root");
        return;
    }
    let shut = Shut::new();
    let run = |command: &str| {
        let request = Request { limits: limits(), ..shut.request(command) };
        shut.runner.run(&request, &CancellationToken::new()).unwrap()
    };
    for command in [
        "cat /etc/shadow".to_owned(),
        "cat /root/.bashrc || ls /root".to_owned(),
        format!("cat {}", shut.home(".ssh/id_ed25519")),
        "echo x > /usr/x".to_owned(),
        "echo 1 > /proc/sys/kernel/sysrq".to_owned(),
        "mount -t tmpfs none /tmp".to_owned(),
        format!("kill -0 {}", std::process::id()),
    ] {
        let outcome = run(&command);
        assert!(!matches!(outcome.ended, Ended::Exited(0)), "{command}: {outcome:?}");
    }
    assert_eq!(run("while :; do sleep 4323.5 & done").ended, Ended::Limit(Limit::Processes));
    assert!(!super::ends::runs("sleep 4323.5"));
}

#[test]
fn memory_is_bounded_for_all_together() {
    everywhere(|shut| {
        let one = perl("my @a; push @a, \"x\" x 100_000 while 1");
        let many =
            "for i in 1 2 3 4 5 6; do perl -e 'my @a; push @a, \"x\" x 100_000 for 1..400; sleep 100' & done; wait";
        for hog in [one.as_str(), many] {
            let outcome = under(shut, hog, limits());
            assert_eq!(outcome.ended, Ended::Limit(Limit::Memory), "{}: {outcome:?}", shut.name);
            assert!(outcome.words(&limits()).contains("more than 128 MB of memory"));
        }
    });
}

#[test]
fn the_disk_is_bounded_in_total() {
    everywhere(|shut| {
        let apart = shut.has("disk");
        let before = disk_use(shut);
        // Files that have no name any more.
        let deleted = perl(
            "for (1..40) { open($f[$_], \">\", \"g\"); unlink \"g\"; syswrite($f[$_], \"x\" x 8_000_000) } sleep 100",
        );
        for writer in [
            "dd if=/dev/zero of=big bs=1M count=400 2>/dev/null; sleep 100",
            "mkdir d; i=0; while :; do i=$((i+1)); head -c 20000 /dev/zero > d/$i; done",
            "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > $TMPDIR/$i; done",
            &deleted,
            "for i in 1 2 3 4 5; do dd if=/dev/zero of=f$i bs=1M count=8 2>/dev/null; done; sleep 100",
        ] {
            let outcome = under(shut, writer, limits());
            assert_eq!(outcome.ended, Ended::Limit(Limit::Disk), "{}: {writer}: {outcome:?}", shut.name);
            if apart {
                assert_eq!(outcome.changes, Changes::Discarded);
            }
        }
        let grown = disk_use(shut).saturating_sub(before);
        println!("{}: five commands that fill the disk left {} MiB", shut.name, grown >> 20);
        if apart {
            assert_eq!(grown, 0, "nothing is left of what was too much");
            // Nor can files be made from names of one file, or from holes.
            let links = "head -c 8000000 /dev/zero > f; for i in 1 2 3 4; do ln f l$i; done";
            assert_eq!(under(shut, links, limits()).ended, Ended::Limit(Limit::Disk));
            let holes = "for i in 1 2 3 4; do truncate -s 15M h$i; done; ls -l h1";
            assert_eq!(under(shut, holes, limits()).ended, Ended::Exited(0));
            assert!(disk_use(shut) - before < 1 << 20, "holes stay holes");
        } else {
            // What is written between two looks comes on top.
            assert!(grown < (5 * (16 + 300)) << 20, "{grown}");
        }
    });
}

#[test]
fn a_folder_that_carries_no_layer_is_watched() {
    let Some(shut) = Shut::on_layers() else { return };
    let outcome = shut.run("echo x > x && cat x; ls -d /usr; exit 9");
    assert_eq!((outcome.ended, said(&outcome)), (Ended::Exited(9), "x\n/usr\n".to_owned()));
    let on = |name: &str| outcome.confinement.layers.iter().find(|layer| layer.name == name).unwrap().on;
    assert!(on("namespaces") && on("landlock") && on("seccomp") && !on("disk"), "{outcome:?}");
    assert_eq!(outcome.changes, Changes::AsItWent);
    let outcome = under(&shut, "mkdir d; i=0; while :; do i=$((i+1)); head -c 20000 /dev/zero > d/$i; done", limits());
    assert_eq!(outcome.ended, Ended::Limit(Limit::Disk), "{outcome:?}");
    shut.fails(&format!("cat {}", shut.home(".ssh/id_ed25519")), "the key");
}

fn disk_use(shut: &Shut) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fn below(path: &std::path::Path) -> u64 {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| {
                let data = entry.metadata().unwrap();
                data.blocks() * 512 + if data.is_dir() { below(&entry.path()) } else { 0 }
            })
            .sum()
    }
    below(&shut.world.files())
}

#[test]
fn output_is_bounded_for_both_streams_and_kept_byte_by_byte() {
    everywhere(|shut| {
        for endless in ["yes", "while :; do echo out; echo err >&2; done", "cat /dev/zero >&2", "yes & yes >&2; wait"] {
            let outcome = under(shut, endless, limits());
            assert_eq!(outcome.ended, Ended::Limit(Limit::Output), "{}: {endless}: {:?}", shut.name, outcome.ended);
            assert!(outcome.cut && outcome.output.len() == 64 << 10, "{}", outcome.output.len());
        }
        let outcome = shut.run("printf 'a\\000\\377\\n'; printf b >&2; head -c 200000 /dev/zero");
        assert_eq!(outcome.ended, Ended::Exited(0));
        assert!(outcome.output.starts_with(b"a\0\xff\nb\0\0") && outcome.output.len() == 200_005);
        // A program that reads gets nothing, and waits for nobody.
        let outcome = shut.run("cat; read line; echo \"done $?\"");
        assert_eq!(said(&outcome), "done 1\n");
    });
}

#[test]
fn time_is_over_for_all_that_it_started() {
    everywhere(|shut| {
        let stubborn =
            "trap '' TERM INT HUP; echo kept > kept.txt; (trap '' TERM; sleep 4322.5) & kill -STOP $$; sleep 4322.5";
        let outcome = under(shut, stubborn, CommandLimits { seconds: 1, ..limits() });
        assert_eq!(outcome.ended, Ended::Limit(Limit::Time), "{outcome:?}");
        assert!(outcome.duration >= Duration::from_secs(1) && outcome.duration < Duration::from_secs(4), "{outcome:?}");
        assert!(!super::ends::runs("sleep 4322.5"));
        assert_eq!(fs::exists(shut.file("kept.txt")).unwrap(), !shut.has("disk"), "{:?}", outcome.changes);
    });
}
