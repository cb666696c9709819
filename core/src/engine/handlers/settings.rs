//! The family of settings: every value with its origin; set, reset, accept, export, import, dump.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::api::request::settings::{
    ImportFrom, ImportSettings, SettingsRequest as Request, SettingsResponse as Response,
};
use crate::api::{ApiError, ErrorCategory, Event};
use crate::engine::Context;
use crate::model::{Happening, SettingEntry, SettingValue, SettingsImport};
use crate::settings::{Facts, Settings};
use crate::workspace::places;

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    Ok(match request {
        Request::ListSettings(_) => Response::ListSettings(ctx.settings.list()),
        Request::ListSettingProblems(_) => Response::ListSettingProblems(ctx.settings.problems()),
        Request::SetSetting(set) => {
            tell(ctx, &ctx.settings.set(&set.key, &set.value)?);
            Response::SetSetting(entry(ctx, &set.key)?)
        }
        Request::ResetSetting(reset) => {
            let changed = ctx.settings.reset(reset.key.as_deref())?;
            tell(ctx, &changed);
            Response::ResetSetting(changed)
        }
        Request::AcceptSetting(accept) => {
            tell(ctx, &ctx.settings.accept(&accept.key)?);
            Response::AcceptSetting(entry(ctx, &accept.key)?)
        }
        Request::ExportSettings(export) => {
            let text = ctx.settings.export(export.format)?;
            if let Some(to) = &export.to {
                write(to, &text)?;
                ctx.happened("settings.exported", &format!("Settings exported to {}", to.display()));
            }
            Response::ExportSettings(text)
        }
        Request::ImportSettings(wanted) => Response::ImportSettings(import(ctx, &wanted)?),
        Request::DumpSettings(_) => Response::DumpSettings(ctx.settings.dump(&facts(ctx))),
    })
}

fn entry(ctx: &Context, key: &str) -> Result<SettingEntry, ApiError> {
    ctx.settings.list().into_iter().find(|entry| entry.key == key).ok_or_else(ApiError::cancelled)
}

fn import(ctx: &Context, wanted: &ImportSettings) -> Result<SettingsImport, ApiError> {
    let read;
    let (name, text) = match &wanted.from {
        ImportFrom::Text { name, text } => (Path::new(name), text),
        ImportFrom::File { path } => {
            read = Settings::read_import(path)?;
            (path.as_path(), &read)
        }
    };
    if wanted.preview {
        return Ok(ctx.settings.preview(name, text));
    }
    let (import, changed) = ctx.settings.import(name, text)?;
    tell(ctx, &changed);
    let file = name.file_name().unwrap_or_default().to_string_lossy();
    ctx.happened("settings.imported", &format!("{} settings imported from {file}", import.changes.len()));
    Ok(import)
}

fn write(to: &Path, text: &str) -> Result<(), ApiError> {
    places::write_private(to, text.as_bytes()).map_err(|error| {
        ApiError::new(
            ErrorCategory::Storage,
            format!("{} could not be written: {error}", to.display()),
            "Choose another place.",
        )
    })
}

/// Tells who listens which settings changed, and the doors what their policy is now.
pub(in crate::engine) fn tell(ctx: &Context, changed: &[SettingEntry]) {
    for entry in changed {
        tracing::info!(key = entry.key, origin = ?entry.origin, "a setting changed");
        ctx.events.publish(None, Event::SettingChanged { entry: entry.clone() });
        let happening = match &entry.held {
            Some(_) => Happening::new("setting.held", format!("A change of {} waits for your word", entry.label)),
            None => Happening::new("setting.changed", format!("{} is {}", entry.label, words(entry))),
        };
        ctx.active().activity(happening.with("key", &entry.key).with("value", words(entry)));
    }
    if changed.iter().any(|entry| entry.group == "network") {
        ctx.open_profiles().iter().for_each(|open| open.egress.publish_status());
    }
    if changed.iter().any(|entry| entry.group == "database") {
        ctx.databases.keep_history(&ctx.settings.current().database);
    }
    if changed.iter().any(|entry| entry.group == "logging") {
        ctx.observe.set_level(&ctx.settings.current().logging.level);
    }
}

fn words(entry: &SettingEntry) -> String {
    match &entry.value {
        SettingValue::Bool(true) => "on".to_owned(),
        SettingValue::Bool(false) => "off".to_owned(),
        SettingValue::Integer(value) => value.to_string(),
        SettingValue::Number(value) => value.to_string(),
        SettingValue::Text(value) => value.clone(),
        SettingValue::List(values) => values.join(", "),
    }
}

fn facts(ctx: &Context) -> Facts {
    let text = |path: Option<&Path>| path.map(|path| path.display().to_string()).unwrap_or_default();
    let mut hidden = vec![
        (text(Some(ctx.places.data())), "<data>".to_owned()),
        (text(ctx.places.home()), "~".to_owned()),
        (text(std::env::current_dir().ok().as_deref()), "<folder>".to_owned()),
    ];
    // A name of its own, where it stands alone in a path that is not below the home folder.
    let user = ctx.environment.get("USER").or_else(|| ctx.environment.get("USERNAME"));
    hidden.extend(user.filter(|user| user.len() > 3).map(|user| (user.clone(), "<user>".to_owned())));
    hidden.retain(|(path, _)| path.len() > 1);
    hidden.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let system = BTreeMap::from([
        ("os".to_owned(), json!(std::env::consts::OS)),
        ("architecture".to_owned(), json!(std::env::consts::ARCH)),
        ("os_version".to_owned(), json!(sysinfo::System::long_os_version().ok())),
        ("kernel".to_owned(), json!(sysinfo::System::kernel_version().ok())),
        ("cores".to_owned(), json!(cores)),
        ("data_bytes".to_owned(), json!(places::folder_bytes(ctx.places.data()))),
        ("disk_free_bytes".to_owned(), json!(places::free_disk(ctx.places.data()).ok())),
        ("degraded".to_owned(), json!(ctx.degraded.list())),
        ("role".to_owned(), json!(format!("{:?}", ctx.role))),
    ]);
    Facts { system, hidden }
}
