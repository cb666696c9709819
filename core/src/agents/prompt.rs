//! What the model reads before the first step: who it is, how it answers, which tools there are, and the task.

use std::fmt::Write as _;

use rspa_ml::generate::{ChatTurn, Role};

use super::context::Mark;
use crate::model::{Agent, Task, TaskOutput};
use crate::tools::ToolSpec;

const AGENT: &str = include_str!("../../../assets/prompts/agent.md");
const SMALL: &str = include_str!("../../../assets/prompts/agent-small.md");
const PLAN: &str = include_str!("../../../assets/prompts/agent-plan.md");

/// Models with fewer weights get few words and make no plan of their own.
pub const SMALL_MODEL: u64 = 1_000_000_000;
/// Characters of the task's input, and of the result of each task before it.
const INPUT: usize = 12_000;
const RESULT: usize = 6_000;
/// Of the results of all tasks before it, for a small model.
const SMALL_RESULTS: usize = 6_000;

/// What the prompt is made from.
pub struct Opening<'a> {
    pub agent: &'a Agent,
    pub tools: &'a [ToolSpec],
    pub task: &'a Task,
    /// Title and result of those that the task depends on.
    pub before: &'a [(String, TaskOutput)],
    /// How the agent's last tasks ended.
    pub outcomes: &'a [String],
    pub small: bool,
    pub mark: &'a Mark,
}

/// The first two turns: instructions, task.
pub fn opening(from: &Opening<'_>) -> [ChatTurn; 2] {
    let turn = |role, content| ChatTurn { role, content };
    [turn(Role::System, system(from)), turn(Role::User, task(from))]
}

fn system(from: &Opening<'_>) -> String {
    let mut text = String::new();
    let own = from.agent.settings.system_prompt.trim();
    if !own.is_empty() {
        text.push_str(own);
        text.push_str("\n\n");
    }
    let rules = if from.small { SMALL } else { AGENT };
    text.push_str(&rules.replace("{open}", &from.mark.open()).replace("{close}", &from.mark.close()));
    if !from.small {
        text.push('\n');
        text.push_str(PLAN);
    }
    text.push_str("\nTools:\n");
    if from.tools.is_empty() {
        text.push_str("none: answer from what the task says.\n");
    }
    for tool in from.tools {
        let arguments = if from.small { names(&tool.parameters) } else { tool.parameters.to_string() };
        writeln!(text, "- {}: {} Arguments: {arguments}", tool.name, tool.description)
            .expect("writing to a String cannot fail");
    }
    if !from.agent.settings.folders.is_empty() {
        text.push_str("\nFolders that your tools may use:\n");
        for folder in &from.agent.settings.folders {
            let how = if folder.write { "read and write" } else { "read" };
            writeln!(text, "- {} ({how})", folder.path.display()).expect("writing to a String cannot fail");
        }
    }
    text
}

/// The names of a tool's arguments: all that a small model needs, its answer is constrained anyway.
fn names(parameters: &serde_json::Value) -> String {
    let names: Vec<&str> =
        parameters["properties"].as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn task(from: &Opening<'_>) -> String {
    let task = from.task;
    let mut text = format!("Task: {}\n", task.title.trim());
    if !task.description.trim().is_empty() {
        text.push_str(task.description.trim());
        text.push('\n');
    }
    if !matches!(&task.input, serde_json::Value::Null) {
        let input = match &task.input {
            serde_json::Value::String(input) => input.clone(),
            other => other.to_string(),
        };
        text.push_str("\nInput of the task:\n");
        text.push_str(&from.mark.fence(&input, INPUT));
    }
    // All of them together have room, also before a small model.
    let share = if from.small { SMALL_RESULTS } else { 3 * RESULT } / from.before.len().max(1);
    for (title, output) in from.before {
        write!(text, "\nResult of the task \"{}\", which was done before:\n", title.trim())
            .expect("writing to a String cannot fail");
        text.push_str(&from.mark.fence(&output.text, share.min(RESULT)));
    }
    if !from.outcomes.is_empty() {
        text.push_str("\nYour last tasks, the latest first:\n");
        text.push_str(&from.mark.fence(&from.outcomes.join("\n"), RESULT));
    }
    text
}
