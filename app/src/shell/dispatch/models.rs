//! Commands about models and jobs.

use std::path::PathBuf;

use rspa_core::api::request::models::{DownloadModel, ImportModel, ListModels, RemoveModel, SetDefaultModel};
use rspa_core::api::request::system::CancelJob;
use rspa_core::model::{Job, JobId, ModelId};

use crate::shell::Shell;
use crate::state::AppState;

impl Shell {
    pub(super) fn refresh_models(&mut self) {
        if let Some(core) = self.engine.core() {
            self.state.models.list.ask(core.call(ListModels {}));
        }
    }

    pub(super) fn import_model(&mut self, path: PathBuf) {
        self.engine.send(&mut self.state, ImportModel { path }, |state, _, job| put(state, job));
    }

    pub(super) fn download_model(&mut self, catalogue_id: String, confirmed_host: String) {
        let request = DownloadModel { catalogue_id, confirmed_host };
        self.engine.send(&mut self.state, request, |state, _, job| put(state, job));
    }

    pub(super) fn remove_model(&mut self, id: ModelId) {
        self.engine.send(&mut self.state, RemoveModel { id: id.clone() }, move |state, _, ()| {
            if let Some(list) = state.models.list.get_mut() {
                list.models.retain(|model| model.id != id);
            }
        });
    }

    pub(super) fn set_default_model(&mut self, id: ModelId) {
        self.engine.send(&mut self.state, SetDefaultModel { id: id.clone() }, move |state, _, ()| {
            let Some(list) = state.models.list.get_mut() else { return };
            let kind = list.models.iter().find(|model| model.id == id).map(|model| model.info.kind);
            for model in list.models.iter_mut().filter(|model| Some(model.info.kind) == kind) {
                model.is_default = model.id == id;
            }
        });
    }

    pub(super) fn cancel_job(&mut self, id: JobId) {
        self.engine.send(&mut self.state, CancelJob { id }, |_, _, ()| {});
    }
}

/// Puts a job into the list unless an event was faster.
fn put(state: &mut AppState, job: Job) {
    if state.job(job.id).is_none() {
        state.jobs.push(job);
    }
}
