//! The family of settings: every value with its origin; set, reset.

use tokio_util::sync::CancellationToken;

use crate::api::request::settings::{SettingsRequest as Request, SettingsResponse as Response};
use crate::api::{ApiError, Event};
use crate::engine::Context;
use crate::model::{Happening, SettingEntry, SettingValue};

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    ctx.clone()
        .blocking(move || match request {
            Request::ListSettings(_) => Ok(Response::ListSettings(ctx.settings.list())),
            Request::SetSetting(set) => {
                let changed = ctx.settings.set(&set.key, &set.value)?;
                tell(&ctx, &changed);
                let entry = ctx.settings.list().into_iter().find(|entry| entry.key == set.key);
                entry.map(Response::SetSetting).ok_or_else(ApiError::cancelled)
            }
            Request::ResetSetting(reset) => {
                let changed = ctx.settings.reset(reset.key.as_deref())?;
                tell(&ctx, &changed);
                Ok(Response::ResetSetting(changed))
            }
        })
        .await
}

fn words_of(value: &SettingValue) -> String {
    match value {
        SettingValue::Bool(true) => "on".to_owned(),
        SettingValue::Bool(false) => "off".to_owned(),
        SettingValue::Integer(value) => value.to_string(),
        SettingValue::Number(value) => value.to_string(),
        SettingValue::Text(value) => value.clone(),
        SettingValue::List(values) => values.join(", "),
    }
}

/// Tells who listens which settings changed, and the door what its policy is now.
pub(in crate::engine) fn tell(ctx: &Context, changed: &[SettingEntry]) {
    for entry in changed {
        tracing::info!(key = entry.key, origin = ?entry.origin, "a setting changed");
        ctx.events.publish(None, Event::SettingChanged { entry: entry.clone() });
        let happening = Happening::new("setting.changed", format!("{} = {}", entry.label, words_of(&entry.value)));
        ctx.activity(happening.with("key", &entry.key).with("value", words_of(&entry.value)));
    }
    if changed.iter().any(|entry| entry.group == "network") {
        ctx.egress.publish_status();
    }
    if changed.iter().any(|entry| entry.group == "logging") {
        ctx.observe.set_level(&ctx.settings.current().logging.level);
    }
}
