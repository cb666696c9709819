//! The process that becomes the command: restricts itself step by step, and then is `sh`.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::super::policy::{Policy, Way};
use super::super::report::{Confinement, RUNNING_PROGRAM, layer};
use super::cgroup::Group;
use super::launcher::Refusal;
use super::seccomp::Bounds;
use super::{landlock, limits, seccomp, sys};

/// A command that has begun.
pub struct Shell {
    pub pid: sys::Pid,
    pub confinement: Confinement,
}

/// Begins the command, or says why not.
pub fn start(policy: &Policy, group: Option<&Group>, confinement: Confinement) -> Result<Shell, Refusal> {
    let (mut reader, mut writer) = io::pipe().map_err(Refusal::of("making a pipe"))?;
    let Some(pid) = sys::fork().map_err(Refusal::of("starting the command"))? else {
        drop(reader);
        let refusal = become_shell(policy, group, confinement, &mut writer);
        let told = serde_json::to_string(&(refusal.step, refusal.why)).expect("texts are JSON");
        writeln!(writer, "{told}").ok();
        sys::exit(127);
    };
    drop(writer);
    // Ends when the shell runs: the pipe is closed by that.
    let mut told = String::new();
    reader.read_to_string(&mut told).map_err(Refusal::of("starting the command"))?;
    let mut lines = told.lines();
    let first = lines.next().unwrap_or_default();
    let Ok(confinement) = serde_json::from_str::<Confinement>(first) else {
        return Err(refusal(first));
    };
    match lines.next() {
        Some(second) => Err(refusal(second)),
        None => Ok(Shell { pid, confinement }),
    }
}

fn refusal(line: &str) -> Refusal {
    let (step, why) = serde_json::from_str(line)
        .unwrap_or_else(|_| ("starting the command".to_owned(), "it ended before it began".to_owned()));
    Refusal { step, why }
}

/// Returns only when it could not.
fn become_shell(policy: &Policy, group: Option<&Group>, confinement: Confinement, report: &mut impl Write) -> Refusal {
    if let Err(refusal) = restrict(policy, group, confinement, report) {
        return refusal;
    }
    let (mut command, step) = match policy.program.split_first() {
        None => {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "--", &policy.command]);
            (shell, "running the shell")
        }
        Some((program, arguments)) => {
            // It is talked to over a pair of sockets, which came as the output.
            if let Err(error) = sys::duplicate(io::stdout().as_fd(), 0) {
                return Refusal::of("giving the program its input")(error);
            }
            let mut command = Command::new(program);
            command.args(arguments);
            (command, RUNNING_PROGRAM)
        }
    };
    command.env_clear().envs(policy.environment.iter().cloned());
    Refusal::of(step)(command.current_dir(&policy.folder).exec())
}

fn restrict(
    policy: &Policy,
    group: Option<&Group>,
    mut confinement: Confinement,
    report: &mut impl Write,
) -> Result<(), Refusal> {
    if let Some(group) = group {
        group.enter().map_err(Refusal::of("entering the control group"))?;
    }
    sys::setsid();
    sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as u64).map_err(Refusal::of("ending with the supervisor"))?;
    sys::reset_signals();
    sys::nice(10);
    sys::close_from(3, true).map_err(Refusal::of("closing what was open"))?;
    limits::apply(policy).map_err(Refusal::of("setting limits"))?;
    sys::drop_capabilities().map_err(Refusal::of("giving up rights"))?;
    // A command that may run unconfined gets the limits, and as much of the rest as does not depend on folders.
    if policy.unconfined {
        confinement.set(layer::LANDLOCK, false, "not used");
        confinement.set(layer::SECCOMP, false, "not used");
    } else {
        let held = landlock::apply(policy).map_err(Refusal::of("restricting files"))?;
        let parted = policy.way != Way::Plain;
        confinement.set(layer::LANDLOCK, held.on, held.detail);
        let bounds = Bounds {
            network: policy.network,
            signals_held: parted || held.signals,
            names_held: parted,
            lengths_held: parted || held.lengths,
        };
        seccomp::apply(bounds).map_err(Refusal::of("restricting system calls"))?;
        confinement.set(layer::SECCOMP, true, "system calls that reach beyond the command are refused");
        if !confinement.confines() {
            return Err(Refusal { step: "confining the command".to_owned(), why: confinement.missing() });
        }
    }
    let line = serde_json::to_string(&confinement).expect("a report is text and flags");
    writeln!(report, "{line}").map_err(Refusal::of("reporting"))
}
