//! `rspa settings`: every value with its origin; set, reset, export, import, dump.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rspa_core::api::request::settings::{
    DumpSettings, ExportSettings, ImportFrom, ImportSettings, ListSettingProblems, ListSettings, ResetSetting,
    SetSetting,
};
use rspa_core::model::{SettingEntry, SettingKind, SettingOrigin, SettingValue, SettingsFormat, SettingsImport};

use rspa_core::api::{ApiError, ErrorCategory};

use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line, path_text};
use super::session::Session;

#[derive(Args)]
pub struct SettingsArguments {
    #[command(subcommand)]
    verb: SettingsVerb,
}

#[derive(Subcommand)]
enum SettingsVerb {
    /// List all settings with their values and where these came from
    List,
    /// Print one value
    Get {
        #[arg(value_name = "GROUP.KEY")]
        key: String,
    },
    /// Write a value to the settings file
    Set {
        #[arg(value_name = "GROUP.KEY")]
        key: String,
        /// A list is written with commas
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Go back to the default of one setting, or of a group
    Reset {
        #[arg(value_name = "GROUP.KEY or GROUP", required_unless_present = "all")]
        key: Option<String>,
        /// Of all settings
        #[arg(long, conflicts_with = "key")]
        all: bool,
    },
    /// Print or write the values that differ from their defaults; they hold no secrets
    Export {
        /// Its name decides the format: .toml, .json or .yaml
        file: Option<PathBuf>,
        #[arg(long, value_enum, conflicts_with = "file")]
        format: Option<Format>,
    },
    /// Take over all values of a settings file (TOML, JSON or YAML), or none of them
    Import {
        file: PathBuf,
        /// Only show what would change
        #[arg(long)]
        preview: bool,
    },
    /// Version, settings, problems and facts of this system for a report of a fault; secrets and paths are hidden
    Dump,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Toml,
    Json,
    Yaml,
}

pub fn run(context: &Context, arguments: SettingsArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb {
        SettingsVerb::List => {
            let entries = session.call(ListSettings {})?;
            if output.json {
                return output.json_line(&entries);
            }
            entries.iter().try_for_each(|entry| show(output, entry))?;
            let problems = session.call(ListSettingProblems {})?;
            problems.iter().try_for_each(|problem| output.line(&format!("! {}", one_line(problem))))
        }
        SettingsVerb::Get { key } => {
            let entry = find(&session, &key)?;
            if output.json { output.json_line(&entry) } else { output.line(&value_text(&entry.value)) }
        }
        SettingsVerb::Set { key, value } => {
            let entry = find(&session, &key)?;
            let value = parse(&entry, &value)?;
            let entry = session.call(SetSetting { key, value })?;
            if output.json { output.json_line(&entry) } else { show(output, &entry) }
        }
        SettingsVerb::Reset { key, .. } => {
            let changed = session.call(ResetSetting { key })?;
            if output.json {
                return output.json_line(&changed);
            }
            changed.iter().try_for_each(|entry| show(output, entry))
        }
        SettingsVerb::Export { file, format } => export(&session, output, file, format),
        SettingsVerb::Import { file, preview } => import(&session, output, file, preview),
        SettingsVerb::Dump => output.text(&session.call(DumpSettings {})?),
    }
}

fn export(session: &Session, output: Output, file: Option<PathBuf>, format: Option<Format>) -> Result<(), Failure> {
    let named = file.as_deref().and_then(|file| file.extension()).and_then(|extension| extension.to_str());
    let format = match (format, named) {
        (Some(Format::Json), _) | (None, Some("json")) => SettingsFormat::Json,
        (Some(Format::Yaml), _) | (None, Some("yaml" | "yml")) => SettingsFormat::Yaml,
        _ => SettingsFormat::Toml,
    };
    let text = session.call(ExportSettings { format, to: None })?;
    match file {
        None => output.text(&text),
        Some(file) => {
            let written = std::path::absolute(&file)
                .and_then(|file| rspa_core::workspace::places::write_private(&file, text.as_bytes()));
            written.map_err(|error| {
                Failure::Api(ApiError::new(
                    ErrorCategory::Storage,
                    format!("{} cannot be written: {error}", path_text(&file)),
                    "Choose another place.",
                ))
            })?;
            if output.json {
                return output.json_line(&super::output::with_path(&file, serde_json::json!({})));
            }
            output.line(&format!("written: {}", path_text(&file)))
        }
    }
}

fn import(session: &Session, output: Output, file: PathBuf, preview: bool) -> Result<(), Failure> {
    // Read here: the core may run elsewhere, where a relative path means another file.
    let text = rspa_core::settings::Settings::read_import(&file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let done = session.call(ImportSettings { from: ImportFrom::Text { name, text }, preview })?;
    if output.json {
        return output.json_line(&done);
    }
    show_import(output, &done)
}

fn show_import(output: Output, import: &SettingsImport) -> Result<(), Failure> {
    for change in &import.changes {
        let restart = if change.needs_restart { "  (needs a restart)" } else { "" };
        let (from, to) = (one_line(&value_text(&change.from)), one_line(&value_text(&change.to)));
        output.line(&format!("{}: {from} -> {to}{restart}", change.key))?;
    }
    import.problems.iter().try_for_each(|problem| output.line(&format!("! {}", one_line(problem))))?;
    output.line(match (import.applied, import.changes.is_empty()) {
        (true, false) => "imported",
        (false, false) if !import.problems.is_empty() => "nothing would be imported before this is corrected",
        (false, false) => "nothing was changed yet: this is a preview",
        (_, true) => "nothing differs",
    })
}

fn find(session: &Session, key: &str) -> Result<SettingEntry, Failure> {
    session.call(ListSettings {})?.into_iter().find(|entry| entry.key == key).ok_or_else(|| {
        Failure::validation(format!("there is no setting {}", one_line(key)), "Run rspa settings list to see all.")
    })
}

fn show(output: Output, entry: &SettingEntry) -> Result<(), Failure> {
    let origin = match entry.origin {
        SettingOrigin::Default => "default",
        SettingOrigin::File => "settings file",
        SettingOrigin::DotEnv => ".env",
        SettingOrigin::Environment => "environment",
        SettingOrigin::CommandLine => "command line",
    };
    let place = entry.place.as_deref().map(|place| format!(": {}", one_line(place))).unwrap_or_default();
    let restart = match (entry.needs_restart, entry.waiting_for_restart) {
        (_, true) => "  (in force after the next start)",
        (true, false) => "  (needs a restart)",
        (false, false) => "",
    };
    output.line(&format!("{} = {}  [{origin}{place}]{restart}", entry.key, one_line(&value_text(&entry.value))))?;
    match &entry.problem {
        Some(problem) => output.line(&format!("    {problem}")),
        None => Ok(()),
    }
}

pub fn value_text(value: &SettingValue) -> String {
    match value {
        SettingValue::Bool(value) => value.to_string(),
        SettingValue::Integer(value) => value.to_string(),
        SettingValue::Number(value) => value.to_string(),
        SettingValue::Text(value) => value.clone(),
        SettingValue::List(values) => values.join(","),
    }
}

/// The typed text as a value of the setting's kind; ranges and choices are the core's to check.
fn parse(entry: &SettingEntry, text: &str) -> Result<SettingValue, Failure> {
    let wrong = |expected: &str| {
        Failure::validation(
            format!("{} is {expected}, not '{}'", entry.key, one_line(text)),
            format!("{} Its default is {}.", entry.description, value_text(&entry.default)),
        )
    };
    match entry.kind {
        SettingKind::Bool => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(SettingValue::Bool(true)),
            "false" | "no" | "off" | "0" => Ok(SettingValue::Bool(false)),
            _ => Err(wrong("true or false")),
        },
        SettingKind::Integer { .. } => {
            text.trim().parse().map(SettingValue::Integer).map_err(|_not_whole| wrong("a whole number"))
        }
        SettingKind::Number { .. } => match text.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(SettingValue::Number(value)),
            _ => Err(wrong("a number")),
        },
        SettingKind::Text | SettingKind::Path | SettingKind::Choice(_) => Ok(SettingValue::Text(text.to_owned())),
        SettingKind::List => Ok(SettingValue::List(
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: SettingKind) -> SettingEntry {
        SettingEntry {
            key: "a.b".to_owned(),
            group: "a".to_owned(),
            label: String::new(),
            description: String::new(),
            kind,
            value: SettingValue::Bool(false),
            default: SettingValue::Bool(false),
            origin: SettingOrigin::Default,
            place: None,
            needs_restart: false,
            waiting_for_restart: false,
            problem: None,
            held: None,
        }
    }

    fn check(kind: SettingKind, text: &str, expected: Option<SettingValue>) {
        assert_eq!(parse(&entry(kind), text).ok(), expected, "{text}");
    }

    #[test]
    fn typed_text_becomes_a_value_of_the_settings_kind() {
        check(SettingKind::Bool, "Yes", Some(SettingValue::Bool(true)));
        check(SettingKind::Bool, "maybe", None);
        check(SettingKind::Integer { min: 0, max: 9 }, " -3 ", Some(SettingValue::Integer(-3)));
        check(SettingKind::Integer { min: 0, max: 9 }, "3.5", None);
        check(SettingKind::Number { min: 0.0, max: 1.0 }, "0.5", Some(SettingValue::Number(0.5)));
        check(SettingKind::Number { min: 0.0, max: 1.0 }, "nan", None);
        check(SettingKind::List, "a, b,,c", Some(SettingValue::List(vec!["a".into(), "b".into(), "c".into()])));
        check(SettingKind::Text, " x ", Some(SettingValue::Text(" x ".to_owned())));
    }
}
