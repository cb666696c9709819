//! The end of a command is the end of all that it started, and what it wrote is where it belongs.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use rspa_core::confine::{Changes, Ended};
use rspa_tests::wait;
use tokio_util::sync::CancellationToken;

use super::{Shut, everywhere, said};

/// The processes with this command line.
fn pids(command: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_it = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).collect::<Vec<_>>().join(&b' ').trim_ascii() == command.as_bytes()
    };
    pids.filter(is_it).collect()
}

/// Whether a process with this command line is alive.
pub fn runs(command: &str) -> bool {
    !pids(command).is_empty()
}

#[test]
fn nothing_outlives_the_command() {
    everywhere(|shut| {
        for (index, survivor) in [
            "sleep N &",
            "setsid sleep N &",
            "nohup sleep N >/dev/null 2>&1 &",
            "(setsid setsid sh -c '(sleep N &) &' &)",
            "sh -c 'trap \"\" HUP TERM; sleep N' > out 2>&1 < /dev/null & disown 2>/dev/null",
            "setsid sleep N & pid=$!; kill -STOP $pid",
        ]
        .into_iter()
        .enumerate()
        {
            let sleep = format!("sleep {}", 5_000 + index * 10 + usize::from(shut.has("namespaces")));
            let outcome = shut.run(&format!("{}\necho started", survivor.replace("sleep N", &sleep)));
            assert_eq!(outcome.ended, Ended::Exited(0), "{}: {survivor}: {}", shut.name, said(&outcome));
            assert!(!runs(&sleep), "{}: {survivor} is still there", shut.name);
        }
    });
}

#[test]
fn cancelling_reaches_all_of_it_at_once() {
    everywhere(|shut| {
        let cancel = CancellationToken::new();
        let request = shut.request("setsid sleep 6001 & trap '' TERM; echo x > x; sleep 6001; sleep 6001");
        let (outcome, took) = std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                let outcome = shut.start_with(&request, &cancel);
                (outcome, Instant::now())
            });
            wait::within(Duration::from_secs(20), || runs("sleep 6001").then_some(())).expect("it begins");
            let asked = Instant::now();
            cancel.cancel();
            let (outcome, ended) = running.join().unwrap();
            (outcome, ended - asked)
        });
        assert_eq!(outcome.ended, Ended::Cancelled);
        assert!(!runs("sleep 6001"));
        println!("{}: cancelled and gone after {took:?}", shut.name);
        assert!(took < Duration::from_millis(500), "{took:?}");
    });
}

#[test]
fn a_launcher_that_is_killed_takes_all_with_it() {
    let shut = Shut::new();
    if !shut.has("namespaces") {
        println!("NOT TESTED: a killed launcher, because: {}", shut.confinement().missing());
        return;
    }
    let request = shut.request("setsid sleep 6002 & echo x > x; sleep 6002");
    let outcome = std::thread::scope(|scope| {
        let running = scope.spawn(|| shut.start(&request));
        let sleeper = wait::within(Duration::from_secs(20), || pids("sleep 6002").first().copied()).expect("it begins");
        let mut launcher = sleeper;
        while parent(launcher) != std::process::id() {
            launcher = parent(launcher);
        }
        // SAFETY: takes numbers; the process is a child of this one that nobody has waited for.
        assert_eq!(unsafe { libc::kill(i32::try_from(launcher).unwrap(), libc::SIGKILL) }, 0);
        running.join().unwrap()
    });
    assert_eq!(outcome.ended, Ended::Signalled(libc::SIGKILL), "{outcome:?}");
    assert_eq!(outcome.changes, Changes::Discarded);
    wait::within(Duration::from_secs(5), || (!runs("sleep 6002")).then_some(())).expect("all of it is gone");
}

fn parent(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn how_it_ended_is_told() {
    everywhere(|shut| {
        assert_eq!(shut.run("exit 42").ended, Ended::Exited(42));
        assert_eq!(shut.run("kill -SEGV $$").ended, Ended::Signalled(libc::SIGSEGV));
        assert_eq!(shut.run("no-such-program").ended, Ended::Exited(127));
        assert_eq!(shut.run("-c").ended, Ended::Exited(127), "a command is never an option");
        let outcome = shut.run("echo out; echo err >&2; echo out");
        assert_eq!(said(&outcome), "out\nerr\nout\n");
        assert!(outcome.succeeded() && outcome.duration > Duration::ZERO);
    });
}

#[test]
fn what_it_wrote_is_taken_over_as_it_was() {
    let shut = Shut::new();
    if !shut.has("disk") {
        println!("NOT TESTED: writes kept apart, because: {}", shut.confinement().missing());
        return;
    }
    for name in ["old/a.txt", "old/b/c.txt", "changed.txt", "moved/x.txt"] {
        shut.put(&format!("files/{name}"), name);
    }
    let command = "rm -r old && mkdir old && echo new > old/new.txt && echo more >> changed.txt && mv moved away \
                   && ln -s away link && mkfifo pipe && chmod 751 changed.txt && mkdir -p deep/er && touch -d 2020-01-02T03:04:05Z deep/er/t";
    let outcome = shut.run(command);
    assert_eq!(outcome.ended, Ended::Exited(0), "{}", said(&outcome));
    let Changes::Kept { skipped, ref written, .. } = outcome.changes else { panic!("{outcome:?}") };
    assert_eq!(skipped, 1, "the pipe");
    assert!(written.iter().any(|path| path.ends_with("files/old/new.txt")), "{written:?}");
    assert!(!shut.file("old/a.txt").exists() && !shut.file("old/b").exists() && !shut.file("moved").exists());
    assert_eq!(fs::read_to_string(shut.file("old/new.txt")).unwrap(), "new\n");
    assert_eq!(fs::read_to_string(shut.file("changed.txt")).unwrap(), "changed.txtmore\n");
    assert_eq!(fs::read_to_string(shut.file("link/x.txt")).unwrap(), "moved/x.txt");
    let data = fs::metadata(shut.file("changed.txt")).unwrap();
    assert_eq!(data.permissions().mode() & 0o777, 0o751);
    assert_eq!(data.uid(), fs::metadata(shut.world.files()).unwrap().uid(), "the person owns it");
    assert_eq!(fs::metadata(shut.file("deep/er/t")).unwrap().mtime(), 1_577_934_245);
    let names = fs::read_dir(shut.world.files()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with(".rspa")), "no part is left");
    // A second command sees what the first one wrote.
    shut.says("cat old/new.txt", "new");
}
