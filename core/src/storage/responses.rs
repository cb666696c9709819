//! Stored answers of models; may be thrown away at any time.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
