//! How a kind of activity looks and is called.

use std::borrow::Cow;

use rspa_core::model::Timestamp;

use super::Tone;
use crate::design::Icon;
use crate::text::{moment, tr_known, tr_with};

/// The picture of its family.
pub fn icon(kind: &str) -> Icon {
    match kind {
        "task.created" | "task.changed" => return Icon::Kanban,
        "task.started" => return Icon::Play,
        "task.failed" => return Icon::WarningCircle,
        "task.cancelled" => return Icon::Prohibit,
        "task.deleted" => return Icon::Trash,
        _ => {}
    }
    match kind.split('.').next().unwrap_or_default() {
        "approval" => Icon::HandPalm,
        "schedule" => Icon::Clock,
        "agent" | "sample" | "tool" => Icon::Robot,
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

/// The title in a list: the name of a backup's file says its time.
pub fn title(title: &str) -> Cow<'_, str> {
    let made = title.strip_suffix(".rspa-backup").and_then(|name| name.get(..20));
    let read = |name| jiff::civil::DateTime::strptime("%Y-%m-%dT%H-%M-%SZ", name).ok();
    match made.and_then(read).and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok()) {
        Some(at) => {
            let at = Timestamp(at.timestamp().as_millisecond());
            tr_with("activity.backup_of", &[("time", &moment(at))]).into()
        }
        None => title.into(),
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

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn a_backup_is_called_by_its_time_and_all_else_by_its_title() {
        assert!(title("2026-11-20T09-21-08Z-manual-2.rspa-backup").starts_with("Backup of 2"));
        for other in ["docs: 5 files read", "", "é.rspa-backup", "2026-99-20T09-21-08Z-daily.rspa-backup"] {
            assert_eq!(title(other), other);
        }
    }
}
