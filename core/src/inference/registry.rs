//! The installed models: where they are looked for, which are the defaults, and which one is loaded.

mod memory;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::cross::{CrossEncoder, Reranker};
use rspa_ml::embed::encoder::Encoder;
use rspa_ml::runtime::LoadOptions;
use rspa_ml::weights::{self, ModelInfo, ModelKind, catalogue};

use super::embedded::EmbeddedModel;
use super::{ChatModel, EncoderProvider};
use crate::api::{ApiError, ErrorCategory};
use crate::model::{InstalledModel, ModelId, ModelList, ProfileId, Timestamp};
use crate::storage::{Db, models as stored};

/// Where models lie and how they are loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegistryOptions {
    /// The program's own folder (`models` in the data folder): models in it may be removed.
    pub own_folder: PathBuf,
    /// Further folders, in order: `RSPA_MODELS_PATH`, settings, a bundle beside the executable.
    pub folders: Vec<PathBuf>,
    /// CPU threads; 0 means all cores.
    pub threads: usize,
    /// Upper limit for a context in tokens; 0 means the model's own.
    pub max_context: usize,
    /// Named in the settings; empty where the first one installed is meant.
    pub default_chat: String,
    pub default_encoder: String,
    pub default_reranker: String,
}

impl RegistryOptions {
    /// In the order in which they count, each once.
    fn all_folders(&self) -> Vec<PathBuf> {
        let mut all = vec![self.own_folder.clone()];
        for folder in &self.folders {
            if !all.contains(folder) {
                all.push(folder.clone());
            }
        }
        all
    }
}

/// The folders of a list as in `PATH`, relative and empty entries left out.
pub fn folders_in(list: &str) -> Vec<PathBuf> {
    std::env::split_paths(list).filter(|path| path.is_absolute()).collect()
}

/// The folder `models` beside the executable, where a bundle carries models.
pub fn bundle_folder() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent()?.join("models");
    folder.is_dir().then_some(folder)
}

pub struct Registry {
    main: Db,
    profile: ProfileId,
    options: Mutex<RegistryOptions>,
    /// Stands in for all embedded chat models in tests.
    replacement: Option<Arc<dyn ChatModel>>,
    /// Held while a model is loaded, so that two never are at the same time.
    loading: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the folders hold; none until it is first asked for, or after a change.
    found: Option<Found>,
    chat: Option<(ModelId, Arc<dyn ChatModel>)>,
    encoder: Option<(ModelId, Arc<dyn Embedder>)>,
    reranker: Option<(ModelId, Arc<dyn Reranker>)>,
    /// What could not be loaded is not tried again before something changes.
    broken: Vec<ModelId>,
}

#[derive(Clone)]
struct Found {
    models: Vec<ModelInfo>,
    unusable: Vec<(String, String)>,
}

impl Registry {
    pub fn new(
        main: Db,
        profile: ProfileId,
        options: RegistryOptions,
        replacement: Option<Arc<dyn ChatModel>>,
    ) -> Self {
        Self {
            main,
            profile,
            options: Mutex::new(options),
            replacement,
            loading: Mutex::new(()),
            state: Mutex::new(State::default()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn options(&self) -> RegistryOptions {
        self.options.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn own_folder(&self) -> PathBuf {
        self.options().own_folder
    }

    /// Takes changed settings; models that are loaded stay.
    pub fn set_options(&self, options: RegistryOptions) {
        {
            let mut own = self.options.lock().unwrap_or_else(PoisonError::into_inner);
            if *own == options {
                return;
            }
            *own = options;
        }
        self.rescan();
    }

    /// Looks at the folders again when next asked.
    pub fn rescan(&self) {
        let mut state = self.state();
        state.found = None;
        state.broken.clear();
    }

    fn found(&self) -> Found {
        if let Some(found) = self.state().found.clone() {
            return found;
        }
        let folders = self.options().all_folders();
        let (mut models, failures) = weights::discover(&folders);
        // The same model in two folders: the first folder counts.
        let mut seen = Vec::new();
        models.retain(|model| {
            let new = !seen.contains(&model.id);
            seen.push(model.id.clone());
            new
        });
        let unusable =
            failures.into_iter().map(|(path, error)| (path.display().to_string(), error.to_string())).collect();
        let found = Found { models, unusable };
        self.state().found = Some(found.clone());
        found
    }

    /// The one named in the settings, else the stored default, where they are installed; else the first of its kind.
    fn default_among(&self, models: &[ModelInfo], kind: ModelKind) -> Result<Option<ModelInfo>, ApiError> {
        let of_kind = || models.iter().filter(|model| model.kind == kind);
        let options = self.options();
        let named = match kind {
            ModelKind::Chat => options.default_chat,
            ModelKind::Encoder => options.default_encoder,
            ModelKind::Reranker => options.default_reranker,
        };
        if let Some(found) = of_kind().find(|model| model.id == named) {
            return Ok(Some(found.clone()));
        }
        let wanted = stored::default_of(&self.main, self.profile, kind)?;
        if let Some(found) = wanted.and_then(|id| of_kind().find(|model| model.id == id.0)) {
            return Ok(Some(found.clone()));
        }
        let first = of_kind().next().cloned();
        if let Some(first) = &first {
            stored::set_default(&self.main, self.profile, kind, &ModelId(first.id.clone()))?;
        }
        Ok(first)
    }

    /// The default of a kind. The first model of a kind becomes its default.
    pub fn default_model(&self, kind: ModelKind) -> Result<Option<ModelInfo>, ApiError> {
        self.default_among(&self.found().models, kind)
    }

    /// Makes it the default of its kind; returns that kind. What the settings name stays stronger.
    pub fn set_default(&self, id: &ModelId) -> Result<ModelKind, ApiError> {
        let info = self.installed(id)?;
        stored::set_default(&self.main, self.profile, info.kind, id)?;
        let mut state = self.state();
        match info.kind {
            ModelKind::Encoder => state.encoder = None,
            ModelKind::Reranker => state.reranker = None,
            ModelKind::Chat => {}
        }
        if info.kind != ModelKind::Chat {
            state.broken.clear();
        }
        Ok(info.kind)
    }

    fn installed(&self, id: &ModelId) -> Result<ModelInfo, ApiError> {
        self.found().models.into_iter().find(|model| model.id == id.0).ok_or_else(|| {
            ApiError::validation(
                format!("there is no model '{id}'"),
                "Look at the list of models and choose one that is installed.",
            )
        })
    }

    pub fn list(&self) -> Result<ModelList, ApiError> {
        let found = self.found();
        let options = self.options();
        let defaults = [
            self.default_among(&found.models, ModelKind::Chat)?.map(|model| model.id),
            self.default_among(&found.models, ModelKind::Encoder)?.map(|model| model.id),
            self.default_among(&found.models, ModelKind::Reranker)?.map(|model| model.id),
        ];
        let loaded: Vec<String> = {
            let state = self.state();
            let chat = state.chat.as_ref().map(|(id, _)| id);
            let encoder = state.encoder.as_ref().map(|(id, _)| id);
            let reranker = state.reranker.as_ref().map(|(id, _)| id);
            chat.into_iter().chain(encoder).chain(reranker).map(|id| id.0.clone()).collect()
        };
        let demonstrations: Vec<String> =
            catalogue::built_in().into_iter().filter(|model| model.demonstration).map(|model| model.id).collect();
        let mut models = Vec::new();
        for info in found.models {
            models.push(InstalledModel {
                owned: info.path.starts_with(&options.own_folder),
                is_default: defaults.contains(&Some(info.id.clone())),
                demonstration: demonstrations.contains(&info.id),
                loaded: loaded.contains(&info.id),
                measured_tok_s: stored::measured(&self.main, &info.id)?,
                id: ModelId(info.id.clone()),
                info,
            });
        }
        Ok(ModelList {
            models,
            unusable: found.unusable,
            folders: options.all_folders().iter().map(|folder| folder.display().to_string()).collect(),
        })
    }

    /// Whether answering would have to load a model first; its label for a job.
    pub fn must_load(&self, wanted: Option<&ModelId>) -> Result<Option<String>, ApiError> {
        if self.replacement.is_some() {
            return Ok(None);
        }
        let info = self.wanted(wanted)?;
        let loaded = self.state().chat.as_ref().is_some_and(|(id, _)| id.0 == info.id);
        Ok((!loaded).then_some(info.name))
    }

    fn wanted(&self, wanted: Option<&ModelId>) -> Result<ModelInfo, ApiError> {
        let info = match wanted {
            Some(id) => self.installed(id)?,
            None => self.default_model(ModelKind::Chat)?.ok_or_else(no_model)?,
        };
        if info.kind != ModelKind::Chat {
            return Err(ApiError::validation(
                format!("'{}' is {} and cannot chat", info.id, what(info.kind)),
                "Choose a chat model.",
            ));
        }
        Ok(info)
    }

    /// The chat model, loaded. Another one that was loaded is unloaded first: one at a time.
    ///
    /// # Errors
    /// No model is installed, it does not fit the memory (with the numbers), or it cannot be read.
    pub fn chat_model(&self, wanted: Option<&ModelId>, cancel: &Cancel) -> Result<Arc<dyn ChatModel>, ApiError> {
        if let Some(replacement) = &self.replacement {
            return Ok(replacement.clone());
        }
        let info = self.wanted(wanted)?;
        let id = ModelId(info.id.clone());
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if cancel.is_cancelled() {
            return Err(ApiError::cancelled());
        }
        {
            let mut state = self.state();
            match &state.chat {
                Some((loaded, model)) if *loaded == id => return Ok(model.clone()),
                _ => state.chat = None,
            }
        }
        let options = self.options();
        memory::require(&info, options.max_context)?;
        let load = LoadOptions { threads: options.threads, max_context: options.max_context };
        let model: Arc<dyn ChatModel> = Arc::new(EmbeddedModel::load(&info.path, load)?);
        self.state().chat = Some((id, model.clone()));
        Ok(model)
    }

    /// Gives the memory of the chat model back; a running answer keeps it until it is done.
    pub fn unload(&self) {
        self.state().chat = None;
    }

    pub fn set_measured(&self, id: &str, tok_s: f64, at: Timestamp) -> Result<(), ApiError> {
        Ok(stored::set_measured(&self.main, id, tok_s, at)?)
    }

    /// Deletes a model of the own folder.
    ///
    /// # Errors
    /// It lies in another folder, or the system refuses.
    pub fn remove(&self, id: &ModelId) -> Result<(), ApiError> {
        let info = self.installed(id)?;
        let own = self.own_folder();
        if !lies_in(&info.path, &own) {
            return Err(ApiError::validation(
                format!("'{id}' lies in {}, which rspa does not own", info.path.display()),
                "Delete it there yourself, or take that folder out of the settings.",
            ));
        }
        {
            let mut state = self.state();
            if state.chat.as_ref().is_some_and(|(loaded, _)| loaded == id) {
                state.chat = None;
            }
            if state.encoder.as_ref().is_some_and(|(loaded, _)| loaded == id) {
                state.encoder = None;
            }
            if state.reranker.as_ref().is_some_and(|(loaded, _)| loaded == id) {
                state.reranker = None;
            }
        }
        let done =
            if info.path.is_dir() { std::fs::remove_dir_all(&info.path) } else { std::fs::remove_file(&info.path) };
        done.map_err(|error| {
            ApiError::new(
                ErrorCategory::Storage,
                format!("{} cannot be deleted: {error}", info.path.display()),
                "Check that no other program uses it and that you may write to its folder.",
            )
        })?;
        stored::forget(&self.main, id)?;
        self.rescan();
        Ok(())
    }
}

impl Registry {
    /// Installed encoders, in the order in which they count.
    pub fn encoders(&self) -> Vec<ModelId> {
        let models = self.found().models.into_iter();
        models.filter(|model| model.kind == ModelKind::Encoder).map(|model| ModelId(model.id)).collect()
    }

    /// An installed encoder, loaded beside the default one.
    ///
    /// # Errors
    /// It is not installed, is no encoder, does not fit the memory, or cannot be read.
    pub fn encoder_named(&self, id: &ModelId) -> Result<Arc<dyn Embedder>, ApiError> {
        let info = self.installed(id)?;
        if info.kind != ModelKind::Encoder {
            return Err(ApiError::validation(format!("'{id}' is no encoder"), "Choose an encoder, or none."));
        }
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, encoder)) = self.state().encoder.as_ref().filter(|(loaded, _)| loaded == id) {
            return Ok(encoder.clone());
        }
        memory::require(&info, 0)?;
        Ok(Arc::new(Encoder::load(&info.path)?))
    }
}

/// Where a loaded model of a kind is kept.
type Slot<T> = fn(&mut State) -> &mut Option<(ModelId, Arc<T>)>;

impl Registry {
    /// The default of a kind: the one in `slot`, or loaded into it. None where there is none or it cannot be loaded.
    fn loaded<T: ?Sized>(
        &self,
        kind: ModelKind,
        slot: Slot<T>,
        load: impl FnOnce(&Path) -> rspa_ml::Result<Arc<T>>,
    ) -> Option<Arc<T>> {
        let info = match self.default_model(kind) {
            Ok(info) => info?,
            Err(error) => {
                tracing::warn!(%error, ?kind, "the default model cannot be looked up");
                return None;
            }
        };
        let id = ModelId(info.id.clone());
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut state = self.state();
            if let Some((loaded, model)) = slot(&mut state)
                && *loaded == id
            {
                return Some(model.clone());
            }
            if state.broken.contains(&id) {
                return None;
            }
        }
        match memory::require(&info, 0).and_then(|()| Ok(load(&info.path)?)) {
            Ok(model) => {
                *slot(&mut self.state()) = Some((id, model.clone()));
                Some(model)
            }
            Err(error) => {
                tracing::warn!(model = %id, %error, "a model for search cannot be loaded");
                self.state().broken.push(id);
                None
            }
        }
    }
}

impl EncoderProvider for Registry {
    fn former(&self, id: &str) -> Option<Arc<dyn Embedder>> {
        // Its own id begins with the name of its folder.
        let named = |model: &&ModelInfo| {
            let folder = model.path.file_name().map(|name| name.to_string_lossy().to_lowercase());
            model.kind == ModelKind::Encoder && folder.is_some_and(|name| id.starts_with(&name))
        };
        for info in self.found().models.iter().filter(named) {
            match self.encoder_named(&ModelId(info.id.clone())) {
                Ok(encoder) if encoder.id() == id => return Some(encoder),
                Ok(_) => {}
                Err(error) => tracing::warn!(model = info.id, %error, "an encoder of before cannot be loaded"),
            }
        }
        None
    }

    fn encoder(&self) -> Option<Arc<dyn Embedder>> {
        let load = |path: &Path| Ok(Arc::new(Encoder::load(path)?) as Arc<dyn Embedder>);
        self.loaded(ModelKind::Encoder, |state| &mut state.encoder, load)
    }

    fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        let load = |path: &Path| Ok(Arc::new(CrossEncoder::load(path)?) as Arc<dyn Reranker>);
        self.loaded(ModelKind::Reranker, |state| &mut state.reranker, load)
    }
}

fn what(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Chat => "a chat model",
        ModelKind::Encoder => "an encoder",
        ModelKind::Reranker => "a reranker",
    }
}

fn lies_in(path: &Path, folder: &Path) -> bool {
    path != folder
        && path.starts_with(folder)
        && !path.components().any(|part| matches!(part, std::path::Component::ParentDir))
}

pub fn no_model() -> ApiError {
    ApiError::validation(
        "no chat model is installed",
        "Import a .gguf file on the Models page or with `rspa models import PATH`.",
    )
}

#[cfg(test)]
mod tests;
