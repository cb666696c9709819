//! What Linux offers to shut a command in, and the small process that uses it.

mod cgroup;
mod changes;
mod landlock;
pub(super) mod launcher;
mod limits;
mod namespaces;
mod processes;
mod seccomp;
mod shell;
mod supervisor;
mod sys;
mod system;
mod watch;
