//! The family of providers: servers of models, which model answers what, and the response cache.

use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::weights::ModelKind;
use tokio_util::sync::CancellationToken;

use crate::api::request::providers::{ProvidersRequest as Request, ProvidersResponse as Response};
use crate::api::{ApiError, ErrorCategory, Event};
use crate::engine::{Context, Service};
use crate::gateway::{
    Embedded, Gateway, GatewayParts, Pace, Router, RouterParts, ServerParts, SystemPace, service::check_texts,
};
use crate::inference::ChatModel;
use crate::inference::cache::{CacheParts, CacheSettings, ResponseCache};
use crate::inference::provider;
use crate::model::{
    CacheStats, Consumer, Happening, InstalledModel, JobId, JobKind, ModelId, ProviderDraft, ProviderId, ProviderKind,
    ProviderLimits, ProviderModel, ProviderState, ProviderStatus, UsageCall,
};

/// Providers, router and response cache of a profile.
pub struct Providers {
    gateway: Arc<Gateway>,
    cache: Arc<ResponseCache>,
    router: Router,
}

impl Service for Providers {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let gateway = Arc::new(Gateway::new(GatewayParts {
            main: ctx.databases.main().clone(),
            profile: ctx.profile,
            servers: Arc::new(server_parts(ctx)),
        }));
        let cache = Arc::new(ResponseCache::new(cache_parts(ctx)));
        let (count, happened, settings) = (ctx.clone(), ctx.clone(), ctx.settings.clone());
        let router = Router::new(RouterParts {
            gateway: gateway.clone(),
            embedded: Arc::new(Here(ctx.clone())),
            cache: cache.clone(),
            clock: ctx.clock.clone(),
            count: Box::new(move |call| count_call(&count, call)),
            // -1: a new one each time.
            seed: Box::new(move || u64::try_from(settings.current().models.seed).ok()),
            happened: Box::new(move |happening| happened.activity(happening)),
        });
        Ok(Self { gateway, cache, router })
    }

    fn start(&self, ctx: &Context) {
        if !ctx.places.cache_db().exists() {
            return;
        }
        let (cache, inner) = (self.cache.clone(), ctx.clone());
        ctx.spawn(async move {
            let warmed = inner.blocking(move || {
                cache.warm();
                Ok(())
            });
            if let Err(error) = warmed.await {
                tracing::warn!(%error, "stored answers were not brought into memory");
            }
        });
    }

    fn stop(&self) {
        self.cache.flush();
    }
}

impl Providers {
    pub fn router(&self) -> &Router {
        &self.router
    }
}

fn server_parts(ctx: &Context) -> ServerParts {
    let (open, keys, changed, happened) = (ctx.clone(), ctx.clone(), ctx.clone(), ctx.clone());
    let pace: Arc<dyn Pace> = Arc::new(SystemPace::new(ctx.clock.clone()));
    ServerParts {
        pace,
        open: Box::new(move |draft| {
            let key = match &draft.credential {
                Some(service) => Some(key_of(&open, service)?),
                None => None,
            };
            provider::open(draft, key, Arc::new(open.egress.clone()))
        }),
        has_key: Box::new(move |draft| draft.credential.as_ref().is_none_or(|service| has_key(&keys, service))),
        changed: Box::new(move || changed.publish(Event::ProvidersChanged)),
        happened: Box::new(move |happening| happened.activity(happening)),
    }
}

/// Read at each use, so that a changed or locked key counts at once.
fn key_of(ctx: &Context, service: &str) -> Result<crate::model::SecretText, ApiError> {
    ctx.credentials()?.secret_for(service, &Consumer::Program).map_err(|error| {
        let advice = error.advice().to_owned();
        ApiError::new(ErrorCategory::Authentication, error.to_string(), advice)
    })
}

fn has_key(ctx: &Context, service: &str) -> bool {
    let listed = ctx.credentials().and_then(|credentials| Ok(credentials.keeper().list()?));
    listed.is_ok_and(|list| {
        let stored = list.items.iter().any(|item| item.service == service);
        stored || list.environment.iter().any(|key| key.service == service && key.in_use)
    })
}

fn cache_parts(ctx: &Context) -> CacheParts {
    let (file, settings) = (ctx.clone(), ctx.settings.clone());
    CacheParts {
        profile: ctx.profile,
        clock: ctx.clock.clone(),
        file: Box::new(move || file.databases.cache()),
        settings: Box::new(move || {
            let cache = &settings.current().cache;
            CacheSettings {
                enabled: cache.enabled,
                hours: u32::try_from(cache.hours).unwrap_or(24),
                most_bytes: u64::try_from(cache.size_mb).unwrap_or(128) << 20,
                memory_bytes: u64::try_from(cache.memory_mb).unwrap_or(16) << 20,
            }
        }),
    }
}

fn count_call(ctx: &Context, call: UsageCall) {
    match ctx.usage() {
        Ok(usage) => usage.count(ctx, call),
        Err(error) => tracing::debug!(%error, "a call was not counted"),
    }
}

/// The models inside this program.
struct Here(Context);

impl Embedded for Here {
    fn load(&self, id: Option<&ModelId>, cancel: &Cancel) -> Result<Arc<dyn ChatModel>, ApiError> {
        self.0.models()?.load(&self.0, id, cancel)
    }

    fn unusable(&self, id: &ModelId) -> Option<String> {
        let usable = self.0.models().and_then(|models| models.registry().must_load(Some(id)).map(drop));
        usable.err().map(|error| error.message)
    }
}

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    // Passed on to what blocks; ends with this request.
    let asked = Cancel::new();
    let watch = {
        let asked = asked.clone();
        ctx.runtime.spawn(async move {
            cancel.cancelled().await;
            asked.cancel();
        })
    };
    let inner = ctx.clone();
    // Every one of them reads the disk or waits for a server.
    let answered = ctx.blocking(move || answer(&inner, request, &asked)).await;
    watch.abort();
    answered
}

fn answer(ctx: &Context, request: Request, cancel: &Cancel) -> Result<Response, ApiError> {
    let service = ctx.providers()?;
    let gateway = &service.gateway;
    let changed = |kind: &str, status: &ProviderStatus| {
        let happening = Happening::new(kind, format!("{} at {}", status.settings.name, status.settings.base_url));
        ctx.activity(happening.with("provider", &status.id));
        ctx.publish(Event::ProvidersChanged);
    };
    Ok(match request {
        Request::ListProviders(_) => {
            let mut all = vec![embedded_status(ctx)?];
            all.extend(gateway.list()?);
            Response::ListProviders(all)
        }
        Request::AddProvider(add) => {
            let status = gateway.add(add.draft)?;
            changed("provider.added", &status);
            Response::AddProvider(status)
        }
        Request::UpdateProvider(update) => {
            own(&update.id)?;
            let status = gateway.update(&update.id, update.draft)?;
            changed("provider.changed", &status);
            Response::UpdateProvider(status)
        }
        Request::RemoveProvider(remove) => {
            own(&remove.id)?;
            let status = gateway.server(&remove.id)?.status();
            gateway.remove(&remove.id)?;
            changed("provider.removed", &status);
            Response::RemoveProvider(())
        }
        Request::CheckProvider(check) if check.id.is_embedded() => Response::CheckProvider(embedded_status(ctx)?),
        Request::CheckProvider(check) => {
            let server = gateway.server(&check.id)?;
            let status = server.check(cancel);
            if cancel.is_cancelled() {
                return Err(ApiError::cancelled());
            }
            if status.state == ProviderState::Ready
                && let Err(fault) = server.models(true, cancel)
            {
                tracing::info!(provider = %check.id, %fault, "a provider does not list its models");
            }
            ctx.publish(Event::ProvidersChanged);
            Response::CheckProvider(server.status())
        }
        Request::ListProviderModels(list) => Response::ListProviderModels(match &list.id {
            Some(id) if id.is_embedded() => embedded_models(ctx)?,
            id => gateway.models(id.as_ref(), list.fresh, cancel)?,
        }),
        Request::GetProviderModel(get) if get.id.split().0.is_embedded() => {
            let found = embedded_models(ctx)?.into_iter().find(|model| model.id == get.id);
            Response::GetProviderModel(found.ok_or_else(|| {
                ApiError::validation(format!("there is no model '{}'", get.id), "`rspa models list` shows all.")
            })?)
        }
        Request::GetProviderModel(get) => Response::GetProviderModel(gateway.info(&get.id, cancel)?),
        Request::PullModel(pull) => Response::PullModel(start_pull(ctx, gateway, pull.id)?),
        Request::DeleteProviderModel(delete) => {
            own(&delete.id.split().0)?;
            gateway.delete(&delete.id, cancel)?;
            ctx.happened("provider.model_deleted", &delete.id.0);
            ctx.publish(Event::ProvidersChanged);
            Response::DeleteProviderModel(())
        }
        Request::EmbedTexts(embed) => Response::EmbedTexts(vectors(ctx, gateway, &embed.model, &embed.texts, cancel)?),
        Request::GetRouting(_) => Response::GetRouting(gateway.routing()?),
        Request::SetRouting(set) => {
            let routing = gateway.set_routing(set.routing)?;
            let rules = routing.rules.len();
            let happening = Happening::new("routing.changed", "Which models answer what was changed");
            ctx.activity(happening.with("rules", rules).with("fallback", routing.fallback.len()));
            ctx.publish(Event::ProvidersChanged);
            Response::SetRouting(routing)
        }
        Request::GetCacheStats(_) => Response::GetCacheStats(cache_stats(&service)?),
        Request::ClearCache(_) => {
            let removed = service.cache.clear()?;
            ctx.happened("cache.cleared", &format!("{removed} stored answers were removed"));
            Response::ClearCache(cache_stats(&service)?)
        }
    })
}

fn cache_stats(service: &Providers) -> Result<CacheStats, ApiError> {
    Ok(service.cache.stats()?)
}

/// # Errors
/// For the models inside this program, which are no server.
fn own(id: &ProviderId) -> Result<(), ApiError> {
    match id.is_embedded() {
        true => Err(ApiError::validation(
            "the models inside this program are no server that is set up here",
            "Manage them with `rspa models`, or on the page Models.",
        )),
        false => Ok(()),
    }
}

fn installed(ctx: &Context, kind: ModelKind) -> Result<Vec<InstalledModel>, ApiError> {
    let models = ctx.models()?.registry().list()?.models;
    Ok(models.into_iter().filter(|model| model.info.kind == kind).collect())
}

/// This program, as a provider among others.
fn embedded_status(ctx: &Context) -> Result<ProviderStatus, ApiError> {
    let chat = installed(ctx, ModelKind::Chat)?.len();
    let state = match chat == 0 && ctx.chat_model.is_none() {
        true => ProviderState::Unreachable { why: "no chat model is installed".to_owned() },
        false => ProviderState::Ready,
    };
    Ok(ProviderStatus {
        id: ProviderId::embedded(),
        settings: ProviderDraft {
            id: ProviderId::EMBEDDED.to_owned(),
            name: ProviderKind::Embedded.name().to_owned(),
            kind: ProviderKind::Embedded,
            base_url: String::new(),
            enabled: true,
            credential: None,
            limits: ProviderLimits::default(),
            extra_models: Vec::new(),
        },
        state,
        checked: None,
        latency_ms: None,
        has_key: true,
        models: u32::try_from(chat).unwrap_or(u32::MAX),
        requests: 0,
        failures: 0,
        retries: 0,
    })
}

fn embedded_models(ctx: &Context) -> Result<Vec<ProviderModel>, ApiError> {
    let describe = |model: InstalledModel| ProviderModel {
        id: model.id,
        name: model.info.name,
        context_length: u32::try_from(model.info.context_length).ok(),
        max_answer_tokens: None,
        // Calls are asked for by a constraint, which every one of them takes.
        tools: Some(model.info.kind == ModelKind::Chat),
        embeds: Some(model.info.kind == ModelKind::Encoder),
        family: model.info.family,
        quantisation: model.info.quantisation,
        parameters: Some(model.info.parameters).filter(|count| *count > 0),
        size_bytes: Some(model.info.size_bytes),
    };
    let mut all = installed(ctx, ModelKind::Chat)?;
    all.extend(installed(ctx, ModelKind::Encoder)?);
    Ok(all.into_iter().map(describe).collect())
}

/// By the server, or by the encoder inside this program.
fn vectors(
    ctx: &Context,
    gateway: &Gateway,
    model: &ModelId,
    texts: &[String],
    cancel: &Cancel,
) -> Result<Vec<Vec<f32>>, ApiError> {
    let (provider, _name) = model.split();
    if !provider.is_embedded() {
        let begun = std::time::Instant::now();
        let found = gateway.embed(model, texts, cancel);
        count_call(
            ctx,
            UsageCall {
                provider: provider.0,
                model: model.0.clone(),
                prompt_tokens: found.as_ref().ok().and_then(|found| found.prompt_tokens).unwrap_or(0),
                seconds: begun.elapsed().as_secs_f64(),
                failed: found.is_err(),
                ..UsageCall::default()
            },
        );
        return Ok(found?.vectors);
    }
    check_texts(texts)?;
    let default = ctx.models()?.registry().default_model(ModelKind::Encoder)?;
    let encoder = match default.filter(|default| default.id == model.0) {
        Some(_) => ctx.models()?.encoder(),
        None => None,
    };
    let encoder = encoder.ok_or_else(|| {
        ApiError::validation(
            format!("'{model}' is not the encoder of this program, or cannot be loaded"),
            "`rspa models list` shows which encoder is the default one.",
        )
    })?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Ok(encoder.embed(&texts, cancel)?)
}

/// The server fetches while a job tells how far it is.
fn start_pull(ctx: &Context, gateway: &Arc<Gateway>, id: ModelId) -> Result<JobId, ApiError> {
    let (provider, name) = id.split();
    own(&provider)?;
    let server = gateway.server(&provider)?;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(ApiError::validation("this is no name of a model", "Write it as the server does."));
    }
    let token = ctx.shutdown.child_token();
    let label = format!("Fetch {name} ({})", server.draft().name);
    let job = ctx.jobs.start(JobKind::Download, label, "bytes", 0, token.clone());
    let (job_id, gateway, inner) = (job.id(), gateway.clone(), ctx.clone());
    ctx.spawn(async move {
        let cancel = Cancel::new();
        let watch = {
            let cancel = cancel.clone();
            inner.runtime.spawn(async move {
                token.cancelled().await;
                cancel.cancel();
            })
        };
        let done = inner.clone();
        let ended = inner.blocking(move || {
            let result = gateway.pull(&id, &cancel, &mut |progress| {
                if let (Some(done), Some(total)) = (progress.done, progress.total) {
                    job.progress(done, total);
                }
            });
            if result.is_ok() {
                done.happened("provider.model_fetched", &id.0);
            }
            job.finish(result);
            done.publish(Event::ProvidersChanged);
            Ok(())
        });
        if let Err(error) = ended.await {
            tracing::error!(%error, "fetching a model ended in a fault");
        }
        watch.abort();
    });
    Ok(job_id)
}
