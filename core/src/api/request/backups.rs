//! Backups: made, verified, previewed, restored; the change log; checks of the database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{BackupInfo, BackupList, HistoryRange, RestoreFrom, RestoreMode, RestorePreview, Restored};

/// Newest first, with what is known of each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListBackups {}

/// Makes a backup now and replies when it is written and verified. It shows among the jobs meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateBackup {
    /// Absolute; none means where all of them go.
    #[serde(default, with = "crate::model::exact_path::option")]
    pub to: Option<PathBuf>,
}

/// Reads a backup whole and compares it with what was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerifyBackup {
    pub name: String,
}

/// Removes a backup that the person chose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteBackup {
    pub name: String,
}

/// Says what restoring would change; changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreviewRestore {
    pub from: RestoreFrom,
}

/// Restores. Replacing comes into force when the core is started again: `Event::RestartNeeded` asks for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestoreBackup {
    pub from: RestoreFrom,
    pub mode: RestoreMode,
}

/// How far back one can go; none when no history is kept or nothing is in it yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetHistoryRange {}

family!(Backups, BackupsRequest, BackupsResponse {
    ListBackups => BackupList,
    CreateBackup => BackupInfo,
    VerifyBackup => BackupInfo,
    DeleteBackup => (),
    PreviewRestore => RestorePreview,
    RestoreBackup => Restored,
    GetHistoryRange => Option<HistoryRange>,
});

impl BackupsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            // A copy of everything into a folder of somebody's choice must not be had without the person.
            Self::CreateBackup(CreateBackup { to: Some(folder) }) => {
                Guard::person(format!("A copy of all your data is written to {}.", folder.display()))
            }
            // Reading a foreign file tells what is in it.
            Self::ListBackups(_)
            | Self::CreateBackup(_)
            | Self::VerifyBackup(_)
            | Self::PreviewRestore(_)
            | Self::GetHistoryRange(_) => Guard::Open,
            Self::DeleteBackup(delete) => Guard::person(format!("The backup {} is removed.", delete.name)),
            Self::RestoreBackup(restore) => {
                let from = match &restore.from {
                    RestoreFrom::Backup { name } => format!("the backup {name}"),
                    RestoreFrom::File { path } => format!("the backup {}", path.display()),
                    RestoreFrom::Time { at } => format!("the state of {}", moment(*at)),
                };
                Guard::person(match restore.mode {
                    RestoreMode::Replace => format!("All your data is replaced by {from}."),
                    RestoreMode::Merge => format!("What is missing now is added from {from}."),
                })
            }
        }
    }
}

fn moment(at: crate::model::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(
        |_out_of_range| format!("{} ms", at.0),
        |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
