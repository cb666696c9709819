//! Agents and their own data, with indexes on name and status.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
