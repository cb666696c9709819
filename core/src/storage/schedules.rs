//! Schedules, their next times, and what became of them.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
