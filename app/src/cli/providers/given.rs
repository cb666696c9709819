//! What flags say of a server.

use clap::{Args, ValueEnum};
use rspa_core::model::{ProviderDraft, ProviderKind, ProviderLimits};

use crate::cli::failure::Failure;

#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    Ollama,
    Anthropic,
    Openai,
    Gemini,
}

impl Kind {
    /// Its wire format, and the service in the vault that its key is of.
    fn parts(self) -> (ProviderKind, Option<&'static str>) {
        match self {
            Self::Ollama => (ProviderKind::Ollama, None),
            Self::Anthropic => (ProviderKind::Anthropic, Some("anthropic")),
            Self::Openai => (ProviderKind::OpenAi, Some("openai")),
            Self::Gemini => (ProviderKind::Gemini, Some("gemini")),
        }
    }
}

#[derive(Args)]
pub struct DraftArguments {
    #[arg(long)]
    name: Option<String>,
    #[arg(long, value_name = "ADDRESS", help = "Where it is: https, or http to this computer itself")]
    url: Option<String>,
    /// The service in the vault whose key is sent; "none" for a server that wants none
    #[arg(long, value_name = "SERVICE")]
    key: Option<String>,
    /// Whether it is used at all
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// A model that it does not list itself; may be given several times, takes the place of all
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// Requests a minute; 0 is no limit
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// Tokens a minute, prompt and answer together; 0 is no limit
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<u32>,
    /// Seconds until the first byte of an answer
    #[arg(long, value_name = "SECONDS")]
    first_byte: Option<u32>,
    /// Seconds between two pieces of an answer
    #[arg(long, value_name = "SECONDS")]
    idle: Option<u32>,
    /// Tries after the first
    #[arg(long, value_name = "N")]
    retries: Option<u32>,
    /// Seconds that the result of a check counts
    #[arg(long, value_name = "SECONDS")]
    health: Option<u32>,
    /// Failures in a row after which it is left alone for a while
    #[arg(long, value_name = "N")]
    breaker_failures: Option<u32>,
    /// For so many seconds
    #[arg(long, value_name = "SECONDS")]
    breaker_seconds: Option<u32>,
}

/// A server of this kind as it usually is.
pub fn new(kind: Kind, id: Option<String>) -> ProviderDraft {
    let (kind, key) = kind.parts();
    ProviderDraft {
        name: id.clone().unwrap_or_else(|| usual_name(kind).to_owned()),
        id: id.unwrap_or_default(),
        kind,
        base_url: kind.usual_address().to_owned(),
        enabled: true,
        credential: key.map(str::to_owned),
        limits: ProviderLimits::default(),
        extra_models: Vec::new(),
    }
}

fn usual_name(kind: ProviderKind) -> &'static str {
    if kind == ProviderKind::OpenAi { "OpenAI" } else { kind.name() }
}

impl DraftArguments {
    /// The draft with all that was given.
    pub fn apply(self, mut draft: ProviderDraft) -> Result<ProviderDraft, Failure> {
        fn set<T>(place: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *place = given;
            }
        }
        let moved = self.url.as_ref().is_some_and(|url| *url != draft.base_url);
        if moved && self.key.is_none() && self.url.as_deref().is_some_and(|url| url.starts_with("http://")) {
            // A server on this computer wants the vendor's key only where that is said.
            draft.credential = None;
        }
        set(&mut draft.name, self.name);
        set(&mut draft.base_url, self.url);
        set(&mut draft.enabled, self.enabled);
        if let Some(key) = self.key {
            draft.credential = (key != "none").then_some(key);
        }
        if !self.models.is_empty() {
            draft.extra_models = self.models;
        }
        let limits = &mut draft.limits;
        set(&mut limits.requests_per_minute, self.requests_per_minute);
        set(&mut limits.tokens_per_minute, self.tokens_per_minute);
        set(&mut limits.first_byte_seconds, self.first_byte);
        set(&mut limits.idle_seconds, self.idle);
        set(&mut limits.retries, self.retries);
        set(&mut limits.health_seconds, self.health);
        set(&mut limits.breaker_failures, self.breaker_failures);
        set(&mut limits.breaker_seconds, self.breaker_seconds);
        Ok(draft)
    }
}
