//! Holds one command to its limits, and leaves nothing of it behind.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::super::policy::Policy;
use super::super::report::{Confinement, Ended, Limit, Message};
use super::cgroup::Group;
use super::launcher::{Refusal, quiet, say};
use super::processes::{self, Family};
use super::watch::Watch;
use super::{shell, sys};

/// Between two looks at what the command uses: what it can do in this time is the slack of the limits that only the
/// supervisor holds.
const LOOK: Duration = Duration::from_millis(20);

/// The same for a program that serves, which may run for days.
const LOOK_AT_SERVER: Duration = Duration::from_millis(200);

/// Looking takes at most this part of the time.
const SHARE: u32 = 8;

/// For ending all that the command started.
const END: Duration = Duration::from_secs(4);

pub struct Supervisor<'a> {
    pub policy: &'a Policy,
    pub family: Family,
    pub watch: Watch,
    pub group: Option<&'a Group>,
}

impl Ended {
    /// Nobody stopped it.
    pub(super) fn by_itself(self) -> bool {
        matches!(self, Self::Exited(_) | Self::Signalled(_))
    }
}

impl Supervisor<'_> {
    /// Starts the command and waits for its end, one way or another. All that it started is gone then.
    pub fn run(mut self, control: &UnixStream, confinement: Confinement) -> Result<Ended, Refusal> {
        let started = Instant::now();
        let shell = shell::start(self.policy, self.group, confinement)?;
        quiet(io::stdin().as_fd()).map_err(Refusal::of("closing the output"))?;
        let pid = sys::open_pid(shell.pid).map_err(Refusal::of("watching the command"))?;
        say(control, &Message::Ready(shell.confinement));
        let serves = self.policy.serves();
        let least = if serves { LOOK_AT_SERVER } else { LOOK };
        let mut wait = least;
        let ended = loop {
            let [stop, _] = sys::readable([control.as_fd(), pid.as_fd()], wait);
            if let Some(ended) = reap(shell.pid) {
                break match self.used_up() {
                    Some(limit) if limit != Limit::Processes => Ended::Limit(limit),
                    _ => ended,
                };
            }
            if stop {
                break Ended::Cancelled;
            }
            if !serves && started.elapsed() >= Duration::from_secs(self.policy.limits.seconds.into()) {
                break Ended::Limit(Limit::Time);
            }
            let look = Instant::now();
            if let Some(limit) = self.used_up() {
                break Ended::Limit(limit);
            }
            wait = least.max(look.elapsed() * SHARE);
        };
        self.end_all();
        Ok(match ended {
            Ended::Signalled(libc::SIGXFSZ) => Ended::Limit(Limit::Disk),
            Ended::Signalled(libc::SIGKILL) if self.group.is_some_and(Group::ran_out_of_memory) => {
                Ended::Limit(Limit::Memory)
            }
            ended => ended,
        })
    }

    fn used_up(&mut self) -> Option<Limit> {
        let limits = &self.policy.limits;
        let members = self.family.members();
        if members.len() > limits.processes as usize {
            return Some(Limit::Processes);
        }
        if processes::memory(&members) > u64::from(limits.memory_mb) << 20
            || self.group.is_some_and(Group::ran_out_of_memory)
        {
            return Some(Limit::Memory);
        }
        self.watch.exceeded().then_some(Limit::Disk)
    }

    /// Until nothing is left, or for as long as it may take: a process may not be able to end at once.
    fn end_all(&self) {
        let started = Instant::now();
        while started.elapsed() < END {
            if let Some(group) = self.group {
                group.kill();
            }
            self.family.kill();
            loop {
                match sys::reap() {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    // No child is left.
                    Err(_) => return,
                }
            }
            sys::readable([], Duration::from_millis(1));
        }
    }
}

/// Takes in all that have ended; how the shell did, if it is among them.
fn reap(shell: sys::Pid) -> Option<Ended> {
    while let Ok(Some((pid, status))) = sys::reap() {
        if pid == shell {
            return Some(match libc::WIFEXITED(status) {
                true => Ended::Exited(libc::WEXITSTATUS(status)),
                false => Ended::Signalled(libc::WTERMSIG(status)),
            });
        }
    }
    None
}
