//! Settings: a schema as data, values from five kinds of places, checked, live, and written back without harm.

mod dump;
mod groups;
mod guard;
mod import;
mod parse;
mod renamed;
mod resolve;
mod sources;
mod write;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub use groups::{
    Backups, Current, Database, Interface, Knowledge, Logging, Models, Network, Retention, Security, Setting, schema,
};
use resolve::Resolved;
use sources::Layer;

pub use dump::Facts;
pub(crate) use parse::is_host;
use write::Change;

use crate::api::{ApiError, ErrorCategory};
use crate::model::{SettingEntry, SettingOrigin, SettingValue};
use crate::workspace::places::Places;

/// All settings of a running core. Reading is cheap; a change is seen by the next `current()`.
pub struct Settings {
    /// The settings files that may exist, lowest precedence first. The last one that exists is written to.
    files: Vec<PathBuf>,
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
    /// The values that were in force after the first reading; none before it.
    since_start: Option<BTreeMap<String, SettingValue>>,
    migrated: Vec<String>,
}

impl State {
    fn entries(&self) -> Vec<SettingEntry> {
        let mut entries = self.resolved.entries();
        if let Some(since_start) = &self.since_start {
            for entry in entries.iter_mut().filter(|entry| entry.needs_restart) {
                entry.waiting_for_restart = since_start.get(&entry.key).is_some_and(|value| *value != entry.value);
            }
        }
        entries
    }
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
            files: vec![places.settings_json(), places.settings_yml(), places.settings_yaml(), places.settings_toml()],
            dot_envs,
            fixed: vec![sources::environment(environment), sources::command_line(overrides)?],
            extra_model_folders: extra.into_iter().flatten().filter(|path| !path.as_os_str().is_empty()).collect(),
            state: RwLock::new(State {
                resolved: Resolved::defaults(),
                current: Arc::new(Current::default()),
                fingerprint: Vec::new(),
                since_start: None,
                migrated: Vec::new(),
            }),
            writing: Mutex::new(()),
        };
        let migrated = settings.migrate();
        settings.reload(&[]);
        let mut state = settings.state.write().unwrap_or_else(PoisonError::into_inner);
        state.since_start = Some(state.resolved.values());
        state.migrated = migrated;
        drop(state);
        Ok(settings)
    }

    /// Writes values that stand under a former name under today's. A file that cannot be written is read as it is.
    fn migrate(&self) -> Vec<String> {
        let mut told = Vec::new();
        for path in self.files.iter() {
            let Some(layer) = sources::read_file(path).filter(|layer| !layer.renamed.is_empty()) else { continue };
            let changes: Vec<Change<'_>> = layer
                .renamed
                .iter()
                .filter_map(|(_, today)| {
                    // The last one counts, as everywhere.
                    let found = layer.values.iter().rev().find(|found| found.key == *today)?;
                    Some(Change { setting: groups::find(today)?, value: Some(found.value.clone().ok()?) })
                })
                .collect();
            let written = write::changed_text(path, &changes).is_ok_and(|text| {
                crate::workspace::places::write_private(path, text.as_bytes())
                    .inspect_err(|error| tracing::warn!(%error, "the settings file keeps the former names"))
                    .is_ok()
            });
            if written {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let names = layer.renamed.iter().map(|(old, new)| format!("{name}: {old} is now called {new}"));
                told.extend(names);
            }
        }
        told
    }

    /// What was renamed in the files at the start, one sentence each.
    pub fn migrated(&self) -> Vec<String> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).migrated.clone()
    }

    /// The values in force, typed.
    pub fn current(&self) -> Arc<Current> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    /// Every setting with its value, origin and problem, in the order of the schema.
    pub fn list(&self) -> Vec<SettingEntry> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).entries()
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
        self.change(&[Change { setting, value: Some(value) }])
    }

    /// Removes one value, a group's, or all from the settings files and returns the entries that changed.
    ///
    /// # Errors
    /// When there is no such setting or group, or a file cannot be written.
    pub fn reset(&self, key: Option<&str>) -> Result<Vec<SettingEntry>, ApiError> {
        let wanted = |setting: &&Setting| key.is_none_or(|key| setting.key == key || setting.group == key);
        let changes: Vec<_> = schema().iter().filter(wanted).map(|setting| Change { setting, value: None }).collect();
        match (changes.is_empty(), key) {
            (true, Some(key)) => Err(unknown(key)),
            _ => self.change(&changes),
        }
    }

    /// Takes over the value that a file has for this setting although it allows more than before: the person said so.
    ///
    /// # Errors
    /// When there is no such setting, or nothing waits.
    pub fn accept(&self, key: &str) -> Result<Vec<SettingEntry>, ApiError> {
        let setting = groups::find(key).ok_or_else(|| unknown(key))?;
        let waits = self.list().iter().any(|entry| entry.key == setting.key && entry.held.is_some());
        if !waits {
            return Err(ApiError::validation(
                format!("no change of {key} waits to be accepted"),
                "Look at the settings again.",
            ));
        }
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.reload(&[&setting.key]))
    }

    /// The file that changes are written to: the one that wins among those that exist.
    fn written_file(&self) -> &Path {
        let toml = self.files.last().expect("the list of files is fixed");
        self.files.iter().rev().find(|path| path.exists()).unwrap_or(toml)
    }

    fn change(&self, changes: &[Change<'_>]) -> Result<Vec<SettingEntry>, ApiError> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let target = self.written_file();
        let removed: Vec<_> = changes.iter().filter(|change| change.value.is_none()).cloned().collect();
        let mut texts = Vec::new();
        let mut layers = Vec::new();
        for path in &self.files {
            // A value that is removed must not shine through from another file.
            let here = if path == target { changes } else { &removed };
            let exists = path.exists();
            if here.is_empty() || (!exists && path != target) {
                layers.extend(sources::read_file(path));
                continue;
            }
            let text = write::changed_text(path, here)?;
            layers.push(sources::parse_file(path, &text).map_err(|why| {
                ApiError::new(
                    ErrorCategory::System,
                    format!("the new settings cannot be read back: {why}"),
                    "Report this.",
                )
            })?);
            texts.push((path, text));
        }
        // What the rules between settings say about the new values, before they are written.
        let resolved = self.resolve(layers, None);
        for change in changes {
            if let (Some(_), Some(problem)) = (&change.value, resolved.problem(&change.setting.key)) {
                return Err(ApiError::validation(
                    problem.to_owned(),
                    "Change the other setting first, or both values.",
                ));
            }
        }
        for (path, text) in texts {
            let unchanged = sources::read_text(path).is_ok_and(|now| now.unwrap_or_default() == text);
            if unchanged {
                continue;
            }
            crate::workspace::places::write_private(path, text.as_bytes()).map_err(|error| {
                ApiError::new(
                    ErrorCategory::Storage,
                    format!("{} could not be written: {error}", path.display()),
                    "Check the permissions and the free space of the data folder.",
                )
            })?;
        }
        let keys: Vec<&str> = changes.iter().map(|change| change.setting.key.as_str()).collect();
        Ok(self.reload(&keys))
    }

    /// Reads the files again if one of them changed; the entries that changed.
    pub fn reload_if_changed(&self) -> Vec<SettingEntry> {
        let unchanged = self.fingerprint() == self.state.read().unwrap_or_else(PoisonError::into_inner).fingerprint;
        if unchanged {
            return Vec::new();
        }
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.reload(&[])
    }

    /// `accepted`: the settings that the person has just set; those may allow more than before.
    fn reload(&self, accepted: &[&str]) -> Vec<SettingEntry> {
        let fingerprint = self.fingerprint();
        let mut layers = Vec::new();
        for path in &self.files {
            layers.extend(sources::read_file(path));
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut resolved = self.resolve(layers, Some(&state.resolved));
        if state.since_start.is_some() {
            resolved.hold_back(&state.resolved, accepted);
        }
        let before = state.entries();
        state.current = Arc::new(resolved.current());
        state.resolved = resolved;
        state.fingerprint = fingerprint;
        let after = state.entries();
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
        let files = self.files.iter().chain(self.dot_envs.iter().map(|file| &file.path));
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
