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
    let known = profiles::list(main)?;
    for profile in profiles::deleted(main)? {
        // Never what is there again, whatever brought it back.
        if known.iter().any(|known| known.id == profile) {
            profiles::forget_deleted(main, profile)?;
            continue;
        }
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
    use super::*;
    use crate::model::{Profile, ProfileNetwork, Timestamp};
    use crate::storage::disk::simulated::SimulatedDisk;
    use crate::storage::{DbOptions, tables};

    fn profile(number: u128, name: &str) -> Profile {
        Profile {
            id: ProfileId(uuid::Uuid::from_u128(number)),
            name: name.to_owned(),
            created: Timestamp(0),
            updated: Timestamp(0),
            network: ProfileNetwork::default(),
        }
    }

    /// Two profiles, each with a file in its folders; the second is deleted as far as the rows go.
    fn world(folder: &tempfile::TempDir) -> (Places, Db, SimulatedDisk, [Profile; 2]) {
        let places = Places::find(&Default::default(), Some(folder.path()), None).unwrap();
        let main = Db::open(&places.main_db(), &tables::MAIN, DbOptions::default()).unwrap();
        let disk = SimulatedDisk::new();
        let both = [profile(1, "Personal"), profile(2, "Work")];
        for one in &both {
            profiles::create(&main, one.clone()).unwrap();
            for folder in [places.profile(one.id), places.index(one.id)] {
                disk.create_folder(&folder).unwrap();
                for folder in folder.ancestors().skip(1) {
                    disk.sync_folder(folder).unwrap();
                }
                disk.put(&folder.join("file"), b"x".to_vec());
            }
        }
        profiles::delete(&main, both[1].id, "Work".to_owned()).unwrap();
        (places, main, disk, both)
    }

    #[test]
    fn folders_are_removed_at_last_wherever_the_power_goes() {
        let mut finished = 0;
        for cut in 0..8 {
            for seed in 0..4 {
                let folder = tempfile::tempdir().unwrap();
                let (places, main, disk, [personal, work]) = world(&folder);
                disk.cut_at(disk.operations() + cut);
                remove_leftovers(&main, &places, &disk).unwrap();
                let forgotten = profiles::deleted(&main).unwrap().is_empty();
                finished += usize::from(forgotten);
                let disk = disk.after_power_cut(seed);
                // What is forgotten is gone for good.
                assert!(!forgotten || !(disk.exists(&places.profile(work.id)) || disk.exists(&places.index(work.id))));
                remove_leftovers(&main, &places, &disk).unwrap();
                assert!(profiles::deleted(&main).unwrap().is_empty());
                assert!(!disk.exists(&places.profile(work.id)) && !disk.exists(&places.index(work.id)));
                assert!(disk.exists(&places.profile(personal.id)) && disk.exists(&places.index(personal.id)));
            }
        }
        assert!(finished > 0 && finished < 32, "{finished}");
    }

    #[test]
    fn what_is_there_again_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (places, main, disk, [_, work]) = world(&folder);
        profiles::create(&main, work.clone()).unwrap();
        remove_leftovers(&main, &places, &disk).unwrap();
        assert!(disk.exists(&places.profile(work.id)));
        assert!(profiles::deleted(&main).unwrap().is_empty());
    }
}
