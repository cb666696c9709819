//! Usage: tokens, time and cost by provider, model, agent and day; which features are used. Stays on this computer.

use serde::{Deserialize, Serialize};

/// One call of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageCall {
    pub provider: String,
    pub model: String,
    /// The agent's name; none in a chat.
    pub agent: Option<String>,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    pub seconds: f64,
    pub cached: bool,
    pub failed: bool,
}

/// Of what lines are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageGroup {
    #[default]
    Day,
    Provider,
    Model,
    Agent,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageQuery {
    /// Local days, today included.
    pub days: u32,
    pub by: UsageGroup,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageLine {
    /// A day (`2026-11-20`), a provider, a model, or an agent (empty: chats).
    pub key: String,
    pub calls: u64,
    /// Of them, answered by the response cache.
    pub cached: u64,
    pub failed: u64,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    pub seconds: f64,
    /// None where no price is set for any of its models.
    pub cost: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageReport {
    /// Days oldest first; others with the most tokens first.
    pub lines: Vec<UsageLine>,
    pub total: UsageLine,
    /// By day, oldest first, whatever the lines are made of; days without use are there too.
    pub days: Vec<UsageLine>,
    /// Such as `USD`, from the settings.
    pub currency: String,
    /// Models that were used and have no price, where others have.
    pub without_price: Vec<String>,
    /// The settings let usage be kept.
    pub recording: bool,
}

/// How often something of the program was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureUse {
    /// Such as `page.chat`, `crew.run`, `chat.attached`.
    pub feature: String,
    pub count: u64,
    /// Local day on which it was last used, `2026-11-20`.
    pub last_day: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageFormat {
    Csv,
    Json,
}
