//! One question to the model: its text as it comes, stopped between two tokens when the task is.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;
use rspa_ml::generate::{FinishReason, GenerateRequest};
use tokio_util::sync::CancellationToken;

use super::protocol::LONGEST;
use crate::api::ApiError;
use crate::inference::{ChatModel, ModelEvent, ToolOffer};
use crate::model::ModelChoice;

/// At most about 30 pieces a second are told.
const TELL_EVERY: Duration = Duration::from_millis(33);

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    pub said: String,
    pub prompt_tokens: u32,
    pub answer_tokens: u32,
    pub ttft_ms: f64,
    /// That the model worked for it.
    pub seconds: f64,
    /// Tokens a second, where enough were written to say.
    pub speed: Option<f64>,
    /// Written until there was no room for more.
    pub cut_off: bool,
    /// It failed in the middle.
    pub error: Option<ApiError>,
    /// Which model it was, where a router chose.
    pub choice: Option<ModelChoice>,
}

/// Asks and listens; the answer may be a call of one of `tools`. `over` says that the time of the run is over.
///
/// # Errors
/// When the model takes no question at all.
pub fn ask(
    model: &dyn ChatModel,
    request: GenerateRequest,
    tools: &[ToolOffer],
    cancel: &CancellationToken,
    over: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(String),
) -> Result<Told, ApiError> {
    let end = Cancel::new();
    let events = model.generate_call(request, tools, end.clone())?;
    let mut told = Told::default();
    let mut untold = String::new();
    let mut last = Instant::now();
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    loop {
        if cancel.is_cancelled() || over() || told.said.len() > LONGEST {
            end.cancel();
        }
        match events.recv_timeout(TELL_EVERY) {
            Ok(ModelEvent::Text(text)) => {
                told.said.push_str(&text);
                untold.push_str(&text);
                told.answer_tokens += 1;
            }
            Ok(ModelEvent::Chosen(choice)) => told.choice = Some(choice),
            Ok(ModelEvent::Prefill { .. }) | Err(RecvTimeoutError::Timeout) => {}
            Ok(ModelEvent::Finished(stats)) => {
                told.prompt_tokens = count(stats.prompt_tokens);
                told.answer_tokens = count(stats.answer_tokens);
                told.seconds = stats.prefill_seconds + stats.decode_seconds;
                told.ttft_ms = stats.time_to_first_token_seconds * 1_000.0;
                let whole = stats.answer_tokens >= 8 && stats.finish != FinishReason::Cancelled;
                told.speed =
                    (whole && stats.decode_seconds > 0.0).then(|| stats.answer_tokens as f64 / stats.decode_seconds);
                told.cut_off = matches!(stats.finish, FinishReason::MaxTokens | FinishReason::ContextFull);
                break;
            }
            Ok(ModelEvent::Failed { error, unfinished, partial }) => {
                told.cut_off = unfinished;
                if told.said.is_empty() {
                    told.said = partial;
                }
                told.error = Some(error);
                break;
            }
            Err(RecvTimeoutError::Disconnected) => {
                told.error = Some(rspa_ml::Error::WorkerGone.into());
                break;
            }
        }
        if last.elapsed() >= TELL_EVERY && !untold.is_empty() {
            last = Instant::now();
            tell(std::mem::take(&mut untold));
        }
    }
    if !untold.is_empty() {
        tell(untold);
    }
    Ok(told)
}
