//! Providers, their models and the stored answers, on the terminal or as JSON.

use rspa_core::model::{CacheStats, ProviderModel, ProviderState, ProviderStatus};

use crate::cli::activities::moment;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line, size};

pub fn list(output: Output, all: &[ProviderStatus]) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&all);
    }
    all.iter().try_for_each(|status| output.line(&line(status)))
}

pub fn one(output: Output, status: &ProviderStatus) -> Result<(), Failure> {
    if output.json { output.json_line(status) } else { output.line(&line(status)) }
}

fn line(status: &ProviderStatus) -> String {
    let settings = &status.settings;
    let mut words = vec![status.id.0.clone(), settings.name.clone(), settings.kind.name().to_owned()];
    words.extend(Some(settings.base_url.clone()).filter(|url| !url.is_empty()));
    words.push(state(&status.state));
    if let Some(ms) = status.latency_ms {
        words.push(format!("{ms:.0} ms"));
    }
    if !status.has_key {
        words.push("its key is missing".to_owned());
    }
    if status.models > 0 {
        words.push(format!("{} models", status.models));
    }
    if status.requests > 0 {
        let (asked, failed, again) = (status.requests, status.failures, status.retries);
        words.push(format!("{asked} requests, {failed} failed, {again} tried again"));
    }
    one_line(&words.join("  "))
}

fn state(state: &ProviderState) -> String {
    match state {
        ProviderState::Unknown => "not asked yet".to_owned(),
        ProviderState::Ready => "ready".to_owned(),
        ProviderState::Disabled => "switched off".to_owned(),
        ProviderState::Forbidden { why } => format!("forbidden: {why}"),
        ProviderState::Unreachable { why } => format!("unreachable: {why}"),
        ProviderState::Unauthorised { why } => format!("key refused: {why}"),
        ProviderState::Limited { until, why } => format!("limited until {}: {why}", moment(*until)),
        ProviderState::Resting { until, why } => format!("left alone until {}: {why}", moment(*until)),
    }
}

pub fn models(output: Output, models: &[ProviderModel]) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&models);
    }
    for model in models {
        let facts = facts(model);
        output.line(&one_line(&format!("{}  {facts}", model.id)))?;
    }
    if models.is_empty() {
        output.note("No server lists a model. See rspa providers list.");
    }
    Ok(())
}

fn facts(model: &ProviderModel) -> String {
    let mut facts = Vec::new();
    if let Some(tokens) = model.context_length {
        facts.push(format!("{tokens} tokens in view"));
    }
    if let Some(tokens) = model.max_answer_tokens {
        facts.push(format!("{tokens} tokens an answer"));
    }
    if let Some(count) = model.parameters {
        facts.push(format!("{:.1} billion weights", count as f64 / 1e9));
    }
    facts.extend(Some(model.family.clone()).filter(|family| !family.is_empty()));
    facts.extend(Some(model.quantisation.clone()).filter(|quantisation| !quantisation.is_empty()));
    facts.extend(model.size_bytes.map(size));
    facts.extend((model.tools == Some(true)).then(|| "calls tools".to_owned()));
    facts.extend((model.embeds == Some(true)).then(|| "embeds".to_owned()));
    facts.join(", ")
}

pub fn model(output: Output, model: &ProviderModel) -> Result<(), Failure> {
    if output.json {
        return output.json_line(model);
    }
    output.line(&one_line(&format!("{}  {}  {}", model.id, model.name, facts(model))))
}

pub fn cache(output: Output, stats: &CacheStats) -> Result<(), Failure> {
    if output.json {
        return output.json_line(stats);
    }
    let on = if stats.enabled { "on" } else { "off" };
    output.line(&format!(
        "{on}: {} answers in {} of {}, {} of them at hand; each counts {} h",
        stats.entries,
        size(stats.bytes),
        size(stats.most_bytes),
        stats.memory_entries,
        stats.hours
    ))?;
    match stats.hit_rate() {
        Some(rate) => output.line(&format!(
            "{} of {} questions since the start ({:.1} %), in {:.0} µs, 99 of 100 within {:.0} µs",
            stats.hits,
            stats.hits + stats.misses,
            rate * 100.0,
            stats.hit_p50_us,
            stats.hit_p99_us
        )),
        None => output.line("nothing was asked since the start"),
    }
}
