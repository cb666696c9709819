//! A control group of version 2 for one command, where the system lets this user make one.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::sys;
use crate::model::CommandLimits;

/// Where the hierarchy is mounted on all systems that have only version 2.
const ROOT: &str = "/sys/fs/cgroup";

/// How far above its own group a process looks for one that it may divide.
const ABOVE: usize = 4;

/// A group that is removed with the value. Its files stay open: inside of a namespace they have no names.
pub struct Group {
    path: PathBuf,
    members: File,
    kill: Option<File>,
    events: Option<File>,
}

impl Group {
    /// A new and empty group with these limits.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn new(limits: &CommandLimits) -> Result<Self, &'static str> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::below(Path::new(ROOT), &own, limits)
    }

    fn below(root: &Path, own: &str, limits: &CommandLimits) -> Result<Self, &'static str> {
        if !root.join("cgroup.controllers").exists() {
            return Err("this system does not use version 2");
        }
        let own = own.lines().find_map(|line| line.strip_prefix("0::/")).ok_or("the process is in no group")?;
        let own = root.join(own);
        for parent in own.ancestors().take_while(|path| path.starts_with(root)).take(ABOVE) {
            let offered = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
            let offers = |name| offered.split_ascii_whitespace().any(|controller| controller == name);
            if !offers("memory") || !offers("pids") {
                continue;
            }
            let path = parent.join(format!("rspa-command-{}", sys::pid()));
            if fs::create_dir(&path).is_err() {
                continue;
            }
            match Self::set(&path, limits) {
                Ok(group) => return Ok(group),
                Err(_) => fs::remove_dir(&path).ok(),
            };
        }
        Err("no group is handed to this user")
    }

    fn set(path: &Path, limits: &CommandLimits) -> io::Result<Self> {
        let write = |name: &str, value: String| fs::write(path.join(name), value);
        // Above the limit that the supervisor holds, and names.
        write("pids.max", (u64::from(limits.processes) + 128).to_string())?;
        write("memory.max", (u64::from(limits.memory_mb) << 20).to_string())?;
        write("memory.oom.group", "1".to_owned()).ok();
        // Not there where the kernel swaps nothing.
        write("memory.swap.max", "0".to_owned()).ok();
        let open = |name: &str| File::options().write(true).create(true).truncate(false).open(path.join(name));
        Ok(Self {
            path: path.to_owned(),
            members: open("cgroup.procs")?,
            kill: open("cgroup.kill").ok(),
            events: File::open(path.join("memory.events")).ok(),
        })
    }

    /// Puts this process, and so all that it will start, into the group.
    pub fn enter(&self) -> io::Result<()> {
        (&self.members).write_all(b"0")
    }

    /// Ends all in it at once, where the kernel can do that.
    pub fn kill(&self) {
        if let Some(mut kill) = self.kill.as_ref() {
            kill.write_all(b"1").ok();
        }
    }

    pub fn ran_out_of_memory(&self) -> bool {
        let Some(mut events) = self.events.as_ref() else { return false };
        let mut text = String::new();
        let read = events.rewind().and_then(|()| events.read_to_string(&mut text));
        read.is_ok() && text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count != "0"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        fs::remove_dir(&self.path).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain files where the kernel's would be: what is written where, not what the kernel makes of it.
    #[test]
    fn the_nearest_group_that_may_be_divided_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let own = "0::/user/app/rspa.scope\n";
        let limits = CommandLimits::default();
        let why = |result: Result<Group, &'static str>| result.err().unwrap();
        assert!(why(Group::below(root.path(), own, &limits)).contains("version 2"));
        fs::write(root.path().join("cgroup.controllers"), "memory pids").unwrap();
        assert!(why(Group::below(root.path(), "1:cpu:/\n", &limits)).contains("no group"));
        fs::create_dir_all(root.path().join("user/app/rspa.scope")).unwrap();
        fs::write(root.path().join("user/app/rspa.scope/cgroup.subtree_control"), "pids\n").unwrap();
        assert!(why(Group::below(root.path(), own, &limits)).contains("handed"));
        fs::write(root.path().join("user/app/cgroup.subtree_control"), "cpu memory pids\n").unwrap();
        let group = Group::below(root.path(), own, &limits).unwrap();
        let path = root.path().join(format!("user/app/rspa-command-{}", sys::pid()));
        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
        assert_eq!((read("pids.max"), read("memory.max")), ("192".to_owned(), (1u64 << 30).to_string()));
        assert!(!group.ran_out_of_memory());
        group.enter().unwrap();
        group.kill();
        assert_eq!((read("cgroup.procs"), read("cgroup.kill")), ("0".to_owned(), "1".to_owned()));
    }
}
