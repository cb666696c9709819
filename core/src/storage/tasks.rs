//! Tasks: rows, indexes on status, time, agent and column, leases, the timeline.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
