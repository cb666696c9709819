//! Settings out of this program and in again: exported as a file, imported as a whole or not at all.

use std::path::Path;

use super::write::{self, Change};
use super::{Settings, groups, schema, sources};
use crate::api::ApiError;
use crate::model::{SettingChange, SettingEntry, SettingOrigin, SettingsFormat, SettingsImport};

/// Problems that a refusal names.
const NAMED: usize = 5;

impl Settings {
    /// The values that differ from their defaults, as the text of a settings file.
    ///
    /// # Errors
    /// None that is known; a value that cannot be written would be one.
    pub fn export(&self, format: SettingsFormat) -> Result<String, ApiError> {
        let entries = self.list();
        let changes: Vec<Change<'_>> = schema()
            .iter()
            .filter_map(|setting| {
                let entry = entries.iter().find(|entry| entry.key == setting.key)?;
                (entry.value != setting.default).then(|| Change { setting, value: Some(entry.value.clone()) })
            })
            .collect();
        let text = write::whole(format, &changes)?;
        let head = format!("# Settings of RS Personal Agent {}\n", env!("CARGO_PKG_VERSION"));
        Ok(if format == SettingsFormat::Json { text } else { head + &text })
    }

    /// What the file at `name` with this text would change, and all that is wrong with it.
    pub fn preview(&self, name: &Path, text: &str) -> SettingsImport {
        let mut import = SettingsImport::default();
        let layer = match sources::parse_file(name, text) {
            Ok(layer) => layer,
            Err(why) => return SettingsImport { problems: vec![why], ..import },
        };
        import.problems.extend(layer.unknown.iter().cloned());
        let entries = self.list();
        for entry in &entries {
            let Some(found) = layer.values.iter().rev().find(|found| found.key == entry.key) else { continue };
            match &found.value {
                Err(why) => import.problems.push(format!("{}: {}: {why}", found.place, found.key)),
                Ok(value) if *value == entry.value && entry.held.is_none() => {}
                Ok(value) => {
                    if entry.origin > SettingOrigin::File {
                        let over = entry.place.as_deref().unwrap_or_default();
                        import
                            .problems
                            .push(format!("{}: {} is set by {over}, which overrides files", found.place, entry.key));
                    }
                    import.changes.push(change(entry, value.clone()));
                }
            }
        }
        if import.problems.is_empty() {
            import.problems.extend(self.rules_broken_by(&import.changes));
        }
        import
    }

    /// What the rules between settings say about these values over today's.
    fn rules_broken_by(&self, changes: &[SettingChange]) -> Vec<String> {
        let mut layer = sources::Layer::new(SettingOrigin::CommandLine);
        for change in changes {
            let (key, value) = (change.key.clone(), Ok(change.to.clone()));
            layer.values.push(sources::Found { key, value, place: "after this import".to_owned() });
        }
        let mut layers: Vec<_> = self.files.iter().filter_map(|path| sources::read_file(path)).collect();
        layers.push(layer);
        let resolved = self.resolve(layers, None);
        changes.iter().filter_map(|change| resolved.problem(&change.key).map(str::to_owned)).collect()
    }

    /// Takes over all values of the text, in one step. Returns what was done and the entries that changed.
    ///
    /// # Errors
    /// When anything in it is not allowed (nothing is changed then), or the settings file cannot be written.
    pub fn import(&self, name: &Path, text: &str) -> Result<(SettingsImport, Vec<SettingEntry>), ApiError> {
        let mut import = self.preview(name, text);
        if !import.problems.is_empty() {
            let more = import.problems.len().saturating_sub(NAMED);
            let mut words = import.problems.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
            if more > 0 {
                words.push_str(&format!("; and {more} more"));
            }
            return Err(ApiError::validation(
                format!("nothing was imported: {words}"),
                "Correct these places in the file, then import it again.",
            ));
        }
        let changes: Vec<Change<'_>> = import
            .changes
            .iter()
            .filter_map(|change| Some(Change { setting: groups::find(&change.key)?, value: Some(change.to.clone()) }))
            .collect();
        let changed = if changes.is_empty() { Vec::new() } else { self.change(&changes)? };
        import.applied = true;
        Ok((import, changed))
    }

    /// The text of a file to import.
    ///
    /// # Errors
    /// When there is none, it is larger than 1 MiB, or no text.
    pub fn read_import(path: &Path) -> Result<String, ApiError> {
        let wrong = |why: String| ApiError::validation(why, "Choose a settings file: TOML, YAML or JSON.");
        sources::read_text(path).map_err(wrong)?.ok_or_else(|| wrong(format!("{} does not exist", path.display())))
    }
}

fn change(entry: &SettingEntry, to: crate::model::SettingValue) -> SettingChange {
    SettingChange {
        key: entry.key.clone(),
        label: entry.label.clone(),
        from: entry.value.clone(),
        to,
        needs_restart: entry.needs_restart,
    }
}
