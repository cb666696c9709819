//! Settings: a schema as data, values from five kinds of places, checked, live, and written back without harm.

mod groups;
mod parse;
mod resolve;
mod sources;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub use groups::{
    Backups, Current, Database, Interface, Knowledge, Logging, Models, Network, Retention, Security, Setting, schema,
};
use resolve::Resolved;
use sources::Layer;

use crate::api::{ApiError, ErrorCategory};
use crate::model::{SettingEntry, SettingOrigin, SettingValue};
use crate::workspace::places::Places;

/// All settings of a running core. Reading is cheap; a change is seen by the next `current()`.
pub struct Settings {
    toml: PathBuf,
    json: PathBuf,
    dot_envs: Vec<DotEnv>,
    /// From the environment and the command line: fixed while the program runs.
    fixed: Vec<Layer>,
    extra_model_folders: Vec<PathBuf>,
    state: RwLock<State>,
    /// One change at a time.
    writing: Mutex<()>,
}

#[derive(Clone, Debug)]
struct DotEnv {
    path: PathBuf,
    /// False for the folder that the program happens to be started in: a project that was copied from somewhere must
    /// not choose models, open the network, or change what is read and logged.
    trusted: bool,
}

struct State {
    resolved: Resolved,
    current: Arc<Current>,
    fingerprint: Vec<Option<(u64, std::time::SystemTime)>>,
}

impl Settings {
    /// Reads everything. What is wrong in files or variables is kept as a problem and never stops the start.
    ///
    /// # Errors
    /// When a setting on the command line does not exist or is not allowed.
    pub fn load(
        places: &Places,
        environment: &BTreeMap<String, String>,
        overrides: &BTreeMap<String, String>,
        working_folder: Option<&Path>,
    ) -> Result<Self, ApiError> {
        let mut dot_envs = vec![DotEnv { path: places.data().join(".env"), trusted: true }];
        dot_envs.extend(
            working_folder
                .filter(|folder| *folder != places.data())
                .map(|folder| DotEnv { path: folder.join(".env"), trusted: false }),
        );
        let extra = environment.get("RSPA_MODELS_PATH").map(std::env::split_paths);
        let settings = Self {
            toml: places.settings_toml(),
            json: places.settings_json(),
            dot_envs,
            fixed: vec![sources::environment(environment), sources::command_line(overrides)?],
            extra_model_folders: extra.into_iter().flatten().filter(|path| !path.as_os_str().is_empty()).collect(),
            state: RwLock::new(State {
                resolved: Resolved::defaults(),
                current: Arc::new(Current::default()),
                fingerprint: Vec::new(),
            }),
            writing: Mutex::new(()),
        };
        settings.reload();
        Ok(settings)
    }

    /// The values in force, typed.
    pub fn current(&self) -> Arc<Current> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    /// Every setting with its value, origin and problem, in the order of the schema.
    pub fn list(&self) -> Vec<SettingEntry> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).resolved.entries()
    }

    /// What was wrong in files and variables, in words with the place, beyond what `list` says per setting.
    pub fn problems(&self) -> Vec<String> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).resolved.problems.clone()
    }

    /// Folders to look for models in, beside the program's own: those set, then those of `RSPA_MODELS_PATH`.
    pub fn model_folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<_> = self.current().models.folders.iter().map(PathBuf::from).collect();
        folders.extend(self.extra_model_folders.iter().cloned());
        folders
    }

    /// Writes one value to the settings file and returns the entries that changed.
    ///
    /// # Errors
    /// When the setting does not exist, the value is not allowed, or a variable or the command line overrides it.
    pub fn set(&self, key: &str, value: &SettingValue) -> Result<Vec<SettingEntry>, ApiError> {
        let setting = groups::find(key).ok_or_else(|| unknown(key))?;
        let value = parse::check(setting, value.clone())
            .map_err(|why| ApiError::validation(format!("{key}: {why}"), "Choose an allowed value."))?;
        self.refuse_if_overridden(key)?;
        self.change(&[(setting, Some(value))])
    }

    /// Removes one value (or all) from the settings file and returns the entries that changed.
    ///
    /// # Errors
    /// When the setting does not exist, or the file cannot be written.
    pub fn reset(&self, key: Option<&str>) -> Result<Vec<SettingEntry>, ApiError> {
        match key {
            Some(key) => self.change(&[(groups::find(key).ok_or_else(|| unknown(key))?, None)]),
            None => self.change(&schema().iter().map(|setting| (setting, None)).collect::<Vec<_>>()),
        }
    }

    fn change(&self, changes: &[(&Setting, Option<SettingValue>)]) -> Result<Vec<SettingEntry>, ApiError> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = if self.json.exists() && !self.toml.exists() { &self.json } else { &self.toml };
        let text = write::changed_text(path, changes)?;
        let candidate = sources::parse_file(path, &text).map_err(|why| {
            ApiError::new(ErrorCategory::System, format!("the new settings cannot be read back: {why}"), "Report this.")
        })?;
        // What the rules between settings say about the new values, before they are written.
        let resolved = self.resolve(vec![candidate], None);
        for (setting, value) in changes {
            if let (Some(_), Some(problem)) = (value, resolved.problem(&setting.key)) {
                return Err(ApiError::validation(
                    problem.to_owned(),
                    "Change the other setting first, or both values.",
                ));
            }
        }
        crate::workspace::places::write_private(path, text.as_bytes()).map_err(|error| {
            ApiError::new(
                ErrorCategory::Storage,
                format!("{} could not be written: {error}", path.display()),
                "Check the permissions and the free space of the data folder.",
            )
        })?;
        Ok(self.reload())
    }

    /// Reads the files again if one of them changed; the entries that changed.
    pub fn reload_if_changed(&self) -> Vec<SettingEntry> {
        let unchanged = self.fingerprint() == self.state.read().unwrap_or_else(PoisonError::into_inner).fingerprint;
        if unchanged { Vec::new() } else { self.reload() }
    }

    fn reload(&self) -> Vec<SettingEntry> {
        let fingerprint = self.fingerprint();
        let mut layers = Vec::new();
        for path in [&self.json, &self.toml] {
            layers.extend(sources::read_file(path));
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let resolved = self.resolve(layers, Some(&state.resolved));
        let before = state.resolved.entries();
        state.current = Arc::new(resolved.current());
        state.resolved = resolved;
        state.fingerprint = fingerprint;
        let after = state.resolved.entries();
        before.into_iter().zip(after).filter(|(before, after)| before != after).map(|(_, after)| after).collect()
    }

    fn resolve(&self, files: Vec<Layer>, last: Option<&Resolved>) -> Resolved {
        let mut layers = files;
        for dot_env in &self.dot_envs {
            layers.extend(sources::dot_env(&dot_env.path, dot_env.trusted));
        }
        layers.extend(self.fixed.iter().cloned());
        Resolved::from_layers(&layers, last)
    }

    fn fingerprint(&self) -> Vec<Option<(u64, std::time::SystemTime)>> {
        let files = [&self.toml, &self.json].into_iter().chain(self.dot_envs.iter().map(|file| &file.path));
        files
            .map(|path| {
                let metadata = std::fs::metadata(path).ok()?;
                Some((metadata.len(), metadata.modified().ok()?))
            })
            .collect()
    }

    fn refuse_if_overridden(&self, key: &str) -> Result<(), ApiError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match state.resolved.origin(key) {
            Some((origin, place)) if origin > SettingOrigin::File => Err(ApiError::validation(
                format!("{key} is set by {place}, which overrides the settings file"),
                "Remove it there, then set it here.",
            )),
            _ => Ok(()),
        }
    }
}

fn unknown(key: &str) -> ApiError {
    ApiError::validation(format!("there is no setting {key}"), "`rspa settings list` shows all.")
}

#[cfg(test)]
mod tests;
