//! Providers and the routing between their models.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
