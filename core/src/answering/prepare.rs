//! What a model is given for an answer: the turns of the chat that lead to it, the summary of those that no longer fit,
//! and the figures of what fills its context.

use rspa_ml::Cancel;
use rspa_ml::generate::{ChatTurn, GenerateRequest, Prompt, Role, SamplingParams};

use super::prompt::{self, Asking, Budget, Built, Ground};
use super::run::{NO_SOURCES, NOTHING_FOUND};
use super::{AnswerSettings, Found};
use crate::api::ApiError;
use crate::inference::{ChatModel, ModelEvent};
use crate::model::{Attachment, Author, ContextUse, Message, MessageId, MessageState};

/// An answer from passages stays close to them.
const KNOWLEDGE_TEMPERATURE: f32 = 0.2;
const KNOWLEDGE_TOKENS: usize = 320;
/// Below this number of weights a model rambles when it is given room. Tried with SmolLM2-135M: it copies what the
/// passages say best when it is greedy and not punished for repeating their words.
const SMALL_MODEL: u64 = 1_000_000_000;
const SMALL_MODEL_TOKENS: usize = 96;
/// Where a small model begins to go on with the prompt instead of ending.
const RUNAWAY: &[&str] = &["\nQuestion:", "\nNote 1", "\nNote 2", "\nUser:", "```\nNote"];

const SUMMARISE: &str = include_str!("../../../assets/prompts/summary.md");
/// Tokens of a summary.
const SUMMARY: usize = 256;
const SMALL_SUMMARY: usize = 96;
/// Tokens of what a small model summarises at once, and characters of one turn of it.
const SMALL_SUMMARISED: usize = 640;
const SUMMARISED_TURN: usize = 2_000;
const SMALL_SUMMARISED_TURN: usize = 300;
/// Turns that were left out and are told of, and characters of each.
const TOLD: usize = 64;
const TOLD_CHARACTERS: usize = 80;

/// A finished turn of the chat.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub message: MessageId,
    pub turn: ChatTurn,
}

/// The finished turns among these messages, oldest first.
pub fn turns(messages: &[Message]) -> Vec<Turn> {
    let is_said =
        |m: &&Message| matches!(m.state, MessageState::Complete | MessageState::Stopped) && !m.text.trim().is_empty();
    messages
        .iter()
        .filter(is_said)
        .map(|m| Turn {
            message: m.id,
            turn: ChatTurn {
                role: if m.author == Author::Person { Role::User } else { Role::Assistant },
                content: own_text(&m.text).to_owned(),
            },
        })
        .collect()
}

/// An answer without what the program put before it.
pub fn own_text(text: &str) -> &str {
    text.trim_start_matches(NOTHING_FOUND).trim_start_matches(NO_SOURCES)
}

pub fn is_small(model: &dyn ChatModel) -> bool {
    model.parameters().is_some_and(|count| count < SMALL_MODEL)
}

/// How the model samples, and how many tokens it may answer with.
pub fn sampling(model: &dyn ChatModel, settings: &AnswerSettings, found: Option<&Found>) -> SamplingParams {
    let grounded = found.is_some_and(|found| !found.passages.is_empty());
    let small = is_small(model);
    let mut sampling = SamplingParams { max_tokens: settings.max_tokens, ..settings.sampling.clone() };
    if grounded {
        sampling.temperature = sampling.temperature.min(KNOWLEDGE_TEMPERATURE);
        let most = if small { SMALL_MODEL_TOKENS } else { KNOWLEDGE_TOKENS };
        sampling.max_tokens = sampling.max_tokens.min(most);
        sampling.stop = RUNAWAY.iter().map(|text| (*text).to_owned()).collect();
        if small {
            sampling.temperature = 0.0;
            sampling.repeat_penalty = 1.0;
        }
    }
    let budget = Budget::new(model.context_length(), sampling.max_tokens, model.parameters());
    sampling.max_tokens = sampling.max_tokens.min(budget.answer);
    sampling
}

/// What is to be answered.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    pub question: &'a str,
    /// None when no search was wanted.
    pub found: Option<&'a Found>,
    pub attachments: &'a [Attachment],
    pub turns: &'a [Turn],
    /// What stands for the turns up to a message, that one included.
    pub summary: Option<(MessageId, &'a str)>,
    /// What was answered before and is to be continued.
    pub so_far: &'a str,
}

impl Material<'_> {
    /// Turns at the beginning that the summary covers.
    fn covered(&self) -> usize {
        let upto = self.summary.and_then(|(upto, _)| self.turns.iter().position(|turn| turn.message == upto));
        upto.map_or(0, |at| at + 1)
    }
}

/// A prompt with what it is made of.
pub struct Prepared {
    pub built: Built,
    pub context: ContextUse,
    /// Turns that neither are in the prompt nor in the summary.
    pub lost: usize,
}

/// Builds the prompt for this model.
///
/// # Errors
/// The question does not fit, or the model cannot count.
pub fn prompt(model: &dyn ChatModel, material: Material<'_>, max_tokens: usize) -> Result<Prepared, ApiError> {
    let covered = material.covered();
    let summary = if covered > 0 { material.summary.map_or("", |(_, text)| text) } else { "" };
    let history: Vec<ChatTurn> = material.turns[covered..].iter().map(|turn| turn.turn.clone()).collect();
    let budget = Budget::new(model.context_length(), max_tokens, model.parameters());
    let asking = Asking {
        question: material.question,
        ground: material.found.map_or(Ground::None, |found| Ground::Passages(&found.passages)),
        attachments: material.attachments,
        summary,
        history: &history,
        so_far: own_text(material.so_far),
        open_turn: !model.id().contains('/'),
    };
    let built = prompt::build(&asking, budget, &|text| model.count_tokens(text))?;
    let out = material.turns.len() - built.kept;
    let context = ContextUse {
        limit: u32::try_from(model.context_length()).unwrap_or(u32::MAX),
        parts: built.parts.clone(),
        dropped: dropped(&material.turns[..out]),
        summary: summary.to_owned(),
    };
    Ok(Prepared { lost: out - covered, built, context })
}

fn dropped(turns: &[Turn]) -> Vec<String> {
    let begins = |turn: &Turn| {
        let text: String = turn.turn.content.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = text.chars().take(TOLD_CHARACTERS).collect();
        if cut.len() < text.len() { cut + "…" } else { cut }
    };
    let from = turns.len().saturating_sub(TOLD);
    let mut told: Vec<String> = turns[from..].iter().map(begins).collect();
    if from > 0 {
        told.insert(0, format!("… and {from} earlier ones"));
    }
    told
}

/// A new summary: the last turn that it covers, and its text.
pub type Summary = (MessageId, String);

/// Summarises the older turns so that the rest takes half of the room for history and there is no need for another
/// summary soon; none when there is nothing to summarise. The text is what a model made of what others wrote: it is as
/// little to be trusted as they are.
///
/// # Errors
/// The model fails, or was cancelled.
pub fn summarise(
    model: &dyn ChatModel,
    material: Material<'_>,
    max_tokens: usize,
    cancel: &Cancel,
    mut progress: impl FnMut(usize, usize),
) -> Result<Option<Summary>, ApiError> {
    let covered = material.covered();
    let fresh = &material.turns[covered..];
    let small = is_small(model);
    let budget = Budget::new(model.context_length(), max_tokens, model.parameters());
    let (mut stays, mut tokens) = (0, 0);
    for turn in fresh.iter().rev().take(budget.turns / 2) {
        tokens += model.count_tokens(&turn.turn.content)? + prompt::TURN_OVERHEAD;
        if tokens > budget.history / 2 {
            break;
        }
        stays += 1;
    }
    // The rest begins with a question.
    while stays > 0 && fresh[fresh.len() - stays].turn.role != Role::User {
        stays -= 1;
    }
    let older = &fresh[..fresh.len() - stays];
    let Some(last) = older.last() else { return Ok(None) };
    let answer = if small { SMALL_SUMMARY } else { SUMMARY }.min(model.context_length() / 8);
    let mut room = model.context_length().saturating_sub(answer + model.count_tokens(SUMMARISE)? + 64);
    if small {
        room = room.min(SMALL_SUMMARISED);
    }
    let before = if covered > 0 { material.summary.map_or("", |(_, text)| text) } else { "" };
    let mut text = if before.is_empty() { String::new() } else { format!("Summary of what came before: {before}\n\n") };
    room = room.saturating_sub(model.count_tokens(&text)?);
    let longest = if small { SMALL_SUMMARISED_TURN } else { SUMMARISED_TURN };
    // What was said last matters most when not all of it fits.
    let mut lines = Vec::new();
    for turn in older.iter().rev() {
        let who = if turn.turn.role == Role::User { "Person" } else { "Model" };
        let line = format!("{who}: {}\n", turn.turn.content.trim().chars().take(longest).collect::<String>());
        let cost = model.count_tokens(&line)?;
        if cost > room {
            break;
        }
        room -= cost;
        lines.push(line);
    }
    if lines.is_empty() {
        return Ok(None);
    }
    text.extend(lines.into_iter().rev());
    let fence = prompt::fence_for(&text);
    let turns = vec![
        ChatTurn { role: Role::System, content: SUMMARISE.trim().to_owned() },
        ChatTurn { role: Role::User, content: format!("{fence}\n{}\n{fence}\n\nWrite the summary.", text.trim_end()) },
    ];
    let sampling = SamplingParams { temperature: 0.0, max_tokens: answer, ..SamplingParams::default() };
    let request = GenerateRequest { prompt: Prompt::Chat(turns), sampling, constraint: None };
    let mut said = String::new();
    for event in model.generate(request, cancel.clone())? {
        match event {
            ModelEvent::Prefill { done, total } => progress(done, total),
            ModelEvent::Text(piece) => said.push_str(&piece),
            ModelEvent::Failed { error, .. } => return Err(error),
            ModelEvent::Chosen(_) | ModelEvent::Finished(_) => {}
        }
    }
    if cancel.is_cancelled() {
        return Err(ApiError::cancelled());
    }
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok((!said.is_empty()).then_some((last.message, said)))
}

#[cfg(test)]
mod tests;
