//! Recovery of one data folder with its real disk and backups: what the window and the commands hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Exported, NewestBackup, Recovery, Shelf};
use crate::api::{ApiError, CoreOptions};
use crate::backups::{Desk, Unwatched};
use crate::clock::Clock;
use crate::model::{BackupState, RestoreFrom};
use crate::settings::Settings;
use crate::storage::disk::{Disk, SystemDisk};
use crate::workspace::places::Places;

/// Cheap to clone; works while no core runs.
#[derive(Clone)]
pub struct Rescue {
    places: Places,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    settings: Arc<Settings>,
}

/// The backups of the data folder.
impl Shelf for Desk {
    fn newest(&self) -> Result<Option<NewestBackup>, ApiError> {
        let list = self.list();
        if let Some(problem) = list.problem {
            return Err(ApiError::new(crate::api::ErrorCategory::Storage, problem, "Check the folder of the backups."));
        }
        for found in list.backups {
            let usable = match &found.state {
                BackupState::Good { .. } => true,
                BackupState::Bad { .. } => false,
                BackupState::Unknown => self
                    .verify(&found.name, &Unwatched)
                    .is_ok_and(|info| matches!(info.state, BackupState::Good { .. })),
            };
            if usable {
                let (chats, messages, sources) = (found.chats, found.messages, found.sources);
                return Ok(Some(NewestBackup { name: found.name, at: found.made, chats, messages, sources }));
            }
        }
        Ok(None)
    }

    fn restore(&self, name: &str) -> Result<(), ApiError> {
        self.replace(&RestoreFrom::Backup { name: name.to_owned() }, &Unwatched)?;
        Ok(())
    }
}

impl Rescue {
    /// For the data folder that these options name.
    ///
    /// # Errors
    /// When the environment names no home folder, or the settings cannot be used.
    pub fn of(options: &CoreOptions) -> Result<Self, ApiError> {
        let executable = std::env::current_exe().ok();
        let places = Places::find(&options.environment, options.data_folder.as_deref(), executable.as_deref())?;
        let working = std::env::current_dir().ok();
        let settings = Settings::load(&places, &options.environment, &options.overrides, working.as_deref())?;
        let (disk, clock) = (Arc::new(SystemDisk), options.clock.clone());
        Ok(Self { places, disk, clock, settings: Arc::new(settings) })
    }

    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The backups of this data folder.
    fn shelf(&self) -> Box<dyn Shelf> {
        Box::new(crate::engine::handlers::backups::desk(&self.places, &self.settings, &self.clock, None))
    }

    /// See [`super::examine`].
    ///
    /// # Errors
    /// As there.
    pub fn examine(&self) -> Result<Option<Recovery>, ApiError> {
        super::examine(&self.places, self.disk.as_ref(), self.shelf().as_ref())
    }

    /// See [`super::export_readable`].
    ///
    /// # Errors
    /// As there.
    pub fn export(&self, target: &Path) -> Result<Exported, ApiError> {
        super::export_readable(&self.places, self.disk.as_ref(), target)
    }

    /// See [`super::restore_newest`].
    ///
    /// # Errors
    /// As there.
    pub fn restore_newest(&self) -> Result<(NewestBackup, Option<PathBuf>), ApiError> {
        super::restore_newest(&self.places, self.disk.as_ref(), self.shelf().as_ref(), self.clock.now())
    }

    /// See [`super::set_aside_and_start_anew`].
    ///
    /// # Errors
    /// As there.
    pub fn start_anew(&self) -> Result<PathBuf, ApiError> {
        super::set_aside_and_start_anew(&self.places, self.disk.as_ref(), self.clock.now())
    }

    /// A folder that is not there yet, for what can be read: in the person's home folder.
    pub fn suggested_target(&self) -> PathBuf {
        let home = self.places.home().unwrap_or(self.places.data());
        let time = jiff::Timestamp::from_millisecond(self.clock.now().0).unwrap_or_default();
        let name = format!("RS Personal Agent saved {}", time.strftime("%Y-%m-%d"));
        let mut target = home.join(&name);
        let mut number = 2;
        while self.disk.exists(&target) {
            target = home.join(format!("{name} {number}"));
            number += 1;
        }
        target
    }
}
