//! Which tables lie in which file. A store adds its own list here with one line.

use super::{
    Migration, Schema, activities, chats, knowledge, ledger, logs, maintenance, models, profiles, trash, ui_state,
};

/// What the person made: profiles, chats, sources, settings of the window, the ledger.
pub static MAIN: Schema = Schema {
    version: 2,
    tables: &[
        profiles::TABLES,
        activities::TABLES,
        chats::TABLES,
        knowledge::SOURCE_TABLES,
        ledger::TABLES,
        models::TABLES,
        ledger::TABLES,
        maintenance::TABLES,
        trash::TABLES,
        ui_state::TABLES,
    ],
    migrations: &[Migration { to: 2, run: activities::from_recent }],
};

/// Per profile: documents, passages and vectors; can be built again.
pub static KNOWLEDGE: Schema = Schema { version: 1, tables: &[knowledge::TABLES], migrations: &[] };

/// What may be thrown away at any time.
pub static CACHE: Schema = Schema { version: 1, tables: &[], migrations: &[] };

/// Logs, pruned by age.
pub static LOGS: Schema = Schema { version: 1, tables: &[logs::TABLES], migrations: &[] };
