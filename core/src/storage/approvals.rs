//! Approvals and the rules made from them.

use super::AnyTable;

pub(super) const TABLES: &[&dyn AnyTable] = &[];
