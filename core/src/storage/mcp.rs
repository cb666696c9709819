//! Servers of tools.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
