//! Where values come from: the settings file (TOML, YAML or JSON), .env files, the environment, the command line.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use toml_edit::{Document, Item, Value};

use super::groups::{self, Setting};
use super::{parse, renamed, unknown, yaml};
use crate::api::ApiError;
use crate::model::{SettingOrigin, SettingValue, SettingsFormat};

/// In bytes; a settings file is a few kilobytes.
pub(super) const LARGEST_FILE: u64 = 1 << 20;

/// What one place says.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub origin: SettingOrigin,
    pub values: Vec<Found>,
    /// The whole place could not be read: in words with the place.
    pub broken: Option<String>,
    /// Names that no setting has.
    pub unknown: Vec<String>,
    /// Found under a name that a setting had once: the old name and today's.
    pub renamed: Vec<(String, &'static str)>,
}

/// One value found, allowed or not.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub key: String,
    pub value: Result<SettingValue, String>,
    /// `settings.toml:3` or `RSPA_UI_THEME`.
    pub place: String,
}

impl Layer {
    pub fn new(origin: SettingOrigin) -> Self {
        Self { origin, values: Vec::new(), broken: None, unknown: Vec::new(), renamed: Vec::new() }
    }

    fn broken(origin: SettingOrigin, why: String) -> Self {
        Self { broken: Some(why), ..Self::new(origin) }
    }

    pub fn add(&mut self, key: &str, place: String, value: impl FnOnce(&Setting) -> Result<SettingValue, String>) {
        let today = renamed::today(key);
        match groups::find(today.unwrap_or(key)) {
            Some(setting) => {
                let found = Found { key: setting.key.clone(), value: value(setting), place };
                match today {
                    None => self.values.push(found),
                    // Before all others: today's name counts where both stand.
                    Some(today) => {
                        self.renamed.push((key.to_owned(), today));
                        self.values.insert(0, found);
                    }
                }
            }
            None => {
                let short: String = key.chars().take(80).collect();
                self.unknown.push(format!("{place}: there is no setting {short:?}"));
            }
        }
    }
}

/// The settings file at `path`; none when it does not exist.
pub(super) fn read_file(path: &Path) -> Option<Layer> {
    let text = match read_text(path) {
        Ok(text) => text?,
        Err(why) => return Some(Layer::broken(SettingOrigin::File, why)),
    };
    Some(parse_file(path, &text).unwrap_or_else(|why| Layer::broken(SettingOrigin::File, why)))
}

pub(super) fn parse_file(path: &Path, text: &str) -> Result<Layer, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match format_of(path) {
        SettingsFormat::Json => parse_json(&name, text),
        SettingsFormat::Yaml => yaml::parse(&name, text),
        SettingsFormat::Toml => parse_toml(&name, text),
    }
}

/// By the end of the name; TOML for all that is not known.
pub(super) fn format_of(path: &Path) -> SettingsFormat {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => SettingsFormat::Json,
        Some("yaml" | "yml") => SettingsFormat::Yaml,
        _ => SettingsFormat::Toml,
    }
}

/// The text of a file, none when there is none, or in words why it cannot be used.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, String> {
    let name = path.display();
    let file = match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(format!("{name} is no file")),
        Ok(_) => std::fs::File::open(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
    };
    let mut bytes = Vec::new();
    file.and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("{name} cannot be read: {error}"))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("{name} is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        format!("{name}:{} is no valid text", line_at(before, before.len()))
    })
}

fn line_at(bytes: &[u8], position: usize) -> usize {
    1 + bytes.iter().take(position).filter(|byte| **byte == b'\n').count()
}

fn parse_toml(name: &str, text: &str) -> Result<Layer, String> {
    let document = Document::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text.as_bytes(), span.start));
        format!("{name}:{line} cannot be read: {}", error.message())
    })?;
    let mut layer = Layer::new(SettingOrigin::File);
    for (group, item) in document.iter() {
        let Some(table) = item.as_table_like() else {
            layer.unknown.push(format!("{name}: {} stands outside of a group", short(group)));
            continue;
        };
        for (key, item) in table.iter() {
            let line = item.span().map_or(1, |span| line_at(text.as_bytes(), span.start));
            let full = format!("{group}.{key}");
            layer.add(&full, format!("{name}:{line}"), |setting| parse::check(setting, toml_value(item)?));
        }
    }
    Ok(layer)
}

pub(super) fn short(text: &str) -> String {
    format!("{:?}", text.chars().take(80).collect::<String>())
}

fn toml_value(item: &Item) -> Result<SettingValue, String> {
    let wrong = || "it is neither a plain value nor a list of texts".to_owned();
    match item.as_value().ok_or_else(wrong)? {
        Value::Boolean(value) => Ok(SettingValue::Bool(*value.value())),
        Value::Integer(value) => Ok(SettingValue::Integer(*value.value())),
        Value::Float(value) => Ok(SettingValue::Number(*value.value())),
        Value::String(text) => Ok(SettingValue::Text(text.value().clone())),
        Value::Array(array) => {
            let texts = array.iter().map(|entry| entry.as_str().map(str::to_owned).ok_or_else(wrong));
            Ok(SettingValue::List(texts.collect::<Result<_, _>>()?))
        }
        Value::Datetime(_) | Value::InlineTable(_) => Err(wrong()),
    }
}

fn parse_json(name: &str, text: &str) -> Result<Layer, String> {
    let root: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| format!("{name}:{} cannot be read: {error}", error.line()))?;
    let mut layer = Layer::new(SettingOrigin::File);
    for (group, inner) in &root {
        let Some(inner) = inner.as_object() else {
            layer.unknown.push(format!("{name}: {} stands outside of a group", short(group)));
            continue;
        };
        for (key, value) in inner {
            let full = format!("{group}.{key}");
            let line = json_line(text, group, key);
            layer.add(&full, format!("{name}:{line}"), |setting| parse::check(setting, json_value(value)?));
        }
    }
    Ok(layer)
}

/// The line of a key in its group, as far as it can be told from the text: for people, not for programs.
fn json_line(text: &str, group: &str, key: &str) -> usize {
    let quoted = |name: &str| serde_json::to_string(name).unwrap_or_default();
    let start = text.find(&quoted(group)).unwrap_or(0);
    let at = text.get(start..).and_then(|rest| rest.find(&quoted(key))).map_or(start, |at| start + at);
    line_at(text.as_bytes(), at)
}

fn json_value(value: &serde_json::Value) -> Result<SettingValue, String> {
    let wrong = || "it is neither a plain value nor a list of texts".to_owned();
    match value {
        serde_json::Value::Bool(value) => Ok(SettingValue::Bool(*value)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(value) => Ok(SettingValue::Integer(value)),
            None => number.as_f64().map(SettingValue::Number).ok_or_else(wrong),
        },
        serde_json::Value::String(text) => Ok(SettingValue::Text(text.clone())),
        serde_json::Value::Array(list) => {
            let texts = list.iter().map(|entry| entry.as_str().map(str::to_owned).ok_or_else(wrong));
            Ok(SettingValue::List(texts.collect::<Result<_, _>>()?))
        }
        _ => Err(wrong()),
    }
}

/// What a .env file that is not trusted may set, beside the interface: how a model that was chosen elsewhere writes.
const HARMLESS: [&str; 7] = [
    "models.temperature",
    "models.top_p",
    "models.top_k",
    "models.min_p",
    "models.repeat_penalty",
    "models.max_tokens",
    "models.seed",
];

/// A .env file: `RSPA_GROUP_KEY=value` lines; others are for other programs. In a file that is not trusted, only
/// the interface and [`HARMLESS`] settings count: it must not choose models, hosts, or what is read and logged.
pub(super) fn dot_env(path: &Path, trusted: bool) -> Option<Layer> {
    let text = match read_text(path) {
        Ok(text) => text?,
        Err(why) => return Some(Layer::broken(SettingOrigin::DotEnv, why)),
    };
    let mut layer = Layer::new(SettingOrigin::DotEnv);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches("export ");
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
        let Some((setting, former)) = setting_of(name.trim()) else { continue };
        let place = format!("{}:{}", path.display(), index + 1);
        if !trusted && setting.group != "ui" && !HARMLESS.contains(&setting.key.as_str()) {
            layer
                .unknown
                .push(format!("{place}: {} is only read from the .env file in the data folder", setting.variable()));
            continue;
        }
        let value = parse::from_text(setting, unquoted(value));
        if let Some(former) = former {
            layer.renamed.push((former, today(setting)));
        }
        layer.values.push(Found { key: setting.key.clone(), value, place });
    }
    Some(layer)
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

/// The setting of a variable, and the former name if the variable has that one.
fn setting_of(variable: &str) -> Option<(&'static Setting, Option<String>)> {
    groups::schema().iter().find_map(|setting| {
        if setting.variable() == variable {
            return Some((setting, None));
        }
        let former = renamed::former(&setting.key).find(|former| groups::variable(former) == variable)?;
        Some((setting, Some(former.to_owned())))
    })
}

fn today(setting: &'static Setting) -> &'static str {
    setting.key.as_str()
}

pub(super) fn environment(variables: &BTreeMap<String, String>) -> Layer {
    let mut layer = Layer::new(SettingOrigin::Environment);
    for setting in groups::schema() {
        // Today's name last: it counts where both are set.
        for name in renamed::former(&setting.key).chain([setting.key.as_str()]) {
            let place = groups::variable(name);
            if let Some(text) = variables.get(&place) {
                if name != setting.key {
                    layer.renamed.push((name.to_owned(), today(setting)));
                }
                layer.values.push(Found { key: setting.key.clone(), value: parse::from_text(setting, text), place });
            }
        }
    }
    layer
}

/// # Errors
/// When a setting does not exist or its value is not allowed: who types it sees it at once.
pub(super) fn command_line(overrides: &BTreeMap<String, String>) -> Result<Layer, ApiError> {
    let mut layer = Layer::new(SettingOrigin::CommandLine);
    for (key, text) in overrides {
        let setting = groups::find(renamed::today(key).unwrap_or(key)).ok_or_else(|| unknown(key))?;
        let value = parse::from_text(setting, text).map_err(|why| {
            ApiError::validation(format!("{key} on the command line: {why}"), "Give an allowed value.")
        })?;
        layer.values.push(Found { key: setting.key.clone(), value: Ok(value), place: "the command line".to_owned() });
    }
    Ok(layer)
}
