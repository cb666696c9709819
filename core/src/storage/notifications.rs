//! What the person was told.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
