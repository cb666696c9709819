//! Crews: made, changed, run, replayed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{
    Crew, CrewDraft, CrewId, CrewProcess, CrewRun, CrewRunDraft, CrewRunId, CrewTemplate, ModelId, Page, PageRequest,
    ReplayDraft, TrashItem,
};

/// By name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListCrews {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetCrew {
    pub id: CrewId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateCrew {
    pub draft: CrewDraft,
}

/// Runs that go on stay as they began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateCrew {
    pub id: CrewId,
    pub draft: CrewDraft,
}

/// With the same agents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DuplicateCrew {
    pub id: CrewId,
}

/// Puts it into the trash; its runs stay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteCrew {
    pub id: CrewId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListCrewTemplates {}

/// Makes the crew and its agents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateCrewFromTemplate {
    pub template: String,
    /// None takes that of the template.
    pub name: Option<String>,
    pub process: Option<CrewProcess>,
    /// That its agents may read.
    #[serde(default, with = "crate::model::exact_path::option")]
    pub folder: Option<PathBuf>,
    /// Of its agents; none leaves it to the router.
    pub model: Option<ModelId>,
}

/// As TOML, with what its agents are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportCrew {
    pub id: CrewId,
}

/// Makes the crew, and those of its agents that do not exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportCrew {
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunCrew {
    pub id: CrewId,
    pub draft: CrewRunDraft,
}

/// Newest first; none lists those of all crews.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListCrewRuns {
    pub crew: Option<CrewId>,
    pub page: PageRequest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetCrewRun {
    pub id: CrewRunId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CancelCrewRun {
    pub id: CrewRunId,
}

/// Tries the steps again that failed or were cancelled; completed ones stay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResumeCrewRun {
    pub id: CrewRunId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplayCrewRun {
    pub draft: ReplayDraft,
}

/// Answers when the run has ended, or waits for the person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WaitForCrewRun {
    pub id: CrewRunId,
}

family!(Crews, CrewsRequest, CrewsResponse {
    ListCrews => Vec<Crew>,
    GetCrew => Crew,
    CreateCrew => Crew,
    UpdateCrew => Crew,
    DuplicateCrew => Crew,
    DeleteCrew => TrashItem,
    ListCrewTemplates => Vec<CrewTemplate>,
    CreateCrewFromTemplate => Crew,
    ExportCrew => String,
    ImportCrew => Crew,
    RunCrew => CrewRun,
    ListCrewRuns => Page<CrewRun>,
    GetCrewRun => CrewRun,
    CancelCrewRun => CrewRun,
    ResumeCrewRun => CrewRun,
    ReplayCrewRun => CrewRun,
    WaitForCrewRun => CrewRun,
});

impl CrewsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListCrews(_)
            | Self::GetCrew(_)
            | Self::DuplicateCrew(_)
            | Self::DeleteCrew(_)
            | Self::ListCrewTemplates(_)
            | Self::ExportCrew(_)
            // A crew gives its agents nothing that they do not have, and agents that come in a file ask.
            | Self::CreateCrew(_)
            | Self::UpdateCrew(_)
            | Self::ImportCrew(_)
            | Self::ListCrewRuns(_)
            | Self::GetCrewRun(_)
            | Self::CancelCrewRun(_)
            | Self::ResumeCrewRun(_)
            | Self::ReplayCrewRun(_)
            | Self::WaitForCrewRun(_) => Guard::Open,
            Self::CreateCrewFromTemplate(create) => match &create.folder {
                Some(folder) => Guard::person(format!(
                    "A crew and its agents are made from \"{}\"; they may read {}.",
                    create.template,
                    folder.display()
                )),
                None => Guard::Open,
            },
            Self::RunCrew(run) => match &run.draft.folder {
                Some(folder) => {
                    Guard::person(format!("The agents of a crew may read {} in this run.", folder.display()))
                }
                None => Guard::Open,
            },
        }
    }
}
