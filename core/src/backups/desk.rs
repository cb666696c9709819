//! All that can be done with the backups of one data folder, whether the engine runs or its database cannot be opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compare;
use super::folder::{self, Checks, Found, Retention};
use super::prepare::{self, State};
use super::schedule;
use super::work::Watch;
use super::write::{self, Order};
use super::{BackupError, verify};
use crate::model::{
    BackupInfo, BackupList, BackupReason, DataKind, HistoryRange, Merged, RestoreFrom, RestorePreview, SettingEntry,
    Timestamp,
};
use crate::settings::Settings;
use crate::storage::disk::Disk;
use crate::storage::{Db, DbOptions, history, merge, snapshot, tables};

/// Where a copy of the database, or a state that is looked at, lies for a moment.
const WORKING: &str = "backup-working";
/// Who holds this turn works on backups; nobody else does meanwhile, in no process.
const TURN: &str = "backup-turn";

/// Tells the bytes that are free on the disk of a folder.
pub type Room = Arc<dyn Fn(&Path) -> u64 + Send + Sync>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    /// The data folder.
    pub data: PathBuf,
    /// Disk and clock among them.
    pub options: DbOptions,
    pub settings: Arc<Settings>,
    /// The open database; none where it cannot be opened.
    pub main: Option<Db>,
    pub room: Room,
    pub zone: jiff::tz::TimeZone,
}

/// A backup that was made.
pub struct Created {
    pub info: BackupInfo,
    /// How the copy into the second folder went, where there is one.
    pub second: Option<Result<(), BackupError>>,
    /// Names of those that were too old or too many.
    pub removed: Vec<String>,
}

/// A state that is committed and waits for the next start.
pub struct Replaced {
    pub from: String,
    pub as_of: Timestamp,
}

/// What a merge did.
pub struct MergedState {
    pub from: String,
    pub as_of: Timestamp,
    pub kinds: Vec<Merged>,
    /// Settings that changed.
    pub settings: Vec<SettingEntry>,
}

impl Desk {
    fn disk(&self) -> &dyn Disk {
        self.options.disk.as_ref()
    }

    fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    fn free(&self) -> u64 {
        (self.room)(&self.data)
    }

    fn working(&self) -> PathBuf {
        self.data.join(WORKING)
    }

    /// Where backups go.
    pub fn folder(&self) -> PathBuf {
        let chosen = self.settings.current().backups.folder.clone();
        if chosen.is_empty() { self.data.join("backups") } else { self.data.join(chosen) }
    }

    fn second(&self) -> Option<PathBuf> {
        let chosen = self.settings.current().backups.second_folder.clone();
        (!chosen.is_empty()).then(|| self.data.join(chosen)).filter(|second| *second != self.folder())
    }

    fn keep(&self) -> Retention {
        let current = self.settings.current();
        Retention { count: usize::try_from(current.backups.count).unwrap_or(1), days: current.backups.days }
    }

    fn turn(&self) -> Result<Box<dyn Send>, BackupError> {
        let path = self.data.join(TURN);
        self.disk().turn(&path).map_err(|error| BackupError::io("written", &path, &error))
    }

    fn main(&self) -> Result<&Db, BackupError> {
        self.main.as_ref().ok_or_else(|| BackupError::Refused("the database is not open".to_owned()))
    }

    /// What there is. Problems of the folders are told in it.
    pub fn list(&self) -> BackupList {
        let (folder, second_folder) = (self.folder(), self.second());
        let checks = Checks::read(self.disk(), &self.data);
        let (found, problem) = match folder::find(self.disk(), &folder) {
            Ok(found) => (found, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let second_problem = second_folder.as_deref().and_then(|second| self.second_problem(second));
        let copied =
            |found: &Found| second_folder.as_ref().is_some_and(|second| self.disk().exists(&second.join(&found.name)));
        let backups = found.iter().map(|found| folder::info(self.disk(), found, &checks, copied(found))).collect();
        let next_daily = self.settings.current().backups.daily.then(|| self.next_daily(&found)).flatten();
        BackupList { folder, second_folder, second_problem, backups, next_daily, problem }
    }

    fn second_problem(&self, second: &Path) -> Option<String> {
        match self.disk().list(second) {
            Ok(_) => None,
            Err(error) => Some(BackupError::io("used", second, &error).to_string()),
        }
    }

    fn last_daily(&self, found: &[Found]) -> Timestamp {
        let last = found.iter().find(|found| found.reason == BackupReason::Daily).map(|found| found.made);
        last.unwrap_or_else(|| self.began())
    }

    /// When the first profile was made: a data folder that is new needs no backup at once.
    fn began(&self) -> Timestamp {
        let profiles = self.main.as_ref().and_then(|main| crate::storage::profiles::list(main).ok());
        profiles.and_then(|all| all.into_iter().map(|profile| profile.created).min()).unwrap_or_default()
    }

    fn next_daily(&self, found: &[Found]) -> Option<Timestamp> {
        schedule::next(self.now(), self.last_daily(found), self.settings.current().backups.hour, &self.zone)
    }

    /// Whether a daily backup should be made now.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn daily_is_due(&self) -> Result<bool, BackupError> {
        let current = self.settings.current();
        if !current.backups.daily {
            return Ok(false);
        }
        let found = folder::find(self.disk(), &self.folder())?;
        Ok(schedule::due(self.now(), self.last_daily(&found), current.backups.hour, &self.zone))
    }

    /// Makes a backup, verifies it, copies it into the second folder, and lets too old ones go.
    ///
    /// # Errors
    /// What reading and writing meets; a failure of the second folder is none. Older backups are untouched then.
    pub fn create(&self, reason: BackupReason, to: Option<&Path>, watch: &dyn Watch) -> Result<Created, BackupError> {
        let main = self.main()?;
        let _turn = self.turn()?;
        let working = self.working();
        let copy = working.join("main.redb");
        let made = folder::fresh(self.disk(), &working)
            .and_then(|()| Ok(snapshot::copy_to(main, &tables::MAIN, &copy, self.disk())?))
            .and_then(|()| self.create_of(&copy, reason, to, watch));
        folder::remove_folder_quietly(self.disk(), &working);
        made
    }

    /// As [`Desk::create`], of a closed database file. The caller has the turn, or nobody else can be there yet.
    pub(super) fn create_of(
        &self,
        database: &Path,
        reason: BackupReason,
        to: Option<&Path>,
        watch: &dyn Watch,
    ) -> Result<Created, BackupError> {
        let own = self.folder();
        let folder = to.map_or(own.clone(), Path::to_owned);
        let order = Order { data: &self.data, database, folder: &folder, reason, made: self.now() };
        let written = write::write(self.disk(), &order, watch)?;
        let name = written.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut checks = Checks::read(self.disk(), &self.data);
        checks.set(&name, written.size, self.now(), None);
        let is_own = folder == own;
        let second = self.second().filter(|_| is_own);
        let copied =
            second.as_deref().map(|second| folder::copy_to(self.disk(), &written.path, second, watch).map(drop));
        let mut removed = Vec::new();
        // The backup before a restore lets nothing go: what is restored may be the oldest one.
        if is_own && reason != BackupReason::Restore {
            removed = self.prune(&own, &checks);
            if let (Some(second), Some(Ok(()))) = (&second, &copied) {
                self.prune(second, &checks);
            }
        }
        if let Ok(kept) = folder::find(self.disk(), &own)
            && is_own
        {
            checks.forget_others(&kept);
            self.store(&checks);
        }
        let found = Found { name, path: written.path, made: order.made, reason };
        let mut info = folder::info(self.disk(), &found, &checks, matches!(copied, Some(Ok(()))));
        folder::describe(&mut info, &written.manifest);
        Ok(Created { info, second: copied, removed })
    }

    fn prune(&self, folder: &Path, checks: &Checks) -> Vec<String> {
        folder::prune(self.disk(), folder, self.keep(), checks, self.now()).unwrap_or_else(|error| {
            tracing::warn!(%error, "old backups stay");
            Vec::new()
        })
    }

    /// What is known of backups can be found out again: that it is not stored is no failure.
    fn store(&self, checks: &Checks) {
        if let Err(error) = checks.store(self.disk(), &self.data) {
            tracing::warn!(%error, "it was not noted that a backup was verified");
        }
    }

    fn found(&self, name: &str) -> Result<Found, BackupError> {
        let mut all = folder::find(self.disk(), &self.folder())?.into_iter();
        all.find(|found| found.name == name).ok_or_else(|| BackupError::NotFound(name.to_owned()))
    }

    /// Reads a backup whole. What is wrong with it stands in the result.
    ///
    /// # Errors
    /// When there is no such backup, no room to unpack it, or it was stopped.
    pub fn verify(&self, name: &str, watch: &dyn Watch) -> Result<BackupInfo, BackupError> {
        let _turn = self.turn()?;
        let found = self.found(name)?;
        let problem = match verify::verify(self.disk(), &found.path, &self.working(), self.free(), watch) {
            Ok(_manifest) => None,
            Err(
                error @ (BackupError::Cancelled
                | BackupError::NoRoom { .. }
                | BackupError::Full { .. }
                | BackupError::Io { .. }),
            ) => return Err(error),
            Err(error) => Some(error.to_string()),
        };
        let mut checks = Checks::read(self.disk(), &self.data);
        checks.set(name, self.disk().len(&found.path).unwrap_or(0), self.now(), problem);
        self.store(&checks);
        let copied = self.second().is_some_and(|second| self.disk().exists(&second.join(name)));
        Ok(folder::info(self.disk(), &found, &checks, copied))
    }

    /// Removes a backup, and its copy in the second folder where that can be reached.
    ///
    /// # Errors
    /// When there is no such backup or it cannot be removed.
    pub fn delete(&self, name: &str) -> Result<(), BackupError> {
        let _turn = self.turn()?;
        let found = self.found(name)?;
        self.disk().remove_file(&found.path).map_err(|error| BackupError::io("removed", &found.path, &error))?;
        if let Some(second) = self.second() {
            folder::remove_quietly(self.disk(), &second.join(name));
        }
        let folder = self.folder();
        self.disk().sync_folder(&folder).map_err(|error| BackupError::io("written", &folder, &error))
    }

    fn state(&self, from: &RestoreFrom, into: PathBuf, watch: &dyn Watch) -> Result<State, BackupError> {
        match from {
            RestoreFrom::Backup { name } => {
                State::from_backup(&self.options, &self.found(name)?.path, into, self.free(), watch)
            }
            RestoreFrom::File { path } if path.is_absolute() => {
                State::from_backup(&self.options, path, into, self.free(), watch)
            }
            RestoreFrom::File { path } => Err(BackupError::NotFound(path.display().to_string())),
            RestoreFrom::Time { at } => State::from_history(&self.options, self.main()?, *at, into),
        }
    }

    /// What restoring would change.
    ///
    /// # Errors
    /// What is wrong with the backup or the disk.
    pub fn preview(&self, from: RestoreFrom, watch: &dyn Watch) -> Result<RestorePreview, BackupError> {
        let _turn = self.turn()?;
        let state = self.state(&from, self.working(), watch)?;
        compare::compare(self.disk(), &self.data, self.main.as_ref(), &state, from)
    }

    /// Prepares another state and commits it: it comes into force when the engine starts again.
    ///
    /// # Errors
    /// What is wrong with the backup or the disk; then nothing is changed.
    pub fn replace(&self, from: &RestoreFrom, watch: &dyn Watch) -> Result<Replaced, BackupError> {
        let _turn = self.turn()?;
        let state = self.state(from, prepare::preparing(&self.data), watch)?;
        let database = state.database()?;
        let stay = !state.brings_credentials(&self.data);
        let carried = self.main.as_ref().map_or(Ok(()), |main| merge::carry(main, &database, stay));
        database.close();
        carried?;
        let replaced = Replaced { from: state.from.clone(), as_of: state.as_of };
        state.commit(&self.data, self.now())?;
        Ok(replaced)
    }

    /// Adds what another state has and the present one lacks.
    ///
    /// # Errors
    /// What is wrong with the backup or the disk. The database is changed wholly or not at all.
    pub fn merge(&self, from: &RestoreFrom, watch: &dyn Watch) -> Result<MergedState, BackupError> {
        let main = self.main()?;
        let _turn = self.turn()?;
        let state = self.state(from, self.working(), watch)?;
        let database = state.database()?;
        let kinds = merge::merge(main, &database);
        database.close();
        let mut merged =
            MergedState { from: state.from.clone(), as_of: state.as_of, kinds: kinds?, settings: Vec::new() };
        if state.manifest.is_some() {
            self.merge_settings(&state, &mut merged);
            self.merge_notes(&state, &mut merged)?;
        }
        merged.kinds.retain(|merged| merged.added > 0 || merged.kept > 0);
        Ok(merged)
    }

    fn merge_settings(&self, state: &State, merged: &mut MergedState) {
        let here = compare::settings_of(&self.data);
        let mut count = Merged { kind: DataKind::Settings, added: 0, kept: 0 };
        for (key, entry) in compare::settings_of(state.folder()) {
            match here.get(&key) {
                Some(present) => count.kept += u64::from(present.value != entry.value),
                None => match self.settings.set(&key, &entry.value) {
                    Ok(changed) => {
                        merged.settings.extend(changed);
                        count.added += 1;
                    }
                    // A variable or the command line sets it: the present one stays.
                    Err(error) => {
                        tracing::info!(key, %error, "a setting of the backup was not taken over");
                        count.kept += 1;
                    }
                },
            }
        }
        merged.kinds.push(count);
    }

    fn merge_notes(&self, state: &State, merged: &mut MergedState) -> Result<(), BackupError> {
        let Some(manifest) = &state.manifest else { return Ok(()) };
        let missing = compare::missing_notes(self.disk(), &self.data, manifest);
        for name in &missing {
            let (from, to) = (state.folder().join(name), self.data.join(name));
            let parent = to.parent().unwrap_or(&self.data);
            folder::make(self.disk(), parent)?;
            self.disk().rename(&from, &to).map_err(|error| BackupError::io("written", &to, &error))?;
            self.disk().sync_folder(parent).map_err(|error| BackupError::io("written", parent, &error))?;
        }
        merged.kinds.push(Merged { kind: DataKind::Notes, added: missing.len() as u64, kept: 0 });
        Ok(())
    }

    /// How far back the change history reaches.
    ///
    /// # Errors
    /// What reading meets.
    pub fn history_range(&self) -> Result<Option<HistoryRange>, BackupError> {
        let range = history::range(self.main()?)?;
        Ok(range.map(|(oldest, newest)| HistoryRange { oldest, newest }))
    }
}
