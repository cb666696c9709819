//! Backups of a data folder whose database cannot be opened: what there is, what would come back, and the way back.

use std::sync::Arc;

use super::desk;
use crate::api::{ApiError, CoreOptions, ErrorCategory};
use crate::backups::{self, Desk, Unwatched};
use crate::model::{BackupInfo, BackupList, RestoreFrom, RestorePreview, Timestamp};
use crate::settings::Settings;
use crate::storage::{disk::SystemDisk, examine};
use crate::workspace::places::Places;

/// Stands in for [`crate::api::Core`] when that cannot start. Nothing here opens the database for writing.
pub struct OfflineBackups {
    desk: Desk,
}

impl OfflineBackups {
    /// # Errors
    /// When the data folder cannot be used or another process has it open.
    pub fn open(options: &CoreOptions) -> Result<Self, ApiError> {
        let executable = std::env::current_exe().ok();
        let places = Places::find(&options.environment, options.data_folder.as_deref(), executable.as_deref())?;
        places.prepare()?;
        let settings = Settings::load(&places, &options.environment, &options.overrides, None)?;
        if examine::is_in_use(&SystemDisk, &places.main_db()) {
            return Err(ApiError::new(
                ErrorCategory::Storage,
                "the data folder is in use by another rspa",
                "Close its window or stop that command, then try again.",
            ));
        }
        Ok(Self { desk: desk(&places, &Arc::new(settings), &options.clock, None) })
    }

    pub fn list(&self) -> BackupList {
        self.desk.list()
    }

    /// # Errors
    /// As `VerifyBackup`.
    pub fn verify(&self, name: &str) -> Result<BackupInfo, ApiError> {
        Ok(self.desk.verify(name, &Unwatched)?)
    }

    /// What would come back; the damaged database counts as empty.
    ///
    /// # Errors
    /// As `PreviewRestore`.
    pub fn preview(&self, from: RestoreFrom) -> Result<RestorePreview, ApiError> {
        Ok(self.desk.preview(from, &Unwatched)?)
    }

    /// Puts a backup in place. What was there is kept in the folder `backups`, also the damaged database.
    ///
    /// # Errors
    /// As `RestoreBackup`.
    pub fn restore(&self, from: &RestoreFrom) -> Result<Timestamp, ApiError> {
        let replaced = self.desk.replace(from, &Unwatched)?;
        backups::apply_pending(&SystemDisk, &self.desk.data)?;
        Ok(replaced.as_of)
    }
}
