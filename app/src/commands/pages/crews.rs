//! What the person can do with the page "Crews".

use std::path::PathBuf;

use rspa_core::model::{CrewDraft, CrewId, CrewProcess, CrewRunDraft, CrewRunId, ModelId, ReplayDraft};

use crate::commands::{Confirmation, UiCommand};
use crate::state::pages::crews::Shown;
use crate::text::tr;

#[derive(Clone, Debug, PartialEq)]
pub enum CrewsCommand {
    /// Reads it all again.
    Refresh,
    Show(Shown),
    /// Lets go of what was not saved, and does this.
    Leave(Box<CrewsCommand>),
    /// A new crew without steps is written in the editor; nothing is made before it is saved.
    Begin(CrewProcess),
    Save {
        /// None makes one.
        id: Option<CrewId>,
        draft: Box<CrewDraft>,
    },
    FromTemplate {
        template: String,
        name: Option<String>,
        process: CrewProcess,
        folder: Option<PathBuf>,
        model: Option<ModelId>,
    },
    Duplicate(CrewId),
    Delete(CrewId),
    /// Writes it into this folder.
    Export {
        id: CrewId,
        folder: PathBuf,
    },
    Import(PathBuf),
    Run {
        id: CrewId,
        draft: Box<CrewRunDraft>,
    },
    Cancel(CrewRunId),
    Resume(CrewRunId),
    Replay(Box<ReplayDraft>),
    /// A folder was picked for the form or the run.
    FolderPicked(PathBuf),
    /// A step was taken away in the editor: says so, with the way back.
    StepDeleted(String),
    /// The editor takes back its last change.
    Undo,
    /// The editor has something that is not saved, or no longer.
    Unsaved(bool),
}

/// Whether what was not saved may go.
pub fn leaving(then: CrewsCommand) -> Confirmation {
    Confirmation {
        title: tr("crews.leave.title").to_owned(),
        consequence: tr("crews.leave.detail").to_owned(),
        verb: tr("crews.leave.verb").to_owned(),
        danger: true,
        then: Box::new(UiCommand::Crews(CrewsCommand::Leave(Box::new(then)))),
    }
}
