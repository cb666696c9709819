//! Commits that appear on branches of a repository: tips are compared with those that were seen, so that packed refs,
//! force-pushes and many commits at once all come out right. What was seen is kept: commits that were made while the
//! program was closed are told at its next start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::ObjectId;
use gix::revision::walk::Sorting;

use super::{Found, Watch};
use crate::schedules::template::Seen;

/// Commits that one firing tells of.
const MOST_COMMITS: usize = 20;
/// Commits that are counted.
const MOST_COUNTED: usize = 10_000;
const MOST_BRANCHES: usize = 2_000;
const INTERVAL: Duration = Duration::from_secs(30);

type Tips = BTreeMap<String, ObjectId>;

pub(super) struct CommitWatch {
    repository: PathBuf,
    branch: String,
    before: Option<Tips>,
    folders: Vec<(PathBuf, bool)>,
}

impl CommitWatch {
    pub fn new(repository: &Path, branch: &str, mark: &str) -> Self {
        let before = serde_json::from_str::<BTreeMap<String, String>>(mark).ok().map(|tips| {
            let tips = tips.into_iter().filter_map(|(name, id)| Some((name, ObjectId::from_hex(id.as_bytes()).ok()?)));
            tips.collect()
        });
        Self {
            repository: repository.to_owned(),
            branch: branch.trim().trim_start_matches("refs/heads/").to_owned(),
            before,
            folders: Vec::new(),
        }
    }

    fn open(&self) -> Result<gix::Repository, String> {
        if !self.repository.exists() {
            return Err(format!("{} is not there.", self.repository.display()));
        }
        // Nothing of the repository's own settings is run or followed.
        gix::open_opts(&self.repository, gix::open::Options::isolated())
            .map_err(|_unreadable| format!("{} is no git repository that can be read.", self.repository.display()))
    }

    fn tips(&self, repository: &gix::Repository) -> Result<Tips, String> {
        let failed = |error: &dyn std::fmt::Display| format!("the branches cannot be read: {error}");
        let references = repository.references().map_err(|error| failed(&error))?;
        let mut tips = Tips::new();
        for reference in references.local_branches().map_err(|error| failed(&error))? {
            // One that is just being written is there the next time.
            let Ok(mut reference) = reference else { continue };
            let name = reference.name().shorten().to_string();
            if !self.branch.is_empty() && name != self.branch {
                continue;
            }
            if let Ok(id) = reference.peel_to_id() {
                tips.insert(name, id.detach());
            }
            if tips.len() > MOST_BRANCHES {
                return Err(format!("{} has more branches than can be watched.", self.repository.display()));
            }
        }
        Ok(tips)
    }

    /// The commits of a branch that nothing which was seen before leads to; oldest first.
    fn new_commits(
        repository: &gix::Repository,
        tip: ObjectId,
        known: &[ObjectId],
    ) -> Result<(Vec<ObjectId>, u64), String> {
        let failed = |error: &dyn std::fmt::Display| format!("the commits cannot be read: {error}");
        let known = known.iter().copied().filter(|id| repository.has_object(id));
        let walk = repository.rev_walk([tip]).with_hidden(known).sorting(Sorting::BreadthFirst);
        let mut found = Vec::new();
        let mut count = 0;
        for commit in walk.all().map_err(|error| failed(&error))?.take(MOST_COUNTED) {
            let commit = commit.map_err(|error| failed(&error))?;
            count += 1;
            if found.len() < MOST_COMMITS {
                found.push(commit.id);
            }
        }
        found.reverse();
        let more = count - found.len() as u64;
        Ok((found, more))
    }

    fn tell(&self, repository: &gix::Repository, branch: &str, id: ObjectId) -> Seen {
        let message =
            repository.find_commit(id).map(|commit| commit.message_raw_sloppy().to_string()).unwrap_or_default();
        let first = message.trim().chars().take(2_000).collect();
        Seen::one([
            ("path", self.repository.display().to_string()),
            ("commit", id.to_string()),
            ("branch", branch.to_owned()),
            ("message", first),
        ])
    }
}

fn mark_of(tips: &Tips) -> String {
    let tips: BTreeMap<&str, String> = tips.iter().map(|(name, id)| (name.as_str(), id.to_string())).collect();
    serde_json::to_string(&tips).unwrap_or_default()
}

impl Watch for CommitWatch {
    fn look(&mut self) -> Result<Found, String> {
        let repository = self.open()?;
        let common = repository.common_dir().to_owned();
        self.folders = vec![(common.clone(), false), (common.join("refs/heads"), true)];
        let tips = self.tips(&repository)?;
        if !self.branch.is_empty() && tips.is_empty() && self.before.as_ref().is_none_or(Tips::is_empty) {
            // An empty repository has no branch yet; another one may get it.
            self.before = Some(Tips::new());
            return Err(format!("{} has no branch \"{}\" yet.", self.repository.display(), self.branch));
        }
        let Some(before) = &self.before else {
            // Nothing that was there before counts.
            let mark = mark_of(&tips);
            self.before = Some(tips);
            return Ok(Found { seen: None, mark: Some(mark) });
        };
        if *before == tips {
            return Ok(Found { seen: None, mark: None });
        }
        let mut known: Vec<ObjectId> = before.values().copied().collect();
        let mut seen = Seen::default();
        for (branch, tip) in &tips {
            if before.get(branch) == Some(tip) {
                continue;
            }
            let (commits, more) = Self::new_commits(&repository, *tip, &known)?;
            seen.more += more;
            for id in commits {
                seen.join(self.tell(&repository, branch, id), MOST_COMMITS);
            }
            // A commit on two branches is told once.
            known.push(*tip);
        }
        let mark = mark_of(&tips);
        self.before = Some(tips);
        Ok(Found { seen: (!seen.items.is_empty()).then_some(seen), mark: Some(mark) })
    }

    fn folders(&self) -> Vec<(PathBuf, bool)> {
        self.folders.clone()
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }
}
