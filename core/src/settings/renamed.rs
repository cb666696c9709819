//! Settings that had another name once: read under the old one, written under the new one.

/// The old name and today's.
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("database.backup_count", "backups.count"),
    ("database.backup_before_migration", "backups.before_migration"),
    ("logging.database_retention_days", "logging.database_days"),
];

/// Today's name of what was written, if it had another one.
pub(super) fn today(key: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(old, _)| *old == key).map(|(_, new)| *new)
}

/// The names that a setting had.
pub(super) fn former(key: &str) -> impl Iterator<Item = &'static str> {
    RENAMED.iter().filter(move |(_, new)| *new == key).map(|(old, _)| *old)
}
