//! Repositories of git: their files as of any folder, and their newest commits as documents.
//!
//! Nothing of a repository's own settings is run or followed. Commits never change, so each is read once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::diff::tree::{Recorder, State, visit::Action};
use gix::objs::TreeRefIter;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;
use rspa_ml::Cancel;

use super::folder::{Files, Folder};
use super::{Kind, Load, Loaded, Look, Writer, moment};
use crate::knowledge::readers::{DocumentKind, Format, Limits, ReadError};
use crate::knowledge::walk::{Found, Obstacle, Walked};
use crate::model::Timestamp;
use crate::storage::knowledge::Stamp;

/// The newest ones that are read.
const MOST_COMMITS: usize = 5_000;
const MOST_TIPS: usize = 500;
/// Of one message, in bytes.
const MOST_MESSAGE: usize = 64 << 10;
/// Changed files that a commit names.
const MOST_FILES: usize = 200;
/// Keys of commits: within `.git`, where no walk goes.
const PREFIX: &str = ".git/commit/";

pub struct Repository {
    pub root: PathBuf,
}

/// Whether a folder is a repository, with a working tree or without one.
pub fn is_repository(path: &Path) -> bool {
    path.join(".git").exists() || is_bare(path)
}

fn is_bare(path: &Path) -> bool {
    !path.join(".git").exists()
        && path.join("HEAD").is_file()
        && path.join("objects").is_dir()
        && path.join("refs").is_dir()
}

fn open(root: &Path) -> Result<gix::Repository, String> {
    let opened = gix::open_opts(root, gix::open::Options::isolated());
    opened.map_err(|_unreadable| "Its git data cannot be read, so its commits are not searched.".to_owned())
}

/// The hash in the key of a commit.
fn commit_of(key: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(key.strip_prefix(PREFIX.as_bytes())?).ok()
}

impl Kind for Repository {
    fn list(&self, look: &mut Look<'_>) -> Result<Walked, Obstacle> {
        let mut walked = match is_bare(&self.root) {
            // What lies in it is git's own.
            true => Walked { folders: vec![self.root.clone()], ..Walked::default() },
            false => Folder { root: self.root.clone() }.list(look)?,
        };
        let mut remarks = Vec::new();
        match open(&self.root) {
            Ok(repository) => {
                self.commits(&repository, &mut walked, &mut remarks, look.cancel)?;
                // A commit adds a line to the log of its head; a bare repository has none.
                let log = repository.git_dir().join("logs");
                walked.folders.extend(log.is_dir().then_some(log).filter(|log| log.starts_with(&self.root)));
            }
            Err(remark) => {
                walked.unseen.push(PREFIX.trim_end_matches('/').as_bytes().to_vec());
                remarks.push(remark);
            }
        }
        if self.root.join(".gitmodules").is_file() {
            let words = "It has submodules: their files are read with it, their commits only where each is a source of its own.";
            remarks.push(words.to_owned());
        }
        if !remarks.is_empty() {
            walked.problems.push((b".git".to_vec(), remarks.join(" ")));
        }
        Ok(walked)
    }

    fn is_made(&self, key: &[u8]) -> bool {
        key.starts_with(PREFIX.as_bytes())
    }

    fn loader(&self) -> Box<dyn Load + '_> {
        Box::new(Commits { root: &self.root, opened: None })
    }
}

impl Repository {
    fn commits(
        &self,
        repository: &gix::Repository,
        walked: &mut Walked,
        remarks: &mut Vec<String>,
        cancel: &Cancel,
    ) -> Result<(), Obstacle> {
        let mut broken = false;
        if repository.head().is_err() {
            remarks.push("Its HEAD cannot be read; the commits of its branches are searched.".to_owned());
        }
        let mut tips: Vec<ObjectId> = repository.head_id().ok().map(|id| id.detach()).into_iter().collect();
        if let Ok(references) = repository.references()
            && let Ok(branches) = references.local_branches()
        {
            for branch in branches.take(MOST_TIPS) {
                match branch.map(|mut branch| branch.peel_to_id().map(|id| id.detach())) {
                    Ok(Ok(id)) => tips.push(id),
                    _ => broken = true,
                }
            }
        }
        tips.sort_unstable();
        tips.dedup();
        if tips.is_empty() {
            return Ok(());
        }
        let sorting = Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
        let mut more = false;
        match repository.rev_walk(tips).sorting(sorting).all() {
            Ok(commits) => {
                for (number, commit) in commits.enumerate() {
                    if number.is_multiple_of(256) && cancel.is_cancelled() {
                        return Err(Obstacle::Cancelled);
                    }
                    if number >= MOST_COMMITS {
                        more = true;
                        break;
                    }
                    // What lies behind a commit that is not there cannot be reached.
                    let Ok(commit) = commit else {
                        broken = true;
                        break;
                    };
                    let seconds = commit.commit_time.unwrap_or_default();
                    walked.files.push(self.found(commit.id, seconds));
                }
            }
            Err(_unreadable) => broken = true,
        }
        if broken {
            walked.unseen.push(PREFIX.trim_end_matches('/').as_bytes().to_vec());
            remarks.push(
                "A part of its git data is damaged or was not fetched: the commits behind it are not searched."
                    .to_owned(),
            );
        } else if repository.is_shallow().unwrap_or(false) {
            remarks.push(
                "Only a part of its history was fetched (it is shallow): older commits are not searched.".to_owned(),
            );
        }
        if more {
            tracing::debug!(path = %self.root.display(), "only the newest commits of a repository are read");
        }
        Ok(())
    }

    fn found(&self, id: ObjectId, seconds: i64) -> Found {
        let key = format!("{PREFIX}{id}");
        Found {
            path: self.root.join(&key),
            relative: key.into_bytes(),
            stamp: Stamp { size: 0, modified: seconds.saturating_mul(1_000_000_000) },
            format: Format::Unknown,
        }
    }
}

struct Commits<'a> {
    root: &'a Path,
    opened: Option<gix::Repository>,
}

impl Load for Commits<'_> {
    fn load(&mut self, found: &Found, limits: &Limits) -> Result<Option<Loaded>, ReadError> {
        let Some(id) = commit_of(&found.relative) else {
            return match found.relative.starts_with(PREFIX.as_bytes()) {
                true => Ok(None),
                false => Files.load(found, limits),
            };
        };
        if self.opened.is_none() {
            let mut repository = open(self.root).map_err(ReadError::Damaged)?;
            repository.object_cache_size_if_unset(8 << 20);
            self.opened = Some(repository);
        }
        let Some(repository) = &self.opened else { return Ok(None) };
        document(repository, id).map(Some).map_err(|error| ReadError::Damaged(error.to_string()))
    }
}

/// A commit as a document: subject, body, who and when, and the files that it changed.
fn document(repository: &gix::Repository, id: ObjectId) -> gix::Result<Loaded> {
    let commit = repository.find_commit(id)?;
    let message = commit.message_raw_sloppy().to_str_lossy();
    let message = message[..message.floor_char_boundary(MOST_MESSAGE)].trim();
    let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
    let author = commit.author()?;
    let (name, email) = (author.name.to_str_lossy().into_owned(), author.email.to_str_lossy().into_owned());
    let seconds = commit.time().map(|time| time.seconds).unwrap_or_default();
    let at = moment(Timestamp(seconds.saturating_mul(1_000)));
    let mut writer = Writer::new();
    writer.heading(1, if subject.trim().is_empty() { "(without a message)" } else { subject });
    if !body.trim().is_empty() {
        writer.lines("");
        writer.lines(body.trim());
    }
    writer.lines("");
    writer.lines(&format!("Commit {id}"));
    writer.lines(&format!("{name} <{email}>, {at}"));
    let (files, all) = changed_files(repository, &commit).unwrap_or_default();
    if !files.is_empty() {
        writer.lines("");
        files.iter().for_each(|file| writer.lines(file));
        if all > files.len() {
            writer.lines("… and more files");
        }
    }
    let metadata = [("author", format!("{name} <{email}>")), ("date", at), ("commit", id.to_string())];
    let metadata = metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(writer.finish(DocumentKind::Commit, subject, metadata))
}

/// What differs from the first parent: the first of them as lines, and how many were seen.
fn changed_files(repository: &gix::Repository, commit: &gix::Commit<'_>) -> gix::Result<(Vec<String>, usize)> {
    let tree = commit.tree()?;
    let before = match commit.parent_ids().next() {
        Some(parent) => Some(repository.find_commit(parent.detach())?.tree()?),
        None => None,
    };
    let mut seen = Bounded::default();
    let old = before.as_ref().map(|tree| tree.data.as_slice()).unwrap_or_default();
    let kind = repository.object_hash();
    let (old, new) = (TreeRefIter::from_bytes(old, kind), TreeRefIter::from_bytes(&tree.data, kind));
    // It ends with an error when there is more than is wanted.
    drop(gix::diff::tree(old, new, State::default(), &repository.objects, &mut seen));
    let mut files = Vec::new();
    let mut known = HashSet::new();
    for change in &seen.inner.records {
        use gix::diff::tree::recorder::Change;
        let (word, mode, path) = match change {
            Change::Addition { entry_mode, path, .. } => ("added", entry_mode, path),
            Change::Deletion { entry_mode, path, .. } => ("deleted", entry_mode, path),
            Change::Modification { entry_mode, path, .. } => ("changed", entry_mode, path),
        };
        if !mode.is_tree() && known.insert(path) {
            files.push(format!("{word} {}", path.to_str_lossy()));
        }
    }
    let all = files.len();
    files.truncate(MOST_FILES);
    Ok((files, all))
}

/// Records changes until there are enough.
#[derive(Default)]
struct Bounded {
    inner: Recorder,
}

impl gix::diff::tree::Visit for Bounded {
    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.inner.pop_front_tracked_path_and_set_current();
    }

    fn push_back_tracked_path_component(&mut self, component: &gix::bstr::BStr) {
        self.inner.push_back_tracked_path_component(component);
    }

    fn push_path_component(&mut self, component: &gix::bstr::BStr) {
        self.inner.push_path_component(component);
    }

    fn pop_path_component(&mut self) {
        self.inner.pop_path_component();
    }

    fn visit(&mut self, change: gix::diff::tree::visit::Change) -> Action {
        // Folders are recorded too, beside the files in them.
        if self.inner.records.len() > MOST_FILES * 4 {
            return Action::Break(());
        }
        self.inner.visit(change)
    }
}
