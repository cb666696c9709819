//! Crews and their runs.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
