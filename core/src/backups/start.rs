//! What happens with backups before the data folder is opened: a committed restore comes into force, and a database
//! that a newer program will change is backed up.

use std::path::Path;

use super::desk::Desk;
use super::work::Unwatched;
use super::{BackupError, Plan, apply, folder};
use crate::model::BackupReason;
use crate::storage::disk::Disk;
use crate::storage::{Db, DbOptions, StorageError, examine, tables};

const TURN: &str = "restore-turn";

/// Finishes a committed restore and clears away one that was not. Does nothing while another process has the folder open.
///
/// # Errors
/// What the disk says; nothing is lost then, and the next start goes on.
pub fn apply_pending(disk: &dyn Disk, data: &Path) -> Result<Option<Plan>, BackupError> {
    if !apply::has_work(disk, data) {
        return Ok(None);
    }
    let turn = data.join(TURN);
    let _turn = disk.turn(&turn).map_err(|error| BackupError::io("written", &turn, &error))?;
    if examine::is_in_use(disk, &data.join("main.redb")) {
        return Ok(None);
    }
    apply::apply(disk, data)
}

/// Backs the database up as it is, if opening it would change its schema and the person wants that.
///
/// # Errors
/// When the backup cannot be made: the database must not be changed then.
pub fn before_migration(desk: &Desk) -> Result<Option<String>, BackupError> {
    let main = desk.data.join("main.redb");
    let options: &DbOptions = &desk.options;
    let needed = match Db::needs_migration(&main, &tables::MAIN, options) {
        Ok(needed) => needed,
        // Whoever opens it next says so.
        Err(StorageError::InUse { .. } | StorageError::Newer { .. } | StorageError::Damaged { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if needed.is_none() || !desk.settings.current().backups.before_migration {
        return Ok(None);
    }
    let disk = options.disk.as_ref();
    let working = desk.data.join("migration-working");
    let copy = working.join("main.redb");
    let made = folder::fresh(disk, &working)
        .and_then(|()| folder::copy_file(disk, &main, &copy))
        .and_then(|()| desk.create_of(&copy, BackupReason::Migration, None, &Unwatched));
    folder::remove_folder_quietly(disk, &working);
    Ok(Some(made?.info.name))
}
