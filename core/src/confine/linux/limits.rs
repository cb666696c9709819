//! Limits of single processes: the bounds that hold even should the supervisor be late.

use std::io;

use super::super::policy::{Policy, Way};
use super::{processes, sys};

const MIB: u64 = 1 << 20;

/// A process may reserve so many times the memory that all together may use: runtimes reserve far more than they use.
const RESERVED: u64 = 4;

/// What a process may take between two looks of the supervisor, which then ends it and can say why.
const OVERTAKES: u64 = 512 * MIB;

/// Above the limit of processes: the supervisor ends the command as soon as there are more, and says so. With fewer, a
/// command that starts one after the other would only see them fail.
const SPARE_PROCESSES: u64 = 128;

/// For the process that becomes the shell.
pub fn apply(policy: &Policy) -> io::Result<()> {
    let limits = &policy.limits;
    let memory = u64::from(limits.memory_mb) * MIB;
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let others = match policy.way {
        // A namespace counts its own processes.
        Way::Apart | Way::Within => 0,
        Way::Plain => processes::of_user(sys::ids().0),
    };
    sys::limit(libc::RLIMIT_CORE, 0)?;
    sys::limit(libc::RLIMIT_NOFILE, 1_024)?;
    sys::limit(libc::RLIMIT_MEMLOCK, 64 << 10)?;
    sys::limit(libc::RLIMIT_MSGQUEUE, 0)?;
    // A process that overtakes the supervisor's look ends here.
    sys::limit(libc::RLIMIT_DATA, memory + OVERTAKES)?;
    // Runtimes that serve reserve tens of gigabytes that they never touch, and work for as long as they are needed.
    if !policy.serves() {
        sys::limit(libc::RLIMIT_AS, memory * RESERVED + OVERTAKES)?;
        sys::limit(libc::RLIMIT_CPU, (u64::from(limits.seconds) + 1) * cores)?;
    }
    sys::limit(libc::RLIMIT_FSIZE, u64::from(limits.disk_mb) * MIB)?;
    sys::limit(libc::RLIMIT_NPROC, others + u64::from(limits.processes) + SPARE_PROCESSES)
}
