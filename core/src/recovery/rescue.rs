//! Recovery of one data folder with its real disk and backups: what the window and the commands hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{EmptyShelf, Exported, NewestBackup, Recovery, Shelf};
use crate::api::{ApiError, CoreOptions};
use crate::clock::Clock;
use crate::storage::disk::{Disk, SystemDisk};
use crate::workspace::places::Places;

/// Cheap to clone; works while no core runs.
#[derive(Clone)]
pub struct Rescue {
    places: Places,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
}

impl Rescue {
    /// For the data folder that these options name.
    ///
    /// # Errors
    /// When the environment names no home folder.
    pub fn of(options: &CoreOptions) -> Result<Self, ApiError> {
        let executable = std::env::current_exe().ok();
        let places = Places::find(&options.environment, options.data_folder.as_deref(), executable.as_deref())?;
        Ok(Self { places, disk: Arc::new(SystemDisk), clock: options.clock.clone() })
    }

    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The backups of this data folder.
    fn shelf(&self) -> Box<dyn Shelf> {
        Box::new(EmptyShelf)
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
