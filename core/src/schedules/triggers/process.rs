//! Processes of a name that begin or end.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::{Found, MOST_SEEN, Watch};
use crate::schedules::template::Seen;

const INTERVAL: Duration = Duration::from_secs(2);
/// Linux keeps so many bytes of a name.
const KEPT: usize = 15;

/// Which processes of a name run now: number and start of each.
type Running = BTreeSet<(u32, u64)>;

pub(super) struct ProcessWatch {
    name: String,
    begins: bool,
    system: System,
    before: Option<Running>,
}

impl ProcessWatch {
    pub fn new(name: &str, begins: bool) -> Result<Self, String> {
        let system = System::new().map_err(|error| format!("processes cannot be looked at here: {error}"))?;
        Ok(Self { name: name.trim().to_owned(), begins, system, before: None })
    }

    fn running(&mut self) -> Running {
        let kind = ProcessRefreshKind::nothing().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let own = self.name.as_str();
        let same = |name: &OsStr| {
            let Some(name) = name.to_str() else { return false };
            let name = if cfg!(windows) { name.strip_suffix(".exe").unwrap_or(name) } else { name };
            name == own
                || (cfg!(target_os = "linux")
                    && own.len() > KEPT
                    && own.as_bytes().get(..KEPT) == Some(name.as_bytes()))
        };
        let processes = self.system.processes().values().filter(|process| same(process.name()));
        processes.map(|process| (process.pid().as_u32(), process.start_time())).collect()
    }

    /// What changed against those that ran before.
    fn compare(&mut self, now: Running) -> Option<Seen> {
        let before = self.before.replace(now.clone())?;
        let count = if self.begins { now.difference(&before).count() } else { before.difference(&now).count() };
        let items = (0..count.min(MOST_SEEN)).flat_map(|_| Seen::one([("process", self.name.clone())]).items).take(1);
        (count > 0).then(|| Seen { items: items.collect(), more: count as u64 - 1 })
    }
}

impl Watch for ProcessWatch {
    fn look(&mut self) -> Result<Found, String> {
        let now = self.running();
        Ok(Found { seen: self.compare(now), mark: None })
    }

    fn folders(&self) -> Vec<(PathBuf, bool)> {
        Vec::new()
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_tells_nothing_and_later_ones_what_changed() {
        let mut begins = ProcessWatch::new("cargo", true).unwrap();
        let mut ends = ProcessWatch::new("cargo", false).unwrap();
        let looks = [vec![(1, 1)], vec![(1, 1), (2, 5)], vec![(2, 5)], vec![(2, 9), (3, 9), (4, 9)], vec![]];
        let tell = |watch: &mut ProcessWatch| -> Vec<u64> {
            let all = looks.iter().map(|look| watch.compare(look.iter().copied().collect()));
            all.map(|seen| seen.map_or(0, |seen| seen.items.len() as u64 + seen.more)).collect()
        };
        assert_eq!(tell(&mut begins), [0, 1, 0, 3, 0]);
        // The number of an ended process may be given to another one.
        assert_eq!(tell(&mut ends), [0, 0, 1, 1, 3]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_runs_is_seen_and_one_that_ended_is_not() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let mut watch = ProcessWatch::new("sleep", false).unwrap();
        let own = |running: &Running| running.iter().any(|(id, _)| *id == child.id());
        assert!(own(&watch.running()));
        child.kill().unwrap();
        child.wait().unwrap();
        let number = child.id();
        assert!(!watch.running().iter().any(|(id, _)| *id == number));
    }
}
