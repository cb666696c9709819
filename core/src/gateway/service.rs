//! The servers and routes of a profile: set up, listed, asked about their models.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rspa_ml::Cancel;

use super::draft;
use super::server::{Server, ServerParts};
use crate::api::ApiError;
use crate::inference::provider::{Embeddings, FaultKind, ProviderFault, PullProgress};
use crate::model::{
    ModelId, ProfileId, ProviderDraft, ProviderId, ProviderModel, ProviderState, ProviderStatus, Routing,
};
use crate::storage::{Db, providers as stored};

/// Texts of one request for vectors.
const MOST_TEXTS: usize = 2_048;
/// Of all of them together, in bytes.
const LARGEST_TEXTS: usize = 8 << 20;

/// What the gateway works with.
pub struct GatewayParts {
    pub main: Db,
    pub profile: ProfileId,
    pub servers: Arc<ServerParts>,
}

pub struct Gateway {
    parts: GatewayParts,
    servers: Mutex<BTreeMap<ProviderId, Arc<Server>>>,
}

fn unknown(id: &ProviderId) -> ApiError {
    ApiError::validation(format!("there is no provider \"{id}\""), "`rspa providers list` shows all.")
}

impl Gateway {
    pub fn new(parts: GatewayParts) -> Self {
        Self { parts, servers: Mutex::default() }
    }

    /// By name. Those whose set-up changed begin anew: what was known of them is of another server.
    ///
    /// # Errors
    /// What storage says.
    pub fn servers(&self) -> Result<Vec<Arc<Server>>, ApiError> {
        let drafts = stored::list(&self.parts.main, self.parts.profile)?;
        let mut known = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, server| drafts.iter().any(|draft| draft.id == id.0 && draft == server.draft()));
        let mut all = Vec::new();
        for draft in drafts {
            let id = ProviderId(draft.id.clone());
            let server = known.entry(id).or_insert_with(|| Arc::new(Server::new(draft, self.parts.servers.clone())));
            all.push(server.clone());
        }
        drop(known);
        all.sort_by_key(|server| server.draft().name.to_lowercase());
        Ok(all)
    }

    /// # Errors
    /// When there is no such provider.
    pub fn server(&self, id: &ProviderId) -> Result<Arc<Server>, ApiError> {
        self.servers()?.into_iter().find(|server| server.id() == *id).ok_or_else(|| unknown(id))
    }

    /// # Errors
    /// What storage says.
    pub fn list(&self) -> Result<Vec<ProviderStatus>, ApiError> {
        Ok(self.servers()?.iter().map(|server| server.status()).collect())
    }

    /// # Errors
    /// Category validation, with the field that is wrong.
    pub fn add(&self, new: ProviderDraft) -> Result<ProviderStatus, ApiError> {
        let draft = draft::usable(new)?;
        let id = ProviderId(draft.id.clone());
        stored::add(&self.parts.main, self.parts.profile, draft, self.parts.servers.pace.now())?;
        Ok(self.server(&id)?.status())
    }

    /// Its id stays as it is.
    ///
    /// # Errors
    /// Category validation, with the field that is wrong; or when there is no such provider.
    pub fn update(&self, id: &ProviderId, changed: ProviderDraft) -> Result<ProviderStatus, ApiError> {
        self.server(id)?;
        let draft = draft::usable(ProviderDraft { id: id.0.clone(), ..changed })?;
        stored::update(&self.parts.main, self.parts.profile, draft, self.parts.servers.pace.now())?;
        Ok(self.server(id)?.status())
    }

    /// # Errors
    /// When there is no such provider.
    pub fn remove(&self, id: &ProviderId) -> Result<(), ApiError> {
        self.server(id)?;
        stored::remove(&self.parts.main, self.parts.profile, id.clone())?;
        self.servers()?;
        Ok(())
    }

    /// # Errors
    /// What storage says.
    pub fn routing(&self) -> Result<Routing, ApiError> {
        Ok(stored::routing(&self.parts.main, self.parts.profile)?)
    }

    /// # Errors
    /// Category validation, with what is wrong.
    pub fn set_routing(&self, routing: Routing) -> Result<Routing, ApiError> {
        let routing = draft::usable_routing(routing)?;
        stored::set_routing(&self.parts.main, self.parts.profile, routing.clone())?;
        Ok(routing)
    }

    /// As the provider lists them; of none, those of all that can be used.
    ///
    /// # Errors
    /// The fault of the one that was named.
    pub fn models(
        &self,
        id: Option<&ProviderId>,
        fresh: bool,
        cancel: &Cancel,
    ) -> Result<Vec<ProviderModel>, ApiError> {
        if let Some(id) = id {
            return Ok(self.server(id)?.models(fresh, cancel)?);
        }
        let usable = |server: &Arc<Server>| {
            let forbidden = matches!(server.state(), ProviderState::Forbidden { .. });
            !forbidden && server.unusable().is_none()
        };
        let servers: Vec<Arc<Server>> = self.servers()?.into_iter().filter(usable).collect();
        // At once: a slow one keeps nobody waiting but itself.
        let lists: Vec<_> = std::thread::scope(|scope| {
            let asking: Vec<_> =
                servers.iter().map(|server| scope.spawn(move || (server.id(), server.models(fresh, cancel)))).collect();
            asking.into_iter().filter_map(|asked| asked.join().ok()).collect()
        });
        let mut all = Vec::new();
        for (provider, list) in lists {
            match list {
                Ok(list) => all.extend(list),
                Err(fault) if fault.kind == FaultKind::Cancelled => return Err(fault.into()),
                Err(fault) => tracing::info!(%provider, %fault, "the models of a provider are not listed"),
            }
        }
        Ok(all)
    }

    /// # Errors
    /// The fault of asking.
    pub fn info(&self, id: &ModelId, cancel: &Cancel) -> Result<ProviderModel, ApiError> {
        let (provider, name) = id.split();
        Ok(self.server(&provider)?.info(name, true, cancel)?)
    }

    /// What a model's server says of it, for one that is about to be asked; none where the server answers but says
    /// nothing of the kind.
    ///
    /// # Errors
    /// The fault that any other call would meet too.
    pub fn describe(&self, server: &Server, name: &str, cancel: &Cancel) -> Result<Option<ProviderModel>, ApiError> {
        match server.info(name, false, cancel) {
            Ok(info) => Ok(Some(info)),
            Err(fault) => match fault.kind {
                FaultKind::NotFound | FaultKind::BadAnswer | FaultKind::Server(_) | FaultKind::TooLong => Ok(None),
                FaultKind::Refused if server.draft().enabled => Ok(None),
                _ => Err(fault.into()),
            },
        }
    }

    /// One vector a text, and the tokens that they had.
    ///
    /// # Errors
    /// Category validation when there is too much; else the fault of asking.
    pub fn embed(&self, id: &ModelId, texts: &[String], cancel: &Cancel) -> Result<Embeddings, ApiError> {
        check_texts(texts)?;
        let (provider, name) = id.split();
        let server = self.server(&provider)?;
        let tokens = texts.iter().map(|text| super::remote::estimate(text) as u64).sum();
        let retries = server.draft().limits.retries;
        let found = server.call(tokens, retries, cancel, &mut |provider| provider.embed(name, texts, cancel))?;
        if found.vectors.len() != texts.len() {
            let words = format!("{} vectors came for {} texts", found.vectors.len(), texts.len());
            return Err(ProviderFault::new(FaultKind::BadAnswer, words).into());
        }
        server.settle(tokens, found.prompt_tokens.unwrap_or(tokens));
        Ok(found)
    }

    /// Lets the server fetch a model.
    ///
    /// # Errors
    /// The fault of asking.
    pub fn pull(&self, id: &ModelId, cancel: &Cancel, progress: &mut dyn FnMut(PullProgress)) -> Result<(), ApiError> {
        let (provider, name) = id.split();
        let server = self.server(&provider)?;
        server.call(0, 0, cancel, &mut |provider| provider.pull(name, cancel, progress))?;
        server.forget_models();
        Ok(())
    }

    /// Lets the server delete a model.
    ///
    /// # Errors
    /// The fault of asking.
    pub fn delete(&self, id: &ModelId, cancel: &Cancel) -> Result<(), ApiError> {
        let (provider, name) = id.split();
        let server = self.server(&provider)?;
        server.call(0, 0, cancel, &mut |provider| provider.delete(name, cancel))?;
        server.forget_models();
        Ok(())
    }
}

/// # Errors
/// Category validation when there is nothing, or too much.
pub fn check_texts(texts: &[String]) -> Result<(), ApiError> {
    let bytes: usize = texts.iter().map(String::len).sum();
    if texts.is_empty() || texts.len() > MOST_TEXTS || bytes > LARGEST_TEXTS {
        return Err(ApiError::validation(
            format!("1 to {MOST_TEXTS} texts of {} MB together are embedded at once", LARGEST_TEXTS >> 20),
            "Give fewer, in several requests.",
        ));
    }
    Ok(())
}
