//! What remains of deleted profiles on the disk: removed when they are deleted, or at the next start.

use std::io;

use crate::api::ApiError;
use crate::model::ProfileId;
use crate::storage::disk::Disk;
use crate::storage::{Db, profiles};
use crate::workspace::places::Places;

/// Removes the folders of profiles whose rows are gone. One that cannot be removed now is tried again at the next start.
///
/// # Errors
/// When the list of them cannot be read or written.
pub fn remove_leftovers(main: &Db, places: &Places, disk: &dyn Disk) -> Result<(), ApiError> {
    for profile in profiles::deleted(main)? {
        match remove_folders(places, disk, profile) {
            Ok(()) => profiles::forget_deleted(main, profile)?,
            Err(error) => tracing::warn!(%error, "the folders of a deleted profile are still there"),
        }
    }
    Ok(())
}

fn remove_folders(places: &Places, disk: &dyn Disk, profile: ProfileId) -> io::Result<()> {
    for folder in [places.profile(profile), places.index(profile)] {
        if !disk.exists(&folder) {
            continue;
        }
        disk.remove_folder(&folder)?;
        if let Some(parent) = folder.parent() {
            disk.sync_folder(parent)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::model::{Profile, ProfileNetwork, Timestamp};
    use crate::storage::disk::{DiskWrite, SystemDisk};
    use crate::storage::{DbOptions, tables};

    /// Works until so many changes were made, then fails each one, as after a power cut.
    struct Cut(std::sync::Mutex<Cell<u32>>);

    impl Cut {
        fn change(&self) -> io::Result<()> {
            let left = self.0.lock().unwrap();
            match left.get() {
                0 => Err(io::Error::other("cut")),
                more => {
                    left.set(more - 1);
                    Ok(())
                }
            }
        }
    }

    impl Disk for Cut {
        fn create(&self, path: &Path) -> io::Result<Box<dyn DiskWrite>> {
            SystemDisk.create(path)
        }

        fn kind(&self, path: &Path) -> Option<crate::storage::disk::DiskKind> {
            SystemDisk.kind(path)
        }

        fn turn(&self, path: &Path) -> io::Result<Box<dyn Send>> {
            SystemDisk.turn(path)
        }

        fn pages(&self, path: &Path) -> Result<Box<dyn redb::StorageBackend>, redb::DatabaseError> {
            SystemDisk.pages(path)
        }

        fn open(&self, path: &Path) -> io::Result<Box<dyn crate::storage::disk::DiskRead>> {
            SystemDisk.open(path)
        }

        fn len(&self, path: &Path) -> io::Result<u64> {
            SystemDisk.len(path)
        }

        fn exists(&self, path: &Path) -> bool {
            path.exists()
        }

        fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
            SystemDisk.list(folder)
        }

        fn create_folder(&self, folder: &Path) -> io::Result<()> {
            SystemDisk.create_folder(folder)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            SystemDisk.rename(from, to)
        }

        fn remove_file(&self, path: &Path) -> io::Result<()> {
            SystemDisk.remove_file(path)
        }

        fn remove_folder(&self, folder: &Path) -> io::Result<()> {
            self.change()?;
            SystemDisk.remove_folder(folder)
        }

        fn sync_folder(&self, folder: &Path) -> io::Result<()> {
            self.change()?;
            SystemDisk.sync_folder(folder)
        }

        fn database(&self, path: &Path) -> Result<Box<dyn redb::StorageBackend>, redb::DatabaseError> {
            SystemDisk.database(path)
        }
    }

    #[test]
    fn folders_are_removed_at_last_wherever_the_power_goes() {
        for steps in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let places = Places::find(&Default::default(), Some(folder.path()), None).unwrap();
            let main = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default()).unwrap();
            for (number, name) in [(1, "Personal"), (2, "Work")] {
                let profile = Profile {
                    id: ProfileId(uuid::Uuid::from_u128(number)),
                    name: name.to_owned(),
                    created: Timestamp(0),
                    updated: Timestamp(0),
                    network: ProfileNetwork::default(),
                };
                profiles::create(&main, profile.clone()).unwrap();
                for folder in [places.profile(profile.id), places.index(profile.id)] {
                    std::fs::create_dir_all(folder.join("deep")).unwrap();
                    std::fs::write(folder.join("deep/file"), b"x").unwrap();
                }
            }
            let work = ProfileId(uuid::Uuid::from_u128(2));
            profiles::delete(&main, work, "Work".to_owned()).unwrap();
            remove_leftovers(&main, &places, &Cut(std::sync::Mutex::new(Cell::new(steps)))).unwrap();
            let finished = profiles::deleted(&main).unwrap().is_empty();
            assert_eq!(finished, steps >= 4, "{steps}");
            remove_leftovers(&main, &places, &SystemDisk).unwrap();
            assert!(profiles::deleted(&main).unwrap().is_empty());
            assert!(!places.profile(work).exists() && !places.index(work).exists());
            assert!(places.profile(ProfileId(uuid::Uuid::from_u128(1))).exists());
        }
    }
}
