//! A chat model inside this process: rspa-ml's runtime behind the [`ChatModel`] trait.

use std::path::Path;
use std::sync::mpsc::{self, Receiver};

use rspa_ml::Cancel;
use rspa_ml::generate::GenerateRequest;
use rspa_ml::runtime::{LanguageModel, LoadOptions};

use super::{ChatModel, ModelEvent};
use crate::api::{ApiError, ErrorCategory};

pub struct EmbeddedModel {
    model: LanguageModel,
}

impl EmbeddedModel {
    /// Reads the weights; takes as long as the file is large.
    pub fn load(path: &Path, options: LoadOptions) -> Result<Self, ApiError> {
        Ok(Self { model: LanguageModel::load(path, options)? })
    }
}

impl ChatModel for EmbeddedModel {
    fn id(&self) -> &str {
        &self.model.info().id
    }

    fn context_length(&self) -> usize {
        self.model.context_length()
    }

    fn parameters(&self) -> Option<u64> {
        Some(self.model.info().parameters).filter(|count| *count > 0)
    }

    fn count_tokens(&self, text: &str) -> Result<usize, ApiError> {
        Ok(self.model.count_tokens(text)?)
    }

    fn generate(&self, request: GenerateRequest, cancel: Cancel) -> Result<Receiver<ModelEvent>, ApiError> {
        let said = self.model.generate(request, cancel)?;
        let (tell, told) = mpsc::channel();
        let forward = move || {
            for event in said {
                // Nobody listens any more: dropping what is said ends the generation.
                if tell.send(event.into()).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("generation".to_owned()).spawn(forward).map_err(|error| {
            ApiError::new(ErrorCategory::System, format!("no thread for the model: {error}"), "Close other programs.")
        })?;
        Ok(told)
    }
}
