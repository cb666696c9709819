//! The conversation of a run, computed from its recorded steps, and cut to what the model's context holds.

use rspa_ml::generate::{ChatTurn, Role};
use uuid::Uuid;

use crate::api::{ApiError, ErrorCategory};
use crate::model::{RunId, RunStep, StepKind, Verdict};

/// Tokens that a chat template adds around one turn, at most, among the supported families.
const TURN_OVERHEAD: usize = 8;
/// Characters that are left of an older result when the context is full.
const SHORT: usize = 160;
/// Characters of a result are at most so many per token of the context.
const RESULT_PER_TOKEN: usize = 1;
const LEAST_RESULT: usize = 400;

/// The lines around what others wrote. They hold digits of the run's id, which nobody who wrote a document can know.
pub struct Mark(String);

impl Mark {
    pub fn of(run: RunId) -> Self {
        // The last digits of a UUIDv7 are random.
        let digits = Uuid::simple(run.0).to_string();
        Self(digits[digits.len() - 8..].to_owned())
    }

    pub fn open(&self) -> String {
        format!("<<data {}>>", self.0)
    }

    pub fn close(&self) -> String {
        format!("<<end {}>>", self.0)
    }

    /// The text between its lines, cut to so many characters, without anything in it that looks like such a line.
    pub fn fence(&self, text: &str, most: usize) -> String {
        let text = text.replace(&self.0, "").replace("<<data", "< <data").replace("<<end", "< <end");
        format!("{}\n{}\n{}\n", self.open(), cut(&text, most), self.close())
    }
}

/// The first characters of a text, and how many were left out.
pub fn cut(text: &str, most: usize) -> String {
    let text = text.trim_end();
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => {
            let rest = text[end..].chars().count();
            format!("{}\n[{rest} more characters were left out]", &text[..end])
        }
    }
}

/// What the model reads in this step.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    pub turns: Vec<ChatTurn>,
    /// Older results of which only the beginning is left, and steps that are left out altogether.
    pub shortened: usize,
    pub left_out: usize,
    /// Of all turns together, as counted.
    pub tokens: usize,
}

/// One step as a turn.
struct Part {
    role: Role,
    text: String,
    /// What it is when the context is full; none where it is short anyway.
    short: Option<String>,
}

/// Cuts the conversation to `limit` tokens: older results first lose all but their beginning, then whole steps go, then
/// the last result is cut. Opening and last step always stay.
///
/// # Errors
/// Category validation when the opening alone does not fit.
pub fn fit(
    opening: &[ChatTurn],
    steps: &[RunStep],
    mark: &Mark,
    limit: usize,
    count: &dyn Fn(&str) -> Result<usize, ApiError>,
) -> Result<Fitted, ApiError> {
    let result = (limit * RESULT_PER_TOKEN).max(LEAST_RESULT);
    let mut parts: Vec<Part> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let asked = at > 0 && matches!(steps[at - 1].kind, StepKind::Model { .. });
        parts.extend(part(&step.kind, asked, mark, result));
    }
    let tokens = |text: &str| Ok::<usize, ApiError>(count(text)? + TURN_OVERHEAD);
    let mut fixed = 0;
    for turn in opening {
        fixed += tokens(&turn.content)?;
    }
    let mut costs = Vec::with_capacity(parts.len());
    for part in &parts {
        costs.push(tokens(&part.text)?);
    }
    let (mut shortened, mut first) = (0, 0);
    let newest = parts.len().saturating_sub(1);
    for at in 0..newest {
        if fixed + costs.iter().sum::<usize>() <= limit {
            break;
        }
        if let Some(short) = parts[at].short.take() {
            costs[at] = tokens(&short)?;
            parts[at].text = short;
            shortened += 1;
        }
    }
    while first < newest && fixed + costs[first..].iter().sum::<usize>() > limit {
        first += 1;
    }
    // A conversation goes on with a word of the other side.
    while first > 0 && first < newest && parts[first].role == Role::User {
        first += 1;
    }
    let left = |costs: &[usize]| limit.saturating_sub(fixed + costs[first..newest.max(first)].iter().sum::<usize>());
    if let Some(last) = parts.last_mut() {
        let room = left(&costs);
        let mut most = last.text.chars().count();
        while costs[newest] > room && most > SHORT {
            most = (most * room.max(1) / costs[newest].max(1)).min(most - 1).max(SHORT);
            last.text = shorter(&last.text, most, mark);
            costs[newest] = tokens(&last.text)?;
        }
    }
    let all = fixed + costs.get(first..).unwrap_or_default().iter().sum::<usize>();
    if all > limit {
        return Err(ApiError::new(
            ErrorCategory::Validation,
            format!("the task, its tools and its rules have {all} tokens, but the model has room for {limit}"),
            "Give the agent fewer tools, a shorter system prompt or task, or a model with a longer context.",
        ));
    }
    let mut turns = opening.to_vec();
    for part in parts.drain(first..) {
        match turns.last_mut() {
            // Templates want the roles in turn.
            Some(turn) if turn.role == part.role => {
                turn.content.push_str("\n\n");
                turn.content.push_str(&part.text);
            }
            _ => turns.push(ChatTurn { role: part.role, content: part.text }),
        }
    }
    Ok(Fitted { turns, shortened, left_out: first, tokens: all })
}

/// Cut, with its closing line again.
fn shorter(text: &str, most: usize, mark: &Mark) -> String {
    let fenced = text.contains(&mark.open());
    let cut = cut(text.trim_end().trim_end_matches(&mark.close()), most);
    if fenced { format!("{cut}\n{}\n", mark.close()) } else { cut }
}

/// What a step tells the model; none where that stands in another step.
fn part(kind: &StepKind, asked: bool, mark: &Mark, most: usize) -> Option<Part> {
    let user = |text: String, short: Option<String>| Some(Part { role: Role::User, text, short });
    match kind {
        StepKind::Model { said, .. } => Some(Part { role: Role::Assistant, text: said.clone(), short: None }),
        StepKind::Plan { .. } => user("Good. Now do the first step.".to_owned(), None),
        StepKind::Note { text } => user(text.clone(), None),
        StepKind::Answer { .. } => None,
        StepKind::Tool { call, verdict, output, error, .. } => {
            let named = if asked {
                format!("The call of {}", call.tool)
            } else {
                format!("Before you began, {} was called with {}. It", call.tool, cut(&call.arguments.to_string(), 500))
            };
            if let Some(output) = output {
                let changed = match output.changed.trim() {
                    "" => String::new(),
                    changed => format!("Changed: {}\n", cut(changed, 500)),
                };
                let whole = |most| format!("{named} gave:\n{}{changed}", mark.fence(&output.text, most));
                let short = (output.text.chars().count() > SHORT * 2).then(|| whole(SHORT));
                return user(whole(most), short);
            }
            if let Some(error) = error {
                let words = format!("{} {}", error.message, error.advice);
                return user(format!("{named} failed:\n{}", mark.fence(&words, most.min(2_000))), None);
            }
            match verdict {
                Verdict::Denied { why } => {
                    user(format!("{named} was denied: {why} Do something else, or answer."), None)
                }
                Verdict::Refused { why } => user(format!("{named} is not possible: {why}"), None),
                Verdict::Person { allowed: false, reason, .. } => {
                    let reason = if reason.trim().is_empty() { String::new() } else { format!(" {}", reason.trim()) };
                    user(format!("{named} was not allowed by the person.{reason} Do something else, or answer."), None)
                }
                Verdict::Allowed | Verdict::Rule | Verdict::Waits { .. } | Verdict::Person { .. } => None,
            }
        }
    }
}

/// The turns as one text, for the record; `from` leaves out those that were recorded before.
pub fn written(turns: &[ChatTurn]) -> String {
    let mut text = String::new();
    for turn in turns {
        text.push_str(&format!("[{}]\n{}\n\n", turn.role.name(), turn.content.trim_end()));
    }
    text.truncate(text.trim_end().len());
    text
}
