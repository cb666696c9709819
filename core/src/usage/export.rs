//! All that is kept of usage, as CSV (RFC 4180) or JSON.

use jiff::tz::TimeZone;
use serde_json::json;

use super::prices::{self, Price};
use crate::api::{ApiError, ErrorCategory};
use crate::model::{FeatureUse, UsageFormat};
use crate::storage::usage::UsageHour;

const HEAD: [&str; 12] = [
    "hour",
    "provider",
    "model",
    "agent",
    "calls",
    "cached",
    "failed",
    "prompt_tokens",
    "answer_tokens",
    "seconds",
    "cost",
    "currency",
];

/// One line an hour, model and agent; features follow in a second part.
///
/// # Errors
/// When it cannot be written.
pub fn text(
    format: UsageFormat,
    hours: &[UsageHour],
    features: &[FeatureUse],
    prices: &[Price],
    currency: &str,
    zone: &TimeZone,
) -> Result<String, ApiError> {
    let cost =
        |hour: &UsageHour| prices::of(prices, &hour.model).map(|p| p.cost(hour.prompt_tokens, hour.answer_tokens));
    let at = |hour: &UsageHour| {
        let at = jiff::Timestamp::from_millisecond(hour.at.0).unwrap_or_default();
        at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    };
    match format {
        UsageFormat::Json => {
            let usage: Vec<_> = hours
                .iter()
                .map(|hour| {
                    json!({
                        "hour": at(hour), "provider": hour.provider, "model": hour.model, "agent": hour.agent,
                        "calls": hour.calls, "cached": hour.cached, "failed": hour.failed,
                        "prompt_tokens": hour.prompt_tokens, "answer_tokens": hour.answer_tokens,
                        "seconds": hour.seconds, "cost": cost(hour),
                    })
                })
                .collect();
            let all = json!({ "currency": currency, "usage": usage, "features": features });
            serde_json::to_string_pretty(&all).map(|text| text + "\n").map_err(|error| failed(&error.to_string()))
        }
        UsageFormat::Csv => {
            let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            let written = (|| {
                csv.write_record(HEAD)?;
                for hour in hours {
                    csv.write_record([
                        at(hour),
                        plain(&hour.provider),
                        plain(&hour.model),
                        plain(hour.agent.as_deref().unwrap_or_default()),
                        hour.calls.to_string(),
                        hour.cached.to_string(),
                        hour.failed.to_string(),
                        hour.prompt_tokens.to_string(),
                        hour.answer_tokens.to_string(),
                        hour.seconds.to_string(),
                        cost(hour).map(|cost| cost.to_string()).unwrap_or_default(),
                        plain(currency),
                    ])?;
                }
                csv.write_record(["feature", "count", "last_day"])?;
                for feature in features {
                    csv.write_record([plain(&feature.feature), feature.count.to_string(), feature.last_day.clone()])?;
                }
                Ok::<_, csv::Error>(())
            })();
            written.map_err(|error| failed(&error.to_string()))?;
            let bytes = csv.into_inner().map_err(|error| failed(&error.to_string()))?;
            String::from_utf8(bytes).map_err(|error| failed(&error.to_string()))
        }
    }
}

/// Names come from servers: none of them is a formula to the program that opens the file.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() }
}

fn failed(why: &str) -> ApiError {
    ApiError::new(ErrorCategory::System, format!("the usage cannot be written: {why}"), "Try the other format.")
}
