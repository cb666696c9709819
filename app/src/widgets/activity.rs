//! How a kind of activity looks and is called.

use super::Tone;
use crate::design::Icon;
use crate::text::tr_known;

/// The picture of its family.
pub fn icon(kind: &str) -> Icon {
    match kind.split('.').next().unwrap_or_default() {
        "source" | "knowledge" => Icon::Books,
        "answer" | "chat" => Icon::ChatCircle,
        "model" => Icon::Cpu,
        "network" => Icon::ShieldWarning,
        "setting" | "settings" => Icon::GearSix,
        "profile" => Icon::User,
        "worker" | "program" => Icon::Heartbeat,
        "maintenance" => Icon::Broom,
        "backup" | "restore" | "database" => Icon::HardDrive,
        "credential" | "vault" => Icon::Key,
        _ => Icon::CheckCircle,
    }
}

/// What went wrong or was refused is told apart.
pub fn tone(kind: &str) -> Tone {
    match kind.rsplit('.').next().unwrap_or_default() {
        "blocked" | "failed" => Tone::Bad,
        "restarted" | "stopped" | "cut_off" if !kind.starts_with("answer.") => Tone::Warn,
        _ => Tone::Neutral,
    }
}

/// A kind or a family in words; a kind that the catalogue does not know as it is.
pub fn words(kind: &str) -> String {
    let known = match kind.contains('.') {
        true => tr_known(&format!("activity.kinds.{kind}")),
        false => tr_known(&format!("activity.families.{kind}")),
    };
    known.map_or_else(|| kind.replace(['.', '_'], " "), str::to_owned)
}
