//! Tools as the person and the model see them, calls of them, and what a call would do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Chart;

/// Whether a tool may be used: the stricter of the agent's and the profile's word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    Allow,
    /// The person is asked each time, unless a rule answers for them.
    Ask,
    Deny,
}

/// What a tool touches, the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolEffect {
    /// Computes from what it is given.
    Computes,
    /// Reads what the agent may read.
    Reads,
    /// Asks the person, or makes tasks and schedules.
    Organises,
    /// Changes files.
    Writes,
    /// Runs programs.
    Executes,
    /// Reaches the network.
    Network,
}

/// A tool as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolInfo {
    /// Letters, digits and underscores.
    pub name: String,
    pub title: String,
    pub description: String,
    pub effect: ToolEffect,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
    /// What a new agent gets that is given this tool.
    pub default: Permission,
    /// What this profile says; none leaves it to the agent.
    pub profile: Option<Permission>,
    /// Why it cannot work on this computer, where it cannot.
    pub unavailable: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    pub tool: String,
    pub arguments: serde_json::Value,
}

/// What a call would do, exactly: what the person is shown, and nothing else happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ProposedAction {
    /// Nothing outside of the program changes.
    Look {
        what: String,
    },
    WriteFile {
        #[serde(with = "crate::model::exact_path")]
        path: PathBuf,
        /// False when the file is new.
        exists: bool,
        /// Unified diff of the whole change.
        diff: String,
        added: u32,
        removed: u32,
        /// SHA-256 of the file as it is now, of what will be written, in hexadecimal digits: both are checked again before the write.
        before: String,
        after: String,
    },
    RunCommand {
        /// As the shell gets it.
        command: String,
        #[serde(with = "crate::model::exact_path")]
        folder: PathBuf,
        network: bool,
        limits: CommandLimits,
        /// How it is confined on this computer, or that it is not, one sentence.
        confinement: String,
    },
    HttpRequest {
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        /// The whole body.
        body: String,
    },
    /// The person answers in words.
    Question {
        question: String,
        choices: Vec<String>,
    },
    /// A task for this or another agent.
    CreateTask {
        agent: String,
        title: String,
        description: String,
    },
    CreateSchedule {
        name: String,
        timing: String,
        task: String,
    },
    /// Any other tool with an effect.
    Other {
        tool: String,
        arguments: serde_json::Value,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLimits {
    pub seconds: u32,
    pub memory_mb: u32,
    /// Of standard output and error together.
    pub output_kb: u32,
    /// That all its writes together may take.
    pub disk_mb: u32,
    pub processes: u32,
}

impl Default for CommandLimits {
    fn default() -> Self {
        Self { seconds: 60, memory_mb: 1_024, output_kb: 256, disk_mb: 256, processes: 64 }
    }
}

/// What a call gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolOutput {
    /// What the model reads.
    pub text: String,
    /// The same as data, where there is more to it.
    pub data: Option<serde_json::Value>,
    pub chart: Option<Chart>,
    /// What was changed outside, in words: "wrote report.md (48 lines)"; empty for nothing.
    pub changed: String,
}
