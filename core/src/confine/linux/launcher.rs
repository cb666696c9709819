//! The program as a launcher: takes a policy, shuts itself in, and supervises one command to its end.
//!
//! The parent speaks over standard input, a pair of sockets: it sends one line, the policy, and closes its side when the
//! command shall stop (as the system does when the parent dies). Answers are [`Message`]s, one line each.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use super::super::policy::{Policy, Way};
use super::super::report::{Changes, Confinement, Ended, Limit, Message, layer};
use super::cgroup::Group;
use super::namespaces::{self, Stage};
use super::processes::Family;
use super::supervisor::Supervisor;
use super::sys;
use super::watch::Watch;

/// No policy is longer.
const POLICY_BYTES: u64 = 4 << 20;

/// What could not be done, and why.
#[derive(Debug)]
pub struct Refusal {
    pub step: String,
    pub why: String,
}

impl Refusal {
    pub fn of<E: Display>(step: impl Into<String>) -> impl FnOnce(E) -> Self {
        let step = step.into();
        move |why| Self { step, why: why.to_string() }
    }
}

pub fn main() -> ExitCode {
    let control = match control() {
        Ok(control) => control,
        Err(error) => {
            eprintln!("rspa: this is how the program starts commands for itself ({error})");
            return ExitCode::from(2);
        }
    };
    if let Err(refusal) = launch(&control) {
        say(&control, &Message::Refused { step: refusal.step, why: refusal.why });
    }
    ExitCode::SUCCESS
}

/// Standard input as the line to the parent; in its place there is nothing to read.
fn control() -> io::Result<UnixStream> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("there is more than one thread"));
    }
    sys::close_from(3, false)?;
    let control = UnixStream::from(sys::above_standard(io::stdin().as_fd())?);
    // Nothing but a socket that a program made for this has another end.
    control.peer_addr()?;
    sys::duplicate(File::open("/dev/null")?.as_fd(), 0)?;
    Ok(control)
}

pub fn say(mut control: &UnixStream, message: &Message) {
    let mut line = serde_json::to_vec(message).expect("a message is text and numbers");
    line.push(b'\n');
    // When the parent is gone, the supervisor sees that by itself.
    control.write_all(&line).ok();
}

fn launch(control: &UnixStream) -> Result<(), Refusal> {
    let mut line = Vec::new();
    let mut source = BufReader::new(control.take(POLICY_BYTES));
    source.read_until(b'\n', &mut line).map_err(Refusal::of("reading what to do"))?;
    let policy: Policy = serde_json::from_slice(&line).map_err(Refusal::of("reading what to do"))?;
    sys::setsid();
    sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).map_err(Refusal::of("giving up new rights"))?;
    sys::prctl(libc::PR_SET_CHILD_SUBREAPER, 1).map_err(Refusal::of("taking in orphans"))?;
    // Should memory run out, the kernel ends this first, and with it all that it supervises.
    fs::write("/proc/self/oom_score_adj", "500").ok();
    let mut confinement = Confinement::default();
    let group = Group::new(&policy.limits);
    match &group {
        Ok(_) => confinement.set(layer::CGROUP, true, "memory and processes are counted by the kernel"),
        Err(why) => confinement.set(layer::CGROUP, false, *why),
    }
    let group = group.ok();
    match policy.way {
        Way::Plain => {
            confinement.set(layer::NAMESPACES, false, "not used");
            let watch = Watch::folders(&policy, None).map_err(Refusal::of("measuring the folders"))?;
            confinement.set(layer::DISK, false, "growth of the folders is watched");
            let supervisor = Supervisor { policy: &policy, family: Family::Descendants, watch, group: group.as_ref() };
            let ended = supervisor.run(control, confinement)?;
            say(control, &Message::Ended { ended, changes: Changes::AsItWent });
        }
        Way::Apart | Way::Within => {
            namespaces::unshare(policy.network)?;
            match sys::fork().map_err(Refusal::of("starting the supervisor"))? {
                None => {
                    if let Err(refusal) = inside(control, &policy, confinement, group.as_ref()) {
                        say(control, &Message::Refused { step: refusal.step, why: refusal.why });
                    }
                    sys::exit(0);
                }
                Some(supervisor) => {
                    quiet(io::stdin().as_fd()).map_err(Refusal::of("closing the output"))?;
                    sys::wait(supervisor).map_err(Refusal::of("waiting for the supervisor"))?;
                }
            }
        }
    }
    Ok(())
}

/// As the first process of the new namespaces.
fn inside(
    control: &UnixStream,
    policy: &Policy,
    mut confinement: Confinement,
    group: Option<&Group>,
) -> Result<(), Refusal> {
    sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as u64).map_err(Refusal::of("ending with the launcher"))?;
    let stage = Stage::set(policy)?;
    confinement.set(layer::NAMESPACES, true, "own files, processes, network and users");
    let watch = match policy.way {
        Way::Apart => {
            confinement.set(layer::DISK, true, "writes are kept apart within their limit, and taken over at the end");
            Watch::store(stage.store())
        }
        _ => {
            confinement.set(layer::DISK, false, "growth of the folders is watched");
            Watch::folders(policy, Some(stage.store()))
        }
    }
    .map_err(Refusal::of("measuring the folders"))?;
    let supervisor = Supervisor { policy, family: Family::Namespace, watch, group };
    let mut ended = supervisor.run(control, confinement)?;
    let changes = match policy.way {
        Way::Apart if ended.by_itself() => stage.keep(u64::from(policy.limits.disk_mb) << 20).unwrap_or_else(|| {
            ended = Ended::Limit(Limit::Disk);
            Changes::Discarded
        }),
        Way::Apart => Changes::Discarded,
        Way::Within | Way::Plain => Changes::AsItWent,
    };
    say(control, &Message::Ended { ended, changes });
    Ok(())
}

/// Only the command itself holds the output open, so that its end is seen.
pub fn quiet(nothing: BorrowedFd<'_>) -> io::Result<()> {
    sys::duplicate(nothing, 1)?;
    sys::duplicate(nothing, 2)
}
