//! What sets schedules off beside time: files, commits, lines of logs, processes. One thread watches for all of them.
//!
//! The system tells of changes; each change only makes its watch look again, so that lost or doubled news do no harm.

mod commit;
mod file;
mod log;
mod process;
mod rate;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use self::rate::Rate;
use super::service::Inner;
use super::template::Seen;
use crate::api::ApiError;
use crate::model::{ScheduleId, Timing, Trigger};
use crate::storage::schedules::{self as stored, Row};

/// Silence after a change before it is looked at.
const SETTLE: Duration = Duration::from_millis(300);
/// What changes without end is looked at this often.
const LONGEST: Duration = Duration::from_secs(3);
/// What cannot work now is tried again.
const HEAL: Duration = Duration::from_secs(5);
/// Without schedules that wait for anything.
const IDLE: Duration = Duration::from_secs(600);
/// Things that one firing tells of.
pub(super) const MOST_SEEN: usize = 100;

/// What a watch found.
pub(super) struct Found {
    /// None when nothing happened.
    pub seen: Option<Seen>,
    /// Up to where it has looked, if that is kept.
    pub mark: Option<String>,
}

/// One trigger that is watched.
trait Watch: Send {
    /// Looks; what happened since it looked last. The first look happens before anything counts.
    ///
    /// # Errors
    /// Why it cannot be watched now, in words.
    fn look(&mut self) -> Result<Found, String>;

    /// What the system shall tell about: a folder, and whether all below it.
    fn folders(&self) -> Vec<(PathBuf, bool)>;

    /// It looks again after this time, told or not.
    fn interval(&self) -> Duration;
}

fn watch_of(trigger: &Trigger, mark: &str) -> Result<Box<dyn Watch>, String> {
    Ok(match trigger {
        Trigger::File { path, pattern } => Box::new(file::FileWatch::new(path, pattern)?),
        Trigger::Commit { repository, branch } => Box::new(commit::CommitWatch::new(repository, branch, mark)),
        Trigger::Log { path, pattern } => Box::new(log::LogWatch::new(path, pattern)?),
        Trigger::Process { name, begins } => Box::new(process::ProcessWatch::new(name, *begins)?),
        Trigger::SessionStart => return Err("the window opens".to_owned()),
    })
}

/// Whether a trigger can be kept. What it names may be missing now: it heals by itself.
///
/// # Errors
/// In words.
pub(super) fn check(trigger: &Trigger) -> Result<(), ApiError> {
    let refused = |what: String| Err(ApiError::validation(what, "Correct it and save again."));
    let (Trigger::File { path, .. } | Trigger::Log { path, .. } | Trigger::Commit { repository: path, .. }) = trigger
    else {
        if let Trigger::Process { name, .. } = trigger
            && (name.trim().is_empty() || name.chars().count() > 200 || name.contains(['/', '\\']))
        {
            return refused("the name of a process is that of its program, such as \"cargo\"".to_owned());
        }
        return Ok(());
    };
    if !path.is_absolute() {
        return refused(format!("\"{}\" is no whole path", path.display()));
    }
    match watch_of(trigger, "") {
        Ok(_) => Ok(()),
        Err(why) => refused(why),
    }
}

/// The thread's ear: news of the system, and of the schedules.
enum Signal {
    Changed(PathBuf),
    Wake,
    Close,
}

/// How others reach the thread.
#[derive(Default)]
pub(super) struct Triggers(Mutex<Ear>);

#[derive(Default)]
struct Ear {
    sender: Option<Sender<Signal>>,
    closed: bool,
}

impl Triggers {
    fn lock(&self) -> MutexGuard<'_, Ear> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, signal: Signal) {
        if let Some(sender) = &self.lock().sender {
            // The thread has ended when nobody listens.
            drop(sender.send(signal));
        }
    }

    pub fn wake(&self) {
        self.tell(Signal::Wake);
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.tell(Signal::Close);
    }

    fn open(&self) -> Option<(Sender<Signal>, Receiver<Signal>)> {
        let mut ear = self.lock();
        if ear.closed {
            return None;
        }
        let (sender, receiver) = channel();
        ear.sender = Some(sender.clone());
        Some((sender, receiver))
    }
}

struct Watched {
    trigger: Trigger,
    watch: Result<Box<dyn Watch>, String>,
    folders: Vec<(PathBuf, bool)>,
    /// When it is looked at next, told or not.
    look: Instant,
    /// First and last news since it was looked at.
    news: Option<(Instant, Instant)>,
    rate: Rate,
    waiting: Option<(Seen, Option<String>)>,
}

impl Watched {
    fn new(row: &Row, trigger: &Trigger) -> Self {
        Self {
            trigger: trigger.clone(),
            watch: watch_of(trigger, &row.mark),
            folders: Vec::new(),
            look: Instant::now(),
            news: None,
            rate: Rate::default(),
            waiting: None,
        }
    }

    fn is_due(&self) -> bool {
        self.look <= Instant::now()
            || self.news.is_some_and(|(first, last)| last.elapsed() >= SETTLE || first.elapsed() >= LONGEST)
    }

    fn wait(&self) -> Duration {
        let wait = self.look.saturating_duration_since(Instant::now());
        match self.news {
            Some((_, last)) => wait.min(SETTLE.saturating_sub(last.elapsed())),
            None => wait,
        }
    }

    fn takes(&self, path: &Path) -> bool {
        let takes = |(folder, deep): &(PathBuf, bool)| {
            path == folder || if *deep { path.starts_with(folder) } else { path.parent() == Some(folder) }
        };
        self.folders.iter().any(takes)
    }
}

/// Watches until the service closes.
pub(super) fn run(inner: &Inner) {
    let Some((sender, receiver)) = inner.triggers.open() else { return };
    let mut thread = Thread { inner, system: listen(sender), told: BTreeSet::new(), watched: BTreeMap::new() };
    let mut reload = true;
    loop {
        (inner.parts.turn)("triggers");
        if reload {
            match stored::list(&inner.parts.main, inner.parts.profile) {
                Ok(rows) => reload = !thread.load(&rows),
                Err(error) => tracing::warn!(%error, "schedules could not be looked at"),
            }
        }
        thread.look();
        let wait = thread.watched.values().map(Watched::wait).min().unwrap_or(IDLE);
        let wait = if reload { wait.min(HEAL) } else { wait };
        match receiver.recv_timeout(wait.max(Duration::from_millis(5))) {
            Ok(Signal::Changed(path)) => {
                thread.heard(&path);
                // What came with it.
                while let Ok(signal) = receiver.try_recv() {
                    match signal {
                        Signal::Changed(path) => thread.heard(&path),
                        Signal::Wake => reload = true,
                        Signal::Close => return,
                    }
                }
            }
            Ok(Signal::Wake) => reload = true,
            Ok(Signal::Close) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// None where the system cannot tell: everything is looked at in intervals then.
fn listen(sender: Sender<Signal>) -> Option<RecommendedWatcher> {
    let handler = move |event: Result<notify::Event, notify::Error>| {
        let Ok(event) = event else { return };
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in event.paths {
            drop(sender.send(Signal::Changed(path)));
        }
    };
    notify::recommended_watcher(handler)
        .inspect_err(|error| tracing::warn!(%error, "triggers look at their files in intervals"))
        .ok()
}

struct Thread<'a> {
    inner: &'a Inner,
    system: Option<RecommendedWatcher>,
    /// What the system tells about.
    told: BTreeSet<(PathBuf, bool)>,
    watched: BTreeMap<ScheduleId, Watched>,
}

impl Thread<'_> {
    /// Follows the schedules as they are now. False when it must be done again.
    fn load(&mut self, rows: &[Row]) -> bool {
        let mut wanted = BTreeSet::new();
        for row in rows.iter().filter(|row| row.settings.enabled) {
            let Timing::When { trigger } = &row.settings.timing else { continue };
            if *trigger == Trigger::SessionStart {
                continue;
            }
            wanted.insert(row.id);
            if self.watched.get(&row.id).is_none_or(|watched| watched.trigger != *trigger) {
                self.watched.insert(row.id, Watched::new(row, trigger));
            }
        }
        self.watched.retain(|id, _| wanted.contains(id));
        true
    }

    fn heard(&mut self, path: &Path) {
        let now = Instant::now();
        for watched in self.watched.values_mut().filter(|watched| watched.takes(path)) {
            watched.news.get_or_insert((now, now)).1 = now;
        }
    }

    /// Looks at what is due, and fires.
    fn look(&mut self) {
        let mut folders = BTreeSet::new();
        for (id, watched) in &mut self.watched {
            if watched.is_due() {
                watched.news = None;
                look_at(self.inner, *id, watched, self.system.is_some());
            }
            folders.extend(watched.folders.iter().cloned());
        }
        self.follow(folders);
    }

    /// Lets the system tell about these folders and no others.
    fn follow(&mut self, folders: BTreeSet<(PathBuf, bool)>) {
        let Some(system) = &mut self.system else { return };
        for gone in self.told.difference(&folders) {
            drop(system.unwatch(&gone.0));
        }
        let mut told: BTreeSet<(PathBuf, bool)> = self.told.intersection(&folders).cloned().collect();
        let now = Instant::now();
        for new in folders.difference(&self.told) {
            let mode = if new.1 { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            match system.watch(&new.0, mode) {
                Ok(()) => {
                    told.insert(new.clone());
                    // What changed between its last look and now was told to nobody.
                    for watched in self.watched.values_mut().filter(|watched| watched.folders.contains(new)) {
                        watched.news.get_or_insert((now, now)).1 = now;
                    }
                }
                Err(error) => tracing::debug!(%error, folder = %new.0.display(), "a folder is looked at in intervals"),
            }
        }
        self.told = told;
    }
}

fn look_at(inner: &Inner, id: ScheduleId, watched: &mut Watched, is_told: bool) {
    let found = match &mut watched.watch {
        Ok(watch) => watch.look().map(|found| (found, watch.interval(), watch.folders())),
        Err(why) => Err(why.clone()),
    };
    match found {
        Ok((found, interval, folders)) => {
            inner.set_problem(id, None);
            watched.folders = folders;
            watched.look = Instant::now() + if is_told { interval } else { interval.min(HEAL) };
            hand_on(inner, id, watched, found);
        }
        Err(why) => {
            inner.set_problem(id, Some(why));
            watched.folders.clear();
            watched.look = Instant::now() + HEAL;
        }
    }
}

/// Sets the schedule off, now or when its turn has come.
fn hand_on(inner: &Inner, id: ScheduleId, watched: &mut Watched, found: Found) {
    match (found.seen, &mut watched.waiting) {
        (Some(seen), Some((waiting, mark))) => {
            waiting.join(seen, MOST_SEEN);
            *mark = found.mark.or(mark.take());
        }
        (Some(seen), waiting) => *waiting = Some((seen, found.mark)),
        (None, None) => {
            if let Some(mark) = found.mark {
                let kept = stored::put_mark(&inner.parts.main, inner.parts.profile, id, mark);
                if let Err(error) = kept {
                    tracing::debug!(%error, "what a trigger has seen was not kept");
                }
            }
        }
        (None, Some(_)) => {}
    }
    if watched.waiting.is_none() {
        return;
    }
    let now = inner.now();
    if let Some(wait) = watched.rate.wait(now) {
        watched.look = watched.look.min(Instant::now() + wait);
        return;
    }
    let Some((seen, mark)) = watched.waiting.take() else { return };
    let fired = stored::get(&inner.parts.main, inner.parts.profile, id)
        .map_err(ApiError::from)
        .and_then(|row| if row.settings.enabled { inner.set_off(row, &seen, mark.clone()) } else { Ok(()) });
    match fired {
        Ok(()) => watched.rate.fired(now),
        Err(error) => {
            tracing::warn!(%error, "a trigger could not make its task");
            watched.waiting = Some((seen, mark));
            watched.look = Instant::now() + HEAL;
        }
    }
}
