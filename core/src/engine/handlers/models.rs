//! The family of models: the registry, imports and downloads as jobs, and what suits this machine.

mod download;
pub(in crate::engine) mod import;

use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::device;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::cross::Reranker;
use rspa_ml::weights::{ModelKind, catalogue};
use tokio_util::sync::CancellationToken;

use crate::api::request::models::{ModelsRequest as Request, ModelsResponse as Response};
use crate::api::{ApiError, Event};
use crate::engine::{Context, Service};
use crate::inference::registry::{Registry, RegistryOptions, bundle_folder, folders_in};
use crate::inference::{ChatModel, EncoderProvider};
use crate::model::{DoctorCheck, JobKind, ModelId, Recommendation, SettingValue};

/// The model service.
pub struct Models {
    registry: Registry,
}

impl Service for Models {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let main = ctx.databases.main().clone();
        let registry = Registry::new(main, ctx.profile, registry_options(ctx), ctx.chat_model.clone());
        Ok(Self { registry })
    }

    fn doctor(&self, _ctx: &Context) -> Vec<DoctorCheck> {
        let check = |name: &str, result: Result<String, String>| DoctorCheck {
            name: name.to_owned(),
            ok: result.is_ok(),
            detail: result.unwrap_or_else(|detail| detail),
        };
        let default = |kind| match self.registry.default_model(kind) {
            Ok(Some(model)) => Ok(format!("{} ({})", model.name, model.path.display())),
            Ok(None) => Err("none is installed; `rspa models import PATH` takes one in".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let mut checks = vec![check("chat model", default(ModelKind::Chat))];
        // Search works without an encoder, so that its absence is no fault.
        let encoder =
            default(ModelKind::Encoder).or_else(|_none| Ok("none; the embedder inside the program is used".to_owned()));
        checks.push(check("encoder", encoder));
        if let Ok(list) = self.registry.list() {
            checks.extend(
                list.unusable.into_iter().map(|(path, reason)| check("model file", Err(format!("{path}: {reason}")))),
            );
        }
        checks
    }

    fn stop(&self) {
        self.registry.unload();
    }
}

impl Models {
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The default encoder, loaded; none when there is none.
    pub fn encoder(&self) -> Option<Arc<dyn Embedder>> {
        self.registry.encoder()
    }

    /// The default cross-encoder, loaded; none when there is none.
    pub fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        self.registry.reranker()
    }

    /// The chat model, loaded as a job that the person sees. Blocks.
    pub fn load(
        &self,
        ctx: &Context,
        wanted: Option<&ModelId>,
        cancel: &Cancel,
    ) -> Result<Arc<dyn ChatModel>, ApiError> {
        self.registry.set_options(registry_options(ctx));
        let Some(label) = self.registry.must_load(wanted)? else {
            return self.registry.chat_model(wanted, cancel);
        };
        let token = ctx.shutdown.child_token();
        let job = ctx.jobs.start(JobKind::LoadModel, format!("Load {label}"), "bytes", 0, token);
        let result = self.registry.chat_model(wanted, cancel);
        job.finish(result.as_ref().map(|_| ()).map_err(Clone::clone));
        ctx.publish(Event::ModelsChanged);
        result
    }

    /// What changes with the installed files: looks again, tells everybody.
    fn changed(&self, ctx: &Context) {
        self.registry.rescan();
        ctx.publish(Event::ModelsChanged);
    }
}

fn registry_options(ctx: &Context) -> RegistryOptions {
    let mut folders: Vec<_> = ctx.environment.get("RSPA_MODELS_PATH").map(|list| folders_in(list)).unwrap_or_default();
    // Those of the environment are among them again; the registry looks into each folder once.
    folders.extend(ctx.settings.model_folders());
    folders.extend(bundle_folder());
    let current = ctx.settings.current();
    RegistryOptions {
        own_folder: ctx.places.models(),
        folders,
        threads: usize::try_from(current.models.threads).unwrap_or(0),
        max_context: usize::try_from(current.models.max_context).unwrap_or(0),
        default_chat: current.models.default_chat.clone(),
        default_encoder: current.models.default_encoder.clone(),
        default_reranker: current.models.default_reranker.clone(),
    }
}

/// Where the settings name a default, that is what is changed; it would hide the stored one.
fn set_default(ctx: &Context, registry: &Registry, id: &ModelId) -> Result<(), ApiError> {
    let kind = registry.set_default(id)?;
    let current = ctx.settings.current();
    let (key, named) = match kind {
        ModelKind::Chat => ("models.default_chat", &current.models.default_chat),
        ModelKind::Encoder => ("models.default_encoder", &current.models.default_encoder),
        ModelKind::Reranker => ("models.default_reranker", &current.models.default_reranker),
    };
    if !named.is_empty() && *named != id.0 {
        let changed = ctx.settings.set(key, &SettingValue::Text(id.0.clone()))?;
        super::settings::tell(ctx, &changed);
    }
    Ok(())
}

/// Makes this encoder the one that is searched with.
///
/// # Errors
/// It is not installed, or the settings cannot be written.
pub(super) fn choose_encoder(ctx: &Context, id: &ModelId) -> Result<(), ApiError> {
    let service = ctx.models()?;
    service.registry.set_options(registry_options(ctx));
    set_default(ctx, &service.registry, id)?;
    service.registry.set_options(registry_options(ctx));
    service.changed(ctx);
    Ok(())
}

/// Installed encoders, and which of them is the default.
pub(super) fn encoders(ctx: &Context) -> Result<(Vec<ModelId>, Option<ModelId>), ApiError> {
    let service = ctx.models()?;
    service.registry.set_options(registry_options(ctx));
    let chosen = service.registry.default_model(ModelKind::Encoder)?;
    Ok((service.registry.encoders(), chosen.map(|model| ModelId(model.id))))
}

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads the disk.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let service = ctx.models()?;
    let registry = &service.registry;
    registry.set_options(registry_options(ctx));
    Ok(match request {
        Request::ListModels(_) => {
            registry.rescan();
            Response::ListModels(registry.list()?)
        }
        Request::ImportModel(import) => Response::ImportModel(import::start(ctx, import.path)?),
        Request::RemoveModel(remove) => {
            registry.remove(&remove.id)?;
            ctx.happened("model.removed", &remove.id.0);
            service.changed(ctx);
            Response::RemoveModel(())
        }
        Request::SetDefaultModel(set) => {
            set_default(ctx, registry, &set.id)?;
            ctx.happened("model.default", &set.id.0);
            service.changed(ctx);
            Response::SetDefaultModel(())
        }
        Request::WarmModel(_) => {
            service.load(ctx, None, &Cancel::new())?;
            Response::WarmModel(())
        }
        Request::Recommend(_) => Response::Recommend(recommend()),
        Request::ListCatalogue(_) => Response::ListCatalogue(catalogue::built_in()),
        Request::DownloadModel(wanted) => {
            Response::DownloadModel(download::start(ctx, &wanted.catalogue_id, &wanted.confirmed_host)?)
        }
    })
}

fn recommend() -> Recommendation {
    let hardware = device::detect();
    match catalogue::recommend(&hardware, rspa_ml::arch::FAMILIES) {
        Some(found) => Recommendation { hardware, model: Some(found.model), reason: found.reason },
        None => {
            let memory = hardware.memory_bytes as f64 / 1e9;
            let reason = format!(
                "None of the models in the catalogue fits: this computer has {memory:.1} GB of memory. \
                 Very small models can still be imported from a file."
            );
            Recommendation { hardware, model: None, reason }
        }
    }
}
