//! How agents and tools look and are called.

use rspa_core::model::{AgentStatus, Permission, TaskStatus, ToolEffect, one_line};

use crate::design::Icon;
use crate::text::tr;
use crate::widgets::Tone;
pub use crate::widgets::avatar::{AVATARS, avatar};

pub const STATUSES: [AgentStatus; 5] =
    [AgentStatus::Active, AgentStatus::Paused, AgentStatus::Inactive, AgentStatus::Training, AgentStatus::Error];

pub fn status(status: AgentStatus) -> &'static str {
    match status {
        AgentStatus::Active => tr("agents.status.active"),
        AgentStatus::Inactive => tr("agents.status.inactive"),
        AgentStatus::Training => tr("agents.status.training"),
        AgentStatus::Error => tr("agents.status.error"),
        AgentStatus::Paused => tr("agents.status.paused"),
    }
}

pub fn status_tone(status: AgentStatus) -> Tone {
    match status {
        AgentStatus::Active => Tone::Ok,
        AgentStatus::Inactive => Tone::Neutral,
        AgentStatus::Training | AgentStatus::Paused => Tone::Warn,
        AgentStatus::Error => Tone::Bad,
    }
}

pub fn permission(permission: Permission) -> &'static str {
    match permission {
        Permission::Allow => tr("agents.permission.allow"),
        Permission::Ask => tr("agents.permission.ask"),
        Permission::Deny => tr("agents.permission.deny"),
    }
}

pub fn permission_tone(permission: Permission) -> Tone {
    match permission {
        Permission::Allow => Tone::Ok,
        Permission::Ask => Tone::Warn,
        Permission::Deny => Tone::Neutral,
    }
}

/// The picture of what a tool touches, and the words for it.
pub fn effect(effect: ToolEffect) -> (Icon, &'static str) {
    match effect {
        ToolEffect::Computes => (Icon::Calculator, tr("agents.effect.computes")),
        ToolEffect::Reads => (Icon::Eye, tr("agents.effect.reads")),
        ToolEffect::Organises => (Icon::ListChecks, tr("agents.effect.organises")),
        ToolEffect::Writes => (Icon::PencilSimple, tr("agents.effect.writes")),
        ToolEffect::Executes => (Icon::TerminalWindow, tr("agents.effect.executes")),
        ToolEffect::Network => (Icon::Globe, tr("agents.effect.network")),
    }
}

pub fn task(status: TaskStatus) -> (Icon, Tone, &'static str) {
    match status {
        TaskStatus::Pending => (Icon::Clock, Tone::Neutral, tr("agents.task.pending")),
        TaskStatus::Running => (Icon::PlayCircle, Tone::Accent, tr("agents.task.running")),
        TaskStatus::Completed => (Icon::CheckCircle, Tone::Ok, tr("agents.task.completed")),
        TaskStatus::Failed => (Icon::XCircle, Tone::Bad, tr("agents.task.failed")),
        TaskStatus::Cancelled => (Icon::Prohibit, Tone::Neutral, tr("agents.task.cancelled")),
    }
}

/// Text of others on one line, bounded.
pub fn short(text: &str, letters: usize) -> String {
    let end = text.char_indices().nth(letters).map_or(text.len(), |(end, _)| end);
    let mut shown = one_line(&text[..end]).into_owned();
    if end < text.len() {
        shown.push('…');
    }
    shown
}

/// The share of completed ones as a person reads it.
pub fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.0} %", rate * 100.0))
}
