//! The open files: the main one from the start, the others when they are first needed; closed together at shutdown.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{StartError, session};
use crate::api::ApiError;
use crate::model::ProfileId;
use crate::storage::{Db, DbOptions, StorageError, tables};
use crate::workspace::places::{Places, private_folder};

pub struct Databases {
    main: Db,
    /// Of a profile's knowledge file; the others are small.
    cache_bytes: usize,
    places: Places,
    knowledge: Mutex<BTreeMap<ProfileId, Db>>,
    cache: Mutex<Option<Db>>,
}

impl Databases {
    pub(super) fn open(places: &Places, cache_bytes: usize) -> Result<Self, StartError> {
        let main = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default()).map_err(|error| {
            let in_use = matches!(error, StorageError::InUse { .. });
            let owner = in_use.then(|| session::owner(places)).flatten();
            let mut error = ApiError::from(error);
            error.message = format!("the data folder {} cannot be used: {}", places.data().display(), error.message);
            if let Some(owner) = owner {
                error.message = format!("{}: a {} of process {}", error.message, owner.role, owner.pid);
            }
            if in_use { StartError::InUse(error) } else { StartError::Other(error) }
        })?;
        Ok(Self { main, cache_bytes, places: places.clone(), knowledge: Mutex::default(), cache: Mutex::default() })
    }

    /// What the person made.
    pub fn main(&self) -> &Db {
        &self.main
    }

    /// Documents, passages and vectors of a profile.
    pub fn knowledge(&self, profile: ProfileId) -> Result<Db, StorageError> {
        let mut open = self.knowledge.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = open.get(&profile) {
            return Ok(db.clone());
        }
        let path = self.places.knowledge_db(profile);
        make_parent(&path)?;
        let options = DbOptions { cache_bytes: self.cache_bytes, ..DbOptions::default() };
        let db = Db::open(&path, &tables::KNOWLEDGE, options)?;
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
        let path = self.places.cache_db();
        make_parent(&path)?;
        let db = Db::open(&path, &tables::CACHE, DbOptions::default())?;
        *open = Some(db.clone());
        Ok(db)
    }

    /// Those that are open now, by file name.
    pub fn open_files(&self) -> Vec<Db> {
        let mut files = vec![self.main.clone()];
        files.extend(self.knowledge.lock().unwrap_or_else(PoisonError::into_inner).values().cloned());
        files.extend(self.cache.lock().unwrap_or_else(PoisonError::into_inner).clone());
        files
    }

    pub(super) fn close(&self) {
        for db in self.open_files().iter().rev() {
            db.close();
        }
    }
}

fn make_parent(path: &std::path::Path) -> Result<(), StorageError> {
    let parent = path.parent().unwrap_or(path);
    private_folder(parent)
        .map_err(|error| StorageError::Open { file: parent.display().to_string(), detail: error.to_string() })
}
