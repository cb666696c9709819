//! Backups: what there is, what restoring one would change.
