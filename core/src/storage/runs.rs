//! Runs and their steps.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
