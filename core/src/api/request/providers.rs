//! Providers, routing between their models, and the response cache.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{CacheStats, JobId, ModelId, ProviderDraft, ProviderId, ProviderModel, ProviderStatus, Routing};

/// `embedded` first, then by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListProviders {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddProvider {
    pub draft: ProviderDraft,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateProvider {
    pub id: ProviderId,
    pub draft: ProviderDraft,
}

/// Its key stays in the vault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveProvider {
    pub id: ProviderId,
}

/// Asks it how it is, now, whatever is cached. Through the door, as everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckProvider {
    pub id: ProviderId,
}

/// As the provider lists them; from memory while its list is fresh, unless `fresh`. None lists those of all that can be used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListProviderModels {
    pub id: Option<ProviderId>,
    pub fresh: bool,
}

/// What its provider says about one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetProviderModel {
    pub id: ModelId,
}

/// Has Ollama fetch a model; the reply comes at once, the job tells the progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PullModel {
    pub id: ModelId,
}

/// Has Ollama delete a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteProviderModel {
    pub id: ModelId,
}

/// By a model of a provider that offers embeddings; one vector a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmbedTexts {
    pub model: ModelId,
    pub texts: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetRouting {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetRouting {
    pub routing: Routing,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetCacheStats {}

/// Forgets the stored answers of this profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClearCache {}

family!(Providers, ProvidersRequest, ProvidersResponse {
    ListProviders => Vec<ProviderStatus>,
    AddProvider => ProviderStatus,
    UpdateProvider => ProviderStatus,
    RemoveProvider => (),
    CheckProvider => ProviderStatus,
    ListProviderModels => Vec<ProviderModel>,
    GetProviderModel => ProviderModel,
    PullModel => JobId,
    DeleteProviderModel => (),
    EmbedTexts => Vec<Vec<f32>>,
    GetRouting => Routing,
    SetRouting => Routing,
    GetCacheStats => CacheStats,
    ClearCache => CacheStats,
});

impl ProvidersRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListProviders(_)
            | Self::CheckProvider(_)
            | Self::ListProviderModels(_)
            | Self::GetProviderModel(_)
            | Self::EmbedTexts(_)
            | Self::GetRouting(_)
            | Self::GetCacheStats(_)
            | Self::ClearCache(_) => Guard::Open,
            Self::AddProvider(add) => {
                Guard::person(format!("The provider \"{}\" at {} is added.", add.draft.name, add.draft.base_url))
            }
            Self::UpdateProvider(update) => {
                Guard::person(format!("The provider \"{}\" at {} is changed.", update.id, update.draft.base_url))
            }
            Self::RemoveProvider(remove) => Guard::person(format!("The provider \"{}\" is removed.", remove.id)),
            Self::SetRouting(_) => Guard::person("Which models answer what is changed."),
            Self::PullModel(pull) => Guard::person(format!("The server fetches the model \"{}\".", pull.id)),
            Self::DeleteProviderModel(delete) => {
                Guard::person(format!("The server deletes the model \"{}\".", delete.id))
            }
        }
    }
}
