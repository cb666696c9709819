//! Installed models, import, download, removal, recommendation.

use std::path::PathBuf;

use rspa_ml::weights::catalogue::CatalogueModel;
use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{Job, ModelId, ModelList, Recommendation};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListModels {}

/// Starts an import job from a .gguf, a folder, a zip or a wheel. The first chat model and the first encoder become the defaults.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportModel {
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
}

/// Deletes a model that lies in the program's own folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveModel {
    pub id: ModelId,
}

/// Makes it the default of its kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetDefaultModel {
    pub id: ModelId,
}

/// Loads a chat model ahead of the first question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WarmModel {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recommend {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListCatalogue {}

/// Starts a download job. Sending it is the person's consent to fetch just these files from the catalogue's address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DownloadModel {
    pub catalogue_id: String,
    /// Must be the address that the person was shown.
    pub confirmed_host: String,
}

family!(Models, ModelsRequest, ModelsResponse {
    ListModels => ModelList,
    ImportModel => Job,
    RemoveModel => (),
    SetDefaultModel => (),
    WarmModel => (),
    Recommend => Recommendation,
    ListCatalogue => Vec<CatalogueModel>,
    DownloadModel => Job,
});

impl ModelsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListModels(_)
            | Self::ImportModel(_)
            | Self::RemoveModel(_)
            | Self::SetDefaultModel(_)
            | Self::WarmModel(_)
            | Self::Recommend(_)
            | Self::ListCatalogue(_) => Guard::Open,
            Self::DownloadModel(download) => Guard::person(format!(
                "The model {} is downloaded from {}.",
                download.catalogue_id, download.confirmed_host
            )),
        }
    }
}
