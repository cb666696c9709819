//! Which tables lie in which file. A store adds its own list here with one line.

use super::history::Tracking;
use super::{
    Migration, Schema, activities, agents, approvals, audit, chats, credentials, crews, knowledge, ledger, logs,
    maintenance, mcp, models, notifications, profiles, providers, responses, retrieval, runs, schedules, tasks, trash,
    ui_state, usage,
};

/// Tables of the main file that no restore takes back, each by its reason.
const UNTRACKED: &[&str] = &[
    // What the network did has been done, whatever the data is taken back to.
    "ledger",
    "ledger_totals",
    // What was done with secrets has been done; the chain would break.
    "audit",
    "audit_head",
    // Where the window stood says nothing about what the person made.
    "ui_state",
    // Measured on this computer.
    "model_speeds",
    "retrieval_runs",
    "retrieval_trials",
    // What happened has happened; the clean-up trims it.
    "activities",
    "activities_by_kind",
    "activities_by_agent",
    "activity_kinds",
    "maintenance",
    // What version 1 had in their place.
    "recent",
    // What was done stays done: the log of it only grows, a lockout is not undone, and a right that was taken back
    // does not return.
    "audit",
    "audit_head",
    "vault_attempts",
    "credential_grants",
    // What agents did, and what the person said to it, stays done and said.
    "runs",
    "runs_by_agent",
    "runs_by_task",
    "runs_open",
    "run_steps",
    "approvals",
    "approvals_waiting",
    "approvals_by_task",
    "approvals_by_run",
    // How the window stood once.
    "session_snapshots",
    "window_openings",
    // It tells of sealed files and of entries in the keychain, which do not go back with it.
    "credentials",
    // When a schedule runs next and what it did: nothing is done twice, and nothing is made up for.
    "schedule_states",
    "schedules_due",
    "schedule_runs",
    // What agents did has been done; tasks are not taken back either.
    // Who was told something was told it.
    "notifications",
    "agent_counts",
    "agent_hours",
    // What tasks did has been done: none of them runs again because the data was taken back.
    "tasks",
    "tasks_by_status",
    "tasks_by_agent",
    "tasks_by_schedule",
    "tasks_by_label",
    "task_board",
    "task_queue",
    "task_times",
    "task_dependents",
    "task_numbers",
    "task_moments",
    "task_leases",
    "task_tally",
    // What crews did has been done, as what tasks did.
    "crew_runs",
    "crew_runs_by_crew",
    "crew_runs_open",
    "crew_numbers",
    // What was used was used.
    "usage",
    "feature_use",
    // What servers of tools offer is asked again.
    "mcp_offers",
];

/// What the person made: profiles, chats, sources, settings of the window, the ledger.
pub static MAIN: Schema = Schema {
    version: 2,
    tables: &[
        profiles::TABLES,
        activities::TABLES,
        chats::TABLES,
        knowledge::SOURCE_TABLES,
        models::TABLES,
        ledger::TABLES,
        maintenance::TABLES,
        trash::TABLES,
        ui_state::TABLES,
        audit::TABLES,
        credentials::TABLES,
        agents::TABLES,
        approvals::TABLES,
        notifications::TABLES,
        runs::TABLES,
        schedules::TABLES,
        tasks::TABLES,
        crews::TABLES,
        mcp::TABLES,
        providers::TABLES,
        usage::TABLES,
        retrieval::TABLES,
    ],
    migrations: &[Migration { to: 2, run: activities::from_recent }],
    tracking: Tracking::AllBut(UNTRACKED),
};

/// Per profile: documents, passages and vectors; can be built again.
pub static KNOWLEDGE: Schema =
    Schema { version: 1, tables: &[knowledge::TABLES], migrations: &[], tracking: Tracking::Off };

/// What may be thrown away at any time.
pub static CACHE: Schema =
    Schema { version: 1, tables: &[responses::TABLES], migrations: &[], tracking: Tracking::Off };

/// Logs, pruned by age.
pub static LOGS: Schema = Schema { version: 1, tables: &[logs::TABLES], migrations: &[], tracking: Tracking::Off };
