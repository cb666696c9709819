//! Usage of models by day, and of features.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
