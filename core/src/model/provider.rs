//! Providers of models: this program itself, servers on this computer or elsewhere; which one is used for what, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AgentId, ModelId, Timestamp};

/// Small letters, digits and hyphens; `embedded` is this program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderId(pub String);

impl ProviderId {
    /// The models inside this program.
    pub const EMBEDDED: &'static str = "embedded";

    pub fn embedded() -> Self {
        Self(Self::EMBEDDED.to_owned())
    }

    pub fn is_embedded(&self) -> bool {
        self.0 == Self::EMBEDDED
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ModelId {
    /// A model of a provider is called `provider/model`; one inside this program has no slash in its id.
    pub fn of(provider: &ProviderId, name: &str) -> Self {
        if provider.is_embedded() { Self(name.to_owned()) } else { Self(format!("{provider}/{name}")) }
    }

    /// Its provider, and what it is called there.
    pub fn split(&self) -> (ProviderId, &str) {
        match self.0.split_once('/') {
            Some((provider, name)) => (ProviderId(provider.to_owned()), name),
            None => (ProviderId::embedded(), self.0.as_str()),
        }
    }
}

/// Which wire format it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    Embedded,
    Ollama,
    Anthropic,
    /// OpenAI, and whatever speaks its API: vLLM, llama.cpp server, LM Studio.
    OpenAi,
    Gemini,
}

impl ProviderKind {
    /// Those that can be added.
    pub const SERVERS: [Self; 4] = [Self::Ollama, Self::Anthropic, Self::OpenAi, Self::Gemini];

    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "Embedded",
            Self::Ollama => "Ollama",
            Self::Anthropic => "Anthropic",
            Self::OpenAi => "OpenAI-compatible",
            Self::Gemini => "Gemini",
        }
    }

    /// Where it is usually reached.
    pub fn usual_address(self) -> &'static str {
        match self {
            Self::Embedded => "",
            Self::Ollama => "http://127.0.0.1:11434",
            Self::Anthropic => "https://api.anthropic.com",
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Gemini => "https://generativelanguage.googleapis.com",
        }
    }
}

/// A server as the person sets it up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderDraft {
    /// Unique in its profile, never changed once given; empty is made from the name.
    #[serde(default)]
    pub id: String,
    pub name: String,
    pub kind: ProviderKind,
    /// https, or http to this computer itself.
    pub base_url: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The service in the vault whose key is sent; none where the server wants none.
    #[serde(default)]
    pub credential: Option<String>,
    #[serde(default)]
    pub limits: ProviderLimits,
    /// Models that the server does not list itself, by name.
    #[serde(default)]
    pub extra_models: Vec<String>,
}

fn yes() -> bool {
    true
}

/// How patiently and how often it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProviderLimits {
    /// 0 is no limit.
    pub requests_per_minute: u32,
    /// Prompt and answer together; 0 is no limit.
    pub tokens_per_minute: u32,
    /// Until the first byte of an answer.
    pub first_byte_seconds: u32,
    /// Between two pieces of an answer.
    pub idle_seconds: u32,
    /// Tries after the first, for what is worth trying again.
    pub retries: u32,
    /// How long the result of a health check counts.
    pub health_seconds: u32,
    /// Failures in a row after which it is left alone for a while.
    pub breaker_failures: u32,
    /// For so long.
    pub breaker_seconds: u32,
}

impl Default for ProviderLimits {
    fn default() -> Self {
        Self {
            requests_per_minute: 0,
            tokens_per_minute: 0,
            first_byte_seconds: 30,
            idle_seconds: 60,
            retries: 3,
            health_seconds: 60,
            breaker_failures: 5,
            breaker_seconds: 30,
        }
    }
}

/// How it is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ProviderState {
    /// Nobody has asked it yet.
    #[default]
    Unknown,
    Ready,
    Disabled,
    /// The profile or the network policy does not let anything reach it.
    Forbidden {
        why: String,
    },
    /// It does not answer, or answers nonsense.
    Unreachable {
        why: String,
    },
    /// It does not take the key, or there is none.
    Unauthorised {
        why: String,
    },
    /// It, or our own limit, says to wait.
    Limited {
        until: Timestamp,
        why: String,
    },
    /// It failed too often in a row and is left alone until then.
    Resting {
        until: Timestamp,
        why: String,
    },
}

impl ProviderState {
    /// It may be asked.
    pub fn usable(&self) -> bool {
        matches!(self, Self::Unknown | Self::Ready)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderStatus {
    pub id: ProviderId,
    pub settings: ProviderDraft,
    pub state: ProviderState,
    pub checked: Option<Timestamp>,
    /// Of the last health check, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Whether the vault or the environment has the key it needs.
    pub has_key: bool,
    /// Models that it last listed.
    pub models: u32,
    /// Since this program was started.
    pub requests: u64,
    pub failures: u64,
    pub retries: u64,
}

/// A model as its provider describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderModel {
    /// `provider/model`.
    pub id: ModelId,
    pub name: String,
    /// In tokens.
    pub context_length: Option<u32>,
    pub max_answer_tokens: Option<u32>,
    /// None where the server does not say.
    pub tools: Option<bool>,
    pub embeds: Option<bool>,
    pub family: String,
    pub quantisation: String,
    pub parameters: Option<u64>,
    pub size_bytes: Option<u64>,
}

/// What a model is wanted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    #[default]
    Chat,
    Task,
    Crew,
    /// Turns of a chat that no longer fit.
    Summary,
}

impl WorkKind {
    pub const ALL: [Self; 4] = [Self::Chat, Self::Task, Self::Crew, Self::Summary];

    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Task => "task",
            Self::Crew => "crew",
            Self::Summary => "summary",
        }
    }
}

/// A rule of the router: the first whose conditions all hold, and whose model can be used, decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteRule {
    pub name: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Empty means any work.
    #[serde(default)]
    pub work: Vec<WorkKind>,
    /// Empty means any agent, and none.
    #[serde(default)]
    pub agents: Vec<AgentId>,
    pub model: ModelId,
}

/// How models are chosen where nobody names one, and what is tried when one fails. One per profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Routing {
    #[serde(default)]
    pub rules: Vec<RouteRule>,
    /// Tried in this order when the chosen one cannot be used or fails before it said anything; the embedded default
    /// model stands at its end.
    #[serde(default)]
    pub fallback: Vec<ModelId>,
}

/// Which model answered, and why that one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelChoice {
    pub provider: String,
    pub model: String,
    /// One sentence: "rule \"Reviews\"", "chosen in the chat", "the default model".
    pub reason: String,
    /// What was tried before it, and why that did not work.
    pub tried: Vec<TriedModel>,
    /// The answer came from the response cache.
    pub cached: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriedModel {
    pub model: String,
    pub why: String,
}

/// How the response cache does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CacheStats {
    pub enabled: bool,
    /// In the file.
    pub entries: u64,
    /// As stored, compressed.
    pub bytes: u64,
    pub most_bytes: u64,
    /// In memory.
    pub memory_entries: u64,
    pub memory_bytes: u64,
    pub hits: u64,
    pub misses: u64,
    /// Of the last hits, in microseconds.
    pub hit_p50_us: f64,
    pub hit_p99_us: f64,
    /// Hours that an answer counts.
    pub hours: u32,
}

impl CacheStats {
    /// Of all questions, 0 to 1; none before the first.
    pub fn hit_rate(&self) -> Option<f64> {
        let all = self.hits + self.misses;
        (all > 0).then(|| self.hits as f64 / all as f64)
    }
}
