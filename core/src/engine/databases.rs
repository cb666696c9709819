//! The open files: the main one from the start, the others when they are first needed; closed together at shutdown.
//! Those that can be built again are made anew when they are damaged, and it is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{StartError, session};
use crate::api::ApiError;
use crate::clock::Clock;
use crate::faults::Turns;
use crate::model::{FileReport, ProfileId};
use crate::settings::Database;
use crate::storage::anew::{KeptAside, open_or_anew};
use crate::storage::disk::{Disk, SystemDisk};
use crate::storage::{Db, DbOptions, Schema, StorageError, check, tables};
use crate::workspace::places::{Places, private_folder};

/// Told when a damaged file was kept aside and made anew.
type Teller = Box<dyn Fn(&KeptAside) + Send + Sync>;

pub struct Databases {
    main: Db,
    /// Of a profile's knowledge file; the others are small.
    cache_bytes: usize,
    places: Places,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    knowledge: Mutex<BTreeMap<ProfileId, Db>>,
    cache: Mutex<Option<Db>>,
    teller: OnceLock<Teller>,
}

impl Databases {
    pub(super) fn open(
        places: &Places,
        cache_bytes: usize,
        clock: &Arc<dyn Clock>,
        turns: Turns,
    ) -> Result<Self, StartError> {
        let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
        let options = DbOptions { clock: clock.clone(), disk: disk.clone(), turns, ..DbOptions::default() };
        let main = Db::open(&places.main_db(), &tables::MAIN, options).map_err(|error| {
            let in_use = matches!(error, StorageError::InUse { .. });
            let owner = in_use.then(|| session::owner(places)).flatten();
            let mut error = ApiError::from(error);
            error.message = format!("the data folder {} cannot be used: {}", places.data().display(), error.message);
            if let Some(owner) = owner {
                error.message = format!("{}: a {} of process {}", error.message, owner.role, owner.pid);
            }
            if in_use { StartError::InUse(error) } else { StartError::Other(error) }
        })?;
        Ok(Self {
            main,
            cache_bytes,
            places: places.clone(),
            clock: clock.clone(),
            disk,
            knowledge: Mutex::default(),
            cache: Mutex::default(),
            teller: OnceLock::new(),
        })
    }

    /// Says who is told of damaged files that were made anew; once.
    pub(super) fn tell(&self, teller: Teller) {
        self.teller.set(teller).ok();
    }

    /// What the person made.
    pub fn main(&self) -> &Db {
        &self.main
    }

    /// Documents, passages and vectors of a profile. A damaged file is kept aside; the new one is empty, and its sources
    /// are read again as those of a profile that was never read.
    pub fn knowledge(&self, profile: ProfileId) -> Result<Db, StorageError> {
        let mut open = self.knowledge.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = open.get(&profile) {
            return Ok(db.clone());
        }
        let db = self.derived(&self.places.knowledge_db(profile), &tables::KNOWLEDGE, self.cache_bytes)?;
        open.insert(profile, db.clone());
        Ok(db)
    }

    /// Closes a profile's file; it is opened again when it is needed.
    pub(super) fn close_knowledge(&self, profile: ProfileId) {
        let open = self.knowledge.lock().unwrap_or_else(PoisonError::into_inner).remove(&profile);
        if let Some(db) = open {
            db.close();
        }
    }

    /// What may be thrown away at any time.
    pub fn cache(&self) -> Result<Db, StorageError> {
        let mut open = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = open.as_ref() {
            return Ok(db.clone());
        }
        let db = self.derived(&self.places.cache_db(), &tables::CACHE, DbOptions::default().cache_bytes)?;
        *open = Some(db.clone());
        Ok(db)
    }

    fn derived(&self, path: &Path, schema: &Schema, cache_bytes: usize) -> Result<Db, StorageError> {
        make_parent(path)?;
        let options =
            DbOptions { cache_bytes, clock: self.clock.clone(), disk: self.disk.clone(), ..DbOptions::default() };
        let (db, kept) = open_or_anew(path, schema, options)?;
        if let (Some(kept), Some(tell)) = (kept, self.teller.get()) {
            tell(&kept);
        }
        Ok(db)
    }

    /// Those that are open now, by file name.
    pub fn open_files(&self) -> Vec<Db> {
        let mut files = vec![self.main.clone()];
        files.extend(self.knowledge.lock().unwrap_or_else(PoisonError::into_inner).values().cloned());
        files.extend(self.cache.lock().unwrap_or_else(PoisonError::into_inner).clone());
        files
    }

    /// Checks every page and row of the main, knowledge and cache files; takes a while, and writes wait meanwhile.
    ///
    /// # Errors
    /// When a file cannot be looked at. Damage is what the reports say.
    pub fn check(&self) -> Result<Vec<FileReport>, StorageError> {
        let mut reports = vec![self.main.check(&tables::MAIN)?];
        let open = self.knowledge.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (folder, path) in knowledge_files(&self.places) {
            let db = open.values().find(|db| db.path() == path);
            let report = match db {
                Some(db) => db.check(&tables::KNOWLEDGE)?,
                None => check::file(&path, &tables::KNOWLEDGE, self.disk.as_ref())?,
            };
            reports.push(FileReport { file: folder, ..report });
        }
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(cache) = cache {
            reports.push(cache.check(&tables::CACHE)?);
        } else if self.places.cache_db().exists() {
            reports.push(check::file(&self.places.cache_db(), &tables::CACHE, self.disk.as_ref())?);
        }
        Ok(reports)
    }

    /// Keeps the history of changes as the settings say, from the next write on. What outlives its time goes with the
    /// daily clean-up.
    pub fn keep_history(&self, chosen: &Database) {
        self.main.set_history(chosen.history_days > 0, u64::try_from(chosen.history_mb).unwrap_or(0) << 20);
    }

    pub(super) fn close(&self) {
        for db in self.open_files().iter().rev() {
            db.close();
        }
    }
}

/// The knowledge files that exist, each with its name below the data folder.
pub fn knowledge_files(places: &Places) -> Vec<(String, PathBuf)> {
    let profiles = places.data().join("profiles");
    let Ok(entries) = std::fs::read_dir(&profiles) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| {
            let name = format!("profiles/{}/knowledge.redb", entry.file_name().to_string_lossy());
            (name, entry.path().join("knowledge.redb"))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    files.sort();
    files
}

fn make_parent(path: &Path) -> Result<(), StorageError> {
    let parent = path.parent().unwrap_or(path);
    private_folder(parent)
        .map_err(|error| StorageError::Open { file: parent.display().to_string(), detail: error.to_string() })
}
