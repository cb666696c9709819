//! System calls of the real executable that fail or dawdle on purpose, by strace.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process;
use crate::world::{LIMIT, World};

/// What is done to a call.
#[derive(Clone, Copy, Debug)]
pub enum Harm {
    /// Fails with this error (`ENOSPC`), without being made.
    Error(&'static str),
    /// Begins so many microseconds later.
    Delay(u32),
    /// The process is killed before it.
    Kill,
}

/// Calls of some names, to be counted or harmed.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'a> {
    /// As strace wants them: `pwrite64,fdatasync`.
    pub names: &'a str,
    /// Only on this file; none for all.
    pub file: Option<&'a Path>,
}

/// False, with words, where strace cannot change system calls.
pub fn available() -> bool {
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=sync:error=EIO:when=1", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let works = status.is_ok_and(|status| status.success());
    if !works {
        println!("skipped: strace cannot trace here");
    }
    works
}

impl Calls<'_> {
    /// How often one thread makes these calls while the command runs, at most: strace counts for each thread.
    pub fn count(&self, world: &World, arguments: &[String], input: &[u8]) -> usize {
        let log = world.path().join("calls");
        let log_text = log.to_str().expect("the path is text").to_owned();
        let trace = format!("trace={}", self.names);
        let mut wrapper = vec!["strace", "-f", "-qq", "-o", &log_text, "-e", &trace, "-e", "signal=none"];
        let path = self.file.map(|path| path.to_str().expect("the path is text").to_owned());
        wrapper.extend(path.iter().flat_map(|path| ["-P", path]));
        process::run(world.wrapped(&wrapper).args(arguments).arg("--json"), input, LIMIT);
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let mut per_thread = BTreeMap::<&str, usize>::new();
        for line in text.lines().filter(|line| !line.contains("resumed>")) {
            *per_thread.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
        }
        per_thread.into_values().max().unwrap_or(0)
    }

    /// The executable, with harm done to each thread's call of this number (from 1), and to all later ones if `onwards`.
    pub fn harmed(&self, world: &World, harm: Harm, nth: usize, onwards: bool) -> Command {
        let what = match harm {
            Harm::Error(name) => format!("error={name}"),
            Harm::Delay(microseconds) => format!("delay_enter={microseconds}"),
            Harm::Kill => "signal=SIGKILL".to_owned(),
        };
        let inject = format!("inject={}:{what}:when={nth}{}", self.names, if onwards { "+" } else { "" });
        let mut wrapper = vec!["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
        let path = self.file.map(|path| path.to_str().expect("the path is text").to_owned());
        wrapper.extend(path.iter().flat_map(|path| ["-P", path]));
        world.wrapped(&wrapper)
    }
}
