//! The processes of a command: which there are, and what they hold of memory.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use super::sys::{self, Pid};

/// Which processes belong to the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// All of this namespace but its first, which is the supervisor.
    Namespace,
    /// All that descend from the supervisor.
    Descendants,
}

/// A process that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    pid: Pid,
    parent: Pid,
    ended: bool,
}

impl Family {
    /// All that live.
    pub fn members(self) -> Vec<Pid> {
        let entries = entries();
        let own = sys::pid();
        match self {
            Self::Namespace => {
                entries.iter().filter(|entry| entry.pid != own && !entry.ended).map(|entry| entry.pid).collect()
            }
            Self::Descendants => descendants(&entries, own),
        }
    }

    /// Ends all of them.
    pub fn kill(self) {
        match self {
            // From the first process of a namespace: all others in it.
            Self::Namespace => sys::kill(-1, libc::SIGKILL),
            Self::Descendants => self.members().into_iter().for_each(|pid| sys::kill(pid, libc::SIGKILL)),
        }
    }
}

/// Bytes of memory that these hold: their own pages, shared ones that they touched, and what was swapped out. Pages that
/// a process shares with its parent since its start count for both.
pub fn memory(pids: &[Pid]) -> u64 {
    pids.iter().filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok()).map(|text| held(&text)).sum()
}

/// How many processes and threads of this user there are.
pub fn of_user(user: u32) -> u64 {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = entries.filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name.parse::<Pid>().is_ok())
            && entry.metadata().is_ok_and(|data| data.uid() == user)
    });
    own.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok())
        .filter_map(|text| field(&text, "Threads:"))
        .sum()
}

fn entries() -> Vec<Entry> {
    let folder = fs::read_dir("/proc").into_iter().flatten().flatten();
    folder
        .filter_map(|entry| entry.file_name().to_str()?.parse::<Pid>().ok())
        .filter_map(|pid| parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?))
        .collect()
}

/// From `/proc/PID/stat`; the name in it is the process's own choice and may hold anything.
fn parse(pid: Pid, stat: &[u8]) -> Option<Entry> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&stat[end + 1..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    Some(Entry { pid, parent, ended: matches!(state, "Z" | "X") })
}

fn descendants(entries: &[Entry], root: Pid) -> Vec<Pid> {
    let mut children: HashMap<Pid, Vec<&Entry>> = HashMap::new();
    for entry in entries {
        children.entry(entry.parent).or_default().push(entry);
    }
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(parent) = next.pop() {
        // Taken out, so that even a table that was read while it changed gives no circle.
        for child in children.remove(&parent).unwrap_or_default() {
            next.push(child.pid);
            if !child.ended {
                found.push(child.pid);
            }
        }
    }
    found
}

fn held(status: &str) -> u64 {
    ["RssAnon:", "RssShmem:", "VmSwap:"].iter().filter_map(|name| field(status, name)).sum::<u64>() << 10
}

fn field(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_names_itself_to_confuse_is_still_found() {
        let stat = b"7 (x) R 1 ) Z) S 42 7 7 0 -1 4194304";
        assert_eq!(parse(7, stat), Some(Entry { pid: 7, parent: 42, ended: false }));
        assert_eq!(parse(7, b"7 (x"), None);
        assert!(parse(9, b"9 (a) Z 1 0").unwrap().ended);
    }

    #[test]
    fn descendants_are_found_over_dead_ones_and_circles_end() {
        let entry = |pid, parent, ended| Entry { pid, parent, ended };
        let entries = [
            entry(1, 0, false),
            entry(5, 1, false),
            entry(6, 5, true),
            entry(7, 6, false),
            entry(8, 1, false),
            entry(20, 21, false),
            entry(21, 20, false),
        ];
        let mut found = descendants(&entries, 5);
        found.sort_unstable();
        assert_eq!(found, [7]);
        assert_eq!(descendants(&entries, 20), [21, 20]);
    }

    #[test]
    fn memory_is_what_is_held_not_what_is_reserved() {
        let status = "Name:\tx\nVmPeak:\t 900000 kB\nRssAnon:\t     100 kB\nRssFile:\t 5000 kB\nRssShmem:\t 20 kB\nVmSwap:\t 3 kB\n";
        assert_eq!(held(status), 123 << 10);
        assert!(memory(&[sys::pid()]) > 0);
        assert!(of_user(sys::ids().0) > 0);
    }
}
